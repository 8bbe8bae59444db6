"""
A small building for the tests of the deciding floor: three rooms, four people, five times of day.

Everything is made of the engine's own values; each maker takes what a test wants to say and fills in the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import chain, combinations
from typing import Any, TypeVar

from engine.errors import Clash
from engine.ids import Address, BookableId, EventId, ICalUid, LoanNumber, StoreId
from engine.interval import Interval
from engine.loans.loan import Home, ItemKind, Loan, LoanItem, Requester
from engine.loans.status import ItemState, LoanStatus
from engine.reconcile.actions import Situation
from engine.reconcile.validate import PeopleRule
from engine.reconcile.views import Base, Face, MeetingView, Presence, RoomCopy
from engine.rooms.event import Answer, Attendee, EventCopy, EventType, Mailbox
from engine.rooms.room import Room, RoomBook, RoomState

T = TypeVar("T")

NOW = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)


def hours(start: float, end: float) -> Interval:
    """The stretch from one hour to another of the day on which the tests happen."""
    midnight = datetime(2026, 11, 23, tzinfo=UTC)
    return Interval(midnight + timedelta(hours=start), midnight + timedelta(hours=end))


MORNING, NOON, AFTERNOON, EVENING = hours(9, 10), hours(12, 13), hours(15, 16), hours(18, 19)
YESTERDAY = hours(-15, -14)

ONE, TWO, THREE, FOUR = BookableId(1), BookableId(2), BookableId(3), BookableId(4)
PROJECTOR = BookableId(9)

ANNA, BOB, CARA = Address("anna@example.org"), Address("bob@example.org"), Address("cara@example.org")
GUEST = Address("guest@elsewhere.net")
DESK = Requester(Address("desk@example.org"), "Loan desk")
NAMES = {ANNA: "Anna", BOB: "Bob", CARA: "Cara", GUEST: "Guest"}

OURS = PeopleRule(frozenset({"example.org"}))
OURS_AND_DESK = PeopleRule(frozenset({"example.org"}), DESK)


def powerset(items: Iterable[T]) -> Iterator[frozenset[T]]:
    """Every choice of *items*, the empty one first."""
    known = tuple(items)
    return (frozenset(chosen) for chosen in chain.from_iterable(combinations(known, n) for n in range(len(known) + 1)))


# --- rooms


def room_address(room: int) -> Address:
    return Address(f"room-{room}@example.org")


def make_room(room: BookableId, *, state: RoomState = RoomState.ACTIVE, aliases: tuple[str, ...] = ()) -> Room:
    return Room(
        id=room,
        address=room_address(room),
        directory_id=f"guid-{room}",
        name=f"Room {room}",
        state=state,
        store_id=StoreId(1),
        aliases=tuple(Address(alias) for alias in aliases),
    )


BOOK = RoomBook(tuple(make_room(room) for room in (ONE, TWO, THREE, FOUR)))

# --- copies


def invite(room: BookableId, answer: Answer = Answer.NONE, *, type: str = "resource") -> Attendee:
    return Attendee(room_address(room), f"Room {room}", type, answer)


def person(address: Address) -> Mailbox:
    return Mailbox(address, NAMES.get(address, ""))


def make_event(**fields: Any) -> EventCopy:
    """One copy of Anna's meeting in the morning, unless *fields* says otherwise."""
    wanted = {
        "event_id": EventId("event"),
        "etag": "W/1",
        "ical_uid": ICalUid("uid-1"),
        "type": EventType.SINGLE,
        "organizer": person(ANNA),
        "interval": MORNING,
    } | fields
    return EventCopy(**wanted)


def make_copy(room: BookableId, *, answer: Answer = Answer.ACCEPTED, **fields: Any) -> RoomCopy:
    """A room's copy; what it says of its own life (`live`, `gone`, `doubt`) follows from the answer unless given."""
    life = {name: fields.pop(name) for name in ("gone", "doubt", "listed") if name in fields}
    ended = bool(life.get("gone")) or answer is Answer.DECLINED or bool(fields.get("is_cancelled"))
    live = fields.pop("live", not ended)
    event = make_event(event_id=EventId(f"event-{room}"), answer=answer, **fields)
    return RoomCopy(room_id=room, event=event, interval=event.interval, live=live, **life)


# --- views


def make_meeting(
    *,
    interval: Interval | None = MORNING,
    organizer: Address | None = ANNA,
    answers: Mapping[BookableId, ItemState] | Iterable[BookableId] = (ONE,),
    presence: Presence = Presence.LIVE,
    **fields: Any,
) -> MeetingView:
    """A meeting; rooms named without an answer have accepted."""
    given = answers if isinstance(answers, Mapping) else dict.fromkeys(answers, ItemState.ACCEPTED)
    who = person(organizer) if organizer is not None else None
    return MeetingView(presence, ICalUid("uid-1"), interval=interval, organizer=who, answers=dict(given), **fields)


GONE = MeetingView(Presence.GONE)


def make_loan(
    *,
    home: Home = Home.OUTLOOK,
    status: LoanStatus = LoanStatus.NEW,
    interval: Interval = MORNING,
    requester: Address = ANNA,
    rooms: Mapping[BookableId, ItemState] | Iterable[BookableId] = (ONE,),
    assets: Iterable[BookableId] = (),
    **fields: Any,
) -> Loan:
    """A loan; rooms named without a state are accepted."""
    given = rooms if isinstance(rooms, Mapping) else dict.fromkeys(rooms, ItemState.ACCEPTED)
    items = [room_item(room, state) for room, state in sorted(given.items())]
    items += [LoanItem(ItemKind.ASSET, asset, f"Asset {asset}", ItemState.ACCEPTED) for asset in assets]
    return Loan(
        number=LoanNumber(4711),
        status=status,
        home=home,
        requester=Requester(requester, fields.pop("name", NAMES.get(requester, str(requester)))),
        interval=interval,
        items=tuple(items),
        store_id=StoreId(1),
        store="Main desk",
        version=1,
        **fields,
    )


def room_item(room: BookableId, state: ItemState) -> LoanItem:
    return LoanItem(ItemKind.ROOM, room, f"Room {room}", state, room_address(room))


def make_face(interval: Interval = MORNING, requester: Address = ANNA, rooms: Iterable[BookableId] = (ONE,)) -> Face:
    return Face(interval, requester, frozenset(rooms))


def make_base(interval: Interval = MORNING, requester: Address = ANNA, rooms: Iterable[BookableId] = (ONE,)) -> Base:
    """A base on which both faces say the same."""
    face = make_face(interval, requester, rooms)
    return Base(face, face)


def clash(item: BookableId, by: int | None = 77, interval: Interval = MORNING) -> Clash:
    return Clash(item, f"Room {item}", interval.start, interval.end, by)


def clashing(items: Iterable[BookableId]) -> dict[BookableId, Clash]:
    return {item: clash(item) for item in items}


def situation(
    meeting: MeetingView | None = None, loan: Loan | None = None, base: Base | None = None, **fields: Any
) -> Situation:
    wanted = {"people": OURS_AND_DESK, "now": NOW} | fields
    return Situation(meeting=meeting if meeting is not None else make_meeting(), loan=loan, base=base, **wanted)
