"""What the passes remember: asked by `worker/`, implemented by `database/`. Each method is one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from engine.errors import Clash
from engine.ids import Address, BookableId, EventId, ICalUid, LoanNumber
from engine.interval import Interval
from engine.loans.loan import Loan, TextLevel
from engine.loans.rules import RuleBreach
from engine.loans.status import WITHDRAWN_STATUSES
from engine.reconcile.actions import Note, Plan
from engine.reconcile.answers import DUE_NOW
from engine.reconcile.brake import BrakeRule
from engine.reconcile.field_map import FieldMap, View
from engine.reconcile.freeing import Readiness
from engine.reconcile.markers import Marker
from engine.reconcile.views import Base, RoomCopy
from engine.rooms.calendar import PLAIN, ChangesPage, EventFields
from engine.rooms.event import EventCopy, Mailbox
from engine.rooms.room import Room, RoomBook


class IntentKind(StrEnum):
    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Draft:
    """What a write says: frozen when it was decided, so that a retry sends exactly this."""

    interval: Interval | None = None
    subject: str | None = None
    body: str | None = None
    rooms: tuple[Mailbox, ...] = ()
    """Create: all rooms. Change: the rooms to add."""
    drop_rooms: tuple[Address, ...] = ()
    """Change: every address of the rooms to take out."""
    private: bool | None = None
    """Whether to mark the event as private; None leaves it as it is."""
    fields: EventFields | None = None
    """Create: all there is beside. Change: what differs; None leaves them as they are."""
    marker: str = ""
    """Create: what the event will carry, see `markers.py`."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A write to Outlook that was decided and is not known to be done."""

    id: int
    kind: IntentKind
    loan_number: LoanNumber
    generation: int
    mailbox: str
    event_id: EventId | None
    etag: str | None
    draft: Draft
    base: Base | None
    told: str
    """The code of the line that the history gets once it is done (`told.py`); "": it has it already."""
    ical_uid: ICalUid | None = None
    loan_version: int = 0
    """The version of the loan by which it was decided."""
    unsent_since: datetime | None = None
    """Since when a create that may have to wait for its rooms has not been sent; None: it may have been."""


@dataclass(frozen=True, slots=True)
class Link:
    """Loan <-> meeting, of the newest generation."""

    generation: int
    state: str
    """`pending`, `led`, `linked`, `ended` (by us), `left` (by Outlook)."""
    base: Base | None
    ical_uid: ICalUid | None
    mailbox: str | None
    event_id: EventId | None
    etag: str | None
    written_at: datetime | None
    asked_at: datetime | None
    checked_at: datetime | None
    hold: str | None = None
    """A cancellation that the brake stopped: `held`, then `confirmed` or `rejected` by a person."""
    refused: bool = False
    """Of a pending one: Outlook refused its event, or the one before it."""
    freed: bool = False
    """Its organizer could not be told of its end: its rooms were freed one by one, those that had it by then."""

    @property
    def is_check_due(self) -> bool:
        """Whether the organizer's copy is to be read at the next look, whatever the rooms' copies say."""
        return self.checked_at == DUE_NOW


@dataclass(frozen=True, slots=True)
class Series:
    """The series a date belongs to, and what its dates share of the organizer's copy: read once for all of them."""

    id: int
    uid: ICalUid
    key: ICalUid
    """What names the date, see `rooms.series.day_key`."""
    zone: str
    """The zone its days are counted in; "" when nobody knows it."""
    version: int
    """Counts what became known of it: what was read at a lower version is out of date."""
    is_read: bool = False
    """Whether the organizer's master was read at this very version; what follows is what it said."""
    mailbox: str | None = None
    event_id: EventId | None = None
    """The organizer's master; None: it was not found, or may not be read."""
    title: str = ""
    private: bool = False
    web_link: str | None = None
    key_now: ICalUid | None = None
    """What would name the date where its room shows it now: in a zone nobody knows that is another instant than `key`
    once the whole series was moved. None in any other zone."""


@dataclass(frozen=True, slots=True)
class UnsettledSeries:
    """A series in one room's calendar of which a date is in doubt."""

    master_id: EventId
    is_master_unknown: bool
    """Whether the master itself must be read."""
    full_dates: tuple[EventId, ...]
    """The dates in doubt that had come in full: without a master they may stand alone."""


@dataclass(frozen=True, slots=True)
class Booking:
    """Everything we hold about one booking: the loan, the link with its base, the rooms' copies, open intents."""

    kind: str
    """`loan` or `meeting`: which key it was loaded by."""
    key: str
    loan: Loan | None
    link: Link | None
    copies: tuple[RoomCopy, ...]
    intents: tuple[Intent, ...] = ()
    seen_at: datetime | None = None
    series: Series | None = None
    """The series it is a date of."""
    withdrawn: LoanNumber | None = None
    """The loan it was, when that has ended here and a room shows the date of a series again: an echo, or its organizer
    has brought it back."""
    former: Loan | None = None
    """The loan it was, when that has let go of it: of what it lent beside rooms nobody but we know."""

    @property
    def has_ended(self) -> bool:
        """Whether the loan was withdrawn and its event has ended: what tells of that end stays true at a later look."""
        loan, link = self.loan, self.link
        return loan is not None and loan.status in WITHDRAWN_STATUSES and link is not None and link.state == "ended"

    @property
    def leaves_a_room_behind(self) -> bool:
        """Whether a room shows an ended meeting whose rooms were freed one by one: it had not taken it by then, or
        nobody knew of it. What ended in its organizer's calendar every room hears of by itself."""
        if self.link is None or not (self.has_ended and self.link.freed):
            return False
        return any(copy.live and not copy.doubt and copy.event.series_master_id is None for copy in self.copies)


