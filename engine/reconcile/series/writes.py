"""
Writes about a whole series: what is decided, kept and carried out when one event stands for many loans.

A series booked in the app is one event in the requester's mailbox, a loan per date. While its event is being written,
its loans wait: their links are *led* by the series. Afterwards each date is a booking like any other, and what still
differs is written for that date alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from engine.ids import Address, BookableId, EventId, ICalUid, LoanNumber, fold_address
from engine.interval import Interval
from engine.loans.loan import Loan, TextLevel
from engine.loans.recurrence import Recurrence, begin_on, days_of, expand
from engine.reconcile.actions import Note
from engine.reconcile.views import Face
from engine.rooms.calendar import PLAIN, EventFields, RoomCalendar
from engine.rooms.event import EventCopy, Mailbox
from engine.rooms.room import RoomBook

LED = "led"
"""The state of a link whose event is written together with its series."""


class SeriesWriteKind(StrEnum):
    CREATE = "create"
    CHANGE = "change"
    """Of the master: every date gets other hours or rooms."""
    END = "end"
    """The series ends before a day, or is deleted."""


@dataclass(frozen=True, slots=True)
class LedDate:
    """A date whose event is to come with its series: the day the pattern puts it on, and its loan as it is now."""

    day: date
    generation: int
    loan: Loan


@dataclass(frozen=True, slots=True)
class SeriesDate:
    """A date as it is written: what both sides agree on once the series is there."""

    number: LoanNumber
    generation: int
    version: int
    """The loan's when it was decided."""
    day: date
    interval: Interval
    requester: Address
    rooms: frozenset[BookableId]


