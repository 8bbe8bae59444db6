"""
A browser and an app to look at.

    site     the app with some bookings, one per test process, never changed by a test
    fresh    an app of one test's own
    visit    visit(site, path, role=..., width=..., language=...) opens a page; what goes wrong there fails the test
    pass_by  pass_by(path, role=..., width=...) shows a page of `site` in a window that stays open, for looking only
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from engine.app.office import Office
from engine.app.web_parts import Outside
from engine.ids import EventId, ICalUid
from engine.interval import Interval
from engine.outbox.message import Receipt
from engine.reconcile.own_calendar import OwnCalendar, OwnCalendarState
from engine.rooms.calendar import ChangesPage
from engine.rooms.event import Answer, Attendee, EventCopy, EventType, Mailbox
from engine.webhooks.endpoint import EndpointOrder
from tests.browser.chromium import HELP, find_chromium, flags, must_be_there
from tests.browser.serving import AMELIE, MATHIEU, NOW, Site, running_site
from tests.web.case_scene import file_cases
from tests.web.own_calendars import MemoryDesk
from tests.web.played_outlook import played_outlook

ARTEFACTS = os.environ.get("ACCORD_TEST_SCREENSHOTS", "")
"""A folder that takes a picture of every page looked at; empty: none are kept."""

PATIENCE = 30_000
"""Milliseconds until something that does not come counts as missing; only a failing test waits that long."""

expect.set_options(timeout=PATIENCE)

Visit = Callable[..., Page]
PassBy = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One per file: its event loop runs in this thread while it is open, and no test could run one of its own."""
    path = find_chromium()
    if path is None and must_be_there():
        pytest.fail(HELP, pytrace=False)
    if path is None:
        pytest.skip(HELP)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=flags())
        yield opened
        opened.close()


def stir(office: Office) -> None:
    """Leave something of each kind in the queue: given up, failing, due, to come, and done a moment ago."""
    for claim in (queue := office.queue).claim(40)[:8]:
        queue.done(claim)
    office.enqueue("subscription", "2")
    office.enqueue("room", "4")
    for claim in queue.claim(40):
        if claim.kind == "subscription":
            queue.park(claim, error="POST /subscriptions: 403 Forbidden: the application may not read this mailbox")
        elif claim.kind == "room":
            queue.retry(claim, delay=90, error="GET /users/4/calendarView/delta: 503 Service Unavailable")
    office.enqueue("meeting", "040000008200E00074C5B7101A82E008", delay=600)
    for name, result in (("import_rooms", "4 added"), ("sweep_rooms", "ok"), ("compare_rooms", "ok")):
        office.note_job(name, office.now() + timedelta(minutes=12), office.now() - timedelta(minutes=3), result)


def look_back(site: Site) -> None:
    """Plan a backfill of meetings that were there before: two free, one in a room that a loan has by now."""
    desk = site.office.backfills
    rooms = {str(room.id): room for room in site.office.rooms.load_rooms()}
    plan = desk.create(Interval(site.at("00:00"), site.at("00:00", 30)), (), actor="app:test")
    for number, (name, start) in enumerate((("Saule", "09:00"), ("Platane", "16:00"), ("Tilleul", "09:30"))):
        room = rooms[str(site.room(name))]
        stretch = Interval(site.at(start), site.at(start) + timedelta(hours=1))
        organizer = Mailbox(MATHIEU.address, MATHIEU.name)
        attendee = Attendee(room.address, room.name, "resource", Answer.ACCEPTED)
        event = EventCopy(
            EventId(f"before-{number}"), "1", ICalUid(f"before-{number}"), EventType.SINGLE, organizer, stretch,
            attendees=(attendee,), answer=Answer.ACCEPTED,
        )  # fmt: skip
        desk.save_stretch(plan.number, room, stretch, ChangesPage((event,), None, "end"))
    while (wanted := desk.next_stretch(plan.number)) is not None:
        desk.pass_over(plan.number, wanted[0])
    while not desk.carry_on(plan.number, at_once=50).is_planned:
        pass


def furnish(site: Site) -> None:
    """Book what a board may have to show."""
    site.book("Tilleul", "09:00", "10:30", "Budget 2027")
    site.book("Platane", "10:00", "11:00", "Tea with the mayor", AMELIE)
    site.book("Platane", "14:00", "15:00", "Surprise", private=True)
    site.book("Saule", "22:00", "26:00", "Night of the theses")
    site.book("Frêne", "08:00", "36:00", "Exhibition")
    long_name = "Vidéoprojecteur avec télécommande, câble HDMI de dix mètres, rallonge et valise à roulettes"
    site.office.desk.add_asset(long_name, store=None, description="Au magasin du rez-de-chaussée", actor="app:test")
    file_cases(site.office)
    site.book_weekly("Saule", "16:00", "17:00", 4, day=3)
    look_back(site)
    stir(site.office)
    tell_others(site.office)


