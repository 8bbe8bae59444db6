"""`webhooks`: systems that are told of changes, their secrets, trying them, and a receiver to try things out with."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from engine.cli.failures import Group
from engine.cli.output import Format, Output, note, show_json, show_table
from engine.errors import NotFound
from engine.webhooks.endpoint import CHANNEL, HEADER, MODELS, RECENT, Endpoint, EndpointOrder
from engine.webhooks.signature import signature_headers

app = typer.Typer(cls=Group, no_args_is_help=True, help="Tell other systems of changes, signed.")


def register(whole: typer.Typer) -> None:
    """Add the commands to *whole*."""
    whole.add_typer(app, name="webhooks")


Which = Annotated[int, typer.Argument(help="The webhook's number.")]
Models = Annotated[
    list[str] | None, typer.Option("--model", help=f"What it hears of, repeatable: {', '.join(MODELS)}. Else all.")
]
Header = Annotated[str | None, typer.Option(help=f"The header of the hexadecimal signature; {HEADER} by default.")]
Name = Annotated[str | None, typer.Option(help="What people call it.")]
Secret = Annotated[str | None, typer.Option(help="Your own secret; else one is drawn.")]


@app.command("list")
def list_webhooks(ctx: typer.Context, output: Output = Format.TABLE) -> None:
    """List the webhooks, with how they are doing."""
    from engine.web.api.outbox import render_health
    from engine.web.api.webhooks import render_endpoint

    with ctx.obj.office() as office:
        found = office.webhooks.list_endpoints()
        health = [office.outbox.health_of(CHANNEL, each.receiver) for each in found]
    if output is Format.JSON:
        both = zip(found, health, strict=True)
        show_json([{**render_endpoint(e).model_dump(mode="json"), "health": render_health(h)} for e, h in both])
        return
    columns = ("id", "name", "url", "hears of", "personal", "enabled", "waiting", "parked", "failures", "last error")
    rows = [
        (e.id, e.name, e.url, e.models, e.personal, e.enabled, h.waiting, h.parked, h.failures, h.last_error)
        for e, h in zip(found, health, strict=True)
    ]
    show_table(columns, rows)


@app.command("add")
def add_webhook(
    ctx: typer.Context,
    url: str,
    name: Name = None,
    model: Models = None,
    personal: Annotated[bool, typer.Option("--personal", help="It may hear who, and what they wrote.")] = False,
    header: Header = None,
    secret: Secret = None,
    output: Output = Format.TABLE,
) -> None:
    """Make a webhook, and print its secret: this once only."""
    order = EndpointOrder(name, url, tuple(model) if model else None, personal, header)
    with ctx.obj.office() as office:
        made = office.webhooks.add(order, secret=secret, actor=ctx.obj.actor)
    _show_secret(made, output)


@app.command("change")
def change_webhook(
    ctx: typer.Context,
    webhook: Which,
    url: Annotated[str | None, typer.Option(help="Where it goes.")] = None,
    name: Name = None,
    model: Models = None,
    personal: Annotated[bool | None, typer.Option("--personal/--impersonal", help="Whether it may hear who.")] = None,
    header: Header = None,
    enabled: Annotated[bool | None, typer.Option("--on/--off", help="While off, it is owed nothing.")] = None,
) -> None:
    """Change a webhook, or switch it on or off."""
    order = EndpointOrder(name, url, tuple(model) if model else None, personal, header, enabled)
    with ctx.obj.office() as office:
        found = office.webhooks.change(webhook, order, actor=ctx.obj.actor)
    note(f"webhook {found.id} goes to {found.url}" + ("" if found.enabled else ", and is switched off"))


@app.command("remove")
def remove_webhook(ctx: typer.Context, webhook: Which) -> None:
    """Remove a webhook; what waits for it is never sent."""
    with ctx.obj.office() as office:
        office.webhooks.remove(webhook, actor=ctx.obj.actor)
    note(f"webhook {webhook} is removed")


@app.command("rotate")
def rotate_secret(ctx: typer.Context, webhook: Which, secret: Secret = None, output: Output = Format.TABLE) -> None:
    """Add a second live secret and print it, this once. Both sign until `retire` ends the older one."""
    with ctx.obj.office() as office:
        found = office.webhooks.rotate(webhook, secret=secret, actor=ctx.obj.actor)
    _show_secret(found, output)


@app.command("retire")
def retire_secret(ctx: typer.Context, webhook: Which) -> None:
    """End the older of two live secrets."""
    with ctx.obj.office() as office:
        office.webhooks.retire(webhook, actor=ctx.obj.actor)
    note(f"webhook {webhook} has one live secret")


@app.command("ping")
def ping_webhook(ctx: typer.Context, webhook: Which) -> None:
    """Send a test message; the running service carries it out."""
    with ctx.obj.office() as office:
        message = office.webhooks.ping(webhook)
    note(f"message {message.id} is on its way; `outbox show {message.id}` tells what came of it")


@app.command("resend")
def resend_everything(
    ctx: typer.Context,
    webhook: Which,
    whole: Annotated[bool, typer.Option("--all", help="Loans that ended long ago as well.")] = False,
) -> None:
    """Tell a webhook of everything that is, as created: rooms, open cases, loans of the last 30 days and to come."""
    since = None if whole else datetime.now(UTC) - RECENT
    with ctx.obj.office() as office:
        count = office.webhooks.resend(webhook, since=since)
    note(f"{count} message{'' if count == 1 else 's'} will be sent")


@app.command("curl")
def show_curl(
    ctx: typer.Context,
    message: Annotated[int, typer.Argument(help="The message's number, from `outbox list`.")],
    file: Annotated[str, typer.Option(help="Where to write the body.")] = "webhook.json",
    url: Annotated[str | None, typer.Option(help="Another address than the webhook's.")] = None,
) -> None:
    """Write a message's body to a file, and print the `curl` command that sends it again, signed now."""
    import shlex
    from pathlib import Path

    from engine.senders.webhook import message_name

    with ctx.obj.office() as office:
        found = office.outbox.find(message)
        if found.letter.channel != CHANNEL:
            raise NotFound(f"message {message} is no webhook: it went out by {found.letter.channel}")
        endpoint = office.webhooks.find(int(found.letter.receiver))
        named = message_name(office.instance, found.id)
    body = found.letter.body.encode()
    Path(file).write_bytes(body)
    signed = signature_headers(named, datetime.now(UTC), body, secrets=endpoint.secrets, header=endpoint.header)
    headers = {"Content-Type": "application/json; charset=utf-8", **signed}
    words = ["curl", "--data", f"@{file}", *(w for k, v in headers.items() for w in ("-H", f"{k}: {v}"))]
    typer.echo(shlex.join([*words, url or endpoint.url]))


@app.command("listen")
def listen(
    port: Annotated[int, typer.Option(min=0, max=65535, help="On this port of this machine.")] = 8430,
    secret: Annotated[list[str] | None, typer.Option(help="Check signatures with it, repeatable.")] = None,
    header: Annotated[str, typer.Option(help="The header of the hexadecimal signature.")] = HEADER,
    status: Annotated[int, typer.Option(min=200, max=599, help="Answer with it, to see how failures go.")] = 204,
) -> None:
    """Receive webhooks on this machine and print them: for trying things out, until Ctrl-C."""
    from engine.cli.listening import serve

    serve(port, secrets=secret or (), header=header, status=status)


def _show_secret(made: Endpoint, output: Format) -> None:
    from engine.web.api.webhooks import render_with_secret

    if output is Format.JSON:
        show_json(render_with_secret(made))
        return
    typer.echo(made.secrets[-1])
    note(f"this is the secret of webhook {made.id} to {made.url}; it cannot be shown again")
