"""`loans ...`: the desk at the keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from engine.cli.doors import Doors, Office
from engine.cli.failures import Group
from engine.cli.output import Format, Lang, Language, Output, note, note_rest, show_json, show_mapping, show_table
from engine.cli.repeat import HOW, note_choices, parse_choices, parse_rule, show_dates
from engine.cli.wishes import find_asset, find_room, parse_moment, parse_requester, parse_stretch
from engine.errors import Fault, Invalid
from engine.ids import LoanNumber
from engine.loans.recurrence_words import say_recurrence
from engine.loans.status import LoanAction, LoanStatus
from engine.reconcile.series.book import Scope, SeriesOrder

if TYPE_CHECKING:
    from engine.loans.loan import Loan
    from engine.loans.register import ItemRef
    from engine.reconcile.words.local import PlainTimes

app = typer.Typer(cls=Group, no_args_is_help=True, help="Book, look at and change loans.")


def register(whole: typer.Typer) -> None:
    """Add the commands to *whole*."""
    whole.add_typer(app, name="loans")


Number = Annotated[int, typer.Argument(min=1, help="The loan's number.")]
Rooms = Annotated[list[str] | None, typer.Option("--room", help="A room by name, address or id; may be repeated.")]
Assets = Annotated[list[str] | None, typer.Option("--asset", help="An asset by name or id; may be repeated.")]
Person = "'Alex Doe <alex@example.org>'"
Reason = Annotated[str, typer.Option(help="Why; kept in the history.")]
ScopeOption = Annotated[Scope, typer.Option(help="How much of its series is meant.")]
Moment = "'2026-11-23 10:00' in local time, or with an offset."


@app.command("list")
def list_loans(
    ctx: typer.Context,
    since: Annotated[str | None, typer.Option("--from", help=f"Still going on then: {Moment}")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Begun before then.")] = None,
    room: Annotated[str | None, typer.Option(help="With this room: name, address or id.")] = None,
    status: Annotated[list[LoanStatus] | None, typer.Option(help="In this status; may be repeated.")] = None,
    after: Annotated[int, typer.Option(min=0, help="Only numbers after this one.")] = 0,
    series: Annotated[int | None, typer.Option(help="Only the dates of this series.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
    output: Output = Format.TABLE,
) -> None:
    """List loans by number."""
    from engine.loans.register import LoanFilter

    doors: Doors = ctx.obj
    zone = _zone(doors)
    with doors.office() as office:
        wanted = LoanFilter(
            starts_before=parse_moment(until, zone, field="to") if until else None,
            ends_after=parse_moment(since, zone, field="from") if since else None,
            item_id=find_room(office.rooms.load_rooms(), room).id if room else None,
            statuses=tuple(status or ()),
            series=str(series) if series is not None else None,
            after=LoanNumber(after),
            limit=limit,
        )
        found = list(office.desk.list_loans(wanted))
    if output is Format.JSON:
        show_json([_document(loan) for loan in found])
        return
    rows = [_row(loan, doors.times) for loan in found]
    show_table(("number", "status", "start", "end", "requester", "items", "title", "home", "series"), rows)
    note_rest(len(rows), limit, f"there may be more: --after {found[-1].number if found else after}, or --limit")


@app.command()
def show(ctx: typer.Context, number: Number, output: Output = Format.TABLE) -> None:
    """Show one loan."""
    with ctx.obj.office() as office:
        _show(ctx.obj, office.desk.find(LoanNumber(number)), output)


@app.command()
def book(
    ctx: typer.Context,
    requester: Annotated[str, typer.Option(help=f"Who it is for: {Person}.")],
    start: Annotated[str, typer.Option(help=Moment)],
    end: Annotated[str, typer.Option(help="The same, or a time of the same day such as 11:00.")],
    room: Rooms = None,
    asset: Assets = None,
    title: Annotated[str, typer.Option()] = "",
    notes: Annotated[str, typer.Option()] = "",
    private: Annotated[bool, typer.Option("--private", help="Do not show the title to others.")] = False,
    repeat: Annotated[str | None, typer.Option(help=f"Book a series: {HOW}.")] = None,
    skip: Annotated[list[str] | None, typer.Option(help="Leave a date of the series out; may be repeated.")] = None,
    instead: Annotated[
        list[str] | None, typer.Option(help="Another room on a date of the series: 2026-12-14=Tilleul.")
    ] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Show the dates of the series, book nothing.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Book rooms and assets: on quarters of an hour. With --repeat a series, every date shown before it is booked."""
    from engine.interval import Interval
    from engine.loans.register import LoanOrder

    doors: Doors = ctx.obj
    interval = Interval(*parse_stretch(start, end, _zone(doors)))
    if repeat is None and (skip or instead or preview):
        raise Invalid(Fault("repeat", "missing", "--skip, --instead and --preview are about series: add --repeat"))
    with doors.office() as office:
        items = _items(office, room, asset)
        if repeat is not None:
            rule = parse_rule(repeat)
            recurrence = rule.apply(interval.start, interval.end, office.series.zone_of(items))
            choices = parse_choices(skip or (), instead or (), office.rooms.load_rooms())
            wanted = SeriesOrder(parse_requester(requester), recurrence, items, title, notes, private, choices)
            _book_series(doors, office, wanted, preview=preview, output=output)
            return
        order = LoanOrder(parse_requester(requester), interval, items, title, notes, private)
        _show(doors, office.desk.book(order, actor=doors.actor), output)


