"""
A weekly series over a clock change, made and changed from either side, step by step: the loans after each step and the
requests it cost. `scripts/show-series` prints it, `bench --only series` gives the counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from engine.bench.report import Figure
from engine.bench.world import ACTOR, VirtualWorld
from engine.ids import Address, LoanNumber
from engine.loans.loan import ItemKind, Loan, Requester
from engine.loans.recurrence import Repeat, recur
from engine.loans.register import ItemRef, LoanChange, LoanFilter
from engine.loans.status import LoanAction
from engine.reconcile.series.book import Scope, SeriesOrder
from engine.simulator.series_calls import recur as graph_recurrence

PLACE = ZoneInfo("Europe/Paris")
FIRST = date(2027, 3, 9)
"""A Tuesday; clocks change between the third date and the fourth."""

DATES = 8
WEEK = timedelta(days=7)
MOVED, CANCELLED, REROOMED = 1, 2, 5
"""Which date is moved, which cancelled, and from which on the rest goes to the other room."""

HOURS = {"at": 13, "moved": 16}

TENANT = {"attendant_delay": (0.0, 0.0), "notification_delay": (0.1, 0.1), "page_size": 50}
"""Rooms answer at once and nothing is drawn by chance, so that counts are exact."""

Shown = tuple[tuple[str, str, str], ...]
"""Local start, room and its answer of each living loan."""


@dataclass
class Step:
    """One step: what somebody did, what the loans are afterwards, whether they are right, and what it cost."""

    side: str
    what: str
    loans: Shown = ()
    is_right: bool = False
    deltas: int = 0
    reads: int = 0
    writes: int = 0

    @property
    def requests(self) -> int:
        return self.deltas + self.reads + self.writes


@dataclass
class Side:
    """The same story, told from one side: `book`, `move`, `cancel` and `reroom` do what their names say."""

    name: str
    book: Callable[[], None]
    move: Callable[[], None]
    cancel: Callable[[], None]
    reroom: Callable[[], None]
    steps: list[Step] = field(default_factory=list)


def tell_series() -> list[Step]:
    """Live through the story from Outlook and from the app, each in a world of its own, on a virtual clock."""
    steps: list[Step] = []
    for make in (_from_outlook, _from_app):
        with VirtualWorld(rooms=2, tenant=TENANT) as world:
            steps += _tell(world, make(world))
    return steps


def measure_series() -> list[Figure]:
    """Return the requests of each step."""
    return [
        Figure("", f"{step.side}: {step.what}", step.requests, "requests",
               note=f"{step.deltas} delta pages, {step.reads} reads, {step.writes} writes; loans "
                    + ("right" if step.is_right else "WRONG"))
        for step in tell_series()
    ]  # fmt: skip


def _tell(world: VirtualWorld, side: Side) -> list[Step]:
    hours = dict.fromkeys(range(DATES), HOURS["at"])
    rooms = dict.fromkeys(range(DATES), "room-1")
    with _step(world, side, f"booked, {DATES} dates", hours, rooms):
        side.book()
    hours[MOVED] = HOURS["moved"]
    with _step(world, side, "one date moved", hours, rooms):
        side.move()
    del hours[CANCELLED]
    with _step(world, side, "one date cancelled", hours, rooms):
        side.cancel()
    rooms |= dict.fromkeys(range(REROOMED, DATES), "room-2")
    with _step(world, side, f"this and following ({DATES - REROOMED} dates) to another room", hours, rooms):
        side.reroom()
    return side.steps


@contextmanager
def _step(world: VirtualWorld, side: Side, what: str, hours: dict[int, int], rooms: dict[int, str]) -> Iterator[None]:
    before, step = len(world.transport.requests), Step(side.name, what)
    yield
    world.settle()
    for method, url in world.transport.requests[before:]:
        if method != "GET":
            step.writes += "/subscriptions" not in url
        elif "/delta" in url:
            step.deltas += 1
        else:
            step.reads += 1
    step.loans = tuple(sorted(_show(loan) for loan in _living(world)))
    wanted = ((f"{_local(number, hour):%Y-%m-%d %H:%M}", rooms[number], "accepted") for number, hour in hours.items())
    step.is_right = sorted(wanted) == sorted(step.loans)
    side.steps.append(step)


def _living(world: VirtualWorld) -> list[Loan]:
    return [loan for loan in world.office.desk.list_loans(LoanFilter(limit=500)) if loan.blocks]


def _show(loan: Loan) -> tuple[str, str, str]:
    rooms = ", ".join(item.name for item in loan.rooms)
    states = ", ".join(sorted({item.state.value for item in loan.rooms}))
    return f"{loan.interval.start.astimezone(PLACE):%Y-%m-%d %H:%M}", rooms, states


def _local(number: int, hour: int) -> datetime:
    return datetime.combine(FIRST + number * WEEK, time(hour), PLACE)


def _at(number: int, hour: int) -> datetime:
    return _local(number, hour).astimezone(UTC)


def _from_outlook(world: VirtualWorld) -> Side:
    person, known = world.person(0), dict[str, str]()

    def book() -> None:
        body = {
            "subject": "Seminar",
            "start": {"dateTime": f"{_local(0, 13):%Y-%m-%dT%H:%M:%S}", "timeZone": PLACE.key},
            "end": {"dateTime": f"{_local(0, 14):%Y-%m-%dT%H:%M:%S}", "timeZone": PLACE.key},
            "recurrence": graph_recurrence(FIRST, times=DATES, zone=PLACE.key),
            "attendees": [{"type": "resource", "emailAddress": {"address": world.rooms[0]}}],
        }
        known["id"] = world.run(person.call("POST", "/events", body))["id"]

    def date_id(number: int) -> str:
        found = world.run(person.date(known["id"], FIRST + number * WEEK))
        assert found is not None, "the date is there"
        return str(found["id"])

    def move() -> None:
        moved = HOURS["moved"]
        world.run(person.move(date_id(MOVED), _at(MOVED, moved), _at(MOVED, moved + 1)))

    def reroom() -> None:
        guests = [{"type": "resource", "emailAddress": {"address": world.rooms[1]}}]
        world.run(person.change_following(known["id"], FIRST + REROOMED * WEEK, attendees=guests))

    return Side("Outlook", book, move, lambda: world.run(person.cancel(date_id(CANCELLED))), reroom)


def _from_app(world: VirtualWorld) -> Side:
    office, numbers = world.office, list[LoanNumber]()

    def item(room: int) -> ItemRef:
        found = office.rooms.room_book().by_address(world.rooms[room])
        assert found is not None, "the rooms were imported"
        return ItemRef(ItemKind.ROOM, found.id)

    def book() -> None:
        recurrence = recur(Repeat.WEEKLY, _at(0, 13), _at(0, 14), PLACE.key, count=DATES)
        order = SeriesOrder(Requester(Address(world.people[0]), "Person 1"), recurrence, (item(0),))
        numbers.extend(loan.number for loan in office.series.book(order, actor=ACTOR).loans)

    def move() -> None:
        moved = HOURS["moved"]
        change = LoanChange(start=_at(MOVED, moved), end=_at(MOVED, moved + 1))
        office.desk.change(numbers[MOVED], change, actor=ACTOR)

    def reroom() -> None:
        office.series.change(numbers[REROOMED], LoanChange(items=(item(1),)), Scope.FOLLOWING, actor=ACTOR)

    def cancel() -> None:
        office.desk.act(numbers[CANCELLED], LoanAction.CANCEL, actor=ACTOR)

    return Side("App", book, move, cancel, reroom)


def main() -> int:
    """Print the story. Returns 1 when a loan is wrong after any step."""
    steps = tell_series()
    for step in steps:
        print(f"\n{step.side}: {step.what}")
        for start, room, state in step.loans:
            print(f"    {start}  {room}  {state}")
        print(
            f"  {step.deltas} delta pages, {step.reads} reads, {step.writes} writes = {step.requests} requests;",
            end=" ",
        )
        print("the loans are right" if step.is_right else "THE LOANS ARE WRONG")
    return 0 if all(step.is_right for step in steps) else 1


if __name__ == "__main__":
    raise SystemExit(main())
