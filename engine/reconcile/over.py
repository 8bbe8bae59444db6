"""Bookings that are over: nobody has to do anything about them any more, so they have no cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from engine.interval import Interval
from engine.reconcile.actions import Plan

OVER = "over"
"""How a case was settled whose booking is over."""

OVER_FOR = timedelta(days=1)
"""How long after its end a booking still has cases: whoever comes in the next morning sees what went wrong."""

END_TOLD_FOR = timedelta(days=7)
"""How long a case stands that tells the desk of the end of its loan, where that comes before the loan's time is over:
nothing else tells it, and who would read it may be away over a weekend and some days."""

UNDONE = frozenset({"write_withheld", "shadowed"})
"""Cases that a loan which was withdrawn still has: what became of it has not reached Outlook."""


def drop_cases_when_over(made: Plan, intervals: Sequence[Interval], now: datetime) -> Plan:
    """Return *made* without its cases, where a booking is over on both sides; *intervals* are its times there."""
    if not made.cases or not intervals or any(interval.end > now - OVER_FOR for interval in intervals):
        return made
    return replace(made, cases=())
