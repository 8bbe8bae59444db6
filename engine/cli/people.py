"""`people`: what is kept of one person, read out and erased."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.cli.doors import Doors
from engine.cli.failures import Exit, Group
from engine.cli.output import Format, Output, note, show_json, show_mapping

people = typer.Typer(cls=Group, no_args_is_help=True, help="What is kept of one person.")


def register(whole: typer.Typer) -> None:
    """Add the commands to *whole*."""
    whole.add_typer(people, name="people")


Who = Annotated[str, typer.Argument(help="Their mail address, or an alias of it.")]


@people.command("export")
def export_person(ctx: typer.Context, address: Who) -> None:
    """Print everything that is kept of a person, as JSON: rows by the name of their table."""
    with ctx.obj.office() as office:
        show_json(dict(office.personal.export(address)))


Detail = Annotated[str | None, typer.Option(help='Set it; "" forgets it.')]


@people.command("details")
def details(
    ctx: typer.Context,
    address: Who,
    phone: Detail = None,
    birth_date: Annotated[str | None, typer.Option(help='Set it, as 1984-02-29; "" forgets it.')] = None,
    company: Detail = None,
    job_title: Detail = None,
    street: Detail = None,
    postcode: Detail = None,
    town: Detail = None,
    output: Output = Format.TABLE,
) -> None:
    """Show what is known of a requester from outside, for the contact in Outlook; set what is given."""
    from engine.loans.details import ContactDetails
    from engine.web.api.models import render_details

    wanted = ContactDetails(phone, birth_date, company, job_title, street, postcode, town)
    with ctx.obj.office() as office:
        found = office.people.set_details(address, wanted) if wanted.given() else office.people.details(address)
    if output is Format.JSON:
        show_json(render_details(found))
    else:
        show_mapping(found.known(), ctx.obj.times)


@people.command("erase")
def erase_person(
    ctx: typer.Context,
    address: Who,
    apply: Annotated[
        bool, typer.Option("--apply", help="Do it. Otherwise it is only said what would be done.")
    ] = False,
) -> None:
    """Erase a person: past loans become nobody's, what else is kept of them is forgotten. A dry run at first."""
    doors: Doors = ctx.obj
    with doors.office() as office:
        plan = office.personal.plan_erasure(address)
        typer.echo(
            f"{len(plan.loans)} past loans would become nobody's" if not apply else f"{len(plan.loans)} past loans"
        )
        for name, count in plan.rows.items():
            typer.echo(f"{count} of {name}")
        if plan.in_the_way:
            note("not over, or still being written to Outlook: " + ", ".join(f"#{n}" for n in plan.in_the_way))
            note("cancel them, or give them to somebody else, and come again")
            raise typer.Exit(Exit.REFUSED)
        if not apply:
            note("nothing was done; --apply does it, and cannot be undone")
            return
        office.personal.erase(address, actor=doors.actor)
    note(f"nothing is kept of {address} any more")
    note("Outlook, backups and receivers of webhooks hold their own copies; docs/privacy.md says how to go on")
