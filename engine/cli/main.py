"""The command line, put together of the modules whose commands are wanted."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import typer

from engine.cli.doors import Doors
from engine.cli.failures import EXIT_HELP, Group

MODULES: Mapping[str, str] = MappingProxyType(
    {
        "run": "service",
        "status": "service",
        "sync": "service",
        "bench": "service",
        "connect": "connect",
        "why": "why",
        "prove": "prove",
        "conformance": "conformance",
        "rooms": "office",
        "subscriptions": "office",
        "token": "office",
        "loans": "loans",
        "backfill": "backfill",
        "contacts": "contacts",
        "cases": "cases",
        "feeds": "feeds",
        "mail": "mail",
        "people": "people",
        "outbox": "outbox",
        "webhooks": "webhooks",
        "simulate": "simulate",
    }
)
"""In which module of this package a command, or a group of them, is."""


@cache
def make_app(*modules: str) -> typer.Typer:
    """Return the command line with the commands of *modules*; of all there are when none is named."""
    app = typer.Typer(
        cls=Group,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="Keep Microsoft 365 room calendars and the loan desk in agreement.",
        epilog=EXIT_HELP,
    )
    app.callback()(prepare)
    for module in modules or dict.fromkeys(MODULES.values()):
        import_module(f"engine.cli.{module}").register(app)
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        from engine import __version__

        typer.echo(__version__)
        raise typer.Exit


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


def main() -> None:
    """Run the command line. Only what the first word names is loaded; without one that is known, everything."""
    wanted = MODULES.get(sys.argv[1]) if len(sys.argv) > 1 else None
    app = make_app(wanted) if wanted is not None else make_app()
    app(prog_name="python -m engine")
