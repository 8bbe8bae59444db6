"""
settings.toml and the environment become one frozen `Settings`; only app.py and the command line ask for it.

The file gives way to the environment: `[web] port` is overruled by `ENGINE_WEB__PORT`. Nothing here guesses: an unknown
name is refused with the nearest known one, a bad value with what is allowed, and all faults are told at once. Secrets
never come from the file, which people copy, print and commit.
"""

from __future__ import annotations

import ipaddress
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from engine.errors import BadSettings

FILE_NAME = "settings.toml"
"""Read from the working directory when no other file is named."""

PREFIX = "ENGINE_"
FILE_VARIABLE = "ENGINE_SETTINGS"
"""Names another file; every other variable that begins with the prefix is a setting."""

DELIMITER = "__"


# --- the kinds of value -------------------------------------------------------------------------------------------


def is_loopback(host: str) -> bool:
    """Tell whether *host*, a name or an address without port, can only mean this very machine."""
    name = host.strip("[]").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _refuse_truth(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("true and false are no numbers")
    return value


def _split(value: object) -> object:
    """Take "a, b" for ["a", "b"], and leave out what is empty."""
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, list | tuple):
        return value
    return tuple(word for word in (w.strip() if isinstance(w, str) else w for w in words) if word != "")


def _check_domain(value: str) -> str:
    domain = value.removeprefix("@").lower()
    if not re.fullmatch(r"[^\s@,;/]+\.[^\s@,;/.]+", domain):
        raise ValueError("no domain name")
    return domain


def _check_web_address(value: str) -> str:
    """Accept https everywhere and http on loopback; drop a slash at the end."""
    parts = urlsplit(value)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("no web address")
    if parts.username is not None or parts.password is not None:
        raise ValueError("no name or password belongs in a web address")
    _ = parts.port  # raises ValueError beyond 65535
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("http only on loopback")
    return value.rstrip("/")


def _check_optional_web_address(value: str) -> str:
    return _check_web_address(value) if value else value


def _check_database(value: str) -> str:
    scheme, separator, rest = value.partition("://")
    if scheme in ("postgres", "postgresql"):
        scheme = "postgresql+psycopg"
    if not separator or not rest:
        raise ValueError("no database address")
    if scheme == "sqlite" and rest.startswith("/") and rest not in ("/", "/:memory:"):
        return value
    if scheme == "postgresql+psycopg" and urlsplit(value).path.strip("/"):
        return f"{scheme}://{rest}"
    raise ValueError("another kind of database")


def _check_day(value: str) -> str:
    if value:
        date.fromisoformat(value)  # raises ValueError
    return value


