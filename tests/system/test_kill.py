"""`kill -9` at any moment, while people edit on both sides: nothing is lost, nothing is doubled.

`ACCORD_KILLS=100 ACCORD_SEED=3 pytest tests/system/test_kill.py` kills more often, along another history.
"""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.system.conftest import MakeService
from tests.system.harness import LIVE, House, SeparateTenant, Service, eventually, rooms_of, when

KILLS = int(os.environ.get("ACCORD_KILLS", "5"))
SEED = int(os.environ.get("ACCORD_SEED", "1"))

WITHOUT_BRAKE = {"ENGINE_SYNC__MASS_CANCEL_MAX": "100000", "ENGINE_SYNC__MASS_CANCEL_PERCENT": "100"}
"""People here cancel as they please: five cancellations in a room of a dozen bookings would wait for a person (D4)."""


@dataclass
class Booking:
    """What its people remember of one booking; each is edited from one side only, so its last edit must stand."""

    title: str
    home: str
    editor: str
    person: str
    start: datetime
    room: str
    number: int | None = None
    event_id: str | None = None
    cancelled: bool = False
    uncertain: bool = False
    """A cancellation was asked for, and its answer was lost."""


@dataclass
class People:
    """Staff and people at Outlook who go on whatever happens to the engine. Every booking has days of its own."""

    house: House
    random: random.Random
    bookings: list[Booking] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    def act(self) -> None:
        """Do one thing. The engine may be gone in the middle of it: then its outcome is looked up later."""
        verb = self.random.choice([self.meet, self.book, self.move, self.move, self.change_room, self.cancel])
        verb()

    def meet(self) -> None:
        booking = self._draw("outlook")
        end = booking.start + timedelta(hours=1)
        made = self.house.outlook.book(booking.person, booking.start, end, booking.room, subject=booking.title)
        booking.event_id = made["id"]
        self._keep(booking)

    def book(self) -> None:
        booking = self._draw("app")
        self._keep(booking)
        try:
            self._book(booking)
        except httpx.TransportError:
            self.log.append(f"{booking.title}: no answer to the booking")

    def _book(self, booking: Booking) -> None:
        desk, end = self.house.desk, booking.start + timedelta(hours=1)
        room = self.house.ids[booking.room]
        booking.number = desk.book(booking.person, booking.start, end, room, title=booking.title)["number"]

    def move(self) -> None:
        booking = self._pick()
        if booking is not None:
            start = booking.start + timedelta(hours=self.random.choice([1, 2, -1]))
            self._edit(booking, start=start, room=booking.room)

    def change_room(self) -> None:
        booking = self._pick()
        if booking is not None:
            self._edit(booking, start=booking.start, room=self.random.choice(self.house.rooms))

    def _edit(self, booking: Booking, *, start: datetime, room: str) -> None:
        end = start + timedelta(hours=1)
        if booking.editor == "outlook":
            assert booking.event_id is not None
            self.house.outlook.move(booking.person, booking.event_id, start, end)
            if room != booking.room:
                self.house.outlook.set_rooms(booking.person, booking.event_id, room)
        elif not self._ask_desk(
            booking,
            start=start.isoformat(),
            end=end.isoformat(),
            items=[{"kind": "room", "id": self.house.ids[room]}],
        ):
            return
        booking.start, booking.room = start, room
        self.log.append(f"{booking.title}: {booking.editor} moves it to {start:%d %H} {room}")

    def cancel(self) -> None:
        booking = self._pick()
        if booking is None or self.random.random() < 0.5:
            return
        if booking.editor == "outlook":
            assert booking.event_id is not None
            self.house.outlook.cancel(booking.person, booking.event_id)
        else:
            assert booking.number is not None
            try:
                self.house.desk.act(booking.number, "cancel")
            except httpx.TransportError:
                booking.uncertain = True
                return
        booking.cancelled = True
        self.log.append(f"{booking.title}: {booking.editor} cancels it")

    def _ask_desk(self, booking: Booking, **fields: Any) -> bool:
        """Change a loan; tell whether an answer came. Without one the edit is made once more by `catch_up`."""
        assert booking.number is not None
        try:
            self.house.desk.change(booking.number, **fields)
        except httpx.TransportError:
            return False
        return True

    def _draw(self, home: str) -> Booking:
        start, _end = self.house.hour()
        title = f"{home} {len(self.bookings) + 1}"
        editor = self.random.choice([home, home, "app" if home == "outlook" else "outlook"])
        return Booking(title, home, editor, self.random.choice(self.house.people), start,
                       self.random.choice(self.house.rooms))  # fmt: skip

    def _keep(self, booking: Booking) -> None:
        self.bookings.append(booking)
        self.log.append(f"{booking.title}: made for {booking.person} {booking.start:%d %H} {booking.room}")

    def _pick(self) -> Booking | None:
        """Return a booking that lives, and that its editor has found on his side."""
        alive = [booking for booking in self.bookings if not (booking.cancelled or booking.uncertain)]
        alive = [booking for booking in alive if self._is_found(booking)]
        return self.random.choice(alive) if alive else None

    def _is_found(self, booking: Booking) -> bool:
        if booking.editor == "outlook" and booking.event_id is None and booking.number is not None:
            for event in self.house.outlook.of_loan(booking.person, booking.number):
                if self._is_known(booking.number):
                    booking.event_id = event["id"]
        if booking.editor == "app" and booking.number is None and booking.home == "outlook":
            try:
                for loan in self.house.desk.titled(booking.title):
                    booking.number = loan["number"]
            except httpx.TransportError:
                return False
        return (booking.event_id if booking.editor == "outlook" else booking.number) is not None

    def _is_known(self, number: int) -> bool:
        """Tell whether the engine knows that it made the event of a loan. An event that is cancelled before, since the
        answer to its making was lost, is made once more (docs/proof.md)."""
        try:
            return not {"event_created", "event_adopted"}.isdisjoint(self.house.desk.history(number))
        except httpx.TransportError:
            return False

    def catch_up(self) -> None:
        """Do again, as staff would, whatever the desk may not have heard: a booking is looked up before."""
        for booking in self.bookings:
            if booking.uncertain and not booking.cancelled and booking.number is not None:
                booking.cancelled = True
                if self.house.desk.loan(booking.number)["status"] in LIVE:
                    self.house.desk.act(booking.number, "cancel")
            if booking.home == "app" and booking.number is None:
                for loan in self.house.desk.titled(booking.title):
                    booking.number = loan["number"]
                if booking.number is None:
                    self._book(booking)
            if booking.editor == "app" and booking.number is not None and not booking.cancelled:
                end = booking.start + timedelta(hours=1)
                self.house.desk.change(
                    booking.number, start=booking.start.isoformat(), end=end.isoformat(),
                    items=[{"kind": "room", "id": self.house.ids[booking.room]}],
                )  # fmt: skip


