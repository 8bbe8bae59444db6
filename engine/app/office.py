"""The office: the engine without a network. Commands use it whether the service runs or not."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from engine.app.connection import connection_of
from engine.app.destinations import destination_check
from engine.app.entries import Entries
from engine.app.feeds import Feeds
from engine.calendars.invitation import Party
from engine.database.anonymise import Retention
from engine.database.backfills import BackfillDesk
from engine.database.comparisons import Comparison, ComparisonStore
from engine.database.connection import Database, Transaction
from engine.database.desk import Desk, DeskOptions
from engine.database.directory import RoomDirectory
from engine.database.feeds import FeedStore
from engine.database.inventory import Inventory
from engine.database.invitations import MailPreferences
from engine.database.jobs import save_job
from engine.database.ledger import SyncLedger
from engine.database.marks import Priority
from engine.database.migrations import migrate
from engine.database.notifications import Inbox
from engine.database.once import OnceStore
from engine.database.outbox import Outbox
from engine.database.outsiders import load_outsiders
from engine.database.overrides import WAKE_SECONDS, Overrides
from engine.database.own_calendars import OwnCalendarStore
from engine.database.people import People
from engine.database.personal import Personal
from engine.database.queue import WorkQueue
from engine.database.reached import mark_reached
from engine.database.roombook import RoomCache
from engine.database.sealing import Sealer
from engine.database.series_desk import SeriesDesk
from engine.database.series_ledger import AppSeriesLedger
from engine.database.settlements import Settlements
from engine.database.status import StatusBoard, render_health
from engine.database.subscriptions import SubscriptionStore
from engine.database.tokens import TokenIdentity, TokenStore
from engine.database.webhooks import WebhookStore
from engine.database.why import WhyDesk
from engine.errors import NotFound, Refused, Stale
from engine.ids import Address, BookableId, domain_of, fold_address
from engine.loans.loan import TextLevel
from engine.loans.status import LoanStatus
from engine.reconcile.actions import Note
from engine.reconcile.brake import BrakeRule
from engine.reconcile.contacts import Column, ContactReport, ContactView, Outsider
from engine.reconcile.dates import Dates
from engine.reconcile.field_map import View
from engine.reconcile.gathering import GatherRule
from engine.reconcile.ledger import SyncRules
from engine.reconcile.names import UnknownName, find_unknown, fold
from engine.rooms.calendar import Certificate
from engine.rooms.connection import Expiry, expiry_of
from engine.settings import Settings
from engine.worker.contacts import ContactWish
from engine.worker.rooms import WINDOW_MARGIN

log = logging.getLogger(__name__)

EXPORT_JOB = "export_contacts"

if TYPE_CHECKING:
    from engine.app.mail import Mailing

RULES_SECONDS = 0.9 * WAKE_SECONDS
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
        is_old = self._read_at is None or self._now() - self._read_at > timedelta(seconds=RULES_SECONDS)
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


class TokenDrawer:
    """Tokens by their names, as people speak of them."""

    def __init__(self, store: TokenStore) -> None:
        self._store = store

    def create(self, name: str, role: str) -> str:
        """Make a token and return its plain text, for the only time. Raises Invalid when the name is taken."""
        return self._store.create(name, role)

    def authenticate(self, token: str) -> TokenIdentity | None:
        """Return whose token this is; None for an unknown or revoked one."""
        return self._store.authenticate(token)

    def list_tokens(self) -> Sequence[Mapping[str, object]]:
        """Return every token, without its secret."""
        return [asdict(token) for token in self._store.list_tokens()]

    def revoke(self, name: str) -> None:
        """Make the live token of that name useless. Raises NotFound."""
        found = next(
            (token for token in self._store.list_tokens() if token.name == name and not token.revoked_at), None
        )
        if found is None:
            raise NotFound(f"there is no live token named {name!r}")
        self._store.revoke(found.id)


class Office:
    """Database, desk, rooms and queue: everything that needs no network."""

    def __init__(
        self,
        settings: Settings,
        *,
        now: Callable[[], datetime],
        database: Database | None = None,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self.now = now
        self.ticks = ticks
        self.database = database or open_database(settings, now)
        migrate(self.database)
        self.cache = RoomCache(self.database, time_zone=settings.rooms.time_zone, ticks=ticks)
        self.rooms = RoomDirectory(self.database, self.cache)
        self.overrides = Overrides(self.database)
        self.instance = self._instance()
        self.connection = connection_of(settings)
        self.rules = Rules(settings, self.overrides, self.cache, now)
        self.desk = Desk(self.database, self._desk_options, on_rules=self.cache.forget)
        self.series = SeriesDesk(self.database, self.desk, self.cache, self._desk_options)
        self.inventory = Inventory(self.database, on_change=self.cache.forget)
        self.cases = Settlements(self.database, self.desk)
        self.why = WhyDesk(self.database)
        self.tokens = TokenDrawer(TokenStore(self.database))
        self.status = StatusBoard(self.database)
        self.queue = WorkQueue(
            self.database, owner=f"engine-{self.database.draw(4)}", lease_seconds=settings.sync.lease_seconds
        )
        self.subscriptions = SubscriptionStore(self.database)
        self.outbox = Outbox(self.database)
        self.once = OnceStore(self.database)
        _ = self.rules.text_level  # within a transaction, only what was read before counts
        self.webhooks = WebhookStore(
            self.database,
            link=self.rules.link_to,
            text_level=lambda: self.rules.text_level,
            check_destination=destination_check(settings),
        )
        self.gather = _gather_rule(settings)
        self.inbox = Inbox(self.database, gather=self.gather, clock=now)
        self.certificate: Callable[[], Certificate] | None = None
        """Tells for what certificate notifications are to encrypt the event they bring; None: they bring none."""
        self.ledger = SyncLedger(self.database, self.cache, self.rules.sync, instance=self.instance)
        self.comparisons = ComparisonStore(self.database, self.ledger)
        self.series_ledger = AppSeriesLedger(self.database, self.cache, self.rules.sync)
        self.own_calendars = OwnCalendarStore(self.database, self._sealer, on_change=self._catch_up)
        self.backfills = BackfillDesk(self.database, self.cache, self.rules.sync, instance=self.instance)
        zone = settings.rooms.time_zone
        self.entries = Entries(self.cache, instance=self.instance, zone=zone, rules=self.rules.sync)
        self.mails = MailPreferences(self.database)
        self.people = People(self.database)
        self.personal = Personal(self.database)
        self.retention = Retention(self.database)
        self._mailing: Mailing | None = None
        if settings.mail.host:
            self._announce_by_mail(settings)
        self.feeds = Feeds(
            FeedStore(self.database),
            self.cache,
            entries=self.entries,
            rules=self.rules.sync,
            now=now,
        )

    def _sealer(self) -> Sealer:
        """Return what seals people's tokens. Those of the simulated tenant open nothing, so any key will do there."""
        key = self.settings.own_calendars.key
        if key is None and not self.settings.simulated:
            raise Refused("people's tokens cannot be kept: set ENGINE_OWN_CALENDARS__KEY")
        return Sealer(key.get_secret_value() if key is not None else f"simulated {self.instance}")

    def _desk_options(self) -> DeskOptions:
        return DeskOptions(
            default_store=self.rules.default_store,
            approval=self.settings.loans.approval,
            time_zone=self.settings.rooms.time_zone,
        )

    def _announce_by_mail(self, settings: Settings) -> None:
        from engine.app.mail import CHANNEL, Mailing  # brings what composes mails, which few commands need

        sender, language = Party(settings.mail.sender, settings.mail.sender_name), settings.mail.language
        self._mailing = Mailing(
            self.entries, rules=self.rules.sync, instance=self.instance, sender=sender, language=language
        )
        self.database.announcers[CHANNEL] = self._mailing

    def _catch_up(self, transaction: Transaction, address: str) -> None:
        """Have mailed entries taken out, or sent again, as somebody connects or leaves a calendar of their own."""
        if self._mailing is not None:
            self._mailing.catch_up(transaction, address)

    def _instance(self) -> str:
        """Return the name of this database, drawn once: our markers in Outlook carry it, so that a new database
        whose loans begin at 1 again never takes an old one's events for its own (P58)."""
        known = self.overrides.load_overrides().get("instance")
        if isinstance(known, str):
            return known
        name = self.database.draw(4)
        try:
            self.overrides.save_override("instance", name, "engine")
        except Stale:  # another process started at the same moment
            return self._instance()
        return name

    def enqueue(self, kind: str, key: str, *, priority: int = Priority.LIVE, delay: float = 0.0) -> None:
        """Mark a key: somebody shall look there."""
        with self.database.write() as transaction:
            transaction.mark(kind, key, priority=Priority(priority), delay=delay)

    def note_job(self, name: str, next_at: datetime | None, last_at: datetime | None, result: str | None) -> None:
        """Remember when a timed job runs next and, where told, what came of its last run."""
        told = {"next_at": next_at, "last_at": last_at, "last_result": result}
        with self.database.write() as transaction:
            save_job(transaction, name, {key: value for key, value in told.items() if value is not None})

    def contact_wish(self) -> ContactWish:
        """Return where requesters from outside are exported to."""
        wanted = self.settings.contacts
        return ContactWish(
            Address(wanted.mailbox), wanted.folder, frozenset(Column(column) for column in wanted.columns)
        )

    def outsiders(self) -> Sequence[Outsider]:
        """Return the requesters who are not of our domains, as far as contacts of them are wanted. Raises Refused while
        nobody knows these domains."""
        domains = self.rules.sync().domains
        if not domains:
            raise Refused("which domains are ours is not known: import the rooms first, or set loans.domains")
        wanted, now = self.settings.contacts, self.now()
        view = ContactView(frozenset(fold(name) for name in wanted.stores), wanted.kept_days)
        found = load_outsiders(self.database, domains, instance=self.instance)
        return [each for each in found if view.holds(each, now)]

    def note_export(self, report: ContactReport) -> None:
        """Remember what came of an export of contacts, or how far it is."""
        self.note_job(EXPORT_JOB, None, self.now(), report.text)

    def note_parked(self, kind: str, key: str, error: str) -> None:
        """Open a case for a key that was given up."""
        self.ledger.open_case(f"{kind}:{key}", Note("key_parked", {"error": error}, actor="engine"))

    def note_recovered(self, kind: str, key: str) -> None:
        """Close the case of a key that succeeds again."""
        self.ledger.close_case(f"{kind}:{key}", "key_parked")

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def __enter__(self) -> Office:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def list_subscriptions(self) -> Sequence[Mapping[str, object]]:
        """Return one mapping per followed room, ready to be shown."""
        found = self.comparisons.load_all()
        return [{**render_health(health), **_say_drift(found.get(health.room_id))} for health in self.status.rooms()]

    def mark_comparisons(self, *, spread_seconds: float = 0.0) -> int:
        """Mark every room that is followed to be compared with all that we hold of it; returns how many."""
        rooms = [room.id for room in self.cache.book().rooms if room.is_synced]
        return self.comparisons.mark_rooms(rooms, spread_seconds=spread_seconds)

    def mark_reached(self) -> int:
        """Have bookings looked at that were too far ahead for the view, and are not any more; return how many."""
        return mark_reached(self.database, self.rules.sync().view.dates)

    def unknown_names(self) -> Sequence[UnknownName]:
        """Return the names in the settings that no store, room or tag has; none while no room is known at all."""
        view, contacts, ignored = self.settings.view, self.settings.contacts, self.rules.ignored_tags
        rooms = self.cache.book().rooms
        if not rooms:
            return ()
        stores = [store.name for store in self.desk.list_stores()]
        found = [
            *find_unknown("view.rooms", view.rooms, (room.name for room in rooms)),
            *find_unknown("view.stores", view.stores, stores),
            *find_unknown("contacts.stores", contacts.stores, stores),
            *find_unknown("loans.default_store", [self.rules.default_store], stores),
        ]
        if ignored:  # one that no room has is no mistake by itself: it may be there for rooms to come
            tags = [tag for room in rooms for tag in room.tags]
            tags += [one.tag for one in self.status.last_import().left_out]
            found += find_unknown("rooms.ignored_tags", sorted(ignored), tags, only_with_near=True)
        return found

    def warn_of_names(self) -> str | None:
        """Log the names in the settings that nothing has; returns what was logged."""
        texts = [each.text for each in self.unknown_names()]
        for text in texts:
            log.warning(text)
        return "; ".join(texts) or None

    def total_drift(self) -> Mapping[str, int]:
        """Return what only nightly comparisons ever found, by the room's name; rooms without any are absent."""
        found = self.comparisons.load_all().items()
        totals = {self.cache.name_of(BookableId(room)): each.copies_total + each.bookings_total for room, each in found}
        return {name: total for name, total in totals.items() if total}

    def _say_outbox(self) -> dict[str, int]:
        """Return how many messages there are in each state, and how many receivers take none."""
        counts = {state.value: count for state, count in self.outbox.counts().items()}
        return {**counts, "receivers_failing": self.outbox.failing()}

    def read_status(self) -> Mapping[str, object]:
        """Return what `status` and `GET /api/status` show: what is stale, what waits, what failed, since when."""
        depth, health = self.queue.depth(), self.status.rooms()
        names = {room.room_id: room.name for room in health}
        parked = [key for key in self.queue.waiting(50) if key.parked_at is not None]
        return {
            "instance": self.instance,
            "mode": self.rules.sync().mode,
            "unknown_names": [each.text for each in self.unknown_names()],
            **_say_expiry(expiry_of(self.connection, self.now().date())),
            "delivery": self.settings.sync.delivery,
            "rooms": self.status.rooms_by_state(),
            "rooms_not_yet_read": [room.name for room in health if not room.contacted],
            "subscriptions": sum(room.subscribed for room in health),
            "deaf_subscriptions": [room.name for room in health if room.deaf],
            "queue": {
                "waiting": depth.waiting,
                "due": depth.due,
                "running": depth.running,
                "parked": depth.parked,
                "oldest_waiting_at": {name.name.lower(): at for name, at in depth.oldest_waiting_at.items()},
            },
            "parked": [
                {"key": f"{key.kind}:{key.key}", "since": key.parked_at, "error": key.last_error} for key in parked
            ],
            "loans": self.status.loans_by_status(),
            "open_cases": self.status.open_cases(),
            "drift": {
                names.get(room, str(room)): _say_drift(comparison)
                for room, comparison in self.comparisons.load_all().items()
                if comparison.copies or comparison.bookings
            },
            "meetings_from_before": self.status.listed_meetings(),
            "outbox": self._say_outbox(),
            "jobs": self.status.jobs(),
        }


def _say_expiry(found: Expiry | None) -> dict[str, object]:
    """Return how long secret or certificate still holds; nothing where that is unknown."""
    if found is None:
        return {}
    return {"credential": {"expires_on": found.on.isoformat(), "days_left": found.days, "warn": found.step is not None}}


def _say_drift(found: Comparison | None) -> dict[str, object]:
    """Return what the last nightly comparison of a room found."""
    if found is None:
        return {"compared_at": None, "drift_copies": 0, "drift_bookings": 0}
    return {"compared_at": found.compared_at, "drift_copies": found.copies, "drift_bookings": found.bookings}


def _gather_rule(settings: Settings) -> GatherRule:
    sync = settings.sync
    return GatherRule(
        timedelta(milliseconds=sync.gather_milliseconds), timedelta(milliseconds=sync.answer_milliseconds)
    )


def open_database(settings: Settings, now: Callable[[], datetime]) -> Database:
    """Open the database of *settings*. Several machines share PostgreSQL, so there its clock counts."""
    url = settings.database.url
    clock = now if url.startswith("sqlite") else None
    return Database(url, clock=clock, durability=settings.database.durability)
