"""People who book and change series in the app at random, and organizers who change those series in Outlook."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from engine.interval import Interval
from engine.loans.loan import Loan
from engine.loans.recurrence import Recurrence, Repeat, recur
from engine.loans.register import LoanChange
from engine.prove.people import patterns
from engine.prove.people.memory import Remembered
from engine.prove.people.people import Crowd
from engine.prove.people.series import at, recurrence
from engine.reconcile.series.book import DateChoice, DateState, Scope, SeriesOrder
from engine.rooms.series import day_of

UNWRITTEN = "series-"
"""How the meeting of a date is called whose series is not in Outlook yet."""


class AppSeries:
    """What the crowd does with series of the app."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._world = crowd.world
        self._random = crowd.random

    # --- at the desk

    def book(self) -> list[Loan]:
        """Book a short daily series: dates that are taken are left out, or have a room that stands in."""
        crowd = self._crowd
        person, rooms = crowd.draw_person(), crowd.draw_rooms()
        first = self._world.at(0, days=self._random.randint(1, 2)).date()
        hour, times = crowd.draw_hour(), self._random.randint(2, 4)
        recurrence = recur(Repeat.DAILY, at(first, hour), at(first, hour + 1), "Europe/Paris", count=times)
        return self._book(person, rooms, recurrence, f"from {first} at {hour}, {times} times")

    def book_by_pattern(self) -> list[Loan]:
        """Book a series of any other pattern."""
        crowd = self._crowd
        person, rooms = crowd.draw_person(), crowd.draw_rooms()
        recurrence = patterns.draw_recurrence(crowd)
        ends = f"until {recurrence.until}" if recurrence.until else f"{recurrence.count} times"
        return self._book(person, rooms, recurrence, f"{recurrence.repeat} from {recurrence.first}, {ends}")

    def _book(self, person: int, rooms: list[int], recurrence: Recurrence, text: str) -> list[Loan]:
        crowd = self._crowd
        items = tuple(self._world.item(room) for room in rooms)
        order = SeriesOrder(self._world.requester(person), recurrence, items)
        choices = tuple(
            DateChoice(each.day, self._stand_in(each.stand_ins))
            for each in self._world.office.series.preview(order)
            if each.state is not DateState.FREE
        )
        crowd.tell(f"desk books a series in {rooms} for person {person} {text}")
        wanted = SeriesOrder(order.requester, recurrence, items, choices=choices)
        made = self._world.office.series.book(wanted, actor="app:test")
        crowd.log[-1] += f" = series {made.id}: {[loan.number for loan in made.loans]}"
        for loan in made.loans:
            crowd.remember(loan, person)
        return list(made.loans)

    def _stand_in(self, found: Any) -> Any:
        rooms = [ranked.room for each in found for ranked in each.rooms]
        if not rooms or len(found) > 1 or self._random.random() < 0.5:
            return None
        room = self._world.room_number(rooms[0].address)
        return (self._world.item(room),) if room is not None else None

    def change(self) -> None:
        """Change this and the following dates of a series, or all."""
        picked = self._pick()
        if picked is None:
            return
        loan, _ = picked
        scope = self._random.choice([Scope.FOLLOWING, Scope.ALL])
        day, hour = loan.interval.start.date(), self._crowd.draw_hour()
        rooms = self._crowd.draw_rooms()
        items = tuple(self._world.item(room) for room in rooms)
        change = self._random.choice(
            [
                LoanChange(start=at(day, hour), end=at(day, hour + 1)),
                LoanChange(items=items),
                LoanChange(start=at(day, hour), end=at(day, hour + 1), items=items),
            ]
        )
        what = f"{hour if change.start else ''} {rooms if change.items else ''}"
        self._crowd.tell(f"desk changes {scope} of series {loan.series} from loan {loan.number} to {what}")
        self._edit(lambda: self._world.office.series.change(loan.number, change, scope, actor="app:test"))

    def cancel(self) -> None:
        picked = self._pick()
        if picked is None:
            return
        loan, _ = picked
        scope = self._random.choice([Scope.FOLLOWING, Scope.ALL])
        self._crowd.tell(f"desk cancels {scope} of series {loan.series} from loan {loan.number}")
        self._edit(lambda: self._world.office.series.cancel(loan.number, scope, actor="app:test"))

    def _pick(self) -> tuple[Loan, Remembered] | None:
        """Return the loan of a date of some series that has not begun, and what is remembered of it."""
        alive = [(loan, booking) for booking in self._crowd.bookings if not booking.cancelled
                 and (loan := self._loan_of(booking)) is not None and loan.series and loan.blocks]  # fmt: skip
        return self._random.choice(alive) if alive else None

    def _loan_of(self, booking: Remembered) -> Loan | None:
        number = self._crowd.number_of(booking)
        return self._world.loan(number) if number is not None else None

    def _edit(self, edit: Any) -> None:
        """Carry *edit* out, and remember what the desk says of every date afterwards."""
        before = {number: booking for booking in self._crowd.bookings
                  if (number := self._crowd.number_of(booking)) is not None}  # fmt: skip
        was = {number: self._world.loan(number) for number in before}
        edit()
        for number, booking in before.items():
            now = self._world.loan(number)
            booking.things &= {int(item.id) for item in now.held_items}
            if was[number].blocks and not now.blocks:
                booking.cancelled = True
            elif now.interval != was[number].interval:
                booking.interval, booking.edits = now.interval, booking.edits + 1

    # --- in the organizer's Outlook

    def touch_in_outlook(self) -> None:
        """Move, shorten or cancel a series of the app where its requester sees it."""
        found = [
            (person, event)
            for person in range(1, len(self._world.people) + 1)
            for event in self._world.run(self._world.person(person).events())
            if event["type"] == "seriesMaster" and event["subject"].startswith("#") and event["isOrganizer"]
        ]
        if not found:
            return
        person, master = self._random.choice(found)
        uid = master["iCalUId"]
        dates = self._world.dates_by_name(person, master["id"])
        if not dates or not any(self._world.loan_of(name) for name in dates):
            return  # nobody knows yet that it is there
        act = self._random.choice(["move", "cut", "cancel"])
        self._crowd.tell(f"person {person} lets the series {master['subject']} {act} in Outlook")
        someone = self._world.person(person)
        first, gives_times = at_day(master), False
        match act:
            case "move":
                hour = self._crowd.draw_hour()
                start, end = at(first, hour), at(first, hour + 1)
                read = self._crowd.read_time
                gives_times = (read(master["start"]), read(master["end"])) != (start, end)
                self._world.run(someone.move(master["id"], start, end))
            case "cut":
                if master["recurrence"]["pattern"]["type"] == "daily":
                    cut = recurrence(first, kind="daily", until=first + timedelta(days=1))
                    self._world.run(someone.change(master["id"], recurrence=cut))
                else:
                    days = sorted(day for name in dates if (day := day_of(name)) is not None)
                    self._world.run(someone.cancel_following(master["id"], days[len(days) // 2]))
            case _:
                self._world.run(someone.cancel(master["id"]))
        self._look_at(person, master["id"], uid, dates, times=gives_times)
        shown = self._world.dates_by_name(person, master["id"])
        self._doubt_on_their_way({name for name in dates if _times(dates[name]) != _times(shown.get(name, {}))})

    def _doubt_on_their_way(self, touched: set[str]) -> None:
        """Somebody ended or moved dates in Outlook which the desk may have taken to a series by then that is not there
        yet: of another day perhaps, or of none where its times fit no pattern. Whichever is done first holds."""
        days, links = {day_of(name) for name in touched}, self._world.links()
        for booking in self._crowd.bookings:
            number = booking.number or 0
            if (key := links.get(number) or "").startswith(UNWRITTEN):
                booking.uncertain |= day_of(key) in days or not touched.isdisjoint(self._world.names_of(number))

    def _look_at(
        self, person: int, master_id: str, uid: str, before: dict[str, dict[str, Any]], *, times: bool
    ) -> None:
        """Remember the dates as the organizer sees them now. *times*: whether the organizer gave them these; else those
        given last hold, which the calendar may not show yet, but for a date that is shown otherwise than *before*: a
        new pattern takes back what was changed of single dates."""
        shown = self._world.dates_by_name(person, master_id)
        links = self._world.links()
        for booking in self._crowd.bookings:
            key = links.get(booking.number or 0) or ""
            if not key.startswith(f"{uid}@"):
                continue
            if key not in shown:
                booking.cancelled = True
            else:
                start, end = (self._crowd.read_time(shown[key][name]) for name in ("start", "end"))
                is_reset = any(shown[key][name] != before.get(key, shown[key])[name] for name in ("start", "end"))
                if times or is_reset or booking.cancelled:
                    booking.interval = self._crowd.find_what_holds(booking, Interval(start, end))
                    booking.edits += 1
                if booking.cancelled:  # moving a whole series brings its lost dates back, heard of or not
                    booking.cancelled, booking.uncertain = False, True


def _times(event: dict[str, Any]) -> tuple[Any, Any]:
    return event.get("start"), event.get("end")


def at_day(master: dict[str, Any]) -> date:
    return date.fromisoformat(master["recurrence"]["range"]["startDate"])
