"""Leading: of several processes that could do something, one does, and another takes over soon after it fell silent.

A lease and not a lock: a process that was stopped in its tracks keeps its connections, and with them its locks, but it
cannot prolong a lease. Once it wakes up, its next try tells that somebody else leads by now.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import or_, update
from sqlalchemy.dialects import postgresql, sqlite

from engine.database.sql.connection import Database
from engine.database.tables import metadata

LEASE = timedelta(seconds=15)
"""How long a leader leads without saying so again."""

_leader = metadata.tables["leader"]


class Leadership:
    """
    The lead in one thing, as one process sees it.

    Args:
        database: shared by all who may lead.
        name: what is led, such as `schedule`.
        owner: who we are; unlike every other process.
    """

    def __init__(self, database: Database, name: str, *, owner: str) -> None:
        self._database = database
        self._name = name
        self._owner = owner

    def take(self, *, by_force: bool = False) -> bool:
        """
        Lead from now on, or go on leading; tell whether we do.

        Args:
            by_force: whoever leads is known to have died.

        Raises: Unreachable, DatabaseUnusable.
        """
        insert = postgresql.insert if self._database.dialect == "postgresql" else sqlite.insert
        with self._database.write() as transaction:
            now, connection = transaction.now, transaction.connection
            values = {"name": self._name, "owner": self._owner, "until": now + LEASE}
            made = insert(_leader).values(values).on_conflict_do_nothing(index_elements=["name"])
            if connection.execute(made.returning(_leader.c.owner)).first() is not None:
                return True
            may = or_(_leader.c.owner == self._owner, _leader.c.until < now)
            statement = update(_leader).where(_leader.c.name == self._name)
            return bool(connection.execute((statement if by_force else statement.where(may)).values(values)).rowcount)

    def give_up(self) -> None:
        """Let somebody else lead at once. Nothing happens when somebody does already."""
        mine = (_leader.c.name == self._name) & (_leader.c.owner == self._owner)
        with self._database.write() as transaction:
            transaction.connection.execute(update(_leader).where(mine).values(until=transaction.now - LEASE))
