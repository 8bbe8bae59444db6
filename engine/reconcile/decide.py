"""The decision tables: what one field of a booking needs, and how a booking ends.

Swapping the sides swaps the verdict: `mirror` says how, and the tests hold every case to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from engine.loans.loan import Home


class Verdict(StrEnum):
    """What one compared field needs."""

    REST = "rest"
    COPY_TO_LOAN = "copy_to_loan"
    COPY_TO_OUTLOOK = "copy_to_outlook"
    AGREE = "agree"
    """Both made the same change: it is the new base."""
    OUTLOOK_WINS = "outlook_wins"
    """Both changed it otherwise; the booking was born in Outlook. The loan's value goes into a case."""
    APP_WINS = "app_wins"


def decide_field(*, outlook_changed: bool, loan_changed: bool, same: bool, home: Home) -> Verdict:
    """Say what one field needs, from what became of it on either side since both agreed last."""
    match outlook_changed, loan_changed:
        case False, False:
            return Verdict.REST
        case True, False:
            return Verdict.COPY_TO_LOAN
        case False, True:
            return Verdict.COPY_TO_OUTLOOK
        case _ if same:
            return Verdict.AGREE
        case _:
            return Verdict.OUTLOOK_WINS if home is Home.OUTLOOK else Verdict.APP_WINS


_MIRROR: Mapping[Verdict, Verdict] = MappingProxyType(
    {
        Verdict.REST: Verdict.REST,
        Verdict.AGREE: Verdict.AGREE,
        Verdict.COPY_TO_LOAN: Verdict.COPY_TO_OUTLOOK,
        Verdict.COPY_TO_OUTLOOK: Verdict.COPY_TO_LOAN,
        Verdict.OUTLOOK_WINS: Verdict.APP_WINS,
        Verdict.APP_WINS: Verdict.OUTLOOK_WINS,
    }
)


def mirror(verdict: Verdict) -> Verdict:
    """Return the verdict of the same situation with the two sides swapped."""
    return _MIRROR[verdict]


class LoanEnd(StrEnum):
    """How far a loan's life is, as far as the other side must know."""

    ALIVE = "alive"
    WITHDRAWN = "withdrawn"
    """Cancelled or refused: the event goes (H56)."""
    FINISHED = "finished"
    """Completed or a no-show: history, left as it is on both sides."""


class MeetingEnd(StrEnum):
    ALIVE = "alive"
    GONE = "gone"
    ROOMLESS = "roomless"
    """It lives on, but not one of our rooms is in it any more: all declined, released or removed."""


class EndVerdict(StrEnum):
    COMPARE = "compare"
    """Both alive: compare the fields."""
    REST = "rest"
    CANCEL_LOAN = "cancel_loan"
    REFUSE_LOAN_AND_DELETE_EVENT = "refuse_loan_and_delete_event"
    DELETE_EVENT = "delete_event"
    FORGET = "forget"
    """Both ended: the link is closed."""


_ENDS: Mapping[tuple[MeetingEnd, LoanEnd], EndVerdict] = MappingProxyType(
    {
        (MeetingEnd.ALIVE, LoanEnd.ALIVE): EndVerdict.COMPARE,
        (MeetingEnd.ALIVE, LoanEnd.WITHDRAWN): EndVerdict.DELETE_EVENT,
        (MeetingEnd.ALIVE, LoanEnd.FINISHED): EndVerdict.REST,
        (MeetingEnd.GONE, LoanEnd.ALIVE): EndVerdict.CANCEL_LOAN,
        (MeetingEnd.GONE, LoanEnd.WITHDRAWN): EndVerdict.FORGET,
        (MeetingEnd.GONE, LoanEnd.FINISHED): EndVerdict.REST,
        (MeetingEnd.ROOMLESS, LoanEnd.WITHDRAWN): EndVerdict.DELETE_EVENT,
        (MeetingEnd.ROOMLESS, LoanEnd.FINISHED): EndVerdict.REST,
    }
)


def decide_end(meeting: MeetingEnd, loan: LoanEnd, home: Home) -> EndVerdict:
    """Say how a booking ends. Cancelled beats everything, and nothing is ever resurrected.

    Without rooms a booking born in Outlook loses its loan (the meeting itself is the organizer's);
    one born here is refused and its event deleted (H56).
    """
    if meeting is MeetingEnd.ROOMLESS and loan is LoanEnd.ALIVE:
        return EndVerdict.CANCEL_LOAN if home is Home.OUTLOOK else EndVerdict.REFUSE_LOAN_AND_DELETE_EVENT
    if meeting is MeetingEnd.ROOMLESS and loan is LoanEnd.WITHDRAWN and home is Home.OUTLOOK:
        return EndVerdict.FORGET  # the organizer's meeting, no longer with a room of ours
    return _ENDS[meeting, loan]
