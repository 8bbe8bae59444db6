"""Statuses of loans and states of items, and every transition between them: one table, read by all.

Words and the "does it still block?" flag follow Hector's guide to loan statuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType


class LoanStatus(StrEnum):
    PENDING_APPROVAL = "pending_approval"
    NEW = "new"
    OUT = "out"
    OVERDUE = "overdue"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    SUSPENDED = "suspended"
    """A no-show: nobody came."""


BLOCKING_STATUSES = frozenset({LoanStatus.PENDING_APPROVAL, LoanStatus.NEW, LoanStatus.OUT, LoanStatus.OVERDUE})
"""In these a loan still holds its items."""

WITHDRAWN_STATUSES = frozenset({LoanStatus.CANCELLED, LoanStatus.REFUSED})
"""In these the equivalent event is deleted in Outlook (H56)."""

KEPT_STATUSES = frozenset({LoanStatus.OUT, LoanStatus.OVERDUE})
"""In these somebody has the items, and may keep them for longer, whatever the time."""


class ItemState(StrEnum):
    REQUESTED = "requested"
    TENTATIVE = "tentative"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    RELEASED = "released"
    """Exchange gave the room back although the meeting still lists it."""
    CANCELLED = "cancelled"
    """No longer part of the loan."""
    WITHDRAWN = "withdrawn"
    """Asked for no more: its loan ended before it had answered. Told only, never kept (`Loan.told_state`)."""
    NOT_ASKED = "not_asked"
    """Not asked: Outlook refused the event of its loan, which holds it all the same. Told only, never kept."""


BLOCKING_STATES = frozenset({ItemState.REQUESTED, ItemState.TENTATIVE, ItemState.ACCEPTED})
"""In these an item is held, as long as its loan's status blocks."""


class LoanAction(StrEnum):
    """What a person, Outlook or the clock may do to a loan's status."""

    APPROVE = "approve"
    REFUSE = "refuse"
    CHECK_OUT = "check-out"
    CLOSE = "close"
    CANCEL = "cancel"
    BECOME_OVERDUE = "become-overdue"
    NO_SHOW = "no-show"


_S = LoanStatus
TRANSITIONS: Mapping[tuple[LoanStatus, LoanAction], LoanStatus] = MappingProxyType(
    {
        (_S.PENDING_APPROVAL, LoanAction.APPROVE): _S.NEW,
        (_S.PENDING_APPROVAL, LoanAction.REFUSE): _S.REFUSED,
        (_S.PENDING_APPROVAL, LoanAction.CANCEL): _S.CANCELLED,
        (_S.NEW, LoanAction.REFUSE): _S.REFUSED,
        (_S.NEW, LoanAction.CANCEL): _S.CANCELLED,
        (_S.NEW, LoanAction.CHECK_OUT): _S.OUT,
        (_S.NEW, LoanAction.NO_SHOW): _S.SUSPENDED,
        (_S.OUT, LoanAction.CLOSE): _S.COMPLETED,
        (_S.OUT, LoanAction.CANCEL): _S.CANCELLED,
        (_S.OUT, LoanAction.BECOME_OVERDUE): _S.OVERDUE,
        (_S.OVERDUE, LoanAction.CLOSE): _S.COMPLETED,
    }
)
"""Every transition there is. What is not listed is not allowed."""


def tell_requested(status: LoanStatus, *, is_unasked: bool) -> ItemState:
    """Return the state, as people are told it, of an item whose room has not answered: a loan in a *status* that no
    longer blocks waits for no answer, nor does one whose event Outlook refused."""
    if status not in BLOCKING_STATUSES:
        return ItemState.WITHDRAWN
    return ItemState.NOT_ASKED if is_unasked else ItemState.REQUESTED


def next_status(status: LoanStatus, action: LoanAction) -> LoanStatus | None:
    """Return the status *action* leads to from *status*, None when it is not allowed."""
    return TRANSITIONS.get((status, action))


def allowed_actions(status: LoanStatus) -> tuple[LoanAction, ...]:
    """Return the actions possible from *status*, in the order of the table."""
    return tuple(action for (from_status, action) in TRANSITIONS if from_status is status)


def is_past_changing(status: LoanStatus, end: datetime, *, now: datetime) -> bool:
    """Tell whether nothing is left to change: the loan ended, or its time did and nobody has its items."""
    return status not in BLOCKING_STATUSES or (end <= now and status not in KEPT_STATUSES)
