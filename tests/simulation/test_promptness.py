"""What must be known within seconds, not only in the end."""

from __future__ import annotations

from engine.loans.status import ItemState
from tests.simulation.conftest import WITHOUT_CONTENT, MakeWorld

SECONDS = 5.0
"""Virtual; the look for missing answers comes after ten."""


def test_a_refusal_is_known_as_soon_as_the_room_is_heard(worlds: MakeWorld) -> None:
    """
    A room that declines shows its copy for a moment only: what is read of it is that something unknown went.

    That is reason enough to look at the loans that wait for this room.
    """
    world = worlds(rooms=1, people=1, settings=WITHOUT_CONTENT)
    world.tenant.office.set_processing(world.room_addresses[0], MaximumDurationInMinutes=30)

    loan = world.book(1, 9, 10, 1)
    world.wait(SECONDS)

    assert [item.state for item in world.loan(loan.number).items] == [ItemState.DECLINED]
