"""Settings changed at run time: checked like those of the file, kept in the database, followed at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import TimeoutError as TooLate
from typing import TYPE_CHECKING

from pydantic import SecretStr

from engine.app.late import Late
from engine.app.office import Office
from engine.app.trials import LOOKING
from engine.errors import EngineError, Fault, Invalid, MailboxClosed
from engine.loans.loan import Decision
from engine.reconcile.names import find_unknown, fold
from engine.settings import SECRETS, parse_value, without_password
from engine.web.pages.parts.settings import MailboxAnswer, SettingKey, SettingView

if TYPE_CHECKING:
    from engine.app.engine import Engine
    from engine.rooms.event import EventCopy

PROBE_SECONDS = 10.0

WAKING = frozenset({SettingKey.MODE, SettingKey.DEFAULT_USER, SettingKey.DOMAINS, SettingKey.HORIZON})
"""Settings by which bookings were refused or held back: those are looked at again."""

FAULTS: Mapping[SettingKey, str] = {
    SettingKey.MODE: "choice_unknown",
    SettingKey.IGNORED_TAGS: "too_long",
    SettingKey.DEFAULT_USER: "implausible",
    SettingKey.DOMAINS: "domain_malformed",
    SettingKey.DEFAULT_STORE: "missing",
    SettingKey.TEXT_LEVEL: "choice_unknown",
    SettingKey.HORIZON: "days_out_of_range",
}
"""What is told of a value that the setting refuses."""

WORDS_CHARACTERS_MAX = 2000

Probe = Callable[[str], MailboxAnswer]


def ask_nobody(address: str) -> MailboxAnswer:
    """Answer for an office without a calendar side."""
    return MailboxAnswer.UNKNOWN


def probe_through(engine: Late[Engine], loop: asyncio.AbstractEventLoop) -> Probe:
    """Return a function for other threads that asks Graph, with the very permission the engine needs there."""

    async def ask(address: str) -> EventCopy | None:
        return await (await engine.get()).calendar.find_event(address, LOOKING)

    def probe(address: str) -> MailboxAnswer:
        asking = asyncio.run_coroutine_threadsafe(ask(address), loop)
        try:
            asking.result(PROBE_SECONDS)
        except MailboxClosed:
            return MailboxAnswer.MISSING
        except (EngineError, TooLate):
            asking.cancel()
            return MailboxAnswer.UNKNOWN
        return MailboxAnswer.THERE

    return probe


class RunTimeSettings:
    """
    The settings page's other side.

    Args:
        office: settings, overrides and the rules that follow them.
        probe: whether an address has a mailbox; called in the thread of whoever changes a setting.
    """

    def __init__(self, office: Office, probe: Probe = ask_nobody) -> None:
        self._office = office
        self._probe = probe

    def list_settings(self) -> Sequence[SettingView]:
        """Return every setting that may be changed at run time, in the order of `SettingKey`."""
        overrides = self._office.overrides.list_overrides()
        found = []
        for key in SettingKey:
            configured, override = self._configured(key), overrides.get(key)
            if override is None:
                found.append(SettingView(key, configured, configured))
            else:
                found.append(SettingView(key, override.value, configured, override.changed_at, override.changed_by))
        return found

    def list_fixed(self) -> Sequence[tuple[str, str]]:
        """Return every other setting and its value, secrets and passwords hidden."""
        settings = self._office.settings
        return [
            (f"{section}.{key}", _show(section, key, value))
            for section, values in settings
            for key, value in values
            if f"{section}.{key}" not in tuple(SettingKey)
        ]

    def set_value(self, key: SettingKey, value: str, *, actor: str) -> MailboxAnswer:
        """Set a value as a person typed it. Raises Invalid, and changes nothing then."""
        parsed, answer = _parse(key, value), MailboxAnswer.THERE
        if key is SettingKey.DEFAULT_STORE:
            parsed = self._find_store(str(parsed))
        if key is SettingKey.DEFAULT_USER and parsed:
            answer = self._probe(str(parsed))
            if answer is MailboxAnswer.MISSING:
                raise Invalid(Fault(key, "mailbox_missing", f"{parsed} has no mailbox that Accord may use"))
        self._save(key, parsed, actor)
        return answer

    def reset(self, key: SettingKey, *, actor: str) -> None:
        """Go back to what file and environment say."""
        self._save(key, None, actor)

    def follow_rename(self, before: str, after: str, *, actor: str) -> None:
        """Name the default store as it is called now, if it is the one that was renamed: else the next new room would
        make one of the former name."""
        if before != after and fold(before) == fold(self._office.rules.default_store):
            self._save(SettingKey.DEFAULT_STORE, after, actor)

    def history(self) -> Sequence[Decision]:
        """Return what administrators changed, the newest first."""
        return self._office.status.admin_history()

    def _save(self, key: SettingKey, value: object, actor: str) -> None:
        self._office.overrides.save_override(key.value, value, actor, wake=key in WAKING)
        self._office.rules.forget()

    def _find_store(self, name: str) -> str:
        """Return a store's name as the store has it; before there is any, the first one may be called anything."""
        stores = [store.name for store in self._office.desk.list_stores()]
        if not stores:
            return name
        for unknown in find_unknown(SettingKey.DEFAULT_STORE, [name], stores):
            raise Invalid(Fault(SettingKey.DEFAULT_STORE, "store_unknown", unknown.fault))
        return next(store for store in stores if fold(store) == fold(name))

    def _configured(self, key: SettingKey) -> object:
        section, _, name = key.value.partition(".")
        return _plain(getattr(getattr(self._office.settings, section), name))


def _parse(key: SettingKey, text: str) -> object:
    section, _, name = key.value.partition(".")
    given = text.strip()
    try:
        if len(given) > WORDS_CHARACTERS_MAX or not given.isprintable():
            raise ValueError("too long, or not to be printed")
        return _plain(parse_value(section, name, given))
    except ValueError as error:
        raise Invalid(Fault(key, FAULTS[key], str(error))) from error


def _plain(value: object) -> object:
    """Return a value as JSON keeps it."""
    return list(value) if isinstance(value, tuple) else value


def _show(section: str, key: str, value: object) -> str:
    if (section, key) in SECRETS or isinstance(value, SecretStr):
        return "***" if value else ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return without_password(", ".join(map(str, value)))
    return without_password(str(value)) if value is not None else ""
