"""What a check is, and the table of all of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeVar

from engine.conformance.client import Differs
from engine.conformance.stage import Stage

GROUPS = (
    "tokens", "errors", "people", "places", "events", "versions", "views", "series", "delta", "rooms", "free_busy",
    "subscriptions", "batch",
)  # fmt: skip
"""The modules of `checks`, in the order they are shown."""

Act = TypeVar("Act", bound=Callable[[Stage], Awaitable[None]])


@dataclass(frozen=True, slots=True)
class Check:
    """One behaviour of the tenant that can be asked for."""

    group: str
    name: str
    asks: str
    """What it asks, and what the answer must be, in a sentence."""
    source: str
    """The page of Graph, or the report, it rests on."""
    row: str
    """The row of docs/simulator.md it belongs to; empty where that table has none."""
    act: Callable[[Stage], Awaitable[None]]


_TABLE: list[Check] = []


def check(source: str, row: str = "") -> Callable[[Act], Act]:
    """Enter a function into the table under its own name; its docstring's first line is what it asks."""

    def enter(act: Act) -> Act:
        group = act.__module__.rpartition(".")[2]
        asks = (act.__doc__ or "").strip().partition("\n")[0]
        _TABLE.append(Check(group, act.__name__, asks, source, row, act))
        return act

    return enter


def load_checks() -> tuple[Check, ...]:
    """Return the whole table, group after group."""
    for group in GROUPS:
        import_module(f"engine.conformance.checks.{group}")
    return tuple(sorted(_TABLE, key=lambda each: GROUPS.index(each.group)))


def same(what: str, found: Any, wanted: Any) -> None:
    """Raise Differs unless *found* equals *wanted*."""
    if found != wanted:
        raise Differs(f"{what}: expected {wanted!r}, got {found!r}")


def holds(what: str, is_so: object) -> None:
    """Raise Differs unless it *is_so*."""
    if not is_so:
        raise Differs(what)
