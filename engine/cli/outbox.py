"""`outbox`: what goes out to others, what was given up, and sending it again."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.cli.failures import Group
from engine.cli.output import Format, Output, note, note_rest, show_json, show_mapping, show_table
from engine.outbox.message import Attempt, Message, MessageFilter, MessageState

app = typer.Typer(cls=Group, no_args_is_help=True, help="What goes out to others: webhooks, mail.")

Channel = Annotated[str | None, typer.Option(help="Only this channel's: webhook, mail.")]
Receiver = Annotated[str | None, typer.Option(help="Only this receiver's: a webhook's number, an address.")]
State = Annotated[MessageState | None, typer.Option(help="Only in this state.")]


@app.command("list")
def list_messages(
    ctx: typer.Context,
    channel: Channel = None,
    receiver: Receiver = None,
    state: State = None,
    loan: Annotated[int | None, typer.Option(help="Only about this loan.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    output: Output = Format.TABLE,
) -> None:
    """List messages, the newest first."""
    lane = f"loan:{loan}" if loan is not None else None
    wanted = MessageFilter(channel, receiver, state, lane, limit=limit)
    with ctx.obj.office() as office:
        found = office.outbox.list_messages(wanted)
    if output is Format.JSON:
        show_json([_brief(message) for message in found])
        return
    columns = ("id", "state", "channel", "receiver", "lane", "topic", "tries", "created", "next try", "last error")
    show_table(columns, [_row(message) for message in found])
    note_rest(len(found), limit, "ask for more with --limit, or for fewer with --state")


@app.command("show")
def show_message(ctx: typer.Context, message: int, output: Output = Format.TABLE) -> None:
    """Show one message: what is sent, and what came of every try."""
    with ctx.obj.office() as office:
        found, attempts = office.outbox.find(message), office.outbox.attempts(message)
    if output is Format.JSON:
        show_json({**_brief(found), "body": found.letter.body, "attempts": [_tried(each) for each in attempts]})
        return
    show_mapping(_brief(found))
    typer.echo(f"\n{found.letter.body}")
    if attempts:
        typer.echo("")
        rows = [
            (a["at"], a["milliseconds"], a["status"], a["error"] or "sent", a["answer"]) for a in map(_tried, attempts)
        ]
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


def _brief(message: Message) -> dict[str, object]:
    letter = message.letter
    return {
        "id": message.id,
        "state": message.state.value,
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


def _row(message: Message) -> tuple[object, ...]:
    letter = message.letter
    return (
        message.id, message.state.value, letter.channel, letter.receiver, letter.lane, letter.topic, message.tries,
        f"{message.created_at:%Y-%m-%d %H:%M:%S}", f"{message.due_at:%Y-%m-%d %H:%M:%S}" if message.due_at else None,
        message.last_error,
    )  # fmt: skip


def _tried(attempt: Attempt) -> dict[str, object]:
    receipt = attempt.receipt
    return {
        "at": attempt.at.isoformat(),
        "milliseconds": receipt.milliseconds,
        "status": receipt.status,
        "answer": receipt.answer,
        "error": receipt.error,
    }
