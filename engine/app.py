"""Builds every part and hands each what it needs. Knows all, decides nothing.

`Office` is the engine without a network: database, desk, rooms, queue. Commands use it whether the
service runs or not. `Engine` adds the calendar side and the passes. `service.py` adds the doors.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from engine.database.connection import Database
from engine.database.desk import Desk, DeskOptions
from engine.database.directory import RoomDirectory
from engine.database.ledger import SyncLedger
from engine.database.marks import Priority
from engine.database.migrations import migrate
from engine.database.notifications import Inbox
from engine.database.overrides import Overrides
from engine.database.queue import Claim, WorkQueue
from engine.database.roombook import RoomCache
from engine.database.subscriptions import SubscriptionStore
from engine.database.tokens import TokenStore
from engine.ids import Address, BookableId, domain_of, fold_address
from engine.loans.loan import TextLevel
from engine.reconcile.ledger import SyncRules
from engine.reconcile.plan import Note
from engine.rooms.calendar import RoomCalendar
from engine.settings import Settings
from engine.subscriptions.plan import Delivery, Endpoint
from engine.worker.bookings import BookingPass
from engine.worker.loop import Loop, Watcher
from engine.worker.places import PlacesPass
from engine.worker.rooms import RoomPass, WindowRule
from engine.worker.subscriptions import SubscriptionPass

log = logging.getLogger(__name__)

RULES_SECONDS = 10.0
"""How old settings changed at run time may be before they are read again (H26: within minutes)."""


class Rules:
    """The settings the sync follows: the file and the environment, and over them what was changed at run time."""

    def __init__(self, settings: Settings, overrides: Overrides, rooms: RoomCache, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._overrides = overrides
        self._rooms = rooms
        self._now = now
        self._values: Mapping[str, object] = {}
        self._read_at: datetime | None = None

    def _value(self, key: str, default: object) -> object:
        if self._read_at is None or self._now() - self._read_at > timedelta(seconds=RULES_SECONDS):
            self._values = self._overrides.load_overrides()
            self._read_at = self._now()
        return self._values.get(key, default)

    @property
    def ignored_tags(self) -> frozenset[str]:
        return frozenset(_words(self._value("rooms.ignored_tags", self._settings.rooms.ignored_tags)))

    @property
    def default_store(self) -> str:
        return str(self._value("loans.default_store", self._settings.loans.default_store))

    def sync(self) -> SyncRules:
        """Return the rules as they are now. No domains set: those of the rooms' addresses."""
        loans, sync = self._settings.loans, self._settings.sync
        domains = frozenset(fold_address(d) for d in _words(self._value("loans.domains", loans.domains)))
        if not domains:
            domains = frozenset(fold_address(domain_of(room.address)) for room in self._rooms.book().rooms)
        default_user = str(self._value("loans.default_user", loans.default_user))
        return SyncRules(
            domains=frozenset(str(domain) for domain in domains),
            default_user=Address(default_user) if default_user else None,
            default_store=self.default_store,
            text_level=TextLevel(str(self._value("loans.text_level", loans.text_level))),
            import_existing=self.import_existing(),
            mode=str(self._value("sync.mode", sync.mode)),
            link_base=self._settings.web.public_url,
        )

    def import_existing(self) -> bool:
        """Tell whether meetings found at first contact become loans: `auto` says yes only to the simulated tenant."""
        first = self._settings.sync.first_contact
        return first == "import" or (first == "auto" and self._settings.simulated)


