"""Lists of values, cut to what one statement may hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection

from engine.database.sql.prepared import Prepared

IN_LIST_MAX = 400
"""Values in one IN list; SQLite allows 999 parameters on old builds."""

ValueT = TypeVar("ValueT")


def cut(values: Sequence[ValueT]) -> Iterator[list[ValueT]]:
    """Yield *values* in pieces that fit into a statement."""
    for start in range(0, len(values), IN_LIST_MAX):
        yield list(values[start : start + IN_LIST_MAX])


def run_in_chunks(connection: Connection, statement: Prepared, ids: Sequence[Any], **values: object) -> Iterable[Any]:
    """Run *statement*, which takes a list `ids` beside *values*, as often as it takes; yield its rows."""
    for chunk in cut(ids):
        yield from statement.run(connection, {"ids": chunk, **values})
