"""The world of one story, with what people can do in it, and what a story is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from engine.errors import DeskError
from engine.ids import LoanNumber
from engine.interval import Interval
from engine.loans.recurrence import Repeat, recur
from engine.loans.register import LoanChange
from engine.loans.status import LoanAction
from engine.prove.crash.memory import Booking, Memory
from engine.prove.crash.mortal import MortalWorld
from engine.prove.people.app_series import UNWRITTEN
from engine.prove.people.people import parse_instant
from engine.prove.people.series import at, book_series, recurrence
from engine.prove.world.life import Died
from engine.reconcile.series.book import Scope, SeriesOrder
from engine.simulator.people import Refused

DATES = 3
"""How many dates a series has."""


@dataclass
class Scene:
    """A world with the bookings of one story; the main one comes first."""

    world: MortalWorld
    memory: Memory
    chosen: Booking | None = None
    """Whom edits are about, when it is not the main booking."""

    @property
    def main(self) -> Booking:
        return self.chosen or self.memory.bookings[0]

    @property
    def day(self) -> date:
        return self.world.at(0, days=2).date()

    def hours(self, start: float, end: float) -> Interval:
        return Interval(self.world.at(start, days=2), self.world.at(end, days=2))

    def addresses(self, rooms: tuple[int, ...]) -> set[str]:
        return {self.world.room_addresses[room - 1] for room in rooms}

    def remember(self, side: str, booking: Booking, times: Interval, rooms: tuple[int, ...], person: int) -> Booking:
        booking.want(side, times=times, rooms=self.addresses(rooms), person=self.world.people[person - 1])
        self.memory.bookings.append(booking)
        return booking

    # --- the desk

    def book(self, times: Interval, *rooms: int, person: int = 2) -> Booking:
        loan = self.world.at_desk(lambda: self.world.book_at(person, times, *rooms))
        return self.remember("app", Booking(number=loan.number), times, rooms, person)

    def book_freed(self) -> None:
        """Book what the main booking held until now."""
        try:
            self.book(self.hours(9, 10), 1, person=3)
        except DeskError as error:
            self.memory.complaints.append(str(error))

    def number(self, booking: Booking) -> LoanNumber | None:
        """Return the number the desk knows a booking under; None when it has not heard of it."""
        number = booking.number if booking.number is not None else self.world.loan_of(booking.uid or "")
        return LoanNumber(number) if number is not None else None

    def change(
        self, times: Interval | None = None, rooms: tuple[int, ...] | None = None, person: int | None = None
    ) -> None:
        """Change the main booking at the desk, as far as the desk knows of it and allows it."""
        number = self.number(self.main)
        if number is None:
            return
        wanted: dict[str, Any] = {}
        change: dict[str, Any] = {}
        if times is not None:
            wanted["times"], change["start"], change["end"] = times, times.start, times.end
        if rooms is not None:
            wanted["rooms"], change["items"] = self.addresses(rooms), tuple(self.world.item(room) for room in rooms)
        if person is not None:
            wanted["person"], change["requester"] = self.world.people[person - 1], self.world.requester(person)
        seen = frozenset(str(item.address) for item in self.world.loan(number).held_items)
        self.world.at_desk(lambda: self.world.change(number, LoanChange(**change)))
        self.main.want("app", seen_rooms=seen, **wanted)

    def cancel(self, booking: Booking | None = None) -> None:
        booking = booking or self.main
        number = self.number(booking)
        if number is not None:
            self.world.at_desk(lambda: self.world.act_on(number, LoanAction.CANCEL))
            booking.cancelled.append("app")

    # --- people at Outlook

    def meet(self, times: Interval, *rooms: int, person: int = 2, **more: Any) -> Booking:
        """Book a meeting with a guest; *more* goes into the event."""
        addresses = [self.world.room_addresses[room - 1] for room in rooms]
        someone, guest = self.world.person(person), self.world.people[person % len(self.world.people)]
        made = self.world.run(
            someone.book(times.start, times.end, rooms=addresses, people=[guest], subject="Meeting", **more)
        )
        booking = Booking(uid=made["iCalUId"], event_id=made["id"], guests=frozenset([guest]))
        booking.want("outlook", title="Meeting")
        return self.remember("outlook", booking, times, rooms, person)

    def find(self, booking: Booking) -> tuple[int, dict[str, Any]] | None:
        """Find the organizer's copy, as its organizer would: in a calendar, by what it is about."""
        for person in range(1, len(self.world.people) + 1):
            for event in self.world.run(self.world.person(person).events()):
                is_it = event["subject"].startswith(f"#{booking.number} ") or event["iCalUId"] == booking.uid
                if is_it and event["isOrganizer"] and not event["isCancelled"]:
                    return person, event
        return None

    def edit(self, times: Interval | None = None, rooms: tuple[int, ...] | None = None) -> None:
        """Change the main booking in Outlook, if it is there."""
        found = self.find(self.main)
        if found is None:
            return
        someone, event = self.world.person(found[0]), found[1]
        if times is not None:
            self.world.run(someone.move(event["id"], times.start, times.end))
            self.main.want("outlook", times=times)
        if rooms is not None:
            self.world.run(someone.set_rooms(event["id"], sorted(self.addresses(rooms))))
            self.main.want("outlook", rooms=self.addresses(rooms))

    def withdraw(self) -> None:
        """Cancel the main booking in Outlook, if it is there."""
        found = self.find(self.main)
        if found is not None:
            self.main.uncertain = not self._is_known(self.main)
            self.world.run(self.world.person(found[0]).cancel(found[1]["id"]))
            self.main.cancelled.append("outlook")

    def lose_tokens(self) -> None:
        """Let the tenant forget how far each room was read."""
        for room in range(1, len(self.world.room_addresses) + 1):
            self.world.lose_delta(room)

    def leave_rooms(self) -> None:
        """Take every room out of the main booking in Outlook: the end of its loan, unless somebody gives it others."""
        found = self.find(self.main)
        if found is not None:
            self.main.uncertain = not self._is_known(self.main)
            self.world.run(self.world.person(found[0]).set_rooms(found[1]["id"], []))
            self.main.want("outlook", rooms=set())

    def _is_known(self, booking: Booking) -> bool:
        """Tell whether the engine knows under which name the booking is in Outlook."""
        name = self.world.links().get(booking.number or 0) or UNWRITTEN
        return booking.number is None or not name.startswith(UNWRITTEN)

    # --- series

    def book_series(self, *rooms: int) -> None:
        """Book a daily series at the desk."""
        pattern = recur(Repeat.DAILY, at(self.day, 9), at(self.day, 10), "Europe/Paris", count=DATES)
        items = tuple(self.world.item(room) for room in rooms)
        order = SeriesOrder(self.world.requester(2), pattern, items)
        made = self.world.at_desk(lambda: self.world.office.series.book(order, actor="app:test"))
        for loan in made.loans:
            self.remember("app", Booking(number=loan.number), loan.interval, rooms, 2)

    def meet_daily(self, *rooms: int) -> None:
        """Book a daily series in Outlook."""
        made = book_series(self.world, 2, self.day, 9, *rooms, kind="daily", times=DATES)
        for event in self.world.dates(2, made["id"]):
            times = Interval(parse_instant(event["start"]), parse_instant(event["end"]))
            self.remember("outlook", Booking(uid=event["iCalUId"], event_id=event["id"]), times, rooms, 2)

    def rescope(self, nth: int, scope: Scope, hour: float | None = None, rooms: tuple[int, ...] | None = None) -> None:
        """Change a series at the desk from its nth date on, or whole."""
        booking = self.memory.bookings[nth]
        number = self.number(booking)
        if number is None:
            return
        day = self.day + timedelta(days=nth)
        change = LoanChange(
            start=at(day, hour) if hour is not None else None,
            end=at(day, hour + 1) if hour is not None else None,
            items=tuple(self.world.item(room) for room in rooms) if rooms is not None else None,
        )
        self.world.at_desk(lambda: self.world.office.series.change(number, change, scope, actor="app:test"))
        for each, later in self._scoped(nth, scope):
            if hour is not None:
                each.want("app", times=Interval(at(later, hour), at(later, hour + 1)))
            if rooms is not None:
                each.want("app", rooms=self.addresses(rooms))

    def end_scope(self, nth: int, scope: Scope) -> None:
        """Cancel a series at the desk from its nth date on, or whole."""
        number = self.number(self.memory.bookings[nth])
        if number is not None:
            self.world.at_desk(lambda: self.world.office.series.cancel(number, scope, actor="app:test"))
            for each, _day in self._scoped(nth, scope):
                each.cancelled.append("app")

    def _scoped(self, nth: int, scope: Scope) -> Iterator[tuple[Booking, date]]:
        for position, booking in enumerate(self.memory.bookings[:DATES]):
            if scope is Scope.ALL or position == nth or (scope is Scope.FOLLOWING and position > nth):
                yield booking, self.day + timedelta(days=position)

    def master(self) -> dict[str, Any] | None:
        """Find the one series in the organizer's calendar; none, or several, is nobody's to edit."""
        found = [event for event in self.world.run(self.world.person(2).events()) if event["type"] == "seriesMaster"]
        return found[0] if len(found) == 1 else None

    def touch_date(self, nth: int, *, hour: float | None) -> None:
        """Move one date of the series in Outlook, or cancel it."""
        master = self.master()
        dates = self.world.dates(2, master["id"]) if master is not None else []
        if len(dates) != DATES:
            return
        event, someone, day = dates[nth], self.world.person(2), self.day + timedelta(days=nth)
        if hour is None:
            self.memory.bookings[nth].uncertain = not self._is_known(self.memory.bookings[nth])
            self.world.run(someone.cancel(event["id"]))
            self.memory.bookings[nth].cancelled.append("outlook")
        else:
            times = Interval(at(day, hour), at(day, hour + 1))
            self.world.run(someone.move(event["id"], times.start, times.end))
            self.memory.bookings[nth].want("outlook", times=times)

    def move_all(self, hour: float) -> None:
        """Move the whole series in Outlook."""
        master = self.master()
        if master is not None and len(self.world.dates(2, master["id"])) == DATES:
            self.world.run(self.world.person(2).move(master["id"], at(self.day, hour), at(self.day, hour + 1)))
            for nth, booking in enumerate(self.memory.bookings[:DATES]):
                day = self.day + timedelta(days=nth)
                booking.want("outlook", times=Interval(at(day, hour), at(day, hour + 1)))

    def reroom_all(self, *rooms: int) -> None:
        """Take the whole series to other rooms in Outlook."""
        master = self.master()
        if master is not None and len(self.world.dates(2, master["id"])) == DATES:
            self.world.run(self.world.person(2).set_rooms(master["id"], sorted(self.addresses(rooms))))
            for booking in self.memory.bookings[:DATES]:
                booking.want("outlook", rooms=self.addresses(rooms))

    def cut(self, kept: int) -> None:
        """Cut the series short in Outlook."""
        master = self.master()
        if master is not None and len(self.world.dates(2, master["id"])) == DATES:
            shorter = recurrence(self.day, kind="daily", until=self.day + timedelta(days=kept - 1))
            self.world.run(self.world.person(2).change(master["id"], recurrence=shorter))
            for booking in self.memory.bookings[kept:DATES]:
                booking.cancelled.append("outlook")

    def withdraw_all(self) -> None:
        """Cancel the whole series in Outlook."""
        master = self.master()
        if master is not None and len(self.world.dates(2, master["id"])) == DATES:
            for booking in self.memory.bookings[:DATES]:
                booking.uncertain = not self._is_known(booking)
                booking.cancelled.append("outlook")
            self.world.run(self.world.person(2).cancel(master["id"]))


Act = Callable[[Scene], object]


@dataclass(frozen=True)
class Story:
    """What is there before, what is edited while the engine may die, and what happens while it is dead."""

    name: str
    before: Act
    edit: Act
    meanwhile: Act

    def act(self, scene: Scene, what: Act) -> None:
        """Let somebody do something; what the other side does not allow any more is left."""
        try:
            what(scene)
        except (DeskError, Refused, Died) as error:
            scene.memory.log.append(f"refused: {error}")


def in_turn(*acts: Act) -> Act:
    """Let several people act, one after the other."""

    def act(scene: Scene) -> None:
        for each in acts:
            each(scene)

    return act


def after(seconds: float, act: Act) -> Act:
    """Let somebody act a moment later, while the engine is at what came before."""

    def late(scene: Scene) -> None:
        scene.world.wait(seconds)
        act(scene)

    return late


def nothing(_scene: Scene) -> None:
    return None
