"""What goes out to others, whatever way: message by message, with every try."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from engine.outbox.message import MessageFilter, MessageState
from engine.web.pages.navigation import N_
from engine.web.pages.page import AdminPage
from engine.web.wire import ID_MAX

router = APIRouter()

Number = Annotated[int, Path(ge=1, le=ID_MAX)]

STATES: Mapping[str, str] = MappingProxyType(
    {
        MessageState.WAITING: N_("waits"),
        MessageState.SENT: N_("sent"),
        MessageState.PARKED: N_("given up"),
        MessageState.DROPPED: N_("never sent"),
    }
)
"""How a message stands, in English."""

MESSAGES_SHOWN = 100


@router.get("/outbox")
def show_outbox(
    page: AdminPage,
    state: MessageState | None = None,
    after: Annotated[int | None, Query(ge=1, le=ID_MAX)] = None,
) -> Response:
    """Show what went out and what waits, the newest first."""
    outbox = page.parts.outbox
    found = outbox.list_messages(MessageFilter(state=state, after=after, limit=MESSAGES_SHOWN + 1))
    return page.render(
        "outbox.html",
        here="activity",
        messages=found[:MESSAGES_SHOWN],
        following=found[MESSAGES_SHOWN - 1].id if len(found) > MESSAGES_SHOWN else None,
        counts=outbox.counts(),
        health=[each for each in outbox.health() if each.failures or each.parked or each.waiting],
        state=state,
        states=STATES,
    )


@router.get("/outbox/{number}")
def show_message(page: AdminPage, number: Number) -> Response:
    """Show one message: what is sent, and what came of every try."""
    outbox = page.parts.outbox
    return page.render(
        "message.html",
        here="activity",
        message=outbox.find(number),
        attempts=outbox.attempts(number),
        states=STATES,
    )


@router.post("/outbox/{number}/replay")
def replay_message(page: AdminPage, number: Number) -> Response:
    """Send one message again."""
    page.parts.outbox.replay(number)
    return page.go(f"/outbox/{number}")
