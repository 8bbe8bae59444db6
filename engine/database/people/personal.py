"""What is kept of one person: read out, and erased. One list of places serves both, so that neither forgets one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, delete, func, or_, select, update

from engine.database.calendars.own import KEY as OWN_CALENDAR
from engine.database.people.anonymise import NO_ACTOR, NOBODY, anonymise_loans, forget_messages, forget_people
from engine.database.people.personal_places import (
    BLANKED,
    DONE_BY,
    MENTIONS,
    OF_LOANS,
    OWN,
    Known,
    json_names,
    text_names,
)
from engine.database.sql.connection import Database
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.database.work.meeting_marks import HELD_BY_LOAN
from engine.errors import NotAllowed, NotFound
from engine.ids import LoanNumber, fold_address
from engine.loans.personal import Erasure, PersonalBook
from engine.loans.status import BLOCKING_STATUSES
from engine.outbox.changes import ERASURE
from engine.outbox.message import KEY
from engine.reconcile.actions import Note

AT_ONCE = 200

_t = metadata.tables
_person, _alias, _details, _loan = _t["person"], _t["person_alias"], _t["person_details"], _t["loan"]
_outbox, _receiver, _work = _t["outbox"], _t["outbox_receiver"], _t["work"]

SECRET = frozenset({"digest", "sealed", "told"})
"""Columns that are ours and say nothing about anybody."""

NAMING = frozenset(
    {"id", "number", "key", "code", "name", "at", "opened_at", "created_at", "changed_at", "loan_number"}
)
"""Columns that tell which row of others' it is that somebody had a hand in."""


class Personal(PersonalBook):
    """What is known of people."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def export(self, address: str) -> Mapping[str, Sequence[Mapping[str, object]]]:
        with self._database.read() as transaction:
            who = _find(transaction, address)
            found = {"person": _rows(transaction, _person, _person.c.id == who.person_id)}
            found["person_alias"] = _rows(transaction, _alias, _alias.c.person_id == who.person_id)
            found["person_details"] = _rows(transaction, _details, _details.c.person_id == who.person_id)
            for name, place in OWN.items():
                found[name] = _rows(transaction, _t[name], place(who))
            for name, column in OF_LOANS.items():
                found[name] = _rows(transaction, _t[name], _t[name].c[column].in_(who.loans))
            for name, blank in BLANKED.items():
                found[name] = [*found.get(name, ()), *_rows(transaction, _t[name], blank.place(who))]
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


def _find(transaction: Transaction, address: str) -> Known:
    """Return who has *address*, or an alias of it. Raises NotFound when nothing at all is known of them."""
    connection, folded = transaction.connection, fold_address(address)
    aliased = select(_alias.c.person_id).where(_alias.c.address_folded == folded)
    row = connection.execute(
        select(_person).where(or_(_person.c.address_folded == folded, _person.c.id.in_(aliased)))
    ).first()
    if folded == NOBODY.address:
        raise NotFound("this is nobody")
    if row is None:
        who = Known(None, (folded,), "", ())
        known = [_count(transaction, _t[name], place(who)) for name, place in OWN.items()]
        if not any(known) and not _count(
            transaction, _t["decision"], func.lower(_t["decision"].c.actor).in_(who.actors)
        ):
            raise NotFound(f"nothing is known of {address!r}")
        return who
    aliases = connection.execute(select(_alias.c.address_folded).where(_alias.c.person_id == row.id)).scalars()
    loans = connection.execute(select(_loan.c.number).where(_loan.c.person_id == row.id).order_by(_loan.c.number))
    return Known(row.id, (row.address_folded, *aliases), row.name, tuple(loans.scalars()))


def _plan(transaction: Transaction, who: Known) -> Erasure:
    intent, link = _t["intent"], _t["link"]
    holding = [status.value for status in BLOCKING_STATUSES]
    mine = _loan.c.number.in_(who.loans)
    linked = select(link.c.loan_number).where(link.c.state.in_(HELD_BY_LOAN))
    open_ones = or_(
        _loan.c.status.in_(holding),
        _loan.c.number.in_(select(intent.c.loan_number)),
        and_(_loan.c.end_at > transaction.now, _loan.c.number.in_(linked)),
    )
    numbers = transaction.connection.execute(select(_loan.c.number).where(mine, open_ones)).scalars().all()
    in_the_way = tuple(LoanNumber(number) for number in sorted(numbers))
    rows = {name: _count(transaction, _t[name], place(who)) for name, place in OWN.items()}
    for name, blank in BLANKED.items():
        rows[name] = _count(transaction, _t[name], blank.place(who))
    rows["outbox"] = _count(transaction, _outbox, _messages_of(who))
    rows["done_by_them"] = sum(
        _count(transaction, _t[name], func.lower(_t[name].c[column]).in_(who.actors)) for name, column in DONE_BY
    )
    rows["mentioned_in"] = sum(len(_mentions(transaction, name, who)) for name, _, _ in MENTIONS)
    over = tuple(LoanNumber(number) for number in who.loans if number not in in_the_way)
    return Erasure(who.addresses[0], over, in_the_way, {name: count for name, count in rows.items() if count})


def _erase(transaction: Transaction, who: Known, plan: Erasure, *, actor: str) -> None:
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
    for name, blank in BLANKED.items():
        connection.execute(update(_t[name]).where(blank.place(who)).values(dict(blank.values)))
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


def _messages_of(who: Known) -> ColumnElement[bool]:
    """Return which messages are to them, about their loans, or name them: a loan may have been theirs for a while."""
    to_them = and_(_outbox.c.channel == "mail", _outbox.c.receiver.in_(who.addresses))
    return or_(to_them, _outbox.c.loan_number.in_(who.loans), text_names(_outbox.c.body, who))


def _mentions(transaction: Transaction, name: str, who: Known) -> list[dict[str, Any]]:
    """Return the rows, of no loan of theirs, whose values name them."""
    table = _t[name]
    of_others = or_(table.c.loan_number.is_(None), table.c.loan_number.not_in(who.loans))
    return _rows(transaction, table, and_(of_others, json_names(table.c.facts, who)))


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
