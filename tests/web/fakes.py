"""A desk in memory that behaves: one room calendar without rules, the real table of transitions, real clashes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from engine.errors import Clash, Fault, Invalid, NotAllowed, NotFound, Outdated, RuleBroken, Unavailable
from engine.ids import Address, BookableId, LoanNumber, StoreId
from engine.interval import Interval
from engine.loans.loan import Asset, Case, CaseState, Decision, Home, ItemKind, Loan, LoanItem, Store
from engine.loans.once import Answer as Kept
from engine.loans.once import Begun, OnceBook
from engine.loans.recurrence import expand
from engine.loans.register import Availability, Busy, ItemRef, LoanChange, LoanFilter, LoanOrder
from engine.loans.rules import BookingRules
from engine.loans.status import ItemState, LoanAction, LoanStatus, next_status
from engine.reconcile.actions import Note
from engine.reconcile.cases.ways import CaseView, Choice, Way, ways_of
from engine.reconcile.series.book import AppSeries, DateState, PlannedDate, Scope, SeriesOrder
from engine.reconcile.telling.why import Answer, Known, say_why
from engine.rooms.ranking import RankedRoom
from engine.rooms.room import Room, RoomState

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
MAIN = Store(StoreId(1), "Main desk")


def make_room(number: int, name: str, *, capacity: int = 10, state: RoomState = RoomState.ACTIVE) -> Room:
    address = Address(f"{name.lower().replace(' ', '-')}@example.org")
    return Room(BookableId(number), address, f"dir-{number}", name, state, MAIN.id, capacity=capacity)


@dataclass
class MemoryRooms:
    rooms: list[Room] = field(default_factory=lambda: [make_room(1, "Room 1.01"), make_room(2, "Room 1.02")])

    zones: dict[int, str | None] = field(default_factory=dict)

    def load_rooms(self) -> tuple[Room, ...]:
        return tuple(self.rooms)

    def set_time_zone(self, room_id: int, time_zone: str | None) -> None:
        self.zones[room_id] = time_zone


@dataclass(frozen=True)
class MemoryIdentity:
    name: str
    role: str


@dataclass
class MemoryTokens:
    known: dict[str, MemoryIdentity] = field(default_factory=dict)

    def create(self, name: str, role: str) -> str:
        if any(item.name == name for item in self.known.values()):
            raise Invalid(Fault("name", "taken", f"there is a token {name!r} already"))
        token = f"secret-of-{name}"
        self.known[token] = MemoryIdentity(name, role)
        return token

    def authenticate(self, token: str) -> MemoryIdentity | None:
        return self.known.get(token)

    def list_tokens(self) -> Sequence[MemoryIdentity]:
        return tuple(self.known.values())

    def revoke(self, name: str) -> None:
        for token, identity in self.known.items():
            if identity.name == name:
                del self.known[token]
                return
        raise NotFound(f"there is no token {name!r}")


@dataclass
class MemoryDesk:
    """Implements LoanRegister."""

    rooms: MemoryRooms = field(default_factory=MemoryRooms)
    loans: dict[int, Loan] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    assets: list[Asset] = field(default_factory=lambda: [Asset(BookableId(100), "Projector", MAIN.id, MAIN.name)])
    stores: list[Store] = field(default_factory=lambda: [MAIN])
    cases: list[Case] = field(default_factory=list)
    rules: dict[int, BookingRules] = field(default_factory=dict)
    failure: Exception | None = None
    """Raised by the next call of `find` or `book`, to see how it is told."""

    def book(self, order: LoanOrder, *, actor: str) -> Loan:
        self._fail()
        number = LoanNumber(len(self.loans) + 1)
        items = tuple(self._item(ref) for ref in order.items)
        loan = Loan(
            number, LoanStatus.NEW, Home.APP, order.requester, order.interval, items, MAIN.id, MAIN.name, 1,
            order.title, order.notes, order.private,
        )  # fmt: skip
        self._check(loan)
        return self._keep(loan, "booked_in_app", actor)

    def change(self, number: LoanNumber, change: LoanChange, *, actor: str) -> Loan:
        loan = self.find(number)
        if change.seen_version not in (None, loan.version):
            raise Outdated(f"loan {number} has moved on to version {loan.version}", loan.version)
        if not loan.blocks:
            raise NotAllowed(f"loan {number} is {loan.status}")
        changed = replace(
            loan,
            interval=Interval(change.start or loan.interval.start, change.end or loan.interval.end),
            requester=change.requester or loan.requester,
            items=loan.items if change.items is None else tuple(self._item(ref) for ref in change.items),
            title=loan.title if change.title is None else change.title,
            notes=loan.notes if change.notes is None else change.notes,
            private=loan.private if change.private is None else change.private,
            version=loan.version + 1,
        )
        self._check(changed)
        return self._keep(changed, "changed_in_app", actor, changes="start, end")

    def act(self, number: LoanNumber, action: LoanAction, *, actor: str, reason: str = "") -> Loan:
        loan = self.find(number)
        status = next_status(loan.status, action)
        if status is None:
            raise NotAllowed(f"a loan that is {loan.status} knows no {action}")
        return self._keep(replace(loan, status=status, version=loan.version + 1), action.value, actor, reason=reason)

    def find(self, number: LoanNumber) -> Loan:
        self._fail()
        if number not in self.loans:
            raise NotFound(f"there is no loan {number}")
        return self.loans[number]

    def list_loans(self, wanted: LoanFilter) -> Sequence[Loan]:
        found = [
            loan
            for loan in self.loans.values()
            if loan.number > (wanted.after or 0)
            and (not wanted.statuses or loan.status in wanted.statuses)
            and (wanted.item_id is None or any(item.id == wanted.item_id for item in loan.items))
            and (wanted.starts_before is None or loan.interval.start < wanted.starts_before)
            and (wanted.ends_after is None or loan.interval.end > wanted.ends_after)
        ]
        return found[: wanted.limit]

    def history(self, number: LoanNumber) -> Sequence[Decision]:
        self.find(number)
        return [item for item in self.decisions if item.loan_number == number]

    def availability(self, interval: Interval, *, people: int | None = None) -> Sequence[Availability]:
        fitting = [room for room in self.rooms.rooms if (room.capacity or 0) >= (people or 0)]
        return [self._availability(room, interval) for room in fitting]

    def list_assets(self) -> Sequence[Asset]:
        return tuple(self.assets)

    def add_asset(self, name: str, *, store: str | None, description: str, actor: str) -> Asset:
        asset = Asset(BookableId(100 + len(self.assets)), name, MAIN.id, store or MAIN.name, description)
        self.assets.append(asset)
        return asset

    def list_stores(self) -> Sequence[Store]:
        return tuple(self.stores)

    def set_rules(
        self, rules: BookingRules, *, store_id: StoreId | None, item_id: BookableId | None, actor: str
    ) -> None:
        self.rules[item_id or -(store_id or 0)] = rules

    def list_cases(self, *, state: CaseState | None, after: int | None, limit: int) -> Sequence[Case]:
        return [c for c in self.cases if c.id > (after or 0) and state in (None, c.state)][:limit]

    def settle_case(self, case_id: int, *, settlement: str, actor: str) -> Case:
        for position, case in enumerate(self.cases):
            if case.id == case_id:
                if case.state is CaseState.CLOSED:
                    raise NotAllowed(f"case {case_id} is closed already")
                closed = replace(case, state=CaseState.CLOSED, closed_at=NOW, closed_by=actor, settlement=settlement)
                self.cases[position] = closed
                return closed
        raise NotFound(f"there is no case {case_id}")

    def _fail(self) -> None:
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure

    def _item(self, ref: ItemRef) -> LoanItem:
        if ref.kind is ItemKind.ROOM:
            for room in self.rooms.rooms:
                if room.id == ref.id:
                    return LoanItem(ref.kind, room.id, room.name, ItemState.REQUESTED, room.address)
        for asset in self.assets:
            if ref.kind is ItemKind.ASSET and asset.id == ref.id:
                return LoanItem(ref.kind, asset.id, asset.name, ItemState.ACCEPTED)
        raise NotFound(f"there is no {ref.kind} {ref.id}")

    def _check(self, loan: Loan) -> None:
        for item in loan.items:
            rules = self.rules.get(item.id, BookingRules())
            minutes = int(loan.interval.length.total_seconds() // 60)
            if rules.duration_minutes_max is not None and minutes > rules.duration_minutes_max:
                facts = {"minutes": minutes, "minutes_max": rules.duration_minutes_max}
                raise RuleBroken("longer_than_maximum", facts, f"it lasts {minutes} minutes")
            for other in self._holders(item.id, loan.interval, loan.number):
                held = other.interval
                raise Unavailable(Clash(item.id, item.name, held.start, held.end, other.number))

    def _holders(self, item_id: BookableId, interval: Interval, apart: LoanNumber | None = None) -> list[Loan]:
        return [
            loan
            for loan in self.loans.values()
            if loan.number != apart
            and loan.interval.blocked().overlaps(interval.blocked())
            and any(item.id == item_id for item in loan.held_items)
        ]

    def _availability(self, room: Room, interval: Interval) -> Availability:
        busy = tuple(Busy(room.id, loan.interval.blocked(), loan.number) for loan in self._holders(room.id, interval))
        return Availability(ItemKind.ROOM, room.id, room.name, room.capacity, not busy, busy, room.store_id)

    def _keep(self, loan: Loan, code: str, actor: str, **facts: object) -> Loan:
        self.loans[loan.number] = loan
        self.decisions.append(Decision(NOW, code, facts, actor, loan.number))
        return loan


class MemoryOnce(OnceBook):
    """Remembers requests for as long as the test lasts."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[str, Kept | None]] = {}

    def begin(self, digest: str, fingerprint: str) -> tuple[Begun, Kept | None]:
        if digest not in self.kept:
            self.kept[digest] = (fingerprint, None)
            return Begun.FIRST, None
        asked, answer = self.kept[digest]
        if asked != fingerprint:
            return Begun.OTHER, None
        return (Begun.AT_WORK, None) if answer is None else (Begun.ANSWERED, answer)

    def finish(self, digest: str, answer: Kept) -> None:
        self.kept[digest] = (self.kept[digest][0], answer)

    def forget(self, digest: str) -> None:
        del self.kept[digest]


