"""Heeding SIGTERM and SIGINT at any time: while modules load, and while a database does not answer.

A handler in Python runs only between two steps of the main thread, which may stand in a call that does not return. So
the signals are blocked everywhere and a thread of its own waits for them. Nothing is lost by leaving at once: the
engine may die at any moment (docs/continuity.md).
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

log = logging.getLogger(__name__)

SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT})

PATIENCE_SECONDS = 25.0
"""How long a stop may take: passes under way get ten seconds, a database that is busy five at a time."""


class StopSignals:
    """
    Waits for SIGTERM and SIGINT from its making on. Made once per process, by its main thread, before other threads.

    Until `hand_to`, a signal ends the process at once, with code 0, and says what it was `doing`. From then on it calls
    what was handed over; a second signal, or one that is not heeded for `PATIENCE_SECONDS`, ends the process with
    code 1, and says where it stood.
    """

    def __init__(self) -> None:
        self._doing, self._since = "it was starting", time.monotonic()
        self._stop: Callable[[], object] | None = None
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        threading.Thread(target=self._wait, name="stop signals", daemon=True).start()

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """Name what the main thread does for the time of a block."""
        before = self._doing, self._since
        self._doing, self._since = what, time.monotonic()
        try:
            yield
        finally:
            self._doing, self._since = before

    def hand_to(self, stop: Callable[[], object]) -> None:
        """Call *stop*, from another thread, at the first signal from now on."""
        self._stop = stop

    def _wait(self) -> None:
        name = signal.Signals(signal.sigwait(SIGNALS)).name
        if self._stop is None:
            _leave(f"stopped by {name} while {self._doing}, for {time.monotonic() - self._since:.1f} seconds", code=0)
        self._stop()
        impatience = threading.Timer(
            PATIENCE_SECONDS,
            _leave,
            [f"stopped by {name}, and not done after {PATIENCE_SECONDS:.0f} seconds"],
            {"code": 1},
        )
        impatience.daemon = True
        impatience.start()
        again = signal.Signals(signal.sigwait(SIGNALS)).name
        _leave(f"stopped by {name}, and at once by {again}", code=1)


def _leave(why: str, *, code: int) -> NoReturn:
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    log.warning("%s%s", why, f"; it stood at {place}" if (place := find_place(frame)) and code else "")
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def find_place(frame: FrameType | None) -> str:
    """Return the innermost place within the engine of a thread that stands at *frame*; "" when it is nowhere in it."""
    while frame is not None:
        module = str(frame.f_globals.get("__name__"))
        if module.startswith("engine."):
            return f"{module}.{frame.f_code.co_name}:{frame.f_lineno}"
        frame = frame.f_back
    return ""
