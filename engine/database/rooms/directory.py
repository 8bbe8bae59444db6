"""The rooms: loading them, applying a room import, suspending one. Each method is one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any, assert_never
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, func, or_, select, update

from engine.database.cases.records import close_case_of, keep_standing_cases, write_decisions
from engine.database.rooms.book import ALL_ROOMS, IMPORT_JOB, RoomCache, read_room
from engine.database.rooms.states import suspend, turn
from engine.database.rooms.whole_days import shift_whole_days
from engine.database.sql.connection import Database
from engine.database.sql.marks import Priority
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.sql.upserts import upsert
from engine.database.stores.names import ensure_store
from engine.database.tables import metadata
from engine.database.tables.types import Instant
from engine.database.work.jobs import save_job
from engine.database.work.meeting_marks import MeetingMarks
from engine.database.work.wakes import ask_about_dropped, ask_about_unshown, retell
from engine.ids import BookableId, StoreId, fold_address
from engine.outbox.changes import ROOM, USER, Event
from engine.reconcile.actions import Note
from engine.rooms.listing import (
    Action,
    AddRoom,
    ChangeRoom,
    ExcludeRoom,
    FieldChange,
    ImportPlan,
    IncludeRoom,
    ListingWarning,
    MarkFound,
    MarkMissing,
    Skip,
    WarningCode,
)
from engine.rooms.room import Place, Room, RoomBook, RoomState

room_table = metadata.tables["room"]
store_table = metadata.tables["store"]
bookable_table = metadata.tables["bookable"]

setting_table = metadata.tables["setting"]
copy_table = metadata.tables["room_copy"]

FOLLOWED_ZONE = "rooms.time_zone_followed"
"""The row of the table `setting` that keeps in which default zone whole days were last taken."""

PLACES_KEY = ("places", "all")

_LISTS = ("aliases", "tags", "features")
_CASES = (WarningCode.LISTING_EMPTY, WarningCode.PLACE_TWICE)
"""Warnings that stand as cases until an import no longer gives them; the others are only reported."""

_RESULT_MAX = 500
"""Characters of a job's result: it is read in a table."""

_followed = (
    select(room_table.c.id)
    .where(room_table.c.state != RoomState.EXCLUDED.value)
    .order_by(room_table.c.read_at.asc().nulls_first(), room_table.c.id)
)
_FOLLOWED = Prepared(_followed)
_SUSPENDED = Prepared(_followed.where(room_table.c.state == RoomState.SUSPENDED.value))
_UNREAD = Prepared(
    _followed.where(
        or_(
            room_table.c.read_at.is_(None),
            room_table.c.read_at <= bindparam("unread_since", type_=Instant()),
            room_table.c.read_at > bindparam("now", type_=Instant()),
        )
    )
)
_ADD_BOOKABLE = Prepared(bookable_table.insert().returning(bookable_table.c.id))
_ADD_ROOM = Prepared(room_table.insert())


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did: counts of rooms, what it left out for a tag, and what a person should look at."""

    added: int = 0
    changed: int = 0
    excluded: int = 0
    included: int = 0
    missing: int = 0
    found: int = 0
    skipped: tuple[Skip, ...] = ()
    warnings: tuple[ListingWarning, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """What was done to how many rooms; nothing that was done to none."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: value for name, value in values if isinstance(value, int) and value > 0}

    @property
    def document(self) -> dict[str, Any]:
        """The report as the table `job` keeps it, for pages that say it in words of their own."""
        return {
            "counts": self.counts,
            "left_out": [
                {"name": skip.place.name, "address": skip.place.address, "tag": skip.tag.strip()}
                for skip in self.skipped
            ],
            "warnings": [
                {"code": warning.code.value, "name": warning.name, "address": warning.address}
                for warning in self.warnings
            ],
        }

    @property
    def text(self) -> str:
        """The report on one line, for status pages."""
        parts = [", ".join(f"{value} {name}" for name, value in self.counts.items()) or "nothing changed"]
        if self.skipped:
            parts.append("left out: " + ", ".join(f"{skip.place.name} ({skip.tag.strip()})" for skip in self.skipped))
        parts += [f"{warning.code.value} {warning.name}".strip() for warning in self.warnings]
        text = "; ".join(parts)
        return text if len(text) <= _RESULT_MAX else text[: _RESULT_MAX - 1] + "…"