@dataclass
class MemoryCases:
    """Settles the desk's cases by any way there is for their kind, and changes no loan."""

    desk: MemoryDesk
    policies: dict[int, dict[str, Way]] = field(default_factory=dict)

    def find(self, case_id: int) -> CaseView:
        for case in self.desk.cases:
            if case.id == case_id:
                rooms = tuple(RankedRoom(room) for room in self.desk.rooms.rooms)
                ways = ways_of(case.code) if case.state is CaseState.OPEN else ()
                choices = tuple(Choice(way, rooms if way is Way.MOVE_ROOM else ()) for way in ways)
                return CaseView(case, choices, Note("no_undo_open") if choices else None)
        raise NotFound(f"there is no case {case_id}")

    def settle(self, case_id: int, way: Way, *, room_id: BookableId | None, actor: str) -> CaseView:
        if way not in ways_of(self.find(case_id).case.code):
            raise NotAllowed(f"case {case_id} is not settled by {way}")
        self.desk.settle_case(case_id, settlement=way.value, actor=actor)
        return self.find(case_id)

    def undo(self, case_id: int, *, actor: str) -> CaseView:
        case = self.find(case_id).case
        if case.state is CaseState.OPEN:
            raise NotAllowed(f"case {case_id}: it is open")
        self.desk.cases[self.desk.cases.index(case)] = replace(case, state=CaseState.OPEN, settlement=None)
        return self.find(case_id)

    def policy_of(self, store_id: StoreId) -> dict[str, Way]:
        return self.policies.get(store_id, {})

    def set_policy(self, store_id: StoreId, policy: Mapping[str, Way], *, actor: str) -> None:
        self.policies[store_id] = dict(policy)


