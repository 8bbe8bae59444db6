"""
Changing and cancelling several dates of a series at once: on the loans' side date by date, in Outlook as a whole.

Outlook knows no "this and following": a series is ended before a day, and the rest goes on as another series. Loans
keep their numbers. Where a series cannot be written as a whole (it was made in Outlook, or is being written just now),
each date is written by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select, update

from engine.database.links.bookings import NEWEST_LINKS
from engine.database.links.codec import parse_base, parse_recurrence, render_recurrence
from engine.database.loans.desk import Desk, check_version, lock_and_load
from engine.database.loans.edits import let_go
from engine.database.loans.rows import load_loan, load_loans
from engine.database.rooms.book import RoomCache
from engine.database.series.rows import DATES_OF, ONE_SERIES, add_write, lead_dates
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.errors import Clash, NotAllowed, NotFound, Stale, Unavailable
from engine.ids import ID_MAX, BookableId, LoanNumber, fold_address
from engine.interval import Interval
from engine.loans.loan import Loan
from engine.loans.recurrence import Recurrence, begin_on, by_the_clock, days_of, expand, move
from engine.loans.register import LoanChange
from engine.loans.status import WITHDRAWN_STATUSES, LoanAction
from engine.reconcile.series.book import Scope
from engine.reconcile.series.writes import LED, SeriesDate, SeriesDraft, SeriesWriteKind
from engine.rooms.series import day_of, is_date_of

_series = metadata.tables["series"]
_write = metadata.tables["series_write"]
_link = metadata.tables["link"]
_loan = metadata.tables["loan"]
_LOCK_DATES = Prepared(
    select(_loan.c.number).where(_loan.c.series == bindparam("series")).order_by(_loan.c.number).with_for_update()
)

_NO_DATE = date(1900, 1, 1)
"""Days from here on name dates that fit no pattern any more: such a date gets an event of its own."""


@dataclass(frozen=True, slots=True)
class _Date:
    """One date of a series: its loan, its newest link (None: it has none) and the day it is named by."""

    loan: Loan
    link: Any
    day: date

    def is_tied_to(self, uid: str | None) -> bool:
        """Tell whether it is a date of the series *uid* in Outlook, and agreed on."""
        return self.link is not None and self.link.state == "linked" and is_date_of(self.link.ical_uid, uid)

    @property
    def agreed_rooms(self) -> frozenset[BookableId]:
        """The rooms it has in Outlook, as far as both sides agree: what the desk has changed since may be unsent."""
        base = parse_base(self.link.base)
        return base.loan.rooms if base is not None else _rooms(self.loan)


@dataclass(frozen=True, slots=True)
class _Times:
    """Where a change of times takes every date: so many days on, to these hours."""

    days: int
    start: time
    length: timedelta
    zone: ZoneInfo

    def of(self, loan: Loan) -> Interval:
        day = loan.interval.start.astimezone(self.zone).date() + timedelta(days=self.days)
        return by_the_clock(datetime.combine(day, self.start), self.length, self.zone)


class SeriesScope:
    """One edit of several dates, within a transaction."""

    def __init__(
        self, transaction: Transaction, desk: Desk, rooms: RoomCache, *, number: LoanNumber, scope: Scope, zone: str
    ) -> None:
        self._transaction = transaction
        self._desk = desk
        self._rooms = rooms
        self._loan, series_id = _lock_series(transaction, number)
        self._series = ONE_SERIES.run(transaction.connection, {"of_id": series_id}).one()
        self._recurrence = parse_recurrence(self._series.recurrence)
        self._zone = ZoneInfo(self._series.zone or zone)
        self._dates = self._load_dates()
        self._meant = self._choose(scope)

    def _load_dates(self) -> tuple[_Date, ...]:
        connection = self._transaction.connection
        found = DATES_OF.run(connection, {"series": self._loan.series}).scalars()
        links = {row.loan_number: row for row in NEWEST_LINKS.run(connection, {"numbers": found})}
        dates = []
        for loan in load_loans(connection, found):
            link = links.get(loan.number)
            named = day_of(link.ical_uid) if link is not None and link.ical_uid else None
            dates.append(_Date(loan, link, named or loan.interval.start.astimezone(self._zone).date()))
        return tuple(sorted(dates, key=lambda each: (each.day, each.loan.number)))

    def _choose(self, scope: Scope) -> tuple[_Date, ...]:
        """Return the dates that are meant: never what has begun, or is over."""
        now = self._transaction.now
        if not self._loan.blocks or self._loan.interval.start <= now:
            raise NotAllowed(f"loan {self._loan.number} has begun or ended: begin with a date to come")
        mine = next(each for each in self._dates if each.loan.number == self._loan.number)
        to_come = [each for each in self._dates if each.loan.blocks and each.loan.interval.start > now]
        return tuple(each for each in to_come if scope is Scope.ALL or each.day >= mine.day)

    # --- cancel

    def cancel(self, *, actor: str, reason: str) -> Loan:
        """Cancel every date that is meant, and end the series in Outlook with one request."""
        for each in self._meant:
            self._desk.act_within(self._transaction, each.loan.number, LoanAction.CANCEL, actor=actor, reason=reason)
        tied = self._tied()
        if tied and tied[0].link.organizer_mailbox and not self._is_being_written():
            self._end(tied, successor=None)
        return lock_and_load(self._transaction, self._loan.number)

    # --- change

    def change(self, change: LoanChange, *, actor: str) -> Loan:
        """Change every date that is meant. Raises Unavailable with all that is in the way of any."""
        check_version(self._loan, change.seen_version)
        times = self._times(change)
        changes = {each.loan.number: self._change_of(each.loan, change, times) for each in self._meant}
        moving = [each.loan.number for each in self._meant if _moves(each.loan, changes[each.loan.number])]
        let_go(self._transaction, moving)  # no date stands in the way of another
        clashes: list[Clash] = []
        for each in self._meant:
            try:
                self._desk.change_within(self._transaction, each.loan.number, changes[each.loan.number], actor=actor)
            except Unavailable as error:
                clashes += error.clashes
        if clashes:
            raise Unavailable(*clashes)
        self._write_as_a_whole(change, times)
        return lock_and_load(self._transaction, self._loan.number)

    def _times(self, change: LoanChange) -> _Times | None:
        if change.start is None and change.end is None:
            return None
        before = self._loan.interval.start.astimezone(self._zone)
        starts = (change.start or self._loan.interval.start).astimezone(self._zone)
        ends = (change.end or self._loan.interval.end).astimezone(self._zone)
        length = ends.replace(tzinfo=None) - starts.replace(tzinfo=None)
        return _Times((starts.date() - before.date()).days, starts.time(), length, self._zone)

    def _change_of(self, loan: Loan, change: LoanChange, times: _Times | None) -> LoanChange:
        if times is not None and times.length <= timedelta(0):
            times = None  # refused for the loan named, by its own times
        interval = times.of(loan) if times is not None else None
        return LoanChange(
            start=interval.start if interval else change.start,
            end=interval.end if interval else change.end,
            requester=change.requester,
            items=change.items,
            title=change.title,
            notes=change.notes,
            private=change.private,
        )

    # --- Outlook's side

    def _tied(self) -> tuple[_Date, ...]:
        return tuple(each for each in self._meant if each.is_tied_to(self._series.uid))

    def _is_being_written(self) -> bool:
        open_writes = select(_write.c.id).where(_write.c.series_id == self._series.id)
        return self._transaction.connection.execute(open_writes).first() is not None

    def _write_as_a_whole(self, change: LoanChange, times: _Times | None) -> None:
        """Have the dates that are tied to the series written with it, where that can be."""
        tied, recurrence = self._tied(), self._recurrence
        tells = times is not None or change.items is not None or change.requester is not None
        if not tells or recurrence is None or len(tied) < 2 or self._is_being_written():
            return
        numbers = [each.loan.number for each in tied]
        after = {loan.number: loan for loan in load_loans(self._transaction.connection, numbers)}
        if not all(loan.rooms for loan in after.values()) or all(
            after[each.loan.number].version == each.loan.version for each in tied
        ):
            return
        if self._can_be_changed(tied, after, change, times):
            self._change_master(tied, after, _moved(recurrence, times) if times is not None else None)
        elif tied[0].day in set(days_of(recurrence)):
            rest = begin_on(recurrence, tied[0].day)
            self._split(tied, after, _moved(rest, times) if times is not None else rest)

    def _can_be_changed(
        self, tied: Sequence[_Date], after: Mapping[LoanNumber, Loan], change: LoanChange, times: _Times | None
    ) -> bool:
        """
        Tell whether one request to the master does it: all its dates are meant, and it may keep what it is.

        Other hours make Exchange forget what is special about single dates, and bring back those that were cancelled.
        """
        assert self._recurrence is not None
        others = {each.loan.number for each in self._dates if each.loan.blocks} - {each.loan.number for each in tied}
        rooms = {(each.agreed_rooms, _rooms(after[each.loan.number])) for each in tied}
        if others or len(rooms) > 1 or change.requester is not None:
            return False
        if times is None:
            return not any(self._has_begun(each) for each in self._dates)
        pattern = dict(expand(self._recurrence))
        return times.days == 0 and {each.day: each.loan.interval for each in tied} == pattern

    def _has_begun(self, each: _Date) -> bool:
        return each.loan.interval.start <= self._transaction.now and each.loan.status not in WITHDRAWN_STATUSES

    def _change_master(self, tied: Sequence[_Date], after: dict[LoanNumber, Loan], moved: Recurrence | None) -> None:
        before_rooms, after_rooms = tied[0].agreed_rooms, _rooms(after[tied[0].loan.number])
        book = self._rooms.book()
        draft = SeriesDraft(
            recurrence=moved,
            rooms=book.mailboxes_of(after_rooms - before_rooms),
            drop_rooms=book.addresses_of(before_rooms - after_rooms),
            dates=tuple(_as_written(each, after[each.loan.number]) for each in tied),
        )
        self._set_links(tied, LED)
        self._save(SeriesWriteKind.CHANGE, tied, draft)

    def _split(self, tied: Sequence[_Date], after: dict[LoanNumber, Loan], rest: Recurrence) -> None:
        """End the series before the first date that is meant, and let those dates be a series of their own."""
        successor = self._add_series(rest)
        self._end(tied, successor=successor)
        days = _name(tied, after, rest)
        dates = [(each.loan.number, each.link.generation + 1, days[each.loan.number]) for each in tied]
        numbers = [each.loan.number for each in tied]
        self._transaction.connection.execute(
            update(_loan).where(_loan.c.number.in_(numbers)).values(series=str(successor))
        )
        lead_dates(self._transaction, successor, dates)

    def _add_series(self, recurrence: Recurrence) -> int:
        values = {
            "zone": recurrence.zone,
            "version": 1,
            "title": "",
            "private": self._series.private,
            "recurrence": render_recurrence(recurrence),
            "left_out": [],
        }
        made = self._transaction.connection.execute(_series.insert().values(values).returning(_series.c.id))
        return int(made.scalar_one())

    def _end(self, tied: Sequence[_Date], *, successor: int | None) -> None:
        """Have the series end before the first of *tied*; nothing of it is left where nothing comes before."""
        first = tied[0].day
        stays = [
            each.loan.number for each in self._dates if each.day < first and each.loan.status not in WITHDRAWN_STATUSES
        ]
        is_ours = bool(stays) and self._recurrence is not None
        draft = SeriesDraft(
            dates=tuple(_as_written(each, each.loan) for each in tied),
            last=first - timedelta(days=1) if stays else None,
            stays=(min(stays), max(stays)) if is_ours else None,
            successor=successor,
        )
        self._set_links(tied, "ended")
        self._save(SeriesWriteKind.END, tied, draft)

    def _set_links(self, tied: Sequence[_Date], state: str) -> None:
        ids = [each.link.id for each in tied]
        self._transaction.connection.execute(update(_link).where(_link.c.id.in_(ids)).values(state=state))

    def _save(self, kind: SeriesWriteKind, tied: Sequence[_Date], draft: SeriesDraft) -> None:
        add_write(
            self._transaction,
            self._series.id,
            kind,
            mailbox=tied[0].link.organizer_mailbox,
            event_id=self._series.organizer_event_id,
            draft=draft,
        )
        self._transaction.mark("series", str(self._series.id))


def _lock_series(transaction: Transaction, number: LoanNumber) -> tuple[Loan, int]:
    """Return the loan and its series, all dates of which are locked until we are done: loans are, before items."""
    loan = load_loan(transaction.connection, number) if 0 < number <= ID_MAX else None
    if loan is None:
        raise NotFound(f"there is no loan {number}")
    if loan.series is None:
        raise NotAllowed(f"loan {number} is no date of a series: it can only be changed by itself")
    _LOCK_DATES.run(transaction.connection, {"series": loan.series})
    found = lock_and_load(transaction, number)
    if found.series != loan.series:
        raise Stale(f"loan {number} became a date of another series while it was being looked at")
    return found, int(loan.series)


def _moves(loan: Loan, change: LoanChange) -> bool:
    return (change.start or loan.interval.start, change.end or loan.interval.end) != (
        loan.interval.start,
        loan.interval.end,
    )


def _rooms(loan: Loan) -> frozenset[BookableId]:
    return frozenset(item.id for item in loan.rooms)


def _as_written(each: _Date, loan: Loan) -> SeriesDate:
    return SeriesDate(
        loan.number,
        each.link.generation,
        loan.version,
        each.day,
        loan.interval,
        fold_address(loan.requester.address),
        _rooms(loan),
    )


def _name(tied: Sequence[_Date], after: Mapping[LoanNumber, Loan], pattern: Recurrence) -> dict[LoanNumber, date]:
    """Return of which day of *pattern* each date is to be. Of several at the same times the one that was of that day
    before is; the others, as all that are not in the pattern, are of no day."""
    days = {interval: day for day, interval in expand(pattern)}
    wanted = {each.loan.number: days.get(after[each.loan.number].interval) for each in tied}
    named: dict[LoanNumber, date] = {}
    for each in sorted(tied, key=lambda each: wanted[each.loan.number] != each.day):
        day = wanted[each.loan.number]
        named[each.loan.number] = _unnamed(each) if day is None or day in named.values() else day
    return named


def _unnamed(each: _Date) -> date:
    return _NO_DATE + timedelta(days=each.loan.number % 20_000)


def _moved(recurrence: Recurrence, times: _Times) -> Recurrence:
    return move(recurrence, times.days, times.start, times.length)
