"""People who use a world at random, on both sides, and remember what they did: the invariants are judged from
their memory, not from the engine's."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from engine.errors import DeskError
from engine.interval import Interval
from engine.loans.loan import CaseState, Loan
from engine.loans.register import LoanChange
from engine.loans.status import LoanAction
from engine.prove.app_series import AppSeries
from engine.prove.series import at, book_series, recurrence
from engine.prove.world import World
from engine.reconcile.ways import Way
from engine.simulator.people import Refused

DAYS = 3
"""Bookings fall on so few days, and between 8 and 18 o'clock, so that they meet each other."""


@dataclass
class Remembered:
    """One booking as its people remember it: who made it, and the last value they gave each field."""

    side: str
    number: int | None = None
    """The loan's, when born in the app."""
    ical_uid: str | None = None
    """The meeting's, when born in Outlook."""
    event_id: str | None = None
    person: int = 1
    interval: Interval | None = None
    cancelled: bool = False
    uncertain: bool = False
    """An edit of which its author never heard the outcome."""
    edits: int = 0
    series: RememberedSeries | None = None
    """The series it is a date of."""


@dataclass
class RememberedSeries:
    """A series as its people remember it."""

    person: int
    event_id: str
    first: date
    length: int
    """How many dates its pattern has."""
    dates: list[Remembered] = field(default_factory=list)
    cancelled: bool = False


