"""`cases`: disagreements and rejections, and the ways out of them."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.doors import Doors
from engine.cli.failures import Group
from engine.cli.output import Format, Lang, Language, Output, note, note_rest, show_json, show_table
from engine.cli.wishes import find_room, suggest
from engine.errors import Fault, Invalid, NotFound
from engine.ids import StoreId
from engine.loans.loan import CaseState, Store

if TYPE_CHECKING:
    from engine.reconcile.cases.ways import CaseView, Way

cases = typer.Typer(cls=Group, no_args_is_help=True, help="Disagreements and rejections to look at.")


def register(whole: typer.Typer) -> None:
    """Add the commands to *whole*."""
    whole.add_typer(cases, name="cases")


CaseId = Annotated[int, typer.Argument(metavar="ID", min=1)]


@cases.command("list")
def list_cases(
    ctx: typer.Context,
    state: Annotated[CaseState | None, typer.Option(help="Only these.")] = CaseState.OPEN,
    everything: Annotated[bool, typer.Option("--all", help="The closed ones too.")] = False,
    lang: Lang = Language.EN,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
    output: Output = Format.TABLE,
) -> None:
    """List cases, the oldest first."""
    from engine.web.api.models import render_case

    doors: Doors = ctx.obj
    explain = doors.explainer(lang, output)
    with doors.office() as office:
        found = office.desk.list_cases(state=None if everything else state, after=None, limit=limit)
        items = [render_case(case, explain, lambda number: office.desk.find(number).private) for case in found]
    if output is Format.JSON:
        show_json(items)
        return
    opened = doors.times.moment
    rows = [(c.id, c.state.value, opened(c.opened_at), c.loan, c.room, c.text, c.settlement) for c in items]
    show_table(("id", "state", "opened", "loan", "room", "what", "settlement"), rows)
    note_rest(len(rows), limit, "there may be more: --limit shows them")


@cases.command("show")
def show_case(ctx: typer.Context, case_id: CaseId, lang: Lang = Language.EN, output: Output = Format.TABLE) -> None:
    """Show a case and the ways out of it."""
    with ctx.obj.office() as office:
        view = office.cases.find(case_id)
    _show(ctx.obj, view, lang, output)


def _show(doors: Doors, view: CaseView, lang: str, output: Format) -> None:
    from engine.reconcile.words.reasons import without_loans
    from engine.web.api.settling import render_view

    explain = doors.explainer(lang, output)
    listed = bool(view.loans) and output is Format.TABLE
    shown = render_view(
        view, lambda code, facts, _language: explain(code, without_loans(facts) if listed else facts), lang
    )
    if output is Format.JSON:
        show_json(shown)
        return
    settled = f": {shown.settlement}, by {shown.closed_by}" if shown.settlement else ""
    rows: list[tuple[str, object]] = [
        ("case", shown.id),
        ("state", f"{shown.state.value}{settled}"),
        ("opened", doors.times.moment(shown.opened_at)),
        ("loans", shown.loans),
        ("room", shown.room),
        ("what", shown.text),
    ]
    rows += [(f"way: {choice.way}", choice.text) for choice in shown.ways if not choice.rooms]
    for choice in shown.ways:
        for place, room in enumerate(choice.rooms):
            name = f"way: {choice.way}" if place == 0 else ""
            lacks = f", lacks: {', '.join(room.lacks)}" if room.lacks else ""
            seats = f"{room.capacity} seats" if room.capacity is not None else "seats unknown"
            rows.append((name, f"{choice.text}: {room.name} (room {room.id}, {seats}{lacks})"))
    if shown.state is not CaseState.OPEN:
        rows.append(("undo", shown.no_undo or f"possible: cases undo {shown.id}"))
    show_table(("field", "value"), rows)


@cases.command("settle")
def settle_case(
    ctx: typer.Context,
    case_id: CaseId,
    way: Annotated[str | None, typer.Argument(metavar="WAY", help="A way that `cases show` names.")] = None,
    room: Annotated[str | None, typer.Option(help="With move_room: where to. Name, address or id.")] = None,
    settlement: Annotated[
        str | None, typer.Option(metavar="WORDS", help="Instead of a way: how it was settled by other means.")
    ] = None,
) -> None:
    """Settle a case one way: keep_outlook, keep_loan, move_room, drop_room, confirm, reject, ignore.

    With --settlement it is closed with your words, and nothing else is done; a cause that still stands opens it anew.
    """
    if (way is None) == (settlement is None):
        raise Invalid(Fault("way", "one_of", "name either a way or, with --settlement, how it was settled"))
    if way is None and room is not None:
        raise Invalid(Fault("room", "not_wanted", "a room goes with the way move_room only"))
    with ctx.obj.office() as office:
        if way is not None:
            wanted = _find_way(way, office.cases.find(case_id))
            room_id = find_room(office.rooms.load_rooms(), room).id if room is not None else None
            office.cases.settle(case_id, wanted, room_id=room_id, actor=ctx.obj.actor)
        else:
            office.desk.settle_case(case_id, settlement=settlement, actor=ctx.obj.actor)
    note(f"case {case_id} is settled" if way is not None else f"case {case_id} is closed")


def _find_way(text: str, view: CaseView) -> Way:
    """Return the way that *text* names. Raises Invalid, with those out of the case."""
    from engine.reconcile.cases.ways import Way

    if text in tuple(Way):
        return Way(text)
    meant = get_close_matches(text, tuple(Way), n=1)
    hint = f" (did you mean {meant[0]}?)" if meant else ""
    ways = ", ".join(choice.way for choice in view.choices) or "none, it is closed"
    raise Invalid(Fault("way", "unknown", f"there is no way {text!r}{hint}; those of case {view.case.id}: {ways}"))


@cases.command("undo")
def undo_settlement(ctx: typer.Context, case_id: CaseId) -> None:
    """Take a settlement back: the loan returns to what it was, and the case is open again."""
    with ctx.obj.office() as office:
        office.cases.undo(case_id, actor=ctx.obj.actor)
    note(f"case {case_id} is open again")


@cases.command("policy")
def set_policy(
    ctx: typer.Context,
    store: Annotated[str, typer.Argument(help="The store, by name or number.")],
    kinds: Annotated[list[str] | None, typer.Argument(metavar="[KIND=WAY]...", help="room_declined=move_room")] = None,
    none: Annotated[bool, typer.Option("--none", help="Settle nothing by itself any more.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Show which kinds of cases a store settles by itself; with KIND=WAY, set them all anew."""
    policy = dict(_parse_kind(text) for text in kinds or ())
    with ctx.obj.office() as office:
        store_id = _find_store(office.desk.list_stores(), store)
        if policy or none:
            office.cases.set_policy(store_id, policy, actor=ctx.obj.actor)
        found = office.cases.policy_of(store_id)
    if output is Format.JSON:
        show_json({code: way.value for code, way in found.items()})
        return
    show_table(("kind", "way"), [(code, way.value) for code, way in found.items()])


def _parse_kind(text: str) -> tuple[str, Way]:
    from engine.reconcile.cases.ways import Way

    code, equals, way = text.partition("=")
    if not equals or way not in tuple(Way):
        raise Invalid(Fault("policy", "malformed", f"{text!r} is not KIND=WAY, such as room_declined=move_room"))
    return code, Way(way)


def _find_store(stores: Sequence[Store], wanted: str) -> StoreId:
    folded = wanted.strip().casefold()
    for store in stores:
        if folded in (str(store.id), store.name.casefold()):
            return store.id
    raise NotFound(f"there is no store {wanted!r}{suggest(wanted, [store.name for store in stores])}")
