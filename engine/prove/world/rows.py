"""Emptying and filling a database of SQLite row by row.

A table that is made anew, a copied page or a pragma would have every statement compiled again that the driver keeps,
some 300 of them.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from engine.database.tables import metadata

_NAMES = [table.name for table in metadata.sorted_tables]
_SEQUENCES = "sqlite_sequence"
"""Where SQLite keeps the last number of each table that never gives one again."""
_DELETIONS = [f'DELETE FROM "{name}"' for name in reversed(_NAMES)] + [f"DELETE FROM {_SEQUENCES}"]


def delete_rows(driver: Any) -> None:
    """Delete every row, within the transaction that is under way."""
    for deletion in _DELETIONS:
        driver.execute(deletion)


def put_rows(driver: Any, image: sqlite3.Connection) -> None:
    """Put the rows of *image* in place of all there are, each at the place it had, within the transaction."""
    delete_rows(driver)
    for name in _NAMES:
        columns = ", ".join(f'"{column.name}"' for column in metadata.tables[name].columns)
        rows = image.execute(f'SELECT rowid, {columns} FROM "{name}"').fetchall()
        if rows:
            places = ", ".join("?" * len(rows[0]))
            driver.executemany(f'INSERT INTO "{name}" (rowid, {columns}) VALUES ({places})', rows)
    driver.execute(f"DELETE FROM {_SEQUENCES}")
    driver.executemany(
        f"INSERT INTO {_SEQUENCES} (name, seq) VALUES (?, ?)", image.execute(f"SELECT name, seq FROM {_SEQUENCES}")
    )
