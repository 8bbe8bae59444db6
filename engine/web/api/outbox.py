"""Routes of the outbox: what goes out to others, what came of it, and sending it again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from engine.ids import ID_MAX
from engine.outbox.message import Attempt, Message, MessageFilter, MessageState, OutboxBook, ReceiverHealth
from engine.web.access import Admin, Staff
from engine.web.api.app import PROBLEMS
from engine.web.api.models import Listing, render_page
from engine.web.api.wire import WHOLE, Incoming, Line, Outgoing, Page, Spoken

Number = Annotated[int, Path(ge=1, le=ID_MAX, description="The message's number.")]


class WhichIn(Incoming):
    """Which messages; what is left out means all."""

    channel: Line | SkipJsonSchema[None] = None
    receiver: Line | SkipJsonSchema[None] = None
    lane: Line | SkipJsonSchema[None] = Field(default=None, description="What it is about, such as loan:12.")


class MessageQuery(WhichIn, Spoken):
    state: MessageState | SkipJsonSchema[None] = None
    after: Annotated[int, Field(ge=1, le=ID_MAX), WHOLE] | SkipJsonSchema[None] = None
    limit: Page = 50


class MessageOut(Outgoing):
    """A message without its body, which may speak of people."""

    id: int
    state: MessageState
    channel: str
    receiver: str
    lane: str
    topic: str
    tries: int
    created_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    last_error: str | None


class AttemptOut(Outgoing):
    """One try. `error` null: it was taken."""

    at: datetime
    milliseconds: int
    status: int | None
    answer: str
    error: str | None


class WholeMessageOut(MessageOut):
    body: str
    attempts: list[AttemptOut]


class ReceiverOut(Outgoing):
    """How one receiver is doing."""

    channel: str
    receiver: str
    waiting: int
    parked: int
    sent: int
    failures: int
    failing_since: datetime | None
    last_sent_at: datetime | None
    last_error: str | None
    next_at: datetime | None


class ReplayedOut(Outgoing):
    replayed: int


def render_message(message: Message) -> MessageOut:
    return MessageOut.model_validate(_facts(message))


def render_whole(message: Message, attempts: list[Attempt]) -> WholeMessageOut:
    tried = [
        AttemptOut(
            at=each.at.astimezone(UTC),
            milliseconds=each.receipt.milliseconds,
            status=each.receipt.status,
            answer=each.receipt.answer,
            error=each.receipt.error,
        )
        for each in attempts
    ]
    return WholeMessageOut.model_validate({**_facts(message), "body": message.letter.body, "attempts": tried})


def _facts(message: Message) -> dict[str, object]:
    letter = message.letter
    return {
        "id": message.id,
        "state": message.state,
        "channel": letter.channel,
        "receiver": letter.receiver,
        "lane": letter.lane,
        "topic": letter.topic,
        "tries": message.tries,
        "created_at": message.created_at,
        "due_at": message.due_at,
        "ended_at": message.ended_at,
        "last_error": message.last_error,
    }


def render_health(found: ReceiverHealth) -> ReceiverOut:
    return ReceiverOut(
        channel=found.channel,
        receiver=found.receiver,
        waiting=found.waiting,
        parked=found.parked,
        sent=found.sent,
        failures=found.failures,
        failing_since=found.failing_since,
        last_sent_at=found.last_sent_at,
        last_error=found.last_error,
        next_at=found.next_at,
    )


def build_outbox(outbox: OutboxBook) -> APIRouter:
    """Return the routes over *outbox*."""
    router = APIRouter(prefix="/api/outbox", tags=["outbox"], responses=PROBLEMS)

    @router.get("")
    def list_messages(caller: Staff, wanted: Annotated[MessageQuery, Query()]) -> Listing[MessageOut]:
        """List messages, the newest first, without what they say."""
        which = MessageFilter(
            wanted.channel, wanted.receiver, wanted.state, wanted.lane, wanted.after, wanted.limit + 1
        )
        page, following = render_page(outbox.list_messages(which), wanted.limit, lambda message: message.id)
        return Listing(items=[render_message(message) for message in page], next=following)

    @router.get("/receivers")
    def list_receivers(caller: Staff) -> Listing[ReceiverOut]:
        """Tell how every receiver is doing."""
        return Listing(items=[render_health(found) for found in outbox.health()])

    @router.post("/replay")
    def replay_parked(caller: Admin, wanted: WhichIn | None = None) -> ReplayedOut:
        """Send again every message that was given up, or some of them."""
        which = wanted or WhichIn()
        count = outbox.replay_all(MessageFilter(which.channel, which.receiver, lane=which.lane))
        return ReplayedOut(replayed=count)

    @router.get("/{number:int}")
    def show_message(caller: Admin, number: Number) -> WholeMessageOut:
        """Show one message: exactly what is sent, and what came of every try."""
        return render_whole(outbox.find(number), list(outbox.attempts(number)))

    @router.post("/{number}/replay")
    def replay_message(caller: Admin, number: Number) -> MessageOut:
        """Send one message again, with the same number and body."""
        return render_message(outbox.replay(number))

    return router