def check_agreement(house: House, people: People) -> None:
    """Every live loan has exactly one event that says the same, every event exactly one live loan, as remembered."""
    loans = [loan for loan in house.desk.loans() if loan["status"] in LIVE]
    events = [event for who in house.people for event in house.outlook.events(who) if event["isOrganizer"]]
    pairs = [(loan, _event_of(house, loan, events)) for loan in loans]
    assert len(events) == len(loans), sorted(event["subject"] for event in events)
    for loan, event in pairs:
        assert (when(loan, "start"), when(loan, "end")) == (when(event, "start"), when(event, "end")), loan
        held = {item["address"]: item["state"] for item in loan["items"] if item["state"] != "cancelled"}
        assert held == dict.fromkeys(rooms_of(event), "accepted"), (loan, event["attendees"])
        assert loan["requester"]["address"] == event["organizer"]["emailAddress"]["address"]
    alive = {booking.title: (booking.start, booking.room) for booking in people.bookings if not booking.cancelled}
    there = {loan["title"]: (when(loan, "start"), rooms_of(event).popitem()[0]) for loan, event in pairs}
    assert there == alive
    for room in house.rooms:
        blocking = [event for event in house.outlook.events(room) if event["responseStatus"]["response"] == "accepted"]
        assert len(blocking) == len([1 for _start, where in alive.values() if where == room])


def _event_of(house: House, loan: dict[str, Any], events: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the one event of *loan*; if there is not one, say what became of the loan."""
    found = [event for event in events if _is_of(event, loan)]
    assert len(found) == 1, (loan, house.desk.history(loan["number"]), found)
    return found[0]


def _is_of(event: dict[str, Any], loan: dict[str, Any]) -> bool:
    if loan["home"] == "app":
        return bool(event["subject"].startswith(f"#{loan['number']} "))
    return bool(event["subject"] == loan["title"])


def etags(house: House) -> dict[str, str]:
    return {event["id"]: event["@odata.etag"] for who in house.people for event in house.outlook.events(who)}


class TestKilledAtAnyMoment:
    @pytest.mark.slow
    def test_nothing_is_lost_and_nothing_is_doubled(self, services: MakeService, separate: SeparateTenant) -> None:
        """However often the service dies in the middle of things, both sides agree again, on what people wanted."""
        chance = random.Random(SEED)
        service = services(**separate.settings, **WITHOUT_BRAKE).start().wait_ready()
        house = House(service, separate.outlook, separate.rooms, separate.people)
        people = People(house, chance)
        for _ in range(KILLS):
            _edit_for(people, chance.uniform(0.1, 1.5))
            service.kill()
            people.log.append("killed")
            _edit_in_outlook(people)
            service.start()
            if chance.random() < 0.3:
                time.sleep(chance.random())
                service.kill()
                people.log.append("killed while starting")
                service.start()

        service.wait_ready()
        people.catch_up()
        try:
            eventually(lambda: check_agreement(house, people), seconds=120)
        finally:
            print("\n".join([*people.log, *_tell_disputed(house, people)]))
            print(service.desk.call("GET", "/api/status"), service.logged[-4000:])
        assert "Traceback" not in service.logged
        _check_rest(house, service)


def _tell_disputed(house: House, people: People) -> list[str]:
    """Return what the engine has to say of bookings of which it knows an end, or a life, that nobody gave them."""
    ended = {booking.title: booking.cancelled for booking in people.bookings}
    disputed = [loan for loan in house.desk.loans() if (loan["status"] in LIVE) is ended.get(loan["title"], True)]
    return [f"{loan['title']} is {loan['status']}: {house.desk.history(loan['number'])}" for loan in disputed]


def _edit_for(people: People, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        people.act()


def _edit_in_outlook(people: People) -> None:
    """Outlook goes on while the engine is down."""
    people.meet()
    for booking in people.bookings:
        if booking.editor == "outlook" and booking.event_id is not None and not booking.cancelled:
            people._edit(booking, start=booking.start + timedelta(hours=1), room=booking.room)
            break


def _check_rest(house: House, service: Service) -> None:
    """Started once more, with nothing to do, it writes nothing to anybody's calendar."""
    _wait_rest(house)
    before = etags(house)
    service.kill()
    began = datetime.now(UTC)
    service.start().wait_ready()
    _wait_rest(house)
    assert etags(house) == before, f"written to after {began}"


def _wait_rest(house: House) -> None:
    """Wait until both are at rest: a room may still have an answer to give, which changes its organizer's copy."""

    def look() -> None:
        house.service.wait_idle()
        assert house.outlook.sim("", "GET")["waiting_steps"] == 0

    eventually(look)
