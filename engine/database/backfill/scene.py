"""The scene of a backfill: everything that is known of some listed meetings and of the loans around them.

Loaded for many meetings at once, in a handful of statements, within the transaction that plans or carries out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, select

from engine.database.loans.rows import load_loans
from engine.database.mirror.mirror import Mirror, item_table, link_table
from engine.database.rooms.book import RoomCache
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.database.tables.types import Instant
from engine.ids import Address, BookableId, fold_address
from engine.interval import Interval
from engine.loans.loan import Loan, Requester
from engine.loans.status import BLOCKING_STATES, WITHDRAWN_STATUSES, LoanStatus
from engine.reconcile.backfill.proposal import Candidate, Proposal, Rival, classify
from engine.reconcile.ledger import SyncRules
from engine.reconcile.observe import Known, view_meeting
from engine.reconcile.validate import PeopleRule
from engine.reconcile.views import MeetingView, RoomCopy

loan_table = metadata.tables["loan"]

_LINKS = Prepared(
    select(link_table.c.ical_uid, link_table.c.state).where(
        link_table.c.ical_uid.in_(bindparam("uids", expanding=True)), link_table.c.state != "left"
    )
)
_start, _end = bindparam("start", type_=Instant()), bindparam("end", type_=Instant())
_AROUND = (
    select(item_table.c.loan_number, item_table.c.bookable_id, item_table.c.holds)
    .join(loan_table, loan_table.c.number == item_table.c.loan_number)
    .where(
        item_table.c.bookable_id.in_(bindparam("rooms", expanding=True)),
        item_table.c.blocked_end > _start,
        item_table.c.blocked_start < _end,
    )
    .order_by(item_table.c.loan_number, item_table.c.bookable_id)
)
_HELD = Prepared(_AROUND.where(item_table.c.holds))
_OVER = Prepared(
    _AROUND.where(
        ~item_table.c.holds,
        item_table.c.state.in_([state.value for state in sorted(BLOCKING_STATES)]),
        loan_table.c.status == LoanStatus.COMPLETED.value,
    )
)
_LINKED_LOANS = Prepared(
    select(link_table.c.loan_number)
    .where(
        link_table.c.loan_number.in_(bindparam("numbers", expanding=True)),
        link_table.c.state.in_(["linked", "pending"]),
    )
    .distinct()
)


@dataclass(frozen=True, slots=True)
class Listed:
    """One meeting as the scene shows it."""

    key: str
    copies: tuple[RoomCopy, ...]
    meeting: MeetingView
    has_loan: bool

    @property
    def is_listed(self) -> bool:
        return bool(self.copies) and all(copy.listed for copy in self.copies)

    @property
    def organizer(self) -> Address:
        return fold_address(self.meeting.organizer.address) if self.meeting.organizer else fold_address("")


@dataclass(frozen=True, slots=True)
class Scene:
    """Some meetings, and the loans that share a room and a moment with any of them."""

    meetings: Mapping[str, Listed]
    candidates: Sequence[Candidate]
    people: PeopleRule
    names: Mapping[BookableId, str] = field(default_factory=dict)

    def propose(self, key: str, *, rivals: Sequence[Rival]) -> Proposal:
        """Say what a backfill does with the meeting *key*."""
        listed = self.meetings[key]
        return classify(
            listed.meeting,
            listed=listed.is_listed,
            has_loan=listed.has_loan,
            people=self.people,
            candidates=self._around(listed.meeting),
            rivals=rivals,
            names=self.names,
        )

    def _around(self, meeting: MeetingView) -> list[Candidate]:
        interval = meeting.interval
        if interval is None:
            return []
        blocked = interval.blocked()
        return [
            each
            for each in self.candidates
            if each.loan.interval.blocked().overlaps(blocked)
            and (each.held | {item.id for item in each.loan.rooms}) & meeting.holding
        ]


class SceneLoader:
    """Loads scenes within the transaction it is given."""

    def __init__(self, rooms: RoomCache, rules: Callable[[], SyncRules], mirror: Mirror) -> None:
        self._rooms = rooms
        self._rules = rules
        self._mirror = mirror

    def load(self, transaction: Transaction, keys: Sequence[str]) -> Scene:
        """Load the scene of *keys*; one of which nothing is known any more shows as a meeting that is gone."""
        book = self._rooms.book()
        found = self._mirror.load_copies_of(transaction, keys)
        links = {row.ical_uid for row in _LINKS.run(transaction.connection, {"uids": list(keys)})}
        meetings = {}
        for key in keys:
            copies = found.get(key, ())
            meetings[key] = Listed(key, copies, view_meeting(Known(copies=copies), book), key in links)
        rules = self._rules()
        default = Requester(rules.default_user, rules.default_user) if rules.default_user else None
        return Scene(
            meetings=meetings,
            candidates=self._load_candidates(transaction, list(meetings.values())),
            people=PeopleRule(rules.domains, default),
            names={room.id: room.name for room in book.rooms},
        )

    def _load_candidates(self, transaction: Transaction, meetings: Sequence[Listed]) -> list[Candidate]:
        intervals = [each.meeting.interval.blocked() for each in meetings if each.meeting.interval is not None]
        rooms = sorted({room for each in meetings for room in each.meeting.holding})
        if not intervals or not rooms:
            return []
        span = Interval(min(each.start for each in intervals), max(each.end for each in intervals))
        rows = self._load_items(transaction, rooms, span)
        held: dict[int, set[BookableId]] = {}
        for row in rows:
            held.setdefault(row.loan_number, set()).update([BookableId(row.bookable_id)] if row.holds else [])
        if not held:
            return []
        loans = load_loans(transaction.connection, sorted(held))
        linked = set(_LINKED_LOANS.run(transaction.connection, {"numbers": sorted(held)}).scalars())
        return [_candidate(loan, linked, held) for loan in loans if loan.status not in WITHDRAWN_STATUSES]

    def _load_items(self, transaction: Transaction, rooms: Sequence[BookableId], span: Interval) -> list[Any]:
        values = {"rooms": list(rooms), "start": span.start, "end": span.end}
        rows = list(_HELD.run(transaction.connection, values))
        if span.start < transaction.now:  # what is over holds nothing, and may still be the loan of a past meeting
            rows += _OVER.run(transaction.connection, values)
        return rows


def _candidate(loan: Loan, linked: set[int], held: Mapping[int, set[BookableId]]) -> Candidate:
    return Candidate(loan, loan.number in linked, frozenset(held[loan.number]))
