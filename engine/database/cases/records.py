"""Decisions and cases: what is remembered about why (D2), and what a person may look at."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, and_, bindparam, literal_column, select, union_all
from sqlalchemy.dialects import postgresql, sqlite

from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.ids import LoanNumber
from engine.outbox.changes import CASE, ROOM_EVENTS, Event, reason_of
from engine.reconcile.actions import Note
from engine.reconcile.words.reasons import name_items, unnamed_items

decision_table = metadata.tables["decision"]
case_table = metadata.tables["case"]
room_table = metadata.tables["room"]
asset_table = metadata.tables["asset"]
store_table = metadata.tables["store"]
loan_table = metadata.tables["loan"]

_NAMES = Prepared(
    union_all(
        *(
            select(table.c.id, table.c.name).where(table.c.id.in_(bindparam("ids", expanding=True)))
            for table in (room_table, asset_table)
        )
    )
)
_ADD_DECISIONS = Prepared(decision_table.insert())


def named_facts(connection: Connection, notes: Sequence[Note]) -> list[dict[str, object]]:
    """Return each note's facts, with the names of the items it speaks of."""
    wanted = {item for note in notes for items in unnamed_items(note.facts).values() for item in items}
    names: dict[int, str] = {}
    if wanted:
        names.update((row.id, row.name) for row in _NAMES.run(connection, {"ids": sorted(wanted)}))
    return [name_items(note.facts, lambda item: names.get(item, "?")) for note in notes]


def write_decisions(
    transaction: Transaction, notes: Sequence[Note], *, loan_number: int | None, ical_uid: str | None
) -> None:
    """Append *notes* to the history of a loan or a meeting."""
    if not notes:
        return
    facts = named_facts(transaction.connection, notes)
    _ADD_DECISIONS.run(
        transaction.connection,
        [
            {
                "at": transaction.now,
                "code": note.code,
                "facts": fact,
                "actor": note.actor,
                "loan_number": loan_number,
                "ical_uid": ical_uid,
                "room_id": note.room_id,
            }
            for note, fact in zip(notes, facts, strict=True)
        ],
    )
    for note in notes:
        transaction.changes.explain(loan_number, note.code, note.actor)
        if note.room_id is not None and note.code in ROOM_EVENTS:
            for model, event in ROOM_EVENTS[note.code]:
                transaction.changes.note(model, note.room_id, event, reason=reason_of(note.code, note.actor))


_OPEN = Prepared(
    select(case_table.c.id, case_table.c.code, case_table.c.standing, case_table.c.facts, case_table.c.state).where(
        case_table.c.subject == bindparam("subject"), case_table.c.state != "closed"
    )
)
_POLICY_OF_LOAN = Prepared(
    select(store_table.c.policy)
    .join(loan_table, loan_table.c.store_id == store_table.c.id)
    .where(loan_table.c.number == bindparam("key"))
)
_POLICY_OF_ROOM = Prepared(
    select(store_table.c.policy)
    .join(room_table, room_table.c.store_id == store_table.c.id)
    .where(room_table.c.id == bindparam("key"))
)

LOANS_NAMED = 30
"""How many loans a case names that is about several."""

LOANS_LEFT_OUT = " ..."
"""What follows them where there are more."""

PASSING = frozenset({"minutes"})
"""Facts that differ at each look: an ignored case does not open anew for them."""


def _open_case(insert: Any) -> Prepared:
    return Prepared(
        insert.on_conflict_do_update(
            index_elements=["subject", "code"],
            index_where=case_table.c.state == literal_column("'open'"),  # as a value PostgreSQL knows no index by it
            set_={"facts": insert.excluded.facts, "loan_number": insert.excluded.loan_number},
        ).returning(case_table.c.id, case_table.c.opened_at)
    )


_OPEN_CASE = {
    "sqlite": _open_case(sqlite.insert(case_table)),
    "postgresql": _open_case(postgresql.insert(case_table)),
}


def open_cases(
    transaction: Transaction,
    subject: str,
    notes: Sequence[Note],
    *,
    standing: bool,
    loan_number: int | None = None,
    ical_uid: str | None = None,
) -> bool:
    """
    Open a case per note; one of the same code that is open already gets the newest facts instead.

    Where the store settles this kind by itself, the case is marked: that happens in a pass of its own.
    Returns whether any of them is new.
    """
    if not notes:
        return False
    any_new = False
    facts = named_facts(transaction.connection, notes)
    statement = _OPEN_CASE[transaction.connection.dialect.name]
    for note, fact in zip(notes, facts, strict=True):
        row = {
            "subject": subject,
            "code": note.code,
            "facts": fact,
            "state": "open",
            "standing": standing,
            "opened_at": transaction.now,
            "loan_number": loan_number,
            "ical_uid": ical_uid,
            "room_id": note.room_id,
        }
        kept = statement.run(transaction.connection, row).one()
        case_id = int(kept.id)
        is_new = kept.opened_at == transaction.now
        any_new = any_new or is_new
        transaction.changes.note(CASE, case_id, Event.CREATED if is_new else Event.UPDATED)
        room_id = note.room_id if note.room_id is not None else fact.get("item_id")
        if note.code in _policy_of(transaction.connection, loan_number, room_id):
            transaction.mark("case", str(case_id))
    return any_new


