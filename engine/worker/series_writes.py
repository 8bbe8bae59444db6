"""The pass over a series made in the app: one event for all its dates, safe to repeat after a crash at any point.

Where dates are left out or have other rooms, the event is made without asking any room, then cut into shape, and the
rooms are asked last: a room that is taken on one date would else decline the whole series (exchange: the attendant's
limits for series with conflicts are zero by default). Every step looks first whether it is done already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from engine.errors import MailboxClosed, Malformed, Refused, Stale, Unmatched
from engine.ids import EventId, fold_address
from engine.interval import Interval
from engine.loans.recurrence import Recurrence, times_on
from engine.reconcile.actions import Note
from engine.reconcile.field_map import map_fields
from engine.reconcile.ledger import SyncRules
from engine.reconcile.markers import make_series_marker
from engine.reconcile.series.writes import (
    AppSeriesState,
    CreatePlan,
    SeriesCalendar,
    SeriesDraft,
    SeriesEvent,
    SeriesLedger,
    SeriesPatch,
    SeriesWrite,
    SeriesWriteKind,
    freeze_dates,
    plan_create,
)
from engine.reconcile.shadow import WITHHELD_SECONDS
from engine.reconcile.telling.preview import mailbox_for
from engine.reconcile.telling.texts import render_body, render_series_subject
from engine.reconcile.told import tell_unmade
from engine.reconcile.views import Face
from engine.rooms.calendar import EventPatch
from engine.rooms.event import Answer, EventCopy, Mailbox
from engine.rooms.series import original_start
from engine.worker.locks import Holding

ONE_DAY = timedelta(days=1)


class SeriesPass:
    """Writes the events of whole series."""

    def __init__(
        self,
        ledger: SeriesLedger,
        calendar: SeriesCalendar,
        *,
        instance: str,
        rules: Callable[[], SyncRules],
        now: Callable[[], datetime],
        locks: Holding,
    ) -> None:
        self._ledger = ledger
        self._calendar = calendar
        self._instance = instance
        self._rules = rules
        self._now = now
        self._locks = locks

    async def settle(self, series_id: int) -> None:
        """Write what a series still needs to be written as a whole."""
        state = self._ledger.load(series_id)
        if state is None or state.must_wait:
            return
        if not (state.writes or state.dates):
            await self._hear(series_id)
            return
        if self._rules().mode != "two_way":
            self._ledger.withhold(state, WITHHELD_SECONDS)
            return
        if self._ledger.awaits_its_rooms(state):
            return
        for write in state.writes or self._decide(state):
            async with self._locks.holding(fold_address(write.mailbox)):
                match write.kind:
                    case SeriesWriteKind.CREATE:
                        await self._create(write)
                    case SeriesWriteKind.CHANGE:
                        await self._change(write)
                    case SeriesWriteKind.END:
                        await self._end(write)

    async def _hear(self, series_id: int) -> None:
        """Ask the organizer's copy once when no room says anything: a series declined whole is refused whole."""
        silent = self._ledger.find_unanswered(series_id)
        if silent is None or self._rules().mode != "two_way":
            return
        try:
            master = await self._calendar.fetch_event(silent.mailbox, silent.event_id)
        except (MailboxClosed, Refused, Malformed):
            return  # each date is looked at by itself
        if master is not None and master.attendees and all(each.answer is Answer.DECLINED for each in master.attendees):
            self._ledger.refuse(series_id, silent)

    # --- decide

    def _decide(self, state: AppSeriesState) -> tuple[SeriesWrite, ...]:
        plan = plan_create(state.recurrence, state.dates) if state.recurrence is not None else None
        if plan is None or not self._is_in_view(plan):
            self._ledger.release(state.id)
            return ()
        mailbox = mailbox_for(plan.dates[0].loan.requester.address, self._rules())
        return (self._ledger.save_create(state.id, plan, mailbox, self._draft(state.id, plan)),)

    def _is_in_view(self, plan: CreatePlan) -> bool:
        """Tell whether the series is written: by its first date, and then as a whole."""
        view, first = self._rules().view, plan.dates[0].loan
        return view.holds(first) and view.dates.outside(first.interval, self._now()) is None

    def _draft(self, series_id: int, plan: CreatePlan) -> SeriesDraft:
        first = next(each.loan for each in plan.dates if frozenset(item.id for item in each.loan.rooms) == plan.rooms)
        level, rules, book = self._ledger.text_level(first), self._rules(), self._ledger.room_book()
        numbers = [each.loan.number for each in plan.dates]
        dates = freeze_dates(plan)
        return SeriesDraft(
            recurrence=plan.recurrence,
            subject=render_series_subject(first, min(numbers), max(numbers), level, rules.fields),
            body=render_body(first, level, f"{rules.link_base}/series/{series_id}", rules.fields),
            fields=map_fields(rules.fields, first, level),
            rooms=book.mailboxes_of(plan.rooms),
            dates=dates,
            left_out=plan.left_out,
            others=MappingProxyType(
                {each.day: book.mailboxes_of(each.rooms) for each in dates if each.rooms != plan.rooms}
            ),
            private=first.private,
            marker=make_series_marker(self._instance, series_id, self._ledger.draw(4)),
        )

    # --- create

    async def _create(self, write: SeriesWrite) -> None:
        try:
            master = await self._calendar.create_series(write.mailbox, _event(write.draft))
            if not write.draft.is_plain:
                master = await self._shape(write, master)
        except (MailboxClosed, Unmatched, Refused, Malformed) as error:
            await self._create_elsewhere(write, error)
            return
        self._ledger.finish_create(write, master)

    async def _create_elsewhere(self, write: SeriesWrite, error: Exception) -> None:
        """Use the default user's mailbox for somebody who has none; else give up and say so."""
        default = self._rules().default_user
        if default is None or fold_address(default) == fold_address(write.mailbox):
            self._ledger.fail(write, tell_unmade(error, default))
            return
        note = Note("default_mailbox_used", {"mailbox": write.mailbox}, actor="engine")
        await self._create(self._ledger.redirect(write, default, note))

    async def _shape(self, write: SeriesWrite, master: EventCopy) -> EventCopy:
        """Take dates out of the new series, give others their own rooms, then ask the rooms of the series."""
        draft = write.draft
        if _invites(master, draft.rooms):
            return master  # a pass before this one came as far as here
        dates = await self._dates(write, master.event_id) or {}
        for day in draft.left_out:
            if day in dates:
                await self._calendar.delete_event(write.mailbox, dates[day].event_id)
        for day, rooms in sorted(draft.others.items()):
            if day in dates and not _invites(dates[day], rooms):
                unversioned = replace(dates[day], etag="")  # all dates share a version, which each change counts up
                await self._calendar.change_event(write.mailbox, unversioned, EventPatch(attendees=rooms))
        now = await self._calendar.fetch_event(write.mailbox, master.event_id)
        if now is None:
            raise Unmatched("the series was deleted while it was being made")
        return await self._calendar.change_event(write.mailbox, now, EventPatch(attendees=draft.rooms))

    # --- change, end

    async def _change(self, write: SeriesWrite) -> None:
        """Change every date with one request; where somebody else just changed the series, date by date."""
        try:
            event_id = await self._find(write)
            master = await self._calendar.fetch_event(write.mailbox, event_id) if event_id is not None else None
            if master is None:
                self._ledger.give_back(write, None)
                return
            if not (write.is_begun and _says(master, write.draft)):
                if not self._leads(master, write) or not await self._is_as_agreed(write, master.event_id):
                    self._ledger.give_back(write, None)
                    return
                patch = SeriesPatch(write.draft.recurrence, write.draft.rooms, write.draft.drop_rooms)
                master = await self._calendar.change_series(write.mailbox, master, patch)
        except (Stale, Unmatched):
            self._ledger.give_back(write, None)
            return
        except (MailboxClosed, Refused, Malformed) as error:
            self._ledger.give_back(write, Note("write_refused", {"error": str(error)}, actor="engine"))
            return
        self._ledger.finish_change(write, master)

    async def _end(self, write: SeriesWrite) -> None:
        """End the series, or delete it. Gone is what was wanted, unless the dates are to go on as another series."""
        try:
            event_id = await self._find(write)
            if write.draft.successor is not None and not await self._is_as_agreed(write, event_id):
                self._ledger.give_back(write, None)
                return
            if event_id is not None and write.draft.last is not None:
                await self._calendar.end_series(write.mailbox, event_id, write.draft.last, write.draft.stays)
            elif event_id is not None:
                await self._calendar.delete_event(write.mailbox, event_id)
        except Unmatched:
            if write.draft.successor is not None and not self._has_ended(write, {}, None):
                self._ledger.give_back(write, None)  # somebody has cancelled it since it was looked at
                return
        except (MailboxClosed, Refused, Malformed) as error:
            self._ledger.give_back(write, Note("write_refused", {"error": str(error)}, actor="engine"))
            return
        self._ledger.finish_end(write)

    async def _is_as_agreed(self, write: SeriesWrite, event_id: EventId | None) -> bool:
        """
        Tell whether every date still is in Outlook what both sides agreed on; else each is compared by itself.

        Somebody may have moved or cancelled dates there a moment ago, or while an earlier try did not come through:
        that is merged, not overwritten.
        """
        faces = self._ledger.load_faces(write)
        shown = await self._dates(write, event_id) if event_id is not None else None
        if write.is_begun and write.kind is SeriesWriteKind.END and self._has_ended(write, faces, shown):
            return True
        if shown is None or not all(day in shown and self._shows(shown[day], face) for day, face in faces.items()):
            return False
        if not write.is_begun:
            self._ledger.begin(write)
        return True

    def _has_ended(
        self, write: SeriesWrite, faces: Mapping[date, Face], shown: Mapping[date, EventCopy] | None
    ) -> bool:
        """
        Tell whether an end that was tried has arrived: it takes all its dates at once, the series where none stays.

        A series that is gone although dates were to stay was cancelled by somebody. After our end, that took only the
        dates that stayed: a room has shown these without the others. Where none has, it may have been before, and
        holds. Where the desk has cancelled each of those that stayed, the series went with the last of them.
        """
        if shown is None:
            ledger, is_whole = self._ledger, write.draft.last is None
            return is_whole or ledger.has_cancelled_the_rest(write) or ledger.was_shown_without(write)
        return write.draft.last is not None and not faces.keys() & shown.keys()

    def _leads(self, master: EventCopy, write: SeriesWrite) -> bool:
        """Tell whether the dates have the rooms of their series: those that were given others one by one keep them."""
        if not write.draft.rooms and not write.draft.drop_rooms:
            return True
        rooms = self._ledger.room_book().numbers_of(attendee.address for attendee in master.attendees)
        return all(face.rooms == rooms for face in self._ledger.load_faces(write).values())

    def _shows(self, copy: EventCopy, face: Face) -> bool:
        rooms = self._ledger.room_book().numbers_of(attendee.address for attendee in copy.attendees)
        return copy.interval == face.interval and rooms == face.rooms

    async def _find(self, write: SeriesWrite) -> EventId | None:
        """Return the id of the organizer's master; None when it is gone."""
        if write.event_id is not None or write.uid is None:
            return write.event_id
        found = await self._calendar.find_event(write.mailbox, write.uid)
        return found.event_id if found is not None else None

    async def _dates(self, write: SeriesWrite, event_id: EventId) -> dict[date, EventCopy] | None:
        """Return the dates of the series by the day its pattern puts them on; None when the series is gone."""
        dates = write.draft.dates
        first, last = (datetime.combine(each.day, time(12), UTC) for each in (dates[0], dates[-1]))
        window = Interval(first - 2 * ONE_DAY, last + 2 * ONE_DAY)
        found = await self._calendar.fetch_dates(write.mailbox, event_id, window)
        if found is None:
            return None
        return {day: copy for copy in found if (day := _day(copy, write.zone)) is not None}


