"""Two engines on one store, one of which sleeps past its leases (F24), and a store that goes back in time (F19)."""

from __future__ import annotations

import random
from urllib.parse import quote

import pytest

from engine.app.office import Office
from engine.graph.transport import Request
from engine.ids import BookableId
from engine.interval import Interval
from engine.loans.register import LoanChange
from engine.prove.judges.invariants import Broken, check_always, check_lives
from engine.prove.people.app_series import AppSeries
from engine.prove.people.people import Crowd
from engine.prove.world.backups import back_up, restore
from engine.prove.world.life import Life
from engine.prove.world.world import World
from engine.reconcile.series.book import Scope
from engine.web.pages.parts.settings import SettingKey
from engine.worker.loop import Loop
from tests.simulation.conftest import WITHOUT_CONTENT, MakeWorld
from tests.simulation.test_app_series import book, states
from tests.simulation.test_request_counts import CONTENT

LEASE = {"ENGINE_SYNC__LEASE_SECONDS": "10"}
LONG_SECONDS = 40.0


def let_the_first_sleep(world: World, when: str) -> Life:
    """Let the first of two engines begin what is to be done next, and sleep *when* it asks Outlook something for it."""
    first, second = world.lives
    world.put_to_sleep(second, 3.0)
    first.sleeps_at = (when, LONG_SECONDS)
    return first


@pytest.fixture
def rivals(worlds: MakeWorld) -> World:
    world = worlds(is_sole=False, settings=LEASE)
    world.start()
    world.settle()
    return world


