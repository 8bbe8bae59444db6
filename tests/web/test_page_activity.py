"""The page of what the engine does: the queue, what was given up and trying it again, runs, requests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.app.web_parts import Outside
from engine.database.sql.marks import Priority
from engine.graph.meter import OUTCOMES
from engine.reconcile.telling.activity import Traffic, TrafficFault
from engine.settings.sections import ContactsSettings
from engine.web.pages.administration.activity import FAULTS
from tests.web.visitors import NOW, House, open_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as found:
        drain(found)
        yield found


def drain(house: House) -> None:
    """Let everything that waits be done."""
    while claims := house.office.queue.claim(100):
        for claim in claims:
            house.office.queue.done(claim)


def park(house: House, kind: str, key: str) -> None:
    house.office.enqueue(kind, key)
    (claim,) = house.office.queue.claim(1)
    house.office.queue.park(claim, error="403 Forbidden: the mailbox refuses us")
    house.office.note_parked(kind, key, "403 Forbidden: the mailbox refuses us")


def waiting(house: House) -> set[tuple[str, str]]:
    """Return the keys that are due."""
    return {(key.kind, key.key) for key in house.office.queue.waiting(100) if key.ready_at and key.ready_at <= NOW}


class TestLooking:
    def test_names_what_was_given_up_and_why(self, house: House) -> None:
        park(house, "room", str(house.room("Fern")))

        shown = house.signed_in("viewer").get("/activity").text

        assert "Calendar of Fern" in shown
        assert "403 Forbidden" in shown
        assert "Try again" not in shown

    def test_shows_the_queue_in_words(self, house: House) -> None:
        """What runs, what is due, what failed and waits for its next try; a meeting's id is nobody's business."""
        house.office.enqueue("loan", "12")
        house.office.enqueue("meeting", "040000008200E00074C5B7101A82E008")
        house.office.enqueue("subscription", str(house.room("Moss")), priority=Priority.BACKFILL, delay=600)
        (claim, *_) = house.office.queue.claim(1)
        house.office.queue.retry(claim, delay=90, error="503 Service Unavailable")

        shown = house.signed_in("staff").get("/activity").text

        assert "Loan 12" in shown
        assert "Tried 1 time in vain:" in shown
        assert "503 Service Unavailable" in shown
        assert "Subscription of Moss" in shown
        assert "A meeting in Outlook" in shown

    def test_shows_runs_of_the_clock_with_what_came_of_them(self, house: House) -> None:
        house.office.note_job("import_rooms", datetime(2026, 11, 20, 9, 15, tzinfo=UTC), NOW, "3 rooms added")
        house.office.note_job("sweep_rooms", None, NOW, "the database did not answer")

        shown = house.signed_in("viewer", **{"Accept-Language": "fr"}).get("/activity").text

        assert "Lire la liste des salles de l’annuaire" in shown
        assert 'href="/rooms">ce qui a été trouvé' in shown
        assert "the database did not answer" in shown
        assert "09:15" in shown or "10:15" in shown

    def test_a_long_queue_is_cut_and_counted(self, house: House) -> None:
        for number in range(30):
            house.office.enqueue("loan", str(number + 1), delay=600)

        assert "and 11 others" in house.signed_in("viewer").get("/activity").text  # the list of rooms waits as well

    @pytest.mark.parametrize("path", ["/activity", "/backfills"])
    def test_is_not_for_requesters(self, house: House, path: str) -> None:
        assert house.signed_in("requester").get(path).status_code == 403


class TestTryingAgain:
    def test_one_click_has_the_engine_look_again(self, house: House) -> None:
        fern = str(house.room("Fern"))
        park(house, "room", fern)

        answer = house.signed_in("staff").post("/activity/retry", data={"kind": "room", "key": fern})

        assert (answer.status_code, answer.headers["location"]) == (303, "/activity")
        assert ("room", fern) in waiting(house)

    def test_everything_that_was_given_up_at_once(self, house: House) -> None:
        keys = {("room", str(house.room(name))) for name in ("Fern", "Moss", "Oak")}
        for kind, key in sorted(keys):
            park(house, kind, key)

        house.signed_in("staff").post("/activity/retry-all")

        assert waiting(house) == keys

    def test_a_key_that_the_queue_does_not_know_is_not_made(self, house: House) -> None:
        """Nobody makes the engine look at things that do not exist."""
        page = house.signed_in("admin")

        assert page.post("/activity/retry", data={"kind": "room", "key": "999"}).status_code == 404
        assert page.post("/activity/retry", data={"kind": "", "key": ""}).status_code == 422
        assert waiting(house) == set()

    def test_viewers_may_only_look(self, house: House) -> None:
        page = house.signed_in("viewer")

        for step in ("retry", "retry-all", "import", "compare"):
            assert page.post(f"/activity/{step}", data={"kind": "room", "key": "1"}).status_code == 403


class TestRuns:
    def test_admins_import_and_compare_now(self, house: House) -> None:
        page = house.signed_in("admin")

        page.post("/activity/import")
        page.post("/activity/compare")

        assert ("places", "all") in waiting(house)
        assert {key for kind, key in waiting(house) if kind == "compare"} == {
            str(house.room(name)) for name in ("Fern", "Moss", "Oak")
        }
        assert house.signed_in("staff").post("/activity/compare").status_code == 403


class TestTraffic:
    def test_is_told_by_what_was_attempted_the_most_frequent_first(self) -> None:
        counts = {("read event", "ok"): 3, ("read event", "throttled"): 2, ("batch", "ok"): 9, ("list places", "ok"): 1}

        traffic = Traffic(counts, throttled=2)

        assert traffic.by_kind() == [("batch", 9, 0), ("read event", 3, 2), ("list places", 1, 0)]
        assert (traffic.total, traffic.failed) == (15, 2)

    def test_an_answer_that_was_expected_is_no_failure(self) -> None:
        """A room whose calendar goes by its address was asked for by its directory id first (decision 0009)."""
        counts = {("create subscription", "malformed"): 10, ("create subscription", "ok"): 10}

        assert Traffic(counts, expected={"create subscription": 10}).by_kind() == [("create subscription", 20, 0)]

    @pytest.mark.parametrize(
        ("language", "told"), [("en", "The mailbox cannot be opened."), ("fr", "La boîte ne peut")]
    )
    def test_the_last_fault_is_told_in_the_readers_language(self, tmp_path: Path, language: str, told: str) -> None:
        fault = TrafficFault("read changes", "mailbox_closed", "403 ErrorAccessDenied: Access is denied.")
        traffic = Traffic({("read changes", "mailbox_closed"): 1}, last_fault=fault)

        with open_house(tmp_path / "told", Outside(read_traffic=lambda: traffic)) as house:
            shown = house.signed_in("viewer", **{"Accept-Language": language}).get("/activity").text

        assert told in shown
        assert '<q lang="en">403 ErrorAccessDenied' in shown

    @pytest.mark.parametrize("outcome", [name for _, name in OUTCOMES])
    def test_every_kind_of_fault_has_its_words(self, outcome: str) -> None:
        assert outcome in FAULTS


class TestNow:
    def test_staff_have_every_calendar_read(self, house: House) -> None:
        """G18: a live mark brings even a room forward that waits after a failure."""
        page = house.signed_in("staff")
        assert "Synchronise now" in page.get("/activity").text

        page.post("/activity/sync")

        assert {key for kind, key in waiting(house) if kind == "room"} == {
            str(house.room(name)) for name in ("Fern", "Moss", "Oak")
        }
        assert "Synchronise now" not in house.signed_in("viewer").get("/activity").text

    def test_admins_export_contacts_where_that_is_wanted(self, house: House, tmp_path: Path) -> None:
        """G19."""
        assert "Export contacts now" not in house.signed_in("admin").get("/activity").text
        assert house.signed_in("admin").post("/activity/contacts").status_code == 404

        folder = tmp_path / "with"
        folder.mkdir()
        with open_house(folder, contacts=ContactsSettings(mailbox="desk@example.org")) as wanted:
            admin = wanted.signed_in("admin")
            assert "Export contacts now" in admin.get("/activity").text
            admin.post("/activity/contacts")
            assert ("contacts", "all") in waiting(wanted)
            assert wanted.signed_in("staff").post("/activity/contacts").status_code == 403
