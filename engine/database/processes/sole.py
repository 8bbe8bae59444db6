"""Knowing that nobody else works on a SQLite database: a lock that the system lifts when its holder dies.

After `kill -9` the keys that were being looked at are leased to a process that is no more. With many machines only time
tells (the lease ends); on one machine the lock does, and work goes on at once.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import IO

from engine.database.sql.connection import Database

try:
    import fcntl
except ImportError:  # no such locks here: leases end by themselves
    fcntl = None  # type: ignore[assignment]


class SoleWorker:
    """Tries to become the one worker of a SQLite file; `is_sole` says whether it did. Held until `close`, or death."""

    def __init__(self, database: Database) -> None:
        self._file: IO[bytes] | None = None
        self.is_taken = False
        """Whether another process is the worker."""
        if database.dialect != "sqlite" or database.in_memory or fcntl is None:
            return
        with contextlib.suppress(OSError):
            file = Path(f"{database.url.database}.worker").open("wb")  # noqa: SIM115  # held while we live
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                file.close()
                self.is_taken = True
                return
            self._file = file

    @property
    def is_sole(self) -> bool:
        return self._file is not None

    def close(self) -> None:
        """Let somebody else be the worker."""
        if self._file is not None:
            self._file.close()
            self._file = None