@pytest.mark.parametrize("when", ["before", "after"])
class TestAWorkerThatSleptPastItsLease:
    def test_makes_no_second_event(self, rivals: World, when: str) -> None:
        sleeper = let_the_first_sleep(rivals, when)
        loan = rivals.book(2, 9, 10, 1)
        rivals.wait(LONG_SECONDS / 2)
        assert rivals.loop.is_asleep(sleeper), "it had nothing to ask"

        rivals.wait(LONG_SECONDS)
        rivals.settle()

        check_lives(rivals)
        check_always(rivals, set())
        assert len([event for event in rivals.all_events() if event["subject"].startswith("#")]) == 1
        assert rivals.loan(loan.number).rooms[0].state == "accepted"

    def test_does_no_more_for_a_room_that_another_has_read(self, rivals: World, when: str) -> None:
        sleeper = let_the_first_sleep(rivals, when)
        rivals.meet(1, 9, 10, 1)
        rivals.wait(LONG_SECONDS / 2)
        assert rivals.loop.is_asleep(sleeper), "it had nothing to read"
        assert len(rivals.live_loans) == 1, "nobody else took over"

        rivals.wait(LONG_SECONDS)
        rivals.settle()

        check_lives(rivals)
        assert len(rivals.live_loans) == 1

    def test_is_noticed_where_nobody_looks_at_leases(
        self, rivals: World, when: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The judge sees what a worker does that does not ask (I19)."""
        monkeypatch.setattr(Loop, "_check_lease", lambda self, claim: None)
        let_the_first_sleep(rivals, when)
        rivals.meet(1, 9, 10, 1)
        rivals.wait(2 * LONG_SECONDS)
        with pytest.raises(Broken, match="I19"):
            check_lives(rivals)


class TestASettingThatChanges:
    def test_is_met_by_what_it_wakes_in_every_engine(self, rivals: World) -> None:
        """What one engine held back while the mode was shadow goes on, though the other one changed the mode."""
        first, second = rivals.lives
        rivals.override(SettingKey.MODE, "shadow")
        loan = rivals.book(2, 9, 10, 1)
        rivals.wait(30.0)
        rivals.put_to_sleep(first, 5.0)
        second.engine.office.rules.sync()
        rivals.override(SettingKey.MODE, None)
        rivals.wait(3.0)
        assert rivals.links()[loan.number] is not None

    def test_wakes_series_that_wait_for_it(self, rivals: World) -> None:
        """A series is looked at again at once, not when five minutes are over."""
        rivals.override(SettingKey.MODE, "shadow")
        AppSeries(Crowd(rivals, random.Random(1))).book()
        rivals.wait(10.0)
        assert rivals.count_writes() == 0
        rivals.override(SettingKey.MODE, None)
        rivals.wait(5.0)
        assert rivals.count_writes() == 1

    def test_that_excluded_a_room_is_met_when_it_is_followed_again(self, rivals: World) -> None:
        """An engine that has known it as excluded reads it all the same: nothing would wake it again."""
        first, second = rivals.lives
        rivals.tenant.office.change_place(rivals.room_addresses[0], tags=["no sync"])
        rivals.override(SettingKey.IGNORED_TAGS, "no sync")
        rivals.wait(30.0)
        rivals.put_to_sleep(second, 3.0)
        assert second.engine.office.ledger.load_reading(BookableId(1)) is None
        rivals.override(SettingKey.IGNORED_TAGS, None)
        rivals.wait(2.0)
        rivals.put_to_sleep(first, LONG_SECONDS)
        rivals.meet(1, 9, 10, 1)
        rivals.office.enqueue("room", "1")
        rivals.wait(4.0)
        assert [loan.rooms[0].state for loan in rivals.live_loans] == ["accepted"]


class TestARoomThatGetsAnotherAddress:
    def test_is_known_by_it_to_an_engine_that_has_not_read_the_list_of_rooms_since(self, rivals: World) -> None:
        """
        One engine reads the list, and makes an event that invites the room by its new address; the other looks at it.

        To that one the room was a stranger, and the loan let go of it for ever.
        """
        first, second = rivals.lives
        second.engine.office.cache.forget()
        assert second.engine.office.cache.book().by_address("room-1@example.org") is not None
        rivals.put_to_sleep(second, 4.0)
        rivals.readdress(1, "room-1-new@example.org")
        rivals.office.enqueue("places", "all")
        rivals.wait(1.0)
        rivals.tenant.faults.add(effect="lose", probability=1.0)
        loan = rivals.book(2, 9, 10, 1, 2)
        rivals.wait(2.0)
        rivals.put_to_sleep(first, 4.0)
        rivals.office.enqueue("room", "2")
        rivals.wait(3.0)
        assert len(rivals.loan(loan.number).held_items) == 2

        rivals.heal()
        assert [item.state for item in rivals.loan(loan.number).rooms] == ["accepted"] * 2

    def test_is_known_by_it_to_a_pass_that_began_before(self, rivals: World) -> None:
        """The list of rooms is read, and the room invited by its new address, while the pass asks the organizer."""
        first, second = rivals.lives

        def sleep_over(when: str, request: Request) -> None:
            if f"/users/{quote(rivals.people[0])}/" in request.url and not rivals.loop.is_asleep(first):
                rivals.on_request = None
                rivals.put_to_sleep(first, 5.0)

        rivals.on_request = sleep_over
        rivals.put_to_sleep(second, 2.0)
        event = rivals.meet(1, 9, 10, 2)
        rivals.wait(2.5)
        assert rivals.loop.is_asleep(first), "it had nothing to ask the organizer"
        rivals.readdress(1, "room-1-new@example.org")
        rivals.office.enqueue("places", "all")
        rivals.wait(1.0)
        rivals.tenant.faults.add(effect="lose", probability=1.0)
        rivals.run(rivals.person(1).set_rooms(event["id"], rivals.addresses([1, 2])))

        rivals.wait(5.0)

        (loan,) = rivals.live_loans
        assert len(loan.held_items) == 2


@pytest.mark.parametrize("rooms", [0, 1], ids=["the first", "another"])
class TestARoomThatIsNew:
    """Two engines, of which one imports a room; the other, which knows the list of rooms from before, acts on it."""

    @pytest.fixture
    def rivals(self, worlds: MakeWorld, rooms: int) -> World:
        world = worlds(is_sole=False, rooms=rooms, settings={**WITHOUT_CONTENT, "ENGINE_SYNC__LEASE_SECONDS": "5"})
        world.start()
        world.settle()
        _, second = world.lives
        second.engine.office.cache.forget()
        assert len(second.engine.office.cache.book().rooms) == rooms
        world.put_to_sleep(second, 2.0)
        address = f"room-{rooms + 1}@example.org"
        world.tenant.office.add_room(address, f"Room {rooms + 1}")
        world.room_addresses.append(address)
        world.office.enqueue("places", "all")
        world.wait(0.5)
        return world

    def test_is_known_to_whoever_takes_over_a_meeting_in_it(self, rivals: World, rooms: int) -> None:
        """Nobody would look at it again: nothing about it changes."""
        first, _ = rivals.lives

        def sleep_over(when: str, request: Request) -> None:
            if f"/users/{quote(rivals.people[0])}/" in request.url and not rivals.loop.is_asleep(first):
                rivals.put_to_sleep(first, LONG_SECONDS)

        rivals.on_request = sleep_over
        rivals.meet(1, 9, 10, rooms + 1)
        rivals.wait(1.4)
        assert rivals.loop.is_asleep(first), "it had nothing to ask the organizer"

        rivals.wait(6.0)

        assert [loan.rooms[0].state for loan in rivals.live_loans] == ["accepted"]

    def test_is_known_to_whoever_writes_a_loan_of_it(self, rivals: World, rooms: int) -> None:
        """It was invited by nobody, and the loan waited for its answer."""
        first, _ = rivals.lives
        rivals.put_to_sleep(first, LONG_SECONDS)
        loan = rivals.book(1, 9, 10, rooms + 1)

        rivals.wait(3.0)

        (event,) = rivals.run(rivals.person(1).events())
        assert [each["emailAddress"]["address"] for each in event["attendees"]] == rivals.room_addresses[-1:]
        assert len(rivals.loan(loan.number).rooms) == 1


class TestTheDeskOfAProcessThatKnowsTheRoomsFromBefore:
    """Another process has changed them a moment ago; nothing has been looked at here since."""

    @pytest.fixture
    def rivals(self, worlds: MakeWorld) -> World:
        world = worlds(is_sole=False, rooms=1, settings=LEASE)
        world.start()
        world.settle()
        return world

    def desk(self, rivals: World) -> Office:
        """Return what the second process, which is asleep but for its desk, knows from now on."""
        _, second = rivals.lives
        second.engine.office.cache.forget()
        assert len(second.engine.office.cache.book().rooms) == 1
        rivals.put_to_sleep(second, 3.0)
        return second.engine.office

    def import_another(self, rivals: World) -> None:
        rivals.tenant.office.add_room("room-2@example.org", "Room 2")
        rivals.room_addresses.append("room-2@example.org")
        rivals.office.enqueue("places", "all")
        rivals.wait(1.0)

    def test_takes_a_series_to_a_new_room(self, rivals: World) -> None:
        """The request to Outlook invited it not."""
        made = book(rivals)
        rivals.settle()
        desk = self.desk(rivals)
        self.import_another(rivals)

        desk.series.change(made.loans[0].number, LoanChange(items=(rivals.item(2),)), Scope.ALL, actor="app:test")
        rivals.settle()

        assert {item.name for loan in rivals.live_loans for item in loan.held_items} == {"Room 2"}
        assert states(rivals.live_loans) == {"accepted"}
        assert rivals.count_writes() == 2

    def test_reads_a_new_room_for_a_backfill(self, rivals: World) -> None:
        desk = self.desk(rivals)
        self.import_another(rivals)

        made = desk.backfills.create(Interval(rivals.at(0), rivals.at(24)), (), actor="app:test")

        assert len(made.rooms) == 2

    def test_takes_whole_days_as_its_new_zone_has_them(self, worlds: MakeWorld) -> None:
        """Also those that notifications bring with them."""
        rivals = worlds(is_sole=False, rooms=1, settings=LEASE | CONTENT)
        rivals.start()
        rivals.settle()
        first, second = rivals.lives
        first.engine.office.cache.forget()
        assert first.engine.office.cache.book().rooms[0].time_zone is None
        second.engine.office.rooms.set_time_zone(rivals.item(1).id, "Asia/Tokyo")

        rivals.meet(1, 0, 24, 1, isAllDay=True)
        rivals.wait(3.0)

        (copy,) = rivals._rows("SELECT start_at FROM room_copy")
        assert copy.start_at == f"{rivals.at(-9):%Y-%m-%dT%H:%M:%S.%f}+00:00"


class TestAWorkerAlone:
    def test_goes_on_with_what_it_slept_over(self, worlds: MakeWorld) -> None:
        """Nobody has taken its keys: it takes them again itself."""
        world = worlds(settings=LEASE)
        world.lives[0].sleeps_at = ("before", LONG_SECONDS)
        loan = world.book(2, 9, 10, 1)
        world.wait(LONG_SECONDS + 1)
        world.settle()
        check_lives(world)
        assert world.loan(loan.number).rooms[0].state == "accepted"


class TestAStoreThatGoesBackInTime:
    def test_takes_events_of_lost_loans_for_meetings_and_never_for_its_own(self, worlds: MakeWorld) -> None:
        world = worlds()
        backup = back_up(world)
        assert backup is not None
        lost = world.book(2, 9, 10, 1)
        world.settle()

        world.kill()
        restore(world, backup)
        world.start()
        world.heal()
        (found,) = world.live_loans
        assert (found.home, found.interval) == ("outlook", lost.interval)

        again = world.book(2, 11, 12, 1)
        world.heal()
        check_always(world, set())
        assert {loan.interval for loan in world.live_loans} == {lost.interval, again.interval}
        assert len(world.all_events()) == 2
