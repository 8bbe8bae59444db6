"""`mail`: whether mails go out."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.cli.doors import Doors
from engine.cli.failures import Group
from engine.cli.output import note

mail = typer.Typer(cls=Group, no_args_is_help=True, help="Calendar mails.")


@mail.callback()
def group() -> None:
    """Look after mails; what waits to be sent is shown by `outbox`."""


@mail.command("test")
def send_trial(ctx: typer.Context, address: Annotated[str, typer.Argument(help="Who gets it.")]) -> None:
    """Send one mail now, past the outbox, and print what the mail server said."""
    import asyncio

    doors: Doors = ctx.obj
    typer.echo(asyncio.run(doors.engine().send_trial_mail(doors.settings, address)))
    note(f"{doors.settings.mail.host} took the mail to {address}")
