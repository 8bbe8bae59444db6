"""Rooms, settings and the simulated Outlook as people use them: by keyboard, with mistakes, more than once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.app.web_parts import Outside
from tests.browser.conftest import Visit
from tests.browser.serving import NOW, Site, running_site
from tests.browser.test_every_page import run_axe
from tests.web.played_outlook import played_outlook


@pytest.fixture
def played(tmp_path: Path) -> Iterator[Site]:
    """An app of one's own with a simulated Outlook."""
    with played_outlook(lambda: NOW) as outlook, running_site(tmp_path, outside=Outside(outlook=outlook)) as running:
        yield running


class TestSettings:
    def test_a_mistake_is_told_in_place_and_loses_nothing(self, fresh: Site, visit: Visit) -> None:
        page = visit(fresh, "/settings", role="admin", forgiven=(422,))
        field = page.get_by_role("textbox", name="Our domains")

        field.fill("example")
        field.press("Enter")

        page.get_by_text("A domain reads like example.org.").wait_for()
        assert field.input_value() == "example"
        assert run_axe(page) == []

    def test_one_setting_can_be_saved_twice_in_a_row(self, fresh: Site, visit: Visit) -> None:
        """The second time the answer leads to the very address the browser is at."""
        page = visit(fresh, "/settings", role="admin")
        for value in ("lab", "lab, attic"):
            field = page.get_by_role("textbox", name="Ignored tags")
            field.fill(value)
            field.press("Enter")
            page.get_by_text(f"as in the file → {value}" if value == "lab" else f"lab → {value}").wait_for()

        assert page.get_by_role("status").get_by_text("Saved.").is_visible()
        assert fresh.office.rules.ignored_tags == {"lab", "attic"}


class TestRules:
    def test_hours_appear_when_they_are_wanted(self, fresh: Site, visit: Visit) -> None:
        """And are kept: Monday to Friday from 8 to 18 is offered, Friday shortened by keyboard."""
        page = visit(fresh, f"/rooms/{fresh.room('Saule')}", role="admin")
        friday = page.get_by_role("group", name="Friday").get_by_label("Closes")
        assert not friday.is_visible()

        page.get_by_label("At these times; a day left empty is closed").check()
        friday.fill("12h30")
        friday.press("Enter")

        page.get_by_text("Saved. It counts from now on.").wait_for()
        rules = fresh.office.inventory.rules_of(
            next(r.id for r in fresh.office.rooms.load_rooms() if r.name == "Saule")
        )
        assert rules.opening_hours is not None
        assert f"{rules.opening_hours.days[5][1]:%H:%M}" == "12:30"
        assert sorted(rules.opening_hours.days) == [1, 2, 3, 4, 5]


class TestImportingNow:
    def test_shows_what_came_of_it_without_a_reload(self, fresh: Site, visit: Visit) -> None:
        queue = fresh.office.queue
        fresh.office.enqueue("places", "all")
        for claim in queue.claim(50):
            queue.done(claim)  # what the furnishing has marked
        page = visit(fresh, "/rooms", role="admin")
        page.get_by_role("button", name="Import now").click()
        page.get_by_text("An import is about to begin").wait_for()

        claim = next(claim for claim in queue.claim(50) if claim.kind == "places")
        page.get_by_text("Reading the directory…").wait_for()
        queue.park(claim, error="403: Place.Read.All")

        page.get_by_text("The import was given up").wait_for()
        assert page.get_by_role("button", name="Import now").is_enabled()


class TestOutlook:
    def test_a_meeting_is_booked_by_keyboard_and_stands_at_its_time(self, played: Site, visit: Visit) -> None:
        page = visit(played, "/outlook?day=2026-12-09")
        page.get_by_role("link", name="New meeting").press("Enter")
        page.get_by_label("Subject").wait_for()

        page.keyboard.type("Tea with the mayor")
        page.get_by_label("Saule", exact=True).press("Space")
        page.get_by_role("button", name="Send the invitation").press("Enter")

        page.get_by_role("heading", name="Tea with the mayor").wait_for()
        page.locator("#event-facts .answer-accepted").wait_for()
        grid = page.locator(".week-column").nth(2)
        entry = grid.locator(".event", has_text="Tea with the mayor").bounding_box()
        hours = grid.locator(".day-events").bounding_box()
        assert entry is not None
        assert hours is not None
        assert abs((entry["y"] - hours["y"]) / hours["height"] - 3 / 13) < 0.01  # ten o'clock, where seven is on top
        assert abs(entry["height"] / hours["height"] - 1 / 13) < 0.01
        assert run_axe(page) == []

    @pytest.mark.parametrize("width", [390, 1400])
    def test_titles_of_the_demonstration_are_whole(self, played: Site, visit: Visit, width: int) -> None:
        """In as many lines as they need; what has no room below them is not shown in part."""
        page = visit(played, "/outlook?day=2026-11-24&who=saule@example.org", width=width, height=900)

        titles = page.locator(".event b")
        assert titles.count() > 10
        cut = "(all) => all.filter((b) => b.scrollHeight > b.clientHeight + 1 || b.scrollWidth > b.clientWidth).length"
        assert titles.evaluate_all(cut) == 0
        assert (
            page.locator(".event").evaluate_all("""(all) => all.filter((event) => {
                const inside = event.getBoundingClientRect(), small = event.lastElementChild.getBoundingClientRect();
                return small.left < inside.right && small.bottom > inside.bottom;
            }).length""")
            == 0
        )

    def test_what_is_typed_survives_the_looking_again(self, played: Site, visit: Visit) -> None:
        """The calendar beside the form is asked for anew every few seconds."""
        page = visit(played, "/outlook?day=2026-12-09&new=1")
        page.get_by_label("Subject").fill("Half a")
        with page.expect_response(lambda answer: "/outlook?" in answer.url):
            page.evaluate("document.body.dispatchEvent(new CustomEvent('accord:loans', {detail: {loans: null}}))")

        page.keyboard.type(" subject")

        assert page.get_by_label("Subject").input_value() == "Half a subject"