@app.command()
def move(
    ctx: typer.Context,
    number: Number,
    start: Annotated[str | None, typer.Option(help=f"{Moment} A time alone is on the loan's own day.")] = None,
    end: Annotated[str | None, typer.Option(help="The same; left out, the loan keeps its length.")] = None,
    room: Rooms = None,
    asset: Assets = None,
    requester: Annotated[str | None, typer.Option(help=f"Another requester: {Person}.")] = None,
    title: Annotated[str | None, typer.Option()] = None,
    scope: ScopeOption = Scope.THIS,
    output: Output = Format.TABLE,
) -> None:
    """Move a loan: other times, other rooms and assets (the whole new list), another requester or title."""
    from engine.loans.register import LoanChange

    doors: Doors = ctx.obj
    if not any((start, end, room, asset, requester)) and title is None:
        raise Invalid(Fault("", "nothing_to_change", "say at least what to change; see --help"))
    with doors.office() as office:
        loan = office.desk.find(LoanNumber(number))
        begins, ends = _new_times(loan, start, end, _zone(doors))
        change = LoanChange(
            seen_version=loan.version,
            start=begins,
            end=ends,
            requester=parse_requester(requester) if requester else None,
            items=_items(office, room, asset) if room or asset else None,
            title=title,
        )
        _show(doors, office.series.change(loan.number, change, scope, actor=doors.actor), output)


@app.command()
def history(
    ctx: typer.Context,
    number: Number,
    lang: Lang = Language.EN,
    output: Output = Format.TABLE,
) -> None:
    """Tell what was decided about a loan, and why."""
    from engine.web.api.models import render_decision

    doors: Doors = ctx.obj
    with doors.office() as office:
        decisions = office.desk.history(LoanNumber(number))
    explain = doors.explainer(lang, output)
    items = [render_decision(item, explain) for item in decisions]
    if output is Format.JSON:
        show_json(items)
        return
    show_table(("at", "by", "what"), [(doors.times.moment(item.at), item.actor, item.text) for item in items])


@app.command()
def approve(ctx: typer.Context, number: Number, reason: Reason = "", output: Output = Format.TABLE) -> None:
    """Approve a loan that waits for it."""
    _act(ctx.obj, number, LoanAction.APPROVE, reason, output)


@app.command()
def refuse(ctx: typer.Context, number: Number, reason: Reason = "", output: Output = Format.TABLE) -> None:
    """Refuse a loan; its event is deleted in Outlook."""
    _act(ctx.obj, number, LoanAction.REFUSE, reason, output)


@app.command("check-out")
def check_out(ctx: typer.Context, number: Number, reason: Reason = "", output: Output = Format.TABLE) -> None:
    """Hand the items over."""
    _act(ctx.obj, number, LoanAction.CHECK_OUT, reason, output)


@app.command()
def close(ctx: typer.Context, number: Number, reason: Reason = "", output: Output = Format.TABLE) -> None:
    """Take the items back."""
    _act(ctx.obj, number, LoanAction.CLOSE, reason, output)


