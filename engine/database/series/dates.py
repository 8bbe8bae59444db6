"""The dates of series in the mirror: named and filled in from their masters, and settled together.

Delta tells little of a date: an untouched one comes as a stub, one that was cancelled is only missing when its series
is sent again (observed by developers: microsoft-graph-docs issue 7632, pull request 4501). So a page fills stubs in
from their master, and puts those in doubt that a changed series did not bring again. What is in doubt is settled once
per series, by the list of its dates, when the reading is done: never date by date.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from engine.database.rooms.copies import decode_copy, make_date_row, make_row, make_stub_row
from engine.database.sql.lists import is_any_of
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.database.tables.types import Instant
from engine.ids import BookableId, EventId, ICalUid
from engine.interval import Interval
from engine.reconcile.ledger import Booking, Series
from engine.reconcile.views import RoomCopy
from engine.rooms.event import Change, EventCopy, EventRemoved, EventStub, EventType, Privacy
from engine.rooms.room import RoomBook
from engine.rooms.series import hydrate, key_within, lone_key, name_date, series_uid, split_key

copy_table = metadata.tables["room_copy"]
series_table = metadata.tables["series"]

PAST_IS_LEFT = timedelta(days=1)
"""Dates that ended longer ago are not asked for any more: what is over stays as it was."""

_MASTERS = Prepared(
    select(copy_table.c.event_id, copy_table.c.payload, copy_table.c.listed).where(
        copy_table.c.room_id == bindparam("room"), is_any_of(copy_table.c.event_id, "ids"), copy_table.c.payload != ""
    )
)
_DATES = Prepared(
    select(copy_table).where(
        copy_table.c.room_id == bindparam("room"),
        is_any_of(copy_table.c.series_master, "ids"),
        copy_table.c.series_master != copy_table.c.event_id,
    )
)
_SERIES_OF = Prepared(
    select(series_table.c.uid, series_table.c.id, series_table.c.zone).where(is_any_of(series_table.c.uid, "ids"))
)
_ONE_SERIES = Prepared(select(series_table).where(series_table.c.uid == bindparam("of_uid")))
_TOUCH = Prepared(
    update(series_table).where(series_table.c.uid == bindparam("of_uid")).values(version=series_table.c.version + 1)
)
_KEEP_MASTER = Prepared(update(series_table).where(series_table.c.uid == bindparam("of_uid")))
_LEARN_ZONE = Prepared(
    update(series_table)
    .where(series_table.c.uid == bindparam("of_uid"), series_table.c.zone == "")
    .values(zone=bindparam("new_zone"))
)
_DOUBT_SERIES = Prepared(
    update(copy_table)
    .where(copy_table.c.room_id == bindparam("room"), copy_table.c.series_master == bindparam("master"))
    .where(~copy_table.c.gone)
    .values(doubt=True)
)
_ADD_UNSEEN = {
    module.dialect.name: Prepared(module.insert(series_table).on_conflict_do_nothing(index_elements=["uid"]))
    for module in (postgresql, sqlite)
}
_DATES_BEFORE = Prepared(
    select(func.count())
    .select_from(copy_table)
    .where(
        copy_table.c.room_id == bindparam("room"),
        copy_table.c.series_master == bindparam("master"),
        copy_table.c.live,
        copy_table.c.end_at > bindparam("now", type_=Instant()),
        copy_table.c.start_at < bindparam("start", type_=Instant()),
    )
)
_UNSETTLED = Prepared(
    select(copy_table.c.series_master, copy_table.c.event_id, copy_table.c.hydrated)
    .where(copy_table.c.room_id == bindparam("room"), copy_table.c.doubt, copy_table.c.series_master.is_not(None))
    .order_by(copy_table.c.series_master)
)
_HAS_MASTER = Prepared(
    select(copy_table.c.event_id).where(
        copy_table.c.room_id == bindparam("room"),
        is_any_of(copy_table.c.event_id, "ids"),
        copy_table.c.payload != "",
        ~copy_table.c.doubt,
        ~copy_table.c.gone,
    )
)


@dataclass(frozen=True, slots=True)
class Master:
    """A master in one room's calendar. `is_new`: this very page brought it, or brought it changed."""

    copy: EventCopy
    zone: str
    listed: bool
    is_new: bool
    was_there: bool = False
    """It is new to us, and was there before first contact: it begins beyond the window that was read then."""


