"""A whole term from Outlook, date by date and as series: the same loans, and what each way costs in requests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from engine.bench.report import Figure
from engine.bench.world import VirtualWorld
from engine.loans.loan import Loan
from engine.loans.register import LoanFilter, LoanRegister
from engine.simulator.timetable import TimetableEvent, load_series, load_timetable, pour, read_timetable

FIRST_MONDAY = date(2027, 1, 4)
"""The term's, six weeks ahead of the virtual clock: its fourteen weeks cross the end of March."""

PAGE = 1000

Dates = frozenset[tuple[str, str, str]]
"""Room, start and end of each loan."""


@dataclass(frozen=True, slots=True)
class Term:
    """What the import of a term cost."""

    booked: int
    """Meetings or series in Outlook."""
    dates: Dates
    loans: int
    deltas: int
    organizer_reads: int
    requests: int
    """All requests, those to find and subscribe to the rooms included."""


def measure_timetable(timetable: Path, *, weeks: int) -> list[Figure]:
    """Import *timetable* twice, and count."""
    single = import_term(load_timetable(timetable, weeks, FIRST_MONDAY))
    series = import_term(load_series(timetable, weeks, FIRST_MONDAY))
    same = "the same rooms and times" if series.dates == single.dates else "OTHER ROOMS OR TIMES THAN DATE BY DATE"
    classes = len(read_timetable(timetable))
    return [
        Figure("", f"{single.booked:,} single meetings, as loans", single.loans, "loans", single.booked, at_least=True),
        Figure("", "requests for them", single.requests, "requests", note=_describe(single)),
        Figure("", f"{series.booked:,} series of {classes:,} classes, as loans", series.loans, "loans", single.loans,
               at_least=True, note=same),
        Figure("", "requests for them", series.requests, "requests", note=_describe(series)),
        Figure("", "reads of the organizer's copy per series", series.organizer_reads / max(series.booked, 1),
               "requests", 1.0),
    ]  # fmt: skip


def import_term(events: tuple[TimetableEvent, ...]) -> Term:
    """Let an engine meet a tenant that holds *events*, on a virtual clock."""
    world = VirtualWorld(rooms=0, settings={"ENGINE_SYNC__FIRST_CONTACT": "import"})
    booked = pour(world.tenant, events)
    with world:
        loans = list(_all_loans(world.office.desk))
        dates = [
            (item.name, loan.interval.start.isoformat(), loan.interval.end.isoformat())
            for loan in loans
            for item in loan.held_items
        ]
        sent = world.transport.requests
    deltas = sum("/delta" in url for _, url in sent)
    reads = sum(method == "GET" and "/events" in url for method, url in sent)
    return Term(booked, frozenset(dates), len(loans), deltas, reads, len(sent))


def _all_loans(desk: LoanRegister) -> Iterator[Loan]:
    page = desk.list_loans(LoanFilter(limit=PAGE))
    while page:
        yield from page
        page = desk.list_loans(LoanFilter(limit=PAGE, after=page[-1].number))


def _describe(term: Term) -> str:
    return f"{term.deltas:,} delta pages, {term.organizer_reads:,} reads of the organizer's copy"
