"""How long an end is waited for of which no room has heard, and when it is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.reconcile.actions import Note, Plan
from engine.reconcile.missing import FIRST_LOOK, LOOK_MAX, MISSING, TOLD_AFTER, await_end
from tests.unit.reconcile.building import NOW, ONE, THREE, TWO, make_copy, make_loan

OTHER = Note("room_declined", {"item_id": TWO}, room_id=TWO)


def wait(waited: timedelta) -> Plan:
    copies = [make_copy(ONE), replace(make_copy(TWO), live=False), make_copy(THREE)]
    return await_end(replace(make_loan(), changed_at=NOW - waited), copies, (OTHER,), NOW)


@pytest.mark.parametrize(
    ("waited", "look"),
    [
        (timedelta(0), FIRST_LOOK),
        (timedelta(minutes=-5), FIRST_LOOK),  # a clock was set back
        (timedelta(minutes=2), timedelta(minutes=2)),
        (timedelta(minutes=50), timedelta(minutes=10)),
        (TOLD_AFTER, LOOK_MAX),
        (timedelta(days=3), LOOK_MAX),
    ],
)
def test_is_looked_at_less_and_less_often(waited: timedelta, look: timedelta) -> None:
    """And just then when it is to be told."""
    assert wait(waited).look_again_seconds == look.total_seconds()


def test_is_not_told_while_an_end_may_be_on_its_way() -> None:
    """What is told of the booking for other reasons stays."""
    assert wait(TOLD_AFTER - timedelta(seconds=1)).cases == (OTHER,)


def test_is_told_with_the_rooms_that_show_the_event() -> None:
    other, *missing = wait(TOLD_AFTER).cases

    assert other == OTHER
    assert [(case.code, case.room_id) for case in missing] == [(MISSING, ONE), (MISSING, THREE)]
