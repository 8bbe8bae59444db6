"""Random lives of series: who follows by delta sees what the calendar shows, and rooms agree with organizers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest

from engine.simulator.people import Refused
from tests.simulator.series import ALEX, AULA, STUDIO, WINDOW
from tests.simulator.virtual import SimulatedWorld

STEPS = 40
EXPECTED = {"ErrorOccurrenceCrossingBoundary", "ErrorRecurrenceHasNoOccurrence"}
ZONE = "Europe/Paris"
FIRST = date(2026, 11, 30)
MAILBOXES = ("alex@example.org", AULA, STUDIO)
KINDS = ("daily", "weekly", "absoluteMonthly", "relativeMonthly")


class Follower:
    """Keeps a calendar by delta alone: ids with where they stand."""

    def __init__(self, world: SimulatedWorld, mailbox: str) -> None:
        self._world = world
        self._mailbox = mailbox
        self._link: str | None = None
        self.seen: dict[str, tuple[str, str]] = {}

    def catch_up(self) -> None:
        items, self._link = self._world.delta(self._mailbox, self._link, size=7)
        for item in items:
            if "@removed" in item:
                self.seen.pop(item["id"], None)
            elif item["type"] != "seriesMaster":
                self.seen[item["id"]] = (item["start"]["dateTime"], item["end"]["dateTime"])

    def shown(self) -> dict[str, tuple[str, str]]:
        found = self._world.get(f"/users/{self._mailbox}/calendarView?{WINDOW}&$top=1000")["value"]
        return {item["id"]: (item["start"]["dateTime"], item["end"]["dateTime"]) for item in found}


class Life:
    """What happens to series of one organizer, one random act at a time."""

    def __init__(self, world: SimulatedWorld, seed: int) -> None:
        self.world = world
        self.random = Random(seed)
        self.log: list[str] = []

    def act(self) -> None:
        verbs = [self.book, self.move_date, self.move_date, self.cancel_date, self.reroom_date, self.rename_date,
                 self.cut, self.rest_elsewhere, self.move_all, self.reroom_all, self.rename_all, self.decline_date,
                 self.cancel_all]  # fmt: skip
        verb = self.random.choice(verbs)
        self.log.append(verb.__name__)
        try:
            verb()
        except Refused as refused:
            self.log.append(refused.code)
            if refused.code not in EXPECTED:
                raise
        except ValueError as error:
            self.log.append(str(error))

    def run(self, coroutine: Any) -> Any:
        return self.world.run(coroutine)

    # -- picking

    def series(self) -> dict[str, Any] | None:
        found = [item for item in self.run(self.world.alex.events()) if item["type"] == "seriesMaster"]
        return self.random.choice(found) if found else None

    def date(self) -> dict[str, Any] | None:
        found = self.world.get(f"{ALEX}/calendarView?{WINDOW}&$top=1000")["value"]
        return self.random.choice(found) if found else None

    def moment(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, self.random.randint(7, 16), tzinfo=UTC)

    def rooms(self) -> list[dict[str, Any]]:
        chosen = self.random.choice([[AULA], [STUDIO], [AULA, STUDIO], []])
        return [{"type": "resource", "emailAddress": {"address": room, "name": room}} for room in chosen]

    # -- acting

    def book(self) -> None:
        start = self.moment(FIRST + timedelta(days=self.random.randint(0, 20)))
        ends = self.random.choice([{"times": self.random.randint(1, 8)}, {"until": start.date() + timedelta(days=50)}])
        self.run(self.world.alex.book_series(
            start, start + timedelta(hours=1), kind=self.random.choice(KINDS), every=self.random.randint(1, 3),
            zone=ZONE, attendees=self.rooms(), **ends,
        ))  # fmt: skip

    def move_date(self) -> None:
        item = self.date()
        if item:
            day = date.fromisoformat(item["start"]["dateTime"][:10]) + timedelta(days=self.random.randint(-2, 2))
            start = self.moment(day)
            self.run(self.world.alex.move(item["id"], start, start + timedelta(hours=1)))

    def cancel_date(self) -> None:
        item = self.date()
        if item:
            self.run(self.world.alex.cancel(item["id"]))

    def reroom_date(self) -> None:
        item = self.date()
        if item:
            self.run(self.world.alex.change(item["id"], attendees=self.rooms()))

    def rename_date(self) -> None:
        item = self.date()
        if item:
            self.run(self.world.alex.rename(item["id"], f"Date {self.random.randint(1, 99)}"))

    def cut(self) -> None:
        master = self.series()
        if master:
            day = FIRST + timedelta(days=self.random.randint(0, 60))
            self.run(self.world.alex.cancel_following(master["id"], day))

    def rest_elsewhere(self) -> None:
        master = self.series()
        if master:
            day = FIRST + timedelta(days=self.random.randint(0, 40))
            self.run(self.world.alex.change_following(master["id"], day, attendees=self.rooms()))

    def move_all(self) -> None:
        master = self.series()
        if master:
            day = date.fromisoformat(master["start"]["dateTime"][:10])
            start = self.moment(day + timedelta(days=self.random.randint(-1, 3)))
            self.run(self.world.alex.move_series(master["id"], day, start, start + timedelta(hours=1)))

    def reroom_all(self) -> None:
        master = self.series()
        if master:
            self.run(self.world.alex.change(master["id"], attendees=self.rooms()))

    def rename_all(self) -> None:
        master = self.series()
        if master:
            self.run(self.world.alex.rename(master["id"], f"Series {self.random.randint(1, 99)}"))

    def decline_date(self) -> None:
        found = self.world.get(f"/users/{AULA}/calendarView?{WINDOW}&$top=1000")["value"]
        live = [item for item in found if not item["isCancelled"]]
        if live:
            self.run(self.world.aula.answer(self.random.choice(live)["id"], "decline"))

    def cancel_all(self) -> None:
        master = self.series()
        if master and self.random.random() < 0.5:
            self.run(self.world.alex.cancel(master["id"]))


def held(world: SimulatedWorld, room: str) -> dict[str, str]:
    """What the room has, live: iCalUId to start."""
    found = world.get(f"/users/{room}/calendarView?{WINDOW}&$top=1000")["value"]
    return {item["iCalUId"]: item["start"]["dateTime"] for item in found if not item["isCancelled"]}


def promised(world: SimulatedWorld, room: str) -> dict[str, str]:
    """What the organizer believes the room accepted: iCalUId to start."""
    found = world.get(f"{ALEX}/calendarView?{WINDOW}&$top=1000")["value"]
    return {
        item["iCalUId"]: item["start"]["dateTime"]
        for item in found
        for guest in item["attendees"]
        if guest["emailAddress"]["address"] == room and guest["status"]["response"] == "accepted"
    }


@pytest.mark.parametrize("seed", [1, 2, 3, 102, 111, 113, 207, 266, 274, 380])
def test_delta_and_rooms_agree_with_the_calendar(make_world: Callable[..., SimulatedWorld], seed: int) -> None:
    """B10, B34, B43, B44, B56: after every act, and once all has settled."""
    world = make_world(seed=seed)
    for room in (AULA, STUDIO):
        world.tenant.office.set_processing(room, ConflictPercentageAllowed=100, MaximumConflictInstances=1000)
    life = Life(world, seed)
    followers = {name: Follower(world, name) for name in MAILBOXES}
    for _ in range(STEPS):
        life.act()
        world.wait(life.random.choice([0.0, 1.5, 5.0]))
        for name, follower in followers.items():
            follower.catch_up()
            assert follower.seen == follower.shown(), (name, life.log)
        if life.random.random() < 0.3:
            world.settle()
            for room in (AULA, STUDIO):
                assert held(world, room) == promised(world, room), (room, life.log)
