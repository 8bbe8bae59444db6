"""`rooms`, `cases`, `token`, `subscriptions`: what an administrator looks after."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from engine.cli.doors import Doors
from engine.cli.failures import Group
from engine.cli.output import Format, Output, note, show_json, show_lines, show_mappings, show_table
from engine.cli.wishes import find_room
from engine.loans.loan import CaseState

rooms = typer.Typer(cls=Group, no_args_is_help=True, help="The rooms we know.")
cases = typer.Typer(cls=Group, no_args_is_help=True, help="Disagreements and rejections to look at.")
tokens = typer.Typer(cls=Group, no_args_is_help=True, help="Bearer tokens of machines.")
subscriptions = typer.Typer(cls=Group, no_args_is_help=True, help="What Outlook notifies us of.")


class TokenRole(StrEnum):
    VIEWER = "viewer"
    STAFF = "staff"
    ADMIN = "admin"


@rooms.command("list")
def list_rooms(ctx: typer.Context, output: Output = Format.TABLE) -> None:
    """List the rooms, the excluded and missing ones too."""
    from engine.web.shelf import render_room

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


@cases.command("list")
def list_cases(
    ctx: typer.Context,
    state: Annotated[CaseState | None, typer.Option(help="Only these.")] = CaseState.OPEN,
    everything: Annotated[bool, typer.Option("--all", help="The closed ones too.")] = False,
    lang: Annotated[str, typer.Option(help="en or fr.")] = "en",
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
    output: Output = Format.TABLE,
) -> None:
    """List cases, the oldest first."""
    from engine.reconcile.reasons import explain
    from engine.web.models import render_case

    with ctx.obj.office() as office:
        found = office.desk.list_cases(state=None if everything else state, after=None, limit=limit)
    items = [render_case(case, lambda code, facts: explain(code, facts, lang)) for case in found]
    if output is Format.JSON:
        show_json(items)
        return
    rows = [(c.id, c.state.value, f"{c.opened_at:%Y-%m-%d %H:%M}", c.loan, c.room, c.text, c.settlement) for c in items]
    show_table(("id", "state", "opened (UTC)", "loan", "room", "what", "settlement"), rows)


@cases.command("settle")
def settle_case(
    ctx: typer.Context,
    case_id: Annotated[int, typer.Argument(metavar="ID", min=1)],
    settlement: Annotated[str, typer.Argument(help="How it was settled, in a word or a sentence.")],
) -> None:
    """Close a case by hand."""
    with ctx.obj.office() as office:
        office.desk.settle_case(case_id, settlement=settlement, actor=ctx.obj.actor)
    note(f"case {case_id} is closed")


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
        show_mappings(office.tokens.list_tokens(), output)


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
        show_mappings(office.list_subscriptions(), output)


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