def keep_series(transaction: Transaction, uids: Mapping[str, str]) -> dict[str, Any]:
    """Return the series of *uids* (each with the zone its dates are laid out in), those seen first being added."""
    connection = transaction.connection
    if not uids:
        return {}
    rows = [{"uid": uid, "zone": zone, "version": 1, "title": "", "private": False} for uid, zone in uids.items()]
    _ADD_UNSEEN[connection.dialect.name].run(connection, rows)
    found = {row.uid: row for row in _SERIES_OF.run(connection, {"ids": list(uids)})}
    learnt = [{"of_uid": uid, "new_zone": zone} for uid, zone in uids.items() if zone and not found[uid].zone]
    if learnt:
        _LEARN_ZONE.run(connection, learnt)
        return keep_series(transaction, uids)
    return found


def find_series(connection: Connection, key: str | None) -> Series | None:
    """Return the series whose date *key* names; None for a single event, and for a series never seen."""
    parts = split_key(key or "")
    row = _ONE_SERIES.run(connection, {"of_uid": parts[0]}).first() if parts is not None else None
    if row is None or key is None:
        return None
    return Series(
        id=row.id,
        uid=ICalUid(row.uid),
        key=ICalUid(key),
        zone=row.zone,
        version=row.version,
        is_read=row.read_version == row.version,
        mailbox=row.organizer_mailbox,
        event_id=EventId(row.organizer_event_id) if row.organizer_event_id else None,
        title=row.title,
        private=row.private,
        web_link=row.web_link,
    )


def name_now(series: Series | None, copies: Sequence[RoomCopy]) -> Series | None:
    """Add to a series of unknown zone what would name the booking's date now, by what its rooms show of it."""
    shown = next((copy.event for copy in copies if copy.live and copy.event.series_master_id is not None), None)
    if series is None or series.zone or shown is None:
        return series
    return replace(series, key_now=name_date(series.uid, shown, zone="", is_all_day=shown.all_day is not None))


def save_organizers_master(transaction: Transaction, series: Series, mailbox: str, copy: EventCopy | None) -> None:
    """
    Keep what all dates of *series* share of the organizer's master; None: it is not there.

    What was read was asked for by its uid, and is kept by it: the row it was asked for may be another series' by now.
    """
    private = copy is not None and copy.privacy is not Privacy.NORMAL
    if copy is not None and not series.zone:
        keep_series(transaction, {series.uid: copy.zone})
    values = {
        "of_uid": series.uid,
        "read_version": series.version,
        "organizer_mailbox": mailbox,
        "organizer_event_id": copy.event_id if copy is not None else None,
        "title": copy.subject if copy is not None and not private else "",
        "private": private,
        "web_link": copy.web_link if copy is not None else None,
    }
    _KEEP_MASTER.run(transaction.connection, values)


def count_dates_before(transaction: Transaction, booking: Booking) -> int:
    """Return how many dates to come of the booking's series its room shows before this one."""
    live = next((copy for copy in booking.copies if copy.live and copy.interval is not None), None)
    if live is None or live.interval is None or live.event.series_master_id is None:
        return 0
    values = {
        "room": live.room_id,
        "master": live.event.series_master_id,
        "now": transaction.now,
        "start": live.interval.start,
    }
    return int(_DATES_BEFORE.run(transaction.connection, values).scalar_one())


def touch_series(transaction: Transaction, key: str | None) -> None:
    """Count that the date *key* was written: what was read of its series before is out of date."""
    parts = split_key(key or "")
    if parts is not None:
        _TOUCH.run(transaction.connection, {"of_uid": parts[0]})


def doubt_series(transaction: Transaction, room_id: BookableId, masters: Iterable[str]) -> None:
    """Put whole series in doubt: their masters were said to be removed."""
    for master in masters:
        _DOUBT_SERIES.run(transaction.connection, {"room": room_id, "master": master})


def find_unsettled(
    connection: Connection, room_id: BookableId
) -> tuple[tuple[EventId, bool, tuple[EventId, ...]], ...]:
    """
    Return the series of a room of which a date is in doubt: the master's id, whether the master itself must be read,
    and the dates that came in full.
    """
    found: dict[str, list[EventId]] = {}
    for row in _UNSETTLED.run(connection, {"room": room_id}):
        dates = found.setdefault(row.series_master, [])
        if not row.hydrated and row.event_id != row.series_master:
            dates.append(EventId(row.event_id))
    if not found:
        return ()
    known = {row.event_id for row in _HAS_MASTER.run(connection, {"room": room_id, "ids": list(found)})}
    return tuple((EventId(master), master not in known, tuple(dates)) for master, dates in found.items())


