"""Webhooks: where they go, how the receivers do, their secrets, a test message, and everything once more."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from fastapi import APIRouter, Form, Path
from starlette.responses import RedirectResponse, Response

from engine.errors import DeskError, NotFound
from engine.ids import ID_MAX
from engine.outbox.changes import CASE, CLOSURE, LOAN, ROOM
from engine.outbox.message import MessageFilter
from engine.web.api.wire import STORABLE
from engine.web.pages.administration.outbox import STATES, say_trouble
from engine.web.pages.errors import Trouble, describe
from engine.web.pages.page import AdminPage, Page
from engine.web.translations import N_
from engine.webhooks.endpoint import CHANNEL, HEADER, MODELS, RECENT, EndpointOrder, masked

router = APIRouter()

Number = Annotated[int, Path(ge=1, le=ID_MAX)]
Sent = Annotated[str, Form(max_length=2000), STORABLE]
Chosen = Annotated[list[str] | None, Form(max_length=20)]
Ticked = Annotated[bool, Form()]

MODEL_WORDS: Mapping[str, str] = MappingProxyType(
    {LOAN: N_("Loans"), ROOM: N_("Rooms"), CASE: N_("Cases"), CLOSURE: N_("Closures of rooms")}
)
"""What an endpoint hears of, in English."""

MESSAGES_SHOWN = 50


@router.get("/webhooks")
def show_webhooks(page: AdminPage) -> Response:
    """Show the endpoints, and how to add one."""
    return _render_all(page)


@router.post("/webhooks")
def add_webhook(
    page: AdminPage,
    url: Sent = "",
    name: Sent = "",
    models: Chosen = None,
    personal: Ticked = False,
    header: Sent = "",
    secret: Sent = "",
) -> Response:
    """Make an endpoint, and show its secret this once."""
    assert page.user is not None
    order = EndpointOrder(name or None, url or None, tuple(models or ()), personal, header or None)
    try:
        made = page.parts.webhooks.add(order, secret=secret or None, actor=page.user.actor)
    except DeskError as error:
        return _render_all(page, trouble=describe(page, error), written=order)
    return _render_one(page, made.id, fresh=made.secrets[-1])


@router.get("/webhooks/{number}")
def show_webhook(page: AdminPage, number: Number) -> Response:
    """Show one endpoint: how it does, what was sent, and what can be done."""
    return _render_one(page, number)


@router.post("/webhooks/{number}")
def change_webhook(
    page: AdminPage,
    number: Number,
    url: Sent = "",
    name: Sent = "",
    models: Chosen = None,
    personal: Ticked = False,
    header: Sent = "",
    enabled: Ticked = False,
) -> Response:
    """Set what an endpoint is."""
    assert page.user is not None
    order = EndpointOrder(name, url, tuple(models or ()), personal, header, enabled)
    try:
        page.parts.webhooks.change(number, order, actor=page.user.actor)
    except NotFound:
        raise
    except DeskError as error:
        return _render_one(page, number, trouble=describe(page, error))
    return RedirectResponse(f"/webhooks/{number}", 303)


@router.post("/webhooks/{number}/remove")
def remove_webhook(page: AdminPage, number: Number) -> Response:
    """Remove an endpoint; what waits for it is never sent."""
    assert page.user is not None
    page.parts.webhooks.remove(number, actor=page.user.actor)
    return RedirectResponse("/webhooks", 303)


@router.post("/webhooks/{number}/rotate")
def rotate_secret(page: AdminPage, number: Number) -> Response:
    """Add a second live secret, and show it this once."""
    assert page.user is not None
    found = page.parts.webhooks.rotate(number, secret=None, actor=page.user.actor)
    return _render_one(page, number, fresh=found.secrets[-1])


@router.post("/webhooks/{number}/retire")
def retire_secret(page: AdminPage, number: Number) -> Response:
    """End the older of two live secrets."""
    assert page.user is not None
    page.parts.webhooks.retire(number, actor=page.user.actor)
    return RedirectResponse(f"/webhooks/{number}", 303)


@router.post("/webhooks/{number}/ping")
def ping_webhook(page: AdminPage, number: Number) -> Response:
    """Send a test message, and show what came of it."""
    return page.go(f"/outbox/{page.parts.webhooks.ping(number).id}")


@router.post("/webhooks/{number}/resend")
def resend_everything(page: AdminPage, number: Number) -> Response:
    """Tell an endpoint of everything that is, as created."""
    page.parts.webhooks.resend(number, since=page.now - RECENT)
    return page.go(f"/webhooks/{number}")


@router.post("/webhooks/{number}/replay")
def replay_parked(page: AdminPage, number: Number) -> Response:
    """Send again what was given up."""
    found = page.parts.webhooks.find(number)
    page.parts.outbox.replay_all(MessageFilter(CHANNEL, found.receiver))
    return page.go(f"/webhooks/{number}")


def _render_all(page: Page, *, trouble: Trouble | None = None, written: EndpointOrder | None = None) -> Response:
    found = page.parts.webhooks.list_endpoints()
    return page.render(
        "webhooks.html",
        trouble.status if trouble else 200,
        here="activity",
        endpoints=[(each, page.parts.outbox.health_of(CHANNEL, each.receiver)) for each in found],
        written=written or EndpointOrder(models=MODELS, header=HEADER),
        models=MODEL_WORDS,
        trouble=trouble,
    )


def _render_one(page: Page, number: int, *, fresh: str | None = None, trouble: Trouble | None = None) -> Response:
    found = page.parts.webhooks.find(number)
    messages = page.parts.outbox.list_messages(MessageFilter(CHANNEL, found.receiver, limit=MESSAGES_SHOWN))
    return page.render(
        "webhook.html",
        trouble.status if trouble else 200,
        here="activity",
        endpoint=found,
        health=page.parts.outbox.health_of(CHANNEL, found.receiver),
        secrets=[masked(secret) for secret in found.secrets],
        messages=messages,
        states=STATES,
        say_trouble=lambda error: say_trouble(page, error),
        models=MODEL_WORDS,
        fresh=fresh,
        trouble=trouble,
    )
