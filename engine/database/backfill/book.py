"""Backfills: ordering, showing, and carrying on with them. Implements `reconcile.backfill.book.BackfillBook`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update

from engine.database.backfill.apply import BackfillDoer
from engine.database.backfill.plan import BackfillPlanner
from engine.database.backfill.rows import backfill_table, load_backfills, meeting_table, read_meeting
from engine.database.backfill.scene import SceneLoader
from engine.database.backfill.undo import BackfillUndoer
from engine.database.mirror.mirror import Mirror
from engine.database.rooms.book import RoomCache
from engine.database.sql.connection import Database
from engine.database.sql.limits import LIMIT_MAX
from engine.database.sql.marks import Priority
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.sync.settle import Settler
from engine.database.tables import metadata
from engine.errors import Fault, Invalid, NotAllowed, NotFound
from engine.ids import ID_MAX, BookableId
from engine.interval import Interval
from engine.loans.wishes import find_year_faults
from engine.reconcile.backfill.book import Backfill, BackfillMeeting, BackfillState, MeetingState, Selection
from engine.reconcile.backfill.proposal import Step
from engine.reconcile.ledger import SyncRules
from engine.rooms.calendar import ChangesPage
from engine.rooms.room import Room

room_table = metadata.tables["room"]

PLAN_AT_ONCE = 100
"""Meetings planned in one transaction: some 50 milliseconds during which nobody else writes."""

AHEAD_SECONDS = 300.0
"""How far a backfill goes before the reading of titles of what it made: first the loans, then what each is called."""

SHADOW_SECONDS = 300.0
"""When to look again at what was ordered before the mode became `shadow`."""

_m = meeting_table.c
_WINDOWS = Prepared(
    select(room_table.c.id, room_table.c.window_start, room_table.c.window_end).where(
        room_table.c.id.in_(bindparam("ids", expanding=True))
    )
)
_CHOOSABLE = (MeetingState.PLANNED.value, MeetingState.FAILED.value, MeetingState.UNDONE.value)
_ONE = select(backfill_table).where(backfill_table.c.number == bindparam("number"))
_ROW = Prepared(_ONE)
_LOCKED_ROW = Prepared(_ONE.with_for_update())
_ADD = Prepared(backfill_table.insert().returning(backfill_table.c.number))
_CHANGE = Prepared(update(backfill_table).where(backfill_table.c.number == bindparam("of_number")))
_CHOOSE = Prepared(
    update(meeting_table)
    .where(_m.backfill_number == bindparam("of_number"), _m.position == bindparam("of_position"))
    .values(state=MeetingState.CHOSEN.value, outcome=None)
)
_CHOICES = Prepared(
    select(_m.position, _m.key, _m.rooms, _m.step, _m.state).where(_m.backfill_number == bindparam("number"))
)
_MOVE = Prepared(
    update(meeting_table)
    .where(_m.backfill_number == bindparam("of_number"), _m.state == bindparam("of_state"))
    .values(state=bindparam("new_state"))
)


class BackfillDesk:
    """
    Where backfills are ordered and carried on. All methods are one short transaction each.

    Args:
        database, rooms, rules, instance: as the ledger has them.
    """

    def __init__(
        self,
        database: Database,
        rooms: RoomCache,
        rules: Callable[[], SyncRules],
        *,
        instance: str,
    ) -> None:
        self._database = database
        self._rooms = rooms
        self._rules = rules
        self._mirror = Mirror(rooms)
        settler = Settler(rooms, rules, self._mirror, instance=instance)
        loader = SceneLoader(rooms, rules, self._mirror)
        self._planner = BackfillPlanner(loader)
        self._doer = BackfillDoer(rooms, rules, loader, settler)
        self._undoer = BackfillUndoer(rooms, self._mirror)

    # --- ordering

    def create(self, window: Interval, rooms: Sequence[BookableId], *, actor: str) -> Backfill:
        if faults := find_year_faults({"from": window.start, "to": window.end}):
            raise Invalid(*faults)
        followed = [room for room in self._rooms.current_book().rooms if room.is_synced]
        chosen = sorted(rooms) or sorted(room.id for room in followed)
        with self._write() as transaction:
            held = {row.id: row for row in _WINDOWS.run(transaction.connection, {"ids": chosen})}
            unread = [stretch for room in chosen for stretch in _stretches(held[room], window)]
            values = {
                "from_at": window.start, "to_at": window.end, "rooms": chosen, "unread": unread, "cursor_key": "",
                "size": 0, "created_at": transaction.now, "created_by": actor,
            }  # fmt: skip
            made = _ADD.run(transaction.connection, values).scalar_one()
            self._mark(transaction, made)
            return load_backfills(transaction.connection, [made])[0]

    def order_apply(self, number: int, selection: Selection, *, actor: str) -> Backfill:
        with self._write() as transaction:
            found = self._orderable(transaction, number)
            if found.state is BackfillState.UNDOING:
                raise NotAllowed(f"backfill {number} is being undone: wait until that is over")
            chosen = self._choose(transaction, number, selection)
            _CHOOSE.run(transaction.connection, [{"of_number": number, "of_position": each} for each in chosen])
            return self._ordered(transaction, number, actor)

    def _choose(self, transaction: Transaction, number: int, selection: Selection) -> list[int]:
        """Return the positions a selection means."""
        steps = [selection.only.value] if selection.only else [Step.CREATE.value, Step.LINK.value]
        rows = _CHOICES.run(transaction.connection, {"number": number}).all()
        unknown = sorted(set(selection.without) - {row.key for row in rows})
        if unknown:
            message = f"backfill {number} has no meeting {unknown[0]!r}"
            raise Invalid(Fault("except", "unknown_meeting", message))
        rooms, without = set(selection.rooms), set(selection.without)
        return [
            row.position
            for row in rows
            if row.step in steps
            and row.state in _CHOOSABLE
            and row.key not in without
            and (not rooms or rooms & set(row.rooms))
        ]

    def order_undo(self, number: int, *, actor: str) -> Backfill:
        with self._write() as transaction:
            self._orderable(transaction, number)
            moves = {MeetingState.CHOSEN: MeetingState.PLANNED, MeetingState.DONE: MeetingState.UNDOING}
            for before, after in moves.items():
                values = {"of_number": number, "of_state": before.value, "new_state": after.value}
                _MOVE.run(transaction.connection, values)
            return self._ordered(transaction, number, actor)

    def _orderable(self, transaction: Transaction, number: int) -> Backfill:
        if self._is_in_shadow:
            raise NotAllowed("the mode is shadow, in which nothing is changed; set sync.mode to read_only or two_way")
        found = self._find(transaction, number)
        if not found.is_planned:
            raise NotAllowed(f"backfill {number} is still being planned: wait until its preview is there")
        return found

    def _ordered(self, transaction: Transaction, number: int, actor: str) -> Backfill:
        _CHANGE.run(transaction.connection, {"of_number": number, "ordered_by": actor})
        self._mark(transaction, number)
        return self._find(transaction, number)

    # --- showing

    def find(self, number: int) -> Backfill:
        with self._database.read() as transaction:
            return self._find(transaction, number)

    def _find(self, transaction: Transaction, number: int) -> Backfill:
        found = load_backfills(transaction.connection, [number]) if 0 < number <= ID_MAX else []
        if not found:
            raise NotFound(f"there is no backfill {number}")
        return found[0]

    def list_backfills(self) -> Sequence[Backfill]:
        with self._database.read() as transaction:
            return load_backfills(transaction.connection)

    def list_meetings(
        self, number: int, *, step: Step | None, state: MeetingState | None, after: int, limit: int
    ) -> Sequence[BackfillMeeting]:
        wanted = select(meeting_table).where(_m.backfill_number == number, _m.position > max(0, min(after, ID_MAX)))
        if step is not None:
            wanted = wanted.where(_m.step == step.value)
        if state is not None:
            wanted = wanted.where(_m.state == state.value)
        with self._database.read() as transaction:
            self._find(transaction, number)
            most = max(0, min(limit, LIMIT_MAX))
            rows = transaction.connection.execute(wanted.order_by(_m.position).limit(most))
            return [read_meeting(row) for row in rows]

    # --- carrying on

    def carry_on(self, number: int, *, at_once: int) -> Backfill:
        """
        Take the next step of whatever was ordered; marks the backfill again while something remains.

        Args:
            at_once: meetings carried out, or taken back, in this transaction.
        """
        with self._write() as transaction:
            row = _LOCKED_ROW.run(transaction.connection, {"number": number}).one_or_none()
            if row is None:
                raise NotFound(f"there is no backfill {number}")
            if row.planned_at is None:
                if not row.unread:
                    self._planner.plan_some(transaction, row, PLAN_AT_ONCE)
            elif self._is_in_shadow:
                self._mark(transaction, number, delay=SHADOW_SECONDS)
                return self._find(transaction, number)
            else:
                self._carry_out(transaction, row, at_once)
            found = self._find(transaction, number)
            if found.is_at_work:
                self._mark(transaction, number, delay=-AHEAD_SECONDS)
            return found

    def _carry_out(self, transaction: Transaction, row: Any, at_once: int) -> None:
        if not self._undoer.undo_some(transaction, row, at_once):
            self._doer.apply_some(transaction, row, at_once)

    @property
    def _is_in_shadow(self) -> bool:
        return self._rules().mode == "shadow"

    def next_stretch(self, number: int) -> tuple[Room, Interval, str | None] | None:
        """Return a stretch of a room's calendar to be read before planning, and where its next page is."""
        with self._database.read() as transaction:
            row = _ROW.run(transaction.connection, {"number": number}).one_or_none()
        for room_id, start, end, link in row.unread if row is not None else ():
            room = self._rooms.book().by_id(BookableId(room_id))
            if room is not None:
                return room, _parse_stretch(start, end), link
        return None

    def save_stretch(self, number: int, room: Room, stretch: Interval, page: ChangesPage) -> None:
        """Keep a page of a stretch that nobody follows, as meetings that were there before us."""
        with self._write() as transaction:
            row = _LOCKED_ROW.run(transaction.connection, {"number": number}).one()
            held = _WINDOWS.run(transaction.connection, {"ids": [room.id]}).one()
            window = Interval(held.window_start, held.window_end) if held.window_start else None
            self._mirror.save_existing(transaction, room.id, page, apart=window, book=self._rooms.book())
            this = [room.id, stretch.start.isoformat(), stretch.end.isoformat()]
            others = [each for each in row.unread if each[:3] != this]
            unread = [[*this, page.next_link], *others] if page.next_link else others
            self._save_unread(transaction, number, unread)

    def pass_over(self, number: int, room: Room) -> None:
        """Plan without the rest of a room that cannot be read."""
        with self._write() as transaction:
            row = _LOCKED_ROW.run(transaction.connection, {"number": number}).one()
            self._save_unread(transaction, number, [each for each in row.unread if each[0] != room.id])

    def _save_unread(self, transaction: Transaction, number: int, unread: Sequence[Any]) -> None:
        _CHANGE.run(transaction.connection, {"of_number": number, "unread": list(unread)})
        self._mark(transaction, number)

    def _write(self) -> Any:
        """Open a writing transaction, rooms and rules being up to date before it begins."""
        self._rules()
        return self._database.write()

    def _mark(self, transaction: Transaction, number: int, *, delay: float = 0.0) -> None:
        transaction.mark("backfill", str(number), priority=Priority.BACKFILL, delay=delay)


def _stretches(room: Any, window: Interval) -> list[list[Any]]:
    """Return what of *window* the mirror does not hold of a room: before and after the stretch that is followed."""
    if room.window_start is None:
        return [[room.id, window.start.isoformat(), window.end.isoformat(), None]]
    found = []
    if window.start < room.window_start:
        found.append((window.start, min(window.end, room.window_start)))
    if window.end > room.window_end:
        found.append((max(window.start, room.window_end), window.end))
    return [[room.id, start.isoformat(), end.isoformat(), None] for start, end in found]


def _parse_stretch(start: str, end: str) -> Interval:
    return Interval(datetime.fromisoformat(start), datetime.fromisoformat(end))
