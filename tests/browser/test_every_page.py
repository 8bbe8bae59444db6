"""What every page must be: without errors, without foreign requests, inside its window, open to everybody (axe)."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import PassBy, Visit, keep_picture
from tests.browser.pages import PAGES, Look
from tests.browser.serving import Site

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")

STANDARDS = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
COLOURS = {"type": "rule", "values": ["color-contrast"]}
"""All that the theme changes."""

RUN_AXE = """async (rules) => {
  const found = await axe.run(document, {runOnly: rules});
  return found.violations.map(({id, nodes}) => `${id}: ${nodes.slice(0, 3).map(({html}) => html).join(" | ")}`);
}"""

TOO_WIDE = "document.documentElement.scrollWidth - innerWidth"
SQUEEZED = """() => {
    const isText = (node) => node.nodeType === 3 && node.data.trim().length > 3;
    const lines = (each) => {
        const range = new Range();
        range.selectNodeContents(each);
        return range.getClientRects().length;
    };
    return [...document.querySelectorAll("main *:not(thead *)")]
        .filter((each) => [...each.childNodes].some(isText) && each.checkVisibility())
        .filter((each) => lines(each) > each.textContent.trim().length / 2)
        .map((each) => each.textContent.trim());
}"""
"""Texts of which most lines hold a letter or two: whatever stands beside them leaves them no room.
The heads of tables are there for screen readers only, where a row is a card."""

STRAIGHT_APOSTROPHES = """() => {
    const texts = document.querySelectorAll("[aria-label], [title], [placeholder]");
    const labels = [...texts].flatMap((each) => [each.ariaLabel, each.title, each.placeholder]);
    const said = [document.title, document.body.innerText, ...labels].join("\\n");
    return said.match(/.{0,20}(?<=\\p{L})(?<!\\bO)'\\p{L}.{0,20}/gu) ?? [];
}"""
"""The keyboard's, where a page speaks; a Patrick O'Connor is written as he writes himself."""


SMALL = """() => [...document.querySelectorAll("a, button, summary")]
    .filter((each) => each.checkVisibility() && !each.matches(".skip, .hidden"))
    .filter((each) => getComputedStyle(each).display !== "inline")
    .filter((each) => each.getBoundingClientRect().height < 24)
    .map((each) => each.textContent.trim())"""
"""What a finger misses (WCAG 2.2, 2.5.8); links within a text are as high as its lines."""

CUT = """() => [...document.querySelectorAll("main *")]
    .filter((each) => each.checkVisibility() && !each.closest(".hidden, svg, thead, .entry, .event"))
    .filter((each) => [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim().length > 1))
    .filter((each) => getComputedStyle(each).overflowX !== "visible" && each.scrollWidth > each.clientWidth + 1)
    .map((each) => each.textContent.trim())"""
"""Texts that end in dots or at an edge; in a calendar a title may, and its card has it all."""

BYTES_SENT = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)"""

COVERED = """() => {
    const each = document.activeElement, {left, right, top, bottom} = each.getBoundingClientRect();
    const there = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    const isSeen = there && (each.contains(there) || there.contains(each) || there.closest("label")?.contains(each));
    return each === document.body || isSeen ? null : each.textContent.trim() || each.name;
}"""
"""What has the focus and lies below something else (WCAG 2.2, 2.4.11)."""

NAMES = [look.name for look in PAGES]


def run_axe(page: Page) -> list[str]:
    """Return what axe finds, in the light theme and in the dark one."""
    page.evaluate(AXE)
    found: list[str] = page.evaluate(RUN_AXE, STANDARDS)
    page.emulate_media(color_scheme="dark")
    return found + [f"dark {fault}" for fault in page.evaluate(RUN_AXE, COLOURS)]


@pytest.mark.parametrize("look", PAGES, ids=NAMES)
def test_is_light_and_axe_finds_nothing(pass_by: PassBy, look: Look) -> None:
    """A first visit brings less than 150 KB, no apostrophe is straight; WCAG 2.2 AA, good practice, both themes."""
    page = pass_by(look.path, role=look.role, width=1400, status=look.status)
    assert page.evaluate(STRAIGHT_APOSTROPHES) == []
    assert 5_000 < page.evaluate(BYTES_SENT) < 150_000
    keep_picture(page, f"{look.name}-1400-light")

    assert run_axe(page) == []
    keep_picture(page, f"{look.name}-1400-dark")


@pytest.mark.parametrize("look", PAGES, ids=NAMES)
def test_nothing_lies_outside_a_small_window(pass_by: PassBy, look: Look) -> None:
    """A page scrolls down, never sideways; what is wide scrolls inside itself. In French, whose words are longer."""
    page = pass_by(look.path, role=look.role, width=768, language="fr-FR", status=look.status)
    keep_picture(page, f"{look.name}-768-light")
    assert page.evaluate(TOO_WIDE) <= 0
    assert page.evaluate(SQUEEZED) == []
    assert page.evaluate(STRAIGHT_APOSTROPHES) == []
    assert page.locator("html").get_attribute("lang") == "fr"

    page.set_viewport_size({"width": 390, "height": 844})

    keep_picture(page, f"{look.name}-390-light")
    assert page.evaluate(TOO_WIDE) <= 0
    assert page.evaluate(SQUEEZED) == []
    assert page.evaluate(SMALL) == []
    assert page.evaluate(CUT) == []


def test_what_is_quoted_stands_apart_from_french_quotation_marks(site: Site, visit: Visit) -> None:
    """Words of others, in whatever language they are."""
    page = visit(site, "/account", language="fr-FR")
    quotes = page.evaluate("""() => {
        const quote = Object.assign(document.createElement("q"), {textContent: "x", lang: "en"});
        document.querySelector("main").append(quote);
        return getComputedStyle(quote).quotes;
    }""")

    assert quotes.startswith('"«\u00a0" "\u00a0»"')


@pytest.mark.parametrize(
    ("path", "role", "width", "which"),
    [
        ("/backfills/1", "admin", 1400, ".lines time, .lines small"),
        ("/cases", "staff", 390, ".segments a"),
        ("/rooms", "admin", 390, ".segments a"),
        ("/mine", "requester", 390, ".segments a"),
        ("/series/1", "staff", 390, ".series-date > a"),
        ("/mine", "requester", 390, ".own .badge"),
        ("/loans", "staff", 390, ".own .badge"),
    ],
)
def test_what_is_short_stays_in_one_line(pass_by: PassBy, path: str, role: str, width: int, which: str) -> None:
    """Times, addresses, tabs and how a booking stands, in French; and tabs are not cut."""
    page = pass_by(path, role=role, width=width, language="fr-FR")
    heights = page.locator(which).evaluate_all("""(all) => all.map((each) => {
        const range = new Range();
        range.selectNodeContents(each);
        return range.getBoundingClientRect().height;
    })""")

    assert heights
    assert max(heights) < 30
    cut = page.locator(".segments").evaluate_all("(all) => all.map((each) => each.scrollWidth - each.clientWidth)")
    assert all(beyond <= 0 for beyond in cut)


def test_the_headings_of_cards_are_alike(pass_by: PassBy) -> None:
    """As large, and as far below the edge."""
    look = next(look for look in PAGES if look.name == "fields-tried")
    page = pass_by(look.path, role=look.role, width=1400)
    found = page.locator(".card > h2").evaluate_all("""(all) => all.map((each) => {
        const edge = each.parentElement.getBoundingClientRect().top;
        return [getComputedStyle(each).fontSize, Math.round(each.getBoundingClientRect().top - edge)].join();
    })""")

    assert len(found) > 4
    assert len(set(found)) == 1


@pytest.mark.parametrize(
    ("path", "which"),
    [("/outbox/1", "#tries-list > p"), ("/rooms/2", ".history li"), ("/loans/2", ".history li")],
)
def test_what_stands_in_a_line_stands_on_one(pass_by: PassBy, path: str, which: str) -> None:
    """Small print has the base line of the words beside it. A bare letter tells where that is."""
    page = pass_by(path, role="admin", width=1400, language="fr-FR")
    lines = page.locator(which).evaluate_all("""(all) => all.map((line) => [...line.children].map((each) => {
        const probe = Object.assign(document.createElement("span"), {style: "display: inline-block"});
        each.prepend(probe);
        const base = probe.getBoundingClientRect().bottom;
        probe.remove();
        return base;
    }))""")

    assert lines
    assert all(max(line) - min(line) <= 1 for line in lines)


@pytest.mark.parametrize(
    ("path", "width"),
    [("/book", 1400), ("/book", 390), ("/loans/2/change", 390), ("/board?view=list&day=2026-11-24", 390)],
)
def test_what_has_the_focus_is_seen(pass_by: PassBy, path: str, width: int) -> None:
    """Bars at the bottom cover nothing that one comes to by keyboard, down the page or up."""
    page = pass_by(path, role="staff", width=width, language="fr-FR")
    page.set_viewport_size({"width": width, "height": 500})

    for key in ("Tab", "Shift+Tab"):
        for _ in range(60):
            page.keyboard.press(key)
            assert page.evaluate(COVERED) is None


@pytest.mark.parametrize("width", [320, 390])
@pytest.mark.parametrize("role", ["admin", "staff", "viewer", "requester"])
def test_a_telephone_shows_whole_labels_and_has_the_others_in_its_menu(pass_by: PassBy, role: str, width: int) -> None:
    """In French. Nothing is cut, nothing scrolls away, and every page can be gone to."""
    page = pass_by("/find", role=role, width=width, language="fr-FR")
    everything = page.locator(".nav a").evaluate_all("(all) => all.map((each) => each.pathname)")
    labels = page.locator(".nav a, .account-menu > summary").evaluate_all("""(all) => all
        .filter((each) => each.checkVisibility())
        .map((each) => {
            const range = new Range(), box = each.getBoundingClientRect();
            range.selectNodeContents([...each.querySelectorAll("span")].findLast((one) => one.checkVisibility()));
            const text = range.getBoundingClientRect();
            const sides = Math.min(text.left - box.left, box.right - text.right, box.left, innerWidth - box.right);
            return Math.min(sides, text.top - box.top, box.bottom - text.bottom);
        })""")

    assert len(labels) == 5
    assert min(labels) >= 0
    page.locator(".account-menu > summary").click()
    reached = page.locator(".nav a:visible, .menu-nav a:visible")
    assert sorted(reached.evaluate_all("(all) => all.map((each) => each.pathname)")) == sorted(everything)
    assert page.evaluate(TOO_WIDE) <= 0


@pytest.mark.parametrize("path", ["/outbox", "/webhooks/1"])
def test_messages_to_others_are_dense_on_a_telephone(pass_by: PassBy, path: str) -> None:
    """What one is and how it stands in a line; then to whom, when, how often it was tried, and why in vain."""
    page = pass_by(path, role="admin", width=390, language="fr-FR")
    rows = page.locator(".messages tbody tr")
    state = rows.first.locator(".state .badge")

    assert max(rows.evaluate_all("(all) => all.map((each) => each.offsetHeight)")) < 100
    assert (
        state.evaluate("(each) => each.getBoundingClientRect().top - each.closest('tr').getBoundingClientRect().top")
        < 20
    )
    tried = rows.first.locator(".tries").evaluate("(each) => getComputedStyle(each, '::before').content")
    assert "1 essai" in tried


def test_what_the_api_says_of_itself_fits_a_telephone(site: Site, visit: Visit) -> None:
    """With everything unfolded: it scrolls down, and only what is code scrolls sideways, inside itself."""
    page = visit(site, "/api/docs", width=390, height=844)
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true })")

    assert page.evaluate(TOO_WIDE) <= 0


def test_axe_finds_nothing_on_a_telephone(site: Site, visit: Visit) -> None:
    page = visit(site, "/board", width=390, height=844)
    page.wait_for_url("**view=list**")
    page.wait_for_selector("#day-list")

    assert run_axe(page) == []
    page.emulate_media(color_scheme="light")
    page.locator(".account-menu > summary").click()
    assert run_axe(page) == []


def test_axe_finds_what_is_planted(site: Site, visit: Visit) -> None:
    """The checker can fail: a picture without a text, and grey on grey in the dark."""
    page = visit(site, "/account")
    page.evaluate("""() => {
        const main = document.querySelector("main");
        main.append(document.createElement("img"));
        main.append(Object.assign(document.createElement("p"), {textContent: "grey", id: "grey"}));
        document.getElementById("grey").style.color = "light-dark(#000, #222)";
    }""")

    found = run_axe(page)

    assert [fault.partition(":")[0] for fault in found] == ["image-alt", "dark color-contrast"]
