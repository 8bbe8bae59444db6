"""What people follow from their own calendar programs: feeds of their bookings, of rooms and of stores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Path, Query
from starlette.responses import RedirectResponse, Response

from engine.calendars.book import Feed, FeedKind, FeedOrder
from engine.calendars.mailing import MailLevel, MailPreference
from engine.ids import ID_MAX, BookableId, StoreId
from engine.rooms.room import sort_by_name
from engine.web.access import Role
from engine.web.pages.page import AdminPage, Page, UserPage
from engine.web.pages.users import User

router = APIRouter()

Number = Annotated[int, Path(ge=1, le=ID_MAX)]
Of = Annotated[int | None, Form(ge=1, le=ID_MAX)]
Chosen = Annotated[int | None, Query(ge=1, le=ID_MAX)]


@dataclass(frozen=True, slots=True)
class Fresh:
    """A feed whose address is shown now, and never again."""

    feed: Feed
    address: str


@router.get("/calendars")
def show_calendars(page: UserPage, room: Chosen = None, store: Chosen = None, saved: bool = False) -> Response:
    """Show the reader's feeds and how to make one; *room* and *store* are chosen already. *saved*: a preference was."""
    return _render(page, room=room, store=store, is_saved=saved)


@router.post("/calendars")
def create_calendar(page: UserPage, kind: Annotated[FeedKind, Form()], of: Of = None) -> Response:
    """Make a feed: of the reader, of a room or of a store, and show its address this once."""
    user = page.user
    assert user is not None
    if not may_follow(user, kind):
        raise HTTPException(403)
    feeds = page.parts.feeds
    feed, secret = feeds.create(order_of(user, kind, of, language=page.language), actor=user.actor)
    return _render(page, Fresh(feed, feeds.address_of(secret)))


@router.post("/calendars/{number}/rotate")
def rotate_calendar(page: UserPage, number: Number) -> Response:
    """Give one of the reader's feeds another address, and show it this once."""
    user, feeds = page.user, page.parts.feeds
    assert user is not None
    feed, secret = feeds.rotate(number, owner=user.address, actor=user.actor)
    return _render(page, Fresh(feed, feeds.address_of(secret)))


@router.post("/calendars/{number}/revoke")
def revoke_calendar(page: UserPage, number: Number) -> Response:
    """End one of the reader's feeds; administrators end anybody's."""
    user = page.user
    assert user is not None
    page.parts.feeds.revoke(number, owner=None if user.is_admin else user.address, actor=user.actor)
    return RedirectResponse("/calendars", 303)


@router.post("/calendars/mails")
def set_mails(page: UserPage, level: Annotated[MailLevel, Form()]) -> Response:
    """Remember which bookings the reader wants by mail, in the language they read this in."""
    user, mails = page.user, page.parts.mails
    assert user is not None
    if mails is None:
        raise HTTPException(404)
    mails.set_preference(user.address, MailPreference(level, page.language))
    return RedirectResponse("/calendars?saved=1#mails", 303)


@router.get("/calendars/all")
def show_all_calendars(page: AdminPage) -> Response:
    """Show everybody's feeds."""
    live = [feed for feed in page.parts.feeds.list_feeds() if feed.revoked_at is None]
    return page.render("calendars_all.html", here="account", feeds=live)


def may_follow(user: User, kind: FeedKind) -> bool:
    """Tell whether somebody may follow what others book, or only what they book themselves."""
    return kind is FeedKind.PERSON or user.role.includes(Role.VIEWER)


def order_of(user: User, kind: FeedKind, of: int | None, *, language: str) -> FeedOrder:
    """Return the feed that somebody asks for: of a person only their own."""
    return FeedOrder(
        kind,
        address=user.address if kind is FeedKind.PERSON else None,
        room_id=BookableId(of) if of is not None and kind is FeedKind.ROOM else None,
        store_id=StoreId(of) if of is not None and kind is FeedKind.STORE else None,
        owner=user.address,
        language=language,
    )


def _render(
    page: Page,
    fresh: Fresh | None = None,
    *,
    room: int | None = None,
    store: int | None = None,
    is_saved: bool = False,
) -> Response:
    user, web, mails = page.user, page.parts.web, page.parts.mails
    assert user is not None
    own = [feed for feed in page.parts.feeds.list_feeds(owner=user.address) if feed.revoked_at is None]
    follows_others = may_follow(user, FeedKind.ROOM)
    rooms = sort_by_name(web.rooms.load_rooms()) if follows_others else []
    return page.render(
        "calendars.html",
        here="account",
        feeds=own,
        fresh=fresh,
        rooms=[each for each in rooms if each.is_synced],
        stores=web.register.list_stores() if follows_others else [],
        chosen_room=room,
        chosen_store=store,
        mail_level=mails.preference_of(user.address).level if mails is not None else None,
        is_saved=is_saved,
    )
