"""`simulate ...`: play Outlook, against a tenant that `run` or `simulate serve` started."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from engine.cli import weather
from engine.cli.doors import Doors
from engine.cli.failures import Group
from engine.cli.outlook import At, reach, render_time
from engine.cli.output import Format, Output, note, show_json, show_mapping, show_mappings
from engine.cli.series import Date, Following, Part, parse_part, render_date, render_recurrence
from engine.cli.wishes import parse_day, parse_stretch
from engine.errors import Fault, Invalid
from engine.loans.recurrence import Repeat

app = typer.Typer(cls=Group, no_args_is_help=True, help="Play Outlook in the simulated tenant.")


def register(whole: typer.Typer) -> None:
    """Add the commands to *whole*."""
    weather.register(app)
    whole.add_typer(app, name="simulate")


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
    repeat: Annotated[
        Repeat | None, typer.Option(help="Make it a series; endless without --until and --times.")
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="Every so many days, weeks, months or years.")] = 1,
    on: Annotated[list[str] | None, typer.Option(help="monday ...; else that of the start; may be repeated.")] = None,
    week: Annotated[
        str, typer.Option(help="first, second, third, fourth or last; for the -by-weekday ones.")
    ] = "first",
    until: Annotated[str | None, typer.Option(help="The last day, such as 2027-01-31.")] = None,
    times: Annotated[int | None, typer.Option(min=1, help="So many dates.")] = None,
    at: At = "",
    output: Output = Format.TABLE,
) -> None:
    """Book a meeting, or a series of them, as somebody in Outlook would."""
    outlook, zone = reach(ctx.obj, at), _zone(ctx.obj)
    first, last = parse_stretch(start, end, zone)
    series = None
    if repeat is not None:
        series = render_recurrence(
            repeat, first, last, zone, every=every, on=on or [], week=week, until=until, times=times
        )  # fmt: skip
    rooms = [outlook.room_address(name) for name in room]
    made = outlook.book(outlook.person_address(organizer), rooms, first, last, subject, series)
    _show_event(made, output)


@app.command()
def move(
    ctx: typer.Context,
    organizer: Organizer,
    event: Event,
    start: Annotated[str, typer.Option(help="'2026-11-23 10:00' in local time; of a whole series: its first date's.")],
    end: Annotated[str, typer.Option(help="The same, or a time of the same day.")],
    day: Date = None,
    following: Following = False,
    at: At = "",
    output: Output = Format.TABLE,
) -> None:
    """Give a meeting another time; or one date of a series, that one and the following, or all."""
    first, last = parse_stretch(start, end, _zone(ctx.obj))
    outlook, part = reach(ctx.obj, at), parse_part(day, following)
    address = outlook.person_address(organizer)
    found = outlook.find_event(address, event)
    if part.day is None and found["type"] == "seriesMaster":
        _show_event(outlook.move_series(address, found["id"], first, last), output)
        return
    _show_event(
        part.change(outlook, address, found, start=render_time(first), end=render_time(last)),
        output,
    )


@app.command()
def rename(
    ctx: typer.Context,
    organizer: Organizer,
    event: Event,
    subject: str,
    day: Date = None,
    following: Following = False,
    at: At = "",
    output: Output = Format.TABLE,
) -> None:
    """Give a meeting another subject; or one date of a series, that one and the following, or all."""
    _change(ctx.obj, at, organizer, event, output, parse_part(day, following), subject=subject)


@app.command()
def dates(
    ctx: typer.Context,
    organizer: Organizer,
    event: Event,
    first: Annotated[str | None, typer.Option("--from", help="From this day on; else from today.")] = None,
    until: Annotated[str | None, typer.Option(help="Up to this day; else for a year.")] = None,
    at: At = "",
    output: Output = Format.TABLE,
) -> None:
    """List the dates of a series, with the rooms' answers."""
    outlook = reach(ctx.obj, at)
    address = outlook.person_address(organizer)
    found = outlook.find_event(address, event)
    begin = parse_day(first, "from") if first else datetime.now(_zone(ctx.obj)).date()
    last = parse_day(until, "until") if until else begin + timedelta(days=365)
    rows = outlook.dates(address, found["id"], begin, last)
    show_mappings(rows if output is Format.JSON else [render_date(item) for item in rows], output)


@app.command("rooms")
def set_rooms(
    ctx: typer.Context,
    organizer: Annotated[str | None, typer.Argument(help="Who organizes it; without, list the rooms.")] = None,
    event: Annotated[str | None, typer.Argument(help="The event: its subject, id or iCalUId.")] = None,
    room: Annotated[list[str] | None, typer.Option(help="The new rooms; may be repeated.")] = None,
    day: Date = None,
    following: Following = False,
    at: At = "",
    output: Output = Format.TABLE,
) -> None:
    """List the tenant's rooms; or give a meeting, or some dates of a series, other rooms."""
    outlook = reach(ctx.obj, at)
    if organizer is None:
        shown = ("displayName", "emailAddress", "capacity", "building", "floorNumber", "tags", "hidden")
        show_mappings([{name: item.get(name) for name in shown} for item in outlook.rooms()], output)
        return
    if event is None:
        raise Invalid(Fault("event", "event_missing", "name the event whose rooms to change"))
    addresses = [outlook.room_address(name) for name in room or ()]
    attendees = [{"type": "resource", "emailAddress": {"address": item, "name": item}} for item in addresses]
    _change(ctx.obj, at, organizer, event, output, parse_part(day, following), attendees=attendees)


@app.command()
def cancel(
    ctx: typer.Context,
    organizer: Organizer,
    event: Event,
    comment: Annotated[str, typer.Option()] = "",
    day: Date = None,
    following: Following = False,
    at: At = "",
) -> None:
    """Cancel a meeting as its organizer; or one date of a series, that one and the following, or all."""
    outlook, part = reach(ctx.obj, at), parse_part(day, following)
    address = outlook.person_address(organizer)
    found = outlook.find_event(address, event)
    part.cancel(outlook, address, found, comment)
    note(f"{found['subject']!r} is cancelled{part}")


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
    as_series: Annotated[bool, typer.Option("--as-series", help="One weekly series per class.")] = False,
    at: At = "",
) -> None:
    """Pour a timetable into the tenant: its rooms, and a meeting per date or a series per class, through Graph."""
    from engine.cli.tenant import pour_timetable

    zone = _zone(ctx.obj)
    day = parse_day(monday, "monday") if monday else None
    made = pour_timetable(
        reach(ctx.obj, at),
        file,
        weeks=parse_weeks(weeks),
        monday=day,
        zone=zone,
        teachers=teachers,
        as_series=as_series,
        furnished=lambda: _ask_for_import(ctx.obj),
    )
    note(f"{made} {'series' if as_series else 'meetings'} are booked")


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


def _change(doors: Doors, at: str, organizer: str, event: str, output: Format, part: Part, **body: Any) -> None:
    outlook = reach(doors, at)
    address = outlook.person_address(organizer)
    found = outlook.find_event(address, event)
    _show_event(part.change(outlook, address, found, **body), output)


def _show_event(event: dict[str, Any], output: Format) -> None:
    if output is Format.JSON:
        show_json(event)
        return
    shown = ("subject", "start", "end", "iCalUId", "id")
    show_mapping({name: event.get(name) for name in shown})
