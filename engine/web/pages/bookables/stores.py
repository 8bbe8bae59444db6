"""Stores and assets: what can be lent beside rooms, who looks after it, and by which rules."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Path
from pydantic import Field
from starlette.responses import Response

from engine.errors import NotFound
from engine.ids import ID_MAX, BookableId, StoreId
from engine.loans.loan import Store, TextLevel
from engine.loans.rules import BookingRules
from engine.loans.search import LoanSearch
from engine.rooms.room import sort_by_name
from engine.web.api.wire import STORABLE, Id, Line
from engine.web.pages.bookables.rules_form import RulesForm, show_days
from engine.web.pages.forms import Sent
from engine.web.pages.loans.mine import by_day
from engine.web.pages.page import AdminPage, Page, ViewerPage

router = APIRouter()

Number = Annotated[int, Path(ge=1, le=ID_MAX)]

LOANS_SHOWN = 12
"""How many loans the page of an asset shows, the next first."""


class StoreForm(Sent):
    name: Line = ""
    approval: bool = False
    text_level: TextLevel | None = None
    csrf: str = ""


class AssetForm(Sent):
    name: Line = ""
    description: Annotated[str, Field(max_length=2000), STORABLE] = ""
    store: Id
    csrf: str = ""


@router.get("/stores")
def show_stores(page: ViewerPage) -> Response:
    """List stores, with what belongs to each."""
    register, rooms = page.parts.web.register, page.parts.web.rooms.load_rooms()
    return page.render(
        "stores.html",
        here="stores",
        stores=register.list_stores(),
        assets=sort_by_name(register.list_assets()),
        rooms=rooms,
    )


@router.post("/stores")
def add_store(page: AdminPage, form: Annotated[StoreForm, Form()]) -> Response:
    """Make a store."""
    assert page.user is not None
    made = page.parts.inventory.add_store(form.name, actor=page.user.actor)
    return page.go(f"/stores/{made.id}?done=added")


@router.get("/stores/{id}")
def show_store(page: ViewerPage, id: Number, done: str = "") -> Response:
    """Show one store."""
    store = _find_store(page, id)
    web = page.parts.web
    assets = [asset for asset in web.register.list_assets() if asset.store_id == store.id]
    rooms = [room for room in web.rooms.load_rooms() if room.store_id == store.id]
    return page.render(
        "store.html",
        here="stores",
        store=store,
        rules=store.rules,
        merged=store.rules,
        days=show_days(store.rules),
        levels=tuple(TextLevel),
        assets=sort_by_name(assets),
        rooms=sort_by_name(rooms),
        keepers=page.parts.keepers.load_keepers().get(store.id, ()),
        done=done,
    )


@router.post("/stores/{id}")
def change_store(page: AdminPage, id: Number, form: Annotated[StoreForm, Form()]) -> Response:
    """Set what a store says of itself."""
    assert page.user is not None
    before, actor = _find_store(page, id).name, page.user.actor
    page.parts.inventory.change_store(
        StoreId(id), name=form.name, approval=form.approval, text_level=form.text_level, actor=actor
    )
    page.parts.settings.follow_rename(before, form.name.strip(), actor=actor)
    return page.go(f"/stores/{id}?done=saved")


@router.post("/stores/{id}/rules")
def set_store_rules(page: AdminPage, id: Number, form: Annotated[RulesForm, Form()]) -> Response:
    """Set the rules that hold for everything of a store that has none of its own."""
    assert page.user is not None
    page.parts.web.register.set_rules(form.parse(), store_id=StoreId(id), item_id=None, actor=page.user.actor)
    return page.go(f"/stores/{id}?done=saved#rules")


@router.post("/assets")
def add_asset(page: AdminPage, form: Annotated[AssetForm, Form()]) -> Response:
    """Add a thing to lend."""
    assert page.user is not None
    store = _find_store(page, form.store)
    made = page.parts.web.register.add_asset(
        form.name, store=store.name, description=form.description, actor=page.user.actor
    )
    return page.go(f"/assets/{made.id}?done=added")


@router.get("/assets/{id}")
def show_asset(page: ViewerPage, id: Number, done: str = "") -> Response:
    """Show one asset, with who has it and who gets it next."""
    assert page.user is not None
    asset = page.parts.inventory.find_asset(BookableId(id))
    held = LoanSearch(page.user.address, item=asset.id)
    loans = page.parts.search.find(held, now=page.now, limit=LOANS_SHOWN + 1)
    today = page.now.astimezone(page.parts.zone).date()
    stores = page.parts.web.register.list_stores()
    store_rules = next((store.rules for store in stores if store.id == asset.store_id), BookingRules())
    return page.render(
        "asset.html",
        here="stores",
        asset=asset,
        stores=stores,
        rules=asset.rules,
        merged=asset.rules.over(store_rules),
        days=show_days(asset.rules, store_rules),
        history=page.parts.room_board.room_history(asset.id),
        loans=by_day(loans[:LOANS_SHOWN], zone=page.parts.zone, not_before=today),
        goes_on=len(loans) > LOANS_SHOWN,
        today=today,
        done=done,
    )


@router.post("/assets/{id}")
def change_asset(page: AdminPage, id: Number, form: Annotated[AssetForm, Form()]) -> Response:
    """Set what an asset says of itself."""
    assert page.user is not None
    page.parts.inventory.change_asset(
        BookableId(id),
        name=form.name,
        description=form.description,
        store_id=StoreId(form.store),
        actor=page.user.actor,
    )
    return page.go(f"/assets/{id}?done=saved")


@router.post("/assets/{id}/rules")
def set_asset_rules(page: AdminPage, id: Number, form: Annotated[RulesForm, Form()]) -> Response:
    """Set an asset's own rules."""
    assert page.user is not None
    asset = page.parts.inventory.find_asset(BookableId(id))
    page.parts.web.register.set_rules(form.parse(), store_id=None, item_id=asset.id, actor=page.user.actor)
    return page.go(f"/assets/{id}?done=saved#rules")


@router.post("/assets/{id}/{step}")
def retire_or_revive(page: AdminPage, id: Number, step: Literal["retire", "revive"]) -> Response:
    """Take an asset out of service, or put it back."""
    assert page.user is not None
    inventory = page.parts.inventory
    (inventory.retire_asset if step == "retire" else inventory.revive_asset)(BookableId(id), actor=page.user.actor)
    return page.go(f"/assets/{id}?done=saved")


def _find_store(page: Page, number: int) -> Store:
    found = next((store for store in page.parts.web.register.list_stores() if store.id == number), None)
    if found is None:
        raise NotFound(f"there is no store {number}")
    return found
