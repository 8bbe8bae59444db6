"""Decisions and cases: what is remembered about why (D2), and what a person may look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, and_, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from engine.database.connection import Transaction
from engine.database.prepared import Prepared
from engine.database.tables import metadata
from engine.reconcile.actions import Note

decision_table = metadata.tables["decision"]
case_table = metadata.tables["case"]
room_table = metadata.tables["room"]
asset_table = metadata.tables["asset"]

_NAMES = tuple(
    Prepared(select(table.c.id, table.c.name).where(table.c.id.in_(bindparam("ids", expanding=True))))
    for table in (room_table, asset_table)
)
_ADD_DECISIONS = Prepared(decision_table.insert())


def name_items(connection: Connection, notes: Sequence[Note]) -> list[dict[str, Any]]:
    """Return each note's facts, with the name of the item it speaks of."""
    wanted = {int(str(note.facts["item_id"])) for note in notes if "item_id" in note.facts and "item" not in note.facts}
    names: dict[Any, str] = {}
    if wanted:
        for statement in _NAMES:
            names.update((row.id, row.name) for row in statement.run(connection, {"ids": sorted(wanted)}))
    return [
        {**note.facts, "item": names.get(note.facts["item_id"], "?")}
        if "item_id" in note.facts and "item" not in note.facts
        else dict(note.facts)
        for note in notes
    ]


def write_decisions(
    transaction: Transaction, notes: Sequence[Note], *, loan_number: int | None, ical_uid: str | None
) -> None:
    """Append *notes* to the history of a loan or a meeting."""
    if not notes:
        return
    facts = name_items(transaction.connection, notes)
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


_OPEN = Prepared(
    select(case_table.c.id, case_table.c.code, case_table.c.standing, case_table.c.facts).where(
        case_table.c.subject == bindparam("subject"), case_table.c.state == "open"
    )
)


def _open_case(insert: Any) -> Prepared:
    return Prepared(
        insert.on_conflict_do_update(
            index_elements=["subject", "code"],
            index_where=case_table.c.state == "open",
            set_={"facts": insert.excluded.facts, "loan_number": insert.excluded.loan_number},
        )
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
) -> None:
    """Open a case per note; one of the same code that is open already gets the newest facts instead."""
    if not notes:
        return
    facts = name_items(transaction.connection, notes)
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
        statement.run(transaction.connection, row)


def keep_standing_cases(
    transaction: Transaction,
    subject: str,
    notes: Sequence[Note],
    *,
    loan_number: int | None = None,
    ical_uid: str | None = None,
) -> None:
    """Make *notes* the standing cases of *subject*: new ones open, others close by themselves."""
    notes = _one_per_code(transaction.connection, notes)
    present = {row.code: row for row in _OPEN.run(transaction.connection, {"subject": subject}) if row.standing}
    wanted = {note.code for note in notes}
    fresh = [note for note in notes if note.code not in present or _differs(present[note.code].facts, note.facts)]
    open_cases(transaction, subject, fresh, standing=True, loan_number=loan_number, ical_uid=ical_uid)
    for code, row in present.items():
        if code not in wanted:
            close_case(transaction, int(row.id), by="engine", settlement="cause_gone")


def _one_per_code(connection: Connection, notes: Sequence[Note]) -> list[Note]:
    """Return one note per code; several rooms that say the same are named together."""
    by_code: dict[str, Note] = {}
    for note, facts in zip(notes, name_items(connection, notes), strict=True):
        held = by_code.get(note.code)
        if held is not None and "item" in facts:
            facts = {**held.facts, "item": f"{held.facts['item']}, {facts['item']}"}
        by_code[note.code] = replace(note, facts=facts)
    return list(by_code.values())


def _differs(stored: Mapping[str, object], wanted: Mapping[str, object]) -> bool:
    return any(stored.get(key) != value for key, value in wanted.items())


_CLOSE_CASE = Prepared(
    case_table.update().where(and_(case_table.c.id == bindparam("of_id"), case_table.c.state == "open"))
)


def close_case(transaction: Transaction, case_id: int, *, by: str, settlement: str) -> None:
    """Close one case."""
    values = {"state": "closed", "closed_at": transaction.now, "closed_by": by, "settlement": settlement}
    _CLOSE_CASE.run(transaction.connection, {"of_id": case_id, **values})


def close_case_of(transaction: Transaction, subject: str, code: str) -> None:
    """Close the open case of *subject* with *code*, if there is one."""
    for row in _OPEN.run(transaction.connection, {"subject": subject}):
        if row.code == code:
            close_case(transaction, int(row.id), by="engine", settlement="cause_gone")