class RoomDirectory:
    """
    The rooms as the database holds them.

    Args:
        database: where they are.
        cache: told to forget after each change made here; it also notices changes by other processes, see `room_book`.
    """

    def __init__(self, database: Database, cache: RoomCache) -> None:
        self._database = database
        self._cache = cache

    def load_rooms(self) -> tuple[Room, ...]:
        """Return every room, whatever its state, by id."""
        with self._database.read() as transaction:
            rows = ALL_ROOMS.run(transaction.connection).all()
        return tuple(read_room(row) for row in rows)

    def room_book(self) -> RoomBook:
        """Return all rooms, from memory unless an import or a change of state has happened since, in any process.

        Opens a transaction of its own: not to be called inside another.
        """
        return self._cache.current_book()

    def find(self, room_id: BookableId) -> Room | None:
        """Return one room, None when there is none of that number."""
        with self._database.read() as transaction:
            row = transaction.connection.execute(select(room_table).where(room_table.c.id == room_id)).one_or_none()
        return None if row is None else read_room(row)

    def apply_import(self, plan: ImportPlan, *, default_store: str) -> ImportReport:
        """
        Carry out *plan* in one transaction, with its decisions, its marks and the last import's time and result.

        New rooms belong to the store named *default_store*, made when it is missing. Each step changes a room only
        if it still is in the state the plan was made for, so a plan may be applied twice.
        """
        with self._database.write() as transaction:
            steps = _Steps(transaction, default_store)
            for action in plan.actions:
                steps.take(action)
            report = replace(steps.report, skipped=plan.skipped, warnings=plan.warnings)
            write_decisions(transaction, steps.notes, loan_number=None, ical_uid=None)
            keep_standing_cases(transaction, ":".join(PLACES_KEY), _case_notes(plan.warnings))
            told = {"last_at": transaction.now, "last_result": report.text, "report": report.document}
            save_job(transaction, IMPORT_JOB, told)
            self._cache.change(transaction)
        return report

    def suspend(self, room_id: BookableId, reason: str) -> bool:
        """Stop asking a room whose mailbox refuses us; cancels nothing. False when it was not active or missing."""
        with self._database.write() as transaction:
            changed = suspend(transaction, room_id, reason)
            if changed:
                self._cache.change(transaction)
        return changed

    def set_time_zone(self, room_id: BookableId, time_zone: str | None) -> None:
        """Set a room's IANA zone; None: the default one. Its whole days move, and their loans with them."""
        with self._database.write() as transaction:
            where = room_table.c.time_zone.is_distinct_from(time_zone)
            statement = update(room_table).where(room_table.c.id == room_id, where).values(time_zone=time_zone)
            if transaction.connection.execute(statement).rowcount > 0:
                zone = ZoneInfo(time_zone) if time_zone is not None else self._cache.default_zone
                shift_whole_days(transaction, room_id, zone)
                transaction.changes.note(ROOM, room_id, Event.UPDATED, reason=USER)
                self._cache.change(transaction)

    def follow_default_zone(self) -> None:
        """
        Move the whole days of every room without a zone of its own when the default one is another than before.

        To be called once at the start of a service: the default zone is a setting of the file, and changes only there.
        """
        zone = str(self._cache.default_zone)
        with self._database.write() as transaction:
            connection = transaction.connection
            known = select(setting_table.c.value).where(setting_table.c.key == FOLLOWED_ZONE)
            if connection.execute(known).scalar() == {"value": zone}:
                return
            row = {"value": {"value": zone}, "changed_at": transaction.now, "changed_by": "engine"}
            upsert(transaction, setting_table, {"key": FOLLOWED_ZONE}, row)
            without = select(room_table.c.id).where(room_table.c.time_zone.is_(None)).order_by(room_table.c.id)
            for room_id in connection.execute(without).scalars().all():
                shift_whole_days(transaction, room_id, self._cache.default_zone)

    def mark_rooms(
        self,
        *,
        priority: int,
        spread_seconds: float = 0.0,
        unread_for: timedelta | None = None,
        at_most: int | None = None,
    ) -> int:
        """
        Mark every room that is followed, longest unread first; returns how many.

        Args:
            spread_seconds: over how long their readings are spread.
            unread_for: only those that were not read to the end for so long. One that was read in the future, by a
                clock that has been put right since, counts as unread.
            at_most: how many; None: all of them.
        """
        with self._database.write() as transaction:
            now = transaction.now
            if unread_for is None:
                rows = _FOLLOWED.run(transaction.connection).all()
            else:
                rows = _UNREAD.run(transaction.connection, {"now": now, "unread_since": now - unread_for}).all()
            for position, row in enumerate(rows[:at_most]):
                delay = spread_seconds * position / len(rows)
                transaction.mark("room", str(row.id), priority=priority, delay=delay)
        return len(rows[:at_most])

    def mark_suspended(self) -> int:
        """Mark every room that is suspended: its mailbox may be open to us again. Returns how many."""
        with self._database.write() as transaction:
            rows = _SUSPENDED.run(transaction.connection).all()
            transaction.mark_all("room", [str(row.id) for row in rows], priority=Priority.SWEEP)
        return len(rows)


