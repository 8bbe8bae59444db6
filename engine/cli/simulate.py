"""`simulate ...`: play Outlook, against a tenant that `run` or `simulate serve` started."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from engine.cli.doors import Doors
from engine.cli.failures import Group
from engine.cli.outlook import At, reach, render_time
from engine.cli.output import Format, Output, note, show_json, show_mapping, show_mappings
from engine.cli.wishes import parse_moment, parse_stretch
from engine.errors import Fault, Invalid

app = typer.Typer(cls=Group, no_args_is_help=True, help="Play Outlook in the simulated tenant.")

Organizer = Annotated[str, typer.Argument(help="Who organizes it: name or address.")]
Event = Annotated[str, typer.Argument(help="The event: its subject, id or iCalUId.")]


class MailboxState(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"
    REMOVED = "removed"
    DENIED = "denied"


@app.command()
def serve(
    ctx: typer.Context,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="0 takes a free one.")] = None,
    seed: Annotated[int | None, typer.Option(min=0)] = None,
    demo: Annotated[bool, typer.Option(help="Furnish an empty tenant with the demo building.")] = True,
    state_file: Annotated[Path | None, typer.Option(help="Keep the tenant here; else it is forgotten.")] = None,
    storm: Annotated[int | None, typer.Option(min=0, help="Begin with the faults this number stands for.")] = None,
) -> None:
    """Run a simulated tenant by itself, until interrupted."""
    from engine.cli.tenant import serve_tenant

    settings = ctx.obj.settings.simulator
    serve_tenant(
        port=settings.port if port is None else port,
        seed=settings.seed if seed is None else seed,
        demo=demo,
        state_file=state_file,
        storm=storm,
        zone=ctx.obj.settings.rooms.time_zone,
    )


@app.command()
def book(
    ctx: typer.Context,
    organizer: Organizer,
    room: Annotated[list[str], typer.Option(help="A room to invite: name or address; may be repeated.")],
    start: Annotated[str, typer.Option(help="'2026-11-23 10:00' in local time, or with an offset.")],
    end: Annotated[str, typer.Option(help="The same, or a time of the same day.")],
    subject: Annotated[str, typer.Option()] = "Meeting",
    at: At = "",
    output: Output = Format.TABLE,
) -> None:
    """Book a meeting as somebody in Outlook would."""
    outlook = reach(ctx.obj, at)
    first, last = parse_stretch(start, end, _zone(ctx.obj))
    rooms = [outlook.room_address(name) for name in room]
    made = outlook.book(outlook.person_address(organizer), rooms, first, last, subject)
    _show_event(made, output)


@app.command()
def move(
    ctx: typer.Context,
    organizer: Organizer,
    event: Event,
    start: Annotated[str, typer.Option(help="'2026-11-23 10:00' in local time, or with an offset.")],
    end: Annotated[str, typer.Option(help="The same, or a time of the same day.")],
    at: At = "",
    output: Output = Format.TABLE,
) -> None:
    """Give a meeting another time."""
    first, last = parse_stretch(start, end, _zone(ctx.obj))
    _change(ctx.obj, at, organizer, event, output, start=render_time(first), end=render_time(last))


@app.command()
def rename(
    ctx: typer.Context, organizer: Organizer, event: Event, subject: str, at: At = "", output: Output = Format.TABLE
) -> None:
    """Give a meeting another subject."""
    _change(ctx.obj, at, organizer, event, output, subject=subject)


@app.command("rooms")
def set_rooms(
    ctx: typer.Context,
    organizer: Annotated[str | None, typer.Argument(help="Who organizes it; without, list the rooms.")] = None,
    event: Annotated[str | None, typer.Argument(help="The event: its subject, id or iCalUId.")] = None,
    room: Annotated[list[str] | None, typer.Option(help="The new rooms; may be repeated.")] = None,
    at: At = "",
    output: Output = Format.TABLE,
) -> None:
    """List the tenant's rooms; or give a meeting other rooms."""
    outlook = reach(ctx.obj, at)
    if organizer is None:
        shown = ("displayName", "emailAddress", "capacity", "building", "floorNumber", "tags", "hidden")
        show_mappings([{name: item.get(name) for name in shown} for item in outlook.rooms()], output)
        return
    if event is None:
        raise Invalid(Fault("event", "event_missing", "name the event whose rooms to change"))
    addresses = [outlook.room_address(name) for name in room or ()]
    attendees = [{"type": "resource", "emailAddress": {"address": item, "name": item}} for item in addresses]
    _change(ctx.obj, at, organizer, event, output, attendees=attendees)


