"""`rooms`, `token`, `subscriptions`: what an administrator looks after."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from engine.cli.doors import Doors
from engine.cli.failures import Group
from engine.cli.output import Format, Output, note, show_json, show_lines, show_mappings, show_table
from engine.cli.wishes import find_room

rooms = typer.Typer(cls=Group, no_args_is_help=True, help="The rooms we know.")
tokens = typer.Typer(cls=Group, no_args_is_help=True, help="Bearer tokens of machines.")
subscriptions = typer.Typer(cls=Group, no_args_is_help=True, help="What Outlook notifies us of.")


def register(whole: typer.Typer) -> None:
    """Add the commands to *whole*."""
    whole.add_typer(rooms, name="rooms")
    whole.add_typer(subscriptions, name="subscriptions")
    whole.add_typer(tokens, name="token")


class TokenRole(StrEnum):
    VIEWER = "viewer"
    STAFF = "staff"
    ADMIN = "admin"


@rooms.command("list")
def list_rooms(ctx: typer.Context, output: Output = Format.TABLE) -> None:
    """List the rooms, the excluded and missing ones too."""
    from engine.web.api.shelf import render_room

    with ctx.obj.office() as office:
        stores = {store.id: store.name for store in office.desk.list_stores()}
        found = [render_room(room, stores) for room in office.rooms.load_rooms()]
    if output is Format.JSON:
        show_json(found)
        return
    rows = [(r.id, r.name, r.address, r.state.value, r.capacity, r.building, r.floor, r.store, r.tags) for r in found]
    show_table(("id", "name", "address", "state", "capacity", "building", "floor", "store", "tags"), rows)


@rooms.command("import")
def import_rooms(ctx: typer.Context, output: Output = Format.TABLE) -> None:
    """Read the directory's rooms now and bring ours in line. No loan is ever lost by it."""
    import asyncio

    doors: Doors = ctx.obj
    lines = asyncio.run(doors.engine().import_rooms(doors.settings))
    show_lines(((line.sign, line.what, line.why) for line in lines), output, nothing="the rooms are up to date")


@rooms.command("set-zone")
def set_zone(
    ctx: typer.Context,
    room: Annotated[str, typer.Argument(help="Its name, address or number.")],
    zone: Annotated[str, typer.Argument(help="Such as Europe/Paris; 'default' for the setting rooms.time_zone.")],
) -> None:
    """Say in which time zone a room lies. Its meetings of whole days last from midnight to midnight there."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    named = None if zone == "default" else zone
    try:
        known = ZoneInfo(named).key if named is not None else None
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise typer.BadParameter(f"no time zone is called {zone!r}; use a name such as Europe/Paris") from error
    with ctx.obj.office() as office:
        found = find_room(office.rooms.load_rooms(), room)
        office.rooms.set_time_zone(found.id, known)
    note(f"{found.name} lies in {known or 'the default time zone'}")


@tokens.command("create")
def create_token(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Whose it is; histories name it.")],
    role: Annotated[TokenRole, typer.Option(help="viewer reads, staff books, admin sets up.")] = TokenRole.VIEWER,
    output: Output = Format.TABLE,
) -> None:
    """Make a token and print it: this once only."""
    with ctx.obj.office() as office:
        token = office.tokens.create(name, role.value)
    if output is Format.JSON:
        show_json({"name": name, "role": role.value, "token": token})
        return
    typer.echo(token)
    note(f"this is the token of {name!r} ({role}); it is not kept and cannot be shown again")


@tokens.command("list")
def list_tokens(ctx: typer.Context, output: Output = Format.TABLE) -> None:
    """List tokens, without their secrets."""
    with ctx.obj.office() as office:
        show_mappings(office.tokens.list_tokens(), output, ctx.obj.times)


@tokens.command("revoke")
def revoke_token(ctx: typer.Context, name: str) -> None:
    """End a token: it opens nothing any more."""
    with ctx.obj.office() as office:
        office.tokens.revoke(name)
    note(f"the token {name!r} is revoked")


@subscriptions.command("list")
def list_subscriptions(ctx: typer.Context, output: Output = Format.TABLE) -> None:
    """List subscriptions: until when, last renewed, last heard of."""
    with ctx.obj.office() as office:
        show_mappings(office.list_subscriptions(), output, ctx.obj.times)


@subscriptions.command("renew")
def renew_subscriptions(
    ctx: typer.Context, room: Annotated[str | None, typer.Option(help="Only this room's.")] = None
) -> None:
    """Ask the running service to look at subscriptions now and renew what is due."""
    with ctx.obj.office() as office:
        known = office.rooms.load_rooms()
        wanted = [find_room(known, room)] if room else [item for item in known if item.is_synced]
        for item in wanted:
            office.enqueue("subscription", str(item.id))
    note(f"asked for {len(wanted)} subscription{'' if len(wanted) == 1 else 's'}")
