"""Many short lives: people go on editing, each booking from one side only, while the engine dies again and again at
points drawn from a seed. The same as `tests/system/test_kill.py` does with a real process, some thousand times faster.
"""

from __future__ import annotations

import random
from datetime import timedelta

from engine.errors import DeskError
from engine.interval import Interval
from engine.prove.crash.memory import TIMES, Booking, Memory, judge
from engine.prove.crash.mortal import MortalWorld
from engine.prove.crash.scene import Scene
from engine.prove.crash.sweep import DOWN_SECONDS, PATIENCE_SECONDS
from engine.prove.judges.invariants import check_always
from engine.prove.world.life import Died
from engine.simulator.people import Refused

DEATHS = 6
ROOMS = PEOPLE = 3
POINTS_MAX = 60
"""A life lasts for so many points at most."""
PAUSES = (0.0, 0.02, 0.1, 0.3, 1.0)
HOURS = range(6, 20)


class Lives:
    """One world of many lives."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._left = 0
        self._world = MortalWorld(self._reach, is_sole=self._random.random() < 0.7, rooms=ROOMS, people=PEOPLE)
        self.scene = Scene(self._world, Memory())
        self._editors: dict[int, str] = {}

    def live(self) -> str | None:
        """Live all lives; return what went wrong in the end, None when all is as people wanted."""
        try:
            self._world.open()
            for _ in range(DEATHS):
                self._live_once()
            self._world.settle()
            self._world.wait(PATIENCE_SECONDS)
            self._world.settle()
            judge(self._world, self.scene.memory)
            check_always(self._world, set())
        except AssertionError as error:
            return "\n".join([str(error), *self.scene.memory.log])
        finally:
            self._world.close()
        return None

    def _live_once(self) -> None:
        """Let people act until the engine dies; then once or twice more while it is dead, and start it."""
        self._left = self._random.randint(1, POINTS_MAX)
        while not self._world.has_died:
            self._act()
            self._world.wait(self._random.choice(PAUSES))
        self._begin_again()
        if self._random.random() < 0.4:
            self._die_soon()

    def _die_soon(self) -> None:
        """Let the engine die again while it starts."""
        self._left = self._random.randint(1, POINTS_MAX // 3)
        for _ in range(200):
            if self._world.has_died:
                self._begin_again()
                return
            self._world.wait(0.1)
        self._left = 0

    def _begin_again(self) -> None:
        self._left = 0
        self.tell("dies")
        self._world.bury()
        for _ in range(self._random.randint(0, 2)):
            self._world.wait(DOWN_SECONDS)
            self._act(only="outlook")
        self.tell("starts")
        self._world.start()

    def _reach(self, _name: str) -> bool:
        if self._left <= 0:
            return False
        self._left -= 1
        return self._left == 0

    def tell(self, text: str) -> None:
        self.scene.memory.log.append(f"{self._world.loop.time():8.2f} {text}")

    # --- people

    def _act(self, *, only: str = "") -> None:
        """Let somebody do one thing; at the desk only while the engine lives."""
        booking = self._pick(only)
        try:
            if booking is None or self._random.random() < 0.25:
                self._make(only)
            else:
                self._edit(booking)
        except (DeskError, Refused, Died) as error:
            self.tell(f"  not done: {type(error).__name__} {error}")

    def _make(self, only: str) -> None:
        born = only or self._random.choice(["app", "outlook"])
        start = self._world.at(self._random.choice(HOURS), days=2 + len(self.scene.memory.bookings))
        times, room = Interval(start, start + timedelta(hours=1)), self._random.randint(1, ROOMS)
        person = self._random.randint(1, PEOPLE)
        self.tell(f"{born} makes number {len(self.scene.memory.bookings)} for {person} in {room} {start:%d %H}")
        make = self.scene.book if born == "app" else self.scene.meet
        booking = make(times, room, person=person)
        self._editors[id(booking)] = self._random.choice([born, "app", "outlook"])

    def _pick(self, only: str) -> Booking | None:
        bookings = self.scene.memory.bookings
        alive = [each for each in bookings if not each.cancelled and only in ("", self._editors[id(each)])]
        return self._random.choice(alive) if alive else None

    def _edit(self, booking: Booking) -> None:
        """Move it, take it to another room, cancel it, or two of these at once."""
        self.scene.chosen = booking
        is_app = self._editors[id(booking)] == "app"
        nth = self.scene.memory.bookings.index(booking)
        verb = self._random.choices(["move", "reroom", "both", "cancel"], [3, 2, 2, 1])[0]
        start = booking.last(TIMES).start.replace(hour=self._random.choice(HOURS))
        times = Interval(start, start + timedelta(hours=1)) if verb in ("move", "both") else None
        rooms = (self._random.randint(1, ROOMS),) if verb in ("reroom", "both") else None
        self.tell(f"{self._editors[id(booking)]}: {verb} number {nth} {start:%d %H} {rooms or ''}")
        if verb == "cancel":
            self.scene.cancel() if is_app else self.scene.withdraw()
        elif is_app:
            self.scene.change(times=times, rooms=rooms)
        else:
            self.scene.edit(times=times, rooms=rooms)
