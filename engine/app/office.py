"""The office: the engine without a network. Commands use it whether the service runs or not."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from engine.app.connection import connection_of
from engine.app.destinations import destination_check
from engine.app.entries import Entries
from engine.app.feeds import Feeds
from engine.app.rules import Rules
from engine.app.status_report import describe, describe_subscriptions, list_unknown_names
from engine.app.tokens import TokenDrawer
from engine.calendars.invitation import Party
from engine.database.access.once import OnceStore
from engine.database.access.overrides import Overrides
from engine.database.access.tokens import TokenStore
from engine.database.backfill.book import BackfillDesk
from engine.database.calendars.feeds import FeedStore
from engine.database.calendars.invitations import MailPreferences
from engine.database.calendars.own import OwnCalendarStore
from engine.database.calendars.sealing import Sealer
from engine.database.inbox.notifications import Inbox
from engine.database.inbox.subscriptions import SubscriptionStore
from engine.database.loans.desk import Desk, DeskOptions
from engine.database.migrations import migrate
from engine.database.outbox.messages import Outbox
from engine.database.outbox.webhooks import WebhookStore
from engine.database.people.anonymise import Retention
from engine.database.people.outsiders import load_outsiders
from engine.database.people.personal import Personal
from engine.database.people.search import People
from engine.database.reports.status import StatusBoard
from engine.database.reports.why import WhyDesk
from engine.database.rooms.book import RoomCache
from engine.database.rooms.directory import RoomDirectory
from engine.database.series.desk import SeriesDesk
from engine.database.series.ledger import AppSeriesLedger
from engine.database.settling.settlements import Settlements
from engine.database.sql.connection import Database
from engine.database.sql.marks import Priority
from engine.database.sql.transaction import Transaction
from engine.database.stores.inventory import Inventory
from engine.database.sync.comparisons import ComparisonStore
from engine.database.sync.ledger import SyncLedger
from engine.database.sync.reached import mark_reached
from engine.database.work.jobs import save_job
from engine.database.work.queue import WorkQueue
from engine.errors import Refused, Stale
from engine.ids import Address
from engine.reconcile.actions import Note
from engine.reconcile.contacts import Column, ContactReport, ContactView, Outsider
from engine.reconcile.gathering import GatherRule
from engine.reconcile.names import UnknownName, fold
from engine.rooms.calendar import Certificate
from engine.settings import Settings
from engine.worker.contacts import ContactWish

log = logging.getLogger(__name__)

EXPORT_JOB = "export_contacts"

if TYPE_CHECKING:
    from engine.app.mail import Mailing


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
        self.desk = Desk(self.database, self._desk_options, on_rules=self.cache.change)
        self.series = SeriesDesk(self.database, self.desk, self.cache, self._desk_options)
        self.inventory = Inventory(self.database, on_change=self.cache.change)
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
        self.database.before_writing.append(self._keep_rules_at_hand)
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

    def _keep_rules_at_hand(self) -> None:
        """Read rooms, stores and settings if they have become old: what others are told of a change is written in the
        transaction that makes it, where nothing is read again."""
        self.rules.sync()

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

    def mark_comparisons(self, *, spread_seconds: float = 0.0) -> int:
        """
        Mark every room that is followed to be compared with all that we hold of it; returns how many.

        One that another process excluded a moment ago may be among them: its pass finds that out.
        """
        rooms = [room.id for room in self.cache.book().rooms if room.is_synced]
        return self.comparisons.mark_rooms(rooms, spread_seconds=spread_seconds)

    def mark_reached(self) -> int:
        """Have bookings looked at that were too far ahead for the view, and are not any more; return how many."""
        return mark_reached(self.database, self.rules.sync().view.dates)

    def list_subscriptions(self) -> Sequence[Mapping[str, object]]:
        """Return one mapping per followed room, ready to be shown."""
        return describe_subscriptions(self)

    def read_status(self) -> Mapping[str, object]:
        """Return what `status` and `GET /api/status` show: what is stale, what waits, what failed, since when."""
        return describe(self)

    def unknown_names(self) -> Sequence[UnknownName]:
        """Return the names in the settings that no store, room or tag has; none while no room is known at all."""
        return list_unknown_names(self)

    def warn_of_names(self) -> str | None:
        """Log the names in the settings that nothing has; returns what was logged."""
        texts = [each.text for each in self.unknown_names()]
        for text in texts:
            log.warning(text)
        return "; ".join(texts) or None


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
