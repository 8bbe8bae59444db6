"""What the writes of a plan need beside it: mailbox, words, and what the organizer's copy was at that time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from engine.ids import EventId
from engine.loans.loan import Home, Loan
from engine.reconcile.actions import CreateEvent, Plan
from engine.reconcile.ledger import Draft, Ledger, Link, SyncRules, Writing
from engine.reconcile.observe import Known
from engine.reconcile.shadow import is_withheld
from engine.reconcile.telling.preview import mailbox_for
from engine.worker.answers import AnswerClock
from engine.worker.observer import Observed
from engine.worker.wording import Wording


class WritingBuilder:
    """Builds it from what was observed."""

    def __init__(self, ledger: Ledger, answers: AnswerClock, wording: Wording, rules: Callable[[], SyncRules]) -> None:
        self._ledger = ledger
        self._answers = answers
        self._wording = wording
        self._rules = rules

    def build(self, observed: Observed, made: Plan) -> Writing:
        """Return what saving *made* needs beside it."""
        booking, meeting = observed.booking, observed.meeting
        loan, link = booking.loan, booking.link
        organizer = meeting.organizer.address if meeting.organizer is not None else None
        writing = Writing(
            event_id=meeting.organizer_event_id,
            etag=meeting.organizer_etag,
            organizer_mailbox=_home_mailbox(link, organizer, loan, meeting.organizer_event_id),
            web_link=meeting.web_link,
            checked=self._is_checked(observed) and not is_withheld(made),
            unshown=observed.unshown,
            unsettled=observed.unsettled,
            ahead=meeting.ahead,
        )
        if loan is None or not made.writes:
            return writing
        return replace(
            writing,
            mailbox=mailbox_for(loan.requester.address, self._rules()) if _creates(made) else None,
            subject=self._wording.subject(loan),
            body=self._wording.body(loan),
            shown=self._shown(observed.known),
            fields=self._wording.fields(loan),
        )

    def _is_checked(self, observed: Observed) -> bool:
        """Tell whether the organizer's copy was asked for answers. Of a plan that a mode withholds nothing is kept, so
        that the next look has to ask again."""
        booking = observed.booking
        return self._answers.is_due(booking) or (observed.known.organizer_read and booking.series is None)

    def _shown(self, known: Known) -> Draft:
        book, copy = self._ledger.room_book(), known.organizer_copy
        if copy is None:
            return Draft(rooms=book.mailboxes_of(known.base.outlook.rooms if known.base is not None else ()))
        rooms = book.numbers_of(attendee.address for attendee in copy.attendees)
        return Draft(interval=copy.interval, rooms=book.mailboxes_of(rooms))


def _home_mailbox(link: Link | None, organizer: str | None, loan: Loan | None, event_id: EventId | None) -> str | None:
    """Return the mailbox that holds the organizer's copy: it follows an organizer who changes, and of an event of ours
    only when the event was found there."""
    linked = link.mailbox if link is not None else None
    if loan is not None and loan.home is Home.APP and linked is not None:
        moved = link is not None and event_id is not None and link.event_id not in (None, event_id)
        return (organizer or linked) if moved else linked
    return organizer or linked


def _creates(made: Plan) -> bool:
    return any(isinstance(write, CreateEvent) for write in made.writes)
