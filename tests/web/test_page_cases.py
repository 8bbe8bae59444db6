"""The page of cases: what it shows to whom, the ways out, undoing, filters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from engine.database.settling import settlements
from engine.ids import BookableId
from engine.interval import Interval
from engine.loans.loan import CaseState, Loan
from engine.loans.register import LoanChange
from engine.reconcile.actions import Note
from tests.database.building import add_meeting
from tests.web.case_scene import open_case, open_declined, open_times_conflict
from tests.web.visitors import AMELIE, MATHIEU, House, open_house

HTMX = {"HX-Request": "true"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as found:
        yield found


def later(loan: Loan, hours: int) -> Interval:
    return Interval(loan.interval.start + timedelta(hours=hours), loan.interval.end + timedelta(hours=hours))


def conflict(house: House, **more: bool) -> tuple[Loan, int]:
    """A loan at 10 of which the desk had wanted 12."""
    loan = house.book(hour=10, title="Budget 2027", **more)
    return loan, open_times_conflict(house.office, loan, later(loan, 2))


class TestLooking:
    def test_says_what_both_sides_want_in_local_time(self, house: House) -> None:
        """The loan, its room, both values, which one rules; 10 in Paris, though facts are kept in UTC."""
        conflict(house)

        shown = house.signed_in("viewer").get("/cases").text

        assert "The times were changed on both sides" in shown
        assert "Budget 2027" in shown
        assert "Mon 23 Nov 2026, 10:00 – 11:00" in shown
        assert "Mon 23 Nov 2026, 12:00 – 13:00" in shown
        assert "UTC" not in shown

    def test_a_meeting_that_is_kept_out_is_told_apart_from_what_is_in_its_way(self, house: House) -> None:
        """The card told the room and the times of the loan, as if these were what was not taken over."""
        loan = house.book(hour=10, title="Budget 2027", private=True)
        longer = Interval(loan.interval.start, loan.interval.end + timedelta(minutes=90))
        for room in ("Fern", "Oak"):
            add_meeting(house.office.database, house.room(room), longer, uid="abc")
        facts = {"item_id": house.room("Fern"), "item": "Fern", "loan": loan.number}
        facts |= {"start": "2026-11-23 09:00", "end": "2026-11-23 10:00"}
        open_case(house.office, "meeting:abc", Note("item_unavailable", facts))

        shown = house.signed_in("viewer", MATHIEU).get("/cases").text

        what = re.search(r'<p class="case-what">.*?</p>', shown, re.DOTALL)
        way = re.search(r'<p class="case-loans">.*?</p>', shown, re.DOTALL)
        assert what is not None
        assert way is not None
        assert "A meeting in Outlook" in what[0]
        assert "Fern, Oak" in what[0]
        assert "10:00 – 12:30" in what[0]
        assert "/loans/" not in what[0]
        assert f'<a href="/loans/{loan.number}">' in way[0]
        assert "Private booking" in way[0]

    @pytest.mark.parametrize(
        ("code", "facts", "english", "french"),
        [
            ("key_parked", {"error": "no answer"}, "No answer.", "Pas de réponse."),
            ("shadowed", {"would": []}, "Nothing was changed on either side.", "Rien n’a été changé d’aucun côté."),
            ("organizer_unknown", {"organizer": "a:b"}, "Its organizer a:b is not", "Son organisateur a:b n’est pas"),
            ("organizer_unknown", {"organizer": ""}, "It was made in a room’s own", "Créée dans le calendrier"),
        ],
    )
    def test_does_not_say_its_title_twice(
        self, house: House, code: str, facts: dict[str, object], english: str, french: str
    ) -> None:
        """What comes after the title and its colon begins the sentence below it."""
        open_case(house.office, "loan:1", Note(code, facts))
        page = house.signed_in("viewer")

        assert f'<p class="case-text">{english}' in page.get("/cases/1").text
        page.headers["Accept-Language"] = "fr"
        assert f'<p class="case-text">{french}' in page.get("/cases/1").text

    def test_names_the_loans_of_a_brake_once(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        """As links while they are held; in the sentence, for the record, once they were answered."""
        loan = house.book()
        facts = {"item_id": 1, "count": 1, "total": 3, "limit": 0, "percent": 30, "loans": "7001, 7002"}
        open_case(house.office, "room:1", Note("mass_cancel_held", facts, room_id=BookableId(1)))
        page = house.signed_in("staff")

        assert page.get("/cases/1").text.count("7001") == 1
        monkeypatch.setattr(settlements, "held_loans", lambda _transaction, _case: (loan.number,))
        held = page.get("/cases/1").text
        assert "7001" not in held
        assert held.count("Loans:") == 1
        assert f'<a href="/loans/{loan.number}">' in held

    def test_offers_the_ways_out_to_staff_only(self, house: House) -> None:
        conflict(house)

        assert 'value="keep_loan"' in house.signed_in("staff").get("/cases").text
        assert 'value="keep_loan"' not in house.signed_in("viewer").get("/cases").text

    @pytest.mark.parametrize("path", ["/cases", "/cases/1", "/cases/news"])
    def test_is_not_for_requesters(self, house: House, path: str) -> None:
        conflict(house)

        assert house.signed_in("requester").get(path).status_code == 403

    def test_a_private_loan_tells_neither_title_nor_requester(self, house: House) -> None:
        """Its times may be known; what it is about, and for whom, is nobody else's business."""
        loan, _ = conflict(house, private=True)
        facts = {"field": "requester", "winner": "outlook", "kept": "amelie@x", "lost": "secret@x", "lost_value": []}
        open_case(house.office, f"loan:{loan.number}:requester:1", Note("both_changed", facts), loan=loan)

        others = house.signed_in("admin", MATHIEU).get("/cases").text
        own = house.signed_in("viewer", AMELIE).get("/cases").text

        assert "Private booking" in others
        assert "Budget 2027" not in others
        assert "secret@x" not in others
        assert "Budget 2027" in own
        assert "secret@x" in own

    def test_nothing_to_settle_is_said(self, house: House) -> None:
        assert "Nothing to settle" in house.signed_in("viewer").get("/cases").text

    def test_an_unknown_case_is_not_found(self, house: House) -> None:
        assert house.signed_in("viewer").get("/cases/77").status_code == 404
        assert house.signed_in("staff").post("/cases/77/settle", data={"way": "ignore"}).status_code == 404


