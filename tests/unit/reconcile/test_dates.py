"""The view's dates: one table, and what a plan makes of it from either side."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.interval import Interval
from engine.loans.loan import Home
from engine.reconcile.actions import CreateEvent, NewLoan
from engine.reconcile.dates import ANY_DATE, Dates, Outside
from engine.reconcile.plan import plan
from engine.reconcile.views import MeetingView, Presence
from tests.unit.reconcile.building import NOW, make_base, make_loan, make_meeting, situation

TWO_MONTHS_BACK_ONE_YEAR_AHEAD = Dates(days_back=60, days_ahead=365)
NOT_YET = MeetingView(Presence.NOT_YET)


def days(start: float, end: float) -> Interval:
    return Interval(NOW + timedelta(days=start), NOW + timedelta(days=end))


@pytest.mark.parametrize(
    ("dates", "start", "end", "outside"),
    [
        (ANY_DATE, -3000, -2999, None),
        (ANY_DATE, 3000, 3001, None),
        (TWO_MONTHS_BACK_ONE_YEAR_AHEAD, -61, -60, Outside.BEFORE),
        (TWO_MONTHS_BACK_ONE_YEAR_AHEAD, -61, -59.99, None),
        (TWO_MONTHS_BACK_ONE_YEAR_AHEAD, -61, 400, None),
        (TWO_MONTHS_BACK_ONE_YEAR_AHEAD, 0, 1, None),
        (TWO_MONTHS_BACK_ONE_YEAR_AHEAD, 364.99, 370, None),
        (TWO_MONTHS_BACK_ONE_YEAR_AHEAD, 365, 365.1, Outside.BEYOND),
        (Dates(days_ahead=7), -3000, -2999, None),
        (Dates(days_ahead=7), 8, 9, Outside.BEYOND),
        (Dates(days_back=7), 3000, 3001, None),
        (Dates(days_back=7), -9, -8, Outside.BEFORE),
    ],
)
def test_what_touches_the_dates_is_inside(dates: Dates, start: float, end: float, outside: Outside | None) -> None:
    assert dates.outside(days(start, end), NOW) is outside


class TestFromOutlook:
    def test_a_meeting_too_far_ahead_is_no_loan_yet_and_no_case(self) -> None:
        made = plan(situation(make_meeting(interval=days(8, 9)), dates=Dates(days_ahead=7)))

        assert (made.loan, made.cases) == (None, ())
        assert [(note.code, note.facts) for note in made.notes] == [
            ("not_synced", {"reason": "beyond_view", "days": 7})
        ]
        assert isinstance(plan(situation(make_meeting(interval=days(6, 9)), dates=Dates(days_ahead=7))).loan, NewLoan)

    def test_a_meeting_long_over_stays_out(self) -> None:
        made = plan(situation(make_meeting(interval=days(-9, -8)), dates=Dates(days_back=7)))

        assert made.loan is None
        assert made.notes[0].facts == {"reason": "before_view", "days": 7}

    def test_one_that_is_outside_is_not_held_against_other_rules(self) -> None:
        """Whatever else is wrong with it is told once it is its turn."""
        made = plan(
            situation(make_meeting(interval=days(8, 9), organizer=None), dates=Dates(days_ahead=7), people=None)
        )

        assert made.cases == ()


class TestFromTheDesk:
    def test_a_loan_too_far_ahead_gets_its_event_later(self) -> None:
        loan = make_loan(interval=days(8, 9), home=Home.APP)

        made = plan(situation(NOT_YET, loan, dates=Dates(days_ahead=7)))

        assert (made.writes, made.base_after) == ((), None)
        assert [note.code for note in made.notes] == ["beyond_view"]
        later = plan(situation(NOT_YET, loan, dates=Dates(days_ahead=7), now=NOW + timedelta(days=2)))
        assert later.writes == (CreateEvent(),)


class TestWhatBothSidesKnow:
    def test_is_followed_wherever_it_moves(self) -> None:
        """The dates decide whether a booking comes over, not whether it is followed: a move beyond them is a move."""
        before = days(1, 1.1)
        loan, base = make_loan(interval=before), make_base(before)
        moved = make_meeting(interval=days(8, 8.1))

        assert plan(situation(moved, loan, base, dates=Dates(days_ahead=7))) == plan(situation(moved, loan, base))
