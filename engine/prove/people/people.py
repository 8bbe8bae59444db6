"""People who use a world at random, on both sides, and remember what they did: the invariants are judged from
their memory, not from the engine's."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from engine.errors import DeskError
from engine.interval import Interval
from engine.loans.loan import CaseState, Loan
from engine.loans.register import LoanChange
from engine.loans.status import LoanAction
from engine.prove.people.memory import Contest, Remembered, RememberedSeries
from engine.prove.world.losses import Loss
from engine.prove.world.world import World
from engine.reconcile.cases.ways import Way
from engine.simulator.people import Refused
from engine.simulator.series_calls import NoDateLeft, times_in

ZONES = ("Romance Standard Time", "Europe/Paris", "Eastern Standard Time", "Asia/Kathmandu")

DAYS = 3
"""Bookings fall on so few days, and between 8 and 18 o'clock, so that they meet each other."""


@dataclass
class Crowd:
    """Acts at random. Everything is drawn from one seed, so a schedule can be lived through again."""

    world: World
    random: random.Random
    bookings: list[Remembered] = field(default_factory=list)
    series: list[RememberedSeries] = field(default_factory=list)
    contests: list[Contest] = field(default_factory=list)
    """What both sides were given at once."""
    log: list[str] = field(default_factory=list)
    acted: Counter[str] = field(default_factory=Counter)
    """How often each verb did something, and how often it was refused."""
    renamed: int = 0
    """How often a room was given another name: events tell the names of their rooms, and are written for it."""
    is_from_before: bool = False
    """Whether people met before the engine came, which lists those meetings and leaves them alone."""
    is_begun: bool = False
    """Whether somebody booked what begins while the world lives."""

    def __post_init__(self) -> None:
        self.world.on_loss.append(self.forget)

    def act(self, name: str, verb: Callable[[Crowd], object]) -> None:
        """Do one thing, called *name*; what is refused at this moment is refused."""
        before = len(self.log)
        try:
            verb(self)
            if len(self.log) > before:
                self.acted[name] += 1
        except (Refused, DeskError, NoDateLeft) as error:
            self.acted[f"{name}, refused"] += 1
            self.log.append(f"  refused: {type(error).__name__} {str(error)[:90]}")

    def forget(self, loss: Loss) -> None:
        """The store goes back in time: what only the desk knew is lost, and what Outlook knows stays wanted."""
        loans = {uid: number for number, uid in self.world.links().items()}
        numbers = [
            (each, each.number if each.number is not None else loans.get(each.ical_uid)) for each in self.bookings
        ]
        self.bookings = [
            booking for booking, number in numbers if booking.side == "outlook" or number not in loss.loans
        ]
        self.contests.clear()
        for booking, number in numbers:
            booking.uncertain = booking.uncertain or number in loss.touched
            booking.things = frozenset() if number in loss.loans else booking.things
            booking.over = None

    # --- drawing

    def draw_interval(self, *, odd: bool = True) -> Interval:
        """Return times mostly on the grid of quarter hours, some beside it if *odd*, and some that last overnight or
        longer."""
        start = self.world.at(self.draw_hour(), days=self.random.randint(1, DAYS))
        minutes = 15 * self.random.randint(1, 8)
        match self.random.choices(["plain", "odd", "long"], [7, 2 * odd, 1])[0]:
            case "odd":
                start += timedelta(minutes=self.random.randint(1, 14))
                minutes += self.random.randint(-14, 14) or 7
            case "long":
                minutes += 60 * self.random.randint(10, 40)
        return Interval(start, start + timedelta(minutes=minutes))

    def draw_zone(self) -> str:
        """Return the zone somebody's Outlook writes times in: a Windows name, an IANA name, or UTC."""
        return self.random.choice(["UTC", "UTC", *ZONES])

    def draw_rooms(self) -> list[int]:
        rooms = range(1, len(self.world.room_addresses) + 1)
        return sorted(self.random.sample(rooms, min(len(rooms), self.random.choice([1, 1, 1, 2]))))

    def draw_room(self) -> int:
        return self.random.randint(1, len(self.world.room_addresses))

    def draw_person(self) -> int:
        return self.random.randint(1, len(self.world.people))

    def pick(self, side: str) -> Remembered | None:
        return self._pick_of(side)

    def pick_for_desk(self, side: str) -> Remembered | None:
        """Pick a booking that the desk shows, made at this side or, for Outlook's, by nobody of ours."""
        return self._pick_of(side, *(("outside", "room") if side == "outlook" else ()))

    def _pick_of(self, *sides: str) -> Remembered | None:
        alive = [booking for booking in self.bookings if booking.side in sides and not booking.cancelled]
        return self.random.choice(alive) if alive else None

    def tell(self, text: str) -> None:
        self.log.append(f"{self.world.loop.time():9.2f} {text}")

    # --- Outlook

    def meet(self) -> None:
        person, rooms, interval, zone = self.draw_person(), self.draw_rooms(), self.draw_interval(), self.draw_zone()
        self.tell(f"person {person} meets in {rooms} {say(interval)} ({zone})")
        booking = self.world.person(person).book(
            interval.start, interval.end, rooms=self.world.addresses(rooms), subject="Meeting", zone=zone
        )
        self.remember_meeting(self.world.run(booking), person, interval)

    def remember_meeting(self, event: dict[str, Any], person: int, interval: Interval | None) -> Remembered:
        """Remember a meeting that was just booked in Outlook; no interval: whole days."""
        booking = Remembered("outlook", ical_uid=event["iCalUId"], event_id=event["id"], person=person)
        booking.interval = interval
        self.bookings.append(booking)
        return booking

    def find_event(self, booking: Remembered) -> dict[str, Any] | None:
        """Find the organizer's copy as somebody at Outlook would: in the organizer's own calendar."""
        if booking.series is not None:
            try:
                return dict(self.world.run(self.world.person(booking.person).get(booking.event_id or "")))
            except Refused:
                return None  # its series was cut short
        if booking.side == "outlook":
            mailbox = self.world.person(booking.person)
            found: dict[str, Any] | None = self.world.run(mailbox.by_ical(booking.ical_uid or ""))
            return found
        name = self.world.links().get(booking.number or 0) or ""
        if "@" in name:
            return self._find_date(booking, name)
        for person in range(1, len(self.world.people) + 1):
            for event in self.world.run(self.world.person(person).events()):
                if event["iCalUId"] == name if name else self._is_by_number(booking, event):
                    booking.person = person
                    return dict(event)
        return None

    def _is_by_number(self, booking: Remembered, event: dict[str, Any]) -> bool:
        """Tell whether an event is a loan's by its number, where nothing better is known. A store that went back in
        time gives some again: then an older event is another's."""
        made_at = self.world.loan(booking.number or 0).made_at
        is_older = made_at is not None and datetime.fromisoformat(event["createdDateTime"]) < made_at - self.world.skew
        return str(event["subject"]).startswith(f"#{booking.number} ") and not is_older

    def find_single(self, booking: Remembered) -> dict[str, Any] | None:
        event = self.find_event(booking)
        return event if event is not None and event["type"] == "singleInstance" else None

    def _find_date(self, booking: Remembered, name: str) -> dict[str, Any] | None:
        """Find one date of a series of the app in its requester's calendar."""
        for person in range(1, len(self.world.people) + 1):
            for master in self.world.run(self.world.person(person).events()):
                if name.startswith(f"{master['iCalUId']}@") and master["isOrganizer"]:
                    booking.person = person
                    return self.world.dates_by_name(person, master["id"]).get(name)
        return None

    def move_meeting(self) -> None:
        booking = self.pick(self.random.choice(["outlook", "outlook", "app"]))
        event = self.find_event(booking) if booking else None
        if booking is None or event is None:
            return
        interval = self.draw_interval()
        self.tell(f"person {booking.person} moves {name_of(booking)} in Outlook to {say(interval)}")
        times = times_in(interval.start, interval.end, self.draw_zone())
        times |= {"isAllDay": False} if event["isAllDay"] else {}
        self.world.run(self.world.person(booking.person).change(event["id"], **times))
        booking.interval, booking.edits = self.find_what_holds(booking, interval), booking.edits + 1

    def reroom_meeting(self) -> None:
        booking = self.pick("outlook")
        event = self.find_event(booking) if booking else None
        if booking is None or event is None:
            return
        rooms = self.draw_rooms()
        self.tell(f"person {booking.person} takes {name_of(booking)} to rooms {rooms}")
        self.world.run(self.world.person(booking.person).set_rooms(event["id"], self.world.addresses(rooms)))

    def cancel_meeting(self) -> None:
        booking = self.pick(self.random.choice(["outlook", "outlook", "app"]))
        event = self.find_event(booking) if booking else None
        if booking is None or event is None:
            return
        self.tell(f"person {booking.person} cancels {name_of(booking)} in Outlook")
        if booking.number is not None and not self.world.links().get(booking.number):
            booking.uncertain = True
        self.world.run(self.world.person(booking.person).cancel(event["id"]))
        booking.cancelled = True

    def hand_over(self) -> None:
        """Let an administrator give somebody's meeting another organizer; that takes longer than rooms to answer. One
        that no room holds is in nobody's calendar that the engine knows of then, and is left alone."""
        booking = self.pick(self.random.choice(["outlook", "app"]))
        event = self.find_single(booking) if booking else None
        person = self.draw_person()
        if booking is None or event is None or person == booking.person or is_in_no_room(event):
            return
        self.tell(f"an administrator gives {name_of(booking)} from person {booking.person} to person {person}")
        booking.uncertain |= booking.number is not None and not self.world.links().get(booking.number)
        people = self.world.people
        self.world.untold.handed_over.add(event["iCalUId"])
        self.world.tenant.office.change_organizer(people[booking.person - 1], event["iCalUId"], people[person - 1])
        booking.person = person

    # --- series in Outlook: what `daily_series.py` and `patterns.py` need

    def follow(self, series: RememberedSeries) -> None:
        self.series.append(series)
        self.look_at(series)

    def draw_hour(self) -> float:
        return self.random.randrange(8 * 4, 18 * 4) / 4

    def pick_series(self) -> RememberedSeries | None:
        alive = [series for series in self.series if not series.cancelled]
        return self.random.choice(alive) if alive else None

    def look_at(self, series: RememberedSeries, *, times: bool = True) -> None:
        """
        Remember each date as its organizer's calendar shows it after what the organizer did there.

        Args:
            series: what was looked at.
            times: whether the organizer gave it times; else those given last hold, which a late answer may not show.
        """
        shown = {} if series.cancelled else self.world.dates_by_name(series.person, series.event_id)
        known = {date.ical_uid or "": date for date in series.dates}
        for name, event in shown.items():
            if name not in known:
                known[name] = Remembered("outlook", ical_uid=name, person=series.person, series=series)
                series.dates.append(known[name])
                self.bookings.append(known[name])
            known[name].event_id, known[name].cancelled = event["id"], False
            if times or known[name].interval is None:
                known[name].interval = self.find_what_holds(known[name], self.world.times_of(event))
        for name, remembered in known.items():
            remembered.cancelled = remembered.cancelled or name not in shown

    def find_what_holds(self, booking: Remembered, interval: Interval | None) -> Interval | None:
        """
        Return what holds where an organizer says *interval*: where both sides agree on that still, nobody has heard of
        what is taken back, and a move of the desk that is on its way to Outlook meets no other; and where the desk has
        taken the last room out, the event is about to go.
        """
        number = self.number_of(booking)
        held = self.world.office.ledger.load_booking("loan", str(number)) if number is not None else None
        if held is not None and held.loan is not None and not held.loan.rooms:
            return held.loan.interval
        if held is None or held.loan is None or held.link is None or held.link.base is None:
            return interval
        agreed = held.link.base.outlook.interval, held.link.base.loan.interval
        return held.loan.interval if agreed == (interval, interval) else interval

    # --- the app

    def book(self) -> None:
        person, rooms, interval = self.draw_person(), self.draw_rooms(), self.draw_interval(odd=False)
        self.tell(f"desk books {rooms} for person {person} {say(interval)}")
        loan = self.world.book_at(person, interval, *rooms)
        self.remember(loan, person)
        self.log[-1] += f" = loan {loan.number}"

    def remember(self, loan: Loan, person: int) -> Remembered:
        """Remember a loan that was just booked at the desk."""
        self.bookings.append(Remembered("app", number=loan.number, person=person, interval=loan.interval))
        return self.bookings[-1]

    def number_of(self, booking: Remembered) -> int | None:
        if booking.number is not None:
            return booking.number
        return self.world.loan_of(booking.ical_uid or "")

    def _change(self, booking: Remembered, change: LoanChange, text: str) -> bool:
        number = self.number_of(booking)
        if number is None:
            return False
        self.tell(f"desk {text} loan {number} ({name_of(booking)})")
        self.world.change(number, change)
        booking.over = None
        return True

    def move_loan(self) -> None:
        booking = self.pick_for_desk(self.random.choice(["outlook", "app", "app"]))
        if booking is None:
            return
        interval = self.draw_interval(odd=False)
        if self._change(booking, LoanChange(start=interval.start, end=interval.end), f"to {say(interval)} moves"):
            booking.interval, booking.edits = interval, booking.edits + 1

    def reroom_loan(self) -> None:
        booking = self.pick("app")
        if booking is not None:
            rooms = self.draw_rooms()
            items = tuple(self.world.item(room) for room in rooms)
            if self._change(booking, LoanChange(items=items), f"to rooms {rooms} takes"):
                booking.things = frozenset()

    def give_loan(self) -> None:
        booking = self.pick("app")
        if booking is not None:
            person = self.draw_person()
            change = LoanChange(requester=self.world.requester(person))
            self._change(booking, change, f"to person {person} gives")

    def cancel_loan(self) -> None:
        booking = self.pick_for_desk(self.random.choice(["outlook", "app", "app"]))
        number = self.number_of(booking) if booking is not None else None
        if booking is None or number is None:
            return
        self.tell(f"desk cancels loan {number} ({name_of(booking)})")
        self.world.act_on(number, LoanAction.CANCEL)
        booking.cancelled, booking.over = True, None
        booking.things = frozenset()  # its organizer may bring the meeting back, and nothing with it

    @staticmethod
    def read_time(value: dict[str, str]) -> datetime:
        return parse_instant(value)

    # --- whoever looks after the cases

    def settle_case(self) -> None:
        """Settle an open case any way there is, or take an earlier settlement back."""
        cases = self.world.office.cases
        found = self.world.office.desk.list_cases(state=None, after=None, limit=1000)
        if not found:
            return
        case = self.random.choice(found)
        if case.state is not CaseState.OPEN:
            self.tell(f"undoes case {case.id} ({case.code})")
            cases.undo(case.id, actor="app:test")
            return
        choices = [choice.way for choice in cases.find(case.id).choices if choice.way is not Way.REJECT]
        if choices:
            way = self.random.choice(choices)
            self.tell(f"settles case {case.id} ({case.code}) by {way}")
            before = self.world.loan(case.loan_number) if case.loan_number is not None else None
            cases.settle(case.id, way, room_id=None, actor="app:test")
            if way is not Way.IGNORE and before is not None:
                self._accept_settlement(before)

    def _accept_settlement(self, before: Loan) -> None:
        """Remember what the settlement of a case gave its loan: that was wanted last. Times it left alone may be older
        than an edit in Outlook of which the desk has not heard yet."""
        loan = self.world.loan(before.number)
        for booking in self.bookings:
            if self.number_of(booking) == loan.number:
                booking.interval = loan.interval if loan.interval != before.interval else booking.interval
                booking.things &= {int(item.id) for item in loan.held_items}

    def believe_everything(self) -> bool:
        """Confirm every cancellation that is held back; return whether there was any."""
        believed = False
        while held := self._find_held():
            self.world.office.cases.settle(held[0], Way.CONFIRM, room_id=None, actor="app:test")
            believed = True
        return believed

    def _find_held(self) -> list[int]:
        """Return the cases of the brake. Of two rooms that hold the same loans back, one answer closes both."""
        cases = self.world.office.desk.list_cases(state=CaseState.OPEN, after=None, limit=1000)
        return [case.id for case in cases if case.code == "mass_cancel_held"]


def say(interval: Interval) -> str:
    return f"{interval.start:%d %H:%M}-{interval.end:%H:%M}"


def name_of(booking: Remembered) -> str:
    return f"loan {booking.number}" if booking.number is not None else f"meeting {(booking.ical_uid or '')[-15:]}"


def is_in_no_room(event: dict[str, Any]) -> bool:
    return all(attendee["status"]["response"] in ("none", "declined") for attendee in event["attendees"])


def parse_instant(value: dict[str, str]) -> datetime:
    """Return a Graph time of a UTC answer."""
    return datetime.fromisoformat(value["dateTime"][:19] + "+00:00")
