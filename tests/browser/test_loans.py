"""Looking for a booking by keyboard alone, from whatever page one is at, and taking steps with it."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from engine.ids import LoanNumber
from engine.loans.register import LoanChange
from engine.reconcile.actions import Note
from engine.settings import LoansSettings
from tests.browser.conftest import Visit
from tests.browser.serving import Site, running_site
from tests.web.case_scene import open_case


def test_a_booking_is_found_and_opened_without_a_mouse(site: Site, visit: Visit) -> None:
    """The list follows what is typed, in the same field; its first line is a few steps behind it."""
    page = visit(site, "/board?view=day&day=2026-11-24")
    page.wait_for_selector("html[data-ready=yes]", state="attached")

    page.keyboard.press("Control+k")
    page.wait_for_url("**/loans#loan-words")
    expect(page.locator("#loan-words")).to_be_focused()
    page.keyboard.type("budget")
    expect(page.locator(".own")).to_have_count(1)
    expect(page.locator("#found-said")).to_have_text("1 booking found")
    expect(page.locator("#loan-words")).to_be_focused()

    first = page.locator(".own a").first
    for _ in range(8):
        page.keyboard.press("Tab")
        if first.evaluate("(each) => each === document.activeElement"):
            break
    expect(first).to_be_focused()
    page.keyboard.press("Control+k")
    expect(page.locator("#loan-words")).to_be_focused()
    first.press("Enter")

    page.wait_for_url("**/loans/1")
    page.go_back()
    expect(page.locator("#loan-words")).to_have_value("budget")


def test_a_number_opens_its_booking(site: Site, visit: Visit) -> None:
    page = visit(site, "/loans")

    page.locator("#loan-words").fill("#2")
    page.locator("#loan-words").press("Enter")

    page.wait_for_url("**/loans/2")


def test_the_shortcut_leads_nobody_to_a_page_that_is_not_theirs(site: Site, visit: Visit) -> None:
    page = visit(site, "/mine", role="requester")

    page.keyboard.press("Control+k")

    expect(page.get_by_role("heading", name="My bookings")).to_be_visible()


def test_why_it_is_refused_can_be_written_while_its_room_answers(fresh: Site, visit: Visit) -> None:
    """The page shows the news once the menu is closed, and a step taken by keyboard leaves one beside the next."""
    loan = fresh.book("Saule", "09:00", "10:00", "Budget")
    page = visit(fresh, f"/loans/{loan.number}")
    page.wait_for_selector("html[data-connected=yes]", state="attached")
    page.get_by_text("Refuse…").press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("Taken for")

    fresh.office.desk.change(loan.number, LoanChange(title="Budget 2027"), actor="app:test")
    page.wait_for_selector("details.menu[open][data-awaited=yes]")
    page.keyboard.type(" the fair")
    expect(page.get_by_label("Why, if you like").first).to_have_value("Taken for the fair")
    page.keyboard.press("Escape")

    expect(page.get_by_role("heading", name="Budget 2027")).to_be_visible()
    expect(page.get_by_text("Refuse…")).to_be_focused()
    page.get_by_role("button", name="Hand over").press("Enter")
    expect(page.get_by_role("button", name="Take back")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Take back")).to_be_focused()


def tab_to(page: Page, name: str) -> None:
    """Go on by Tab, from where the focus is, to the button of that *name*."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText").strip() == name:
            return
    raise AssertionError(f"no way leads to {name}")


def test_a_wish_is_approved_or_refused_by_keyboard(tmp_path: Path, visit: Visit) -> None:
    """What became of it has the focus, so that it is read out, and keeps it when the page hears of a change."""
    with running_site(tmp_path, loans=LoansSettings(approval=True)) as site:
        for start, end, title in (("09:00", "10:00", "Budget"), ("11:00", "12:00", "Tea")):
            site.book("Saule", start, end, title)
        for number, steps, became in ((1, ("Approve",), "Booked"), (2, ("Refuse…", "Refuse"), "Refused")):
            page = visit(site, f"/loans/{number}")
            page.wait_for_selector("html[data-connected=yes]", state="attached")
            for step in steps[:-1]:
                tab_to(page, step)
                page.keyboard.press("Enter")
            tab_to(page, steps[-1])
            page.keyboard.press("Enter")

            status = page.locator(".badges > span").first
            expect(status).to_have_text(became)
            expect(status).to_be_focused()
            if became == "Booked":
                site.office.desk.change(LoanNumber(number), LoanChange(title="Budget 2027"), actor="app:test")
                expect(page.get_by_role("heading", name="Budget 2027")).to_be_visible()
                expect(status).to_be_focused()
            assert status.evaluate("(each) => getComputedStyle(each).outlineStyle") == "solid"
            page.context.close()


def test_a_case_is_settled_by_keyboard(fresh: Site, visit: Visit) -> None:
    """The way back has the focus, and says what was done; a way that is closed says why, and has it too."""
    loan = fresh.book("Saule", "09:00", "10:00", "Budget")
    note = Note("longer_than_maximum", {"minutes": 60, "minutes_max": 30})
    case = open_case(fresh.office, f"loan:{loan.number}", note, loan=loan)
    page = visit(fresh, "/cases", forgiven=(409, 422))
    tab_to(page, "Leave it as it is")
    page.keyboard.press("Enter")

    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_be_focused()
    expect(undo).to_have_accessible_description(re.compile("Leave it as it is"))

    fresh.office.cases.undo(case, actor="app:other")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_focused()