@dataclass(frozen=True, slots=True)
class Writing:
    """What the writes of a plan need beside the plan, gathered by the pass."""

    mailbox: str | None = None
    """Where a new event goes."""
    event_id: EventId | None = None
    etag: str | None = None
    ical_uid: ICalUid | None = None
    organizer_mailbox: str | None = None
    web_link: str | None = None
    subject: str = ""
    body: str = ""
    fields: EventFields = PLAIN
    checked: bool = False
    """Whether the organizer's copy was read in this pass."""
    unshown: bool = False
    """Whether only the organizer's copy tells the yes of a room, so that the room itself is to be asked."""
    unsettled: bool = False
    """Whether how long whole days last depends on a room that has not answered, and may be out of the loan."""
    ahead: bool = False
    """Whether a room has not heard yet of what the organizer's copy says."""
    shown: Draft = Draft()
    """The times and rooms the organizer's copy had then; kept with its deletion, to tell what is done to it later.
    Where it was not read, the rooms that were agreed on: without its organizer each is asked to let go of it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Where the reading of one room's calendar stands."""

    room: Room
    delta_link: str | None
    next_link: str | None
    window: Interval | None
    number: int
    contacted_at: datetime | None
    signalled_at: datetime | None = None
    """When the last notification for it came."""
    unconfirmed_before: datetime | None = None
    """Notifications brought events of it that no reading has shown: a round of changes that began then must show them.
    None: there are none, or the round began before."""

    def shows(self, interval: Interval) -> bool:
        """Tell whether what the room has on *interval* is read: at once, or when it is read anew by another address."""
        return self.window.overlaps(interval) if self.window is not None else self.contacted_at is not None


@dataclass(frozen=True, slots=True)
class PageSaved:
    """What a page brought: copies that changed, and bookings marked for a look. With the last page of a reading, the
    series of the room of which a date is in doubt."""

    changed: int
    marked: int
    unsettled: tuple[UnsettledSeries, ...] = ()


@dataclass(frozen=True, slots=True)
class SyncRules:
    """Settings the ledger and the passes share; may change while running."""

    domains: frozenset[str] = frozenset()
    default_user: Address | None = None
    default_store: str = "Main desk"
    text_level: TextLevel = TextLevel.FULL
    import_existing: bool = False
    """Whether meetings found at first contact become loans by themselves."""
    series_dates_max: int = 500
    """How many dates to come of one series become loans, in one room."""
    fields: FieldMap = field(default_factory=FieldMap)
    view: View = field(default_factory=View)
    mode: str = "two_way"
    brake: BrakeRule = field(default_factory=BrakeRule)
    link_base: str = ""
    """Where people open a loan: `<link_base>/loans/<number>`."""
    aliases: Mapping[str, str] = field(default_factory=dict)


