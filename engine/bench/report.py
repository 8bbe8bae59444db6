"""Figures, each with its goal and the floor beside it, as a table for people or as JSON for scripts."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TextIO


@dataclass(frozen=True, slots=True)
class Figure:
    """
    One measured value.

    `floor` is what the machine does at best for the same thing, in the same unit, and `floor_name` says what that is.
    `at_least` turns the goal round: rates should be high, everything else low. `ratio_goal` is the same goal as a
    multiple of the floor: on a slower machine it is the fairer of the two.
    """

    name: str
    what: str
    value: float
    unit: str
    goal: float | None = None
    at_least: bool = False
    floor: float | None = None
    floor_name: str = ""
    ratio_goal: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times the floor this costs; for rates, how many times slower than the floor."""
        if not self.floor or not self.value:
            return None
        return self.floor / self.value if self.at_least else self.value / self.floor

    @property
    def verdict(self) -> str:
        """`ok`, `ok by ratio` (only as a multiple of the floor), `missed`, or nothing where no goal was set. A goal
        that is a ratio alone is met by it, or missed."""
        if self.goal is None and (self.ratio_goal is None or self.ratio is None):
            return ""
        if self.goal is not None and (self.value >= self.goal if self.at_least else self.value <= self.goal):
            return "ok"
        if self.ratio_goal is not None and self.ratio is not None and self.ratio <= self.ratio_goal:
            return "ok" if self.goal is None else "ok by ratio"
        return "missed"


def describe_machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        "cpus": os.cpu_count(),
        "load": load,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }


def render_json(figures: Sequence[Figure], machine: dict[str, Any]) -> str:
    """Return everything as one JSON document."""
    rows = [
        {
            "name": figure.name,
            "what": figure.what,
            "value": figure.value,
            "unit": figure.unit,
            "goal": figure.goal,
            "at_least": figure.at_least,
            "floor": figure.floor,
            "floor_name": figure.floor_name,
            "ratio": figure.ratio,
            "ratio_goal": figure.ratio_goal,
            "verdict": figure.verdict,
            "note": figure.note,
        }
        for figure in figures
    ]
    return json.dumps({"machine": machine, "figures": rows}, indent=2, ensure_ascii=False)


def print_table(figures: Sequence[Figure], machine: dict[str, Any], stream: TextIO | None = None) -> None:
    """Print a table, a line per figure, and what it was measured on."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("", "measure", "figure", "goal", "floor", "ratio", "", "note"):
        table.add_column(column, justify="right" if column in ("figure", "goal", "floor", "ratio") else "left")
    for figure in figures:
        table.add_row(*(Text(cell) for cell in _cells(figure)))
    out = stream or sys.stdout
    console = Console(file=out, width=None if out.isatty() else 200, highlight=False)
    console.print(table)
    console.print("; ".join(f"{name} {_show(value)}" for name, value in machine.items()), markup=False)


def _cells(figure: Figure) -> tuple[str, ...]:
    goal = "" if figure.goal is None else f"{'≥' if figure.at_least else '≤'} {show_number(figure.goal)}"
    floor = "" if figure.floor is None else show_number(figure.floor)
    ratio = "" if figure.ratio is None else f"{show_number(figure.ratio)}×"
    if figure.ratio_goal is not None:
        goal += f" or {show_number(figure.ratio_goal)}×"
    note = "; ".join(part for part in (figure.note, figure.floor_name and f"floor: {figure.floor_name}") if part)
    value = f"{show_number(figure.value)} {figure.unit}".rstrip()
    return figure.name, figure.what, value, goal, floor, ratio, figure.verdict, note


def show_number(value: float) -> str:
    """Return a number with three digits that count, thousands set apart."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"


def _show(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least *share* of all do not exceed; 0 of none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]
