"""`run`, `status`, `sync`, `bench`: the service itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated

import typer

from engine.cli.doors import Doors
from engine.cli.failures import Exit
from engine.cli.output import Format, Lang, Language, Output, note, show_json, show_lines, show_mapping
from engine.cli.wishes import find_room


def register(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    app.command()(run)
    app.command()(status)
    app.command()(sync)
    unread = {"allow_extra_args": True, "ignore_unknown_options": True}
    app.command(context_settings=unread, add_help_option=False)(bench)


class Role(StrEnum):
    WEB = "web"
    WORKER = "worker"
    SCHEDULER = "scheduler"


def run(
    ctx: typer.Context,
    role: Annotated[
        list[Role] | None,
        typer.Option(help="Do only this part of the work; may be given twice. Other processes do the rest."),
    ] = None,
) -> None:
    """Run the engine until it is told to stop. Without a tenant it plays one itself.

    With --role, many processes on any number of machines share the work through one PostgreSQL database: web serves
    people, machines and Graph's notifications, worker reads and writes calendars, scheduler keeps the clock.
    """
    doors: Doors = ctx.obj
    doors.engine().run_service(doors.settings, [each.value for each in role or ()])


def status(ctx: typer.Context, output: Output = Format.TABLE) -> None:
    """Tell what is stale, what waits, what failed, since when."""
    with ctx.obj.office() as office:
        found = office.read_status()
    if output is Format.JSON:
        show_json(dict(found))
    else:
        show_mapping(found, ctx.obj.times)


def sync(
    ctx: typer.Context,
    room: Annotated[str | None, typer.Option(help="Only this room: name, address or id.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Do it. Without this, nothing is changed anywhere.")] = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="End with 1 when something is to be done; for scripts.")
    ] = False,
    lang: Lang = Language.EN,
    output: Output = Format.TABLE,
) -> None:
    """Compare with Outlook and print what would be done, each with its reason.

    + adds, ~ changes, - takes away, ! is left as it is and waits for a person. Printed is what the mode two_way would
    do; with --apply, what the present mode allows is done. A summary goes to stderr.
    """
    import asyncio

    doors: Doors = ctx.obj
    with doors.office() as office:
        wanted = find_room(office.rooms.load_rooms(), room) if room is not None else None
        mode = office.read_status().get("mode")
    lines = asyncio.run(doors.engine().plan_sync(doors.settings, wanted, apply, lang))
    show_lines(((line.sign, line.what, line.why) for line in lines), output, nothing="both sides agree")
    if lines:
        note(_summary([line.sign for line in lines]))
    if mode != "two_way":
        note(f"the mode is {mode}: {_WITHHOLDS.get(str(mode), 'not everything is done')}")
    if lines and not apply:
        note("nothing was changed; add --apply to do it")
    if exit_code and any(line.sign != "!" for line in lines) and not apply:
        raise typer.Exit(Exit.REFUSED)


_WITHHOLDS = {
    "shadow": "nothing is changed on either side",
    "read_only": "loans follow Outlook, nothing is written to it",
}


def _summary(signs: Sequence[str]) -> str:
    count = Counter(signs)
    left = f", {count['!']} left as they are" if count["!"] else ""
    return f"{count['+']} to add, {count['~']} to change, {count['-']} to take away{left}"


def bench(ctx: typer.Context) -> None:
    """Measure the engine: times, requests, memory (docs/performance.md)."""
    if find_spec("engine.bench") is None:
        note("error: this build holds no benchmark")
        raise typer.Exit(Exit.USAGE)
    import_module("engine.bench").main(list(ctx.args))
