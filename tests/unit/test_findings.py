"""Which rooms suit a wish."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from engine.ids import Address, BookableId, LoanNumber, StoreId
from engine.interval import Interval
from engine.loans.loan import ItemKind
from engine.loans.openings import find_openings
from engine.loans.register import Availability, Busy
from engine.rooms.room import Room, RoomState
from engine.web.pages.occupancy.findings import Findings, find_rooms

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)
WISH = Interval(TEN, TEN + timedelta(hours=1))
STORE = StoreId(1)


def room(number: int, seats: int | None, *tags: str, features: tuple[str, ...] = ()) -> Room:
    address = Address(f"room-{number}@example.org")
    return Room(
        BookableId(number), address, f"dir-{number}", f"Room {number}", RoomState.ACTIVE, STORE,
        capacity=seats, tags=tags, features=features,
    )  # fmt: skip


def find(rooms: list[Room], *taken: tuple[int, int, int], people: int = 0, features: tuple[str, ...] = ()) -> Findings:
    """Find among *rooms*; *taken* are a room's number and from when to when it is taken, in minutes from ten."""
    known = []
    for each in rooms:
        busy = tuple(
            Busy(each.id, Interval(TEN + timedelta(minutes=start), TEN + timedelta(minutes=end)), LoanNumber(1))
            for number, start, end in taken
            if number == each.id
        )
        known.append(Availability(ItemKind.ROOM, each.id, each.name, each.capacity, not busy, busy, STORE))
    openings = find_openings(WISH, known, now=TEN - timedelta(days=1), zone=UTC)
    return find_rooms(openings, {each.id: each for each in rooms}, people=people, features=features)


def names(found: Findings) -> list[str]:
    return [one.room.name for one in found.free]


class TestTheOrder:
    def test_the_smallest_that_seats_everybody_comes_first_and_unknown_sizes_last(self) -> None:
        found = find([room(1, 60), room(2, 8), room(3, None), room(4, 12)], people=7)

        assert names(found) == ["Room 2", "Room 4", "Room 1", "Room 3"]
        assert found.free[-1].is_seats_unknown

    def test_rooms_too_small_are_counted_and_left_out(self) -> None:
        found = find([room(1, 4), room(2, 8), room(3, None)], people=7)

        assert names(found) == ["Room 2", "Room 3"]
        assert found.too_small == 1

    def test_a_room_with_everything_comes_before_one_that_lacks_something(self) -> None:
        """Equipment counts whether it is a tag or a feature, and whatever its case."""
        rooms = [room(1, 8), room(2, 30, "Projector"), room(3, 40, "stage", features=("projector",))]

        found = find(rooms, people=5, features=("projector", "stage"))

        assert [(one.room.name, one.without) for one in found.free] == [
            ("Room 3", ()),
            ("Room 2", ("stage",)),
            ("Room 1", ("projector", "stage")),
        ]
        assert [one.is_best for one in found.free] == [True, False, False]


class TestNearby:
    def test_a_room_that_is_free_a_quarter_later_is_offered_then(self) -> None:
        found = find([room(1, 8), room(2, 8)], (1, -60, 15), (2, -60, 120))

        assert found.free == ()
        assert [one.room.name for one in found.nearby] == ["Room 1"]
        assert [shift.start for shift in found.nearby[0].opening.shifts] == [
            TEN + timedelta(minutes=15),
            TEN + timedelta(minutes=30),
        ]

    def test_a_room_that_is_free_at_the_time_itself_is_not_told_twice(self) -> None:
        found = find([room(1, 8)])

        assert names(found) == ["Room 1"]
        assert found.nearby == ()
