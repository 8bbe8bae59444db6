"""Settings changed at run time, over the file and the environment: ignored tags, default user, mode and so on."""

from __future__ import annotations

from sqlalchemy import delete, select

from engine.database.connection import Database, Transaction
from engine.database.directory import PLACES_KEY
from engine.database.records import write_decisions
from engine.database.tables import metadata
from engine.reconcile.actions import Note

setting_table = metadata.tables["setting"]


class Overrides:
    """The table `setting`. Which keys may be changed, and to what, is checked by whoever calls."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def is_in_transaction(self) -> bool:
        """Whether this thread is inside a transaction, in which nothing can be loaded."""
        return self._database.is_in_transaction

    def load_overrides(self) -> dict[str, object]:
        """Return every override by its dotted key, e.g. `rooms.ignored_tags`."""
        with self._database.read() as transaction:
            rows = transaction.connection.execute(select(setting_table.c.key, setting_table.c.value)).all()
        return {row.key: row.value.get("value") for row in rows}

    def save_override(self, key: str, value: object, actor: str) -> None:
        """
        Set *key* to a JSON value, None to go back to the file; remembered as a decision `setting_changed`.

        The rooms are looked at again at once, so that a change is acted on within a minute (H26). Saving the value
        that is there already changes nothing.
        """
        with self._database.write() as transaction:
            statement = select(setting_table.c.value).where(setting_table.c.key == key).with_for_update()
            before = transaction.connection.execute(statement).scalar()
            old = None if before is None else before.get("value")
            if old == value:
                return
            _write(transaction, key, value, actor)
            note = Note("setting_changed", {"key": key, "old": old, "new": value}, actor=actor)
            write_decisions(transaction, [note], loan_number=None, ical_uid=None)
            transaction.mark(*PLACES_KEY)


def _write(transaction: Transaction, key: str, value: object, actor: str) -> None:
    transaction.connection.execute(delete(setting_table).where(setting_table.c.key == key))
    if value is not None:
        row = {"key": key, "value": {"value": value}, "changed_at": transaction.now, "changed_by": actor}
        transaction.connection.execute(setting_table.insert(), row)
