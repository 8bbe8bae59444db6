"""Carrying a backfill out: some meetings at a time, each time in one transaction.

A step takes the next meetings that are due, whoever calls it: killed, it did not happen; called twice, the second call
takes the following ones. What is done to a meeting is decided anew in its own transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update

from engine.database.backfill.rows import Result, load_due, save_results
from engine.database.backfill.scene import Listed, Scene, SceneLoader
from engine.database.cases.records import write_decisions
from engine.database.links.bookings import ADD_LINK
from engine.database.links.codec import render_base, render_face
from engine.database.links.loan_side import free_uid
from engine.database.loans.rows import load_loans, loan_table
from engine.database.mirror.mirror import link_table
from engine.database.rooms.book import RoomCache
from engine.database.rooms.listed import relist
from engine.database.series.dates import count_dates_before, find_series
from engine.database.sql.marks import Priority
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.sync.settle import Settler
from engine.database.tables import metadata
from engine.database.work.wakes import ask_organizers
from engine.errors import Occupied
from engine.ids import domain_of
from engine.loans.loan import Home, Loan
from engine.outbox.changes import LOAN, Event
from engine.reconcile.actions import Note, Situation
from engine.reconcile.backfill.book import MeetingState
from engine.reconcile.backfill.proposal import Proposal, Step, linked_base
from engine.reconcile.ledger import Booking, SyncRules, Writing
from engine.reconcile.plan import plan
from engine.reconcile.validate import PeopleRule
from engine.reconcile.views import Face
from engine.rooms.series import day_of

decision_table = metadata.tables["decision"]

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
"""When a listed meeting was first seen: its rooms have had all the time they need to answer."""

READ_AFTER_SECONDS = 15.0
"""When the organizers' copies are read for titles: loans first, since each of these costs a request."""

_LINKS_OF = Prepared(
    select(link_table.c.ical_uid, link_table.c.loan_number, link_table.c.base).where(
        link_table.c.ical_uid.in_(bindparam("keys", expanding=True))
    )
)
_GENERATION = Prepared(select(func.max(link_table.c.generation)).where(link_table.c.loan_number == bindparam("number")))
_CHANGE_LOAN = Prepared(update(loan_table).where(loan_table.c.number == bindparam("of_number")))
_LAST_DECISION = Prepared(select(func.coalesce(func.max(decision_table.c.id), 0)))


