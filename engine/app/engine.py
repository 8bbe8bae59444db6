"""The engine: an office with the calendar side, the passes and the loop that runs them."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from engine.app.office import Office
from engine.database.calendars.own import KEY as OWN_CALENDAR
from engine.database.rooms.directory import ImportReport
from engine.database.sql.marks import Priority
from engine.database.work.queue import Claim
from engine.errors import MailboxClosed
from engine.ids import BookableId
from engine.outbox.message import KEY as OUTBOX
from engine.outbox.message import Sender
from engine.reconcile.contacts import CONTACTS, ContactBook
from engine.reconcile.series.writes import SeriesCalendar
from engine.subscriptions.plan import Delivery, Endpoint
from engine.worker.backfill import BackfillPass
from engine.worker.bookings import BookingPass
from engine.worker.compare import ComparePass
from engine.worker.contacts import ContactsPass
from engine.worker.locks import Holding, Locks
from engine.worker.loop import Loop, Watcher
from engine.worker.outbox import OutboxPass
from engine.worker.own_calendars import OpenCalendar, OwnCalendarPass
from engine.worker.places import PlacesPass
from engine.worker.rooms import RoomPass, WindowRule
from engine.worker.series_writes import SeriesPass
from engine.worker.subscriptions import SubscriptionPass

log = logging.getLogger(__name__)


class Engine:
    """An office with the calendar side: the passes and the loop that runs them."""

    def __init__(
        self,
        office: Office,
        calendar: SeriesCalendar,
        *,
        endpoint: Endpoint,
        watcher: Watcher,
        poll_seconds: float = 0.1,
        senders: Mapping[str, Sender] | None = None,
        locks: Holding | None = None,
        contacts: ContactBook | None = None,
        open_own_calendar: OpenCalendar | None = None,
    ) -> None:
        """*locks*: keep one writer per mailbox among all processes that write; None: there is no other."""
        locks, window = locks or Locks(), _window_of(office)
        self.office = office
        self.calendar = calendar
        self.contacts = contacts
        self._watcher = watcher
        self._noticed: tuple[datetime, datetime] | None = None
        """When the last room was read for a notification, and when that notification had come."""
        self.room_pass = RoomPass(
            office.ledger, calendar, window=window, import_existing=office.rules.import_existing, now=office.now
        )
        self.booking_pass = _build_booking_pass(office, calendar, window, locks)
        self.series_pass = SeriesPass(
            office.series_ledger,
            calendar,
            instance=office.instance,
            rules=office.rules.sync,
            now=office.now,
            locks=locks,
        )
        self.places_pass = _build_places_pass(office, calendar)
        self.subscription_pass = _build_subscription_pass(office, calendar, endpoint)
        self.compare_pass = _build_compare_pass(office, self.room_pass, self.booking_pass)
        self.backfill_pass = BackfillPass(office.backfills, calendar)
        self.own_calendar_pass = _build_own_calendar_pass(office, open_own_calendar)
        self.contacts_pass = _build_contacts_pass(office, contacts)
        self.outbox_pass = OutboxPass(office.outbox, senders or {})
        self.loop = self._build_loop(poll_seconds)

    def _build_loop(self, poll_seconds: float) -> Loop[Claim]:
        office = self.office
        return Loop(
            office.queue,
            self._handlers(),
            slots=office.settings.sync.workers,
            now=office.now,
            watcher=self._watcher,
            poll_seconds=poll_seconds,
            lease_seconds=office.settings.sync.lease_seconds,
            ticks=office.ticks,
            before_passes=office.cache.catch_up,
        )

    def _handlers(self) -> Mapping[str, Callable[[Claim], Awaitable[None]]]:
        return {
            "room": self._read_room,
            "loan": self._settle,
            "meeting": self._settle,
            "places": self._import_places,
            "subscription": self._keep_subscription,
            "backfill": self._advance_backfill,
            "compare": self._compare,
            "case": self._settle_case,
            "series": self._write_series,
            OUTBOX: self._deliver,
            CONTACTS[0]: self._export_contacts,
            OWN_CALENDAR: self._settle_own_calendar,
        }

    async def _read_room(self, claim: Claim) -> None:
        began_at = self.office.now()
        signalled_at = None
        with suppress(MailboxClosed):  # it is suspended, which a case tells: the clock has it tried again
            signalled_at = await self.room_pass.read(BookableId(int(claim.key)), priority=int(claim.priority))
        is_noticed = signalled_at is not None and signalled_at >= claim.marked_at
        self._noticed = (began_at, claim.marked_at) if is_noticed else None

    async def _settle(self, claim: Claim) -> None:
        await self.booking_pass.settle(claim.kind, claim.key)
        if claim.kind == "loan" and self.own_calendar_pass is not None:
            self.office.own_calendars.mark_for(int(claim.key))
        if self._noticed is not None and claim.priority is Priority.LIVE and claim.marked_at >= self._noticed[0]:
            self._watcher.settled((self.office.now() - self._noticed[1]).total_seconds())

    async def _compare(self, claim: Claim) -> None:
        with suppress(MailboxClosed):
            await self.compare_pass.compare(BookableId(int(claim.key)), priority=int(claim.priority))

    async def _write_series(self, claim: Claim) -> None:
        await self.series_pass.settle(int(claim.key))

    async def _advance_backfill(self, claim: Claim) -> None:
        await self.backfill_pass.advance(int(claim.key))

    async def _settle_own_calendar(self, claim: Claim) -> None:
        if self.own_calendar_pass is not None:
            await self.own_calendar_pass.settle(claim.key)

    async def _export_contacts(self, claim: Claim) -> None:
        if self.contacts_pass is not None:
            office = self.office
            office.note_export(await self.contacts_pass.export(tell=office.note_export))

    async def _deliver(self, claim: Claim) -> None:
        await self.outbox_pass.deliver(claim.key)

    async def _import_places(self, claim: Claim) -> None:
        await self.places_pass.import_places()

    async def _keep_subscription(self, claim: Claim) -> None:
        if claim.key == "all":
            await self.subscription_pass.settle_all()
        else:
            await self.subscription_pass.keep(BookableId(int(claim.key)))

    async def _settle_case(self, claim: Claim) -> None:
        self.office.cases.settle_by_policy(int(claim.key))


# --- the passes, as the settings want them


def _window_of(office: Office) -> WindowRule:
    settings = office.settings
    back = max(settings.sync.history_days, settings.view.days_back)
    return WindowRule(timedelta(days=back), lambda: office.rules.horizon)


def _build_booking_pass(office: Office, calendar: SeriesCalendar, window: WindowRule, locks: Holding) -> BookingPass:
    return BookingPass(
        office.ledger,
        calendar,
        instance=office.instance,
        rules=office.rules.sync,
        answer_timeout=timedelta(minutes=office.settings.sync.answer_timeout_minutes),
        window=lambda: window.reach(office.now()),
        now=office.now,
        locks=locks,
    )


def _build_places_pass(office: Office, calendar: SeriesCalendar) -> PlacesPass[ImportReport]:
    return PlacesPass(
        calendar,
        office.rooms,
        ignored_tags=lambda: office.rules.ignored_tags,
        default_store=lambda: office.rules.default_store,
    )


def _build_subscription_pass(office: Office, calendar: SeriesCalendar, endpoint: Endpoint) -> SubscriptionPass:
    return SubscriptionPass(
        calendar,
        office.subscriptions,
        office.rooms,
        addresses=endpoint,
        delivery=Delivery(office.settings.sync.delivery),
        now=office.now,
        certificate=office.certificate,
    )


def _build_compare_pass(office: Office, rooms: RoomPass, bookings: BookingPass) -> ComparePass:
    return ComparePass(
        office.ledger,
        office.comparisons,
        rooms,
        bookings,
        checks=office.settings.sync.compare_reads_per_room,
        tells=office.settings.sync.delivery == "push",
        now=office.now,
    )


def _build_own_calendar_pass(office: Office, open_calendar: OpenCalendar | None) -> OwnCalendarPass | None:
    """Return the pass over people's own calendars; None where nobody is offered any."""
    if open_calendar is None:
        return None
    return OwnCalendarPass(
        office.own_calendars,
        open_calendar,
        instance=office.instance,
        link_base=lambda: office.rules.link_base,
    )


def _build_contacts_pass(office: Office, contacts: ContactBook | None) -> ContactsPass | None:
    """Return the pass that exports contacts; None without a calendar side that keeps any."""
    if contacts is None:
        return None
    return ContactsPass(contacts, outsiders=office.outsiders, wish=office.contact_wish)
