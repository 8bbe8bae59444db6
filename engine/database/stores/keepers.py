"""Who keeps which store. A store that names nobody is kept by all staff; one that names keepers, by them alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import bindparam, delete, exists, select

from engine.database.cases.records import write_decisions
from engine.database.sql.connection import Database
from engine.database.tables import metadata
from engine.errors import NotFound
from engine.ids import Address, StoreId, fold_address
from engine.reconcile.actions import Note

_keeper = metadata.tables["store_keeper"]
_store = metadata.tables["store"]
_of_store = _keeper.alias("of_store")
_STORES_OF_OTHERS = (
    select(_keeper.c.store_id)
    .where(
        ~exists().where(_of_store.c.store_id == _keeper.c.store_id, _of_store.c.address_folded == bindparam("folded"))
    )
    .distinct()
)


class Keepers:
    """Implements `KeeperBook`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def stores_of_others(self, address: str) -> frozenset[StoreId]:
        """Return the stores that name keepers, and not the person of *address*."""
        with self._database.read() as transaction:
            rows = transaction.connection.execute(_STORES_OF_OTHERS, {"folded": fold_address(address)})
            return frozenset(StoreId(row.store_id) for row in rows)

    def load_keepers(self) -> Mapping[StoreId, Sequence[Address]]:
        """Return the keepers of the stores that name any, by address."""
        found: dict[StoreId, list[Address]] = {}
        with self._database.read() as transaction:
            for row in transaction.connection.execute(select(_keeper).order_by(_keeper.c.address_folded)):
                found.setdefault(StoreId(row.store_id), []).append(Address(row.address))
        return found

    def set_keepers(self, store_id: StoreId, keepers: Sequence[Address], *, actor: str) -> None:
        """Let a store be kept by *keepers* alone, or with none by all staff. Raises NotFound."""
        wanted = {fold_address(address): address for address in keepers}
        with self._database.write() as transaction:
            store = transaction.connection.execute(
                select(_store.c.name).where(_store.c.id == store_id).with_for_update()
            ).one_or_none()
            if store is None:
                raise NotFound(f"there is no store {store_id}")
            transaction.connection.execute(delete(_keeper).where(_keeper.c.store_id == store_id))
            if wanted:
                rows = [
                    {"store_id": store_id, "address_folded": folded, "address": address}
                    for folded, address in wanted.items()
                ]
                transaction.connection.execute(_keeper.insert(), rows)
            facts = {"name": store.name, "keepers": ", ".join(sorted(wanted.values())) or None}
            code = "store_keepers_named" if wanted else "store_keepers_freed"
            write_decisions(transaction, [Note(code, facts, actor=actor)], loan_number=None, ical_uid=None)
