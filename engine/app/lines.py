"""The lines the service logs to stderr."""

from __future__ import annotations

import logging
import sys


class _Line(logging.Formatter):
    """One line a record: time, level, message, then its named values."""

    _PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        named = " ".join(f"{key}={value}" for key, value in vars(record).items() if key not in self._PLAIN)
        return f"{line}  {named}" if named else line


def start_logging() -> None:
    """Log to stderr; libraries only when they warn."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("engine").setLevel(logging.INFO)
