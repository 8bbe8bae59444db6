"""Results on stdout: a table for people, JSON for scripts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from engine.reconcile.words.local import Times


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"


class Language(StrEnum):
    EN = "en"
    FR = "fr"


Output = Annotated[Format, typer.Option("-o", "--output", help="How results are shown.")]

Lang = Annotated[Language, typer.Option("--lang", help="The language of sentences.")]

PIPE_WIDTH = 250
"""Columns of a table that goes into a file or a pipe, where nothing says how wide it may be."""


def show_json(value: object) -> None:
    """Print *value* as JSON; pydantic models may be anywhere in it."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_plain))


def _plain(value: Any) -> object:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]], times: Times | None = None) -> None:
    """Print a table; cells are shown as they are, never read as markup. Instants are shown by *times*, else in UTC."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(cell, times)) for cell in row))
    console = Console()
    if not console.is_terminal:
        console = Console(width=PIPE_WIDTH)
    console.print(table)


def _cell(value: object, times: Times | None) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return times.moment(value) if times is not None else f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if isinstance(value, Mapping):
        return " · ".join(_cell(part, times) for part in value.values())
    if isinstance(value, list | tuple):
        return ", ".join(_cell(part, times) for part in value) or "-"
    return str(value)


def show_mapping(value: Mapping[str, object], times: Times | None = None) -> None:
    """Print a nested mapping as two columns, the path and what is there."""
    show_table(("what", "value"), list(_flatten(value)), times)


def _flatten(value: Mapping[str, object], path: str = "") -> Iterable[tuple[str, object]]:
    for name, inner in value.items():
        if isinstance(inner, Mapping):
            yield from _flatten(inner, f"{path}{name}.")
        else:
            yield f"{path}{name}", inner


def show_mappings(rows: Sequence[Mapping[str, object]], output: Format, times: Times | None = None) -> None:
    """Print rows that name their own columns."""
    if output is Format.JSON:
        show_json(list(rows))
        return
    columns = list(dict.fromkeys(name for row in rows for name in row))
    if columns:
        show_table(columns, [[row.get(name) for name in columns] for row in rows], times)


def show_lines(lines: Iterable[tuple[str, str, str]], output: Format, *, nothing: str) -> None:
    """Print a plan: sign, what it touches, and why."""
    found = list(lines)
    if output is Format.JSON:
        show_json([{"sign": sign, "what": what, "why": why} for sign, what, why in found])
        return
    for sign, what, why in found:
        head = typer.style(f"{sign} {what}", fg=_COLORS.get(sign))
        typer.echo(head + (f"   {why}" if why else ""))
    if not found:
        note(nothing)


_COLORS = {"+": "green", "~": "yellow", "-": "red", "!": "magenta"}
"""Of the signs of a plan; `typer.echo` leaves colours out where nobody sees them."""


def note(message: str) -> None:
    """Say something that is no result."""
    typer.echo(message, err=True)


def note_rest(shown: int, limit: int, how: str) -> None:
    """Say that there may be more than the *shown* rows, when these are as many as were asked for."""
    if shown >= limit:
        note(f"these are the first {limit}; {how}")
