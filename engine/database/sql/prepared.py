"""Statements of the hot path: written with SQLAlchemy, compiled once, run by the driver itself.

SQLAlchemy's way from a statement to rows costs 0.2 to 0.3 ms of CPU, ten times what SQLite needs for the work. A
`Prepared` keeps the statement declarative, on the same tables and types, and skips that way:

    _LOAN = Prepared(select(loan_table).where(loan_table.c.number == bindparam("number")))
    row = _LOAN.run(transaction.connection, {"number": 12}).one()

- The values given decide what is compiled, as with SQLAlchemy: `Prepared(table.insert())` writes the columns that are
  given, and so does `Prepared(table.update().where(...))`, whose own parameters must not be named like a column.
- A list for an `expanding` parameter is filled up to a power of two with its last value, so that few lengths occur.
- A list of values runs the statement for each of them. It returns no rows.
- A driver's error becomes the one that SQLAlchemy would raise, so it is translated where all others are.
"""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import BindParameter, CompoundSelect, Connection, Delete, Dialect, Insert, Select, Update, exc
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import iterate
from sqlalchemy.types import TypeEngine

if TYPE_CHECKING:
    from engine.database.sql.libpq import Line  # brings the PostgreSQL driver, which SQLite does without

Values = dict[str, Any]
_Convert = Callable[[Any], Any]
_Source = tuple[str | None, int | None, Any]
_NOTHING: Any = object()
_NAMED = re.compile(r"%\((\w+)\)s|%%")
"""What the driver's cursors replace in a statement."""
LINE = "line"
"""What a connection to PostgreSQL calls its `Line`."""


class Rows:
    """What a statement brought: rows with named columns, and how many were changed."""

    __slots__ = ("_rows", "rowcount")

    def __init__(self, rows: Sequence[Any], rowcount: int) -> None:
        self._rows = rows
        self.rowcount = rowcount

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def all(self) -> Sequence[Any]:
        return self._rows

    def first(self) -> Any:
        """Return the first row; None when there is none."""
        return self._rows[0] if self._rows else None

    def one_or_none(self) -> Any:
        """Return the only row; None when there is none. Raises ValueError when there are more."""
        if len(self._rows) > 1:
            raise ValueError(f"one row was expected, not {len(self._rows)}")
        return self.first()

    def one(self) -> Any:
        """Return the only row. Raises ValueError when there is none, or more."""
        if len(self._rows) != 1:
            raise ValueError(f"one row was expected, not {len(self._rows)}")
        return self._rows[0]

    def scalar_one(self) -> Any:
        """Return the first column of the only row. Raises as `one` does."""
        return self.one()[0]

    def scalar(self) -> Any:
        """Return the first column of the first row; None when there is none."""
        return self._rows[0][0] if self._rows else None

    def scalars(self) -> list[Any]:
        """Return the first column of every row."""
        return [row[0] for row in self._rows]


