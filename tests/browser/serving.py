"""The app on a real port, over an office of its own: what a browser meets, without the engine behind it."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import uvicorn

from engine.app.office import Office
from engine.app.web_parts import Outside, build_page_parts, build_web_parts
from engine.ids import Address
from engine.interval import Interval
from engine.loans.loan import ItemKind, Loan, Requester
from engine.loans.recurrence import Repeat, recur
from engine.loans.register import ItemRef, LoanOrder
from engine.reconcile.series.book import AppSeries, SeriesOrder
from engine.rooms.listing import plan_import
from engine.rooms.room import Place
from engine.settings import DatabaseSettings, RoomsSettings, Settings
from engine.web.api.app import create_api
from engine.web.front import Front
from engine.web.metrics import Metrics
from engine.web.pages.app import create_pages
from tests.templates import put_database

NOW = datetime(2026, 11, 23, 8, 10, tzinfo=UTC)
"""A Monday, ten past nine in Paris."""

ZONE = ZoneInfo("Europe/Paris")
AMELIE = Requester(Address("amelie.durand@example.org"), "Amélie Durand")
MATHIEU = Requester(Address("mathieu.dupuis@example.org"), "Mathieu Dupuis")

PLACES = (
    ("Tilleul", 60, "Maison", "0", ("projector", "stage")),
    ("Platane", 24, "Maison", "0", ("projector",)),
    ("Saule", 8, "Maison", "1", ("screen",)),
    ("Frêne", 10, "Annexe", "2", ()),
)


class _Server(uvicorn.Server):
    """A server in a thread leaves the signals to the tests."""

    def capture_signals(self) -> Any:
        return nullcontext()


@dataclass
class Site:
    """A running app."""

    address: str
    office: Office

    def room(self, name: str) -> int:
        return next(room.id for room in self.office.rooms.load_rooms() if room.name == name)

    def book(
        self, room: str, start: str, end: str, title: str, person: Requester = MATHIEU, *, day: int = 1, **more: Any
    ) -> Loan:
        """Book from one time of the day to another, *day* days after Monday 23 November; "26:00" is 2 at night."""
        items = (ItemRef(ItemKind.ROOM, self.room(room)),) if isinstance(room, str) else ()
        interval = Interval(self.at(start, day), self.at(end, day))
        return self.office.desk.book(LoanOrder(person, interval, items, title, **more), actor="app:test")

    def book_weekly(self, room: str, start: str, end: str, count: int, *, day: int = 1) -> AppSeries:
        """Book a weekly series from *day* on."""
        recurrence = recur(Repeat.WEEKLY, self.at(start, day), self.at(end, day), ZONE.key, count=count)
        order = SeriesOrder(MATHIEU, recurrence, (ItemRef(ItemKind.ROOM, self.room(room)),), "Rehearsal")
        return self.office.series.book(order, actor="app:test")

    def at(self, clock: str, day: int = 1) -> datetime:
        hour, minute = (int(part) for part in clock.split(":"))
        return datetime(2026, 11, 23, tzinfo=ZONE) + timedelta(days=day, hours=hour, minutes=minute)


@contextmanager
def running_site(
    folder: Path, places: tuple[Place, ...] | None = None, *, outside: Outside | None = None, **more: Any
) -> Iterator[Site]:
    """Serve an app with four rooms, or with *places*; *more* are further sections of settings."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    settings = Settings(
        database=DatabaseSettings(url=put_database(folder / "site.db"), durability="normal"),
        rooms=RoomsSettings(time_zone="Europe/Paris"),
        **more,
    )
    with Office(settings, now=lambda: NOW) as office:
        office.rooms.apply_import(
            plan_import(places or _places(), (), ignored_tags=frozenset()), default_store="Main desk"
        )
        parts = build_web_parts(settings, office, Metrics(), token=None, public=address)
        pages = build_page_parts(settings, office, parts, outside)
        app = Front(create_api(parts), create_pages(pages))
        server = _Server(uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off"))
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=lambda: loop.run_until_complete(server.serve(sockets=[listener])))
        thread.start()
        while not server.started:
            thread.join(0.01)
        try:
            yield Site(address, office)
        finally:
            loop.call_soon_threadsafe(pages.live.close)
            server.should_exit = True
            thread.join()
            loop.close()


def _places() -> tuple[Place, ...]:
    return tuple(
        Place(
            f"dir-{number}", Address(f"room-{number}@example.org"), name,
            capacity=seats, building=building, floor=floor, tags=tags,
        )
        for number, (name, seats, building, floor, tags) in enumerate(PLACES)
    )  # fmt: skip