class TestFilters:
    def test_topic_room_and_store(self, house: House) -> None:
        """Each filter leaves what fits it; the counts by topic stay those of the other filters."""
        conflict(house)
        moss = house.book(room="Moss", title="Tea")
        open_declined(house.office, moss, house.room("Moss"))
        page = house.signed_in("viewer")

        def numbers(query: str) -> list[str]:
            return re.findall(r'id="case-(\d+)"', page.get(f"/cases?{query}").text)

        assert numbers("") == ["2", "1"]
        assert numbers("topic=room") == ["2"]
        assert numbers("topic=both") == ["1"]
        assert numbers(f"room={house.room('Moss')}") == ["2"]
        assert numbers(f"room={house.room('Oak')}") == []
        assert numbers(f"store={moss.store_id}") == ["2", "1"]
        assert numbers("store=99") == []
        assert numbers("room=&store=&topic=") == ["2", "1"]

    def test_long_lists_go_on_where_they_ended(self, house: House) -> None:
        """Open ones newest first; settled ones by when they were settled, the last first, ties by number."""
        loan = house.book()
        for number in range(30):
            open_case(house.office, f"loan:{loan.number}:{number}", Note("key_parked", {"error": "x"}), loan=loan)
        page = house.signed_in("staff")

        first = page.get("/cases").text
        second = page.get(re.search(r'rel="next" href="([^"]+)"', first)[1].replace("&amp;", "&")).text  # type: ignore[index]

        assert re.findall(r'id="case-(\d+)"', first) == [str(number) for number in range(30, 5, -1)]
        assert re.findall(r'id="case-(\d+)"', second) == ["5", "4", "3", "2", "1"]
        for number in range(1, 31):
            page.post(f"/cases/{number}/settle", data={"way": "ignore"})
        first = page.get("/cases?shelf=settled").text
        second = page.get("/cases?shelf=settled&before=6").text
        assert re.findall(r'id="case-(\d+)"', first) == [str(number) for number in range(30, 5, -1)]
        assert re.findall(r'id="case-(\d+)"', second) == ["5", "4", "3", "2", "1"]

    def test_what_closed_by_itself_lies_apart(self, house: House) -> None:
        house.office.note_parked("room", "3", "the mailbox is gone")
        house.office.note_recovered("room", "3")
        page = house.signed_in("viewer")

        assert 'id="case-1"' in page.get("/cases?shelf=gone").text
        assert 'id="case-1"' not in page.get("/cases?shelf=settled").text
        assert 'id="case-1"' not in page.get("/cases").text

    @pytest.mark.parametrize(
        ("language", "words"), [("en", "The booking is over"), ("fr", "La réservation est terminée")]
    )
    def test_what_is_over_says_so(
        self, house: House, monkeypatch: pytest.MonkeyPatch, language: str, words: str
    ) -> None:
        """Nobody settled it, so there is nothing to undo, and nothing is said of that either."""
        loan, number = conflict(house)
        with monkeypatch.context() as later_on:
            later_on.setattr(house.office.database, "clock", lambda: loan.interval.end + timedelta(days=2))
            house.office.desk.run_clock()
        page = house.signed_in("staff", **{"Accept-Language": language})

        shown = page.get("/cases?shelf=gone").text

        assert f'id="case-{number}"' in shown
        assert words in shown
        assert "/undo" not in shown
        assert "Nothing was changed" not in shown

    @pytest.mark.parametrize("query", ["shelf=attic", "topic=weather", "room=x", "before=-1", "room=99999999999"])
    def test_nonsense_is_refused(self, house: House, query: str) -> None:
        assert house.signed_in("viewer").get(f"/cases?{query}").status_code == 422


