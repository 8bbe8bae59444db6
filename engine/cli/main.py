"""The whole command line, put together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli import (
    backfill,
    cases,
    conformance,
    connect,
    contacts,
    feeds,
    loans,
    mail,
    office,
    outbox,
    people,
    prove,
    service,
    simulate,
    weather,
    webhooks,
    why,
)
from engine.cli.doors import Doors
from engine.cli.failures import EXIT_HELP, Group

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Keep Microsoft 365 room calendars and the loan desk in agreement.",
    epilog=EXIT_HELP,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from engine import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def prepare(
    ctx: typer.Context,
    settings: Annotated[
        Path | None, typer.Option(help="The settings file; else $ENGINE_SETTINGS, else settings.toml.")
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Take what holds for every command."""
    ctx.obj = ctx.obj or Doors()
    if settings is not None:
        ctx.obj.path = settings


service.register(app)
connect.register(app)
why.register(app)
prove.register(app)
conformance.register(app)
app.add_typer(office.rooms, name="rooms")
app.add_typer(loans.app, name="loans")
app.add_typer(backfill.app, name="backfill")
app.add_typer(contacts.app, name="contacts")
app.add_typer(cases.cases, name="cases")
app.add_typer(feeds.feeds, name="feeds")
app.add_typer(mail.mail, name="mail")
app.add_typer(people.people, name="people")
app.add_typer(office.subscriptions, name="subscriptions")
app.add_typer(office.tokens, name="token")
app.add_typer(outbox.app, name="outbox")
app.add_typer(webhooks.app, name="webhooks")
weather.register(simulate.app)
app.add_typer(simulate.app, name="simulate")


def main() -> None:
    """Run the command line."""
    app(prog_name="python -m engine")
