"""From when until when bookings are synchronised at all, in both directions (G13). Pure, and one rule for both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from engine.interval import Interval


class Outside(StrEnum):
    """On which side of the view's dates a booking lies; the reason code that tells it."""

    BEFORE = "before_view"
    """It was over too long ago, and stays so."""
    BEYOND = "beyond_view"
    """It is too far ahead still; time brings it in."""


@dataclass(frozen=True, slots=True)
class Dates:
    """
    The stretch around now that is synchronised; 0 sets no limit.

    What is known to both sides is followed wherever it moves: the dates decide whether a booking comes over at all.
    """

    days_back: int = 0
    days_ahead: int = 0

    def outside(self, interval: Interval, now: datetime) -> Outside | None:
        """Return on which side *interval* lies, not even touching the dates at *now*; None: it is to come over."""
        if self.days_ahead and interval.start >= now + timedelta(days=self.days_ahead):
            return Outside.BEYOND
        if self.days_back and interval.end <= now - timedelta(days=self.days_back):
            return Outside.BEFORE
        return None

    def facts(self, where: Outside) -> dict[str, object]:
        """Return what the sentence of *where* names."""
        return {"days": self.days_ahead if where is Outside.BEYOND else self.days_back}

    def reach(self, now: datetime) -> datetime | None:
        """Return before when a booking begins that is not too far ahead at *now*; None: there is no such limit."""
        return now + timedelta(days=self.days_ahead) if self.days_ahead else None


ANY_DATE = Dates()
