"""What makes an own calendar agree with the loans."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

from engine.ids import EventId, LoanNumber
from engine.interval import Interval
from engine.reconcile.own_calendar import Entry, KnownEntry, OwnCalendarPlan, OwnCalendarState, plan_entries

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
CONNECTED, LEAVING = OwnCalendarState.CONNECTED, OwnCalendarState.LEAVING


def entry(number: int, hours: float = 1) -> Entry:
    return Entry(LoanNumber(number), Interval(NOW + timedelta(hours=hours), NOW + timedelta(hours=hours + 1)), "x", "y")


def test_any_calendar_agrees_after_one_pass_and_then_rests() -> None:
    """Nothing there, half made, as it should be, or otherwise; wanted, wanted otherwise, or not: for two loans."""
    shown = [
        None,
        KnownEntry(LoanNumber(1), 1, None, None),
        KnownEntry(LoanNumber(1), 1, EventId("e"), entry(1)),
        KnownEntry(LoanNumber(1), 1, EventId("e"), entry(1, 5)),
    ]
    for known, wanted, second in product(shown, ([], [entry(1)], [entry(1, 5)]), ([], [entry(2)])):
        held = [known] if known is not None else []
        plan = plan_entries([*wanted, *second], held, state=CONNECTED, now=NOW)

        after = carry_out(plan, held)

        assert {each.number: each.told for each in after} == {each.number: each for each in [*wanted, *second]}
        assert plan_entries([*wanted, *second], after, state=CONNECTED, now=NOW) == OwnCalendarPlan()


def carry_out(plan: OwnCalendarPlan, held: list[KnownEntry]) -> list[KnownEntry]:
    after = {each.number: each for each in held}
    for each in plan.create:
        after[each.number] = KnownEntry(each.number, 1, EventId(f"e-{each.number}"), each)
    for known, each in plan.change:
        after[each.number] = KnownEntry(each.number, 1, known.event_id, each)
    for known in plan.remove:
        del after[known.number]
    return list(after.values())


def test_what_is_over_gets_no_new_entry_and_keeps_the_one_it_has() -> None:
    old = entry(1, -48)
    assert plan_entries([old], [], state=CONNECTED, now=NOW) == OwnCalendarPlan()
    held = [KnownEntry(old.number, 1, EventId("e"), old)]
    assert plan_entries([old], held, state=CONNECTED, now=NOW) == OwnCalendarPlan()


def test_who_leaves_has_everything_taken_away_and_gets_nothing_new() -> None:
    held = [KnownEntry(LoanNumber(1), 1, EventId("e"), entry(1)), KnownEntry(LoanNumber(2), 1, None, None)]
    plan = plan_entries([entry(1), entry(3)], held, state=LEAVING, now=NOW)
    assert plan == OwnCalendarPlan(remove=tuple(held))
