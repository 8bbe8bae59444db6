"""My bookings: what the reader has booked, or is booked for them, from now on; and what is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import groupby
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from engine.loans.loan import Loan
from engine.web.api.wire import WHOLE
from engine.web.pages.forms import Sent
from engine.web.pages.page import UserPage

router = APIRouter()

AT_ONCE = 50
PAGES_MAX = 10_000


class Shelf(StrEnum):
    TO_COME = "to-come"
    OVER = "over"


class MineQuery(Sent):
    """Which of them to show. `leaf` counts from 1."""

    show: Shelf = Shelf.TO_COME
    leaf: Annotated[int, Field(ge=1, le=PAGES_MAX), WHOLE] = 1


@dataclass(frozen=True, slots=True)
class OwnDay:
    """The loans under the heading of one day: that on which they begin, or today when they began before."""

    day: date
    loans: tuple[Loan, ...]


@router.get("/mine")
def show_mine(page: UserPage, wanted: Annotated[MineQuery, Query()]) -> Response:
    """Show the reader's own loans."""
    user, shelf = page.user, page.parts.own
    assert user is not None
    read = shelf.over if wanted.show is Shelf.OVER else shelf.to_come
    found = read(user.address, now=page.now, limit=AT_ONCE + 1, beyond=(wanted.leaf - 1) * AT_ONCE)
    today = page.now.astimezone(page.parts.zone).date()
    return page.render(
        "mine.html",
        here="mine",
        wanted=wanted,
        days=by_day(found[:AT_ONCE], zone=page.parts.zone, not_before=today if wanted.show is Shelf.TO_COME else None),
        today=today,
        goes_on=len(found) > AT_ONCE,
    )


def by_day(loans: Sequence[Loan], *, zone: ZoneInfo, not_before: date | None) -> list[OwnDay]:
    """Return *loans*, in their order, under the days they begin on; with *not_before*, none under an earlier one."""

    def day_of(loan: Loan) -> date:
        begins = _day(loan.interval.start, zone)
        return begins if not_before is None else max(begins, not_before)

    return [OwnDay(day, tuple(group)) for day, group in groupby(loans, day_of)]


def _day(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()
