"""The pass over `own:<address>`: somebody's own loans of things, in their own calendar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from datetime import datetime
from typing import Protocol

from engine.errors import CredentialsRevoked, MailboxClosed, Unmatched
from engine.ids import EventId, LoanNumber
from engine.loans.loan import Loan
from engine.reconcile.own_calendar import (
    Entry,
    KnownEntry,
    OwnCalendar,
    OwnCalendarState,
    belongs_there,
    entry_of,
    plan_entries,
)
from engine.rooms.calendar import EventDraft, EventFields, EventPatch, RoomCalendar

SHOWN = EventFields(show_as="free")
"""A thing on loan takes nobody's time."""


class OwnCalendarScene(Protocol):
    """What one pass looks at."""

    @property
    def calendar(self) -> OwnCalendar: ...

    @property
    def loans(self) -> Sequence[Loan]: ...

    @property
    def known(self) -> Sequence[KnownEntry]: ...

    @property
    def now(self) -> datetime: ...


class OwnCalendarLedger(Protocol):
    """What is remembered of own calendars. *folded*: the address of their owner."""

    def load_scene(self, folded: str) -> OwnCalendarScene | None:
        """Return what there is to look at; None when nobody is connected there."""
        ...

    def begin_entry(self, folded: str, number: LoanNumber) -> int:
        """Note that an event is about to be made; return its generation."""
        ...

    def save_entry(self, folded: str, event_id: EventId, told: Entry) -> None: ...

    def drop_entry(self, folded: str, number: LoanNumber) -> None: ...

    def note_broken(self, address: str, detail: str) -> None: ...

    def forget(self, address: str) -> None: ...


OpenCalendar = Callable[[OwnCalendar], AbstractAsyncContextManager[RoomCalendar]]
"""Opens somebody's own calendar, with their own permission."""


class OwnCalendarPass:
    """
    Makes one person's calendar agree with their loans.

    Args:
        ledger: what is remembered.
        open_calendar: opens the calendar of whoever connected it.
        instance: the name of this database, for the markers of creations.
        link_base: where loans are opened, asked for in each pass.
    """

    def __init__(
        self, ledger: OwnCalendarLedger, open_calendar: OpenCalendar, *, instance: str, link_base: Callable[[], str]
    ) -> None:
        self._ledger = ledger
        self._open = open_calendar
        self._instance = instance
        self._link_base = link_base

    async def settle(self, folded: str) -> None:
        """Create, change and remove what has to be. A refused token is noted for its owner and is nobody else's
        trouble; a disconnected calendar is forgotten once it is empty, or cannot be reached any more."""
        scene = self._ledger.load_scene(folded)
        if scene is None or scene.calendar.state is OwnCalendarState.BROKEN:
            return
        wanted = [entry_of(loan, self._link_base()) for loan in scene.loans if belongs_there(loan)]
        plan = plan_entries(wanted, scene.known, state=scene.calendar.state, now=scene.now)
        leaves = scene.calendar.state is OwnCalendarState.LEAVING
        try:
            async with self._open(scene.calendar) as calendar:
                mailbox = scene.calendar.account
                for entry in plan.create:
                    await self._create(calendar, mailbox, folded, entry)
                for known, entry in plan.change:
                    await self._change(calendar, mailbox, folded, known, entry)
                for known in plan.remove:
                    await self._remove(calendar, mailbox, folded, known)
        except (CredentialsRevoked, MailboxClosed) as error:
            if not leaves:
                self._ledger.note_broken(scene.calendar.address, str(error))
                return
        if leaves:
            self._ledger.forget(scene.calendar.address)

    def _marker(self, number: LoanNumber, generation: int) -> str:
        """Return what a creation carries: repeated, it gives the first event back, and it can be looked for."""
        return f"accord-{self._instance}-p{number}-g{generation}"

    async def _create(self, calendar: RoomCalendar, mailbox: str, folded: str, entry: Entry) -> None:
        generation = self._ledger.begin_entry(folded, entry.number)
        marker = self._marker(entry.number, generation)
        draft = EventDraft(entry.subject, entry.body, entry.interval, (), marker, marker, fields=SHOWN)
        made = await calendar.create_event(mailbox, draft)
        self._ledger.save_entry(folded, made.event_id, entry)

    async def _change(self, calendar: RoomCalendar, mailbox: str, folded: str, known: KnownEntry, entry: Entry) -> None:
        """Write what differs. An entry that its owner deleted stays deleted."""
        assert known.event_id is not None, "only what is there is changed"
        there, told = await calendar.fetch_event(mailbox, known.event_id), known.told
        if there is not None:
            patch = EventPatch(
                interval=entry.interval if told is None or told.interval != entry.interval else None,
                subject=entry.subject if told is None or told.subject != entry.subject else None,
                body_html=entry.body if told is None or told.body != entry.body else None,
            )
            with suppress(Unmatched):  # deleted between reading and writing
                await calendar.change_event(mailbox, there, patch)
        self._ledger.save_entry(folded, known.event_id, entry)

    async def _remove(self, calendar: RoomCalendar, mailbox: str, folded: str, known: KnownEntry) -> None:
        event_id = known.event_id
        if event_id is None:  # its creation may have been carried out although nobody heard of it
            there = await calendar.find_marked_event(mailbox, self._marker(known.number, known.generation))
            event_id = there.event_id if there is not None else None
        if event_id is not None:
            await calendar.delete_event(mailbox, event_id)
        self._ledger.drop_entry(folded, known.number)
