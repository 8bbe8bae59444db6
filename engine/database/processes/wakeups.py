"""Hearing of marks that other processes made, on PostgreSQL: LISTEN in a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import psycopg

from engine.database.sql.connection import Database
from engine.database.sql.marks import CHANNEL

log = logging.getLogger(__name__)

TURN_SECONDS = 0.5
"""How long one wait for notifications lasts: how soon `close` is heard."""

RECONNECT_SECONDS = 2.0


class Listener:
    """
    Calls *callback*, from its own thread, whenever a transaction somewhere has committed marks.

    A wake-up tells only that looking may be worth while: some are spurious, and while the connection is lost some
    are missed, so the callback is also called after each reconnect. On SQLite it does nothing: poll
    `WorkQueue.changed_elsewhere`.
    """

    def __init__(self, database: Database, callback: Callable[[], None]) -> None:
        self._address = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._callback = callback
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="wakeups", daemon=True)
        self._listens = database.dialect == "postgresql"

    def start(self) -> None:
        if self._listens:
            self._thread.start()

    def close(self) -> None:
        """Stop listening; returns within a second."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        failing = False
        while not self._stop.is_set():
            try:
                with psycopg.connect(self._address, autocommit=True, connect_timeout=10) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    if failing:
                        log.info("listening for marks again")
                    failing = False
                    self._callback()
                    self._hear(connection)
            except psycopg.Error:
                if not failing:
                    log.warning("cannot listen for marks; polling goes on", exc_info=True)
                failing = True
                self._stop.wait(RECONNECT_SECONDS)

    def _hear(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        while not self._stop.is_set():
            for _ in connection.notifies(timeout=TURN_SECONDS, stop_after=1):
                self._callback()
