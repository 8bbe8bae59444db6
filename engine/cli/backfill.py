"""`backfill ...`: bring in what was there before us, after a look at what that would do; and take it back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from engine.cli.doors import Doors
from engine.cli.failures import Group
from engine.cli.output import Format, Lang, Language, Output, note, show_json, show_table
from engine.cli.wishes import find_room, parse_moment
from engine.errors import Fault, Invalid

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from engine.cli.doors import Office
    from engine.ids import BookableId
    from engine.interval import Interval
    from engine.reconcile.backfill.book import Backfill, BackfillMeeting

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    help="Bring in meetings that were there before the connection: look, apply all or part, take back.",
)


def register(whole: typer.Typer) -> None:
    """Add the commands to *whole*."""
    whole.add_typer(app, name="backfill")


Number = Annotated[int, typer.Argument(min=1, metavar="PLAN", help="The plan's number.")]
Rooms = Annotated[
    list[str] | None, typer.Option("--room", help="Only this room: name, address or id; may be repeated.")
]
Moment = "'2026-11-23 10:00' in local time, or with an offset."
Explain = Callable[[str, Mapping[str, object]], str]
ROWS = 40
"""Lines of a plan in a table unless more are asked for; JSON has them all."""


class Only(StrEnum):
    CREATE = "create"
    LINK = "link"


class StepName(StrEnum):
    CREATE = "create"
    LINK = "link"
    SKIP = "skip"
    CONFLICT = "conflict"


@app.command("plan")
def make_plan(
    ctx: typer.Context,
    since: Annotated[str | None, typer.Option("--from", help=f"Meetings that end after: {Moment} Else today.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Meetings that begin before; else the horizon.")] = None,
    rooms: Rooms = None,
    lang: Lang = Language.EN,
    output: Output = Format.TABLE,
) -> None:
    """Look at the meetings that were there before us, and say what would be done with each. Changes nothing."""
    doors: Doors = ctx.obj
    with doors.office() as office:
        window = _window(doors, since, until)
        number = office.backfills.create(window, _ids(office, rooms), actor=doors.actor).number
    _carry_on(doors, number, "planning")
    _show(doors, number, lang, output)


@app.command("list")
def list_plans(ctx: typer.Context, output: Output = Format.TABLE) -> None:
    """List the plans, the newest first."""
    doors: Doors = ctx.obj
    with doors.office() as office:
        found = office.backfills.list_backfills()
    if output is Format.JSON:
        show_json([_document(each) for each in found])
        return
    columns = ("number", "state", "from", "to", "create", "link", "skip", "conflict", "done", "left", "by")
    moment = doors.times.moment
    shown = [{**_document(each), "from": moment(each.window.start), "to": moment(each.window.end)} for each in found]
    show_table(columns, [[each[column] for column in columns] for each in shown])


@app.command()
def show(
    ctx: typer.Context,
    number: Number,
    step: Annotated[StepName | None, typer.Option(help="Only these.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Lines shown.")] = None,
    lang: Lang = Language.EN,
    output: Output = Format.TABLE,
) -> None:
    """Show a plan: per meeting what would be done and why, and what became of it."""
    _show(ctx.obj, number, lang, output, limit=limit, step=step)


@app.command()
def apply(
    ctx: typer.Context,
    number: Number,
    rooms: Rooms = None,
    only: Annotated[Only | None, typer.Option(help="Only make loans, or only link to existing ones.")] = None,
    without: Annotated[
        list[str] | None, typer.Option("--except", metavar="KEY", help="Leave this meeting out.")
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Carry a plan out, or part of it. Safe to interrupt and to repeat: what is done stays done."""
    from engine.reconcile.backfill.book import MeetingState, Selection
    from engine.reconcile.backfill.proposal import Step

    doors: Doors = ctx.obj
    with doors.office() as office:
        selection = Selection(_ids(office, rooms), Step(only.value) if only else None, tuple(without or ()))
        ordered = office.backfills.order_apply(number, selection, actor=doors.actor)
    done = _carry_on(doors, number, "applying", ordered)
    failed = done.by_state.get(MeetingState.FAILED, 0)
    _tell(done, output)
    note(f"{done.by_state.get(MeetingState.DONE, 0)} done, {failed} not, because something changed since the plan")


@app.command()
def undo(ctx: typer.Context, number: Number, lang: Lang = Language.EN, output: Output = Format.TABLE) -> None:
    """Take back everything a plan did, except what somebody changed since. Nothing is written to Outlook."""
    from engine.reconcile.backfill.book import MeetingState

    doors: Doors = ctx.obj
    with doors.office() as office:
        ordered = office.backfills.order_undo(number, actor=doors.actor)
    done = _carry_on(doors, number, "taking back", ordered)
    _tell(done, output)
    with doors.office() as office:
        left = office.backfills.list_meetings(number, step=None, state=MeetingState.DONE, after=0, limit=1000)
    note(
        f"{done.by_state.get(MeetingState.UNDONE, 0)} taken back, "
        f"{done.by_state.get(MeetingState.DONE, 0)} left as they are"
    )
    explain = doors.explainer(lang)
    for line in left:
        note(f"  loan {line.loan_number}: {_say_outcome(line, explain)}")


# --- steps


