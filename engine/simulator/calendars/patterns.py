"""
What a caller may write about recurrence, and what it does to the times of an event.

Sources: Graph docs, recurrenceRange (startDate equals the date of start) and event-update (boundaries).
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec

from engine.simulator.calendars.records import Event
from engine.simulator.calendars.recurrence import Recurrence, dates_of, is_same_pattern, parse_recurrence
from engine.simulator.calendars.series import Series, series_zone, shape_of, slot
from engine.simulator.times import find_zone
from engine.simulator.wire import GraphError, bad_request

Times = tuple[datetime, datetime, bool, Recurrence | None]


def apply_recurrence(event: Event, body: dict[str, Any], before: datetime) -> None:
    """
    Write `recurrence` in *body* onto *event*, whose times are written already; *before* is its former start.

    A series' own times are those of its first occurrence: they move to the first date that fits the pattern. A new
    start date alone moves the range with it.
    """
    if body.get("recurrence") is not None:
        if event.series:
            raise bad_request("The recurrence of an occurrence cannot be set.", code="ErrorInvalidRequest")
        try:
            event.recurrence = parse_recurrence(body["recurrence"], event.start_zone)
        except ValueError as error:
            raise bad_request(
                f"The recurrence is not valid: {error}.", code="ErrorPropertyValidationFailure"
            ) from error
        _check_start(event, has_start="start" in body)
    elif "recurrence" in body:
        event.recurrence = None
    elif event.recurrence is not None and event.start != before:
        zone = find_zone(series_zone(event.recurrence, event))
        days = event.start.astimezone(zone).date() - before.astimezone(zone).date()
        if days:
            moved = event.recurrence.start_date + days
            event.recurrence = msgspec.structs.replace(event.recurrence, start_date=moved)
    if event.recurrence is not None:
        _begin_with_first_date(event)


def _check_start(event: Event, *, has_start: bool) -> None:
    """A start in the same body must be on the range's startDate; without one the start moves there."""
    assert event.recurrence is not None
    wanted = event.recurrence.start_date
    dates = {event.start.astimezone(find_zone(zone)).date() for zone in
             (event.start_zone, series_zone(event.recurrence, event))}  # fmt: skip
    if wanted in dates:
        return
    if has_start:
        message = "The startDate of the recurrence range must be the date of the event's start."
        raise bad_request(message, code="ErrorPropertyValidationFailure")


def _begin_with_first_date(event: Event) -> None:
    assert event.recurrence is not None
    first = dates_of(event.recurrence).first
    if first is None:
        message = "The specified recurrence does not have any associated occurrences."
        raise GraphError(400, "ErrorRecurrenceHasNoOccurrence", message)
    event.start, event.end = slot(shape_of(event), first)


def times_of(event: Event) -> Times:
    """Return what decides where an event or series stands."""
    return event.start, event.end, event.is_all_day, event.recurrence


def keeps_exceptions(before: Times, after: Times) -> bool:
    """
    Tell whether a changed series keeps its exceptions and cancelled dates: only where it ends may have changed.

    With another pattern or other times every exception is dropped (MS-OXOCAL 3.1.4.7.3.5).
    """
    if before[3] is None or after[3] is None:
        return before[3] is after[3]
    return before[:3] == after[:3] and is_same_pattern(before[3], after[3])


def check_neighbours(series: Series, event: Event) -> None:
    """Refuse an occurrence moved to or past the day of its neighbours (Graph docs: event-update)."""
    assert event.slot is not None
    earlier, later = series.neighbours(event.slot)
    day = _day(series, event.start)
    is_early = earlier is not None and day <= _day(series, earlier.start)
    if is_early or (later is not None and day >= _day(series, later.start)):
        message = "Modified occurrence is crossing or overlapping adjacent occurrence."
        raise GraphError(400, "ErrorOccurrenceCrossingBoundary", message)


def _day(series: Series, moment: datetime) -> date:
    return moment.astimezone(find_zone(series.shape.zone)).date()
