"""`feeds`: calendars that people subscribe to."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.calendars.book import Feed, FeedKind, FeedOrder
from engine.cli.doors import Doors, Office
from engine.cli.failures import Group
from engine.cli.output import Format, Language, Output, note, show_json, show_mappings
from engine.cli.wishes import find_room
from engine.errors import NotFound
from engine.ids import Address

feeds = typer.Typer(cls=Group, no_args_is_help=True, help="Calendar feeds of people, rooms and stores.")


def register(whole: typer.Typer) -> None:
    """Add the commands to *whole*."""
    whole.add_typer(feeds, name="feeds")


@feeds.command("list")
def list_feeds(ctx: typer.Context, output: Output = Format.TABLE) -> None:
    """List the feeds, without their addresses, which are not kept."""
    from engine.web.api.feeds import render_feed_info

    with ctx.obj.office() as office:
        found = [render_feed_info(feed).model_dump() for feed in office.feeds.list_feeds()]
    show_mappings(found, output, ctx.obj.times)


@feeds.command("create")
def create_feed(
    ctx: typer.Context,
    kind: Annotated[FeedKind, typer.Argument(help="Whose loans it shows.")],
    of: Annotated[str, typer.Argument(help="The person's address; the room's name, address or number; the store.")],
    language: Annotated[Language, typer.Option(help="Of its texts.")] = Language.EN,
    output: Output = Format.TABLE,
) -> None:
    """Make a feed and print its address: this once only."""
    doors: Doors = ctx.obj
    with doors.office() as office:
        _show(office, *office.feeds.create(_order(office, kind, of, language), actor=doors.actor), output)


@feeds.command("rotate")
def rotate_feed(ctx: typer.Context, number: int, output: Output = Format.TABLE) -> None:
    """Give a feed another address; the old one opens nothing any more."""
    doors: Doors = ctx.obj
    with doors.office() as office:
        _show(office, *office.feeds.rotate(number, owner=None, actor=doors.actor), output)


@feeds.command("revoke")
def revoke_feed(ctx: typer.Context, number: int) -> None:
    """End a feed, for good."""
    doors: Doors = ctx.obj
    with doors.office() as office:
        office.feeds.revoke(number, owner=None, actor=doors.actor)
    note(f"feed {number} has ended")


def _order(office: Office, kind: FeedKind, of: str, language: Language) -> FeedOrder:
    if kind is FeedKind.PERSON:
        return FeedOrder(kind, address=Address(of), owner=Address(of), language=language.value)
    if kind is FeedKind.ROOM:
        room = find_room(office.rooms.load_rooms(), of)
        return FeedOrder(kind, room_id=room.id, language=language.value)
    store = next((s for s in office.desk.list_stores() if of in (str(s.id), s.name)), None)
    if store is None:
        raise NotFound(f"there is no store {of!r}")
    return FeedOrder(kind, store_id=store.id, language=language.value)


def _show(office: Office, feed: Feed, secret: str, output: Format) -> None:
    from engine.web.api.feeds import render_feed_info

    address = office.feeds.address_of(secret)
    if output is Format.JSON:
        show_json({**render_feed_info(feed).model_dump(mode="json"), "url": address})
        return
    typer.echo(address)
    note(f"this is the address of feed {feed.id} ({feed.name}); it is not kept and cannot be shown again")