class SeriesPage:
    """The series that one page of a room's changes touches."""

    def __init__(
        self,
        transaction: Transaction,
        room_id: BookableId,
        changes: Mapping[EventId, Change],
        known: Mapping[str, Any],
        *,
        zone: tzinfo,
        reading: int,
        listed: bool,
        book: RoomBook,
        contacted_at: datetime | None = None,
        settling: EventId | None = None,
    ) -> None:
        """
        *listed*: what the page shows was there at first contact. *contacted_at*: what is new to us and was changed
        last before then was there too, beyond the window read then. *settling*: the page is the list of its dates.
        """
        self._transaction = transaction
        self._room_id = room_id
        self._changes = changes
        self._zone = zone
        self._reading = reading
        self._listed = listed
        self._contacted_at = contacted_at
        self._book = book
        self._settling = settling
        self._masters = self._find_masters(known)
        news = {master_id for master_id, master in self._masters.items() if master.is_new}
        news |= {settling} if settling is not None else set()
        self._stored = {row.event_id: row for row in self._load(_DATES, sorted(news))} if news else {}

    def _load(self, statement: Prepared, ids: Sequence[str]) -> Iterable[Any]:
        values = {"room": self._room_id, "ids": ids}
        return statement.run(self._transaction.connection, values) if ids else ()

    def _find_masters(self, known: Mapping[str, Any]) -> dict[str, Master]:
        """Return the masters of every date of the page, and those the page itself brings."""
        brought: dict[str, EventCopy] = {}
        named: set[str] = set()
        for change in self._changes.values():
            if isinstance(change, EventCopy) and change.type is EventType.MASTER:
                brought[change.event_id] = change
            elif not isinstance(change, EventRemoved) and change.series_master_id is not None:
                named.add(change.series_master_id)
        if not brought and not named:
            return {}
        held = {row.event_id: row for row in self._load(_MASTERS, sorted(named | set(brought)))}
        news = {master_id for master_id, copy in brought.items() if _is_news(known.get(master_id), copy)}
        copies = {master_id: decode_copy(row.payload) for master_id, row in held.items()} | brought
        series = keep_series(self._transaction, {series_uid(copy.ical_uid): copy.zone for copy in copies.values()})
        return {
            master_id: Master(
                copy,
                zone=series[series_uid(copy.ical_uid)].zone,
                listed=self._is_listed(copy, master_id in news, held.get(master_id)),
                is_new=master_id in news,
                was_there=master_id not in held and self._was_there(copy),
            )
            for master_id, copy in copies.items()
        }

    def _is_listed(self, master: EventCopy, is_new: bool, held: Any) -> bool:
        if held is None:
            return self._listed or not is_new or self._was_there(master)
        return bool(held.listed) and (self._listed or not is_new)

    def _was_there(self, change: Change) -> bool:
        """Tell whether what is new to us was there before first contact, and nobody changed it since."""
        if self._contacted_at is None or not isinstance(change, EventCopy):
            return False
        return change.was_last_changed_before(self._contacted_at)

    def has_news_for(self, change: EventCopy | EventStub) -> bool:
        """Tell whether the page brings the master of *change* anew: what is filled in from it is out of date."""
        master = self._masters.get(change.series_master_id) if change.series_master_id is not None else None
        return master is not None and master.is_new

    def make_row(self, change: EventCopy | EventStub, before: Any) -> dict[str, Any]:
        """Return the row of *change*, whatever it is."""
        master = self._masters.get(change.series_master_id) if change.series_master_id is not None else None
        if master is not None:
            row = self._make_date_row(change, master, before)
            inherited = before is None and master.listed and (master.was_there or not master.is_new)
            row["listed"] = (self._listed or inherited) and (before is None or before.listed)
            return row
        if isinstance(change, EventStub):
            row = make_stub_row(self._room_id, change, reading=self._reading, now=self._transaction.now)
        else:
            row = make_row(
                self._room_id,
                change,
                zone=self._zone,
                reading=self._reading,
                now=self._transaction.now,
                book=self._book,
            )
            if lone_key(change.ical_uid) is not None:
                keep_series(self._transaction, {series_uid(change.ical_uid): ""})
            row["doubt"] = change.series_master_id not in (None, self._settling)  # its master is asked for
        was_there = self._listed or self._was_there(change)
        row["listed"] = was_there if before is None else self._listed and before.listed
        return row

    def _make_date_row(self, change: EventCopy | EventStub, master: Master, before: Any) -> dict[str, Any]:
        """Return the row of a date. It keeps the name it has: its id stays the same wherever the series moves."""
        copy = hydrate(change, master.copy) if isinstance(change, EventStub) else change
        if copy.type is EventType.OCCURRENCE and isinstance(change, EventCopy):
            copy = replace(hydrate(_as_stub(copy), master.copy), is_cancelled=copy.is_cancelled)
        key = before.ical_uid if before is not None and before.ical_uid and not before.gone else None
        copy = replace(copy, ical_uid=master.copy.ical_uid)
        return make_date_row(
            self._room_id,
            copy,
            key or key_within(master.copy, change, master.zone),
            zone=self._zone,
            reading=self._reading,
            now=self._transaction.now,
            book=self._book,
        )

    def says_nothing_new(self, row: Mapping[str, Any]) -> bool:
        """Tell whether a date of a changed series is what it was: only its version is new."""
        before = self._stored.get(row["event_id"])
        if before is None or not row["series_master"]:
            return False
        same = ("payload", "ical_uid", "live", "gone", "doubt", "listed", "start_at", "end_at")
        return all(getattr(before, name) == row[name] for name in same)

    def follow(self, *, whole: bool) -> tuple[list[dict[str, Any]], set[str]]:
        """
        Return the rows of stored dates that follow from a changed master, and the names of those that changed.

        Dates that a changed series did not bring again are in doubt, unless the whole window is being read: then its
        end will tell.
        """
        rows, keys = [], set()
        for before in self._stored.values():
            if before.event_id in self._changes or before.gone:
                continue
            row = self._following(before)
            if not whole and _is_to_come(before, self._transaction.now):
                row["doubt"] = True
            elif row["ical_uid"] and not row["listed"] and not self.says_nothing_new(row):
                keys.add(row["ical_uid"])
            if not self.says_nothing_new(row):
                rows.append(row)
        return rows, keys

    def _following(self, before: Any) -> dict[str, Any]:
        """Return a stored date as it is under its changed master."""
        master = self._masters[before.series_master]
        row: dict[str, Any] = before._asdict()
        if before.hydrated:
            old = decode_copy(before.payload) if before.payload else None
            stub = _as_stub(old) if old is not None else _stored_stub(before)
            row |= self._make_date_row(replace(stub, etag=before.etag), master, before)
        elif before.ical_uid is None:
            row |= self._make_date_row(replace(decode_copy(before.payload), etag=before.etag), master, before)
        seen = {"reading": before.reading, "observed_at": before.observed_at}  # a full reading has yet to show it
        return row | seen | {"listed": before.listed and master.listed}

    def settle(self) -> tuple[list[dict[str, Any]], set[str]]:
        """Return the rows of stored dates in doubt that the list of its series' dates does not hold: they are gone."""
        missing = [row for row in self._stored.values() if row.doubt and row.event_id not in self._changes]
        gone = {"gone": True, "live": False, "doubt": False, "observed_at": self._transaction.now}
        rows = [{**before._asdict(), **gone} for before in missing]
        return rows, {row["ical_uid"] for row in rows if row["ical_uid"]}

    def touch(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Count what the page showed of each series, and of dates that a room has without their series: what was read
        of the organizer's copy before is out of date."""
        touched = {row["series_master"] for row in rows if row["event_id"] in self._stored}
        touched |= {master_id for master_id, master in self._masters.items() if master.is_new}
        uids = {series_uid(self._masters[each].copy.ical_uid) for each in touched if each in self._masters}
        lone = [split_key(row["ical_uid"] or "") for row in rows if row["series_master"] is None]
        uids |= {parts[0] for parts in lone if parts is not None}
        _TOUCH.run(self._transaction.connection, [{"of_uid": uid} for uid in sorted(uids)])


def _is_news(before: Any, copy: EventCopy) -> bool:
    return before is None or before.etag != copy.etag or bool(before.gone) or bool(before.doubt)


def _is_to_come(before: Any, now: datetime) -> bool:
    return before.end_at is None or before.end_at > now - PAST_IS_LEFT


def _as_stub(copy: EventCopy) -> EventStub:
    """Return an untouched date as delta would show it."""
    assert copy.series_master_id is not None, "a date names its master"
    interval = copy.interval
    if copy.all_day is not None:
        first, after = copy.all_day
        interval = Interval(datetime.combine(first, time.min, UTC), datetime.combine(after, time.min, UTC))
    return EventStub(copy.event_id, copy.etag, copy.series_master_id, interval, copy.instant, copy.time_fault)


def _stored_stub(row: Any) -> EventStub:
    interval = Interval(row.start_at, row.end_at) if row.start_at is not None else None
    return EventStub(EventId(row.event_id), row.etag, EventId(row.series_master), interval)