@dataclass(frozen=True, slots=True)
class SeriesDraft:
    """What a write about a series says: frozen when it was decided, so that a retry sends exactly this."""

    recurrence: Recurrence | None = None
    """Create: how it repeats. Change: its new hours; None leaves them alone."""
    subject: str = ""
    body: str = ""
    rooms: tuple[Mailbox, ...] = ()
    """Create: its rooms. Change: those to add."""
    dates: tuple[SeriesDate, ...] = ()
    left_out: tuple[date, ...] = ()
    """Days of the pattern that are taken out of the series before any room is asked."""
    others: Mapping[date, tuple[Mailbox, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """The rooms of the dates that have others than the series."""
    private: bool = False
    fields: EventFields = PLAIN
    marker: str = ""
    drop_rooms: tuple[Address, ...] = ()
    last: date | None = None
    """End: the last day that stays; None: nothing does."""
    stays: tuple[LoanNumber, LoanNumber] | None = None
    """End: the first and the last loan that stay, which its title names; None where the title is not ours."""
    successor: int | None = None
    """End: the series that goes on instead, once this one has ended."""

    @property
    def is_plain(self) -> bool:
        """Whether every date of the pattern is there, in the same rooms: one request does it."""
        return not self.left_out and not self.others


@dataclass(frozen=True, slots=True)
class SeriesWrite:
    """A write about a series that was decided and is not known to be done."""

    id: int
    series_id: int
    kind: SeriesWriteKind
    mailbox: str
    event_id: EventId | None
    draft: SeriesDraft
    uid: ICalUid | None = None
    """The series', when it has an event."""
    zone: str = ""
    """In which the series' days are counted."""
    is_begun: bool = False
    """Whether a request of it may have been sent: what the series shows since may be our own doing."""


@dataclass(frozen=True, slots=True)
class AppSeriesState:
    """Everything a pass over a series is made from."""

    id: int
    recurrence: Recurrence | None
    dates: tuple[LedDate, ...]
    """Those that wait for the series' event."""
    writes: tuple[SeriesWrite, ...]
    must_wait: bool = False
    """Whether the series it goes on from has not ended yet."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A series of which no room has said anything on any date: a room that declines it whole shows nothing of it."""

    mailbox: str
    event_id: EventId
    dates: tuple[SeriesDate, ...]


@dataclass(frozen=True, slots=True)
class CreatePlan:
    """How to make the event of a series: which dates it gets, and which go their own way."""

    recurrence: Recurrence
    rooms: frozenset[BookableId]
    dates: tuple[LedDate, ...]
    left_out: tuple[date, ...]
    alone: tuple[LedDate, ...]
    """Dates that the series cannot stand for: ended, moved or handed over before it was there."""


def plan_create(recurrence: Recurrence, dates: Sequence[LedDate]) -> CreatePlan | None:
    """
    Say how the event of a series is made; None when no series is worth making.

    The rooms most dates have are the series' own. The range is no wider than the dates: what is left out at its ends
    was never in it.
    """
    pattern = dict(expand(recurrence))
    fitting = [each for each in dates if _fits(each, pattern)]
    if not fitting:
        return None
    requester = Counter(_requester(each) for each in fitting).most_common(1)[0][0]
    kept = tuple(sorted((each for each in fitting if _requester(each) == requester), key=lambda each: each.day))
    if len(kept) < 2:
        return None
    narrowed = _narrow(recurrence, kept[0].day, kept[-1].day)
    days = {each.day for each in kept}
    numbers = {each.loan.number for each in kept}
    return CreatePlan(
        recurrence=narrowed,
        rooms=Counter(_rooms(each) for each in kept).most_common(1)[0][0],
        dates=kept,
        left_out=tuple(day for day in days_of(narrowed) if day not in days),
        alone=tuple(each for each in dates if each.loan.number not in numbers),
    )


def _fits(each: LedDate, pattern: Mapping[date, Interval]) -> bool:
    loan = each.loan
    return loan.blocks and bool(loan.rooms) and pattern.get(each.day) == loan.interval


def _narrow(recurrence: Recurrence, first: date, last: date) -> Recurrence:
    begun = begin_on(recurrence, first) if first != recurrence.first else recurrence
    *_, end = days_of(begun)
    return begun if end == last else replace(begun, until=last, count=None)


def _rooms(each: LedDate) -> frozenset[BookableId]:
    return frozenset(item.id for item in each.loan.rooms)


def _requester(each: LedDate) -> Address:
    return fold_address(each.loan.requester.address)


def freeze_dates(plan: CreatePlan) -> tuple[SeriesDate, ...]:
    """Return the dates of *plan* as they are written."""
    return tuple(
        SeriesDate(
            each.loan.number,
            each.generation,
            each.loan.version,
            each.day,
            each.loan.interval,
            _requester(each),
            _rooms(each),
        )
        for each in plan.dates
    )


@dataclass(frozen=True, slots=True)
class SeriesEvent:
    """A new event for a series. Without `invites` its rooms are named, and not asked yet."""

    subject: str
    body_html: str
    recurrence: Recurrence
    rooms: tuple[Mailbox, ...]
    invites: bool
    transaction_id: str
    loan_ref: str
    private: bool = False
    fields: EventFields = PLAIN


@dataclass(frozen=True, slots=True)
class SeriesPatch:
    """What to change of a whole series: its hours on the same days, and its rooms."""

    recurrence: Recurrence | None = None
    attendees: tuple[Mailbox, ...] = ()
    drop_rooms: tuple[Address, ...] = ()


class SeriesCalendar(RoomCalendar, Protocol):
    """What the engine asks of the calendar side about whole series, beside the rest."""

    async def create_series(self, mailbox: str, event: SeriesEvent) -> EventCopy:
        """Create the series in *mailbox*, as `create_event` does, and return its master."""
        ...

    async def change_series(self, mailbox: str, master: EventCopy, patch: SeriesPatch) -> EventCopy:
        """Change every date of a series, as `change_event` does."""
        ...

    async def end_series(
        self, mailbox: str, event_id: EventId, last: date, stays: tuple[LoanNumber, LoanNumber] | None
    ) -> None:
        """
        Let a series have no date after *last*, and our title name the loans that *stays* says.

        One that ends by then stays as it is. Raises Stale and Unmatched.
        """
        ...


class SeriesLedger(Protocol):
    """What the passes over series remember. Each method is one transaction."""

    def load(self, series_id: int) -> AppSeriesState | None:
        """Return a series made in the app; None when there is none of that id."""
        ...

    def draw(self, count: int) -> str:
        """Return a name nobody else has: *count* bytes of chance, as hexadecimal digits."""
        ...

    def save_create(self, series_id: int, plan: CreatePlan, mailbox: str, draft: SeriesDraft) -> SeriesWrite:
        """Keep a write before its first request; the dates that go their own way are let go."""
        ...

    def awaits_its_rooms(self, state: AppSeriesState) -> bool:
        """Tell whether it is too early to ask the rooms of a series, since they still show the one it goes on from; it
        is looked at again then, for half a minute at most."""
        ...

    def release(self, series_id: int) -> None:
        """Let the dates of a series go their own way: no series is made of them."""
        ...

    def text_level(self, loan: Loan) -> TextLevel: ...

    def withhold(self, state: AppSeriesState, seconds: float) -> None:
        """Look at a series again after *seconds*, and now at its loans, which tell what the mode holds back."""
        ...

    def redirect(self, write: SeriesWrite, mailbox: str, note: Note) -> SeriesWrite:
        """Send a create to another mailbox."""
        ...

    def finish_create(self, write: SeriesWrite, master: EventCopy) -> None:
        """Tie each date to its loan: what was sent is what both agree on now."""
        ...

    def load_faces(self, write: SeriesWrite) -> Mapping[date, Face]:
        """Return what Outlook showed of each date when both sides agreed last."""
        ...

    def has_cancelled_the_rest(self, write: SeriesWrite) -> bool:
        """Tell whether the desk has cancelled every date that stays when *write* ends the others."""
        ...

    def was_shown_without(self, write: SeriesWrite) -> bool:
        """Tell whether a room has dropped the dates that *write* ends, and only later, if at all, those that stay."""
        ...

    def begin(self, write: SeriesWrite) -> None:
        """Remember that the write is being sent."""
        ...

    def room_book(self) -> RoomBook: ...

    def find_unanswered(self, series_id: int) -> Unanswered | None:
        """Return the dates of a series when none of their rooms has answered yet; None as soon as one has."""
        ...

    def refuse(self, series_id: int, unanswered: Unanswered) -> None:
        """Refuse all dates of a series that its rooms declined as a whole, and have it deleted."""
        ...

    def finish_change(self, write: SeriesWrite, master: EventCopy) -> None:
        """Remember for each date that what was sent is what both agree on now."""
        ...

    def finish_end(self, write: SeriesWrite) -> None:
        """Forget the write, and let the series begin that goes on."""
        ...

    def give_back(self, write: SeriesWrite, note: Note | None) -> None:
        """Have each date changed or ended by itself instead; a case says why where *note* does."""
        ...

    def fail(self, write: SeriesWrite, note: Note) -> None:
        """Give a create up for good: a case says why."""
        ...
