"""What the API accepts and answers about series."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from engine.errors import Fault, Invalid
from engine.loans.loan import ItemKind
from engine.loans.recurrence import DATES_MAX, EVERY_MAX, Recurrence, Repeat, Week, Weekday, recur
from engine.loans.recurrence_words import say_recurrence
from engine.loans.register import ItemRef
from engine.reconcile.series.book import (
    AppSeries,
    DateChoice,
    DateState,
    PlannedDate,
    SeriesBook,
    SeriesOrder,
)
from engine.web.api.models import Explain, Items, LoanOut, Notes, RequesterIn, parse_interval, render_loan
from engine.web.api.settling import RoomChoiceOut, render_choice
from engine.web.api.wire import WHOLE, Day, Incoming, Instant, Line, Outgoing, ZoneName


class RepeatIn(Incoming):
    """How a series repeats: until a day, or so many times. What is left out follows from the first date."""

    pattern: Repeat
    every: Annotated[int, Field(ge=1, le=EVERY_MAX), WHOLE] = 1
    weekdays: list[Weekday] = Field(default=[], max_length=7)
    week: Week | SkipJsonSchema[None] = None
    until: Day | SkipJsonSchema[None] = None
    count: Annotated[int, Field(ge=1, le=DATES_MAX), WHOLE] | SkipJsonSchema[None] = None


class DateChoiceIn(Incoming):
    """What is to become of one date: `skip` leaves it out, `items` are what it has instead."""

    date: Day
    skip: bool = False
    items: Items | SkipJsonSchema[None] = None

    def parse(self, index: int) -> DateChoice:
        if self.skip == (self.items is not None):
            raise Invalid(Fault(f"choices.{index}", "one_of", "either skip the date or name its items"))
        return DateChoice(self.date, tuple(item.parse() for item in self.items) if self.items else None)


class SeriesIn(Incoming):
    """
    A series somebody asks for. `start` and `end` are those of the first date, on quarters of an hour.

    `zone` is the one on whose wall the hours stay the same, an IANA name; the first room's when it is left out.
    """

    requester: RequesterIn
    start: Instant
    end: Instant
    zone: ZoneName | SkipJsonSchema[None] = None
    repeat: RepeatIn
    items: Items
    title: Line = ""
    notes: Notes = ""
    private: bool = False
    choices: list[DateChoiceIn] = Field(default=[], max_length=DATES_MAX)

    def parse(self, book: SeriesBook) -> SeriesOrder:
        items = tuple(item.parse() for item in self.items)
        interval = parse_interval(self.start, self.end)
        repeat = self.repeat
        recurrence = recur(
            repeat.pattern,
            interval.start,
            interval.end,
            self.zone or book.zone_of(items),
            every=repeat.every,
            weekdays=tuple(repeat.weekdays),
            week=repeat.week,
            until=repeat.until,
            count=repeat.count,
        )
        choices = tuple(choice.parse(index) for index, choice in enumerate(self.choices))
        return SeriesOrder(self.requester.parse(), recurrence, items, self.title, self.notes, self.private, choices)


class RepeatOut(Outgoing):
    pattern: Repeat
    every: int
    weekdays: list[Weekday]
    week: Week | None
    until: date | None
    count: int | None


class ItemRefOut(Outgoing):
    kind: ItemKind
    id: int


class ConflictOut(Outgoing):
    """What holds an item. `loan` is null for a meeting known only from Outlook."""

    item: int
    name: str
    loan: int | None
    start: datetime
    end: datetime


class BreachOut(Outgoing):
    """A booking rule that says no."""

    item: int
    name: str
    code: str
    text: str
    facts: dict[str, object]


class StandInsOut(Outgoing):
    """The free rooms that could stand in for `item`, the best first."""

    item: int
    rooms: list[RoomChoiceOut]


class PlannedDateOut(Outgoing):
    date: date
    start: datetime
    end: datetime
    state: DateState
    items: list[ItemRefOut]
    conflicts: list[ConflictOut]
    breaches: list[BreachOut]
    stand_ins: list[StandInsOut]


class SeriesPreviewOut(Outgoing):
    """`bookable` tells whether booking it just so would work now; `states` counts the dates."""

    words: str
    zone: str
    repeat: RepeatOut
    bookable: bool
    states: dict[DateState, int]
    dates: list[PlannedDateOut]


class SeriesOut(Outgoing):
    """A series with its loans. `repeat`, `words` and `zone` are null for one made in Outlook: the pattern is there."""

    id: int
    words: str | None
    zone: str | None
    repeat: RepeatOut | None
    left_out: list[date]
    loans: list[LoanOut]


def render_preview(
    order: SeriesOrder, planned: Sequence[PlannedDate], explain: Explain, language: str
) -> SeriesPreviewOut:
    states = {state: sum(each.state is state for each in planned) for state in DateState}
    return SeriesPreviewOut(
        words=say_recurrence(order.recurrence, language),
        zone=order.recurrence.zone,
        repeat=_render_repeat(order.recurrence),
        bookable=not states[DateState.TAKEN] and not states[DateState.AGAINST_RULES],
        states=states,
        dates=[_render_date(each, explain) for each in planned],
    )


def _render_date(planned: PlannedDate, explain: Explain) -> PlannedDateOut:
    return PlannedDateOut(
        date=planned.day,
        start=planned.interval.start.astimezone(UTC),
        end=planned.interval.end.astimezone(UTC),
        state=planned.state,
        items=[_render_ref(ref) for ref in planned.items],
        conflicts=[
            ConflictOut(
                item=clash.item_id,
                name=clash.item_name,
                loan=clash.loan_number,
                start=clash.start.astimezone(UTC),
                end=clash.end.astimezone(UTC),
            )
            for clash in planned.clashes
        ],
        breaches=[
            BreachOut(
                item=breach.item_id,
                name=breach.item_name,
                code=breach.rule.code,
                text=explain(breach.rule.code, {"item": breach.item_name, **breach.rule.facts}),
                facts=dict(breach.rule.facts),
            )
            for breach in planned.breaches
        ],
        stand_ins=[
            StandInsOut(item=found.item_id, rooms=[render_choice(ranked) for ranked in found.rooms])
            for found in planned.stand_ins
        ],
    )


def _render_ref(ref: ItemRef) -> ItemRefOut:
    return ItemRefOut(kind=ref.kind, id=ref.id)


def _render_repeat(recurrence: Recurrence) -> RepeatOut:
    return RepeatOut(
        pattern=recurrence.repeat,
        every=recurrence.every,
        weekdays=list(recurrence.weekdays),
        week=recurrence.week,
        until=recurrence.until,
        count=recurrence.count,
    )


def render_series(series: AppSeries, language: str) -> SeriesOut:
    recurrence = series.recurrence
    return SeriesOut(
        id=series.id,
        words=say_recurrence(recurrence, language) if recurrence else None,
        zone=recurrence.zone if recurrence else None,
        repeat=_render_repeat(recurrence) if recurrence else None,
        left_out=list(series.left_out),
        loans=[render_loan(loan) for loan in series.loans],
    )
