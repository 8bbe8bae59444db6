"""Looking at every date of a series before it is booked: what is taken, which rules say no, what could stand in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from engine.database.loans.desk import refuse, zone_of
from engine.database.loans.occupancy import find_busy
from engine.database.rooms.book import RoomCache
from engine.database.sql.transaction import Transaction
from engine.database.stores.catalogue import Item, find_item_faults, find_room_faults, load_items
from engine.errors import Clash, Fault
from engine.ids import BookableId
from engine.interval import Interval
from engine.loans.loan import ItemKind
from engine.loans.recurrence import expand, find_recurrence_faults
from engine.loans.register import Busy, ItemRef, LoanOrder
from engine.loans.rules import find_breaches
from engine.loans.wishes import find_order_faults
from engine.reconcile.series.book import Breach, DateState, PlannedDate, SeriesOrder, StandIns
from engine.rooms.ranking import rank_rooms, wish_like
from engine.rooms.room import Room, RoomState

STAND_INS_MAX = 5
"""How many rooms are offered in the place of one: the best."""


def check_order(
    transaction: Transaction, order: SeriesOrder
) -> tuple[dict[int, Item], tuple[tuple[date, Interval], ...]]:
    """Return every item that *order* names, and its dates. Raises Invalid with every fault it has."""
    refuse(find_recurrence_faults(order.recurrence))
    dates = expand(order.recurrence)
    first = LoanOrder(order.requester, dates[0][1], order.items, order.title, order.notes, order.private)
    refuse(find_order_faults(first, now=transaction.now))
    refuse(find_room_faults(transaction.connection, order.requester.address))
    refuse(_choice_faults(order, {day for day, _ in dates}))
    chosen = [choice.items for choice in order.choices if choice.items is not None]
    items = load_items(transaction.connection, (item.id for each in (order.items, *chosen) for item in each))
    refuse([fault for each in (order.items, *chosen) for fault in find_item_faults(each, items)])
    return items, dates


def _choice_faults(order: SeriesOrder, days: set[date]) -> list[Fault]:
    faults, seen = [], set()
    for index, choice in enumerate(order.choices):
        if choice.day not in days:
            faults.append(Fault(f"choices.{index}.date", "unknown", f"the series has no date on {choice.day}"))
        if choice.day in seen:
            faults.append(Fault(f"choices.{index}.date", "doubled", f"{choice.day} is chosen for twice"))
        if choice.items is not None and len({item.id for item in choice.items}) != len(choice.items or ()):
            faults.append(Fault(f"choices.{index}.items", "doubled", "an item is named twice"))
        if choice.items == ():
            faults.append(Fault(f"choices.{index}.items", "missing", "name at least one item, or leave the date out"))
        seen.add(choice.day)
    if len([choice for choice in order.choices if choice.items is None]) == len(days):
        faults.append(Fault("choices", "nothing_left", "at least one date must be booked"))
    return faults


class DatePlanner:
    """Looks at the dates of one series within a transaction."""

    def __init__(
        self,
        transaction: Transaction,
        order: SeriesOrder,
        items: Mapping[int, Item],
        dates: Sequence[tuple[date, Interval]],
        *,
        rooms: RoomCache,
        time_zone: str,
    ) -> None:
        self._transaction = transaction
        self._order = order
        self._items = items
        self._dates = dates
        self._rooms = rooms
        self._time_zone = time_zone
        self._choices = {choice.day: choice for choice in order.choices}
        self._span = Interval(dates[0][1].start, dates[-1][1].end)

    def plan(self, *, with_stand_ins: bool) -> tuple[PlannedDate, ...]:
        """Return every date as it would be booked."""
        busy = _by_item(find_busy(self._transaction.connection, sorted(self._items), self._span))
        planned = tuple(self._plan_date(day, interval, busy) for day, interval in self._dates)
        if not with_stand_ins or all(not date.clashes and not date.breaches for date in planned):
            return planned
        book = self._rooms.book()
        others = [room for room in book.rooms if room.state is RoomState.ACTIVE]
        taken = _by_item(find_busy(self._transaction.connection, [room.id for room in others], self._span))
        return tuple(self._with_stand_ins(date, others, taken) for date in planned)

    def _plan_date(self, day: date, interval: Interval, busy: Mapping[int, Sequence[Busy]]) -> PlannedDate:
        choice = self._choices.get(day)
        if choice is not None and choice.items is None:
            return PlannedDate(day, interval, (), DateState.LEFT_OUT)
        refs = choice.items if choice is not None and choice.items is not None else self._order.items
        wanted = [self._items[ref.id] for ref in refs]
        clashes = tuple(clash for item in wanted for clash in _clashes(item, interval, busy))
        breaches = tuple(breach for item in wanted for breach in self._breaches(item, interval))
        state = DateState.TAKEN if clashes else DateState.AGAINST_RULES if breaches else DateState.FREE
        return PlannedDate(day, interval, refs, state, clashes, breaches)

    def _breaches(self, item: Item, interval: Interval) -> Iterable[Breach]:
        zone = zone_of(item, self._time_zone)
        found = find_breaches(item.rules, interval, now=self._transaction.now, zone=zone)
        return (Breach(item.id, item.name, rule) for rule in found)

    def _with_stand_ins(
        self, planned: PlannedDate, others: Sequence[Room], taken: Mapping[int, Sequence[Busy]]
    ) -> PlannedDate:
        lost = {clash.item_id for clash in planned.clashes} | {breach.item_id for breach in planned.breaches}
        found = tuple(
            self._stand_ins(ref, planned, others, taken)
            for ref in planned.items
            if ref.id in lost and ref.kind is ItemKind.ROOM
        )
        return PlannedDate(
            planned.day, planned.interval, planned.items, planned.state, planned.clashes, planned.breaches, found
        )

    def _stand_ins(
        self, ref: ItemRef, planned: PlannedDate, others: Sequence[Room], taken: Mapping[int, Sequence[Busy]]
    ) -> StandIns:
        mine = {each.id for each in planned.items}
        blocked = planned.interval.blocked()
        free = [
            room
            for room in others
            if room.id not in mine
            and not any(busy.interval.overlaps(blocked) for busy in taken.get(room.id, ()))
            and not self._rooms.breaches([room.id], planned.interval, now=self._transaction.now)
        ]
        gone = self._rooms.book().by_id(ref.id)
        ranked = rank_rooms(wish_like(gone), free) if gone is not None else ()
        return StandIns(BookableId(ref.id), ranked[:STAND_INS_MAX])


def _by_item(busy: Iterable[Busy]) -> dict[int, list[Busy]]:
    found: dict[int, list[Busy]] = {}
    for each in busy:
        found.setdefault(each.item_id, []).append(each)
    return found


def _clashes(item: Item, interval: Interval, busy: Mapping[int, Sequence[Busy]]) -> Iterable[Clash]:
    blocked = interval.blocked()
    return (
        Clash(item.id, item.name, each.interval.start, each.interval.end, each.loan_number)
        for each in busy.get(item.id, ())
        if each.interval.overlaps(blocked)
    )
