"""`why`: why a room is booked, or is not."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.cli.doors import Doors
from engine.cli.output import Format, Lang, Language, Output, show_json
from engine.cli.wishes import find_room, parse_moment


def register(app: typer.Typer) -> None:
    """Add the command to *app*."""
    app.command()(why)


def why(
    ctx: typer.Context,
    room: Annotated[str, typer.Option(help="The room: name, address or id.")],
    at: Annotated[str, typer.Option(help="'2026-11-23 10:00' in local time, or with an offset.")],
    lang: Lang = Language.EN,
    output: Output = Format.TABLE,
) -> None:
    """Say why a room is booked, or is not, at a time: from what was decided, and from what is known."""
    from engine.web.api.why import render_answer

    doors: Doors = ctx.obj
    moment = parse_moment(at, doors.times.zone, field="at")
    with doors.office() as office:
        answer = office.why.ask(find_room(office.rooms.load_rooms(), room).id, moment)
    shown = render_answer(answer, doors.explainer(lang, output))
    if output is Format.JSON:
        show_json(shown)
        return
    for note in shown.answers:
        typer.echo(note.text)
