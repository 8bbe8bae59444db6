"""The states of rooms: giving one another, suspending a room, and taking it up again."""

from __future__ import annotations

from sqlalchemy import update

from engine.database.cases.records import close_case_of, open_cases, write_decisions
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.ids import BookableId
from engine.reconcile.actions import Note
from engine.rooms.room import RoomState

room_table = metadata.tables["room"]


def turn(
    transaction: Transaction, room_id: BookableId, after: RoomState, *before: RoomState, detail: str | None = None
) -> bool:
    """Give a room another state, for a reason in *detail*, if it is in one of those *before*; tell whether it was."""
    changed = transaction.connection.execute(
        update(room_table)
        .where(room_table.c.id == room_id, room_table.c.state.in_(sorted(before)))
        .values(state=after.value, state_since=transaction.now, state_detail=detail)
    )
    return changed.rowcount > 0


def suspend(transaction: Transaction, room_id: BookableId, reason: str) -> bool:
    """Stop asking a room whose mailbox refuses us; cancels nothing. False when it was not active or missing."""
    if not turn(transaction, room_id, RoomState.SUSPENDED, RoomState.ACTIVE, RoomState.MISSING, detail=reason):
        return False
    note = Note("room_suspended", {"reason": reason}, actor="engine", room_id=room_id)
    write_decisions(transaction, [note], loan_number=None, ical_uid=None)
    open_cases(transaction, f"room:{room_id}", [note], standing=True)
    return True


def resume(transaction: Transaction, room_id: BookableId) -> bool:
    """
    Take up a room again that could be read, and have it subscribed to. False when it was not suspended.

    Whether it is listed still, nobody has noted meanwhile: the list is read again.
    """
    if not turn(transaction, room_id, RoomState.ACTIVE, RoomState.SUSPENDED):
        return False
    note = Note("room_resumed", actor="engine", room_id=room_id)
    write_decisions(transaction, [note], loan_number=None, ical_uid=None)
    close_case_of(transaction, f"room:{room_id}", "room_suspended")
    transaction.mark("subscription", str(room_id))
    transaction.mark("places", "all")
    return True
