"""What Alembic runs for each command: on the connection it is handed, inside that connection's transaction."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlmodel import AutoString

from engine.database.loans.guards import PREFIX
from engine.database.tables import metadata
from engine.database.tables.types import Instant


def include_object(_thing: Any, name: str | None, kind: str, _reflected: bool, _compared_to: Any) -> bool:
    """Leave out the guards: no model declares them."""
    return not (kind in ("index", "unique_constraint") and name is not None and name.startswith(PREFIX))


def render_item(kind: str, thing: Any, _autogenerating: Any) -> str | Literal[False]:
    """Write our own column types by the names the script template imports."""
    if kind == "type" and isinstance(thing, Instant):
        return "types.Instant()"
    if kind == "type" and isinstance(thing, AutoString):
        return "sa.String()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_object=include_object,
    render_as_batch=True,  # SQLite changes a table by building a new one
    transactional_ddl=True,
    render_item=render_item,
)
context.run_migrations()
