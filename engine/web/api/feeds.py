"""Calendar feeds: `GET /feeds/<secret>.ics` for calendar programs, `/api/feeds` for whoever looks after them.

The secret in the address is all a program shows, so it is guarded as a password is: who tries others waits ever longer
(`failures.py`), no page links to it, and no answer may be kept by anybody on the way. One feed may be read 60 times at
once and every ten seconds after that, by however many programs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request
from pydantic import Field
from starlette.responses import PlainTextResponse, Response

from engine.calendars.book import Feed, FeedBook, FeedKind, FeedOrder
from engine.ids import ID_MAX, BookableId, StoreId
from engine.ids import Address as PersonAddress
from engine.web.access import Staff, Viewer, check_failures
from engine.web.api.app import PROBLEMS
from engine.web.api.wire import Address, Id, Incoming, Outgoing
from engine.web.failures import Failures
from engine.web.pace import Pace

READS_AT_ONCE, READ_PAUSE = 60, timedelta(seconds=10)

SECRET_CHARACTERS_MAX = 128

HEADERS = {
    "Cache-Control": "private, no-cache",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Referrer-Policy": "no-referrer",
}

Number = Annotated[int, Path(ge=1, le=ID_MAX, description="The feed's number.")]


class FeedIn(Incoming):
    """Whose loans a feed shall show: of a person by `address`, of a room or a store by `id`."""

    kind: FeedKind
    address: Address | None = None
    id: Id | None = None
    language: Literal["en", "fr"] = "en"

    def parse(self) -> FeedOrder:
        return FeedOrder(
            self.kind,
            address=PersonAddress(self.address) if self.address is not None else None,
            room_id=BookableId(self.id) if self.id is not None and self.kind is FeedKind.ROOM else None,
            store_id=StoreId(self.id) if self.id is not None and self.kind is FeedKind.STORE else None,
            language=self.language,
        )


class FeedOut(Outgoing):
    """A feed, without its address. `owner` finds it among their own; null: a machine's."""

    id: int
    kind: FeedKind
    name: str
    of: str | int = Field(description="The person's address, or the number of the room or store.")
    owner: str | None
    language: str
    created_at: datetime
    created_by: str
    rotated_at: datetime | None
    read_at: datetime | None
    revoked_at: datetime | None


class FeedMade(FeedOut):
    """A feed with its address, which is shown this once."""

    url: str


class FeedList(Outgoing):
    items: list[FeedOut]


def render_of(order: FeedOrder) -> str | int:
    """Return whose feed it is: the address, or the number of the room or store."""
    return next(of for of in (order.address, order.room_id, order.store_id) if of is not None)


def render_feed_info(feed: Feed) -> FeedOut:
    """Return what lists show of a feed."""
    return FeedOut.model_validate(_fields(feed))


def _fields(feed: Feed) -> dict[str, object]:
    moments = ("created_at", "rotated_at", "read_at", "revoked_at")
    return {
        "id": feed.id,
        "kind": feed.order.kind,
        "name": feed.name,
        "of": render_of(feed.order),
        "owner": feed.order.owner,
        "language": feed.order.language,
        "created_by": feed.created_by,
        **{name: at.astimezone(UTC) if (at := getattr(feed, name)) is not None else None for name in moments},
    }


def build_feeds(feeds: FeedBook, now: Callable[[], datetime]) -> APIRouter:
    """Return the routes over *feeds*. Who guesses addresses of feeds does not keep others from signing in."""
    router = APIRouter()
    add_reading(router, feeds, Failures(now), Pace(now, burst=READS_AT_ONCE, pause=READ_PAUSE))
    add_keeping(router, feeds)
    return router


def add_reading(router: APIRouter, feeds: FeedBook, failures: Failures, pace: Pace) -> None:
    """Add what calendar programs ask for."""

    @router.get("/feeds/{secret}.ics", include_in_schema=False)
    def read_feed(request: Request, secret: str) -> Response:
        check_failures(request, failures)
        feed = feeds.find(secret) if len(secret) <= SECRET_CHARACTERS_MAX else None
        if feed is None:
            failures.note(request.client.host if request.client else None)
            return PlainTextResponse("There is no such calendar.\n", 404, HEADERS)
        if feed.revoked_at is not None:
            return PlainTextResponse("This calendar has ended.\n", 410, HEADERS)
        if wait := pace.wait(str(feed.id)):
            seconds = str(math.ceil(wait.total_seconds()))
            return PlainTextResponse("Too often.\n", 429, {**HEADERS, "Retry-After": seconds})
        pace.note(str(feed.id))
        found = feeds.read(feed, known=parse_tags(request.headers.get("if-none-match", "")))
        headers = {**HEADERS, "ETag": f'"{found.tag}"'}
        if found.text is None:
            return Response(status_code=304, headers=headers)
        headers["Content-Disposition"] = f'inline; filename="accord-{feed.id}.ics"'
        return Response(found.text, headers=headers, media_type="text/calendar; charset=utf-8")


def add_keeping(router: APIRouter, feeds: FeedBook) -> None:
    """Add what whoever looks after feeds asks for."""

    @router.get("/api/feeds", tags=["feeds"], responses=PROBLEMS)
    def list_feeds(caller: Viewer) -> FeedList:
        """List all calendar feeds, the newest first. Their addresses are not kept."""
        return FeedList(items=[render_feed_info(feed) for feed in feeds.list_feeds()])

    @router.post("/api/feeds", status_code=201, tags=["feeds"], responses=PROBLEMS)
    def create_feed(caller: Staff, wanted: FeedIn) -> FeedMade:
        """Make a calendar feed. Its address is shown this once: whoever has it may read."""
        return _made(*feeds.create(wanted.parse(), actor=caller.actor))

    @router.post("/api/feeds/{number}/rotate", tags=["feeds"], responses=PROBLEMS)
    def rotate_feed(caller: Staff, number: Number) -> FeedMade:
        """Give a feed another address; the old one opens nothing any more."""
        return _made(*feeds.rotate(number, owner=None, actor=caller.actor))

    @router.post("/api/feeds/{number}/revoke", status_code=204, tags=["feeds"], responses=PROBLEMS)
    def revoke_feed(caller: Staff, number: Number) -> None:
        """End a feed, for good."""
        feeds.revoke(number, owner=None, actor=caller.actor)

    def _made(feed: Feed, secret: str) -> FeedMade:
        return FeedMade.model_validate({**_fields(feed), "url": feeds.address_of(secret)})


def parse_tags(header: str) -> frozenset[str]:
    """Return the tags of an If-None-Match, weak ones too: what is compared is whether it would be the same text."""
    tags = (part.strip().removeprefix("W/") for part in header.split(","))
    return frozenset(tag[1:-1] for tag in tags if len(tag) > 1 and tag[0] == tag[-1] == '"')
