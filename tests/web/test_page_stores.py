"""Stores and things: making, changing and retiring them, and the rules that follow."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from engine.ids import Address
from engine.interval import Interval
from engine.loans.loan import Asset, ItemKind, TextLevel
from engine.loans.register import ItemRef, LoanOrder
from engine.loans.status import LoanAction
from engine.rooms.listing import Place, plan_import
from tests.web.conftest import TestClient
from tests.web.visitors import MATHIEU, MONDAY, House, open_house

RULES = {"hours": "inherit", "window_days": "30", "duration_minutes_max": "90", "automatic_closing": "yes"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as found:
        yield found


@pytest.fixture
def admin(house: House) -> TestClient:
    return house.signed_in("admin")


def asset_named(house: House, name: str) -> Asset:
    return next(asset for asset in house.office.desk.list_assets() if asset.name == name)


def add_trolley(house: House, admin: TestClient) -> Asset:
    answer = admin.post("/assets", data={"name": "Trolley", "description": "two wheels", "store": "1"})
    assert answer.status_code == 303, answer.text
    return asset_named(house, "Trolley")


def in_order(page: str, names: Iterable[str]) -> list[str]:
    """Return *names* as they first come up in a page, where each is the end of a link."""
    found = re.findall(rf">({'|'.join(map(re.escape, names))})(?:</b>)?</a>", page)
    return list(dict.fromkeys(found))


class TestTheList:
    def test_shows_what_belongs_where(self, house: House, admin: TestClient) -> None:
        add_trolley(house, admin)

        page = house.signed_in("viewer").get("/stores").text

        assert "Main desk" in page
        assert "3 rooms" in page
        assert "Trolley" in page
        assert "two wheels" in page
        assert "Add a store" not in page

    def test_is_in_the_order_of_the_alphabet(self, house: House, admin: TestClient) -> None:
        """An É stands among the E, a 2 before a 10; on the page of a store too, where rooms come first."""
        names = ("Table 10", "Écran", "Vidéoprojecteur", "Table 2")
        for name in names:
            admin.post("/assets", data={"name": name, "description": "", "store": "1"})
        rooms = house.office.rooms
        known = rooms.load_rooms()
        elm = Place("dir-elm", Address("elm@example.org"), "Elm")
        rooms.apply_import(plan_import((elm,), known, ignored_tags=frozenset()), default_store="Main desk")

        everything, one = admin.get("/stores").text, admin.get("/stores/1").text

        assert in_order(everything, names) == ["Écran", "Table 2", "Table 10", "Vidéoprojecteur"]
        assert in_order(one, names) == in_order(everything, names)
        assert in_order(one, ("Fern", "Elm", "Oak")) == ["Elm", "Fern", "Oak"]

    def test_is_not_for_requesters(self, house: House) -> None:
        assert house.signed_in("requester").get("/stores").status_code == 403


class TestAStore:
    def test_is_added_and_changed(self, house: House, admin: TestClient) -> None:
        made = admin.post("/stores", data={"name": "Annex"})
        assert made.headers["Location"] == "/stores/2?done=added"

        admin.post("/stores/2", data={"name": "The annex", "approval": "1", "text_level": "link_only"})
        admin.post("/stores/2/rules", data=RULES)

        store = next(store for store in house.office.desk.list_stores() if store.id == 2)
        assert (store.name, store.approval, store.text_level) == ("The annex", True, TextLevel.LINK_ONLY)
        assert (store.rules.window_days, store.rules.duration_minutes_max) == (30, 90)
        assert store.rules.automatic_closing is True
        admin.post("/stores/2", data={"name": "The annex"})
        assert not next(store for store in house.office.desk.list_stores() if store.id == 2).approval

    def test_needs_a_name_of_its_own(self, admin: TestClient) -> None:
        headers = {"HX-Request": "true"}

        taken = admin.post("/stores", data={"name": "MAIN DESK"}, headers=headers)
        empty = admin.post("/stores", data={"name": "  "}, headers=headers)

        assert (taken.status_code, empty.status_code) == (422, 422)
        assert "Another one has this name." in taken.text
        assert "Something needed was left empty." in empty.text

    def test_that_is_none_is_not_found(self, admin: TestClient) -> None:
        assert admin.get("/stores/99").status_code == 404
        assert admin.post("/stores/99", data={"name": "x"}).status_code == 404
        assert admin.post("/assets", data={"name": "x", "store": "99"}).status_code == 404


class TestAThing:
    def test_shows_who_has_it_and_who_gets_it_next(self, house: House, admin: TestClient) -> None:
        """Who gave it back, or cancelled, has it no more. Private titles of others stay so."""
        items = (ItemRef(ItemKind.ASSET, add_trolley(house, admin).id),)
        hours = [Interval(MONDAY + timedelta(hours=hour), MONDAY + timedelta(hours=hour + 1)) for hour in range(9, 14)]
        desk, titles = house.office.desk, ("Given back", "Cancelled", "Still out", "Surprise", "Next")
        loans = [
            desk.book(LoanOrder(MATHIEU, when, items, title, private=title == "Surprise"), actor="app:test").number
            for when, title in zip(hours, titles, strict=True)
        ]
        for number, *steps in (
            (0, LoanAction.CHECK_OUT, LoanAction.CLOSE),
            (1, LoanAction.CANCEL),
            (2, LoanAction.CHECK_OUT),
        ):
            for step in steps:
                desk.act(loans[number], step, actor="app:test")

        path = f"/assets/{items[0].id}"
        page = house.signed_in("staff").get(path).text

        shown = re.findall(r"<b>([^<]+)</b><small>#", page)
        assert shown == ["Still out", "Private booking", "Next"]
        assert "Surprise" not in page
        assert f'href="/book?item={items[0].id}"' in page
        assert "/book?item=" not in house.signed_in("viewer").get(path).text

    def test_that_nobody_has_says_so(self, house: House, admin: TestClient) -> None:
        thing = add_trolley(house, admin)
        assert "Nobody has it, and nobody has booked it." in admin.get(f"/assets/{thing.id}").text

        house.office.inventory.retire_asset(thing.id, actor="app:test")

        assert "/book?item=" not in admin.get(f"/assets/{thing.id}").text, "out of service"

    def test_is_changed(self, house: House, admin: TestClient) -> None:
        trolley = add_trolley(house, admin)
        admin.post("/stores", data={"name": "Annex"})

        admin.post(f"/assets/{trolley.id}", data={"name": "Cart", "description": "", "store": "2"})
        admin.post(f"/assets/{trolley.id}/rules", data=RULES)

        cart = asset_named(house, "Cart")
        assert (cart.store, cart.description, cart.rules.window_days) == ("Annex", "", 30)
        page = admin.get(f"/assets/{trolley.id}").text
        assert "Trolley changed: name: Trolley -&gt; Cart" in page
        assert "Rules of Cart changed" in page

    def test_is_taken_out_of_service_and_put_back(self, house: House, admin: TestClient) -> None:
        trolley = add_trolley(house, admin)

        admin.post(f"/assets/{trolley.id}/retire")

        assert asset_named(house, "Trolley").retired
        assert "Out of service" in admin.get("/stores").text
        assert "Put back into service" in admin.get(f"/assets/{trolley.id}").text
        admin.post(f"/assets/{trolley.id}/revive")
        assert not asset_named(house, "Trolley").retired

    def test_shows_staff_what_counts(self, house: House, admin: TestClient) -> None:
        """The store's rules, where it has none of its own; and nothing to change."""
        trolley = add_trolley(house, admin)
        admin.post("/stores/1/rules", data=RULES)
        staff = house.signed_in("staff")

        page = staff.get(f"/assets/{trolley.id}").text

        assert "<dd>30</dd>" in page
        assert "<dd>90</dd>" in page
        assert '<form method="post" action="/assets' not in page
        assert staff.post(f"/assets/{trolley.id}/retire").status_code == 403
