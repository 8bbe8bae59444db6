"""What a mode that does not write makes of a plan, and how its cases read."""

from __future__ import annotations

import pytest

from engine.ids import BookableId
from engine.loans.loan import Home
from engine.reconcile.actions import Note, Plan
from engine.reconcile.plan import plan
from engine.reconcile.shadow import cast_shadow
from engine.reconcile.views import MeetingView, Presence
from engine.reconcile.words.reasons import explain
from tests.unit.reconcile.building import NOON, ONE, TWO, make_base, make_loan, make_meeting, situation


def name_of(room: BookableId) -> str:
    return {ONE: "Tilleul", TWO: "Platane"}[room]


def shadow(made: Plan) -> Note:
    """Return the case that tells what would have been done, and make sure that nothing else is left of the plan."""
    cast = cast_shadow(made, name_of)
    assert cast == Plan(cases=(*made.cases, cast.cases[-1]), look_again_seconds=cast.look_again_seconds)
    assert cast.look_again_seconds is not None, "the mode may change"
    return cast.cases[-1]


class TestShadow:
    def test_tells_a_move_in_words(self) -> None:
        case = shadow(plan(situation(make_meeting(interval=NOON), make_loan(), make_base())))

        assert explain(case.code, case.facts) == (
            "Shadow mode: nothing was changed on either side. The history would say: "
            "Moved in Outlook from 2026-11-23 09:00 - 2026-11-23 10:00 to 2026-11-23 12:00 - 2026-11-23 13:00 UTC."
        )
        assert explain(case.code, case.facts, "fr").startswith("Mode fantôme : ")
        assert "Déplacé dans Outlook" in explain(case.code, case.facts, "fr")

    def test_tells_a_loan_that_would_be_made_with_its_rooms(self) -> None:
        case = shadow(plan(situation(make_meeting(answers=(ONE, TWO)))))

        assert explain(case.code, case.facts).endswith(
            "Created from a meeting in Outlook, 2026-11-23 09:00 - 2026-11-23 10:00 UTC. Rooms: Tilleul, Platane."
        )
        assert case.room_id == ONE

    def test_names_the_rooms(self) -> None:
        made = plan(situation(make_meeting(answers=(ONE, TWO)), make_loan(), make_base()))

        text = explain("shadowed", shadow(made).facts)

        assert text.endswith("Room Platane was added in Outlook.")

    def test_tells_what_would_be_written(self) -> None:
        made = plan(situation(MeetingView(Presence.NOT_YET), make_loan(home=Home.APP)))

        assert explain("shadowed", shadow(made).facts).endswith("Event created in Outlook.")

    def test_tells_a_new_title_which_is_in_no_history(self) -> None:
        made = plan(situation(make_meeting(subject="Another"), make_loan(title="One"), make_base()))

        assert explain("shadowed", shadow(made).facts).endswith("The loan follows its meeting in Outlook.")

    def test_leaves_what_both_agree_on_unremembered(self) -> None:
        """A base is a memory of having agreed; nothing was agreed on here."""
        assert cast_shadow(Plan(base=make_base(), end_link=True), name_of) == Plan()


@pytest.mark.parametrize("language", ["en", "fr"])
class TestItsSentence:
    def test_holds_for_what_the_database_may_hold(self, language: str) -> None:
        """Facts come from the database: whatever is in there, a text is made."""
        for would in ([["event_created", {}], "x", ["moved_in_outlook"], [1, {}]], "text", None, 7, []):
            assert explain("shadowed", {"would": would}, language)

    def test_does_not_nest(self, language: str) -> None:
        assert "?" in explain("shadowed", {"would": [["shadowed", {"would": "deep"}]]}, language)