@app.command()
def cancel(
    ctx: typer.Context,
    number: Number,
    reason: Reason = "",
    scope: ScopeOption = Scope.THIS,
    output: Output = Format.TABLE,
) -> None:
    """Cancel a loan; its event is deleted in Outlook."""
    doors: Doors = ctx.obj
    with doors.office() as office:
        loan = office.series.cancel(LoanNumber(number), scope, actor=doors.actor, reason=reason)
        _show(doors, loan, output)


def _book_series(doors: Doors, office: Office, order: SeriesOrder, *, preview: bool, output: Format) -> None:
    """Show every date, then book them unless one cannot be had."""
    from engine.reconcile.series.book import DateState
    from engine.web.api.series_models import render_series

    planned = office.series.preview(order)
    if output is Format.TABLE:
        note(f"{say_recurrence(order.recurrence)} ({order.recurrence.zone})")
        names = {int(room.id): room.name for room in office.rooms.load_rooms()}
        names |= {int(asset.id): asset.name for asset in office.desk.list_assets()}
        show_dates(planned, names, ZoneInfo(order.recurrence.zone))
    if any(each.state in (DateState.TAKEN, DateState.AGAINST_RULES) for each in planned):
        note_choices()
        raise typer.Exit(1)
    if preview:
        return
    made = office.series.book(order, actor=doors.actor)
    if output is Format.JSON:
        show_json(render_series(made, "en"))
        return
    note(f"Booked as series {made.id}: loans {made.loans[0].number} to {made.loans[-1].number}.")


def _act(doors: Doors, number: int, action: LoanAction, reason: str, output: Format) -> None:
    with doors.office() as office:
        _show(doors, office.desk.act(LoanNumber(number), action, actor=doors.actor, reason=reason), output)


def _zone(doors: Doors) -> ZoneInfo:
    return ZoneInfo(doors.settings.rooms.time_zone)


def _new_times(loan: Loan, start: str | None, end: str | None, zone: ZoneInfo) -> tuple[Any, Any]:
    """Return the new ends, None where nothing changes; a new start alone takes the end with it."""
    day = loan.interval.start.astimezone(zone).date()
    begins = parse_moment(start, zone, field="start", day=day) if start else None
    if begins is not None:
        day = begins.astimezone(zone).date()
    if end:
        return begins, parse_moment(end, zone, field="end", day=day)
    return begins, begins + loan.interval.length if begins is not None else None


def _items(office: Office, rooms: list[str] | None, assets: list[str] | None) -> tuple[ItemRef, ...]:
    from engine.loans.loan import ItemKind
    from engine.loans.register import ItemRef

    known_rooms = office.rooms.load_rooms() if rooms else ()
    known_assets = office.desk.list_assets() if assets else ()
    found = [ItemRef(ItemKind.ROOM, find_room(known_rooms, name).id) for name in rooms or ()]
    found += [ItemRef(ItemKind.ASSET, find_asset(known_assets, name).id) for name in assets or ()]
    if not found:
        raise Invalid(Fault("items", "items_missing", "name at least one --room or --asset"))
    return tuple(found)


def _document(loan: Loan) -> object:
    from engine.web.api.models import render_loan

    return render_loan(loan)


def _row(loan: Loan, times: PlainTimes) -> tuple[object, ...]:
    return (
        loan.number,
        loan.status,
        times.moment(loan.interval.start),
        times.moment(loan.interval.end),
        loan.requester.name,
        [f"{item.name} ({loan.told_state(item)})" for item in loan.items],
        loan.title,
        loan.home,
        loan.series or "",
    )


def _show(doors: Doors, loan: Loan, output: Format) -> None:
    if output is Format.JSON:
        show_json(_document(loan))
        return
    times = doors.times
    show_mapping(
        {
            "number": loan.number,
            "status": loan.status,
            "title": loan.title,
            "requester": f"{loan.requester.name} <{loan.requester.address}>",
            "start": times.moment(loan.interval.start),
            "end": times.moment(loan.interval.end),
            "items": [f"{item.name} ({loan.told_state(item)})" for item in loan.items],
            "store": loan.store,
            "home": loan.home,
            "version": loan.version,
        }
    )
