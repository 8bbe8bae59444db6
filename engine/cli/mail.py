"""`mail`: whether mails go out."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.calendars.mailing import MailLevel, MailPreference
from engine.cli.doors import Doors
from engine.cli.failures import Group
from engine.cli.output import Language, note
from engine.ids import Address

mail = typer.Typer(cls=Group, no_args_is_help=True, help="Calendar mails.")


def register(whole: typer.Typer) -> None:
    """Add the commands to *whole*."""
    whole.add_typer(mail, name="mail")


@mail.command("test")
def send_trial(ctx: typer.Context, address: Annotated[str, typer.Argument(help="Who gets it.")]) -> None:
    """Send one mail now, past the outbox, and print what the mail server said."""
    import asyncio

    doors: Doors = ctx.obj
    typer.echo(asyncio.run(doors.engine().send_trial_mail(doors.settings, address)))
    note(f"{doors.settings.mail.host} took the mail to {address}")


@mail.command("preference")
def set_preference(
    ctx: typer.Context,
    address: Annotated[str, typer.Argument(help="Whose.")],
    level: Annotated[MailLevel, typer.Argument(help="Which bookings they are sent in the first place.")],
    language: Annotated[Language | None, typer.Option(help="Of their mails; else that of the settings.")] = None,
) -> None:
    """Say which mails somebody wants who cannot sign in to say it themselves."""
    with ctx.obj.office() as office:
        office.mails.set_preference(Address(address), MailPreference(level, language.value if language else None))
    note(f"{address} is sent {level}; what their calendar holds already is kept right")