@dataclass
class MemoryWhy:
    """Knows nothing of any room, and says so."""

    rooms: MemoryRooms

    def ask(self, room_id: BookableId, at: datetime) -> Answer:
        room = next(room for room in self.rooms.rooms if room.id == room_id)
        return Answer(room, at, say_why(Known(room, at, NOW, contacted_at=NOW)))


@dataclass
class MemorySeries:
    """Implements SeriesBook: every date is free."""

    desk: MemoryDesk
    made: dict[int, AppSeries] = field(default_factory=dict)

    def zone_of(self, items: Sequence[ItemRef]) -> str:
        return "Europe/Paris"

    def preview(self, order: SeriesOrder) -> Sequence[PlannedDate]:
        return [PlannedDate(day, times, order.items, DateState.FREE) for day, times in expand(order.recurrence)]

    def book(self, order: SeriesOrder, *, actor: str) -> AppSeries:
        loans = [
            self.desk.book(LoanOrder(order.requester, times, order.items, order.title), actor=actor)
            for _, times in expand(order.recurrence)
        ]
        number = len(self.made) + 1
        self.made[number] = AppSeries(number, order.recurrence, (), tuple(loans))
        return self.made[number]

    def change(self, number: LoanNumber, change: LoanChange, scope: Scope, *, actor: str) -> Loan:
        return self.desk.change(number, change, actor=actor)

    def cancel(self, number: LoanNumber, scope: Scope, *, actor: str, reason: str = "") -> Loan:
        return self.desk.act(number, LoanAction.CANCEL, actor=actor, reason=reason)

    def find(self, series_id: int) -> AppSeries:
        if series_id not in self.made:
            raise NotFound(f"there is no series {series_id}")
        return self.made[series_id]
