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
def show_keepers(page: AdminPage, done: int = 0) -> Response:
    """Show every store with its keepers; that of store *done* was just saved."""
    return _render(page, done=done)


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
        return _render(page, trouble=describe(page, error), written=(store, addresses))
    return RedirectResponse(f"/keepers?done={store}", 303)


def read_addresses(text: str) -> list[Address]:
    """Return the addresses in *text*, each once, in their order. Raises Invalid."""
    words = _words(text)
    wrong = find_wrong(text)
    if wrong or len(words) > KEEPERS_MAX:
        raise Invalid(Fault("addresses", "implausible", f"{wrong[0][:60]!r} is no address" if wrong else "too many"))
    return [Address(word) for word in words]


def find_wrong(text: str) -> list[str]:
    """Return what is no address among those in *text*."""
    return [word for word in _words(text) if len(word) > 320 or not _ADDRESS.fullmatch(word)]


def _words(text: str) -> list[str]:
    return list(dict.fromkeys(word for word in re.split(r"[\s,;]+", text) if word))


def _render(
    page: Page, *, done: int = 0, trouble: Trouble | None = None, written: tuple[int, str] | None = None
) -> Response:
    keepers = page.parts.keepers.load_keepers()
    shown: dict[int, str] = {store: "\n".join(addresses) for store, addresses in keepers.items()}
    return page.render(
        "keepers.html",
        trouble.status if trouble else 200,
        here="stores",
        stores=page.parts.web.register.list_stores(),
        kept=frozenset(keepers),
        shown=shown if written is None else {**shown, written[0]: written[1]},
        trouble=trouble,
        troubled=written[0] if written is not None else 0,
        wrong=find_wrong(written[1]) if written is not None else (),
        done=done,
    )
