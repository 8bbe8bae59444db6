"""Whom a change of an item concerns: meetings that waited for it to become free, loans whose events tell its name, and
loans of a room of which it has shown nothing, or shows nothing any more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import and_, bindparam, exists, or_, select, update

from engine.database.sql.marks import Priority
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.database.tables.types import Instant
from engine.ids import BookableId
from engine.loans.loan import CaseState, Home
from engine.loans.status import BLOCKING_STATUSES, ItemState, LoanStatus
from engine.reconcile.answers import DUE_NOW

loan_table = metadata.tables["loan"]
item_table = metadata.tables["loan_item"]
case_table = metadata.tables["case"]
link_table = metadata.tables["link"]
copy_table = metadata.tables["room_copy"]

_TELLING = Prepared(
    select(item_table.c.loan_number)
    .join(loan_table, loan_table.c.number == item_table.c.loan_number)
    .where(
        item_table.c.bookable_id == bindparam("item"),
        item_table.c.holds,
        item_table.c.blocked_end > bindparam("now", type_=Instant()),
        loan_table.c.home == bindparam("home"),
    )
)
_WAITING = Prepared(
    select(case_table.c.subject, case_table.c.facts).where(
        case_table.c.code == "item_unavailable",
        case_table.c.state.in_([CaseState.OPEN.value, CaseState.IGNORED.value]),  # by its index: closed ones are kept
        case_table.c.subject.like("meeting:%"),
    )
)
_LEFT = Prepared(
    select(link_table.c.ical_uid)
    .join(loan_table, loan_table.c.number == link_table.c.loan_number)
    .join(item_table, item_table.c.loan_number == loan_table.c.number)
    .where(
        loan_table.c.status == LoanStatus.CANCELLED.value,
        loan_table.c.end_at > bindparam("now", type_=Instant()),
        link_table.c.state == "left",
        link_table.c.ical_uid.is_not(None),
        item_table.c.bookable_id.in_(bindparam("items", expanding=True)),
        exists().where(copy_table.c.ical_uid == link_table.c.ical_uid, copy_table.c.live),
    )
    .distinct()
)
"""Meetings that go on without their loan, which had one of these items: another had taken it, or it was given up. One
that no room shows was cancelled, and is not looked at again at each change of its room."""

_UNSHOWN = Prepared(
    select(item_table.c.loan_number)
    .select_from(item_table)
    .join(link_table, and_(link_table.c.loan_number == item_table.c.loan_number, link_table.c.state == "linked"))
    .join(
        copy_table,
        and_(copy_table.c.room_id == item_table.c.bookable_id, copy_table.c.ical_uid == link_table.c.ical_uid),
        isouter=True,
    )
    .where(item_table.c.bookable_id == bindparam("room"), item_table.c.holds)
    .where(or_(item_table.c.state == ItemState.REQUESTED.value, copy_table.c.event_id.is_(None)))
    .distinct()
)
_shown = exists().where(
    copy_table.c.room_id == bindparam("room"), copy_table.c.ical_uid == link_table.c.ical_uid, copy_table.c.live
)
_NOT_SHOWN_NOW = Prepared(
    select(item_table.c.loan_number)
    .join(link_table, and_(link_table.c.loan_number == item_table.c.loan_number, link_table.c.state == "linked"))
    .where(item_table.c.bookable_id == bindparam("room"), item_table.c.holds, ~_shown)
    .distinct()
)
_DROPPED = Prepared(
    select(item_table.c.loan_number)
    .join(loan_table, loan_table.c.number == item_table.c.loan_number)
    .join(link_table, and_(link_table.c.loan_number == loan_table.c.number, link_table.c.state == "linked"))
    .join(
        copy_table,
        and_(copy_table.c.room_id == item_table.c.bookable_id, copy_table.c.ical_uid == link_table.c.ical_uid),
    )
    .where(
        item_table.c.bookable_id == bindparam("room"),
        item_table.c.state == ItemState.CANCELLED.value,
        loan_table.c.status.in_(sorted(BLOCKING_STATUSES)),
        loan_table.c.end_at > bindparam("now", type_=Instant()),
        copy_table.c.gone,
    )
    .distinct()
)
_CHECK_NOW = Prepared(
    update(link_table)
    .where(link_table.c.loan_number.in_(bindparam("numbers", expanding=True)), link_table.c.state == "linked")
    .values(checked_at=DUE_NOW)
)


def ask_organizers(transaction: Transaction, numbers: Sequence[int]) -> None:
    """Have the organizers' copies read when these loans are looked at next, whatever their rooms show."""
    if numbers:
        _CHECK_NOW.run(transaction.connection, {"numbers": numbers})


def ask_about_unshown(transaction: Transaction, room_id: BookableId, *, priority: Priority = Priority.LIVE) -> None:
    """
    Look at every loan that waits for this room, or whose meeting the room has never shown, and ask its organizer.

    An item that came and went may have been its refusal, after a yes that only the organizer's copy told; and of what
    happened to such a meeting while the room was left alone nobody has told.
    """
    _ask_anew(transaction, _UNSHOWN.run(transaction.connection, {"room": room_id}).scalars(), priority)


def ask_about_unshown_now(transaction: Transaction, room_id: BookableId, *, priority: Priority) -> None:
    """
    Look at every loan that has or waits for this room, which does not show its meeting, and ask its organizer.

    Its calendar was read anew: it may be another one since the room was asked, which knows of no request.
    """
    _ask_anew(transaction, _NOT_SHOWN_NOW.run(transaction.connection, {"room": room_id}).scalars(), priority)


def ask_about_dropped(transaction: Transaction, room_id: BookableId) -> None:
    """
    Look at every loan that went on without this room, whose meeting its calendar has no more, and ask its organizer.

    The room may have been invited by an address that nobody knew, which its organizer's list has still: then it was not
    taken out of the meeting, but dropped it.
    """
    values = {"room": room_id, "now": transaction.now}
    _ask_anew(transaction, _DROPPED.run(transaction.connection, values).scalars(), Priority.LIVE)


def _ask_anew(transaction: Transaction, numbers: Sequence[int], priority: Priority) -> None:
    ask_organizers(transaction, numbers)
    transaction.mark_all("loan", map(str, numbers), priority=priority)


def wake_waiting(transaction: Transaction, freed: Iterable[int]) -> None:
    """Look again at the meetings that are no loans because one of the *freed* items was taken: they never became one,
    or lost theirs when they came to a time at which it was."""
    items = set(freed)
    if not items:
        return
    for row in _WAITING.run(transaction.connection):
        if row.facts.get("item_id") in items:
            kind, _, key = row.subject.partition(":")
            transaction.mark(kind, key)
    for row in _LEFT.run(transaction.connection, {"now": transaction.now, "items": sorted(items)}):
        transaction.mark("meeting", row.ical_uid)


def retell(transaction: Transaction, item_id: int) -> None:
    """Look again at every loan of the app that holds an item whose name has changed: its event tells the name."""
    values = {"item": item_id, "now": transaction.now, "home": Home.APP.value}
    for number in _TELLING.run(transaction.connection, values).scalars():
        transaction.mark("loan", str(number), priority=Priority.SWEEP)
