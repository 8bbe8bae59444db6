"""The settings the sync follows: the file and the environment, and over them what was changed at run time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from engine.database.access.overrides import WAKE_SECONDS, Overrides
from engine.database.rooms.book import RoomCache
from engine.ids import Address, domain_of, fold_address
from engine.loans.loan import TextLevel
from engine.loans.status import LoanStatus
from engine.reconcile.brake import BrakeRule
from engine.reconcile.dates import Dates
from engine.reconcile.field_map import View
from engine.reconcile.ledger import SyncRules
from engine.reconcile.names import fold
from engine.settings import Settings
from engine.worker.rooms import WINDOW_MARGIN

RULES_AGE_MAX = timedelta(seconds=0.9 * WAKE_SECONDS)
"""How old settings changed at run time may be before they are read again: what a change wakes must meet it, whichever
process looks at it."""


class Rules:
    """The settings the sync follows: the file and the environment, and over them what was changed at run time."""

    def __init__(self, settings: Settings, overrides: Overrides, rooms: RoomCache, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._overrides = overrides
        self._rooms = rooms
        self._now = now
        self.link_base = settings.web.public_url_for(settings.web.port)
        """Where people open a loan; known for certain once the web listens."""
        self._values: Mapping[str, object] = {}
        self._read_at: datetime | None = None
        self._made = SyncRules()
        self._made_from: tuple[object, object, object] = (None, None, None)

    def _value(self, key: str, default: object) -> object:
        is_old = self._read_at is None or self._now() - self._read_at > RULES_AGE_MAX
        if is_old and not self._overrides.is_in_transaction:
            values = self._overrides.load_overrides()
            if values != self._values:  # else what was made of them stays good
                self._values = values
            self._read_at = self._now()
        return self._values.get(key, default)

    @property
    def ignored_tags(self) -> frozenset[str]:
        return frozenset(_words(self._value("rooms.ignored_tags", self._settings.rooms.ignored_tags)))

    @property
    def default_store(self) -> str:
        return str(self._value("loans.default_store", self._settings.loans.default_store))

    @property
    def text_level(self) -> TextLevel:
        """How much of a loan leaves where its store says nothing."""
        return TextLevel(str(self._value("loans.text_level", self._settings.loans.text_level)))

    @property
    def horizon(self) -> timedelta:
        """How far ahead calendars are read: as far as the view reaches at least, until they are opened anew."""
        days = int(str(self._value("sync.horizon_days", self._settings.sync.horizon_days)))
        ahead = self._settings.view.days_ahead
        return max(timedelta(days=days), timedelta(days=ahead + 1) + WINDOW_MARGIN if ahead else timedelta(0))

    def forget(self) -> None:
        """Read what was changed at run time again at the next question."""
        self._read_at = None

    def sync(self) -> SyncRules:
        """Return the rules as they are now."""
        self._value("sync.mode", "")
        made_from = (self._values, self._rooms.book(), self.link_base)
        if any(now is not before for now, before in zip(made_from, self._made_from, strict=True)):
            self._made_from, self._made = made_from, self._make()
        return self._made

    def _make(self) -> SyncRules:
        """Put the rules together. No domains set: those of the rooms' addresses."""
        loans, sync = self._settings.loans, self._settings.sync
        domains = frozenset(fold_address(d) for d in _words(self._value("loans.domains", loans.domains)))
        if not domains:
            domains = frozenset(fold_address(domain_of(room.address)) for room in self._rooms.book().rooms)
        default_user = str(self._value("loans.default_user", loans.default_user))
        return SyncRules(
            domains=frozenset(str(domain) for domain in domains),
            default_user=Address(default_user) if default_user else None,
            default_store=self.default_store,
            text_level=self.text_level,
            import_existing=self.import_existing(),
            fields=self._settings.fields.field_map(),
            view=View(
                frozenset(fold(name) for name in self._settings.view.stores),
                frozenset(LoanStatus(status) for status in self._settings.view.statuses),
                frozenset(fold(name) for name in self._settings.view.rooms),
                Dates(self._settings.view.days_back, self._settings.view.days_ahead),
            ),
            mode=str(self._value("sync.mode", sync.mode)),
            brake=BrakeRule(sync.mass_cancel_max, sync.mass_cancel_percent),
            link_base=self.link_base,
            series_dates_max=sync.series_dates_max,
        )

    def link_to(self, number: int) -> str:
        """Return the address at which people open a loan."""
        return f"{self.link_base or self._settings.web.public_url_for(self._settings.web.port)}/loans/{number}"

    def import_existing(self) -> bool:
        """Tell whether meetings found at first contact become loans: `auto` says yes only to the simulated tenant."""
        first = self._settings.sync.first_contact
        return first == "import" or (first == "auto" and self._settings.simulated)


def _words(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(word.strip() for word in value.split(",") if word.strip())
    return tuple(str(word) for word in value) if isinstance(value, list | tuple) else ()
