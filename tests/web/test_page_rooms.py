"""The rooms' page: how each is followed, which are left alone and why, importing now, rules and store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.ids import Address, BookableId
from engine.rooms.listing import plan_import
from engine.rooms.room import Place
from engine.settings.sections import SyncSettings
from engine.subscriptions.plan import LIFETIME
from tests.web.conftest import TestClient
from tests.web.visitors import NOW, House, open_house

FERN = Place("dir-fern", Address("fern@example.org"), "Fern", capacity=8, building="North", floor="1")
MOSS = Place("dir-moss", Address("moss@example.org"), "Moss", capacity=20, tags=("not-bookable",))
ATTIC = Place("dir-attic", Address("attic@example.org"), "Attic", tags=("storage", "not-bookable"))

RULES = {
    "hours": "own",
    "opens": ["8:00", "8h", "", "", "", "", ""],
    "closes": ["18:00", "24:00", "", "", "", "", ""],
    "window_days": "60",
    "duration_minutes_max": "",
    "automatic_check_out": "yes",
    "automatic_closing": "",
}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as found:
        yield found


@pytest.fixture
def admin(house: House) -> TestClient:
    return house.signed_in("admin")


def list_places(house: House, *places: Place) -> None:
    plan = plan_import(places, house.office.rooms.load_rooms(), ignored_tags=frozenset({"not-bookable"}))
    house.office.rooms.apply_import(plan, default_store="Main desk")


class TestTheList:
    def test_is_for_those_who_look_after_rooms(self, house: House) -> None:
        """Requesters have no business here; viewers look and cannot import."""
        assert house.signed_in("requester").get("/rooms").status_code == 403
        seen = house.signed_in("viewer").get("/rooms")
        assert seen.status_code == 200
        assert "Import now" not in seen.text

    def test_says_which_rooms_are_left_alone_and_for_which_tag(self, house: House, admin: TestClient) -> None:
        """A room of ours that gained an ignored tag, one that never became ours, one that is not listed."""
        list_places(house, FERN, MOSS, ATTIC)

        left_out = admin.get("/rooms?show=left-out").text
        worth_a_look = admin.get("/rooms?show=attention").text

        assert "tag not-bookable" in left_out
        assert "Moss" in left_out
        assert "In the directory, not imported" in left_out
        assert "attic@example.org" in left_out
        assert "Fern" not in left_out
        assert "Not listed any more" in worth_a_look
        assert "Oak" in worth_a_look
        assert "Moss" not in worth_a_look

    def test_finds_by_name_building_and_tag(self, admin: TestClient) -> None:
        assert "Oak" in admin.get("/rooms?q=PIANO").text
        assert "Oak" in admin.get("/rooms?q=PIÀNO+oak").text
        assert "Oak" not in admin.get("/rooms?q=north").text
        assert "No room fits" in admin.get("/rooms?q=elsewhere").text
        assert "No room is left alone" in admin.get("/rooms?show=left-out").text

    def test_an_empty_list_is_explained(self, house: House, admin: TestClient) -> None:
        list_places(house)

        assert "Check Place.Read.All" in admin.get("/rooms").text


class TestImportingNow:
    def test_marks_the_directory_and_shows_that_it_waits(self, house: House, admin: TestClient) -> None:
        answer = admin.post("/rooms/import")

        assert answer.headers["Location"] == "/rooms"
        assert ("places", "all") in {(key.kind, key.key) for key in house.office.queue.waiting(100)}
        page = admin.get("/rooms").text
        assert "An import is about to begin" in page
        assert "every 1s" in page

    def test_shows_that_it_runs_and_what_came_of_it(self, house: House, admin: TestClient) -> None:
        admin.post("/rooms/import")
        claim = next(claim for claim in house.office.queue.claim(50) if claim.kind == "places")
        assert "Reading the directory" in admin.get("/rooms").text

        list_places(house, FERN, MOSS, ATTIC)
        house.office.queue.done(claim)

        page = admin.get("/rooms").text
        assert "Reading the directory" not in page
        assert "1 left alone" in page
        assert "0 of 1 rooms read" in page

    def test_tells_why_it_fails(self, house: House, admin: TestClient) -> None:
        admin.post("/rooms/import")
        claim = next(claim for claim in house.office.queue.claim(50) if claim.kind == "places")
        house.office.queue.park(claim, error="403 Forbidden: Place.Read.All")

        page = admin.get("/rooms").text

        assert "The import was given up" in page
        assert "403 Forbidden: Place.Read.All" in page

    def test_is_for_administrators(self, house: House) -> None:
        assert house.signed_in("staff").post("/rooms/import").status_code == 403


class TestOneRoom:
    def test_takes_rules_of_its_own(self, house: House, admin: TestClient) -> None:
        """Times as people write them; what is left empty follows the store; the history says who did it."""
        fern = house.room("Fern")

        answer = admin.post(f"/rooms/{fern}/rules", data=RULES)

        assert answer.headers["Location"] == f"/rooms/{fern}?done=rules#rules"
        rules = house.office.inventory.rules_of(BookableId(fern))
        assert rules.opening_hours is not None
        assert {day: f"{a:%H:%M}-{b:%H:%M}" for day, (a, b) in rules.opening_hours.days.items()} == {
            1: "08:00-18:00",
            2: "08:00-00:00",
        }
        assert (rules.window_days, rules.duration_minutes_max) == (60, None)
        assert (rules.automatic_check_out, rules.automatic_closing) == (True, None)
        page = admin.get(f"/rooms/{fern}").text
        assert "Rules of Fern changed: opening_hours: - -&gt; 1 08:00-18:00; 2 08:00-00:00" in page
        assert "amelie.durand@example.org" in page

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"opens": ["19:00"], "closes": ["18:00"]}, "A day must close after it opens."),
            ({"opens": ["noon"], "closes": ["18:00"]}, "Opening hours read like 08:30."),
            ({"opens": ["8:00"], "closes": [""]}, "Opening hours read like 08:30."),
            ({"window_days": "-1"}, "A number is too small, too large, or no whole number."),
            ({"duration_minutes_max": "5"}, "A number is too small, too large, or no whole number."),
            ({"window_days": "9" * 10}, "A number is too small, too large, or no whole number."),
        ],
    )
    def test_refuses_what_makes_no_rule_and_keeps_the_old_ones(
        self, house: House, admin: TestClient, change: dict[str, object], said: str
    ) -> None:
        fern = house.room("Fern")
        admin.post(f"/rooms/{fern}/rules", data=RULES)
        before = house.office.inventory.rules_of(BookableId(fern))

        answer = admin.post(f"/rooms/{fern}/rules", data=RULES | change, headers={"HX-Request": "true"})

        assert answer.status_code == 422
        assert said in answer.text
        assert house.office.inventory.rules_of(BookableId(fern)) == before

    def test_can_belong_to_another_store(self, house: House, admin: TestClient) -> None:
        fern = house.room("Fern")
        annex = house.office.inventory.add_store("Annex", actor="app:test")

        assert admin.post(f"/rooms/{fern}/store", data={"store": annex.id}).status_code == 303

        page = admin.get(f"/rooms/{fern}").text
        assert f'<option value="{annex.id}" selected>' in page
        assert "Fern belongs to store Annex now." in page
        assert admin.post(f"/rooms/{fern}/store", data={"store": 999}).status_code == 404

    def test_shows_staff_its_rules_and_lets_them_change_none(self, house: House) -> None:
        staff, fern = house.signed_in("staff"), house.room("Fern")

        page = staff.get(f"/rooms/{fern}").text

        assert "At any time" in page
        assert "Save the rules" not in page
        assert staff.post(f"/rooms/{fern}/rules", data=RULES).status_code == 403
        assert staff.post(f"/rooms/{fern}/store", data={"store": 1}).status_code == 403

    def test_that_is_none_is_not_found(self, admin: TestClient) -> None:
        assert admin.get("/rooms/999").status_code == 404


class TestNotificationsThatBringNoEvents:
    """Each change costs a reading then: administrators are told why, in their language."""

    @pytest.fixture
    def without(self, tmp_path: Path) -> Iterator[House]:
        with open_house(tmp_path, sync=SyncSettings(content=False)) as found:
            yield found

    def test_are_explained_where_the_settings_want_none(self, without: House) -> None:
        english = without.signed_in("admin").get("/rooms").text
        french = without.signed_in("admin", **{"Accept-Language": "fr"}).get("/rooms").text

        assert "Notifications bring no events" in english
        assert "The setting sync.content is off." in english
        assert "Le réglage sync.content est désactivé." in french
        assert 'id="contents"' not in without.signed_in("viewer").get("/rooms").text

    def test_are_no_matter_where_they_bring_some(self, admin: TestClient) -> None:
        assert 'id="contents"' not in admin.get("/rooms").text

    def test_are_explained_in_graphs_words_where_it_refuses(self, house: House) -> None:
        """On the page of the room, with the time at which it is asked again."""
        words = "create subscription: 400 InvalidRequest: Exchange workload is not enabled for rich notifications"
        fern, store = house.room("Fern"), house.office.subscriptions
        store.begin_creation(fern)
        store.finish_creation(fern, remote_id="s1", expires_at=NOW + LIFETIME, content_refusal=words)
        admin, french = house.signed_in("admin"), house.signed_in("admin", **{"Accept-Language": "fr"})

        rooms, room = (admin.get(path).text for path in ("/rooms", f"/rooms/{fern}"))
        chambre = french.get(f"/rooms/{fern}").text

        assert f'<a href="/rooms/{fern}">Fern</a>' in rooms.split('id="contents"')[1].split("</section>")[0]
        assert "Exchange workload is not enabled for rich notifications" in room
        assert "It is asked again after Fri 27 Nov 2026" in room
        assert "apportent pas les événements" in chambre
        assert "la demande est refusée comme mal formée" in chambre
        assert "Exchange workload" not in house.signed_in("viewer").get(f"/rooms/{fern}").text
