"""Series as `simulate` takes them from the command line: how they repeat, and which part of one is meant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from engine.cli.outlook import SimulatedOutlook
from engine.cli.wishes import parse_day
from engine.errors import Fault, Invalid
from engine.loans.recurrence import Repeat

Date = Annotated[str | None, typer.Option("--date", help="One date of a series: the day its pattern put it on.")]
Following = Annotated[bool, typer.Option("--following", help="That date and all after it.")]


PATTERNS = {
    Repeat.DAILY: "daily", Repeat.WEEKLY: "weekly", Repeat.MONTHLY: "absoluteMonthly",
    Repeat.MONTHLY_BY_WEEKDAY: "relativeMonthly", Repeat.YEARLY: "absoluteYearly",
    Repeat.YEARLY_BY_WEEKDAY: "relativeYearly",
}  # fmt: skip


def render_recurrence(
    repeat: Repeat, first: datetime, last: datetime, zone: ZoneInfo, *, every: int, on: list[str], week: str,
    until: str | None, times: int | None,
) -> dict[str, Any]:  # fmt: skip
    """Return `start`, `end` and `recurrence` of a series whose first date is from *first* to *last*, in *zone*."""
    from engine.simulator.series_calls import recur, times_in

    found = recur(
        first.astimezone(zone).date(), PATTERNS[repeat], every=every, days=on, index=week,
        until=parse_day(until, "until") if until else None, times=times, zone=zone.key,
    )  # fmt: skip
    return {**times_in(first, last, zone.key), "recurrence": found}


@dataclass(frozen=True, slots=True)
class Part:
    """How much of a series is meant: one date, that one and the following, or (without a day) all."""

    day: date | None
    following: bool

    def change(self, outlook: SimulatedOutlook, who: str, found: dict[str, Any], **body: Any) -> dict[str, Any]:
        """Change that part of the series *found*."""
        if self.day is None:
            return outlook.change(who, found["id"], **body)
        if self.following:
            return outlook.change_following(who, found["id"], self.day, **body)
        return outlook.change(who, outlook.find_date(who, found["id"], self.day)["id"], **body)

    def cancel(self, outlook: SimulatedOutlook, who: str, found: dict[str, Any], comment: str) -> None:
        """Cancel that part of the series *found*."""
        if self.day is None:
            outlook.cancel(who, found["id"], comment)
        elif self.following:
            outlook.cancel_following(who, found["id"], self.day, comment)
        else:
            outlook.cancel(who, outlook.find_date(who, found["id"], self.day)["id"], comment)

    def __str__(self) -> str:
        return "" if self.day is None else f" {'from' if self.following else 'on'} {self.day}"


def parse_part(day: str | None, following: bool) -> Part:
    """Read --date and --following; raises Invalid."""
    if following and day is None:
        raise Invalid(Fault("date", "date_missing", "say with --date from which date on"))
    return Part(parse_day(day, "date") if day else None, following)


def render_date(event: dict[str, Any]) -> dict[str, Any]:
    """Return one date of a series in short."""
    answers = (f"{item['emailAddress']['name']}: {item['status']['response']}" for item in event["attendees"])
    return {
        "original_start": event["originalStart"],
        "start": event["start"]["dateTime"][:16],
        "end": event["end"]["dateTime"][:16],
        "type": event["type"],
        "subject": event["subject"],
        "answers": ", ".join(answers),
    }
