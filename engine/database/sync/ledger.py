"""The ledger: what passes over rooms and bookings remember. Implements `reconcile.ledger.Ledger`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from engine.database.cases.records import close_case_of, open_cases, write_decisions
from engine.database.links.bookings import load_intents, load_link
from engine.database.links.loan_side import tell_refusal
from engine.database.loans.occupancy import find_held
from engine.database.loans.rows import load_loan
from engine.database.mirror.mirror import copy_table, item_table, link_table
from engine.database.series.dates import count_dates_before, find_series, name_now, save_organizers_master
from engine.database.series.own import is_being_made, recognise
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.stores.catalogue import load_items
from engine.database.sync.intent_ledger import IntentLedger
from engine.database.sync.room_ledger import RoomLedger
from engine.database.sync.settle import is_told
from engine.database.tables import metadata
from engine.database.tables.types import Instant
from engine.database.work.meeting_marks import ENDED, HELD_BY_LOAN, LEFT
from engine.errors import Clash, Stale
from engine.ids import BookableId, EventId, ICalUid, LoanNumber
from engine.interval import Interval
from engine.loans.loan import Loan, TextLevel
from engine.loans.rules import RuleBreach
from engine.reconcile.actions import NewLoan, Note, Plan
from engine.reconcile.ledger import Booking, Intent, IntentKind, Link, Series, Writing
from engine.reconcile.views import RoomCopy
from engine.rooms.event import EventCopy

decision_table = metadata.tables["decision"]
series_write_table = metadata.tables["series_write"]


class SyncLedger(RoomLedger, IntentLedger):
    """The whole ledger: what is known of bookings, over its parts about rooms and writes."""

    def times_of(self, copy: EventCopy, rooms: Iterable[BookableId]) -> Interval | None:
        return self._rooms.times_of(copy, rooms)

    def bookings_of(self, rooms: Sequence[BookableId]) -> list[tuple[str, str]]:
        """Return the keys of every booking to come in *rooms*: loans that are linked, meetings that are not."""
        with self._read() as transaction:
            parameters = {"rooms": list(rooms), "now": transaction.now}
            loans = _LOANS_OF.run(transaction.connection, parameters).scalars()
            meetings = _MEETINGS_OF.run(transaction.connection, parameters).scalars()
        return [*(("loan", str(number)) for number in loans), *(("meeting", uid) for uid in meetings)]

    def load_booking(self, kind: str, key: str) -> Booking | None:
        with self._read() as transaction:
            connection = transaction.connection
            link = load_link(connection, kind, key)
            taken_over = kind == "meeting" and link is not None and link[1].state in HELD_BY_LOAN
            if not taken_over:
                return self._read_booking(transaction, kind, key, link)
        assert link is not None
        with self._write() as transaction:
            transaction.mark("loan", str(link[0]))
        return None

    def _read_booking(
        self, transaction: Transaction, kind: str, key: str, found: tuple[int, Link] | None
    ) -> Booking | None:
        connection = transaction.connection
        if kind == "meeting":
            ended = found[1] if found is not None and found[1].state == ENDED else None
            withdrawn = LoanNumber(found[0]) if found is not None and ended is not None else None
            series = find_series(connection, key)
            if ended and withdrawn and (series is None or _is_being_ended(connection, withdrawn, ended, series)):
                return None  # ours, and withdrawn: what is still heard of it is its echo
            copies, seen_at = self._mirror.load_copies(transaction, ICalUid(key))
            if withdrawn is not None and not any(_is_to_come(copy, transaction.now) for copy in copies):
                return None
            series = name_now(series, copies)
            former = load_loan(connection, found[0]) if found is not None and found[1].state == LEFT else None
            return Booking(
                kind, key, None, None, copies, seen_at=seen_at, series=series, withdrawn=withdrawn, former=former
            )
        loan = load_loan(connection, int(key))
        if loan is None:
            return None
        link = found[1] if found else None
        copies = self._mirror.load_copies(transaction, link.ical_uid)[0] if link and link.ical_uid else ()
        intents = load_intents(connection, loan.number)
        series = name_now(find_series(connection, link.ical_uid), copies) if link is not None else None
        return Booking(kind, key, loan, link, copies, intents, series=series)

    def save_copy(
        self, room_id: BookableId, event_id: EventId, copy: EventCopy | None, *, seen_at: datetime | None
    ) -> None:
        with self._write() as transaction:
            self._mirror.save_copy(transaction, room_id, event_id, copy, self._rooms.book(), seen_at=seen_at)

    def load_series(self, key: str) -> Series | None:
        with self._read() as transaction:
            return find_series(transaction.connection, key)

    def save_series(self, series: Series, mailbox: str, copy: EventCopy | None) -> None:
        with self._write() as transaction:
            if copy is not None:
                recognise(transaction, copy, series.uid)
            save_organizers_master(transaction, series, mailbox, copy)

    def is_own_series_under_way(self, key: str) -> bool:
        with self._read() as transaction:
            return is_being_made(transaction, key)

    def series_rank(self, booking: Booking) -> int:
        with self._read() as transaction:
            return count_dates_before(transaction, booking) + 1

    def clashes(
        self, items: Sequence[BookableId], interval: Interval, *, apart_from: LoanNumber | None
    ) -> Mapping[BookableId, Clash]:
        with self._read() as transaction:
            found = _find_clashes(transaction.connection, items, interval, apart_from)
        return {BookableId(clash.item_id): clash for clash in found}

    def told_clash(self, key: str, interval: Interval) -> Clash | None:
        with self._read() as transaction:
            told = _LAST_TOLD.run(transaction.connection, {"uid": key}).scalar() or {}
            if told.get("reason") != "item_unavailable":
                return None
            found = _find_clashes(transaction.connection, [told["item_id"]], interval, None)
        return next((clash for clash in found if clash.loan_number == told["loan"]), None)

    def breaches(self, rooms: Sequence[BookableId], interval: Interval) -> tuple[RuleBreach, ...]:
        return self._rooms.breaches(rooms, interval, now=self._now())

    def _now(self) -> datetime:
        if self._database.clock is not None:
            return self._database.clock()
        with self._read() as transaction:
            return transaction.now

    def store_text_level(self, loan: Loan) -> TextLevel:
        return self._rooms.text_level(loan.store_id) or self._rules().text_level

    def save_plan(self, booking: Booking, plan: Plan, writing: Writing) -> tuple[Intent, ...]:
        with self._write() as transaction:
            if isinstance(plan.loan, NewLoan):
                _claim_meeting(transaction, booking)
                self._check_shown(transaction, booking)
            return self._settler.save(transaction, booking, plan, writing)

    def _check_shown(self, transaction: Transaction, booking: Booking) -> None:
        """Make sure that what rooms show of a meeting that is to become a loan still is there, where nobody is told of
        its end: as long as it is listed, or as a loan of it has ended here. Raises Stale."""
        is_echo = booking.withdrawn is not None
        shown = {copy.room_id for copy in booking.copies if copy.live and (copy.listed or is_echo)}
        if not shown:
            return
        copies, _ = self._mirror.load_copies(transaction, ICalUid(booking.key))
        if not shown <= {copy.room_id for copy in copies if copy.live}:
            raise Stale(f"meeting {booking.key} left a room while it was being read")

    def note_conflict(self, booking: Booking, note: Note) -> None:
        assert booking.loan is not None, "a conflict is about a loan"
        number, version = booking.loan.number, booking.loan.version
        subject = f"loan:{number}:{note.facts.get('field')}:{version}"
        with self._write() as transaction:
            if is_told(transaction, subject, note):
                return  # the engine died since, before it had done what made the value lose
            write_decisions(transaction, [note], loan_number=number, ical_uid=None)
            open_cases(transaction, subject, [note], standing=False, loan_number=number)

    def refuse_edit(self, booking: Booking, note: Note, *, look_again_seconds: float | None) -> None:
        assert booking.loan is not None, "only a loan is edited"
        number = booking.loan.number
        with self._write() as transaction:
            tell_refusal(transaction, number, note, ical_uid=None)
            if look_again_seconds is not None:
                transaction.mark("loan", str(number), delay=look_again_seconds)

    def open_case(self, subject: str, note: Note) -> None:
        with self._write() as transaction:
            open_cases(transaction, subject, [note], standing=True)

    def close_case(self, subject: str, code: str) -> None:
        with self._write() as transaction:
            close_case_of(transaction, subject, code)


def _claim_meeting(transaction: Transaction, booking: Booking) -> None:
    """Make sure that a meeting that is to become a loan still is nobody's: what it became while it was being read, a
    date of a series of ours above all, must not become another one. Raises Stale."""
    found = load_link(transaction.connection, "meeting", booking.key)
    number = None if found is None else found[0]
    known = booking.former.number if booking.former is not None else booking.withdrawn
    series = find_series(transaction.connection, booking.key)
    is_same_series = (series and series.id) == (booking.series and booking.series.id)
    if number != known or (found is not None and found[1].state in HELD_BY_LOAN) or not is_same_series:
        raise Stale(f"meeting {booking.key} became something else while it was being read")


def _find_clashes(
    connection: Connection, items: Sequence[BookableId], interval: Interval, apart_from: LoanNumber | None
) -> list[Clash]:
    held = find_held(connection, items, interval, apart=apart_from)
    named = load_items(connection, [busy.item_id for busy in held])
    return [
        Clash(busy.item_id, named[busy.item_id].name, busy.interval.start, busy.interval.end, busy.loan_number)
        for busy in held
    ]


def _is_being_ended(connection: Connection, number: LoanNumber, link: Link, series: Series) -> bool:
    """Tell whether a write is open that may end this date: until it is done the organizer's calendar still shows it.
    What is done about the event that takes its place is none: that may wait for the date's rooms."""
    writes = _WRITES_OF_SERIES.run(connection, {"series": series.id}).first()
    return writes is not None or any(
        each.kind is IntentKind.DELETE and each.generation == link.generation
        for each in load_intents(connection, number)
    )


