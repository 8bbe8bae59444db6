"""What is kept of one person: read out, and erased. One list of places serves both, so that neither forgets one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, cast, delete, func, or_, select, update
from sqlalchemy.types import Text

from engine.database.anonymise import NO_ACTOR, NOBODY, anonymise_loans, forget_messages, forget_people
from engine.database.connection import Database, Transaction
from engine.database.own_calendars import KEY as OWN_CALENDAR
from engine.database.tables import metadata
from engine.errors import NotAllowed, NotFound
from engine.ids import LoanNumber, fold_address
from engine.loans.personal import Erasure, PersonalBook
from engine.loans.status import BLOCKING_STATUSES
from engine.outbox.changes import ERASURE
from engine.outbox.message import KEY
from engine.reconcile.actions import Note

AT_ONCE = 200

_t = metadata.tables
_person, _alias, _loan = _t["person"], _t["person_alias"], _t["loan"]
_outbox, _receiver, _work = _t["outbox"], _t["outbox_receiver"], _t["work"]

SECRET = frozenset({"digest", "sealed", "told"})
"""Columns that are ours and say nothing about anybody."""

NAMING = frozenset(
    {"id", "number", "key", "code", "name", "at", "opened_at", "created_at", "changed_at", "loan_number"}
)
"""Columns that tell which row of others' it is that somebody had a hand in."""


@dataclass(frozen=True, slots=True)
class _Known:
    """Who somebody is: all their addresses, folded, and their name."""

    person_id: int | None
    addresses: tuple[str, ...]
    name: str
    loans: tuple[int, ...]

    @property
    def actors(self) -> tuple[str, ...]:
        """How histories name them."""
        return tuple(f"app:{address}" for address in self.addresses)


_Place = Callable[[_Known], ColumnElement[bool]]


def _names(column: ColumnElement[str], who: _Known) -> ColumnElement[bool]:
    """Return whether a text names an address of theirs."""
    return or_(*(func.lower(column).contains(address, autoescape=True) for address in who.addresses))


OWN: Mapping[str, _Place] = {
    "session": lambda who: _t["session"].c.address_folded.in_(who.addresses),
    "store_keeper": lambda who: _t["store_keeper"].c.address_folded.in_(who.addresses),
    "feed": lambda who: or_(_t["feed"].c.owner_folded.in_(who.addresses), _t["feed"].c.address.in_(who.addresses)),
    "invitation": lambda who: _t["invitation"].c.address_folded.in_(who.addresses),
    "own_calendar": lambda who: _t["own_calendar"].c.address_folded.in_(who.addresses),
    "own_calendar_entry": lambda who: _t["own_calendar_entry"].c.address_folded.in_(who.addresses),
    "once": lambda who: _names(_t["once"].c.body, who),
    "mail_preference": lambda who: _t["mail_preference"].c.address_folded.in_(who.addresses),
}
"""Rows that are about one person alone: erased with them."""

OF_LOANS: Mapping[str, str] = {
    "loan": "number",
    "loan_item": "loan_number",
    "decision": "loan_number",
    "case": "loan_number",
}
"""Rows about their loans, by the column that names the loan: read out; of past loans they are anonymised."""

DONE_BY = (
    ("decision", "actor"),
    ("case", "closed_by"),
    ("setting", "changed_by"),
    ("feed", "created_by"),
    ("webhook", "created_by"),
    ("backfill", "created_by"),
    ("backfill", "ordered_by"),
)
"""Columns that say who did something."""

MENTIONS = (("decision", "id", "facts"), ("case", "id", "facts"))
"""Values of sentences, which may name people in others' histories."""


