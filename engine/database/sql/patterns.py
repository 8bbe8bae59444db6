"""What texts are searched with: patterns of LIKE, in which `\\` escapes, and columns as `fold_text` writes them.

SQLite asks `fold_text` itself, by that name. PostgreSQL has what it takes built in, and nothing has to be installed
there. So nothing is kept twice, and no write costs more.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Text, or_
from sqlalchemy.ext.compiler import compiles

from engine.folding import ACCENTS, DOUBLE, SINGLE, fold_text

FOLD = "fold_text"
"""What connections to SQLite call `fold_text`."""


def containing(part: str) -> str:
    """Return the pattern of texts that contain *part* as it is."""
    escaped = part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


class folded(ColumnElement[str]):  # reads as the functions of SQLAlchemy do
    """A text as `fold_text` writes it."""

    inherit_cache = False
    type = Text()

    def __init__(self, text: ColumnElement[str]) -> None:
        self.text = text


@compiles(folded, "sqlite")
def _fold_on_sqlite(element: folded, compiler: Any, **options: Any) -> str:
    return f"{FOLD}({compiler.process(element.text, **options)})"


@compiles(folded, "postgresql")
def _fold_on_postgres(element: folded, compiler: Any, **options: Any) -> str:
    text = compiler.process(element.text, **options)
    text = f"lower(regexp_replace(normalize({text}, NFKD), '{ACCENTS}', '', 'g'))"
    for letter, letters in DOUBLE.items():
        text = f"replace({text}, '{letter}', '{letters}')"
    singles = "".join(SINGLE.values()).replace("'", "''")
    return f"translate({text}, '{''.join(SINGLE)}', '{singles}')"


def holding(text: ColumnElement[str], word: str) -> ColumnElement[bool]:
    """
    Tell whether *text* holds *word*, without accents, in small letters.

    A PostgreSQL whose locale is C makes small letters of ASCII ones only: other scripts are found as they are typed.
    """
    wanted = fold_text(word)
    found = folded(text).like(containing(wanted), escape="\\")
    return found if wanted.isascii() else or_(found, text.like(containing(word), escape="\\"))
