"""Marking the bookings of meetings: by their loan where one is linked, else by the meeting's uid."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

from sqlalchemy import select

from engine.database.sql.lists import is_any_of
from engine.database.sql.marks import Priority
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.loans.status import WITHDRAWN_STATUSES
from engine.reconcile.series.writes import LED

link_table = metadata.tables["link"]
loan_table = metadata.tables["loan"]
copy_table = metadata.tables["room_copy"]

HELD_BY_LOAN = ("linked", "pending", LED)
"""The states of a link in which the loan, and not its meeting, is looked at."""

LEFT = "left"
"""As `link.state`: Outlook ended the loan, and may bring its meeting back."""

ENDED = "ended"
"""As `link.state`: what is still heard of such a meeting is the echo of its end."""

_LINKED = Prepared(
    select(link_table.c.ical_uid, link_table.c.loan_number, link_table.c.state, link_table.c.freed).where(
        is_any_of(link_table.c.ical_uid, "uids")
    )
)

_LEFT_BEHIND = Prepared(
    select(link_table.c.loan_number)
    .distinct()
    .join(loan_table, loan_table.c.number == link_table.c.loan_number)
    .join(copy_table, copy_table.c.ical_uid == link_table.c.ical_uid)
    .where(
        is_any_of(link_table.c.ical_uid, "uids"),
        link_table.c.state == ENDED,
        loan_table.c.status.in_([status.value for status in WITHDRAWN_STATUSES]),
        link_table.c.freed,
        copy_table.c.live & ~copy_table.c.doubt & copy_table.c.series_master.is_(None),
    )
)
"""The withdrawn loans whose meetings a room shows although it was freed by itself, or should have been."""


class MeetingMarks:
    """Marks the bookings of meetings: by loan where one is linked, else by the meeting's uid."""

    def __init__(
        self, transaction: Transaction, *, priority: Priority, delay: float = 0.0, postpones: bool = False
    ) -> None:
        self._transaction = transaction
        self._priority = priority
        self._delay = delay
        self._postpones = postpones
        self.withdrawn: set[str] = set()
        """The uids that came up and were not marked: of meetings we have ended, so that nothing is decided by them."""

    def mark(self, uids: Iterable[str], *, shown: Container[str] = ()) -> int:
        """
        Mark the booking of each uid; returns how many, of which a withdrawn loan that may have left a room behind is
        none.

        *shown*: the dates of series that a room shows live. Of those we have withdrawn the organizer may have brought
        one back, unless it goes on in the calendar of one who could not be told of its end; anything else of what we
        have withdrawn is an echo.
        """
        wanted = sorted(set(uids))
        links = list(_load_links(self._transaction, wanted))
        loans = {row.ical_uid: row.loan_number for row in links if row.state in HELD_BY_LOAN}
        ended = [row for row in links if row.state == ENDED]
        left = self._find_left_behind([row.ical_uid for row in ended if row.freed or row.ical_uid not in shown])
        self.withdrawn.update(row.ical_uid for row in ended if row.ical_uid not in shown or row.loan_number in left)
        self._mark("loan", [str(number) for number in (*loans.values(), *left)])
        self._mark("meeting", [uid for uid in wanted if uid not in self.withdrawn and uid not in loans])
        return len(wanted) - len(self.withdrawn.intersection(wanted))

    def _find_left_behind(self, uids: Iterable[str]) -> set[int]:
        values = {"uids": sorted(uids)}
        return set(_LEFT_BEHIND.run(self._transaction.connection, values).scalars()) if values["uids"] else set()

    def mark_returned(self, shown: Iterable[str]) -> int:
        """
        Mark those dates that we have ended, of what a room goes on showing although its series has changed; returns how
        many.

        Their organizer may have brought them back before the room told of their end.
        """
        states: dict[str, set[str]] = {}
        for row in _load_links(self._transaction, sorted(shown)):
            states.setdefault(row.ical_uid, set()).add(row.state)
        ended = [uid for uid, found in states.items() if ENDED in found and found.isdisjoint(HELD_BY_LOAN)]
        self._mark("meeting", ended)
        return len(ended)

    def _mark(self, kind: str, keys: list[str]) -> None:
        self._transaction.mark_all(kind, keys, priority=self._priority, delay=self._delay, postpones=self._postpones)


def find_linked(transaction: Transaction, uids: Iterable[str]) -> set[str]:
    """Return those of *uids* in place of which a loan is looked at."""
    return {row.ical_uid for row in _load_links(transaction, sorted(uids)) if row.state in HELD_BY_LOAN}


def find_linked_loans(transaction: Transaction, uids: Iterable[str]) -> list[int]:
    """Return the loans that are looked at in place of the meetings *uids*."""
    return [row.loan_number for row in _load_links(transaction, sorted(uids)) if row.state in HELD_BY_LOAN]


def _load_links(transaction: Transaction, uids: list[str]) -> Iterable[Any]:
    return _LINKED.run(transaction.connection, {"uids": uids}) if uids else ()
