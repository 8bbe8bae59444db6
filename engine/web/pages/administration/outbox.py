"""What goes out to others, whatever way: message by message, with every try."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from engine.ids import ID_MAX
from engine.outbox.message import MessageFilter, MessageState
from engine.reconcile.words.quoting import quote_error
from engine.web.pages.page import AdminPage, Page
from engine.web.translations import N_

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

TROUBLES: tuple[tuple[str, str], ...] = (
    (r"HTTP (?P<status>\d+): a redirect.*", N_("HTTP %(status)s: a redirect, which is not followed")),
    (r"HTTP (?P<status>\d+) with a web page.*", N_("HTTP %(status)s with a web page: not the receiver answered")),
    (r"no whole answer within (?P<seconds>\S+) s", N_("No whole answer within %(seconds)s s")),
    (r"not sent: (?P<address>\S+) is not a public address.*", N_("Not sent: %(address)s is not a public address")),
    (r"not sent: over the internet only https is spoken", N_("Not sent: over the internet only https is spoken")),
    (r"no address is known for (?P<host>\S+)", N_("No address is known for %(host)s")),
    (r"no trusted encryption with (?P<host>[^:]+).*", N_("No trusted encryption with %(host)s")),
    (r"no connection to (?P<host>\S+)", N_("No connection to %(host)s")),
    (r"the connection was closed without an answer", N_("The connection was closed without an answer")),
    (r"the endpoint is gone or switched off", N_("The webhook is gone or switched off")),
)
"""What senders of webhooks say of a try that failed, and how it reads on a page."""


def say_trouble(page: Page, error: str) -> str:
    """Return why a try failed in the reader's language; quoted where the sender's words are not ours."""
    for pattern, text in TROUBLES:
        if found := re.fullmatch(pattern, error, re.DOTALL):
            return page.say(text, **found.groupdict()) if found.groupdict() else page.say(text)
    return quote_error(error, page.language)


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
        say_trouble=lambda error: say_trouble(page, error),
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
        say_trouble=lambda error: say_trouble(page, error),
    )


@router.post("/outbox/{number}/replay")
def replay_message(page: AdminPage, number: Number) -> Response:
    """Send one message again."""
    page.parts.outbox.replay(number)
    return page.go(f"/outbox/{number}")