def _check_clock(value: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise ValueError("not a time of day such as 02:30")
    return value


def _check_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError("unknown time zone") from error
    return value


def _check_address(value: str) -> str:
    if value and not re.fullmatch(r"[^\s@,;<>]+@[^\s@,;<>]+\.[^\s@,;<>.]+", value):
        raise ValueError("no e-mail address")
    return value


Whole = Annotated[int, BeforeValidator(_refuse_truth)]
Words = Annotated[tuple[str, ...], BeforeValidator(_split)]
Domains = Annotated[tuple[Annotated[str, AfterValidator(_check_domain)], ...], BeforeValidator(_split)]
WebAddress = Annotated[str, AfterValidator(_check_web_address)]
Clock = Annotated[str, AfterValidator(_check_clock)]
Day = Annotated[str, BeforeValidator(lambda value: f"{value}" if isinstance(value, date) else value)]
"""A day such as 2027-11-30, or empty; TOML has days of its own, which need no quotes."""
OptionalWebAddress = Annotated[str, AfterValidator(_check_optional_web_address)]
Secret = SecretStr | None

Credential = Literal["simulated", "secret", "certificate", "managed_identity", "static_token"]
HttpClient = Literal["aiohttp", "httpx"]
Durability = Literal["full", "normal"]
TextLevel = Literal["full", "number_only", "link_only"]
Mode = Literal["shadow", "read_only", "two_way"]
Delivery = Literal["push", "poll"]
FirstContact = Literal["auto", "list", "import"]

SHARED_TENANTS = frozenset({"common", "organizations", "consumers"})
"""In the place of a directory these let everybody in (Microsoft identity platform, sign-in audiences)."""

WEB_ADDRESS = "an https:// address, or http:// on loopback, without query, name or password"


def _count(default: int, least: int, most: int, unit: str) -> Any:
    """Describe a whole number, both ends allowed."""
    return Field(default, ge=least, le=most, description=f"a whole number of {unit} from {least} to {most}")


def _choice(default: str, choices: object) -> Any:
    return Field(default, description="one of " + ", ".join(get_args(choices)))


# --- the sections -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule between several keys of one section that does not hold; the first key is the one to change."""

    keys: tuple[str, ...]
    wanted: str


class Section(BaseModel):
    """A table of the file. Each description says what is allowed, in the words of the message a bad value gets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def breaches(self) -> Iterator[Breach]:
        """Yield the rules between keys that do not hold."""
        return iter(())


class DatabaseSettings(Section):
    url: Annotated[str, AfterValidator(_check_database)] = Field(
        default="sqlite:///var/accord.db",
        repr=False,  # it may hold a password
        description="sqlite:///path/to/file or postgresql://user@host/database",
    )
    durability: Durability = _choice("full", Durability)


class GraphSettings(Section):
    base_url: WebAddress = Field(default="https://graph.microsoft.com/v1.0", description=WEB_ADDRESS)
    authority: WebAddress = Field(default="https://login.microsoftonline.com", description=WEB_ADDRESS)
    credential: Credential = _choice("simulated", Credential)
    token: Secret = Field(default=None, description="a bearer token")
    tenant_id: str = Field(default="", description="the directory's id or domain")
    client_id: str = Field(default="", description="the id of the app registration")
    client_secret: Secret = Field(default=None, description="the secret of the app registration")
    client_secret_file: str = Field(default="", description="the path of a file that holds the secret and nothing else")
    certificate_path: str = Field(default="", description="the path of a PEM or PKCS#12 file with certificate and key")
    credential_expires: Annotated[Day, AfterValidator(_check_day)] = Field(
        default="", description="a day such as 2027-11-30, or empty"
    )
    closed_mailbox: Annotated[str, AfterValidator(_check_address)] = Field(
        default="", description="an e-mail address, or empty for none"
    )
    http_client: HttpClient = _choice("aiohttp", HttpClient)
    requests_per_mailbox: Whole = _count(3, 1, 4, "requests")
    timeout_seconds: Whole = _count(30, 1, 600, "seconds")

    def breaches(self) -> Iterator[Breach]:
        needed = {
            "static_token": ("token",),
            "secret": ("tenant_id", "client_id", "client_secret"),
            "certificate": ("tenant_id", "client_id", "certificate_path"),
        }
        for key in needed.get(self.credential, ()):
            if not is_given(getattr(self, key)):
                yield Breach((key, "credential"), f"is needed by credential = {self.credential!r}")
        if self.credential == "static_token" and not is_loopback(urlsplit(self.base_url).hostname or ""):
            yield Breach(("base_url", "credential"), "must be on loopback with credential = 'static_token'")
        if self.credential == "certificate" and self.certificate_path and not Path(self.certificate_path).is_file():
            yield Breach(("certificate_path",), "must be a file that exists")


class WebSettings(Section):
    host: str = Field(
        default="127.0.0.1", min_length=1, pattern=r"^\S+$", description="a name or address of this machine"
    )
    port: Whole = Field(default=8420, ge=0, le=65535, description="a port from 1 to 65535, or 0 for any that is free")
    public_url: OptionalWebAddress = Field(default="", description=f"{WEB_ADDRESS}, or empty")
    api_token: Secret = Field(default=None, description="a bearer token")

    def public_url_for(self, port: int) -> str:
        """Return the address others reach us at, given the port that was bound in the end; no slash at the end."""
        if self.public_url:
            return self.public_url
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class SignInSettings(Section):
    issuer: OptionalWebAddress = Field(default="", description=f"{WEB_ADDRESS}, or empty")
    client_id: str = Field(default="", description="the id of the app registration")
    client_secret: Secret = Field(default=None, description="the secret of the app registration")

    def breaches(self) -> Iterator[Breach]:
        if not self.issuer:
            return
        for key in ("client_id", "client_secret"):
            if not is_given(getattr(self, key)):
                yield Breach((key, "issuer"), "is needed by sign_in.issuer")
        if SHARED_TENANTS & set(urlsplit(self.issuer).path.split("/")):
            yield Breach(("issuer",), "must name one directory: people of every other one could sign in")


class RoomsSettings(Section):
    ignored_tags: Words = Field(
        default=("not-bookable",), description='a list of tags, or one string such as "private, lab"'
    )
    import_every_minutes: Whole = _count(15, 1, 10080, "minutes")
    time_zone: Annotated[str, AfterValidator(_check_zone)] = Field(
        default="UTC", description="a time zone by its IANA name, such as Europe/Paris"
    )


class LoansSettings(Section):
    default_store: str = Field(
        default="Main desk", min_length=1, max_length=200, description="a name of 1 to 200 characters"
    )
    default_user: Annotated[str, AfterValidator(_check_address)] = Field(
        default="", description="an e-mail address, or empty for none"
    )
    domains: Domains = Field(
        default=(), description='a list of domains, or one string such as "example.org, example.com"'
    )
    approval: bool = Field(default=False, description="true or false")
    text_level: TextLevel = _choice("full", TextLevel)


class SyncSettings(Section):
    mode: Mode = _choice("two_way", Mode)
    delivery: Delivery = _choice("push", Delivery)
    horizon_days: Whole = _count(400, 1, 1800, "days")
    history_days: Whole = _count(30, 0, 365, "days")
    sweep_every_minutes: Whole = _count(360, 1, 10080, "minutes")
    poll_every_seconds: Whole = _count(60, 1, 3600, "seconds")
    gather_milliseconds: Whole = _count(250, 0, 60000, "milliseconds")
    answer_milliseconds: Whole = _count(750, 0, 60000, "milliseconds")
    answer_timeout_minutes: Whole = _count(10, 1, 10080, "minutes")
    first_contact: FirstContact = _choice("auto", FirstContact)
    compare_at: Clock = Field(default="02:30", description="a time of day such as 02:30")
    compare_reads_per_room: Whole = _count(20, 0, 1000, "bookings")
    series_dates_max: Whole = _count(500, 1, 5000, "dates")
    mass_cancel_max: Whole = _count(25, 0, 100000, "loans")
    mass_cancel_percent: Whole = _count(30, 0, 100, "percent")
    workers: Whole = _count(8, 1, 64, "passes")


class SimulatorSettings(Section):
    port: Whole = Field(default=8421, ge=0, le=65535, description="a port from 1 to 65535, or 0 for any that is free")
    seed: Whole = Field(default=1, ge=0, le=2**31 - 1, description="a whole number from 0 to 2147483647")
    demo: bool = Field(default=True, description="true or false")
    state_file: str = Field(
        default="var/tenant.db", description="the path of a file, or empty to keep everything in memory"
    )


class Settings(BaseSettings):
    """Every setting of one run. Frozen: who wants to change one at run time keeps that elsewhere."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid")

    database: DatabaseSettings = DatabaseSettings()
    graph: GraphSettings = GraphSettings()
    web: WebSettings = WebSettings()
    sign_in: SignInSettings = SignInSettings()
    rooms: RoomsSettings = RoomsSettings()
    loans: LoansSettings = LoansSettings()
    sync: SyncSettings = SyncSettings()
    simulator: SimulatorSettings = SimulatorSettings()

    @property
    def simulated(self) -> bool:
        """Whether the simulated tenant is to start: only when no other credential was asked for."""
        return self.graph.credential == "simulated"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what `load_settings` hands over and look nowhere else: `Settings()` is the defaults anywhere."""
        return (init_settings,)


SECTIONS: Mapping[str, Section] = {name: field.default for name, field in Settings.model_fields.items()}
SECRETS = frozenset(
    {("graph", "client_secret"), ("graph", "token"), ("sign_in", "client_secret"), ("web", "api_token")}
)


def parse_value(section: str, key: str, value: object) -> object:
    """Return *value*, as a person gave it, as the setting holds it. Raises ValueError with what is allowed."""
    kind = type(SECTIONS[section])
    try:
        return getattr(kind(**{key: value}), key)
    except ValidationError as error:
        raise ValueError(f"must be {kind.model_fields[key].description}") from error


# --- reading ------------------------------------------------------------------------------------------------------


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


def is_given(value: object) -> bool:
    """Tell whether a text or a secret says anything."""
    return bool(value.get_secret_value() if isinstance(value, SecretStr) else value)


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