def tell_others(office: Office) -> None:
    """Let a webhook take one message, and have trouble with another."""
    order = EndpointOrder("Town hall", "https://receiver.example.org/accord", ("closure",))
    office.webhooks.add(order, secret=None, actor="app:test")
    office.webhooks.ping(1)
    office.outbox.record(office.outbox.find(1), Receipt(48, 200, '{"taken": true}'))
    office.webhooks.ping(1)
    office.outbox.record(office.outbox.find(2), Receipt(10_000, error="no whole answer within 10 s"))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    mine = OwnCalendar(AMELIE.address, AMELIE.address, OwnCalendarState.BROKEN, NOW, entries=2)
    with (
        played_outlook(lambda: NOW) as outlook,
        running_site(folder, outside=Outside(outlook=outlook, own_calendars=MemoryDesk(calendar=mine))) as running,
    ):
        furnish(running)
        yield running


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Site]:
    with running_site(tmp_path) as running:
        yield running


@dataclass
class Window:
    """A page somebody looks through, what went wrong there, and which answers are meant to be refusals."""

    page: Page
    faults: list[str] = field(default_factory=list)
    forgiven: tuple[int, ...] = ()

    def show(self, path: str, status: int, forgiven: tuple[int, ...] = ()) -> Page:
        """Go to *path*, and return once it is there."""
        self.forgiven = (status, *forgiven)
        found = self.page.goto(path)
        assert found is not None
        assert found.status == status
        if self.page.locator("#board").count() and "view=" in self.page.url:
            self.page.wait_for_selector("html[data-ready=yes]", state="attached")
        return self.page


def open_window(
    browser: Browser,
    site: Site,
    *,
    role: str = "staff",
    person: str = AMELIE.address,
    width: int = 1400,
    height: int = 900,
    language: str = "en-GB",
    friend: str = "",
    **more: Any,
) -> Window:
    """Sign somebody in, in a new window; no role: nobody."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="light",
        locale=language,
        reduced_motion="reduce",
        base_url=site.address,
        **more,
    )
    context.set_default_timeout(PATIENCE)
    window = Window(context.new_page())
    window.page.on("console", lambda message: _note(window.faults, message, window.forgiven))
    window.page.on("pageerror", lambda error: window.faults.append(f"exception: {error}"))
    window.page.on("request", lambda request: _check_origin(window.faults, request, site.address, friend))
    if role:
        answer = context.request.post(
            "/sign-in/development",
            form={"address": person, "role": role},
            headers={"Origin": site.address},
            max_redirects=0,
        )
        assert answer.status == 303
    return window


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Open pages; a console error, an exception or a request to another site fails the test."""
    faults: list[str] = []
    with ExitStack() as stack:

        def open_page(site: Site, path: str, *, status: int = 200, forgiven: tuple[int, ...] = (), **more: Any) -> Page:
            window = open_window(browser, site, **more)
            window.faults = faults
            stack.callback(window.page.context.close)
            return window.show(path, status, forgiven)

        yield open_page
    assert faults == []


@pytest.fixture(scope="module")
def windows() -> Iterator[dict[tuple[Any, ...], Window]]:
    """Those that `pass_by` looks through, by who looks and how."""
    opened: dict[tuple[Any, ...], Window] = {}
    yield opened
    for window in opened.values():
        window.page.context.close()


@pytest.fixture
def pass_by(browser: Browser, site: Site, windows: dict[tuple[Any, ...], Window]) -> Iterator[PassBy]:
    """As `visit`, through windows that stay open for a whole file: to open one costs three times what is shown."""
    used: list[Window] = []

    def look(path: str, *, role: str, width: int, language: str = "en-GB", status: int = 200) -> Page:
        key = (role, width, language)
        if key not in windows:
            windows[key] = open_window(browser, site, role=role, width=width, language=language)
        used.append(windows[key])
        page = windows[key].page
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="light")
        return windows[key].show(path, status)

    yield look
    faults = [fault for window in used for fault in window.faults]
    for window in used:
        window.faults.clear()
    assert faults == []


def _note(faults: list[str], message: ConsoleMessage, forgiven: tuple[int, ...]) -> None:
    """Note what the console complains about; that what is meant to be refused is refused is no fault."""
    is_meant = any(status >= 400 and f"status of {status}" in message.text for status in forgiven)
    if message.type in ("error", "warning") and not is_meant:
        faults.append(f"{message.type}: {message.text} {message.location.get('url', '')}")


def _check_origin(faults: list[str], request: Request, address: str, friend: str) -> None:
    """Note a request that leaves the site, but for people who go to *friend*, another site, by themselves."""
    goes_there = friend and request.is_navigation_request() and request.url.startswith(friend + "/")
    if not goes_there and not request.url.startswith((address + "/", "data:", "blob:")):
        faults.append(f"foreign request: {request.url}")


def keep_picture(page: Page, name: str) -> None:
    """Keep a picture among the artefacts, when somebody asked for them."""
    if ARTEFACTS:
        folder = Path(ARTEFACTS)
        folder.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=folder / f"{name}.png")
