"""The pages of backfill: ordering a preview, looking through it, carrying out a part, and taking it back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from engine.app.web_parts import build_page_parts, build_web_parts
from engine.prove.world.world import World
from engine.web.api.app import create_api
from engine.web.front import Front
from engine.web.metrics import Metrics
from engine.web.pages.app import create_pages
from tests.web.visitors import AMELIE, ORIGIN, House


@pytest.fixture
def world() -> Iterator[World]:
    """Three meetings were there before the engine, in two rooms."""
    made = World(rooms=2, settings={"ENGINE_SYNC__FIRST_CONTACT": "list"})
    made.meet(1, 9, 10, 1, subject="Board")
    made.meet(2, 9, 10, 2)
    made.meet(2, 14, 15, 2)
    made.wait(5)
    made.open()
    yield made
    made.close()


@pytest.fixture
def house(world: World) -> House:
    office = world.office
    parts = build_web_parts(office.settings, office, Metrics(), token=None, public=ORIGIN)
    pages = replace(build_page_parts(office.settings, office, parts), development=[AMELIE])
    return House(office, Front(create_api(parts), create_pages(pages)))


def days(world: World, **more: str) -> dict[str, str]:
    return {"from": f"{world.at(0, days=0):%Y-%m-%d}", "to": f"{world.at(0, days=30):%Y-%m-%d}", **more}


def planned(house: House, world: World) -> str:
    """Order a preview, let it be made, and return its address."""
    answer = house.signed_in("admin").post("/backfills", data=days(world))
    assert answer.status_code == 303, answer.text
    world.settle()
    return str(answer.headers["location"])


def count_rows(html: str) -> int:
    return len(re.findall(r'id="line-\d+"', html))


class TestThePreview:
    def test_tells_of_each_meeting_what_would_be_done_and_changes_nothing(self, house: House, world: World) -> None:
        here = planned(house, world)

        shown = house.signed_in("viewer").get(here).text

        assert "Preview: nothing was changed yet" in shown
        assert count_rows(shown) == 3
        assert "Becomes a loan of" in shown
        assert not world.live_loans
        assert "Bring them in" not in shown

    def test_is_watched_while_it_is_made(self, house: House, world: World) -> None:
        """The page asks again every second until the work is done, and then no more."""
        here = house.signed_in("admin").post("/backfills", data=days(world)).headers["location"]
        page = house.signed_in("viewer")

        assert "every 1s" in page.get(here).text
        world.settle()
        assert "every 1s" not in page.get(here).text

    def test_shows_one_step_at_a_time(self, house: House, world: World) -> None:
        here = planned(house, world)
        page = house.signed_in("viewer")

        assert count_rows(page.get(f"{here}?step=create").text) == 3
        assert "No meeting here" in page.get(f"{here}?step=conflict").text
        assert page.get(f"{here}?step=dance").status_code == 422

    def test_days_that_run_backwards_are_told_in_the_form(self, house: House, world: World) -> None:
        wanted = days(world)

        answer = house.signed_in("admin").post("/backfills", data={"from": wanted["to"], "to": wanted["from"]})

        assert answer.status_code == 422
        assert "The end must come after the start." in answer.text
        assert f'value="{wanted["to"]}"' in answer.text
        assert list(house.office.backfills.list_backfills()) == []

    def test_unknown_rooms_and_backfills_are_not_found(self, house: House, world: World) -> None:
        page = house.signed_in("admin")

        assert page.post("/backfills", data=days(world, room="99")).status_code == 404
        assert page.get("/backfills/9").status_code == 404
        assert page.post("/backfills/9/apply").status_code == 404
        assert page.post("/backfills/9/undo").status_code == 404


class TestCarryingOut:
    def test_all_of_it_and_back(self, house: House, world: World) -> None:
        here = planned(house, world)
        page = house.signed_in("admin")

        page.post(f"{here}/apply", data={"only": "", "room": ""})
        assert "3 meetings to go" in page.get(here).text
        world.settle()

        done = page.get(here).text
        assert len(world.live_loans) == 3
        assert "Brought in" in done
        assert "/loans/" in done
        page.post(f"{here}/undo")
        world.settle()
        assert not world.live_loans
        assert "Taken back" in page.get(here).text

    def test_one_room_without_one_of_its_meetings(self, house: House, world: World) -> None:
        """What is ticked as left out stays to be decided, and can be brought in later."""
        here = planned(house, world)
        page = house.signed_in("admin")
        room = house.room("Room 2")
        lines = house.office.backfills.list_meetings(1, step=None, state=None, after=0, limit=9)
        first, _ = (line.key for line in lines if line.rooms == (room,))

        page.post(f"{here}/apply", data={"room": str(room), "without": first})
        world.settle()

        assert len(world.live_loans) == 1
        page.post(f"{here}/apply")
        world.settle()
        assert len(world.live_loans) == 3

    def test_before_the_preview_is_there_it_is_refused(self, house: House, world: World) -> None:
        page = house.signed_in("admin")
        here = page.post("/backfills", data=days(world)).headers["location"]

        answer = page.post(f"{here}/apply")

        assert answer.status_code == 409
        assert "Not possible any more" in answer.text

    def test_only_admins_may(self, house: House, world: World) -> None:
        here = planned(house, world)
        staff = house.signed_in("staff")

        assert staff.post("/backfills", data=days(world)).status_code == 403
        assert staff.post(f"{here}/apply").status_code == 403
        assert staff.post(f"{here}/undo").status_code == 403
        assert house.signed_in("requester").get(here).status_code == 403
