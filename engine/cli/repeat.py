"""Series at the keyboard: "weekly on mon,wed until 2027-02-01" understood, and every date shown before it is booked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from engine.cli.output import note, show_table
from engine.cli.wishes import find_room, parse_day
from engine.errors import Fault, Invalid
from engine.loans.recurrence import Recurrence, Repeat, Week, Weekday, recur

if TYPE_CHECKING:
    from engine.reconcile.series.book import DateChoice, PlannedDate
    from engine.rooms.room import Room

HOW = "'weekly on mon,wed until 2027-02-01', 'every 2 weeks 10 times' or 'monthly on the last friday 6 times'"

_UNITS = {"day": Repeat.DAILY, "week": Repeat.WEEKLY, "month": Repeat.MONTHLY, "year": Repeat.YEARLY}
_WORDS = {"daily": Repeat.DAILY, "weekly": Repeat.WEEKLY, "monthly": Repeat.MONTHLY, "yearly": Repeat.YEARLY}
_BY_WEEKDAY = {Repeat.MONTHLY: Repeat.MONTHLY_BY_WEEKDAY, Repeat.YEARLY: Repeat.YEARLY_BY_WEEKDAY}
_RULE = re.compile(
    r"(?:(?P<word>daily|weekly|monthly|yearly)|every (?:(?P<every>\d+) )?(?P<unit>day|week|month|year)s?)"
    r"(?: on (?:the )?(?:(?P<week>first|second|third|fourth|last) )?(?P<days>[a-z, ]+?))?"
    r" (?:until (?P<until>\d{4}-\d\d-\d\d)|(?P<count>\d+) times)"
)


@dataclass(frozen=True, slots=True)
class Rule:
    """How something repeats, as typed: applied to the first date it makes a recurrence."""

    repeat: Repeat
    every: int
    weekdays: tuple[Weekday, ...]
    week: Week | None
    until: date | None
    count: int | None

    def apply(self, start: datetime, end: datetime, zone: str) -> Recurrence:
        return recur(
            self.repeat, start, end, zone, every=self.every, weekdays=self.weekdays, week=self.week, until=self.until,
            count=self.count,
        )  # fmt: skip


def parse_rule(text: str) -> Rule:
    """Return the rule that *text* says. Raises Invalid."""
    found = _RULE.fullmatch(" ".join(text.lower().replace(",", ", ").split()))
    if found is None:
        raise Invalid(Fault("repeat", "malformed", f"{text!r} is no rule such as {HOW}"))
    repeat = _WORDS[found["word"]] if found["word"] else _UNITS[found["unit"]]
    days = tuple(_parse_weekday(word) for word in re.split(r"[,\s]+|\band\b", found["days"] or "") if word)
    if days and repeat is Repeat.DAILY:
        raise Invalid(Fault("repeat", "malformed", "days of the week belong to weekly, monthly and yearly series"))
    return Rule(
        repeat=_BY_WEEKDAY.get(repeat, repeat) if days else repeat,
        every=int(found["every"] or 1),
        weekdays=days,
        week=Week(found["week"]) if found["week"] else None,
        until=parse_day(found["until"], "repeat") if found["until"] else None,
        count=int(found["count"]) if found["count"] else None,
    )


def _parse_weekday(word: str) -> Weekday:
    fitting = [day for day in Weekday if len(word) > 1 and day.value.startswith(word)]
    if len(fitting) != 1:
        raise Invalid(Fault("repeat", "weekday_unknown", f"{word!r} is no day of the week such as mon or monday"))
    return fitting[0]


def parse_choices(skip: Sequence[str], instead: Sequence[str], rooms: Sequence[Room]) -> tuple[DateChoice, ...]:
    """Return what is to become of single dates: `--skip 2026-12-07`, `--instead 2026-12-14=Tilleul`."""
    from engine.loans.loan import ItemKind
    from engine.loans.register import ItemRef
    from engine.reconcile.series.book import DateChoice

    chosen = [DateChoice(parse_day(day, "skip"), None) for day in skip]
    for text in instead:
        day, equals, name = text.partition("=")
        if not equals:
            raise Invalid(Fault("instead", "malformed", f"{text!r} is no choice such as 2026-12-14=Tilleul"))
        chosen.append(DateChoice(parse_day(day, "instead"), (ItemRef(ItemKind.ROOM, find_room(rooms, name).id),)))
    return tuple(chosen)


def show_dates(planned: Sequence[PlannedDate], names: dict[int, str], zone: ZoneInfo) -> None:
    """Print every date: when, what it would hold, what is in the way, and what could stand in."""
    rows = [
        (each.day, f"{each.interval.start.astimezone(zone):%H:%M}", f"{each.interval.end.astimezone(zone):%H:%M}",
         [names.get(ref.id, f"item {ref.id}") for ref in each.items], each.state.replace("_", " "), _say(each))
        for each in planned
    ]  # fmt: skip
    show_table(("date", "from", "to", "items", "state", "why"), rows)


def _say(each: PlannedDate) -> str:
    said: list[Any] = [
        f"{clash.item_name} is taken by {f'loan {clash.loan_number}' if clash.loan_number else 'a meeting in Outlook'}"
        for clash in each.clashes
    ]
    said += [f"{breach.item_name}: {breach.rule.code.replace('_', ' ')}" for breach in each.breaches]
    free = [ranked.room.name for found in each.stand_ins for ranked in found.rooms]
    return "; ".join(said) + (f"; free: {', '.join(free)}" if free else "")


def note_choices() -> None:
    """Say what can be done about dates that cannot be had."""
    note("Nothing was booked. Leave dates out with --skip DATE, or give them another room with --instead DATE=ROOM.")