def _words(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(word.strip() for word in value.split(",") if word.strip())
    return tuple(str(word) for word in value) if isinstance(value, list | tuple) else ()


class Office:
    """Database, desk, rooms and queue: everything that needs no network."""

    def __init__(self, settings: Settings, *, now: Callable[[], datetime], database: Database | None = None) -> None:
        self.settings = settings
        self.now = now
        self.database = database or open_database(settings, now)
        migrate(self.database)
        self.cache = RoomCache(self.database, time_zone=settings.rooms.time_zone)
        self.rooms = RoomDirectory(self.database, self.cache)
        self.overrides = Overrides(self.database)
        self.instance = self._instance()
        self.rules = Rules(settings, self.overrides, self.cache, now)
        self.desk = Desk(self.database, self._desk_options)
        self.tokens = TokenStore(self.database)
        self.queue = WorkQueue(self.database, owner=f"engine-{secrets.token_hex(4)}")
        self.subscriptions = SubscriptionStore(self.database)
        self.ledger = SyncLedger(self.database, self.cache, self.rules.sync, instance=self.instance)

    def _desk_options(self) -> DeskOptions:
        return DeskOptions(
            default_store=self.rules.default_store,
            approval=self.settings.loans.approval,
            time_zone=self.settings.rooms.time_zone,
        )

    def _instance(self) -> str:
        """Return the name of this database, drawn once: our markers in Outlook carry it, so that a new database
        whose loans begin at 1 again never takes an old one's events for its own (P58)."""
        known = self.overrides.load_overrides().get("instance")
        if isinstance(known, str):
            return known
        name = secrets.token_hex(4)
        self.overrides.save_override("instance", name, "engine")
        return name

    def enqueue(self, kind: str, key: str, *, priority: int = Priority.LIVE, delay: float = 0.0) -> None:
        """Mark a key: somebody shall look there."""
        with self.database.write() as transaction:
            transaction.mark(kind, key, priority=Priority(priority), delay=delay)

    def close(self) -> None:
        self.database.close()


def open_database(settings: Settings, now: Callable[[], datetime]) -> Database:
    """Open the database of *settings*. Several machines share PostgreSQL, so there its clock counts."""
    url = settings.database.url
    clock = now if url.startswith("sqlite") else None
    return Database(url, clock=clock, durability=settings.database.durability)


class Engine:
    """An office with the calendar side: the passes and the loop that runs them."""

    def __init__(
        self,
        office: Office,
        calendar: RoomCalendar,
        *,
        endpoint: Endpoint,
        watcher: Watcher,
        poll_seconds: float = 0.1,
    ) -> None:
        settings, now = office.settings, office.now
        self.office = office
        self.calendar = calendar
        self.inbox = Inbox(office.database, gather_seconds=settings.sync.gather_milliseconds / 1000)
        self.room_pass = RoomPass(
            office.ledger,
            calendar,
            window=WindowRule(
                timedelta(days=settings.sync.history_days),
                timedelta(days=settings.sync.horizon_days),
            ),
            import_existing=office.rules.import_existing,
            now=now,
        )
        self.booking_pass = BookingPass(
            office.ledger,
            calendar,
            instance=office.instance,
            rules=office.rules.sync,
            answer_timeout=timedelta(minutes=settings.sync.answer_timeout_minutes),
            now=now,
        )
        self.places_pass = PlacesPass(
            calendar,
            office.rooms,
            ignored_tags=lambda: office.rules.ignored_tags,
            default_store=lambda: office.rules.default_store,
        )
        self.subscription_pass = SubscriptionPass(
            calendar,
            office.subscriptions,
            office.rooms,
            addresses=endpoint,
            delivery=Delivery(settings.sync.delivery),
            now=now,
        )
        self.loop: Loop[Claim] = Loop(
            office.queue,
            self._handlers(),
            slots=settings.sync.workers,
            now=now,
            watcher=watcher,
            poll_seconds=poll_seconds,
        )

    def _handlers(self) -> Mapping[str, Callable[[Claim], Awaitable[None]]]:
        return {
            "room": self._read_room,
            "loan": self._settle,
            "meeting": self._settle,
            "places": self._import_places,
            "subscription": self._keep_subscription,
        }

    async def _read_room(self, claim: Claim) -> None:
        await self.room_pass.read(BookableId(int(claim.key)), priority=int(claim.priority))

    async def _settle(self, claim: Claim) -> None:
        await self.booking_pass.settle(claim.kind, claim.key)

    async def _import_places(self, claim: Claim) -> None:
        await self.places_pass.import_places()

    async def _keep_subscription(self, claim: Claim) -> None:
        if claim.key == "all":
            await self.subscription_pass.settle_all()
        else:
            await self.subscription_pass.keep(BookableId(int(claim.key)))

    def note_parked(self, kind: str, key: str, error: str) -> None:
        """Tell people of a key that was given up."""
        self.office.ledger.open_case(f"{kind}:{key}", Note("key_parked", {"error": error}, actor="engine"))
