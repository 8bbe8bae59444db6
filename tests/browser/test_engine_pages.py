"""Cases, Why?, activity and backfill in use: by pointer and by keyboard alone, and while things change."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from engine.interval import Interval
from tests.browser.conftest import Visit, look_back
from tests.browser.serving import Site
from tests.web.case_scene import open_declined, open_times_conflict

BOTTOM = "(each) => each.getBoundingClientRect().bottom"

HIDDEN = """(all) => all.filter((each) => {
    each.scrollIntoView({block: "nearest"});
    const {left, right, top, bottom} = each.getBoundingClientRect();
    return !each.contains(document.elementFromPoint((left + right) / 2, (top + bottom) / 2));
}).map((each) => each.textContent.trim())"""
"""What something else lies upon, even when one has scrolled to it."""


def conflict(site: Site) -> int:
    """A loan at 9 of which the desk had wanted 11; returns its number."""
    loan = site.book("Tilleul", "09:00", "10:00", "Budget")
    shift = timedelta(hours=2)
    open_times_conflict(site.office, loan, Interval(loan.interval.start + shift, loan.interval.end + shift))
    return loan.number


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what is called *name* has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == name:
            return
    raise AssertionError(f"Tab does not reach {name!r}")


class TestCases:
    def test_are_settled_and_undone_by_keyboard_alone(self, fresh: Site, visit: Visit) -> None:
        """Enter takes the way; the focus is on Undo then, and Enter takes it back."""
        number = conflict(fresh)
        page = visit(fresh, "/cases")

        tab_to(page, "Keep what the loan says")
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Undo")).to_be_focused()
        assert fresh.office.desk.find(number).interval.start == fresh.at("11:00")
        expect(page.locator(".settled")).to_contain_text("amelie.durand@example.org")

        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Keep what the loan says")).to_be_visible()
        assert fresh.office.desk.find(number).interval.start == fresh.at("09:00")

    def test_another_room_is_chosen_from_the_menu(self, fresh: Site, visit: Visit) -> None:
        loan = fresh.book("Saule", "09:00", "10:00", "Tea")
        open_declined(fresh.office, loan, fresh.room("Saule"))
        page = visit(fresh, "/cases")

        page.get_by_text("Another room").click()
        page.locator(".menu-sheet").get_by_role("button", name="Tilleul").click()

        expect(page.locator(".settled")).to_contain_text("Take a free equivalent room")
        assert [room.name for room in fresh.office.desk.find(loan.number).rooms] == ["Tilleul"]

    def test_a_refusal_is_told_on_the_card(self, fresh: Site, visit: Visit) -> None:
        """Somebody settled it meanwhile: the card says so and shows how."""
        conflict(fresh)
        first, second = visit(fresh, "/cases"), visit(fresh, "/cases", forgiven=(409,))
        first.get_by_role("button", name="Keep what Outlook says").click()
        expect(first.locator(".settled")).to_be_visible()

        second.get_by_role("button", name="Keep what the loan says").click()

        expect(second.get_by_role("alert")).to_contain_text("Not possible any more")
        expect(second.locator(".settled")).to_contain_text("Keep what Outlook says")

    @pytest.mark.parametrize("word", ["Settled otherwise…", "Another room"])
    def test_a_menu_covers_nothing_on_a_telephone(self, fresh: Site, visit: Visit, word: str) -> None:
        """Neither its own button nor one beside it, wherever on the screen it is opened; and it is seen whole."""
        loan = fresh.book("Saule", "09:00", "10:00", "Tea")
        open_declined(fresh.office, loan, fresh.room("Saule"))
        page = visit(fresh, "/cases", width=390, height=844)
        summary = page.get_by_text(word, exact=True)
        page.set_viewport_size({"width": 390, "height": int(summary.evaluate(BOTTOM)) + 70})

        summary.click()

        sheet = page.locator(".menu[open] .menu-sheet")
        for _ in range(200):  # until it is brought into the window; `wait_for_function` needs eval, which pages forbid
            if sheet.evaluate(BOTTOM) <= page.evaluate("innerHeight") - 58:
                break
            page.wait_for_timeout(20)
        assert sheet.evaluate(BOTTOM) <= page.evaluate("innerHeight") - 58
        assert page.locator(".ways .button:visible, .ways .menu-item:visible").evaluate_all(HIDDEN) == []
        summary.click()
        expect(page.locator(".ways .menu-sheet:visible")).to_have_count(0)

    def test_new_ones_are_announced_without_moving_what_is_read(self, fresh: Site, visit: Visit) -> None:
        conflict(fresh)
        page = visit(fresh, "/cases")
        expect(page.locator("html")).to_have_attribute("data-connected", "yes")

        loan = fresh.book("Saule", "09:00", "10:00", "Tea")
        open_declined(fresh.office, loan, fresh.room("Saule"))

        news = page.get_by_role("link", name="There are new cases")
        expect(news).to_be_visible()
        assert page.locator(".case").count() == 1
        news.click()
        expect(page.locator(".case")).to_have_count(2)


class TestWhy:
    def test_is_asked_and_answered_in_words(self, fresh: Site, visit: Visit) -> None:
        fresh.book("Tilleul", "09:00", "10:00", "Budget")
        page = visit(fresh, "/why")

        page.get_by_label("Room").focus()
        page.keyboard.type("Til")
        page.get_by_label("Day").fill("2026-11-24")
        page.get_by_label("Time").select_option("09:30")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")

        expect(page.locator("#verdict")).to_have_text("Booked")
        expect(page.locator(".strand")).to_contain_text("Tilleul is kept Tue 24 Nov 2026, 09:00 – 10:00 for loan 1")


class TestActivity:
    def test_follows_what_happens_and_keeps_the_focus(self, fresh: Site, visit: Visit) -> None:
        office = fresh.office
        page = visit(fresh, "/activity")
        link = page.get_by_role("link", name="Backfills")
        link.focus()

        office.enqueue("subscription", "1")
        for claim in office.queue.claim(40):
            if claim.kind == "subscription":
                office.queue.park(claim, error="403 Forbidden")

        expect(page.get_by_text("Given up, until somebody acts")).to_be_visible()
        expect(link).to_be_focused()
        page.get_by_role("button", name="Try again: Subscription of Tilleul").click()
        expect(page.locator("#queue-title + ul")).to_contain_text("Subscription of Tilleul")


class TestBackfill:
    def test_is_carried_out_and_taken_back_under_the_readers_eyes(self, fresh: Site, visit: Visit) -> None:
        """The page follows the work by itself, and stops asking when it is done."""
        look_back(fresh)
        backfills = fresh.office.backfills
        page = visit(fresh, "/backfills/1", role="admin")

        page.get_by_label("leave out").first.check()
        page.get_by_role("button", name="Bring them in").click()
        expect(page.get_by_text("meetings to go")).to_be_visible()
        backfills.carry_on(1, at_once=50)
        expect(page.get_by_role("heading", name="Brought in")).to_be_visible()
        expect(page.locator(".lines a")).to_have_count(2)

        page.get_by_text("Undo the backfill").click()
        page.get_by_role("button", name="Yes, take it back").click()
        expect(page.get_by_role("heading", name="Being taken back")).to_be_visible()
        backfills.carry_on(1, at_once=50)
        expect(page.get_by_role("heading", name="Taken back")).to_be_visible()
        assert list(backfills.list_meetings(1, step=None, state=None, after=0, limit=9))
