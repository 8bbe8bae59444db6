"""
Reading settings: first the file, then the environment, which overrules it.

`[web] port` gives way to `ENGINE_WEB__PORT`. Nothing here guesses: an unknown name is refused with the nearest known
one, a bad value with what is allowed, and all faults are told at once. Secrets never come from the file, which people
copy, print and commit.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError

from engine.errors import BadSettings
from engine.settings.kinds import is_given
from engine.settings.sections import SECRETS, SECTIONS, Breach, Section, Settings

FILE_NAME = "settings.toml"
"""Read from the working directory when no other file is named."""

PREFIX = "ENGINE_"
FILE_VARIABLE = "ENGINE_SETTINGS"
"""Names another file; every other variable that begins with the prefix is a setting."""

DELIMITER = "__"


@dataclass(frozen=True, slots=True)
class Given:
    """One value as somebody wrote it, and where."""

    section: str
    key: str
    value: object
    origin: str

    @property
    def name(self) -> str:
        return f"[{self.section}] {self.key}"

    def shown(self) -> str:
        """Return the value as a message may show it: never a secret, never a password."""
        if (self.section, self.key) in SECRETS:
            return "(not shown)"
        return repr(without_password(self.value) if isinstance(self.value, str) else self.value)

    def fault(self, wanted: str) -> str:
        return f"{self.name} = {self.shown()} ({self.origin}): {wanted}"


DEMO_ZONE = "Europe/Paris"
"""Where the building of the demonstration stands, unless the settings name a zone."""


def load_settings(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """
    Return the settings of this run.

    Args:
        path: the file that was asked for; None for the one `ENGINE_SETTINGS` names, or else settings.toml in the
            working directory, which may be missing.
        environ: the environment; read only.

    Raises BadSettings with every fault there is. Reads the named files and nothing else.
    """
    faults: list[str] = []
    given = {(entry.section, entry.key): entry for entry in _read_file(path, environ, faults)}
    given |= {(entry.section, entry.key): entry for entry in _read_environment(environ, faults)}
    _take_secret_from_file(given, faults)

    sections = {name: _parse_section(name, given, faults) for name in SECTIONS}
    if faults:
        raise BadSettings(tuple(faults))
    return place_demo(Settings(**sections))  # type: ignore[arg-type]  # each name has its own class


def place_demo(settings: Settings) -> Settings:
    """Return *settings* with the zone of the demonstration's building, if there is one and they name none."""
    if not (settings.simulated and settings.simulator.demo and settings.rooms.time_zone == "UTC"):
        return settings
    rooms = settings.rooms.model_copy(update={"time_zone": DEMO_ZONE})
    return settings.model_copy(update={"rooms": rooms})


def _read_file(path: Path | None, environ: Mapping[str, str], faults: list[str]) -> Iterator[Given]:
    named = path or (Path(environ[FILE_VARIABLE]) if environ.get(FILE_VARIABLE) else None)
    file = named or Path(FILE_NAME)
    if named is None and not file.exists():
        return
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        faults.append(f"{file}: cannot be read ({error.strerror}); name a file that can, or leave {FILE_VARIABLE} out")
        return
    except ValueError as error:  # bad TOML or bad UTF-8
        faults.append(f"{file}: is no TOML: {error}")
        return
    for section, table in tables.items():
        if section not in SECTIONS:
            faults.append(f"[{section}] ({file}): unknown section{_nearest(section, SECTIONS)}")
        elif not isinstance(table, dict):
            faults.append(f"{section} ({file}): must be a section, written [{section}]")
        else:
            yield from _read_table(section, table, str(file), faults)


def _read_table(section: str, table: Mapping[str, object], origin: str, faults: list[str]) -> Iterator[Given]:
    known = type(SECTIONS[section]).model_fields
    for key, value in table.items():
        entry = Given(section, key, value, origin)
        if key not in known:
            faults.append(f"{entry.name} ({origin}): unknown key{_nearest(key, known)}")
        elif (section, key) in SECRETS or _has_password(entry):
            faults.append(
                f"{entry.name} ({origin}): a secret does not belong in the file; "
                f"take it out and set {_variable(section, key)} in the environment"
            )
        else:
            yield entry


