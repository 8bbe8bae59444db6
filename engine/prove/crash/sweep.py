"""Living through a story with a death at every point: the process forks there, and the child goes on as the dead one.

So a story is lived through once however many points it has, and a death costs only what comes after it.
"""

from __future__ import annotations

import asyncio
import gc
import os
import pickle
import sys
import traceback
from dataclasses import dataclass, field
from typing import NoReturn

from engine.prove.crash.memory import Memory, judge
from engine.prove.crash.mortal import READ_ROOMS, MortalWorld, continue_loop
from engine.prove.crash.scene import Scene, Story
from engine.prove.judges.invariants import check_always
from engine.prove.world.life import Died

LOOKS = 60
LOOK_SECONDS = 0.25
"""How long a story's edit is followed for a point to die at."""

DOWN_SECONDS = 2.0
"""How long the engine is dead."""

PATIENCE_SECONDS = 120.0
"""Virtual; within so long after the last start both sides agree, as the test with real processes asks."""


@dataclass
class Outcome:
    """What became of one story: how many points were died at, and each failure with where it died."""

    crashes: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        self.crashes += other.crashes
        self.failures += other.failures


class Sweep:
    """
    One living through a story, and in its children all the others.

    Args:
        story: what happens.
        deaths: at how many points of one life after the other to die: 1 sweeps points, 2 sweeps pairs.
        is_sole: as `MortalWorld` takes it.
        only: die there and nowhere else: the numbers of the points, one for each death.
        is_hasty: stop at the first death that ends badly.
        reads_rooms: notifications do not bring their event; there is more to die in.
    """

    def __init__(
        self,
        story: Story,
        *,
        deaths: int = 1,
        is_sole: bool = True,
        only: tuple[int, ...] = (),
        is_hasty: bool = False,
        reads_rooms: bool = True,
    ) -> None:
        self._story = story
        self._deaths = len(only) or deaths
        self._only = only
        self._is_hasty = is_hasty
        self._armed = False
        self._nth = 0
        self._stamp: object = None
        """Of the world at the last point that was died at."""
        self.died: list[str] = []
        """Where, in this living through it."""
        self._outcome = Outcome()
        self._answer: int | None = None
        """Where a child tells its parent what became of it."""
        settings = READ_ROOMS if reads_rooms else {}
        self._world = MortalWorld(self._reach, is_sole=is_sole, rooms=3, people=3, settings=settings)
        self.scene = Scene(self._world, Memory())

    def live(self) -> Outcome:
        """Live through the story; of a child this never returns."""
        try:
            self._world.open()
            self._begin()
            while self._world.has_died:
                self._go_on()
            self._armed = False
            judge(self._world, self.scene.memory)
            check_always(self._world, set())
        except (Exception, Died) as error:
            told = f"{error}" if isinstance(error, AssertionError) else traceback.format_exc()
            self._outcome.failures.append((" + ".join(self.died) or "no death", told))
        if self._answer is not None:
            self._leave()
        self._world.close()
        return self._outcome

    def _begin(self) -> None:
        """Everything up to the first death, or to the end when none comes."""
        story, scene = self._story, self.scene
        story.act(scene, story.before)
        self._world.settle()
        self._world.wait(20.0)
        self._world.settle()
        gc.collect()
        gc.freeze()  # what the children share stays shared: the collector writes to all it looks at
        self._arm()
        story.act(scene, story.edit)
        if self._survives():
            story.act(scene, story.meanwhile)
            self._settle()

    def _go_on(self) -> None:
        """Everything from one death to the next one, or to the end."""
        self._armed = False
        self._world.bury()
        self._world.wait(DOWN_SECONDS)
        if len(self.died) == 1:
            self._story.act(self.scene, self._story.meanwhile)
        if len(self.died) < self._deaths:
            self._arm()
        try:
            self._world.start()
            self._settle()
        except Died:
            return

    def _settle(self) -> None:
        if self._survives():
            self._world.settle()
            self._world.wait(PATIENCE_SECONDS)
            self._world.settle()

    def _survives(self) -> bool:
        """Look on for as long as there are points to die at, the last look included; tell whether the engine lives."""
        for _ in range(LOOKS):
            if self._world.has_died:
                break
            self._world.wait(LOOK_SECONDS)
        self._armed = False
        return not self._world.has_died

    def _arm(self) -> None:
        self._armed, self._nth, self._stamp = True, 0, None

    def _reach(self, name: str) -> bool:
        """Die here in a child, which tells what became of it; or, told where to die, only there."""
        if not self._armed or len(self.died) >= self._deaths:
            return False
        self._nth += 1
        if self._only:
            return self._die(name) if self._nth == self._only[len(self.died)] else False
        stamp = self._world.stamp
        if stamp == self._stamp or (self._is_hasty and self._outcome.failures):
            return False
        self._stamp = stamp
        told = self._fork()
        if told is None:
            return self._die(name)
        self._outcome.add(told)
        return False

    def _die(self, name: str) -> bool:
        self.died.append(f"{self._nth} {name}")
        return True

    def _fork(self) -> Outcome | None:
        """Return what became of the child; in the child None."""
        is_running = asyncio.events._get_running_loop() is not None  # a start happens outside of it
        heard, answer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(heard)
            gc.disable()  # it lives for a moment only
            self._answer, self._outcome = answer, Outcome(crashes=1)
            if is_running:
                continue_loop(self._world.loop)
            return None
        os.close(answer)
        with os.fdopen(heard, "rb") as pipe:
            told = pipe.read()
        os.waitpid(child, 0)
        if not told:
            return Outcome(1, [(f"after {self.died} at {self._nth}", "the child ended without a word")])
        found: Outcome = pickle.loads(told)
        return found

    def _leave(self) -> NoReturn:
        assert self._answer is not None
        with os.fdopen(self._answer, "wb") as pipe:
            pickle.dump(self._outcome, pipe)
        sys.stdout.flush()
        os._exit(0)
