"""`outbox`: what goes out to others, what was given up, and sending it again."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Annotated

import typer

from engine.cli.failures import Group
from engine.cli.output import Format, Output, note, note_rest, show_json, show_mapping, show_table
from engine.outbox.message import MessageFilter, MessageState

app = typer.Typer(cls=Group, no_args_is_help=True, help="What goes out to others: webhooks, mail.")


def register(whole: typer.Typer) -> None:
    """Add the commands to *whole*."""
    whole.add_typer(app, name="outbox")


Channel = Annotated[str | None, typer.Option(help="Only this channel's: webhook, mail.")]
Receiver = Annotated[str | None, typer.Option(help="Only this receiver's: a webhook's number, an address.")]


@app.command("list")
def list_messages(
    ctx: typer.Context,
    channel: Channel = None,
    receiver: Receiver = None,
    state: Annotated[MessageState | None, typer.Option(help="Only in this state.")] = None,
    loan: Annotated[int | None, typer.Option(help="Only about this loan.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    output: Output = Format.TABLE,
) -> None:
    """List messages, the newest first."""
    from engine.web.api.outbox import render_message

    lane = f"loan:{loan}" if loan is not None else None
    with ctx.obj.office() as office:
        found = office.outbox.list_messages(MessageFilter(channel, receiver, state, lane, limit=limit))
    shown = [render_message(message) for message in found]
    if output is Format.JSON:
        show_json(shown)
        return
    zone = ctx.obj.times.zone
    columns = ("id", "state", "channel", "receiver", "lane", "topic", "tries", "created", "next try", "last error")
    rows = [
        (
            *(m.id, m.state.value, m.channel, m.receiver, m.lane, m.topic, m.tries),
            *(_moment(m.created_at, zone), _moment(m.due_at, zone), m.last_error),
        )
        for m in shown
    ]
    show_table(columns, rows)
    note_rest(len(found), limit, "ask for more with --limit, or for fewer with --state")


@app.command("show")
def show_message(
    ctx: typer.Context,
    message: Annotated[int, typer.Argument(help="The message's number.")],
    body: Annotated[bool, typer.Option("--body", help="Nothing but the body, exactly as it is sent.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Show one message: what is sent, and what came of every try."""
    from engine.web.api.outbox import render_message, render_whole

    with ctx.obj.office() as office:
        found, attempts = office.outbox.find(message), list(office.outbox.attempts(message))
    if body:
        typer.echo(found.letter.body, nl=False)
        return
    whole = render_whole(found, attempts)
    if output is Format.JSON:
        show_json(whole)
        return
    show_mapping(render_message(found).model_dump(mode="json"))
    typer.echo(f"\n{whole.body}")
    if whole.attempts:
        typer.echo("")
        zone = ctx.obj.times.zone
        rows = [(_moment(a.at, zone), a.milliseconds, a.status, a.error or "sent", a.answer) for a in whole.attempts]
        show_table(("at", "ms", "status", "outcome", "answer"), rows)


@app.command("replay")
def replay(
    ctx: typer.Context,
    message: Annotated[int | None, typer.Argument(help="The message's number.")] = None,
    parked: Annotated[bool, typer.Option("--parked", help="Every message that was given up.")] = False,
    channel: Channel = None,
    receiver: Receiver = None,
) -> None:
    """Send one message again, or all that were given up. A running service carries it out at once."""
    if (message is None) != parked:
        raise typer.BadParameter("name one message, or --parked for all that were given up")
    with ctx.obj.office() as office:
        if message is not None:
            office.outbox.replay(message)
            count = 1
        else:
            count = office.outbox.replay_all(MessageFilter(channel, receiver))
    note(f"{count} message{'' if count == 1 else 's'} will be sent again")


def _moment(at: datetime | None, zone: tzinfo) -> str | None:
    """Return an instant in *zone*, to the second: tries follow each other closely."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}" if at is not None else None
