"""The mirror: room copies as last read, and where the reading of each room stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import and_, bindparam, exists, false, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from engine.database.mirror.page_news import PageNews
from engine.database.rooms.book import RoomCache
from engine.database.rooms.copies import decode_copy, make_row
from engine.database.series.dates import SeriesPage, doubt_series
from engine.database.sql.lists import each_pair_of, is_any_of
from engine.database.sql.marks import Priority
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.database.tables.types import Instant
from engine.database.work.meeting_marks import MeetingMarks, find_linked, find_linked_loans
from engine.database.work.wakes import ask_about_unshown, ask_organizers
from engine.ids import BookableId, EventId, ICalUid
from engine.interval import Interval
from engine.reconcile.observe import resolve_interval
from engine.reconcile.views import RoomCopy
from engine.rooms.calendar import ChangesPage
from engine.rooms.event import Change, EventCopy, EventRemoved, EventShown, EventStub, EventType, read_change
from engine.rooms.room import RoomBook
from engine.rooms.series import is_date

copy_table = metadata.tables["room_copy"]
link_table = metadata.tables["link"]
item_table = metadata.tables["loan_item"]


_CONFLICT_COLUMNS = tuple(name for name in copy_table.c.keys() if name not in ("room_id", "event_id"))  # noqa: SIM118


def _upsert(dialect: str) -> Prepared:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement: Any = insert(copy_table)
    row, new = copy_table.c, statement.excluded
    is_older = (row.unconfirmed | new.unconfirmed) & (new.modified_at < row.modified_at)
    revives = new.unconfirmed & (row.doubt | row.gone | ~row.live)
    return Prepared(
        statement.on_conflict_do_update(
            index_elements=["room_id", "event_id"],
            set_={name: new[name] for name in _CONFLICT_COLUMNS},
            where=~func.coalesce(is_older, false()) & ~revives,  # what another process has saved meanwhile
        )
    )


_UPSERT = {"sqlite": _upsert("sqlite"), "postgresql": _upsert("postgresql")}
_c = copy_table.c
_KNOWN_COLUMNS = (
    _c.event_id, _c.etag, _c.live, _c.gone, _c.listed, _c.ical_uid, _c.doubt, _c.series_master, _c.modified_at,
    _c.unconfirmed,
)  # fmt: skip
_KNOWN = Prepared(select(*_KNOWN_COLUMNS).where(_c.room_id == bindparam("room"), is_any_of(_c.event_id, "ids")))


def _others(dialect: str) -> Prepared:
    shown = each_pair_of("versions", dialect)
    is_it = and_(_c.room_id == bindparam("room"), _c.event_id == shown.c.key)
    is_other = or_(
        _c.event_id.is_(None), shown.c.value.is_(None), _c.etag != shown.c.value,
        _c.doubt, _c.gone, _c.unconfirmed, _c.series_master.is_not(None),
    )  # fmt: skip
    columns = (shown.c.key.label("shown_id"), *_KNOWN_COLUMNS)
    return Prepared(select(*columns).select_from(shown.outerjoin(copy_table, is_it)).where(is_other))


_OTHERS = {"sqlite": _others("sqlite"), "postgresql": _others("postgresql")}
_these = and_(_c.room_id == bindparam("room"), is_any_of(_c.event_id, "ids"))
_SEEN = Prepared(update(copy_table).where(_these).values(reading=bindparam("number")))
_DOUBT = Prepared(update(copy_table).where(_these).values(doubt=True, observed_at=bindparam("at", type_=Instant())))
_CONFIRM = Prepared(update(copy_table).where(_these).values(unconfirmed=False))
_alone = _c.series_master.is_(None)  # dates of a series are settled together
_unseen = and_(
    _c.room_id == bindparam("room"), _c.reading < bindparam("number"), ~is_any_of(_c.event_id, "shown"),
    or_(_c.live, and_(~_c.gone, ~_c.doubt)),  # what has ended in doubt is asked for already, or another is shown
    or_(  # what lies ahead of the clock was observed before that was set back
        _c.observed_at < bindparam("began_at", type_=Instant()), _c.observed_at > bindparam("now", type_=Instant()),
    ),
    or_(
        and_(_c.end_at > bindparam("start", type_=Instant()), _c.start_at < bindparam("end", type_=Instant())),
        and_(_c.start_at.is_(None), _alone),
    ),
)  # fmt: skip
_UNSEEN = Prepared(select(_c.ical_uid, _c.series_master).where(_unseen))
_DOUBT_UNSEEN = Prepared(update(copy_table).where(_unseen, ~_c.doubt).values(doubt=True))
_ANY_DOUBT = Prepared(select(_c.event_id).where(_c.room_id == bindparam("room"), _c.doubt).limit(1))
_DOUBTFUL = Prepared(select(_c.ical_uid).where(_c.room_id == bindparam("room"), _c.doubt, _c.live, _alone))
_other = copy_table.alias("other_copy")
_END_SUCCEEDED = Prepared(
    update(copy_table)
    .where(_c.room_id == bindparam("room"), _c.doubt, _c.live, _alone)
    .where(
        exists().where(
            _other.c.ical_uid == _c.ical_uid, _other.c.room_id == _c.room_id, _other.c.live, ~_other.c.doubt,
            or_(_other.c.reading == bindparam("number"), is_any_of(_other.c.event_id, "shown")),
        )
    )
    .values(live=False)
)  # fmt: skip
_END_WITHDRAWN = Prepared(
    update(copy_table)
    .where(_c.room_id == bindparam("room"), is_any_of(_c.ical_uid, "uids"))
    .where(_c.doubt, _c.live, _alone)
    .values(live=False)
)
_CHANGE_COPY = Prepared(
    update(copy_table).where(
        copy_table.c.room_id == bindparam("of_room"),
        copy_table.c.event_id == bindparam("of_event"),
        copy_table.c.observed_at == bindparam("seen_at", type_=Instant()),
    )
)


def load_known(transaction: Transaction, room_id: BookableId, ids: Sequence[EventId]) -> dict[str, Any]:
    """Return what decides whether copies are news, by id: rows of the mirror without what the copies say."""
    if not ids:
        return {}
    return {row.event_id: row for row in _KNOWN.run(transaction.connection, {"room": room_id, "ids": ids})}


def load_others(
    transaction: Transaction, room_id: BookableId, versions: Mapping[EventId, str | None]
) -> dict[EventId, Any]:
    """
    Return those of *versions* that the mirror does not hold just so, each with what `load_known` says of it, or None.

    Just so is what a reading has shown before with the same etag, if it is no part of a series, nobody has said since
    that it is removed, and nobody has found it gone. Everything else is for `PageNews` to judge.

    Args:
        versions: the etags of events without a series, by id; None for whatever else a page shows.
    """
    if not versions:
        return {}
    statement = _OTHERS[transaction.connection.dialect.name]
    rows = statement.run(transaction.connection, {"room": room_id, "versions": versions})
    return {row.shown_id: row if row.event_id is not None else None for row in rows}


def write_copies(transaction: Transaction, rows: list[dict[str, Any]]) -> None:
    """Write *rows* (as `copies` makes them) over what the mirror holds of the same events."""
    _UPSERT[transaction.connection.dialect.name].run(transaction.connection, rows)


class Mirror:
    """Reads and writes room copies within the transaction it is given."""

    def __init__(self, rooms: RoomCache) -> None:
        self._rooms = rooms

    def save_page(
        self,
        transaction: Transaction,
        room_id: BookableId,
        page: ChangesPage,
        *,
        reading: int,
        whole: bool,
        listed: bool,
        priority: Priority,
        book: RoomBook,
        contacted_at: datetime | None = None,
    ) -> tuple[int, int]:
        """
        Save the page's changes; returns how many copies changed and how many bookings were marked.

        Copies of meetings that we have withdrawn are kept, and count for neither.

        Args:
            listed: what the page shows was there before us, unless it is of a meeting that has a loan: the room is new
                here, and the other rooms are not.
            contacted_at: so was what is new to us and was changed last before then: it lay beyond the window that
                was read at first contact. None: nothing counts as there before us.
        """
        shown = {each.event_id: each for each in page.changes}  # the last word on an item counts
        versions = {name: each.etag if isinstance(each, EventShown) else None for name, each in shown.items()}
        others = load_others(transaction, room_id, versions)
        changes = {name: read_change(each) for name, each in shown.items() if name in others}
        known: dict[str, Any] = {name: row for name, row in others.items() if row is not None}
        series = SeriesPage(
            transaction, room_id, changes, known,
            zone=self._rooms.zone_of(room_id), reading=reading, listed=listed, book=book, contacted_at=contacted_at,
        )  # fmt: skip
        news = PageNews(series, seen=[name for name in shown if name not in others])
        for event_id, change in changes.items():
            news.add(event_id, change, known.get(event_id))
        series.touch(news.rows)
        news.add_dates(*series.follow(whole=whole))
        if whole and (page.delta_link is None or news.doubts or any(row.doubt for row in known.values())):
            self._note_seen(transaction, room_id, news, reading=reading)
        news.take_in(find_linked(transaction, news.listed(transaction.now)))
        self._save_news(transaction, room_id, news)
        if news.has_unknown_removed and not whole:
            ask_about_unshown(transaction, room_id, priority=priority)
        self._ask_about(transaction, news.left)
        marks = MeetingMarks(transaction, priority=priority)
        marked = marks.mark(news.uids, shown=_dates_shown(news.rows)) + marks.mark_returned(news.kept)
        self.end_withdrawn(transaction, room_id, marks.withdrawn & news.removed)
        return sum(uid not in marks.withdrawn for uid in news.changed), marked

    def save_existing(
        self,
        transaction: Transaction,
        room_id: BookableId,
        page: ChangesPage,
        *,
        apart: Interval | None,
        book: RoomBook,
    ) -> int:
        """
        Save what a page shows of a stretch that nobody follows, as listed; returns how many copies were new.

        Args:
            apart: the window that is followed: what lies in it is known already, or is news for the next reading.
        """
        zone = self._rooms.zone_of(room_id)
        found = [change for change in map(read_change, page.changes) if _is_apart(change, apart, zone)]
        known = load_known(transaction, room_id, [change.event_id for change in found])
        fresh = tuple(change for change in found if change.event_id not in known)
        self.save_page(
            transaction, room_id, replace(page, changes=fresh), reading=0, whole=False, listed=True,
            priority=Priority.BACKFILL, book=book,
        )  # fmt: skip
        return len(fresh)

    def _note_seen(self, transaction: Transaction, room_id: BookableId, news: PageNews, *, reading: int) -> None:
        """
        Note what a page showed as the mirror holds it, for the end of the reading to know (`doubt_unseen`).

        Of the last page that need not be noted where nothing is in doubt: the end, in the same transaction, has it at
        hand. So a room of one page is read anew without a row being written.
        """
        if news.seen:
            _SEEN.run(transaction.connection, {"room": room_id, "ids": news.seen, "number": reading})

    def _save_news(self, transaction: Transaction, room_id: BookableId, news: PageNews) -> None:
        connection = transaction.connection
        write_copies(transaction, news.rows)
        if news.doubts:
            _DOUBT.run(connection, {"room": room_id, "ids": news.doubts, "at": transaction.now})
        if news.confirmed:
            _CONFIRM.run(connection, {"room": room_id, "ids": news.confirmed})
        doubt_series(transaction, room_id, news.lost_masters)

    def _ask_about(self, transaction: Transaction, uids: set[str]) -> None:
        """Have the organizers asked whose meetings have left a room. The loan of one need not have that room: the
        meeting may have come to it, or come back, and left it before anything was done about it, of which the other
        rooms' copies need not tell."""
        ask_organizers(transaction, find_linked_loans(transaction, uids))

    def doubt_unseen(
        self,
        transaction: Transaction,
        room_id: BookableId,
        *,
        reading: int,
        shown: Sequence[EventId],
        began_at: datetime,
        window: Interval,
    ) -> list[str]:
        """
        Put in doubt the copies that a complete reading of *window* did not show, those that had ended included; returns
        their uids, and those of live copies in doubt since before: whoever was to ask for them may have given up.

        Only copies observed before the reading began count: absence is not evidence for newer ones. One without
        times, a meeting that lasts no time or whose date nobody can read, may lie anywhere. One that the room shows
        under another id, since it was set up anew, has ended: nobody asks for it behind the one that is shown.

        Args:
            shown: what the last page showed; of the pages before it was noted.
        """
        values = {
            "room": room_id, "number": reading, "shown": shown, "began_at": began_at,
            "start": window.start, "end": window.end, "now": transaction.now,
        }  # fmt: skip
        connection = transaction.connection
        unseen = _UNSEEN.run(connection, values).all()
        if unseen:
            _DOUBT_UNSEEN.run(connection, values)
            self._ask_about(transaction, {row.ical_uid for row in unseen if row.ical_uid})
        if _ANY_DOUBT.run(connection, {"room": room_id}).first() is not None:
            _END_SUCCEEDED.run(connection, {"room": room_id, "number": reading, "shown": shown})
        return [row.ical_uid for row in unseen if row.ical_uid and row.series_master is None]

    def find_doubtful(self, transaction: Transaction, room_id: BookableId) -> list[str]:
        """Return the uids of what is in doubt in a room, dates of series apart: closed, it could not be asked."""
        return [uid for uid in _DOUBTFUL.run(transaction.connection, {"room": room_id}).scalars() if uid]

    def end_withdrawn(self, transaction: Transaction, room_id: BookableId, uids: Iterable[str]) -> None:
        """Count what a room shows no more of meetings that we have withdrawn as ended: nobody asks for it by its id."""
        if wanted := sorted(uids):
            _END_WITHDRAWN.run(transaction.connection, {"room": room_id, "uids": wanted})

    def save_copy(
        self,
        transaction: Transaction,
        room_id: BookableId,
        event_id: EventId,
        copy: EventCopy | None,
        book: RoomBook,
        *,
        seen_at: datetime | None,
    ) -> None:
        before = load_known(transaction, room_id, [event_id]).get(event_id)
        if (before is None) != (seen_at is None) or (before is None and copy is None):
            return
        mine = {"of_room": room_id, "of_event": event_id, "seen_at": seen_at}
        if copy is None:
            gone = {"gone": True, "live": False, "doubt": False, "observed_at": transaction.now}
            _CHANGE_COPY.run(transaction.connection, {**mine, **gone})
            return
        zone = self._rooms.zone_of(room_id)
        row = make_row(room_id, copy, zone=zone, reading=0, now=transaction.now, book=book)
        row["listed"] = before is not None and before.listed and before.etag == copy.etag
        if seen_at is None:
            write_copies(transaction, [row])
        else:
            told = {name: value for name, value in row.items() if name != "reading"}
            _CHANGE_COPY.run(transaction.connection, {**mine, **told})
        if row["ical_uid"] and not row["listed"]:
            self._pass_on(transaction, row["ical_uid"])

    def _pass_on(self, transaction: Transaction, ical_uid: str) -> None:
        """Have a meeting looked at that has no loan: whoever asked for it may have asked for one that is no more, and
        the room's next reading finds nothing new."""
        if not find_linked_loans(transaction, [ical_uid]):
            MeetingMarks(transaction, priority=Priority.LIVE).mark([ical_uid])

    def save_dates(
        self,
        transaction: Transaction,
        room_id: BookableId,
        master_id: EventId,
        copies: Sequence[EventCopy],
        book: RoomBook,
    ) -> None:
        """Save the dates of a series as asked for: those in doubt that are not among *copies* are gone."""
        changes: dict[EventId, Change] = {copy.event_id: copy for copy in copies}
        known = load_known(transaction, room_id, list(changes))
        series = SeriesPage(
            transaction, room_id, changes, known,
            zone=self._rooms.zone_of(room_id), reading=0, listed=True, book=book, settling=master_id,
        )  # fmt: skip
        rows, uids = series.settle()
        for copy in copies:
            before = known.get(copy.event_id)
            if before is None or before.doubt or before.gone or before.etag != copy.etag:
                row = series.make_row(copy, before)
                rows.append(row)
                uids.update([row["ical_uid"]] if row["ical_uid"] and not row["listed"] else [])
        series.touch(rows)
        write_copies(transaction, rows)
        if master_id not in changes:
            settled = and_(copy_table.c.room_id == room_id, copy_table.c.event_id == master_id)
            gone = {"gone": True, "live": False, "doubt": False, "observed_at": transaction.now}
            transaction.connection.execute(update(copy_table).where(settled, copy_table.c.doubt).values(**gone))
        shown = _dates_shown(rows)
        shown |= self._find_shown(transaction, uids - shown)  # whoever looked while this was in doubt left it alone
        MeetingMarks(transaction, priority=Priority.LIVE).mark(uids, shown=shown)

    def _find_shown(self, transaction: Transaction, uids: Iterable[str]) -> set[str]:
        """Return those of *uids*, dates of series, that any room shows live and beyond doubt."""
        wanted = sorted(uids)
        return set(_SHOWN.run(transaction.connection, {"uids": wanted}).scalars()) if wanted else set()

    def load_copies(self, transaction: Transaction, ical_uid: ICalUid) -> tuple[tuple[RoomCopy, ...], datetime | None]:
        """
        Return the newest copy of the meeting per room, a live one before one that ended, and when the first of all its
        copies was observed.
        """
        rows = _COPIES.run(transaction.connection, {"uid": ical_uid}).all()
        return self._newest(rows), min((row.observed_at for row in rows), default=None)

    def load_copies_of(self, transaction: Transaction, keys: Sequence[str]) -> dict[str, tuple[RoomCopy, ...]]:
        """Return the same of several meetings, by key, in one statement."""
        by_key: dict[str, list[Any]] = {}
        for row in _COPIES_OF.run(transaction.connection, {"uids": list(keys)}):
            by_key.setdefault(row.ical_uid, []).append(row)
        return {key: self._newest(rows) for key, rows in by_key.items()}

    def _newest(self, rows: Iterable[Any]) -> tuple[RoomCopy, ...]:
        best: dict[int, Any] = {}
        for row in rows:
            held = best.get(row.room_id)
            if held is None or (row.live, row.observed_at) > (held.live, held.observed_at):
                best[row.room_id] = row
        found = tuple(self._read(row) for row in best.values())
        return found if all(copy.event.all_day is None for copy in found) else self._share_days(found)

    def _read(self, row: Any) -> RoomCopy:
        event = decode_copy(row.payload)
        return RoomCopy(
            room_id=BookableId(row.room_id),
            event=event,
            interval=event.interval,
            live=row.live,
            gone=row.gone,
            doubt=row.doubt,
            listed=row.listed,
            seen_at=row.observed_at,
        )

    def _share_days(self, copies: tuple[RoomCopy, ...]) -> tuple[RoomCopy, ...]:
        """Give copies of whole days the time they have together in all rooms that hold them."""
        holding: dict[Any, set[BookableId]] = {}
        for copy in copies:
            holding.setdefault(copy.event.all_day, set()).update([copy.room_id] if copy.live else [])
        return tuple(
            replace(copy, interval=self._rooms.times_of(copy.event, holding[copy.event.all_day] | {copy.room_id}))
            for copy in copies
        )


