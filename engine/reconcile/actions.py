"""What a plan is made from and made of: plain values, carried out elsewhere (`worker/`, `database/sync/settle.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from types import MappingProxyType

from engine.errors import Clash
from engine.ids import BookableId, LoanNumber
from engine.interval import Interval
from engine.loans.loan import Home, Loan, Requester
from engine.loans.rules import RuleBreach
from engine.loans.status import ItemState, LoanAction
from engine.reconcile.dates import ANY_DATE, Dates
from engine.reconcile.field_map import TitleView
from engine.reconcile.validate import PeopleRule
from engine.reconcile.views import Base, MeetingView


@dataclass(frozen=True, slots=True)
class Note:
    """A decision to remember: its reason code, and the values of its text."""

    code: str
    facts: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    actor: str = "outlook"
    room_id: BookableId | None = None


@dataclass(frozen=True, slots=True)
class NewLoan:
    """A loan to be made of a meeting (H40-H44)."""

    requester: Requester
    interval: Interval
    rooms: Mapping[BookableId, ItemState]
    title: str
    private: bool
    series: int | None = None
    """The series it is a date of."""
    things: frozenset[BookableId] = frozenset()
    """What is lent beside the rooms."""


@dataclass(frozen=True, slots=True)
class LoanEdit:
    """What to change in a loan; None and absent leave things alone."""

    interval: Interval | None = None
    requester: Requester | None = None
    states: Mapping[BookableId, ItemState] = field(default_factory=lambda: MappingProxyType({}))
    """New states of items; rooms not yet in the loan join it."""
    action: LoanAction | None = None
    title: str | None = None
    private: bool | None = None
    home: Home | None = None

    @property
    def is_empty(self) -> bool:
        return self == LoanEdit()

    @property
    def asks_anew(self) -> bool:
        """Whether rooms are asked what they were not asked before, for other times or as part of the loan: how long an
        answer was waited for until now says nothing of theirs."""
        return self.interval is not None or ItemState.REQUESTED in self.states.values()


@dataclass(frozen=True, slots=True)
class CreateEvent:
    """Create the loan's event, as the next generation."""


@dataclass(frozen=True, slots=True)
class ChangeEvent:
    """Change the organizer's copy: only what is named."""

    interval: Interval | None = None
    add_rooms: frozenset[BookableId] = frozenset()
    drop_rooms: frozenset[BookableId] = frozenset()
    text: bool = False
    """Whether title and body are to follow the loan (only of events that are ours)."""


@dataclass(frozen=True, slots=True)
class DeleteEvent:
    """Delete the organizer's copy; where that is not permitted, decline on the rooms' behalf."""


OutlookWrite = CreateEvent | ChangeEvent | DeleteEvent


@dataclass(frozen=True, slots=True)
class Plan:
    """What one pass does. `cases` is the whole set that stands now: others of this booking close by themselves."""

    loan: NewLoan | LoanEdit | None = None
    writes: tuple[OutlookWrite, ...] = ()
    base: Base | None = None
    """The base once the loan's side is saved; None leaves it as it is."""
    base_after: Base | None = None
    """The base once the writes are done."""
    notes: tuple[Note, ...] = ()
    cases: tuple[Note, ...] = ()
    conflicts: tuple[Note, ...] = ()
    """Losers' values: each becomes a case that a person must settle."""
    end_link: bool = False
    lets_go: bool = False
    """Whether the meeting goes on without us when the link ends: nothing of ours ended it, it may have a room again."""
    look_again_seconds: float | None = None

    @property
    def asks_anew(self) -> bool:
        """Whether the loan follows its event to where rooms are asked anew."""
        return isinstance(self.loan, LoanEdit) and self.loan.asks_anew

    @property
    def is_rest(self) -> bool:
        return self.loan is None and not self.writes and not self.conflicts and not self.end_link

    def looks_again_within(self, seconds: float) -> Plan:
        """Return this plan with its next look in *seconds*, or earlier where it was to look earlier."""
        return replace(self, look_again_seconds=min(seconds, self.look_again_seconds or seconds))


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything one plan is made from."""

    meeting: MeetingView
    loan: Loan | None
    base: Base | None
    people: PeopleRule
    now: datetime
    clashes: Mapping[BookableId, Clash] = field(default_factory=lambda: MappingProxyType({}))
    """What holds each item on the rounded interval of the meeting, this booking apart."""
    clashes_here: Mapping[BookableId, Clash] | None = None
    """The same on the loan's own interval, where the two differ; None: it was not asked."""
    told: Clash | None = None
    """What the history of a meeting that is no loan named last as in its way, where it still is."""
    breaches: tuple[RuleBreach, ...] = ()
    seen_at: datetime | None = None
    """When the meeting was first seen."""
    in_view: bool = True
    """Whether loans like this one get an event at all (`View`); one that has its event keeps it."""
    dates: Dates = ANY_DATE
    """From when until when bookings come over, from either side."""
    title: TitleView | None = None
    """What the event says of the title, where that comes back to a loan of the app."""
    text_differs: bool = False
    """Whether the body we wrote no longer says what the loan says."""
    listed: bool = False
    """Whether the meeting was there before us and has not changed since."""
    series: int | None = None
    """The series the meeting is a date of, and the day the pattern put it on."""
    day: date | None = None
    former: LoanNumber | None = None
    """The loan this date was before it was cancelled, when its organizer has brought it back."""
    left: Loan | None = None
    """The loan this meeting was before Outlook ended that: the meeting holds a room again."""
    dates_max: int | None = None
    """How many dates of one series become loans, where this one comes after them."""
    is_kept: bool = False
    """Whether a person rejected its cancellation: it lives on, whatever became of its meeting."""
    may_write: bool = True
    """False in the mode `read_only`. What `shadow` makes of a plan: `reconcile.shadow`."""
