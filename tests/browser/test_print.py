"""What pages look like on paper: dark on light, without what one does there, and nothing beyond the edge."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from engine.ids import Address
from engine.rooms.room import Place
from tests.browser.conftest import Visit
from tests.browser.serving import AMELIE, Site, running_site

UPRIGHT, ACROSS = 703, 1032
"""Pixels between the margins of A4."""

BRIGHTNESS = """(element) => {
    const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    paint.fillStyle = getComputedStyle(element).color;
    paint.fillRect(0, 0, 1, 1);
    return Math.max(...paint.getImageData(0, 0, 1, 1).data.slice(0, 3));
}"""

BEYOND = """() => [...document.querySelectorAll(".print-head, main *")].filter((each) => {
    const { left, right, width } = each.getBoundingClientRect();
    return width > 1 && each.checkVisibility() && (left < -1 || right > document.documentElement.clientWidth + 1);
}).map((each) => each.outerHTML.slice(0, 80))"""


def on_paper(site: Site, visit: Visit, path: str, *, width: int = UPRIGHT, language: str = "en-GB") -> Page:
    """Return a page as somebody prints it who has chosen the dark theme."""
    page = visit(site, path, width=width, language=language)
    page.context.add_cookies([{"name": "accord_theme", "value": "dark", "url": site.address}])
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    if page.locator("#board").count():
        page.wait_for_selector("html[data-ready=yes]", state="attached")
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    return page


@pytest.mark.parametrize(
    ("path", "width"),
    [
        ("/board?view=day&day=2026-11-24", ACROSS),
        ("/board?view=week&day=2026-11-24", ACROSS),
        ("/board?view=day&day=2026-11-24", UPRIGHT),
        ("/board?view=list&day=2026-11-24", UPRIGHT),
        ("/loans/2", UPRIGHT),
        ("/mine", UPRIGHT),
        ("/loans", UPRIGHT),
        ("/cases", UPRIGHT),
    ],
)
def test_it_is_dark_on_light_and_nothing_is_cut(site: Site, visit: Visit, path: str, width: int) -> None:
    page = on_paper(site, visit, path, width=width)

    for each in page.locator("main h1, .print-head b, .own-what b, .room b, .list-room h3, .facts dd").all()[:20]:
        assert each.evaluate(BRIGHTNESS) < 100
    assert page.evaluate(BEYOND) == []
    for what in ("header.side", "[role=search]", ".button", "details.menu", ".segments a:not([aria-current])", ".back"):
        for each in page.locator(what).all():
            expect(each).to_be_hidden()


def test_its_head_says_where_and_when(fresh: Site, visit: Visit) -> None:
    """The buildings of a board, and when it is printed, in the building's time and the reader's language."""
    fresh.book("Saule", "09:00", "10:00", "Budget", AMELIE)
    page = on_paper(fresh, visit, "/board?view=day&day=2026-11-24", language="fr-FR")

    expect(page.locator(".print-head")).to_contain_text("Accord · Annexe · Maison")
    expect(page.locator(".print-head")).to_contain_text(re.compile(r"Imprimé.: \w+\. \d+ \w+\.? \d{4}, \d\d:\d\d"))
    expect(page.locator("main h1")).to_have_text("mardi 24 novembre 2026")
    page.emulate_media(media="screen")
    expect(page.locator(".print-head")).to_be_hidden()


def test_a_page_that_was_open_for_long_tells_when_it_is_printed(fresh: Site, visit: Visit) -> None:
    page = visit(fresh, "/mine")
    page.clock.install(time="2026-12-24T15:30:00Z")

    page.evaluate("dispatchEvent(new Event('beforeprint'))")

    expect(page.locator("#printed")).to_have_text("Thu, 24 Dec 2026, 16:30")


@pytest.mark.parametrize("view", ["day", "week"])
def test_the_hours_stand_on_every_sheet_of_a_board(tmp_path: Path, visit: Visit, view: str) -> None:
    """Forty rooms need more than two sheets. What the hours are written in is told from all else by its colour."""
    places = tuple(
        Place(f"dir-{number}", Address(f"room-{number}@example.org"), f"Room {number:02}", building="Maison", floor="1")
        for number in range(40)
    )
    with running_site(tmp_path, places) as site:
        page = visit(site, f"/board?view={view}&day=2026-11-24")
        page.evaluate("""() => {
            for (const hour of document.querySelectorAll(".hour")) hour.style.color = "rgb(255, 0, 51)";
        }""")

        sheets = painted_sheets(page.pdf(prefer_css_page_size=True, format="A4"))

    assert len(sheets) > 2
    assert all(b"1 0 .2 rg" in sheet for sheet in sheets)


def painted_sheets(document: bytes) -> list[bytes]:
    """Return what is painted on each sheet of a PDF, as Chromium writes it: those streams begin with its scale."""
    found = re.findall(rb"/FlateDecode.*?stream\n(.*?)\nendstream", document, re.DOTALL)
    streams = [zlib.decompressobj().decompress(each) for each in found]
    return [each for each in streams if re.match(rb"\.2\d+ 0 0 -\.2", each)]
