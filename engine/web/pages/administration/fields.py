"""The field map: what an event in Outlook says of a loan, what another map would make of it, and the lines for that."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from engine.errors import NotFound
from engine.ids import Address, BookableId, LoanNumber, StoreId
from engine.interval import Interval, ceil_to_grid
from engine.loans.loan import Home, ItemKind, Loan, LoanItem, Requester, TextLevel
from engine.loans.status import ItemState, LoanStatus
from engine.reconcile.dates import Dates
from engine.reconcile.field_map import BODY_PARTS, LOAN_FIELDS, SHOW_AS, FieldMap, map_fields
from engine.reconcile.names import fold
from engine.reconcile.telling.texts import render_plain_parts, render_subject
from engine.rooms.calendar import EventFields
from engine.web.api.wire import STORABLE
from engine.web.pages.forms import Sent
from engine.web.pages.page import AdminPage, Page
from engine.web.translations import N_

router = APIRouter()

Template = Annotated[str, Field(max_length=200), STORABLE]
Templates = Annotated[str, Field(max_length=1000), STORABLE]

FAULTS: Mapping[str, str] = MappingProxyType(
    {
        "title": N_("A title says something, and names only the fields listed below in braces."),
        "title_back": N_("To come back, the title must hold {title} once, and not {notes}."),
        "body": N_("The text is made of the parts listed below, each at most once."),
        "location": N_("The location names only the fields listed below in braces."),
        "categories": N_("At most ten categories, each with only the fields listed below in braces."),
        "show_as": N_("Shown as busy, tentative or out of office: as free no room would be booked."),
        "custom": N_("Properties are written Name={field}; Other={field}: at most ten, names of letters and digits."),
    }
)
"""What is wrong with a map, by its key; in English."""


class Wish(Sent):
    """A map to look at; lists with commas, properties with semicolons."""

    title: Template = ""
    title_back: bool = False
    body: Templates = ""
    location: Template = ""
    categories: Templates = ""
    show_as: Template = "busy"
    custom: Templates = ""
    loan: Annotated[str, Field(max_length=12)] = ""
    tried: bool = False

    def field_map(self) -> FieldMap:
        pairs = [each.partition("=") for each in self.custom.split(";") if each.strip()]
        return FieldMap(
            title=self.title,
            title_back=self.title_back,
            body=_words(self.body),
            location=self.location,
            categories=_words(self.categories),
            show_as=self.show_as,
            custom=tuple((name.strip(), text.strip()) for name, _, text in pairs),
        )


@dataclass(frozen=True, slots=True)
class Preview:
    """What the event says, at one level of telling."""

    level: TextLevel
    subject: str
    text: Sequence[str]
    fields: EventFields


@router.get("/fields")
def show(page: AdminPage, wish: Annotated[Wish, Query()]) -> Response:
    """Show the map that counts; or, of another one, what would come of it."""
    present = page.parts.rules().fields
    wanted = wish.field_map() if wish.tried else present
    faults = list(dict.fromkeys(name for name, _ in wanted.faults()))
    loan, is_real = _loan(page, wish.loan)
    return page.render(
        "fields.html",
        here="settings",
        present=present,
        wanted=wanted,
        is_other=wanted != present,
        faults=[page.say(FAULTS[name]) for name in faults],
        previews=[] if faults else [_preview(wanted, loan, level, page) for level in TextLevel],
        loan=loan if is_real else None,
        asked=wish.loan,
        lines=_lines(wanted),
        names=LOAN_FIELDS,
        view=_view(page),
        unknown_names=page.parts.unknown_names(),
        parts_of_body=BODY_PARTS,
        show_as=SHOW_AS,
    )


@dataclass(frozen=True, slots=True)
class ViewShown:
    """What is synchronised at all, as people read it: names as they are written here, statuses by their codes."""

    stores: Sequence[str]
    rooms: Sequence[str]
    statuses: Sequence[str]
    dates: Dates
    is_limited_to_stores: bool
    is_limited_to_rooms: bool


def _view(page: Page) -> ViewShown:
    view = page.parts.rules().view
    stores = [store.name for store in page.parts.web.register.list_stores()] if view.stores else []
    rooms = [room.name for room in page.parts.web.rooms.load_rooms()] if view.rooms else []
    return ViewShown(
        stores=sorted(name for name in stores if fold(name) in view.stores),
        rooms=sorted(name for name in rooms if fold(name) in view.rooms),
        statuses=sorted(view.statuses),
        dates=view.dates,
        is_limited_to_stores=bool(view.stores),
        is_limited_to_rooms=bool(view.rooms),
    )


def _preview(fields: FieldMap, loan: Loan, level: TextLevel, page: Page) -> Preview:
    link = f"{page.parts.web.base_address}/loans/{loan.number}"
    return Preview(
        level,
        render_subject(loan, level, fields),
        render_plain_parts(loan, level, link, fields),
        map_fields(fields, loan, level),
    )


def _loan(page: Page, number: str) -> tuple[Loan, bool]:
    """Return the loan of that number, else an example; and whether it is a real one."""
    if number.isdecimal():
        try:
            return page.parts.web.register.find(LoanNumber(int(number))), True
        except NotFound:
            pass
    start = ceil_to_grid(page.now)
    names = ((ItemKind.ROOM, "Tilleul"), (ItemKind.ASSET, page.say("Projector")))
    return (
        Loan(
            number=LoanNumber(4711),
            status=LoanStatus.NEW,
            home=Home.APP,
            requester=Requester(Address("amelie.durand@example.org"), "Amélie Durand"),
            interval=Interval(start, start + timedelta(hours=1)),
            items=tuple(
                LoanItem(kind, BookableId(n), name, ItemState.ACCEPTED) for n, (kind, name) in enumerate(names)
            ),
            store_id=StoreId(0),
            store=page.parts.rules().default_store,
            version=1,
            title=page.say("Tea with the mayor"),
            notes=page.say("Two jugs of water, please."),
        ),
        False,
    )


def _lines(fields: FieldMap) -> str:
    """Return the map as settings.toml has it."""
    custom = ", ".join(f"{name} = {_toml(text)}" for name, text in fields.custom)
    return "\n".join(
        (
            "[fields]",
            f"title = {_toml(fields.title)}",
            f"title_back = {str(fields.title_back).lower()}",
            f"body = {_toml(list(fields.body))}",
            f"location = {_toml(fields.location)}",
            f"categories = {_toml(list(fields.categories))}",
            f"show_as = {_toml(fields.show_as)}",
            f"custom = {{ {custom} }}" if custom else "custom = {}",
        )
    )


def _toml(value: object) -> str:
    """Return a text or a list of texts; TOML's basic strings are JSON's, for what can be printed."""
    return json.dumps(value, ensure_ascii=False)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())
