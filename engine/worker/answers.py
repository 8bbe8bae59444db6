"""When rooms' answers are asked for: the clock of one booking."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from engine.interval import Interval
from engine.reconcile.answers import LATE, AnswerCheck, check_answers, second_look_at
from engine.reconcile.ledger import Booking, Series
from engine.worker.series import SeriesReader


class AnswerClock:
    """Says when the organizer's copy is to be read for answers that did not come by themselves."""

    def __init__(self, series: SeriesReader, *, answer_timeout: timedelta, now: Callable[[], datetime]) -> None:
        self._series = series
        self._answer_timeout = answer_timeout
        self._now = now

    def check(self, booking: Booking) -> AnswerCheck | None:
        """Return where the waiting for answers stands; None when none is waited for, or it cannot be read yet."""
        link = booking.link
        if link is None or link.asked_at is None or booking.loan is None or not booking.loan.blocks:
            return None
        if booking.series is not None and not self._is_read(booking.series, booking.loan.interval):
            return None  # beyond what is read: its room's answer comes when the window reaches it
        return check_answers(
            asked_at=link.asked_at,
            checked_at=link.checked_at,
            now=self._now(),
            answer_timeout=self._answer_timeout,
        )

    def _is_read(self, series: Series, interval: Interval) -> bool:
        return self._series.covers(series) or self._series.reaches(interval)

    def is_due(self, booking: Booking) -> bool:
        """Tell whether the organizer's copy is to be read now, for an answer or because that was ordered."""
        check = self.check(booking)
        return is_check_due(booking) or (check is not None and check.due) or self._is_second_look(booking)

    def _is_second_look(self, booking: Booking) -> bool:
        """Tell whether a room has left its calendar, and what the organizer knows of that was not read since."""
        link, loan = booking.link, booking.loan
        if link is None or loan is None:
            return False
        second = second_look_at(booking.copies, {item.id: item.state for item in loan.rooms})
        return second is not None and self._now() >= second and (link.checked_at is None or link.checked_at < second)

    def is_late(self, booking: Booking) -> bool:
        """Tell whether a room has owed its answer for longer than rooms take."""
        asked_at = booking.link.asked_at if booking.link is not None else None
        return asked_at is not None and self._now() - asked_at > LATE


def is_check_due(booking: Booking) -> bool:
    """Tell whether the organizer's copy was ordered to be read, once, for what only it shows."""
    return booking.link is not None and booking.link.state == "linked" and booking.link.is_check_due
