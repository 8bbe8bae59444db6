"""Cases to look at: what the passes would open, opened by hand, over an office without an engine."""

from __future__ import annotations

from datetime import timedelta

from engine.app.office import Office
from engine.database.cases.records import open_cases
from engine.ids import LoanNumber
from engine.interval import Interval
from engine.loans.loan import Loan
from engine.reconcile.actions import Note
from engine.reconcile.cases.ways import Way
from engine.reconcile.notes import note_lost_interval


def open_case(office: Office, subject: str, note: Note, *, loan: Loan | None = None, standing: bool = True) -> int:
    """Open a case and return its number. A subject `meeting:abc` is the meeting whose copies have the uid `abc`."""
    uid = subject.removeprefix("meeting:") if subject.startswith("meeting:") else None
    with office.database.write() as transaction:
        number = loan.number if loan is not None else None
        open_cases(transaction, subject, [note], standing=standing, loan_number=number, ical_uid=uid)
    return max(case.id for case in office.desk.list_cases(state=None, after=None, limit=1000))


def open_times_conflict(office: Office, loan: Loan, lost: Interval) -> int:
    """Let Outlook have won with the loan's times over *lost*, which the desk wanted."""
    note = note_lost_interval("outlook", kept=loan.interval, lost=lost)
    return open_case(office, f"loan:{loan.number}:interval:1", note, loan=loan, standing=False)


def open_declined(office: Office, loan: Loan, room_id: int) -> int:
    """Let a room of *loan* have declined."""
    return open_case(office, f"loan:{loan.number}", Note("room_declined", {"item_id": room_id}), loan=loan)


def file_cases(office: Office) -> None:
    """Open a case of most kinds about the first loans and rooms, settle one and let one go by itself."""
    first, second, *_ = (office.desk.find(LoanNumber(number)) for number in (1, 2))
    hour = timedelta(hours=1)
    open_times_conflict(office, first, Interval(first.interval.start + hour, first.interval.end + hour))
    settled = open_times_conflict(office, second, Interval(second.interval.start + hour, second.interval.end + hour))
    office.cases.settle(settled, Way.KEEP_LOAN, room_id=None, actor="app:mathieu.dupuis@example.org")
    open_declined(office, second, second.rooms[0].id)
    facts = {"start": "2026-11-24 05:00", "end": "2026-11-24 06:30", "hours": "08:00-20:00"}
    open_case(office, f"loan:{first.number}", Note("outside_opening_hours", facts), loan=first)
    open_case(office, "meeting:abc", Note("organizer_unknown", {"organizer": "guest@elsewhere.example"}))
    office.note_parked("room", "3", "GET https://graph.microsoft.com/v1.0/users/3/calendarView/delta: 400 Bad Request")
    office.note_parked("room", "4", "no answer")
    office.note_recovered("room", "4")
