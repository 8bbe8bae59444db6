"""What texts are searched with: patterns of LIKE, in which `\\` escapes, and words as people type them.

Neither database needs anything installed, nothing is kept twice, and no write costs more.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Text, bindparam
from sqlalchemy.ext.compiler import compiles

from engine.folding import fold_text, unfolded

FOLD = "fold_text"
"""What connections to SQLite call `fold_for_sqlite`."""

_fold = lru_cache(50_000)(fold_text)
"""Each list is counted as well as read, and both again for the next letter that is typed."""


def fold_for_sqlite(text: str | None) -> str | None:
    return None if text is None else _fold(text)


def containing(part: str) -> str:
    """Return the pattern of texts that contain *part* as it is."""
    escaped = part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


class holds_word(ColumnElement[Any]):  # reads as the functions of SQLAlchemy do
    """Tells whether a text holds *word*, however accents and capital letters are in both."""

    inherit_cache = False

    def __init__(self, text: ColumnElement[str], word: str) -> None:
        self.text = text
        self.part = bindparam(None, fold_text(word), type_=Text())
        self.pattern = bindparam(None, unfolded(word), type_=Text())


@compiles(holds_word, "sqlite")
def _compile_for_sqlite(element: holds_word, compiler: Any, **options: Any) -> str:
    text, part = (compiler.process(each, **options) for each in (element.text, element.part))
    return f"instr({FOLD}({text}), {part}) > 0"


@compiles(holds_word, "postgresql")
def _compile_for_postgres(element: holds_word, compiler: Any, **options: Any) -> str:
    text, pattern = (compiler.process(each, **options) for each in (element.text, element.pattern))
    return f"{text} ~ {pattern}"