class Ledger(Protocol):
    def room_book(self) -> RoomBook: ...

    def catch_up_with_rooms(self) -> None:
        """
        Let the next room book be of rooms as they are now, whoever has changed them.

        A pass begins with such a book; what it reads later may tell of a room that was imported since.
        """
        ...

    def name_of(self, item_id: BookableId) -> str:
        """Return what people call a room or a thing; "#N" for one that is not there."""
        ...

    def times_of(self, copy: EventCopy, rooms: Iterable[BookableId]) -> Interval | None:
        """Return the times of an event as instants; whole days last from the first midnight to the last of *rooms*."""

    # --- rooms

    def load_reading(self, room_id: BookableId) -> Reading | None:
        """Return where the reading of a room stands; None for an unknown or excluded room."""
        ...

    def begin_reading(self, room_id: BookableId, window: Interval) -> Reading | None:
        """Begin to read the whole *window* anew; None for a room that is not followed (any more)."""
        ...

    def save_page(
        self, reading: Reading, page: ChangesPage, *, whole: bool, import_existing: bool, priority: int
    ) -> PageSaved:
        """Save a page with its link in one transaction, and mark every booking it touches.

        *whole*: the page belongs to a reading of the whole window; with its last page, copies that the reading
        did not show are put in doubt (never tombstoned: absence is not evidence).
        """
        ...

    def save_dates(self, room_id: BookableId, master_id: EventId, copies: Sequence[EventCopy]) -> None:
        """Save what asking for the dates of a series gave; those in doubt that are not among *copies* are gone."""
        ...

    def suspend_room(self, room_id: BookableId, reason: str) -> bool:
        """Stop asking a room whose mailbox refuses us, until it is tried again; tell whether that was not done yet."""
        ...

    def resume_room(self, room_id: BookableId) -> None:
        """Take up a room again that could be read, if it was suspended."""
        ...

    # --- bookings

    def load_booking(self, kind: str, key: str) -> Booking | None:
        """Return the booking of a key; None when nothing is known (any more), or when another key took it over."""
        ...

    def save_copy(
        self, room_id: BookableId, event_id: EventId, copy: EventCopy | None, *, seen_at: datetime | None
    ) -> None:
        """
        Save what asking a room for a copy gave.

        Args:
            room_id: the room.
            event_id: the copy's.
            copy: the copy, or None: it is gone for good.
            seen_at: when the copy was last heard of before it was asked for, None when it never was. What the room
                told since is newer, however late the answer came: then nothing is saved.
        """
        ...

    def load_series(self, key: str) -> Series | None:
        """Return the series whose date *key* names."""
        ...

    def save_series(self, series: Series, mailbox: str, copy: EventCopy | None) -> None:
        """Keep what all dates of a series share: *copy* is the organizer's master, None when it is not to be had.

        Where *copy* carries the marker of a series of ours that is being made, it is that series from then on.
        """
        ...

    def is_own_series_under_way(self, key: str) -> bool:
        """Tell whether the date *key* names is of a series of ours, of whose creation the answer is not known yet."""
        ...

    def series_rank(self, booking: Booking) -> int:
        """Return the how-manieth date to come of its series a booking is, in the room that shows it: 1 for the next."""
        ...

    def clashes(
        self, items: Sequence[BookableId], interval: Interval, *, apart_from: LoanNumber | None
    ) -> Mapping[BookableId, Clash]:
        """Return what holds each of *items* on the rounded interval, that loan apart."""
        ...

    def told_clash(self, key: str, interval: Interval) -> Clash | None:
        """Return what the history of a meeting that is no loan named last as in its way, where it still is."""
        ...

    def breaches(self, rooms: Sequence[BookableId], interval: Interval) -> tuple[RuleBreach, ...]: ...

    def store_text_level(self, loan: Loan) -> TextLevel: ...

    def save_plan(self, booking: Booking, plan: Plan, writing: Writing) -> tuple[Intent, ...]:
        """Carry out the first step of a plan. Raises Stale (the loan changed since), Occupied (a room was taken)."""
        ...

    def adopt(self, booking: Booking, marker: Marker, copy: EventCopy) -> bool:
        """Tie a meeting found in Outlook to the loan whose marker it carries; False when no such creation is open."""
        ...

    def find_outdated(self, marker: Marker) -> Link | None:
        """Return what a loan is tied to, when we know only an earlier event of it than the marker's, since a backup of
        the store was restored; None otherwise."""
        ...

    def tie_successor(self, marker: Marker, copy: EventCopy) -> bool:
        """Tie such a loan to its later event. False when it is none any more."""
        ...

    def seconds_until_heard(self, booking: Booking) -> float:
        """
        Return how long to wait before the end of a loan's own event is believed; 0: not any more.

        Right after the start what rooms show may be news to a store that was restored, and the event have another in
        its place: until then they are read, and what they brought is looked at.
        """
        ...

    def is_own_create_under_way(self, mailbox: str, interval: Interval) -> bool:
        """Tell whether an event of ours for that mailbox and time may just be arriving."""
        ...

    # --- writes

    def finish_intent(self, intent: Intent, copy: EventCopy | None, *, told: str | None = None) -> None:
        """Remember that a write is done, and tell it: the base both agree on is what we sent.

        *told*: the code to tell it by when it was done otherwise than decided.
        """
        ...

    def note_freeing(self, intent: Intent) -> None:
        """Remember, before any room is asked, that those of an event are freed one by one: one that shows it later
        has to be freed then."""
        ...

    def prepare_create(self, intent: Intent) -> Readiness:
        """
        Say what becomes of a create, and remember that it goes out before it does.

        One that waits, or is overtaken and so forgotten, leaves its loan to be looked at again.
        """
        ...

    def drop_intent(self, intent: Intent, *, told: str | None = None) -> None:
        """Forget a write that was overtaken; the booking is looked at again. *told*: what the history says of it."""
        ...

    def redirect_intent(self, intent: Intent, mailbox: str, note: Note) -> Intent | None:
        """Send a create to another mailbox; None: it is over, since its event was seen in the first one meanwhile."""
        ...

    def fail_intent(self, intent: Intent, note: Note) -> None:
        """Give a write up for good: a case says why. For a booking born in Outlook the loan returns to the base."""
        ...

    def refuse_edit(self, booking: Booking, note: Note, *, look_again_seconds: float | None) -> None:
        """Let the loan return to what both sides agreed on last; a case says why its edit went nowhere. In so many
        seconds it is looked at again for what it waits for besides."""
        ...

    def note_conflict(self, booking: Booking, note: Note) -> None:
        """Open a case for a value that lost, which a person must settle."""
        ...

    def open_case(self, subject: str, note: Note) -> None: ...

    def close_case(self, subject: str, code: str) -> None: ...
