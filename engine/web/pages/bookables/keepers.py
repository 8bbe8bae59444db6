"""Who keeps which store: for administrators."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Form, Path
from starlette.responses import RedirectResponse, Response

from engine.errors import Fault, Invalid
from engine.ids import ID_MAX, Address, StoreId
from engine.web.pages.errors import Trouble, describe
from engine.web.pages.page import AdminPage, Page

router = APIRouter()

KEEPERS_MAX = 200
_ADDRESS = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+\.[^\s@,;<>.]+")


@router.get("/keepers")
def show_keepers(page: AdminPage) -> Response:
    """Show every store with its keepers."""
    return _render(page)


@router.post("/keepers/{store}")
def set_keepers(
    page: AdminPage,
    store: Annotated[int, Path(ge=1, le=ID_MAX)],
    addresses: Annotated[str, Form(max_length=50_000)] = "",
) -> Response:
    """Name the keepers of a store: addresses with spaces, commas or new lines between them; none for all staff."""
    assert page.user is not None
    try:
        keepers = read_addresses(addresses)
        page.parts.keepers.set_keepers(StoreId(store), keepers, actor=page.user.actor)
    except Invalid as error:
        return _render(page, trouble=describe(page, error), written={store: addresses})
    return RedirectResponse("/keepers", 303)


def read_addresses(text: str) -> list[Address]:
    """Return the addresses in *text*, each once, in their order. Raises Invalid."""
    words = list(dict.fromkeys(word for word in re.split(r"[\s,;]+", text) if word))
    wrong = [word for word in words if len(word) > 320 or not _ADDRESS.fullmatch(word)]
    if wrong or len(words) > KEEPERS_MAX:
        raise Invalid(Fault("addresses", "implausible", f"{wrong[0][:60]!r} is no address" if wrong else "too many"))
    return [Address(word) for word in words]


def _render(page: Page, *, trouble: Trouble | None = None, written: dict[int, str] | None = None) -> Response:
    keepers = page.parts.keepers.load_keepers()
    shown = {store: "\n".join(addresses) for store, addresses in keepers.items()}
    return page.render(
        "keepers.html",
        trouble.status if trouble else 200,
        here="stores",
        stores=page.parts.web.register.list_stores(),
        shown={**shown, **(written or {})},
        trouble=trouble,
    )
