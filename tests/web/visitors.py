"""The pages over a real office, and people in front of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from engine.app.office import Office
from engine.app.web_parts import Outside, build_page_parts, build_web_parts
from engine.database.stores.keepers import Keepers
from engine.ids import Address
from engine.interval import Interval
from engine.loans.loan import ItemKind, Loan, Requester
from engine.loans.register import ItemRef, LoanOrder
from engine.rooms.listing import plan_import
from engine.rooms.room import Place
from engine.settings import DatabaseSettings, RoomsSettings, Settings
from engine.web.api.app import create_api
from engine.web.api.feeds import build_feeds
from engine.web.front import Front
from engine.web.metrics import Metrics
from engine.web.pages.app import create_pages
from tests.templates import put_database
from tests.web.conftest import TestClient

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Paris")
MONDAY = datetime(2026, 11, 23, tzinfo=ZONE)
AMELIE = Requester(Address("amelie.durand@example.org"), "Amélie Durand")
MATHIEU = Requester(Address("mathieu.dupuis@example.org"), "Mathieu Dupuis")
ORIGIN = "http://127.0.0.1:8420"
FROM_US = {"Sec-Fetch-Site": "same-origin"}


@dataclass
class House:
    """An office with three rooms and no engine, and the app before it."""

    office: Office
    app: Front

    @property
    def keepers(self) -> Keepers:
        return Keepers(self.office.database)

    def visitor(self, **headers: str) -> TestClient:
        """Return a browser on this machine that nobody is signed in on."""
        return TestClient(
            self.app,
            base_url=ORIGIN,
            client=("127.0.0.1", 50000),
            headers={**FROM_US, **headers},
            follow_redirects=False,
            raise_server_exceptions=False,
        )

    def signed_in(self, role: str, person: Requester = AMELIE, **headers: str) -> TestClient:
        """Return a browser on which *person* is signed in."""
        client = self.visitor(**headers)
        answer = client.post("/sign-in/development", data={"address": person.address, "role": role})
        assert answer.status_code == 303, answer.text
        client.headers["X-CSRF-Token"] = csrf_of(client.get("/account").text)
        return client

    def room(self, name: str) -> int:
        return next(room.id for room in self.office.rooms.load_rooms() if room.name == name)

    def book(self, person: Requester = AMELIE, *, room: str = "Fern", hour: int = 10, **more: Any) -> Loan:
        """Book one hour on Monday."""
        start = MONDAY + timedelta(hours=hour)
        items = (ItemRef(ItemKind.ROOM, self.room(room)),)
        order = LoanOrder(person, Interval(start, start + timedelta(hours=1)), items, **more)
        return self.office.desk.book(order, actor="app:test")


def csrf_of(html: str) -> str:
    """Return the token a page carries."""
    found = re.search(r'name="csrf-token" content="([^"]+)"', html)
    assert found is not None
    return found[1]


@contextmanager
def open_house(folder: Path, outside: Outside | None = None, **settings: Any) -> Iterator[House]:
    settings.setdefault("rooms", RoomsSettings(time_zone=ZONE.key))
    wanted = Settings(database=DatabaseSettings(url=put_database(folder / "house.db")), **settings)
    with Office(wanted, now=lambda: NOW) as office:
        places = (
            Place("dir-fern", Address("fern@example.org"), "Fern", capacity=8, building="North", floor="1"),
            Place("dir-moss", Address("moss@example.org"), "Moss", capacity=20, building="North", floor="2"),
            Place("dir-oak", Address("oak@example.org"), "Oak", capacity=4, tags=("piano",)),
        )
        office.rooms.apply_import(plan_import(places, (), ignored_tags=frozenset()), default_store="Main desk")
        parts = build_web_parts(wanted, office, Metrics(), token=None, public=wanted.web.public_url or ORIGIN)
        routers = [build_feeds(office.feeds, office.now)]
        yield House(
            office,
            Front(create_api(parts, routers=routers), create_pages(build_page_parts(wanted, office, parts, outside))),
        )