_SHOWN = Prepared(select(_c.ical_uid).where(is_any_of(_c.ical_uid, "uids"), _c.live, ~_c.doubt).distinct())
_COPY_COLUMNS = (
    copy_table.c.room_id, copy_table.c.payload, copy_table.c.live, copy_table.c.gone, copy_table.c.doubt,
    copy_table.c.listed, copy_table.c.observed_at, copy_table.c.ical_uid,
)  # fmt: skip
_COPIES = Prepared(select(*_COPY_COLUMNS).where(copy_table.c.ical_uid == bindparam("uid")))
_COPIES_OF = Prepared(
    select(*_COPY_COLUMNS)
    .where(is_any_of(copy_table.c.ical_uid, "uids"))
    .order_by(copy_table.c.ical_uid, copy_table.c.room_id)
)


def _dates_shown(rows: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the dates of series that *rows* show live and beyond doubt; one in doubt that a room has without its
    series is asked for by whoever looks at it."""
    shown = (row for row in rows if row["live"] and not (row["doubt"] and row["series_master"]))
    return {row["ical_uid"] for row in shown if is_date(row["ical_uid"])}


def _is_apart(change: Change, window: Interval | None, zone: tzinfo) -> bool:
    """Tell whether *change* shows something that lies outside *window*."""
    if isinstance(change, EventRemoved):
        return False
    if isinstance(change, EventCopy) and change.type is EventType.MASTER:
        return True  # its dates need it
    interval = change.interval if isinstance(change, EventStub) else resolve_interval(change, zone)
    return interval is not None and (window is None or not interval.overlaps(window))
