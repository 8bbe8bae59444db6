"""What must be known within seconds, not only in the end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.loans.status import ItemState
from engine.prove.crash.memory import Memory, Wrong, judge
from engine.prove.crash.mortal import READ_ROOMS, MortalWorld
from engine.prove.crash.scene import Scene, Story
from engine.prove.crash.stories import tell_stories
from engine.prove.crash.weather import tell_of_weather
from tests.simulation.conftest import WITHOUT_CONTENT, MakeWorld

SECONDS = 5.0
"""Virtual; the look for missing answers comes after ten."""

AGREED_SECONDS, LOOK_SECONDS = 2.0, 0.25
"""Virtual: of rooms that answer at once."""

IN_GOOD_WEATHER = sorted(
    {name for name in tell_stories() if " | " not in name} - {story.name for story in tell_of_weather()}
)
"""Every edit of either side of every kind of booking, and nothing else."""


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


@pytest.mark.parametrize("hours", [1, 24, -1, -24])
def test_a_meeting_is_known_at_once_after_the_clock_has_jumped(worlds: MakeWorld, hours: int) -> None:
    """Put right by hours, the clock was ahead of when the queue was to be looked at: half a minute was slept on."""
    world = worlds(rooms=1, people=1)
    world.settle()
    world.wait(SECONDS)
    world.skew += timedelta(hours=hours)

    world.meet(1, 60, 61, 1)
    world.wait(SECONDS)

    assert [item.state for loan in world.loans for item in loan.items] == [ItemState.ACCEPTED]


@pytest.mark.parametrize(
    "settings", [pytest.param({}, id="contents"), pytest.param(READ_ROOMS, id="rooms are read", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("name", IN_GOOD_WEATHER)
def test_both_sides_agree_within_seconds(name: str, settings: dict[str, str]) -> None:
    """A loan given to somebody else took half a minute: its rooms were not heard to let go of the former event."""
    world = MortalWorld(lambda _point: False, rooms=3, people=3, settings=settings)
    world.open()
    try:
        assert seconds_until_agreed(world, tell_stories()[name]) <= AGREED_SECONDS
    finally:
        world.close()


def seconds_until_agreed(world: MortalWorld, story: Story) -> float:
    """Live through a story; return how long after its edit both sides say what was wanted, or a minute."""
    scene = Scene(world, Memory())
    story.act(scene, story.before)
    world.settle()
    story.act(scene, story.edit)
    waited = 0.0
    while waited < 60.0 and not agree(scene):
        world.wait(LOOK_SECONDS)
        waited += LOOK_SECONDS
    return waited


def agree(scene: Scene) -> bool:
    try:
        judge(scene.world, scene.memory)
    except Wrong:
        return False
    return True