class BackfillDoer:
    """Carries backfills out within the transaction it is given."""

    def __init__(self, rooms: RoomCache, rules: Callable[[], SyncRules], loader: SceneLoader, settler: Settler) -> None:
        self._rooms = rooms
        self._rules = rules
        self._loader = loader
        self._settler = settler

    def apply_some(self, transaction: Transaction, row: Any, limit: int) -> int:
        """Carry out the next chosen meetings; returns how many were dealt with."""
        due = load_due(transaction.connection, row.number, MeetingState.CHOSEN, limit)
        if due:
            scene = self._loader.load(transaction, [each.key for each in due])
            results = [self._apply(transaction, row, each, scene) for each in due]
            self._follow(transaction, scene, [each for each in results if each.state is MeetingState.DONE])
            save_results(transaction.connection, results)
        return len(due)

    def _apply(self, transaction: Transaction, row: Any, line: Any, scene: Scene) -> Result:
        proposal = scene.propose(line.key, rivals=())
        planned = Proposal(Step(line.step), line.code, loan_number=line.loan_number)
        if not proposal.does_as(planned):
            return _failed(line, proposal.code, proposal.facts)
        listed = scene.meetings[line.key]
        try:
            with transaction.attempt():
                if proposal.step is Step.CREATE:
                    return self._create(transaction, row, line, listed, scene.people)
                return Result(line, MeetingState.DONE, before=self._link(transaction, row, listed, proposal))
        except Occupied:
            return _failed(line, "backfill_taken", {})

    def _create(self, transaction: Transaction, row: Any, line: Any, listed: Listed, people: PeopleRule) -> Result:
        meeting = listed.meeting
        assert meeting.interval is not None, "validation has looked"
        series = find_series(transaction.connection, listed.key)
        booking = Booking("meeting", listed.key, None, None, listed.copies, seen_at=LONG_AGO, series=series)
        made = plan(
            Situation(
                meeting=meeting,
                loan=None,
                base=None,
                people=people,
                now=transaction.now,
                breaches=self._rooms.breaches(sorted(meeting.holding), meeting.interval, now=transaction.now),
                seen_at=LONG_AGO,
                series=series.id if series is not None else None,
                day=day_of(series.key) if series is not None else None,
                dates_max=self._dates_max(transaction, booking),
            )
        )
        if made.loan is None or made.base is None:
            (case,) = made.cases
            return _failed(line, case.code, case.facts)
        note = Note("backfilled", {"backfill": row.number}, actor=row.ordered_by)
        writing = Writing(organizer_mailbox=meeting.organizer.address if meeting.organizer else None)
        self._settler.save(transaction, booking, replace(made, notes=(*made.notes, note)), writing)
        return Result(line, MeetingState.DONE, before={"expected": [render_face(made.base.outlook)]})

    def _dates_max(self, transaction: Transaction, booking: Booking) -> int | None:
        """Return how many dates one series may have when this one comes after them."""
        most = self._rules().series_dates_max
        is_over = booking.series is not None and count_dates_before(transaction, booking) >= most
        return most if is_over else None

    def _link(self, transaction: Transaction, row: Any, listed: Listed, proposal: Proposal) -> dict[str, Any]:
        (loan,) = load_loans(transaction.connection, [proposal.loan_number or 0])
        meeting = listed.meeting
        assert meeting.interval is not None, "validation has looked"
        base = linked_base(loan, listed.organizer)
        free_uid(transaction, listed.key)
        generation = (_GENERATION.run(transaction.connection, {"number": loan.number}).scalar() or 0) + 1
        link = {
            "loan_number": loan.number, "generation": generation, "state": "linked", "ical_uid": listed.key,
            "organizer_mailbox": meeting.organizer.address if meeting.organizer else None, "base": render_base(base),
        }  # fmt: skip
        ADD_LINK.run(transaction.connection, link)
        change_loan(transaction, loan, {"home": Home.OUTLOOK.value})
        note = Note("backfill_linked", {"backfill": row.number}, actor=row.ordered_by)
        write_decisions(transaction, [note], loan_number=loan.number, ical_uid=listed.key)
        after = Face(meeting.interval, listed.organizer, frozenset(meeting.answers))
        return {
            "expected": [render_face(base.outlook), render_face(after)],
            "home": loan.home.value,
            "title": loan.title,
            "private": loan.private,
            "start": loan.interval.start.isoformat(),
            "end": loan.interval.end.isoformat(),
            "requester": [loan.requester.address, loan.requester.name],
            "rooms": [[item.id, item.state.value] for item in loan.rooms],
        }

    def _follow(self, transaction: Transaction, scene: Scene, done: Sequence[Result]) -> None:
        """Let what was made or linked be a booking like any other, and have its title read."""
        if not done:
            return
        connection, keys = transaction.connection, [result.line.key for result in done]
        relist(connection, keys, is_listed=False)
        numbers = {row.ical_uid: row.loan_number for row in _LINKS_OF.run(connection, {"keys": keys})}
        readable = [numbers[key] for key in keys if domain_of(scene.meetings[key].organizer) in scene.people.domains]
        ask_organizers(transaction, readable)
        last = _LAST_DECISION.run(connection).scalar_one()
        for result in done:
            result.loan_number, result.seen_decision = numbers[result.line.key], last
            transaction.mark("loan", str(result.loan_number), priority=Priority.BACKFILL, delay=READ_AFTER_SECONDS)


def change_loan(transaction: Transaction, loan: Loan, values: Mapping[str, Any]) -> None:
    """Change a loan's own row, as its next version."""
    values = {**values, "version": loan.version + 1, "changed_at": transaction.now}
    _CHANGE_LOAN.run(transaction.connection, {"of_number": loan.number, **values})
    transaction.changes.note(LOAN, loan.number, Event.UPDATED)


def _failed(line: Any, outcome: str, facts: Mapping[str, object]) -> Result:
    return Result(line, MeetingState.FAILED, line.loan_number, outcome=outcome, facts=facts)
