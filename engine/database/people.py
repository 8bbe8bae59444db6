"""Finding people by a part of their name or address."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, bindparam, func, or_, select

from engine.database.anonymise import NOBODY
from engine.database.connection import Database
from engine.database.tables import metadata
from engine.ids import Address, fold_address
from engine.loans.loan import Requester

_person = metadata.tables["person"]
_part: ColumnElement[str] = bindparam("part")
_FIND = (
    select(_person.c.address, _person.c.name)
    .where(
        _person.c.address_folded != NOBODY.address,
        or_(
            func.lower(_person.c.name).like(_part, escape="\\"),
            _person.c.name.like(bindparam("as_typed"), escape="\\"),
            _person.c.address_folded.like(_part, escape="\\"),
        ),
    )
    .order_by(_person.c.name, _person.c.id)
    .limit(bindparam("most"))
)


class People:
    """Everybody a loan was ever made for."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, part: str, *, limit: int) -> Sequence[Requester]:
        """Return people whose name or address contains *part*, by name. SQLite folds only ASCII letters of names."""
        values = {"part": _pattern(fold_address(part)), "as_typed": _pattern(part.strip()), "most": limit}
        with self._database.read() as transaction:
            return [Requester(Address(row[0]), row[1]) for row in transaction.connection.execute(_FIND, values)]


def _pattern(part: str) -> str:
    escaped = part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