def _event(draft: SeriesDraft) -> SeriesEvent:
    return SeriesEvent(
        subject=draft.subject,
        body_html=draft.body,
        recurrence=_recurrence(draft),
        rooms=draft.rooms,
        invites=draft.is_plain,
        transaction_id=draft.marker,
        loan_ref=draft.marker,
        private=draft.private,
        fields=draft.fields,
    )


def _recurrence(draft: SeriesDraft) -> Recurrence:
    assert draft.recurrence is not None, "a create says how it repeats"
    return draft.recurrence


def _says(master: EventCopy, draft: SeriesDraft) -> bool:
    """Tell whether the series already is as *draft* wants it: a change whose answer was lost has arrived."""
    there = {fold_address(attendee.address) for attendee in master.attendees}
    if there & {fold_address(address) for address in draft.drop_rooms} or not _invites(master, draft.rooms):
        return False
    return draft.recurrence is None or master.interval == times_on(draft.recurrence, draft.recurrence.first)


def _day(copy: EventCopy, zone: str) -> date | None:
    start = original_start(copy)
    return start.astimezone(ZoneInfo(zone)).date() if start is not None else None


def _invites(copy: EventCopy, rooms: tuple[Mailbox, ...]) -> bool:
    there = {fold_address(attendee.address) for attendee in copy.attendees}
    return {fold_address(room.address) for room in rooms} <= there
