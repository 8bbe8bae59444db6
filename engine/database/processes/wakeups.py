"""Hearing of marks that other processes made, on PostgreSQL: LISTEN in a thread of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg

from engine.database.processes.presence import LOOK_SECONDS, Presence
from engine.database.sql.connection import Database
from engine.database.sql.marks import CHANNEL
from engine.errors import EngineError

log = logging.getLogger(__name__)

TURN_SECONDS = 0.5
"""How long one wait for notifications lasts: how soon `close` is heard."""

RECONNECT_SECONDS = 2.0


class Listener:
    """
    Calls *callback*, from its own thread, whenever a transaction somewhere has committed marks.

    A wake-up tells only that looking may be worth while: some are spurious, and while the connection is lost some
    are missed, so the callback is also called after each reconnect. On SQLite it does nothing: poll
    `WorkQueue.changed_elsewhere`. In the same session a worker shows that it lives, and looks whether others do.
    """

    def __init__(self, database: Database, callback: Callable[[], None], presence: Presence | None = None) -> None:
        self._address = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._callback = callback
        self._presence = presence
        self._first: psycopg.Connection[Any] | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="wakeups", daemon=True)
        self._listens = database.dialect == "postgresql"

    def start(self) -> None:
        """Listen from now on; the first try to connect comes to its end before."""
        if not self._listens:
            return
        with suppress(psycopg.Error):
            self._first = self._connect()
            if self._presence is not None:
                self._presence.begin(self._first)
        self._thread.start()

    def close(self) -> None:
        """Stop listening; returns within a second."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self._address, autocommit=True, connect_timeout=10)

    def _reconnect(self) -> psycopg.Connection[Any]:
        session = self._connect()
        if self._presence is not None:
            self._presence.go_on(session)
        return session

    def _run(self) -> None:
        failing = False
        while not self._stop.is_set():
            session, self._first = self._first, None
            try:
                with session or self._reconnect() as connection:
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

    def _hear(self, connection: psycopg.Connection[Any]) -> None:
        look_at = 0.0
        while not self._stop.is_set():
            for _ in connection.notifies(timeout=TURN_SECONDS, stop_after=1):
                self._callback()
            if self._presence is not None and time.monotonic() >= look_at:
                self._look(self._presence, connection)
                look_at = time.monotonic() + LOOK_SECONDS

    def _look(self, presence: Presence, connection: psycopg.Connection[Any]) -> None:
        try:
            presence.look(connection)
        except EngineError as error:
            log.warning("cannot take over the keys of a worker that has died: %s", error)
