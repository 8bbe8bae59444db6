"""The table `job`: when a timed job ran last, what came of it, and when it runs next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select

from engine.database.sql.connection import Database
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.sql.upserts import upsert
from engine.database.tables import metadata

job_table = metadata.tables["job"]

_CHANGE = Prepared(job_table.update().where(job_table.c.name == bindparam("of_name")))


@dataclass(frozen=True, slots=True)
class JobStatus:
    """A timed job as a status page shows it; None where it never ran, or does not run."""

    name: str
    next_at: datetime | None
    last_at: datetime | None
    last_result: str | None


class JobBook:
    """Reads and writes the table `job`, each method in one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load_jobs(self) -> tuple[JobStatus, ...]:
        """Return all jobs by name."""
        with self._database.read() as transaction:
            rows = transaction.connection.execute(select(job_table).order_by(job_table.c.name)).all()
        return tuple(JobStatus(row.name, row.next_at, row.last_at, row.last_result) for row in rows)

    def save(self, name: str, next_at: datetime | None, last_at: datetime | None, last_result: str | None) -> None:
        """Keep what the clock tells: the next run always, the last one only when there was one."""
        with self._database.write() as transaction:
            last = {} if last_at is None else {"last_at": last_at, "last_result": last_result}
            save_job(transaction, name, {"next_at": next_at, **last})


def save_job(transaction: Transaction, name: str, values: Mapping[str, object]) -> None:
    """Set *values* in the row of a job, made when it is missing."""
    if _CHANGE.run(transaction.connection, {"of_name": name, **values}).rowcount == 0:
        upsert(transaction, job_table, {"name": name}, values)
