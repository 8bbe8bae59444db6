"""The part of the booking form that repeats: every date with what stands in its way, before anything is booked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from engine.errors import Invalid
from engine.ids import BookableId
from engine.loans.recurrence import expand, find_recurrence_faults
from engine.loans.recurrence_words import say_recurrence
from engine.loans.register import LoanOrder
from engine.reconcile.series.book import DateState, SeriesOrder
from engine.rooms.room import Room
from engine.web.pages.booking.repeats import DateLine, Repeated, list_dates, settle_dates
from engine.web.pages.page import Page


@dataclass(frozen=True, slots=True)
class Dates:
    """The dates of a series that is not booked yet. `words` say how it repeats."""

    lines: tuple[DateLine, ...]
    words: str

    def count(self, *states: DateState) -> int:
        return sum(1 for line in self.lines if line.planned.state in states)

    @property
    def booked(self) -> int:
        """How many dates would be booked."""
        return self.count(DateState.FREE)

    @property
    def left_out(self) -> tuple[DateLine, ...]:
        return tuple(line for line in self.lines if line.planned.state is DateState.LEFT_OUT)

    @property
    def obstacles(self) -> int:
        """How many dates cannot be had as they are."""
        return self.count(DateState.TAKEN, DateState.AGAINST_RULES)


def series_order(page: Page, form: Repeated, first: LoanOrder, rooms: Mapping[BookableId, Room]) -> SeriesOrder:
    """Return the series that the form means, of which *first* is the first date. Raises Invalid."""
    recurrence = form.recurrence(first.interval, _zone_of(page, first, rooms))
    if faults := find_recurrence_faults(recurrence):
        raise Invalid(*faults)
    choices = form.choices(first.items, [day for day, _ in expand(recurrence)])
    return SeriesOrder(first.requester, recurrence, first.items, first.title, first.notes, first.private, choices)


def preview_dates(page: Page, form: Repeated, first: LoanOrder, rooms: Mapping[BookableId, Room]) -> Dates:
    """Return every date with what can be chosen for it, after the button that was pressed. Raises Invalid."""
    order = series_order(page, form, first, rooms)
    planned = page.parts.web.series.preview(order)
    if form.leave is not None:
        order = replace(order, choices=settle_dates(planned, order.choices, with_rooms=form.leave == "rooms"))
        planned = page.parts.web.series.preview(order)
    words = say_recurrence(order.recurrence, page.language)
    return Dates(list_dates(planned, first.items, order.choices, rooms), words)


def _zone_of(page: Page, first: LoanOrder, rooms: Mapping[BookableId, Room]) -> str:
    """Return on whose wall the hours stay the same: that of the first room that has one, else the one people read."""
    zones = (rooms[item.id].time_zone for item in first.items if item.id in rooms)
    return next((zone for zone in zones if zone), page.parts.zone.key)