class _Steps:
    """The steps of one plan, within one transaction."""

    def __init__(self, transaction: Transaction, default_store: str) -> None:
        self.transaction = transaction
        self.report = ImportReport()
        self.notes: list[Note] = []
        self._default_store = default_store
        self._store: StoreId | None = None

    def take(self, action: Action) -> None:
        match action:
            case AddRoom(place):
                self._count("added", self._add(place), "room_added", {"name": place.name, "address": place.address})
            case Skip():
                pass  # nothing remembers a place that never became a room
            case ChangeRoom(room_id, changes):
                self._change(room_id, changes)
            case ExcludeRoom(room_id, tag):
                self._exclude(room_id, tag.strip())
            case IncludeRoom(room_id):
                self._turn(room_id, "included", RoomState.ACTIVE, RoomState.EXCLUDED)
                _mark_meetings(self.transaction, room_id)
                ask_about_unshown(self.transaction, room_id)
            case MarkMissing(room_id):
                self._turn(room_id, "missing", RoomState.MISSING, RoomState.ACTIVE, RoomState.EXCLUDED)
            case MarkFound(room_id):
                self._turn(room_id, "found", RoomState.ACTIVE, RoomState.MISSING)
            case _:
                assert_never(action)

    def _count(self, name: str, room_id: BookableId, code: str, facts: dict[str, object]) -> None:
        self.report = replace(self.report, **{name: getattr(self.report, name) + 1})
        self.notes.append(Note(code, facts, actor="outlook", room_id=room_id))

    def _add(self, place: Place) -> BookableId:
        connection = self.transaction.connection
        room_id = BookableId(_ADD_BOOKABLE.run(connection, {"kind": "room"}).scalar_one())
        row = {
            "id": room_id,
            "address": place.address,
            "address_folded": fold_address(place.address),
            "directory_id": place.directory_id,
            "place_id": place.place_id,
            "aliases": [],
            "name": place.name,
            "state": RoomState.ACTIVE.value,
            "state_since": self.transaction.now,
            "capacity": place.capacity,
            "building": place.building,
            "floor": place.floor,
            "tags": list(place.tags),
            "features": list(place.features),
            "postal_address": place.postal_address,
            "store_id": self._store_id(),
            "rules": {},
            "reading": 0,
            "changed_unsignalled": 0,
        }
        _ADD_ROOM.run(connection, row)
        _mark_room(self.transaction, room_id)
        return room_id

    def _store_id(self) -> StoreId:
        if self._store is None:
            self._store = ensure_store(self.transaction, self._default_store)
        return self._store

    def _change(self, room_id: BookableId, changes: Sequence[FieldChange]) -> None:
        values: dict[str, Any] = {change.field: _stored(change.field, change.new) for change in changes}
        if "address" in values:
            values["address_folded"] = fold_address(values["address"])
            # What a reading goes on from names the former address, which may reach nobody one day: it begins anew.
            values |= {"window_start": None, "window_end": None}
        statement = update(room_table).where(room_table.c.id == room_id).values(**values)
        if self.transaction.connection.execute(statement).rowcount == 0:
            return
        if values.keys() & {"address", "aliases", "directory_id"}:
            self.transaction.mark("room", str(room_id))
        if values.keys() & {"address", "aliases"}:
            _mark_meetings(self.transaction, room_id)
            ask_about_dropped(self.transaction, room_id)
        if "name" in values:
            retell(self.transaction, room_id)
        if "directory_id" in values:
            # What is subscribed to is the old id: only a comparison with the service's list finds that out.
            self.transaction.mark("subscription", "all")
        shown = ", ".join(f"{change.field}: {_shown(change.old)} -> {_shown(change.new)}" for change in changes)
        facts = {change.field: [_stored(change.field, change.old), values[change.field]] for change in changes}
        self._count("changed", room_id, "room_changed", {"changes": shown, **facts})

    def _exclude(self, room_id: BookableId, tag: str) -> None:
        others = set(RoomState) - {RoomState.EXCLUDED}
        if turn(self.transaction, room_id, RoomState.EXCLUDED, *others, detail=tag):
            self.transaction.mark("subscription", str(room_id))
            close_case_of(self.transaction, f"room:{room_id}", "room_suspended")
            self._count("excluded", room_id, "room_excluded", {"tag": tag})

    def _turn(self, room_id: BookableId, name: str, after: RoomState, *before: RoomState) -> None:
        if turn(self.transaction, room_id, after, *before):
            _mark_room(self.transaction, room_id)
            self._count(name, room_id, f"room_{name}", {})


