"""`contacts`: requesters from outside as contacts in Outlook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.doors import Doors
from engine.cli.failures import Exit, Group
from engine.cli.output import Format, Output, note, show_json, show_lines

if TYPE_CHECKING:
    from engine.reconcile.contacts import ContactReport

app = typer.Typer(cls=Group, no_args_is_help=True, help="Requesters from outside, as contacts in Outlook.")


def register(whole: typer.Typer) -> None:
    """Add the commands to *whole*."""
    whole.add_typer(app, name="contacts")


@app.callback()
def prepare() -> None:
    """Requesters from outside, as contacts in Outlook."""


@app.command("export")
def export(
    ctx: typer.Context,
    dry: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Make the folder of contacts hold our requesters from outside: + creates, ~ changes, - removes.

    Contacts that others put there stay. Progress goes to stderr. Ends with 1 when Outlook refused some of them.
    """
    import asyncio

    doors: Doors = ctx.obj
    report = asyncio.run(doors.engine().export_contacts(doors.settings, _tell, dry=dry))
    if output is Format.JSON:
        show_json(_render(report))
    else:
        show_lines(_lines(report), output, nothing="the contacts are up to date")
        note(report.text)
    if report.failed:
        raise typer.Exit(Exit.REFUSED)


def _tell(report: ContactReport) -> None:
    note(report.text)


def _lines(report: ContactReport) -> list[tuple[str, str, str]]:
    plan, failed = report.planned, report.failed
    rows = [("+", card.display, ", ".join(card.addresses)) for card in plan.create]
    rows += [("~", card.display, ", ".join(card.addresses)) for _, card in plan.change]
    rows += [("-", found.card.display, "") for found in plan.remove]
    return [("!", name, failed[name]) if name in failed else (sign, name, why) for sign, name, why in rows]


def _render(report: ContactReport) -> dict[str, object]:
    plan = report.planned
    return {
        "dry_run": report.dry,
        "created": [card.display for card in plan.create],
        "changed": [card.display for _, card in plan.change],
        "removed": [found.card.display for found in plan.remove],
        "unchanged": plan.same,
        "others": plan.others,
        "failed": dict(report.failed),
    }
