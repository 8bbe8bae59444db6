"""Lists of values in a statement as one parameter, however many they are: JSON on SQLite, an array on PostgreSQL.

An `expanding` parameter has a place for each value: a statement of its own for each length, which takes SQLAlchemy some
milliseconds to write, and each value is bound by itself.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Dialect, Text, TypeDecorator, bindparam, cast, func
from sqlalchemy.dialects.postgresql import ARRAY, JSON
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ColumnElement
from sqlalchemy.types import TypeEngine

_encode = msgspec.json.Encoder().encode


class TextList(TypeDecorator[list[str]]):
    """A list of texts, as a parameter only."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(Text()) if dialect.name == "postgresql" else Text())

    def bind_processor(self, dialect: Dialect) -> Any:
        """Return what makes a list the driver's."""
        return list if dialect.name == "postgresql" else _to_json


class TextMap(TypeDecorator[dict[str, str | None]]):
    """Texts, each with another text or with nothing, as a parameter only."""

    impl = Text
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Any:
        """Return what makes a dictionary the driver's."""
        return _to_json


def _to_json(values: list[str] | dict[str, str | None]) -> str:
    return _encode(values).decode()


def each_of(name: str, dialect: str) -> Any:
    """Return the values of the list given as *name*, as a column of as many rows, in their order."""
    values = bindparam(name, type_=TextList())
    if dialect == "postgresql":
        return func.unnest(values).column_valued(name)
    return func.json_each(values).table_valued("value").c.value


def each_pair_of(name: str, dialect: str) -> Any:
    """Return the pairs of the dictionary given as *name*, as a table of `key` and `value`."""
    values = bindparam(name, type_=TextMap())
    if dialect == "postgresql":
        return func.json_each_text(cast(values, JSON)).table_valued("key", "value")
    return func.json_each(values).table_valued("key", "value")


class is_any_of(ColumnElement[Any]):  # reads as the functions of SQLAlchemy do
    """
    Tells whether a column of texts is one of the list given under a name.

    It is of no type: of a boolean SQLAlchemy would ask on SQLite whether it equals 1, which finds nothing by an index.
    """

    inherit_cache = False

    def __init__(self, column: ColumnElement[Any], name: str) -> None:
        self.column = column
        self.values = bindparam(name, type_=TextList())


@compiles(is_any_of, "sqlite")
def _compile_for_sqlite(element: is_any_of, compiler: Any, **options: Any) -> str:
    column, values = (compiler.process(part, **options) for part in (element.column, element.values))
    return f"{column} IN (SELECT value FROM json_each({values}))"


@compiles(is_any_of, "postgresql")
def _compile_for_postgres(element: is_any_of, compiler: Any, **options: Any) -> str:
    column, values = (compiler.process(part, **options) for part in (element.column, element.values))
    return f"{column} = ANY({values})"