class TestSettling:
    def test_one_click_takes_up_the_other_value_and_another_takes_it_back(self, house: House) -> None:
        """The card then says who settled it and how, with an undo on it; after that it is open again."""
        loan, case = conflict(house)
        page = house.signed_in("staff", MATHIEU)

        settled = page.post(f"/cases/{case}/settle", data={"way": "keep_loan"}, headers=HTMX)

        assert settled.status_code == 200
        assert "Keep what the loan says" in settled.text
        assert MATHIEU.address in settled.text
        assert "Undo" in settled.text
        assert house.office.desk.find(loan.number).interval == later(loan, 2)
        undone = page.post(f"/cases/{case}/undo", headers=HTMX)
        assert 'value="keep_loan"' in undone.text
        assert house.office.desk.find(loan.number).interval == loan.interval

    def test_works_without_javascript(self, house: House) -> None:
        _, case = conflict(house)

        answer = house.signed_in("staff").post(f"/cases/{case}/settle", data={"way": "keep_outlook"})

        assert (answer.status_code, answer.headers["location"]) == (303, f"/cases/{case}")

    def test_moves_to_the_room_that_was_chosen(self, house: House) -> None:
        loan = house.book(room="Oak")
        case = open_declined(house.office, loan, house.room("Oak"))
        page = house.signed_in("staff")
        offered = re.findall(r'value="move_room:(\d+)"', page.get("/cases").text)

        page.post(f"/cases/{case}/settle", data={"way": f"move_room:{offered[-1]}"})

        assert len(offered) == 2
        assert [room.id for room in house.office.desk.find(loan.number).rooms] == [int(offered[-1])]

    def test_a_room_taken_meanwhile_is_told_on_the_card_and_nothing_changes(self, house: House) -> None:
        loan = house.book(room="Oak")
        case = open_declined(house.office, loan, house.room("Oak"))
        page = house.signed_in("staff")
        house.book(room="Moss", person=MATHIEU)

        answer = page.post(f"/cases/{case}/settle", data={"way": f"move_room:{house.room('Moss')}"}, headers=HTMX)

        assert answer.status_code == 409
        assert "Already taken" in answer.text
        assert f'id="case-{case}"' in answer.text
        assert [room.name for room in house.office.desk.find(loan.number).rooms] == ["Oak"]

    def test_settling_twice_is_refused_and_shows_who_was_first(self, house: House) -> None:
        _, case = conflict(house)
        house.signed_in("staff", AMELIE).post(f"/cases/{case}/settle", data={"way": "ignore"})

        answer = house.signed_in("staff", MATHIEU).post(
            f"/cases/{case}/settle", data={"way": "keep_loan"}, headers=HTMX
        )

        assert answer.status_code == 409
        assert AMELIE.address in answer.text

    def test_an_undo_that_is_not_possible_any_more_says_why(self, house: House) -> None:
        """Somebody changed the loan since: its change is not thrown away."""
        loan, case = conflict(house)
        page = house.signed_in("staff", **{"Accept-Language": "fr"})
        page.post(f"/cases/{case}/settle", data={"way": "keep_loan"})
        moved = later(loan, 4)
        house.office.desk.change(loan.number, LoanChange(start=moved.start, end=moved.end), actor="app:test")

        shown = page.get(f"/cases/{case}").text
        answer = page.post(f"/cases/{case}/undo", headers=HTMX)

        assert "Le prêt 1 a été modifié depuis." in shown
        assert ">Annuler<" not in shown
        assert answer.status_code == 409
        assert house.office.desk.find(loan.number).interval == moved

    def test_is_closed_with_a_word(self, house: House) -> None:
        _, case = conflict(house)
        page = house.signed_in("staff")

        answer = page.post(f"/cases/{case}/close", data={"words": "  agreed by phone "}, headers=HTMX)

        assert "agreed by phone" in answer.text
        assert house.office.cases.find(case).case.settlement == "agreed by phone"
        assert page.post(f"/cases/{case}/close", data={"words": "   "}).status_code == 422

    @pytest.mark.parametrize("way", ["", "blow_up", "move_room:", "move_room:99999999999", "move_room:x", "ignore;"])
    def test_nonsense_is_refused(self, house: House, way: str) -> None:
        _, case = conflict(house)

        assert house.signed_in("staff").post(f"/cases/{case}/settle", data={"way": way}).status_code == 422

    @pytest.mark.parametrize("step", ["settle", "close", "undo"])
    def test_only_staff_may_and_only_from_our_own_pages(self, house: House, step: str) -> None:
        _, case = conflict(house)
        form = {"way": "ignore", "words": "x"}
        viewer, staff = house.signed_in("viewer"), house.signed_in("staff")
        staff.headers.pop("X-CSRF-Token")

        assert viewer.post(f"/cases/{case}/{step}", data=form).status_code == 403
        assert staff.post(f"/cases/{case}/{step}", data=form).status_code == 403
        assert house.office.cases.find(case).case.state is CaseState.OPEN


class TestNews:
    def test_are_told_once_a_case_is_newer_than_the_page(self, house: House) -> None:
        conflict(house)
        page = house.signed_in("viewer")
        address = re.search(r'hx-get="(/cases/news[^"]*)"', page.get("/cases").text)[1]  # type: ignore[index]

        assert page.get(address, headers=HTMX).text.strip() == ""
        loan = house.book(hour=14)
        open_declined(house.office, replace(loan), house.room("Fern"))
        assert "new cases" in page.get(address, headers=HTMX).text


class TestWhatTheEngineGaveUp:
    def test_can_be_tried_again(self, house: House) -> None:
        """The card names the room; one click marks its key, and when it succeeds the case closes by itself."""
        fern = house.room("Fern")
        house.office.note_parked("room", str(fern), "the mailbox is gone")
        page = house.signed_in("staff")

        assert "Fern" in page.get("/cases").text
        answer = page.post("/cases/1/retry", headers=HTMX)

        assert "looking again" in answer.text
        waiting = {(key.kind, key.key) for key in house.office.queue.waiting(100)}
        assert ("room", str(fern)) in waiting
        assert house.signed_in("viewer").post("/cases/1/retry").status_code == 403