def _mark_meetings(transaction: Transaction, room_id: BookableId) -> None:
    """Have every meeting looked at again that a room shows, or that other rooms say it is invited to: some may invite
    it by an address that nobody knew, or may have been looked at while it was left alone; it may have dropped others
    since, of which it says nothing."""
    names = transaction.connection.execute(
        select(room_table.c.address_folded, room_table.c.aliases).where(room_table.c.id == room_id)
    ).one()
    said = func.lower(copy_table.c.payload)
    addresses = {names.address_folded, *(fold_address(alias) for alias in names.aliases)}
    shown = select(copy_table.c.ical_uid).where(
        or_(
            copy_table.c.room_id == room_id,
            *(said.contains(f'"{address}"', autoescape=True) for address in sorted(addresses)),
        ),
        copy_table.c.live,
        ~copy_table.c.listed,
        copy_table.c.ical_uid.is_not(None),
        or_(copy_table.c.end_at.is_(None), copy_table.c.end_at > transaction.now),
    )
    uids = transaction.connection.execute(shown.distinct()).scalars()
    MeetingMarks(transaction, priority=Priority.LIVE).mark(uids)


def _mark_room(transaction: Transaction, room_id: BookableId) -> None:
    transaction.mark("room", str(room_id))
    transaction.mark("subscription", str(room_id))


def _stored(field: str, value: Any) -> Any:
    return list(value) if field in _LISTS else value


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "-"
    return "-" if value in (None, "") else str(value)


def _case_notes(warnings: Sequence[ListingWarning]) -> list[Note]:
    """One note per kind of warning that stands as a case, naming every place it is about."""
    notes = []
    for code in _CASES:
        about = [warning for warning in warnings if warning.code is code]
        if about:
            places = ", ".join(f"{warning.name} <{warning.address}>" for warning in about if warning.address)
            notes.append(Note(code.value, {"places": places} if places else {}, actor="outlook"))
    return notes