class Prepared:
    """A statement that is compiled once for each dialect and set of values, and then run by the driver."""

    __slots__ = ("_lists", "_plans", "_statement")

    def __init__(self, statement: Select[Any] | CompoundSelect[Any] | Insert | Update | Delete) -> None:
        if isinstance(statement, Insert) and not statement.exported_columns:
            statement = statement.inline()  # asks for no new key
        self._statement: Any = statement
        binds = (part for part in iterate(statement) if isinstance(part, BindParameter))
        self._lists = tuple(sorted({bind.key for bind in binds if bind.expanding and bind.required}))
        self._plans: dict[tuple[Any, ...], _Plan] = {}

    def run(self, connection: Connection, values: Values | list[Values] | None = None) -> Rows:
        """Run with *values*, or once for each of several. Raises what SQLAlchemy raises."""
        if isinstance(values, list):
            if len(values) != 1:  # one row takes one round trip on PostgreSQL instead of three
                return self._run_many(connection, values)
            return Rows((), self.run(connection, values[0]).rowcount)
        given = values or {}
        dialect = connection.dialect
        plan = self._plan(dialect, given)
        try:
            if plan.numbered is not None:
                rows, rowcount = line_of(connection).run(plan.numbered, plan.bind(given))
                return Rows(plan.read(rows) if plan.has_rows else (), rowcount)
            driver: Any = connection.connection.dbapi_connection
            cursor = driver.execute(plan.sql, plan.bind(given))
            return Rows(plan.read(cursor.fetchall()) if plan.has_rows else (), cursor.rowcount)
        except dialect.loaded_dbapi.Error as error:
            raise _as_sqlalchemy(error, plan.sql, connection) from error

    def _run_many(self, connection: Connection, values: list[Values]) -> Rows:
        if not values:
            return Rows((), 0)
        plan = self._plan(connection.dialect, values[0])
        bound = plan.bind_many(values)
        try:
            if plan.numbered is not None:
                return Rows((), line_of(connection).run_many(plan.numbered, bound))
            driver: Any = connection.connection.dbapi_connection
            return Rows((), driver.executemany(plan.sql, bound).rowcount)
        except connection.dialect.loaded_dbapi.Error as error:
            raise _as_sqlalchemy(error, plan.sql, connection) from error

    def _plan(self, dialect: Dialect, values: Values) -> _Plan:
        lengths = [_padded(len(values[name])) for name in self._lists] if self._lists else ()
        key = (dialect.name, *values, *lengths)
        plan = self._plans.get(key)
        if plan is None:
            lists = dict(zip(self._lists, lengths, strict=True))
            plan = self._plans[key] = _Plan(self._statement, dialect, tuple(values), lists)
        return plan


def run_directly(connection: Connection, sql: str) -> None:
    """Run a command that takes no values and brings no rows. Raises what SQLAlchemy raises."""
    driver: Any = connection.connection.dbapi_connection
    try:
        driver.execute(sql)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _as_sqlalchemy(error, sql, connection) from error


def run_together(connection: Connection, commands: Sequence[str]) -> Any:
    """Send *commands* to PostgreSQL at once; returns the row the last one brings, if any. One that fails ends them.
    Raises what SQLAlchemy raises."""
    text = "; ".join(commands)
    try:
        return line_of(connection).command(text)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _as_sqlalchemy(error, text, connection) from error


def line_of(connection: Connection) -> Line:
    """Return libpq's side of a connection to PostgreSQL."""
    line: Line = connection.info[LINE]
    return line


def commit_directly(connection: Connection) -> None:
    """Commit what the driver has under way. Raises what SQLAlchemy raises."""
    try:
        if connection.dialect.name == "postgresql":
            line_of(connection).command("COMMIT")
            return
        driver: Any = connection.connection.dbapi_connection
        driver.commit()
    except connection.dialect.loaded_dbapi.Error as error:
        raise _as_sqlalchemy(error, "COMMIT", connection) from error


class _Plan:
    """A statement compiled for one dialect, one set of names, and one length of each list."""

    def __init__(self, statement: Any, dialect: Dialect, given: tuple[str, ...], lists: dict[str, int]) -> None:
        compiled: SQLCompiler = statement.compile(dialect=dialect, column_keys=list(given))
        assert not [*compiled.insert_prefetch, *compiled.update_prefetch], "no defaults are computed in Python here"
        lengths = {name: [0] * length for name, length in lists.items()}
        state = compiled.construct_expanded_state({**dict.fromkeys(given), **lengths})
        self.sql: str = state.statement
        expanded = state.parameter_expansion.items()
        places = {each: (name, at) for name, names in expanded for at, each in enumerate(names)}
        self.numbered = None if state.positiontup is not None else _number(self.sql, list(state.parameters))
        """The SQL as PostgreSQL takes it; None on SQLite."""
        self._sources: list[_Source] = []
        """Of each parameter of the SQL: the value it is taken from, the place in that list, how it is converted.
        Of a constant: None, None, the constant."""
        for name in state.positiontup or state.parameters:
            source, at = places.get(name, (name, None))
            convert = _binder(compiled.binds[source].type, dialect)
            if source in given:
                self._sources.append((source, at, convert))
            else:
                constant = state.parameters[name]
                self._sources.append((None, None, convert(constant) if convert else constant))
        self.bind = _write_binder(self._sources)
        """Returns values as the driver takes them."""
        columns = list(statement.exported_columns) if hasattr(statement, "exported_columns") else []
        self.has_rows = bool(columns)
        names = [column.key for column in columns]
        row: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]  # names that are only known by now
        self.read = _write_reader(row, [_reader(column.type, dialect) for column in columns])
        """Returns the driver's rows with our types."""

    def bind_many(self, values: list[Values]) -> list[Any]:
        """Return each of *values* as the driver takes them. Column by column: a page has hundreds of rows."""
        columns = []
        for source, at, convert in self._sources:
            assert at is None, "a list is given to one run, not to many"
            if source is None:
                columns.append([convert] * len(values))
            else:
                column = [each[source] for each in values]
                columns.append(column if convert is None else _convert_all(column, convert))
        return list(zip(*columns, strict=True))


