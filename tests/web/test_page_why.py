"""The page Why?: the answer in a word, the trail behind it, and what private bookings keep to themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.loans.status import LoanAction
from engine.reconcile.actions import Note
from engine.web.pages.loans.why import Verdict, decide_verdict, split
from tests.web.case_scene import open_case
from tests.web.visitors import AMELIE, MATHIEU, House, open_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as found:
        yield found


def ask(house: House, role: str = "viewer", *, room: str = "Fern", at: str = "10:30", **more: str) -> str:
    person = MATHIEU if role != "requester" else AMELIE
    answer = house.signed_in(role, person, **more).get(f"/why?room={house.room(room)}&day=2026-11-23&at={at}")
    assert answer.status_code == 200
    return answer.text


class TestTheAnswer:
    def test_a_booked_room_names_its_loan_and_how_it_came_to_be(self, house: House) -> None:
        """In local time, with the loan's history."""
        house.book(hour=10, title="Budget 2027")

        shown = ask(house)

        assert "Fern is kept Mon 23 Nov 2026, 10:00 – 11:00 for loan 1" in shown
        assert "Budget 2027" in shown
        assert "Booked in the app." in shown

    def test_a_cancelled_loan_tells_who_decided(self, house: House) -> None:
        loan = house.book(hour=10)
        house.office.desk.act(loan.number, LoanAction.CANCEL, actor=f"app:{AMELIE.address}")

        shown = ask(house)

        assert "it was cancelled" in shown
        assert f"by {AMELIE.address}" in shown

    def test_speaks_french(self, house: House) -> None:
        house.book(hour=10)

        shown = ask(house, **{"Accept-Language": "fr"})

        assert "Fern est gardée le lun. 23 nov. 2026, 10:00 – 11:00 pour le prêt 1" in shown

    def test_without_a_question_there_is_no_answer(self, house: House) -> None:
        """The form offers the quarter of an hour that runs."""
        shown = house.signed_in("viewer").get("/why").text

        assert "verdict" not in shown
        assert "<option selected>10:00</option>" in shown

    @pytest.mark.parametrize(
        "query", ["room=x", "room=1&day=1-1-1", "room=1&at=25:00", "room=1&at=٠٩:٠٠", "room=1&day=1900-01-01"]
    )
    def test_nonsense_is_refused(self, house: House, query: str) -> None:
        assert house.signed_in("viewer").get(f"/why?{query}").status_code == 422

    def test_an_unknown_room_is_not_found(self, house: House) -> None:
        assert house.signed_in("viewer").get("/why?room=77").status_code == 404

    def test_is_not_for_requesters(self, house: House) -> None:
        assert house.signed_in("requester").get("/why").status_code == 403


class TestPrivateBookings:
    def test_say_that_the_room_is_taken_and_nothing_else(self, house: House) -> None:
        loan = house.book(hour=10, title="Surprise", private=True)
        facts = {"field": "requester", "winner": "outlook", "kept": "amelie@x", "lost": "secret@x"}
        open_case(house.office, f"loan:{loan.number}:requester:1", Note("both_changed", facts), loan=loan)

        shown = ask(house)

        assert "Fern is kept" in shown
        assert "Private booking" in shown
        assert "Surprise" not in shown
        assert "secret@x" not in shown
        assert "Booked in the app." not in shown


class TestVerdicts:
    @pytest.mark.parametrize(
        ("codes", "verdict"),
        [
            (["why_held_accepted", "why_meeting_listed"], Verdict.BOOKED),
            (["why_cancelled", "why_meeting_waits"], Verdict.OUTLOOK),
            (["why_room_excluded"], Verdict.UNSEEN),
            (["why_beyond_horizon"], Verdict.UNSEEN),
            (["why_cancelled", "why_meeting_gone"], Verdict.FREE),
            (["why_nothing_known"], Verdict.FREE),
        ],
    )
    def test_what_holds_the_room_counts_first(self, codes: list[str], verdict: Verdict) -> None:
        assert decide_verdict([Note(code) for code in (*codes, "why_read_subscribed")]) is verdict

    def test_sentences_stay_with_what_they_are_about(self) -> None:
        """A loan, who decided and its cases are one strand; the last line, how fresh it all is, is none."""
        codes = ["why_held_accepted", "room_declined", "why_cancelled", "why_decided", "refused", "why_read_subscribed"]

        strands = split([Note(code) for code in codes])

        assert [[note.code for note in strand.notes] for strand in strands] == [codes[:2], codes[2:5]]