@app.command()
def cancel(
    ctx: typer.Context, organizer: Organizer, event: Event, comment: Annotated[str, typer.Option()] = "", at: At = ""
) -> None:
    """Cancel a meeting as its organizer."""
    outlook = reach(ctx.obj, at)
    address = outlook.person_address(organizer)
    found = outlook.find_event(address, event)
    outlook.cancel(address, found["id"], comment)
    note(f"{found['subject']!r} is cancelled")


@app.command()
def people(ctx: typer.Context, at: At = "", output: Output = Format.TABLE) -> None:
    """List the tenant's people."""
    show_mappings(reach(ctx.obj, at).people(), output)


@app.command()
def state(
    ctx: typer.Context,
    mailbox: Annotated[str | None, typer.Argument(help="A room or person; without, show the whole tenant.")] = None,
    new: Annotated[MailboxState | None, typer.Argument(help="What to make of the mailbox.")] = None,
    at: At = "",
    output: Output = Format.TABLE,
) -> None:
    """Show the tenant, or a mailbox's events; or break and mend a mailbox."""
    outlook = reach(ctx.obj, at)
    if mailbox is None:
        found = outlook.control("GET", "")
        show_json(found) if output is Format.JSON else show_mapping(found)
        return
    address = outlook.mailbox_address(mailbox)
    if new is None:
        hidden = ("id", "attendees", "is_organizer")
        events = outlook.events(address)
        rows = events if output is Format.JSON else [{k: v for k, v in e.items() if k not in hidden} for e in events]
        show_mappings(rows, output)
        return
    outlook.control("POST", f"/mailboxes/{address}/state", {"state": new.value})
    note(f"{address} is {new}")


@app.command("load-timetable")
def load_timetable(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A timetable as CSV.")],
    weeks: Annotated[str, typer.Option(help="Which weeks of the term: 1..14, or one such as 3.")] = "1..14",
    monday: Annotated[str | None, typer.Option(help="Week one's Monday, such as 2026-11-23; else next Monday.")] = None,
    teachers: Annotated[int, typer.Option(min=1, max=1000, help="How many people organize the classes.")] = 20,
    at: At = "",
) -> None:
    """Pour a timetable into the tenant: its rooms, and one meeting per date, booked through Graph."""
    from engine.cli.tenant import pour_timetable

    zone = _zone(ctx.obj)
    day = parse_moment(monday, zone, field="monday").astimezone(zone).date() if monday else None
    made = pour_timetable(
        reach(ctx.obj, at),
        file,
        weeks=parse_weeks(weeks),
        monday=day,
        zone=zone,
        teachers=teachers,
        furnished=lambda: _ask_for_import(ctx.obj),
    )
    note(f"{made} meetings are booked")


def parse_weeks(text: str) -> range:
    """Read `1..14` or `3`: weeks of a term, counted from 1, both ends included."""
    found = re.fullmatch(r"(\d{1,2})(?:\.\.(\d{1,2}))?", text.strip())
    weeks = range(int(found[1]), int(found[2] or found[1]) + 1) if found else range(0)
    if not weeks or weeks[0] < 1:
        raise typer.BadParameter(f"{text!r} names no weeks: write 1..14, or one such as 3", param_hint="--weeks")
    return weeks


def _ask_for_import(doors: Doors) -> None:
    """Have the engine take the new rooms in now, not at its next quarter of an hour."""
    with doors.office() as office:
        office.enqueue("places", "all")


def _zone(doors: Doors) -> ZoneInfo:
    return ZoneInfo(doors.settings.rooms.time_zone)


def _change(doors: Doors, at: str, organizer: str, event: str, output: Format, **body: Any) -> None:
    outlook = reach(doors, at)
    address = outlook.person_address(organizer)
    found = outlook.find_event(address, event)
    _show_event(outlook.change(address, found["id"], **body), output)


def _show_event(event: dict[str, Any], output: Format) -> None:
    if output is Format.JSON:
        show_json(event)
        return
    shown = ("subject", "start", "end", "iCalUId", "id")
    show_mapping({name: event.get(name) for name in shown})
