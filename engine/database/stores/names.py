"""Stores by their names."""

from __future__ import annotations

from typing import Any

from sqlalchemy import String, bindparam, func, select

from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.ids import StoreId

store_table = metadata.tables["store"]

_name: Any = bindparam("of_name", type_=String())
_FIND_STORE = Prepared(
    select(store_table.c.id)
    .where(func.lower(store_table.c.name) == func.lower(_name))
    .order_by(store_table.c.name != _name, store_table.c.id)
)
_ADD_STORE = Prepared(store_table.insert().returning(store_table.c.id))


def ensure_store(transaction: Transaction, name: str) -> StoreId:
    """Return the store of that name, in whatever case; made when there is none."""
    connection = transaction.connection
    found = _FIND_STORE.run(connection, {"of_name": name}).scalar()
    if found is None:
        found = _ADD_STORE.run(connection, {"name": name, "rules": {}, "approval": False}).scalar_one()
    return StoreId(found)
