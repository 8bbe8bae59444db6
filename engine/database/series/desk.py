"""The desk, for series: a preview of every date, and one transaction that books them all, each as a loan of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from engine.database.links.codec import parse_recurrence, render_recurrence
from engine.database.loans.desk import Desk, DeskOptions
from engine.database.loans.edits import Entry, add_loan, write_entries
from engine.database.loans.guards import lock_items
from engine.database.loans.told import tell_loans
from engine.database.rooms.book import RoomCache
from engine.database.series.plan import DatePlanner, check_order
from engine.database.series.rows import DATES_OF, ONE_SERIES, lead_dates
from engine.database.series.scope import SeriesScope
from engine.database.sql.connection import Database
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.stores.catalogue import Item
from engine.database.tables import metadata
from engine.errors import NotFound, RuleBroken, Unavailable
from engine.ids import ID_MAX, LoanNumber
from engine.interval import Interval
from engine.loans.loan import ItemKind, Loan
from engine.loans.register import ItemRef, LoanChange, LoanOrder
from engine.loans.status import LoanAction, LoanStatus
from engine.reconcile.series.book import AppSeries, DateState, PlannedDate, Scope, SeriesBook, SeriesOrder
from engine.reconcile.words.reasons import explain

_series = metadata.tables["series"]
_ADD = Prepared(_series.insert().returning(_series.c.id))


class SeriesDesk(SeriesBook):
    """
    Books series.

    Args:
        database: where everything lives.
        desk: whose way of editing is followed.
        rooms: those that could stand in.
        options: as the desk's.
    """

    def __init__(self, database: Database, desk: Desk, rooms: RoomCache, options: Callable[[], DeskOptions]) -> None:
        self._database = database
        self._desk = desk
        self._rooms = rooms
        self._options = options

    def zone_of(self, items: Sequence[ItemRef]) -> str:
        book = self._rooms.current_book()
        first = next((room for item in items if (room := book.by_id(item.id)) is not None), None)
        return (first.time_zone if first is not None else None) or self._options().time_zone

    def preview(self, order: SeriesOrder) -> Sequence[PlannedDate]:
        self._rooms.current_book()
        with self._database.read() as transaction:
            items, dates = check_order(transaction, order)
            return self._planner(transaction, order, items, dates).plan(with_stand_ins=True)

    def book(self, order: SeriesOrder, *, actor: str) -> AppSeries:
        """Book all dates that are not left out, or none. Raises Invalid, RuleBroken, Unavailable."""
        return self._desk.edit(lambda transaction: self._book(transaction, order, actor))

    def change(self, number: LoanNumber, change: LoanChange, scope: Scope, *, actor: str) -> Loan:
        if scope is Scope.THIS:
            return self._desk.change(number, change, actor=actor)
        self._rooms.current_book()
        return self._desk.edit(lambda transaction: self._scope(transaction, number, scope).change(change, actor=actor))

    def cancel(self, number: LoanNumber, scope: Scope, *, actor: str, reason: str = "") -> Loan:
        if scope is Scope.THIS:
            return self._desk.act(number, LoanAction.CANCEL, actor=actor, reason=reason)
        self._rooms.current_book()
        return self._desk.edit(
            lambda transaction: self._scope(transaction, number, scope).cancel(actor=actor, reason=reason)
        )

    def _scope(self, transaction: Transaction, number: LoanNumber, scope: Scope) -> SeriesScope:
        zone = self._options().time_zone
        return SeriesScope(transaction, self._desk, self._rooms, number=number, scope=scope, zone=zone)

    def find(self, series_id: int) -> AppSeries:
        with self._database.read() as transaction:
            return find_app_series(transaction, series_id)

    def _planner(
        self,
        transaction: Transaction,
        order: SeriesOrder,
        items: Mapping[int, Item],
        dates: Sequence[tuple[date, Interval]],
    ) -> DatePlanner:
        zone = self._options().time_zone
        return DatePlanner(transaction, order, items, dates, rooms=self._rooms, time_zone=zone)

    def _book(self, transaction: Transaction, order: SeriesOrder, actor: str) -> AppSeries:
        items, dates = check_order(transaction, order)
        lock_items(transaction.connection, items)
        planned = self._planner(transaction, order, items, dates).plan(with_stand_ins=False)
        _refuse_dates(planned)
        series_id = _add_series(transaction, order, planned)
        led = []
        for each in planned:
            if each.state is DateState.FREE:
                number = self._add_date(transaction, series_id, order, each, items, actor)
                if any(ref.kind is ItemKind.ROOM for ref in each.items):
                    led.append((number, 1, each.day))
        lead_dates(transaction, series_id, led)
        return find_app_series(transaction, series_id)

    def _add_date(
        self,
        transaction: Transaction,
        series_id: int,
        order: SeriesOrder,
        planned: PlannedDate,
        items: Mapping[int, Item],
        actor: str,
    ) -> LoanNumber:
        waits = self._options().approval or any(items[ref.id].approval for ref in planned.items)
        number = add_loan(
            transaction,
            LoanOrder(order.requester, planned.interval, planned.items, order.title, order.notes, order.private),
            store_id=items[planned.items[0].id].store_id,
            status=LoanStatus.PENDING_APPROVAL if waits else LoanStatus.NEW,
            series=series_id,
        )
        date_of_series = {"series": series_id, "day": f"{planned.day}"}
        write_entries(
            transaction,
            [Entry(number, "booked_in_app", {}, actor), Entry(number, "date_of_series", date_of_series, actor)],
        )
        return number


def _refuse_dates(planned: Sequence[PlannedDate]) -> None:
    """Refuse a series of which a date that is not left out cannot be had."""
    clashes = [clash for each in planned for clash in each.clashes]
    if clashes:
        raise Unavailable(*clashes)
    for each in planned:
        for breach in each.breaches:
            facts = {"item_id": breach.item_id, "item": breach.item_name, "date": f"{each.day}", **breach.rule.facts}
            code = breach.rule.code
            raise RuleBroken(code, facts, f"{each.day}, {breach.item_name}: {explain(code, facts)}")


def _add_series(transaction: Transaction, order: SeriesOrder, planned: Sequence[PlannedDate]) -> int:
    values = {
        "zone": order.recurrence.zone,
        "version": 1,
        "title": "",
        "private": order.private,
        "recurrence": render_recurrence(order.recurrence),
        "left_out": [each.day.isoformat() for each in planned if each.state is DateState.LEFT_OUT],
    }
    return int(_ADD.run(transaction.connection, values).scalar_one())


def find_app_series(transaction: Transaction, series_id: int) -> AppSeries:
    """Return a series with its loans. Raises NotFound."""
    connection = transaction.connection
    found = ONE_SERIES.run(connection, {"of_id": series_id}).first() if 0 < series_id <= ID_MAX else None
    if found is None:
        raise NotFound(f"there is no series {series_id}")
    numbers = DATES_OF.run(connection, {"series": str(series_id)}).scalars()
    return AppSeries(
        id=found.id,
        recurrence=parse_recurrence(found.recurrence),
        left_out=tuple(date.fromisoformat(day) for day in found.left_out),
        loans=tell_loans(connection, numbers),
    )
