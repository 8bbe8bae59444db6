"""A plan in lines: signs, names and reasons, before anything is done."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from engine.ids import BookableId
from engine.loans.loan import Home, Loan
from engine.reconcile.ledger import Booking, Link
from engine.reconcile.plan import plan
from engine.reconcile.telling.lines import PlanLine, say_plan
from engine.reconcile.views import Base, RoomCopy
from engine.reconcile.words.local import PlainTimes
from tests.unit.reconcile.building import (
    GONE,
    NOON,
    ONE,
    clashing,
    make_base,
    make_copy,
    make_loan,
    make_meeting,
    situation,
)

TIMES = PlainTimes(ZoneInfo("Europe/Paris"))


def booking(loan: Loan | None = None, base: Base | None = None, *copies: RoomCopy, hold: str | None = None) -> Booking:
    link = Link(1, "linked", base, None, None, None, None, None, None, None, hold=hold)
    return Booking("loan" if loan else "meeting", "1", loan, link if loan else None, copies)


def name(item: BookableId) -> str:
    return f"Room {item}"


class TestLines:
    def test_a_meeting_becomes_a_loan(self) -> None:
        """A plus, with the times and the reason."""
        meeting = make_meeting(answers=[ONE])

        (line,) = say_plan(booking(), plan(situation(meeting)), name, TIMES)

        assert (line.sign, line.what) == ("+", "new loan 2026-11-23 10:00 - 11:00")
        assert line.why.startswith("Created from a meeting in Outlook")

    @pytest.mark.parametrize(
        ("language", "what"),
        [("en", "event of loan 4711"), ("fr", "événement du prêt 4711"), ("xx", "event of loan 4711")],
    )
    def test_a_moved_loan_moves_its_event(self, language: str, what: str) -> None:
        """In the language that is asked for; anything else reads as English."""
        loan = make_loan(home=Home.APP, interval=NOON)
        made = plan(situation(make_meeting(), loan, make_base()))

        (line,) = say_plan(booking(loan, make_base()), made, name, TIMES, language)

        assert (line.sign, line.what) == ("~", what)

    def test_a_cancelled_meeting_takes_its_loan(self) -> None:
        loan = make_loan()

        (line,) = say_plan(booking(loan, make_base()), plan(situation(GONE, loan, make_base())), name, TIMES)

        assert line == PlanLine("-", "loan 4711", "Cancelled in Outlook.")

    def test_a_cancellation_that_is_held_is_left(self) -> None:
        """It is not going to happen before somebody has confirmed it."""
        loan = make_loan()
        held = booking(loan, make_base(), hold="held")

        (line,) = say_plan(held, plan(situation(GONE, loan, make_base())), name, TIMES)

        assert line.sign == "!"
        assert "waits for a person" in line.why

    def test_a_meeting_that_is_kept_out_is_left(self) -> None:
        """With what keeps it out, the item by its name."""
        copy = make_copy(ONE)
        made = plan(situation(make_meeting(answers=[ONE]), clashes=clashing([ONE])))

        (line,) = say_plan(booking(None, None, copy), made, name, TIMES)

        assert line.sign == "!"
        assert line.what == "meeting 2026-11-23 10:00 - 11:00"
        assert "(loan 77)" in line.why

    def test_agreement_has_no_lines(self) -> None:
        loan = replace(make_loan(), title="")

        assert (
            say_plan(booking(loan, make_base()), plan(situation(make_meeting(), loan, make_base())), name, TIMES) == []
        )
