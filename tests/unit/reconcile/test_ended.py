"""What has ended, and which rooms an end has left behind."""

from __future__ import annotations

import pytest

from engine.ids import EventId, ICalUid
from engine.loans.status import LoanStatus
from engine.reconcile.ledger import Booking, Link, Series
from engine.reconcile.views import RoomCopy
from engine.rooms.event import Answer
from tests.unit.reconcile.building import ONE, TWO, make_copy, make_loan

A_DATE = Series(1, ICalUid("series"), ICalUid("day"), "UTC", 1)


def ended(
    *copies: RoomCopy,
    status: LoanStatus = LoanStatus.CANCELLED,
    state: str = "ended",
    freed: bool = True,
    series: Series | None = None,
) -> Booking:
    link = Link(1, state, None, None, None, None, None, None, None, None, freed=freed)
    return Booking("loan", "1", make_loan(rooms=(ONE,), status=status), link, copies, series=series)


@pytest.mark.parametrize("status", LoanStatus)
@pytest.mark.parametrize("state", ["pending", "led", "linked", "ended", "left"])
def test_only_a_withdrawn_loan_whose_event_we_ended_has_ended(status: LoanStatus, state: str) -> None:
    is_withdrawn = status in (LoanStatus.CANCELLED, LoanStatus.REFUSED)
    assert ended(status=status, state=state).has_ended is (is_withdrawn and state == "ended")


def test_what_has_no_loan_or_no_event_has_not_ended() -> None:
    assert not Booking("meeting", "uid-1", None, None, ()).has_ended
    assert not Booking("loan", "1", make_loan(rooms=(ONE,), status=LoanStatus.CANCELLED), None, ()).has_ended


@pytest.mark.parametrize(
    ("booking", "leaves"),
    [
        (ended(make_copy(TWO)), True),
        (ended(make_copy(ONE)), True),
        (ended(make_copy(ONE, gone=True), make_copy(TWO)), True),
        (ended(make_copy(TWO), status=LoanStatus.REFUSED), True),
        # its organizer's calendar has ended it: a room that has not heard of that yet will
        (ended(make_copy(ONE), freed=False), False),
        (ended(make_copy(TWO), freed=False), False),
        # the room holds nothing any more, or what it shows is to be looked into first
        (ended(make_copy(TWO, answer=Answer.DECLINED)), False),
        (ended(make_copy(TWO, gone=True)), False),
        (ended(make_copy(TWO, doubt=True)), False),
        (ended(), False),
        # a date that a room has with its series goes with that; one that it has by itself does not
        (ended(make_copy(TWO, series_master_id=EventId("its-series")), series=A_DATE), False),
        (ended(make_copy(TWO), series=A_DATE), True),
        # the loan lives, or its event was ended by Outlook, which tells every room itself
        (ended(make_copy(TWO), status=LoanStatus.NEW), False),
        (ended(make_copy(TWO), state="left"), False),
    ],
)
def test_a_room_that_shows_what_was_ended_room_by_room_is_left_behind(booking: Booking, leaves: bool) -> None:
    assert booking.leaves_a_room_behind is leaves
