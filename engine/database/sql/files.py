"""Noticing that the file of a SQLite database was removed, or that another one lies in its place.

SQLite looks for it only while it keeps a rollback journal (SQLITE_FCNTL_HAS_MOVED); with a log of its own (WAL) it goes
on in a file that has no name any more, and all that was written there is gone when the process ends.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL

from engine.errors import DatabaseUnusable


class WatchedFile:
    """The file behind the writing connection. Does nothing in memory, nor for an address that is no plain path."""

    def __init__(self, url: URL) -> None:
        name = url.database or ""
        is_plain = url.get_backend_name() == "sqlite" and name not in ("", ":memory:") and not name.startswith("file:")
        self._path = Path(name).absolute() if is_plain else None
        self._opened: tuple[int, int] | None = None

    def opened(self) -> None:
        """Remember which file it is; of several connections the first one tells."""
        if self._opened is None and self._path is not None:
            self._opened = _identify(self._path)

    def closed(self) -> None:
        """Forget it: the next one that is opened may be another."""
        self._opened = None

    def check(self) -> None:
        """Raise DatabaseUnusable when the file is not the one that was opened."""
        if self._opened is None or self._path is None:
            return
        found = _identify(self._path)
        if found != self._opened:
            what = "was removed" if found is None else "was replaced by another file"
            raise DatabaseUnusable(
                f"{self._path} {what} while it was open, and nothing more is written to it; put the right one there, "
                "and start again"
            )


def _identify(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
