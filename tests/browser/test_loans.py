"""Looking for a booking by keyboard alone, from whatever page one is at."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.serving import Site


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