def _policy_of(connection: Connection, loan_number: int | None, room_id: object) -> Mapping[str, str]:
    """Return what the store of a loan, or else of a room, settles by itself."""
    if loan_number is not None:
        found = _POLICY_OF_LOAN.run(connection, {"key": loan_number}).scalar()
    elif isinstance(room_id, int):
        found = _POLICY_OF_ROOM.run(connection, {"key": room_id}).scalar()
    else:
        found = None
    return found or {}


def keep_standing_cases(
    transaction: Transaction,
    subject: str,
    notes: Sequence[Note],
    *,
    loan_number: int | None = None,
    ical_uid: str | None = None,
    passing: Container[str] | None = None,
) -> frozenset[str]:
    """
    Make *notes* the standing cases of *subject*: new ones open, others close by themselves.

    One that somebody ignored stays so while it says the same, and no other of its code is open: taking back that it was
    ignored opens it again, though its cause had gone and come back.

    Args:
        passing: the codes of those that may close; None: all.

    Returns:
        The codes of those that did not stand before.
    """
    notes = _one_per_code(transaction.connection, notes)
    rows = [row for row in _OPEN.run(transaction.connection, {"subject": subject}) if row.standing]
    present = {row.code: row for row in sorted(rows, key=lambda row: row.state == "open")}
    fresh = [note for note in notes if note.code not in present or _says_more(present[note.code], note)]
    open_cases(transaction, subject, fresh, standing=True, loan_number=loan_number, ical_uid=ical_uid)
    stays = {note.code for note in notes}
    anew = {note.code for note in fresh}
    for row in rows:
        is_gone = row.code not in stays and (passing is None or row.code in passing)
        is_told_anew = row.code in anew or present[row.code].id != row.id
        if is_gone or (row.state == "ignored" and is_told_anew):
            close_case(transaction, int(row.id), by="engine", settlement="cause_gone")
    return frozenset(anew - present.keys())


def _one_per_code(connection: Connection, notes: Sequence[Note]) -> list[Note]:
    """Return one note per code; several rooms that say the same are named together."""
    by_code: dict[str, Note] = {}
    for note, facts in zip(notes, named_facts(connection, notes), strict=True):
        held = by_code.get(note.code)
        if held is not None and "item" in facts:
            ids = [*_ids(held.facts), facts.get("item_id")]
            facts = {**held.facts, "item": f"{held.facts['item']}, {facts['item']}", "item_ids": ids}
        by_code[note.code] = replace(note, facts=facts)
    return list(by_code.values())


def _ids(facts: Mapping[str, object]) -> list[object]:
    ids = facts.get("item_ids")
    return ids if isinstance(ids, list) else [facts.get("item_id")]


def _says_more(row: Any, note: Note) -> bool:
    """Tell whether *note* says something else than the case that stands."""
    apart = PASSING if row.state == "ignored" else frozenset()
    return any(row.facts.get(key) != value for key, value in note.facts.items() if key not in apart)


_CLOSE_CASE, _CLOSE_IGNORED = (
    Prepared(case_table.update().where(and_(case_table.c.id == bindparam("of_id"), case_table.c.state == state)))
    for state in ("open", "ignored")
)


def close_case(transaction: Transaction, case_id: int, *, by: str, settlement: str) -> None:
    """Close one case; of an ignored one, who ignored it is kept."""
    values = {"state": "closed", "closed_at": transaction.now, "closed_by": by, "settlement": settlement}
    if not _CLOSE_CASE.run(transaction.connection, {"of_id": case_id, **values}).rowcount:
        _CLOSE_IGNORED.run(transaction.connection, {"of_id": case_id, "state": "closed"})
    transaction.changes.note(CASE, case_id, Event.UPDATED)


def facts_of(transaction: Transaction, subject: str, code: str) -> Mapping[str, object] | None:
    """Return what the case of *subject* with *code* says; None where none stands."""
    rows = _OPEN.run(transaction.connection, {"subject": subject})
    return next((row.facts for row in rows if row.code == code), None)


def name_loans(numbers: Sequence[LoanNumber]) -> str:
    """Return the loans that a case is about as its sentence names them, thirty at most."""
    return ", ".join(map(str, numbers[:LOANS_NAMED])) + (LOANS_LEFT_OUT if numbers[LOANS_NAMED:] else "")


def close_case_of(transaction: Transaction, subject: str, code: str) -> bool:
    """Close the case of *subject* with *code*; tell whether one stood."""
    standing = [row for row in _OPEN.run(transaction.connection, {"subject": subject}) if row.code == code]
    for row in standing:
        close_case(transaction, int(row.id), by="engine", settlement="cause_gone")
    return bool(standing)