def _is_to_come(copy: RoomCopy, now: datetime) -> bool:
    return copy.live and (copy.interval is None or copy.interval.end > now)


_WRITES_OF_SERIES = Prepared(
    select(series_write_table.c.id).where(series_write_table.c.series_id == bindparam("series")).limit(1)
)

_LAST_TOLD = Prepared(
    select(decision_table.c.facts)
    .where(
        decision_table.c.ical_uid == bindparam("uid"),
        decision_table.c.loan_number.is_(None),
        decision_table.c.code == "not_synced",
    )
    .order_by(decision_table.c.id.desc())
    .limit(1)
)

_LOANS_OF = Prepared(
    select(item_table.c.loan_number)
    .where(
        item_table.c.bookable_id.in_(bindparam("rooms", expanding=True)),
        item_table.c.holds,
        item_table.c.blocked_end > bindparam("now", type_=Instant()),
    )
    .distinct()
    .order_by(item_table.c.loan_number)
)

_MEETINGS_OF = Prepared(
    select(copy_table.c.ical_uid)
    .join(link_table, link_table.c.ical_uid == copy_table.c.ical_uid, isouter=True)
    .where(
        copy_table.c.room_id.in_(bindparam("rooms", expanding=True)),
        copy_table.c.live,
        ~copy_table.c.listed,
        copy_table.c.ical_uid.is_not(None),
        copy_table.c.end_at > bindparam("now", type_=Instant()),
        (link_table.c.id.is_(None))
        | (link_table.c.state == LEFT)
        | ((link_table.c.state == ENDED) & copy_table.c.series_master.is_not(None)),
    )
    .distinct()
    .order_by(copy_table.c.ical_uid)
)
