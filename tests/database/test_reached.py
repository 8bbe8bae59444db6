"""What was too far ahead for the view's dates is found again once they reach it, by what was told of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from engine.database.reports.why import WhyDesk
from engine.database.sql.connection import Database
from engine.database.sync.reached import mark_reached
from engine.ids import BookableId, LoanNumber
from engine.interval import Interval
from engine.loans.status import LoanAction
from engine.reconcile.dates import Dates
from tests.database.building import (
    BY,
    MONDAY,
    Building,
    StandingClock,
    add_meeting,
    forget_marks,
    hours,
    insert,
    marked,
    order,
    room,
    update,
)

SOON, DATES = hours(24 * 40, 24 * 40 + 1), Dates(days_ahead=30)


def tell(database: Database, code: str, facts: dict[str, object] | None = None, **whose: Any) -> None:
    insert(database, "decision", at=MONDAY, code=code, facts=facts or {}, actor="engine", **whose)


def book(building: Building, interval: Interval = SOON) -> LoanNumber:
    number = building.desk.book(order(interval, room(1)), actor=BY).number
    tell(building.database, "beyond_view", {"days": 30}, loan_number=number)
    forget_marks(building.database)
    return number


def meet(database: Database, uid: str, reason: str = "beyond_view") -> None:
    add_meeting(database, 2, SOON, uid=uid)
    tell(database, "not_synced", {"reason": reason}, ical_uid=uid)


def look(database: Database, dates: Dates = DATES) -> set[str]:
    count = mark_reached(database, dates)
    found = marked(database)
    assert count == len(found)
    return found


def test_both_sides_are_marked_once_they_are_near(building: Building, clock: StandingClock) -> None:
    number = book(building)
    meet(building.database, "uid-1")
    assert look(building.database) == set()

    clock.now = SOON.start - timedelta(days=30)
    assert look(building.database) == set()
    clock.now += timedelta(seconds=1)
    assert look(building.database) == {f"loan:{number}", "meeting:uid-1"}


def test_without_a_limit_all_of_them_are(building: Building) -> None:
    number = book(building)
    assert look(building.database, Dates()) == {f"loan:{number}"}


def test_nothing_that_came_over_ended_or_was_told_otherwise(building: Building, clock: StandingClock) -> None:
    database = building.database
    linked, cancelled = book(building), book(building, hours(24 * 40 + 2, 24 * 40 + 3))
    insert(database, "link", loan_number=linked, generation=1, state="linked", ical_uid="uid-1", base={})
    building.desk.act(cancelled, LoanAction.CANCEL, actor=BY)
    building.desk.book(order(hours(24 * 40 + 4, 24 * 40 + 5), room(1)), actor=BY)
    forget_marks(database)
    meet(database, "uid-1")
    meet(database, "uid-2", "organizer_unknown")
    meet(database, "uid-3")
    values = {"facts": {}, "state": "open", "standing": True, "opened_at": MONDAY}
    insert(database, "case", subject="meeting:uid-3", code="item_unavailable", ical_uid="uid-3", **values)
    clock.now = SOON.start - timedelta(days=1)

    assert look(database) == set()


@pytest.mark.parametrize("change", [{"listed": True}, {"live": False}])
def test_nothing_that_was_there_before_or_is_gone(building: Building, change: dict[str, bool]) -> None:
    meet(building.database, "uid-1")
    update(building.database, "room_copy", **change)

    assert look(building.database, Dates()) == set()


def test_why_tells_of_both(building: Building) -> None:
    book(building)
    meet(building.database, "uid-1")
    why = WhyDesk(building.database)

    assert [note.code for note in why.ask(BookableId(1), SOON.start).notes][:2] == ["why_held_unasked", "beyond_view"]
    assert [note.code for note in why.ask(BookableId(2), SOON.start).notes][:2] == [
        "why_meeting_rejected",
        "beyond_view",
    ]