@dataclass
class Crowd:
    """Acts at random. Everything is drawn from one seed, so a schedule can be lived through again."""

    world: World
    random: random.Random
    bookings: list[Remembered] = field(default_factory=list)
    series: list[RememberedSeries] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    refused: int = 0

    def __post_init__(self) -> None:
        self.app = AppSeries(self)

    def act(self, verb: Callable[[Crowd], object]) -> None:
        """Do one thing; what is refused at this moment is refused."""
        try:
            verb(self)
        except (Refused, DeskError) as error:
            self.refused += 1
            self.log.append(f"  refused: {type(error).__name__} {str(error)[:90]}")

    # --- drawing

    def _interval(self) -> Interval:
        start = self.world.at(self.random.randrange(8 * 4, 18 * 4) / 4, days=self.random.randint(1, DAYS))
        return Interval(start, start + timedelta(minutes=15 * self.random.randint(1, 8)))

    def draw_rooms(self) -> list[int]:
        rooms = range(1, len(self.world.room_addresses) + 1)
        return sorted(self.random.sample(rooms, min(len(rooms), self.random.choice([1, 1, 1, 2]))))

    def draw_person(self) -> int:
        return self.random.randint(1, len(self.world.people))

    def _pick(self, side: str) -> Remembered | None:
        alive = [booking for booking in self.bookings if booking.side == side and not booking.cancelled]
        return self.random.choice(alive) if alive else None

    def tell(self, text: str) -> None:
        self.log.append(f"{self.world.loop.time():9.2f} {text}")

    # --- Outlook

    def meet(self) -> None:
        person, rooms, interval = self.draw_person(), self.draw_rooms(), self._interval()
        self.tell(f"person {person} meets in {rooms} {_say(interval)}")
        addresses = [self.world.room_addresses[room - 1] for room in rooms]
        event = self.world.run(
            self.world.person(person).book(interval.start, interval.end, rooms=addresses, subject="Meeting")
        )
        self.bookings.append(
            Remembered("outlook", ical_uid=event["iCalUId"], event_id=event["id"], person=person, interval=interval)
        )

    def _find_event(self, booking: Remembered) -> dict[str, Any] | None:
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
                if event["subject"].startswith(f"#{booking.number} "):
                    booking.person = person
                    return dict(event)
        return None

    def _find_single(self, booking: Remembered) -> dict[str, Any] | None:
        event = self._find_event(booking)
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
        booking = self._pick(self.random.choice(["outlook", "outlook", "app"]))
        event = self._find_event(booking) if booking else None
        if booking is None or event is None:
            return
        interval = self._interval()
        self.tell(f"person {booking.person} moves {_name(booking)} in Outlook to {_say(interval)}")
        self.world.run(self.world.person(booking.person).move(event["id"], interval.start, interval.end))
        booking.interval, booking.edits = interval, booking.edits + 1

    def reroom_meeting(self) -> None:
        booking = self._pick("outlook")
        event = self._find_event(booking) if booking else None
        if booking is None or event is None:
            return
        rooms = self.draw_rooms()
        self.tell(f"person {booking.person} takes {_name(booking)} to rooms {rooms}")
        addresses = [self.world.room_addresses[room - 1] for room in rooms]
        self.world.run(self.world.person(booking.person).set_rooms(event["id"], addresses))

    def cancel_meeting(self) -> None:
        booking = self._pick(self.random.choice(["outlook", "outlook", "app"]))
        event = self._find_event(booking) if booking else None
        if booking is None or event is None:
            return
        self.tell(f"person {booking.person} cancels {_name(booking)} in Outlook")
        if booking.number is not None and not self.world.links().get(booking.number):
            booking.uncertain = True
        self.world.run(self.world.person(booking.person).cancel(event["id"]))
        booking.cancelled = True

    def hand_over(self) -> None:
        """Let an administrator give somebody's meeting another organizer; that takes longer than rooms to answer."""
        booking = self._pick(self.random.choice(["outlook", "app"]))
        event = self._find_single(booking) if booking else None
        person = self.draw_person()
        if booking is None or event is None or person == booking.person or _is_unanswered(event):
            return
        self.tell(f"an administrator gives {_name(booking)} from person {booking.person} to person {person}")
        people = self.world.people
        self.world.tenant.office.change_organizer(people[booking.person - 1], event["iCalUId"], people[person - 1])
        booking.person = person

    # --- series in Outlook

    def meet_daily(self) -> None:
        """Book a short daily series: it meets everything else."""
        person, rooms = self.draw_person(), self.draw_rooms()
        first = self.world.at(0, days=self.random.randint(1, DAYS - 1)).date()
        hour, times = self.draw_hour(), self.random.randint(2, DAYS)
        self.tell(f"person {person} meets daily in {rooms} from {first} at {hour}, {times} times")
        master = book_series(self.world, person, first, hour, *rooms, kind="daily", times=times)
        self._follow(RememberedSeries(person, master["id"], first, times))

    def _follow(self, series: RememberedSeries) -> None:
        self.series.append(series)
        self._look_at(series)

    def draw_hour(self) -> float:
        return self.random.randrange(8 * 4, 18 * 4) / 4

    def _pick_series(self) -> RememberedSeries | None:
        alive = [series for series in self.series if not series.cancelled]
        return self.random.choice(alive) if alive else None

    def _look_at(self, series: RememberedSeries, *, times: bool = True) -> None:
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
                known[name].interval = Interval(parse_instant(event["start"]), parse_instant(event["end"]))
        for name, remembered in known.items():
            remembered.cancelled = remembered.cancelled or name not in shown

    def move_series(self) -> None:
        series = self._pick_series()
        if series is None:
            return
        hour = self.draw_hour()
        self.tell(f"person {series.person} moves the series of {series.first} to {hour}")
        move = self.world.person(series.person).move(
            series.event_id, at(series.first, hour), at(series.first, hour + 1)
        )
        self.world.run(move)
        self._look_at(series)

    def cut_series(self) -> None:
        """Let this and the following dates go on otherwise: a shortened series, and another one."""
        series = self._pick_series()
        if series is None or series.length < 2:
            return
        rooms, hour = self.draw_rooms(), self.draw_hour()
        kept = self.random.randint(1, series.length - 1)
        after, left = series.first + timedelta(days=kept), series.length - kept
        series.length = kept
        self.tell(f"person {series.person} takes the series of {series.first} from {after} on to {rooms} at {hour}")
        cut = recurrence(series.first, kind="daily", until=after - timedelta(days=1))
        self.world.run(self.world.person(series.person).change(series.event_id, recurrence=cut))
        self._look_at(series)
        following = book_series(self.world, series.person, after, hour, *rooms, kind="daily", times=left)
        self._follow(RememberedSeries(series.person, following["id"], after, left))

    def reroom_series(self) -> None:
        series = self._pick_series()
        if series is None:
            return
        rooms = self.draw_rooms()
        self.tell(f"person {series.person} takes the series of {series.first} to rooms {rooms}")
        addresses = [self.world.room_addresses[room - 1] for room in rooms]
        self.world.run(self.world.person(series.person).set_rooms(series.event_id, addresses))
        self._look_at(series, times=False)

    def cancel_series(self) -> None:
        series = self._pick_series()
        if series is None:
            return
        self.tell(f"person {series.person} cancels the series of {series.first}")
        self.world.run(self.world.person(series.person).cancel(series.event_id))
        series.cancelled = True
        self._look_at(series)

    # --- the app

    def book(self) -> None:
        person, rooms, interval = self.draw_person(), self.draw_rooms(), self._interval()
        self.tell(f"desk books {rooms} for person {person} {_say(interval)}")
        loan = self.world.book_at(person, interval, *rooms)
        self.remember(loan, person)
        self.log[-1] += f" = loan {loan.number}"

    def remember(self, loan: Loan, person: int) -> None:
        """Remember a loan that was just booked at the desk."""
        self.bookings.append(Remembered("app", number=loan.number, person=person, interval=loan.interval))

    def number_of(self, booking: Remembered) -> int | None:
        if booking.number is not None:
            return booking.number
        return self.world.loan_of(booking.ical_uid or "")

    def _change(self, booking: Remembered, change: LoanChange, text: str) -> bool:
        number = self.number_of(booking)
        if number is None:
            return False
        self.tell(f"desk {text} loan {number} ({_name(booking)})")
        self.world.change(number, change)
        return True

    def move_loan(self) -> None:
        booking = self._pick(self.random.choice(["outlook", "app", "app"]))
        if booking is None:
            return
        interval = self._interval()
        if self._change(booking, LoanChange(start=interval.start, end=interval.end), f"to {_say(interval)} moves"):
            booking.interval, booking.edits = interval, booking.edits + 1

    def reroom_loan(self) -> None:
        booking = self._pick("app")
        if booking is not None:
            rooms = self.draw_rooms()
            items = tuple(self.world.item(room) for room in rooms)
            self._change(booking, LoanChange(items=items), f"to rooms {rooms} takes")

    def give_loan(self) -> None:
        booking = self._pick("app")
        if booking is not None:
            person = self.draw_person()
            change = LoanChange(requester=self.world.requester(person))
            self._change(booking, change, f"to person {person} gives")

    def cancel_loan(self) -> None:
        booking = self._pick(self.random.choice(["outlook", "app", "app"]))
        number = self.number_of(booking) if booking is not None else None
        if booking is None or number is None:
            return
        self.tell(f"desk cancels loan {number} ({_name(booking)})")
        self.world.act_on(number, LoanAction.CANCEL)
        booking.cancelled = True

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
            cases.settle(case.id, way, room_id=None, actor="app:test")
            self._accept_settlement(case.loan_number)

    def _accept_settlement(self, number: int | None) -> None:
        """Remember what the desk shows of a loan whose case somebody settled: that is what was wanted last."""
        for booking in self.bookings:
            if number is not None and self.number_of(booking) == number:
                booking.interval = self.world.loan(number).interval

    def believe_everything(self) -> None:
        """Confirm every cancellation that is held back."""
        for case in self.world.office.desk.list_cases(state=CaseState.OPEN, after=None, limit=1000):
            if case.code == "mass_cancel_held":
                self.world.office.cases.settle(case.id, Way.CONFIRM, room_id=None, actor="app:test")


def _say(interval: Interval) -> str:
    return f"{interval.start:%d %H:%M}-{interval.end:%H:%M}"


def _name(booking: Remembered) -> str:
    return f"loan {booking.number}" if booking.number is not None else f"meeting {(booking.ical_uid or '')[-15:]}"


def _is_unanswered(event: dict[str, Any]) -> bool:
    return all(attendee["status"]["response"] == "none" for attendee in event["attendees"])


def parse_instant(value: dict[str, str]) -> datetime:
    """Return a Graph time of a UTC answer."""
    return datetime.fromisoformat(value["dateTime"][:19] + "+00:00")
