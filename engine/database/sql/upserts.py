"""A row that is made when it is missing, by one statement: two processes may do so at the same moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite

from engine.database.sql.transaction import Transaction


def upsert(
    transaction: Transaction,
    table: Any,
    key: Mapping[str, Any],
    values: Mapping[str, Any],
    *,
    at_first: Mapping[str, Any] | None = None,
) -> None:
    """Set *values* in the row that has *key*, a unique one; make it where there is none, with *at_first* as well."""
    insert: Any = (sqlite if transaction.connection.dialect.name == "sqlite" else postgresql).insert(table)
    made = insert.values({**key, **(at_first or {}), **values})
    transaction.connection.execute(made.on_conflict_do_update(index_elements=list(key), set_=dict(values)))
