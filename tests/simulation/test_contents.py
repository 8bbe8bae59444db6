"""Notifications that bring their event: when a room is read all the same, and how what they brought is confirmed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from engine.app.readings import read_metrics
from engine.graph.meter import GatewayMeter
from engine.prove.schedule import Schedule, draw_schedule
from engine.prove.weather import OF_CONTENT
from engine.prove.world.world import World
from tests.simulation.conftest import WITHOUT_CONTENT, MakeWorld
from tests.simulation.test_outlook_to_app import request_from_outside
from tests.simulation.test_request_counts import CONTENT, PUNCTUAL, counting


@pytest.fixture
def world() -> Iterator[World]:
    made = World(tenant=PUNCTUAL, settings=CONTENT).open()
    yield made
    made.close()


def move(world: World, event: dict[str, Any], hours: float) -> None:
    world.run(world.person(2).move(event["id"], world.at(hours), world.at(hours + 1)))


def opened(world: World) -> dict[str, int]:
    return dict(read_metrics(world.office, GatewayMeter()).contents)


def unconfirmed(world: World) -> int:
    return int(world._rows("SELECT count(*) AS found FROM room_copy WHERE unconfirmed")[0].found)


class TestARoomIsReadAllTheSame:
    """Where what is brought cannot be used, it costs a request and no change."""

    def check_move(self, world: World) -> None:
        event = world.meet(2, 9, 10, 1)
        world.settle()
        with counting(world) as count:
            move(world, event, 11)
        assert (count.deltas, count.reads, count.writes) == (1, 0, 0)
        assert [loan.interval.start for loan in world.live_loans] == [world.at(11)]

    @pytest.mark.parametrize("effect", ["garble_content", "cut_content"])
    def test_when_it_was_garbled(self, world: World, effect: str) -> None:
        world.tenant.faults.add(effect=effect)
        self.check_move(world)
        assert opened(world).keys() == {"garbled"}

    def test_when_it_is_for_a_certificate_we_never_had(self, world: World) -> None:
        world.tenant.faults.add(effect="unknown_key")
        self.check_move(world)
        assert opened(world).keys() == {"certificate"}

    def test_when_only_what_came_last_of_it_was_garbled(self, world: World) -> None:
        """The older version can be opened, and is not what the meeting is by now."""
        event = world.meet(2, 9, 10, 1)
        world.settle()
        world.tenant.faults.add(effect="batch", seconds=5.0, nth=1)
        move(world, event, 11)
        world.wait(2.0)
        world.tenant.faults.add(effect="garble_content")
        move(world, event, 14)
        world.wait(10.0)

        assert opened(world).keys() >= {"garbled"}
        assert [loan.interval.start for loan in world.live_loans] == [world.at(14)]

    def test_when_somebody_else_sent_it(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        forged = "eyJhbGciOiJub25lIn0.e30."
        monkeypatch.setattr(world.tenant.tokens, "current", lambda: forged)
        self.check_move(world)
        assert opened(world).keys() == {"sender"}

    def test_when_its_key_is_not_known(self, world: World) -> None:
        with world.database.write() as transaction:
            transaction.connection.exec_driver_sql("DELETE FROM content_key")
        self.check_move(world)
        assert opened(world).keys() == {"certificate"}

    def test_when_another_meeting_is_in_the_room_then(self, world: World) -> None:
        """That one may have moved away, and the notification of that be lost."""
        first, second = world.meet(2, 9, 10, 1), world.meet(2, 13, 14, 1)
        world.settle()
        world.tenant.faults.add(effect="lose")
        move(world, first, 16)
        world.settle()
        world.tenant.faults.clear()

        with counting(world) as count:
            move(world, second, 9)

        assert (count.deltas, count.reads, count.writes) == (1, 0, 0)
        assert sorted(loan.interval.start for loan in world.live_loans) == [world.at(9), world.at(16)]

    def test_when_it_belongs_to_a_series(self, world: World) -> None:
        world.run(
            world.person(2).book_series(world.at(9), world.at(10), kind="daily", times=3, rooms=world.addresses([1]))
        )
        world.settle()
        assert len(world.live_loans) == 3
        assert unconfirmed(world) == 0

    def test_when_it_is_beyond_the_window(self, world: World) -> None:
        event = world.meet(2, 9, 10, 1)
        world.settle()
        with counting(world) as count:
            far = world.at(9, days=world.settings.sync.horizon_days + 50)
            world.run(world.person(2).move(event["id"], far, world.at(10, days=world.settings.sync.horizon_days + 50)))
        assert count.deltas == 1

    def test_when_the_organizer_is_from_outside(self, world: World) -> None:
        """Nobody could be asked whether it is there still."""
        with counting(world) as count:
            request_from_outside(world, 9, 10, 1)
        assert count.deltas == 1


class TestLateNotices:
    def test_an_older_version_changes_nothing(self, world: World) -> None:
        event = world.meet(2, 9, 10, 1)
        world.settle()
        before = list(world.notifications)
        move(world, event, 11)
        world.settle()

        for body in before:
            world.office.inbox.accept(body)
        world.settle()

        assert [loan.interval.start for loan in world.live_loans] == [world.at(11)]

    def test_what_is_gone_does_not_come_back(self, world: World) -> None:
        """Its deletion was lost, and a reading has missed nothing: it never showed it."""
        world.tenant.faults.add(effect="lose")
        event = world.meet(2, 9, 10, 1)
        world.settle()
        world.tenant.faults.clear()
        world.heal()
        told = [*world.notifications]
        world.run(world.person(2).cancel(event["id"]))
        world.settle()
        assert world.live_loans == ()

        for body in [*told, *world.notifications]:
            world.office.inbox.accept(body)
        world.settle()

        assert world.live_loans == ()


class TestConfirmation:
    def test_the_next_reading_confirms_what_was_brought(self, world: World) -> None:
        world.meet(2, 9, 10, 1)
        world.settle()
        assert unconfirmed(world) == 1
        world.heal()
        assert unconfirmed(world) == 0

    def test_what_it_does_not_show_is_asked_for(self, world: World) -> None:
        """The meeting came and went between two readings, and nobody told of its end: a delta knows nothing of it."""
        world.tenant.office.set_processing(world.room_addresses[0], RemoveCanceledMeetings=True)
        event = world.meet(2, 9, 10, 1)
        world.settle()
        world.tenant.faults.add(effect="lose")
        world.run(world.person(2).cancel(event["id"]))
        world.settle()
        assert len(world.live_loans) == 1

        world.tenant.faults.clear()
        world.heal()

        assert world.live_loans == ()
        assert unconfirmed(world) == 0

    def test_a_page_that_was_under_way_does_not_undo_it(self, world: World) -> None:
        event = world.meet(2, 9, 10, 1)
        world.settle()
        world.heal()
        world.tenant.faults.add(effect="lag", seconds=60.0)
        move(world, event, 11)
        world.settle()
        world.office.rooms.mark_rooms(priority=1)
        world.settle()

        assert [loan.interval.start for loan in world.live_loans] == [world.at(11)]


class TestSubscriptions:
    def subscriptions(self, world: World) -> list[bool]:
        return [found.certificate is not None for found in world.tenant.subscriptions.all.values()]

    def test_follow_the_setting_at_the_next_start(self, world: World) -> None:
        assert self.subscriptions(world) == [True, True]
        world.kill()
        world.settings = world.make_settings(WITHOUT_CONTENT)
        world.start()
        world.settle()
        assert self.subscriptions(world) == [False, False]

        world.kill()
        world.settings = world.make_settings(CONTENT)
        world.start()
        world.settle()
        assert self.subscriptions(world) == [True, True]

    def test_live_for_a_day_and_are_renewed_in_time(self, world: World) -> None:
        first = set(world.tenant.subscriptions.all)
        for _ in range(8):
            world.wait(6 * 3600.0)
            world.office.subscriptions.mark_due()
            world.settle()
        assert set(world.tenant.subscriptions.all) == first

    def test_without_the_setting_nothing_is_opened(self) -> None:
        made = World(tenant=PUNCTUAL, settings=WITHOUT_CONTENT).open()
        try:
            made.meet(2, 9, 10, 1)
            made.settle()
            assert made.office.inbox.contents is None
            assert all("encryptedContent" not in item for body in made.notifications for item in items(body))
            assert unconfirmed(made) == 0
        finally:
            made.close()


def items(body: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(body)["value"]
    return found


def test_what_is_kept_of_a_notification_holds_no_event(world: World) -> None:
    world.meet(2, 9, 10, 1)
    world.settle()
    kept = [row.raw for row in world._rows("SELECT raw FROM notification WHERE change_type != 'lifecycle'")]
    assert kept
    assert not any("encryptedContent" in raw for raw in kept)


def test_they_are_garbled_in_some_random_worlds_and_no_others() -> None:
    names = {fault.name for fault in OF_CONTENT}
    worlds = [draw_schedule(seed) for seed in range(200)]
    spoiled = [world for world in worlds if names & {front.name for front in world.weather}]
    assert spoiled
    assert all(world.content for world in spoiled)
    assert names == {front.name for world in spoiled for front in world.weather} & names
    assert len(spoiled) < sum(world.content for world in worlds)


def test_half_of_random_worlds_have_them() -> None:
    """And a schedule that was kept before there were any has none."""
    drawn = [draw_schedule(seed, steps=0).content for seed in range(1, 201)]
    assert 80 < sum(drawn) < 120
    assert not Schedule(1, 1, 1, (), ()).content


class TestWhereGraphBringsNone:
    """A tenant that refuses to send events along is served all the same, by reading."""

    def test_the_rooms_are_read_and_it_is_asked_again_after_a_week(self, worlds: MakeWorld, long_sleeps: None) -> None:
        world = worlds(rooms=1, tenant=PUNCTUAL, settings=CONTENT, start=False)
        world.tenant.faults.add(effect="refuse_content")
        world.open()
        with counting(world) as count:
            world.meet(2, 9, 10, 1)
        assert (count.deltas, count.reads) == (1, 1)
        assert [row["content"] for row in world.office.list_subscriptions()] == ["refused"]

        world.tenant.faults.clear()
        for _ in range(8):
            world.wait(86_400.0)
            world.office.subscriptions.mark_due()
            world.settle()

        assert [row["content"] for row in world.office.list_subscriptions()] == ["yes"]
        with counting(world) as count:
            world.meet(2, 12, 13, 1)
        assert (count.deltas, count.reads) == (0, 1)

    @pytest.mark.parametrize(
        ("words", "hours"),
        [("Reason: Subscription validation request failed.", 1), ("The remote server returned an error.", 7)],
    )
    def test_a_room_whose_refusal_is_about_something_else_is_asked_again_soon(
        self, worlds: MakeWorld, words: str, hours: int
    ) -> None:
        """Our receiver was away when Graph called it, and back for the next try: its room went a week without."""
        world = worlds(rooms=1, tenant=PUNCTUAL, settings=CONTENT, start=False)
        refusal: dict[str, Any] = {"effect": "error", "status": 400, "code": "InvalidRequest", "message": words}
        world.tenant.faults.add(**refusal, method="POST", path="/subscriptions$", times=1)
        world.open()
        world.wait(hours * 3600.0)
        world.office.subscriptions.mark_due()
        world.settle()

        assert [row["content"] for row in world.office.list_subscriptions()] == ["yes"]

    def test_a_room_that_refuses_any_is_parked_as_before(self, worlds: MakeWorld) -> None:
        """What is wrong there has nothing to do with what is brought."""
        world = worlds(rooms=1, tenant=PUNCTUAL, settings=CONTENT, start=False)
        world.tenant.faults.add(effect="error", status=403, method="POST", path="/subscriptions$")
        world.open()

        assert [row["content"] for row in world.office.list_subscriptions()] == ["no"]
        assert [(key.kind, key.parked_at is not None) for key in world.office.queue.waiting(9)] == [
            ("subscription", True)
        ]