def _read_environment(environ: Mapping[str, str], faults: list[str]) -> Iterator[Given]:
    known = {
        _variable(name, key): (name, key) for name, section in SECTIONS.items() for key in type(section).model_fields
    }
    for variable, value in sorted(environ.items()):
        if not variable.startswith(PREFIX) or variable == FILE_VARIABLE:
            continue
        if variable in known:
            yield Given(*known[variable], value, f"environment {variable}")
        else:
            faults.append(f"{variable} (environment): unknown setting{_nearest(variable, (*known, FILE_VARIABLE))}")


def _take_secret_from_file(given: dict[tuple[str, str], Given], faults: list[str]) -> None:
    """Put what `client_secret_file` holds in the place of `client_secret`."""
    named = given.get(("graph", "client_secret_file"))
    if named is None or not is_given(named.value):
        return
    direct = given.get(("graph", "client_secret"))
    if direct is not None and is_given(direct.value):
        faults.append(named.fault("give the secret itself or its file, not both"))
        return
    try:
        secret = Path(str(named.value)).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        secret = ""
    if not secret:
        faults.append(named.fault("must be a file that can be read and holds the secret"))
    # A stand-in after a fault keeps the same mistake from being told twice.
    given["graph", "client_secret"] = Given("graph", "client_secret", secret or "unread", named.origin)


def _parse_section(name: str, given: Mapping[tuple[str, str], Given], faults: list[str]) -> Section:
    """Return the section, with the default in the place of each bad value, whose fault is noted."""
    kind = type(SECTIONS[name])
    entries = {key: entry for (section, key), entry in given.items() if section == name}
    bad: set[str] = set()
    try:
        parsed = kind(**{key: entry.value for key, entry in entries.items()})
    except ValidationError as error:
        bad = {str(detail["loc"][0]) for detail in error.errors(include_url=False, include_context=False)}
        for key in (key for key in entries if key in bad):
            faults.append(entries[key].fault(f"must be {kind.model_fields[key].description}"))
        parsed = kind(**{key: entry.value for key, entry in entries.items() if key not in bad})
    for breach in parsed.breaches():
        if bad.isdisjoint(breach.keys):
            faults.append(_breach_fault(name, breach, entries))
    return parsed


def _breach_fault(section: str, breach: Breach, entries: Mapping[str, Given]) -> str:
    key = breach.keys[0]
    if key in entries:
        return entries[key].fault(breach.wanted)
    if (section, key) in SECRETS:
        return f"[{section}] {key} (not set): {breach.wanted}; set {_variable(section, key)} in the environment"
    default = getattr(SECTIONS[section], key)
    return f"[{section}] {key} = {default!r} (default): {breach.wanted}"


def _variable(section: str, key: str) -> str:
    return f"{PREFIX}{section}{DELIMITER}{key}".upper()


def _nearest(word: str, known: Mapping[str, object] | tuple[str, ...]) -> str:
    """Return "; did you mean ...?", or all there is when nothing is near and the list is short."""
    names = tuple(known)
    near = get_close_matches(word, names, n=1, cutoff=0.6) or get_close_matches(word.upper(), names, n=1, cutoff=0.6)
    if not near:
        near = get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; known are {', '.join(names)}" if len(names) <= 16 else ""


def _has_password(entry: Given) -> bool:
    """Tell whether this is a database address with a password in it; no other address may hold one anywhere."""
    is_database = (entry.section, entry.key) == ("database", "url")
    return is_database and isinstance(entry.value, str) and without_password(entry.value) != entry.value


def without_password(text: str) -> str:
    """Return an address without the password in it; any other text as it is."""
    if "://" not in text:
        return text
    hidden = re.sub(r"(://[^/?#]*?):[^/?#]+@", r"\1:***@", text)
    return re.sub(r"([?&](?:password|sslpassword)=)(?!\*\*\*)[^&]*", r"\1***", hidden, flags=re.IGNORECASE)