def _number(sql: str, names: Sequence[str]) -> bytes:
    """Return *sql* with its named parameters numbered."""
    numbers = {name: number for number, name in enumerate(names, 1)}
    return _NAMED.sub(lambda found: f"${numbers[found[1]]}" if found[1] else "%", sql).encode()


def _write_binder(sources: Sequence[_Source]) -> Callable[[Values], Any]:
    """Return a function that makes the driver's parameters of values. Written out, as dataclasses write theirs: a loop
    over *sources* takes three times as long, in what a change does forty times."""
    scope: dict[str, Any] = {}
    places = []
    for number, (source, at, convert) in enumerate(sources):
        name = f"x{number}"
        scope[name] = convert  # of a constant: itself
        if source is None:
            places.append(name)
            continue
        place = f"values[{source!r}]" if at is None else f"pick(values[{source!r}], {at})"
        places.append(place if convert is None else f"{name}({place})")
    binder: Callable[[Values], Any] = eval(f"lambda values: [{', '.join(places)}]", {**scope, "pick": _pick})
    return binder


def _write_reader(row: Any, readers: Sequence[_Convert | None]) -> Callable[[Sequence[Any]], list[Any]]:
    """Return a function that makes named rows of the driver's; written out as well."""
    scope: dict[str, Any] = {f"x{at}": reader for at, reader in enumerate(readers)}
    places = ", ".join(f"raw[{at}]" if reader is None else f"x{at}(raw[{at}])" for at, reader in enumerate(readers))
    made = f"new(row, ({places},))" if any(readers) else "new(row, raw)"
    reader: Callable[[Sequence[Any]], list[Any]] = eval(
        f"lambda rows: [{made} for raw in rows]", {**scope, "row": row, "new": tuple.__new__}
    )
    return reader


def _pick(values: Sequence[Any], at: int) -> Any:
    """Return the value at *at*; behind the last one, that one again."""
    return values[min(at, len(values) - 1)]


def _padded(length: int) -> int:
    """Return the length to which a list is filled up."""
    return 1 << (length - 1).bit_length() if length else 0


def _convert_all(column: list[Any], convert: _Convert) -> list[Any]:
    """Convert every value of *column*; one that is the same as the one before is converted once."""
    found, before, converted = [], _NOTHING, None
    for value in column:
        if value is not before:
            before, converted = value, convert(value)
        found.append(converted)
    return found


def _binder(kind: TypeEngine[Any], dialect: Dialect) -> _Convert | None:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _reader(kind: TypeEngine[Any], dialect: Dialect) -> _Convert | None:
    return kind.dialect_impl(dialect).result_processor(dialect, None)


def _as_sqlalchemy(error: Any, sql: str, connection: Connection) -> Exception:
    """Return *error* as SQLAlchemy raises it; a connection that was lost is given up, as it does."""
    dialect = connection.dialect
    lost = dialect.is_disconnect(error, connection.connection, None)
    if lost:
        connection.invalidate(error)
    raised: Exception = exc.DBAPIError.instance(
        sql, None, error, dialect.loaded_dbapi.Error, dialect=dialect, connection_invalidated=lost
    )
    return raised