def _window(doors: Doors, since: str | None, until: str | None) -> Interval:
    from datetime import UTC, datetime, timedelta

    from engine.interval import Interval

    zone = ZoneInfo(doors.settings.rooms.time_zone)
    today = datetime.now(UTC).astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    start = parse_moment(since, zone, field="from") if since else today
    horizon = today + timedelta(days=doors.settings.view.days_ahead or doors.settings.sync.horizon_days)
    end = parse_moment(until, zone, field="to") if until else horizon
    if end <= start:
        raise Invalid(Fault("to", "end_not_after_start", f"{until or 'the horizon'} is not after {since or 'today'}"))
    return Interval(start, end)


def _ids(office: Office, rooms: Sequence[str] | None) -> tuple[BookableId, ...]:
    known = office.rooms.load_rooms()
    return tuple(find_room(known, room).id for room in rooms or ())


def _carry_on(doors: Doors, number: int, what: str, ordered: Backfill | None = None) -> Backfill:
    """Carry on with a backfill, with a bar on stderr."""
    total = ordered.remaining if ordered is not None else None
    with _bar(what, total) as (progress, task):

        def told(found: Backfill) -> None:
            progress.update(task, completed=found.size if total is None else total - found.remaining)

        return asyncio.run(doors.engine().carry_on_backfill(doors.settings, number, told))


@contextmanager
def _bar(what: str, total: int | None) -> Iterator[tuple[Progress, TaskID]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield progress, progress.add_task(what, total=total)


# --- showing


def _show(
    doors: Doors,
    number: int,
    lang: str,
    output: Format,
    *,
    limit: int | None = None,
    step: StepName | None = None,
) -> None:
    with doors.office() as office:
        found = office.backfills.find(number)
        most = limit or (ROWS if output is Format.TABLE else found.size)
        lines = list(_load_lines(office, number, step, most))
        names = {room.id: room.name for room in office.rooms.load_rooms()}
    explain = doors.explainer(lang, output)
    if output is Format.JSON:
        meetings = [_line(line, names, explain) for line in lines]
        show_json({**_document(found), "meetings": meetings})
        return
    times = doors.times
    rows = []
    for line in lines:
        start = times.moment(line.interval.start) if line.interval else None
        end = times.stretch_end(line.interval.start, line.interval.end) if line.interval else None
        where = [names.get(room, room) for room in line.rooms]
        rows.append(
            (start, end, where, line.organizer, line.step.value, _say(line, explain), _state(line, explain), line.key)
        )
    show_table(("start", "end", "rooms", "organizer", "step", "why", "state", "key"), rows)
    if found.size > len(lines) and step is None:
        note(f"{found.size - len(lines)} more: backfill show {number} --limit {found.size}")
    _tell(found, output)


def _load_lines(office: Office, number: int, step: StepName | None, most: int) -> Iterator[BackfillMeeting]:
    from engine.reconcile.backfill.proposal import Step

    wanted, after = Step(step.value) if step else None, 0
    while most > 0:
        page = office.backfills.list_meetings(number, step=wanted, state=None, after=after, limit=min(1000, most))
        yield from page
        if not page:
            return
        after, most = page[-1].position, most - len(page)


def _tell(found: Backfill, output: Format) -> None:
    if output is Format.JSON:
        show_json(_document(found))
        return
    counts = _document(found)
    steps = ", ".join(f"{counts[step.value]} {step.value}" for step in StepName)
    note(f"plan {found.number} is {found.state.value}: {found.size} meetings: {steps}")


def _document(found: Backfill) -> dict[str, object]:
    from engine.reconcile.backfill.book import MeetingState

    steps = {step.value: 0 for step in StepName} | {step.value: count for step, count in found.by_step.items()}
    return {
        "number": found.number,
        "state": found.state.value,
        "from": found.window.start.isoformat(),
        "to": found.window.end.isoformat(),
        "meetings": found.size,
        **steps,
        "done": found.by_state.get(MeetingState.DONE, 0),
        "remaining": found.remaining,
        "failed": found.by_state.get(MeetingState.FAILED, 0),
        "left": found.left,
        "by": found.created_by,
    }


def _line(line: BackfillMeeting, names: dict[BookableId, str], explain: Explain) -> dict[str, object]:
    return {
        "key": line.key,
        "start": line.interval.start.isoformat() if line.interval else None,
        "end": line.interval.end.isoformat() if line.interval else None,
        "rooms": [names.get(room, str(room)) for room in line.rooms],
        "organizer": line.organizer,
        "step": line.step.value,
        "code": line.code,
        "why": _say(line, explain),
        "loan": line.loan_number,
        "state": line.state.value,
        "outcome": _say_outcome(line, explain),
    }


def _say(line: BackfillMeeting, explain: Explain) -> str:
    return explain(line.code, line.facts)


def _say_outcome(line: BackfillMeeting, explain: Explain) -> str:
    return explain(line.outcome, line.outcome_facts) if line.outcome else ""


def _state(line: BackfillMeeting, explain: Explain) -> str:
    loan = f" (loan {line.loan_number})" if line.loan_number and line.state.value == "done" else ""
    outcome = _say_outcome(line, explain)
    return f"{line.state.value}{loan}" + (f": {outcome}" if outcome else "")
