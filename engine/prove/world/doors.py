"""The doors of a world: what people do at Outlook by Graph requests, and what staff do at the desk."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from datetime import datetime, timedelta
from typing import Any

from engine.app.engine import Engine
from engine.app.office import Office
from engine.app.run_time import RunTimeSettings
from engine.errors import NotFound
from engine.ids import Address, BookableId, LoanNumber
from engine.interval import Interval
from engine.loans.loan import ItemKind, Loan, Requester
from engine.loans.register import ItemRef, LoanChange, LoanFilter, LoanOrder
from engine.loans.status import LoanAction
from engine.prove.world.life import Life
from engine.prove.world.untold import Untold
from engine.prove.world.virtual import VirtualLoop
from engine.simulator import Tenant
from engine.simulator.people import Person, RoomReader
from engine.web.pages.parts.settings import SettingKey


class Doors:
    """What a `World` is to those who live in it: somebody's Outlook, a room's calendar, the desk, the settings."""

    loop: VirtualLoop
    tenant: Tenant
    lives: list[Life]
    """The engines that live; the first one is the one people's requests and Graph's notifications reach."""
    people: list[str]
    room_addresses: list[str]
    _room_numbers: dict[str, int]
    things: list[BookableId]
    untold: Untold

    def run(self, coroutine: Coroutine[Any, Any, Any] | asyncio.Future[Any]) -> Any:
        return self.loop.run_until_complete(coroutine)

    @property
    def engine(self) -> Engine | None:
        """The engine that people's requests reach; None while it is dead."""
        return self.lives[0].engine if self.lives else None

    @property
    def office(self) -> Office:
        assert self.engine is not None
        return self.engine.office

    def person(self, number: int) -> Person:
        """Return somebody at Outlook, counted from 1."""
        return Person(self.tenant, self.people[number - 1])

    def room(self, number: int) -> RoomReader:
        return RoomReader(self.tenant, self.room_addresses[number - 1])

    def furnish(self, things: Iterable[str]) -> None:
        """Give the desk things to lend."""
        self.things = [
            self.office.desk.add_asset(name, store=None, description="", actor="app:test").id for name in things
        ]

    def room_number(self, address: str) -> int | None:
        """Return the number of the room that has, or had, this address."""
        return self._room_numbers.get(address)

    def set_up_room(self) -> int:
        """Set up another room, of which the list of rooms tells when it is read next; return its number."""
        number = len(self.room_addresses) + 1
        address = f"room-{number}@example.org"
        self.tenant.office.add_room(address, f"Room {number}", capacity=10 * number)
        self.room_addresses.append(address)
        self._room_numbers[address] = number
        return number

    def readdress(self, room: int, address: str) -> None:
        """Give a room another address."""
        self.tenant.office.readdress(self.room_addresses[room - 1], address)
        self.room_addresses[room - 1] = address
        self._room_numbers[address] = room

    def set_mailbox(self, person: int, state: str) -> None:
        """Close somebody's mailbox, or open it again."""
        self.tenant.office.set_state(self.people[person - 1], state)
        if state != "active":
            self.untold.closed.add(self.people[person - 1])

    def override(self, key: SettingKey, value: str | None) -> None:
        """Let an administrator change a setting while the engine runs; None: back to what it was."""
        settings = RunTimeSettings(self.office)
        if value is None:
            settings.reset(key, actor="app:test")
        else:
            settings.set_value(key, value, actor="app:test")

    def addresses(self, rooms: Iterable[int]) -> list[str]:
        """Return the rooms' addresses as they are now."""
        return [self.room_addresses[room - 1] for room in rooms]

    def invitations(self, rooms: Iterable[int]) -> list[dict[str, Any]]:
        """Return the rooms as attendees of a new event."""
        return [{"type": "resource", "emailAddress": {"address": each, "name": each}} for each in self.addresses(rooms)]

    def at(self, hours: float, *, days: int = 1) -> datetime:
        """Return a time on a coming day, on the grid for quarter hours."""
        start: datetime = self.loop.now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=days)
        return start + timedelta(hours=hours)

    def meet(self, person: int, start: float, end: float, *rooms: int, days: int = 1, **more: Any) -> dict[str, Any]:
        """Book a meeting in Outlook."""
        addresses = self.addresses(rooms)
        booked: dict[str, Any] = self.run(
            self.person(person).book(self.at(start, days=days), self.at(end, days=days), rooms=addresses, **more)
        )
        return booked

    # --- the desk

    def book(self, person: int, start: float, end: float, *rooms: int, days: int = 1) -> Loan:
        return self.book_at(person, Interval(self.at(start, days=days), self.at(end, days=days)), *rooms)

    def book_at(self, person: int, interval: Interval, *rooms: int) -> Loan:
        items = tuple(self.item(room) for room in rooms)
        return self.office.desk.book(LoanOrder(self.requester(person), interval, items), actor="app:test")

    def requester(self, person: int) -> Requester:
        return Requester(Address(self.people[person - 1]), f"Person {person}")

    def change(self, number: int, change: LoanChange) -> Loan:
        return self.office.desk.change(LoanNumber(number), change, actor="app:test")

    def act_on(self, number: int, action: LoanAction) -> Loan:
        return self.office.desk.act(LoanNumber(number), action, actor="app:test")

    def item(self, room: int) -> ItemRef:
        found = self.office.rooms.room_book().by_address(self.room_addresses[room - 1])
        if found is None:
            raise NotFound(f"room {room} is not known by its new address yet")
        return ItemRef(ItemKind.ROOM, found.id)

    def act(self, loan: Loan, action: LoanAction) -> Loan:
        return self.office.desk.act(loan.number, action, actor="app:test")

    def loan(self, number: int) -> Loan:
        return self.office.desk.find(LoanNumber(number))

    @property
    def loans(self) -> tuple[Loan, ...]:
        return tuple(self.office.desk.list_loans(LoanFilter(limit=1000)))

    @property
    def live_loans(self) -> tuple[Loan, ...]:
        return tuple(loan for loan in self.loans if loan.blocks)

    def history(self, number: int) -> list[str]:
        return [decision.code for decision in self.office.desk.history(LoanNumber(number))]

    def cases(self) -> list[str]:
        from engine.loans.loan import CaseState

        return [case.code for case in self.office.desk.list_cases(state=CaseState.OPEN, after=None, limit=100)]
