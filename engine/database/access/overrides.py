"""Settings changed at run time, over the file and the environment: ignored tags, default user, mode and so on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, select

from engine.database.cases.records import write_decisions
from engine.database.rooms.directory import PLACES_KEY
from engine.database.sql.connection import Database
from engine.database.sql.marks import Priority, work
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.reconcile.actions import Note
from engine.rooms.room import RoomState

setting_table = metadata.tables["setting"]
room_table = metadata.tables["room"]
case_table = metadata.tables["case"]

_of_key = setting_table.c.key == bindparam("of_key")
_LOCKED = Prepared(select(setting_table.c.value).where(_of_key).with_for_update())
_DELETE = Prepared(delete(setting_table).where(_of_key))
_ADD = Prepared(setting_table.insert())
_ALL = Prepared(select(setting_table.c.key, setting_table.c.value))

WAKE_SECONDS = 1.0
"""When what a change is about is looked at: by then every process has read the new value."""


@dataclass(frozen=True, slots=True)
class Override:
    """One setting that was changed at run time, and who did it."""

    value: object
    changed_at: datetime
    changed_by: str


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
            rows = _ALL.run(transaction.connection)
            return {row.key: row.value.get("value") for row in rows}

    def list_overrides(self) -> dict[str, Override]:
        """Return the same, with who changed each and when."""
        with self._database.read() as transaction:
            rows = transaction.connection.execute(select(setting_table)).all()
        return {row.key: Override(row.value.get("value"), row.changed_at, row.changed_by) for row in rows}

    def save_override(self, key: str, value: object, actor: str, *, wake: bool = False) -> None:
        """
        Set *key* to a JSON value, None to go back to the file; remembered as a decision `setting_changed`.

        With *wake* every room, every series that waits and every booking with an open case is looked at again: what a
        former value held back or refused may go on now.

        The rooms are looked at again at once, so that a change is acted on within a minute (H26). Saving the value
        that is there already changes nothing.
        """
        with self._database.write() as transaction:
            before = _LOCKED.run(transaction.connection, {"of_key": key}).scalar()
            old = None if before is None else before.get("value")
            if old == value:
                return
            _write(transaction, key, value, actor)
            note = Note("setting_changed", {"key": key, "old": old, "new": value}, actor=actor)
            write_decisions(transaction, [note], loan_number=None, ical_uid=None)
            transaction.mark(*PLACES_KEY, delay=WAKE_SECONDS)
            if wake:
                _wake(transaction)


def _write(transaction: Transaction, key: str, value: object, actor: str) -> None:
    _DELETE.run(transaction.connection, {"of_key": key})
    if value is not None:
        row = {"key": key, "value": {"value": value}, "changed_at": transaction.now, "changed_by": actor}
        _ADD.run(transaction.connection, row)


def _wake(transaction: Transaction) -> None:
    connection = transaction.connection
    followed = select(room_table.c.id).where(room_table.c.state != RoomState.EXCLUDED.value)
    for number in connection.execute(followed.order_by(room_table.c.id)).scalars().all():
        transaction.mark("room", str(number), priority=Priority.SWEEP, delay=WAKE_SECONDS)
    withheld = select(work.c.key).where(work.c.kind == "series", work.c.ready_at.is_not(None))
    for key in connection.execute(withheld.order_by(work.c.key)).scalars().all():
        transaction.mark("series", key, delay=WAKE_SECONDS)
    subjects = select(case_table.c.subject).where(case_table.c.state == "open").distinct()
    for subject in connection.execute(subjects.order_by(case_table.c.subject)).scalars().all():
        kind, _, key = subject.partition(":")
        if kind == "loan":
            key = key.partition(":")[0]  # what lost in a loan is a case of its own: loan:12:interval:3
        if kind in ("loan", "meeting") and key:
            transaction.mark(kind, key, priority=Priority.SWEEP, delay=WAKE_SECONDS)