class Personal(PersonalBook):
    """What is known of people."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def export(self, address: str) -> Mapping[str, Sequence[Mapping[str, object]]]:
        with self._database.read() as transaction:
            who = _find(transaction, address)
            found = {"person": _rows(transaction, _person, _person.c.id == who.person_id)}
            found["person_alias"] = _rows(transaction, _alias, _alias.c.person_id == who.person_id)
            for name, place in OWN.items():
                found[name] = _rows(transaction, _t[name], place(who))
            for name, column in OF_LOANS.items():
                found[name] = _rows(transaction, _t[name], _t[name].c[column].in_(who.loans))
            found["outbox"] = _rows(transaction, _outbox, _messages_of(who))
            done = [
                {"table": name, "column": column, **{key: value for key, value in row.items() if key in NAMING}}
                for name, column in DONE_BY
                for row in _rows(transaction, _t[name], func.lower(_t[name].c[column]).in_(who.actors))
            ]
            found["done_by_them"] = done
            found["mentioned_in"] = [row for name, _, _ in MENTIONS for row in _mentions(transaction, name, who)]
        return {name: rows for name, rows in found.items() if rows}

    def plan_erasure(self, address: str) -> Erasure:
        with self._database.read() as transaction:
            return _plan(transaction, _find(transaction, address))

    def erase(self, address: str, *, actor: str) -> Erasure:
        with self._database.write() as transaction:
            who = _find(transaction, address)
            plan = _plan(transaction, who)
            if plan.in_the_way:
                numbers = ", ".join(f"#{number}" for number in plan.in_the_way)
                raise NotAllowed(f"these bookings are not over, or still being written to Outlook: {numbers}")
            _erase(transaction, who, plan, actor=NO_ACTOR if actor.casefold() in who.actors else actor)
        return plan


def _find(transaction: Transaction, address: str) -> _Known:
    """Return who has *address*, or an alias of it. Raises NotFound when nothing at all is known of them."""
    connection, folded = transaction.connection, fold_address(address)
    aliased = select(_alias.c.person_id).where(_alias.c.address_folded == folded)
    row = connection.execute(
        select(_person).where(or_(_person.c.address_folded == folded, _person.c.id.in_(aliased)))
    ).first()
    if folded == NOBODY.address:
        raise NotFound("this is nobody")
    if row is None:
        who = _Known(None, (folded,), "", ())
        known = [_count(transaction, _t[name], place(who)) for name, place in OWN.items()]
        if not any(known) and not _count(
            transaction, _t["decision"], func.lower(_t["decision"].c.actor).in_(who.actors)
        ):
            raise NotFound(f"nothing is known of {address!r}")
        return who
    aliases = connection.execute(select(_alias.c.address_folded).where(_alias.c.person_id == row.id)).scalars()
    loans = connection.execute(select(_loan.c.number).where(_loan.c.person_id == row.id).order_by(_loan.c.number))
    return _Known(row.id, (row.address_folded, *aliases), row.name, tuple(loans.scalars()))


def _plan(transaction: Transaction, who: _Known) -> Erasure:
    intent, link = _t["intent"], _t["link"]
    holding = [status.value for status in BLOCKING_STATUSES]
    mine = _loan.c.number.in_(who.loans)
    linked = select(link.c.loan_number).where(link.c.state.in_(("pending", "led", "linked")))
    open_ones = or_(
        _loan.c.status.in_(holding),
        _loan.c.number.in_(select(intent.c.loan_number)),
        and_(_loan.c.end_at > transaction.now, _loan.c.number.in_(linked)),
    )
    numbers = transaction.connection.execute(select(_loan.c.number).where(mine, open_ones)).scalars().all()
    in_the_way = tuple(LoanNumber(number) for number in sorted(numbers))
    rows = {name: _count(transaction, _t[name], place(who)) for name, place in OWN.items()}
    rows["outbox"] = _count(transaction, _outbox, _messages_of(who))
    rows["done_by_them"] = sum(
        _count(transaction, _t[name], func.lower(_t[name].c[column]).in_(who.actors)) for name, column in DONE_BY
    )
    rows["mentioned_in"] = sum(len(_mentions(transaction, name, who)) for name, _, _ in MENTIONS)
    over = tuple(LoanNumber(number) for number in who.loans if number not in in_the_way)
    return Erasure(who.addresses[0], over, in_the_way, {name: count for name, count in rows.items() if count})


def _erase(transaction: Transaction, who: _Known, plan: Erasure, *, actor: str) -> None:
    connection = transaction.connection
    for at in range(0, len(plan.loans), AT_ONCE):
        note = Note("anonymised", actor=actor)
        anonymise_loans(transaction, plan.loans[at : at + AT_ONCE], reason=ERASURE, note=note)
    forget_messages(transaction, _messages_of(who))
    connection.execute(delete(_receiver).where(_receiver.c.channel == "mail", _receiver.c.receiver.in_(who.addresses)))
    keys = or_(
        and_(_work.c.kind == KEY, _work.c.key.in_([f"mail:{address}" for address in who.addresses])),
        and_(_work.c.kind == OWN_CALENDAR, _work.c.key.in_(who.addresses)),
    )
    connection.execute(delete(_work).where(keys, _work.c.lease_owner.is_(None)))
    for name, place in OWN.items():
        connection.execute(delete(_t[name]).where(place(who)))
    for name, column in DONE_BY:
        named = func.lower(_t[name].c[column]).in_(who.actors)
        connection.execute(update(_t[name]).where(named).values({column: NO_ACTOR}))
    for name, key, column in MENTIONS:
        table = _t[name]
        for row in _mentions(transaction, name, who):
            scrubbed = scrub(row[column], who.addresses, who.name)
            connection.execute(update(table).where(table.c[key] == row[key]).values({column: scrubbed}))
    if who.person_id is not None:
        forget_people(connection, {who.person_id})


def _messages_of(who: _Known) -> ColumnElement[bool]:
    """Return which messages are to them, about their loans, or name them: a loan may have been theirs for a while."""
    to_them = and_(_outbox.c.channel == "mail", _outbox.c.receiver.in_(who.addresses))
    return or_(to_them, _outbox.c.loan_number.in_(who.loans), _names(_outbox.c.body, who))


def _mentions(transaction: Transaction, name: str, who: _Known) -> list[dict[str, Any]]:
    """Return the rows, of no loan of theirs, whose values name them."""
    table = _t[name]
    text = cast(table.c.facts, Text)
    patterns = [func.lower(text).like(f"%{_escaped(address)}%", escape="\\") for address in who.addresses]
    if who.name:  # as a whole value; SQLite keeps JSON with its letters escaped, PostgreSQL without
        names = {json.dumps(who.name), json.dumps(who.name, ensure_ascii=False)}
        patterns += [text.like(f"%{_quoted(name)}%", escape="\\") for name in sorted(names)]
    found = or_(*patterns)
    of_others = or_(table.c.loan_number.is_(None), table.c.loan_number.not_in(who.loans))
    return _rows(transaction, table, and_(of_others, found))


def _escaped(text: str) -> str:
    """Return *text* for LIKE, as JSON writes it."""
    return _quoted(json.dumps(text)[1:-1])


def _quoted(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)


def scrub(value: Any, addresses: Sequence[str], name: str) -> Any:
    """Return *value*, JSON that names somebody, without their addresses and name."""
    if isinstance(value, dict):
        return {key: scrub(each, addresses, name) for key, each in value.items()}
    if isinstance(value, list):
        return [scrub(each, addresses, name) for each in value]
    if not isinstance(value, str):
        return value
    for address in addresses:
        value = re.sub(rf"(?<![\w.+-]){re.escape(address)}(?![\w-])", NOBODY.address, value, flags=re.IGNORECASE)
    return re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", NOBODY.name, value) if name else value


def _rows(transaction: Transaction, table: Table, where: ColumnElement[bool]) -> list[dict[str, Any]]:
    columns = [column for column in table.c if column.key not in SECRET]
    return [dict(row._mapping) for row in transaction.connection.execute(select(*columns).where(where))]


def _count(transaction: Transaction, table: Table, where: ColumnElement[bool]) -> int:
    return int(transaction.connection.execute(select(func.count()).select_from(table).where(where)).scalar_one())
