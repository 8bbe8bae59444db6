"""The passes over the list of rooms and over subscriptions, against a service that behaves, and one that does not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from engine.database.inbox.subscriptions import SubscriptionStore
from engine.database.rooms.states import resume
from engine.errors import Duplicate, EngineError, MailboxClosed, OutcomeUnknown, Unreachable
from engine.ids import BookableId
from engine.rooms.calendar import Certificate, RemoteSubscription
from engine.rooms.room import Place
from engine.subscriptions.plan import LIFETIME
from engine.worker.places import PlacesPass
from engine.worker.subscriptions import SubscriptionPass
from tests.database.opening import IGNORED, NOW, ONE, TWO, Opened, place
from tests.templates import put_database


@dataclass(frozen=True)
class Urls:
    notification_url: str = "https://sync.example.org/graph/notifications"
    lifecycle_url: str = "https://sync.example.org/graph/lifecycle"


class Service:
    """Subscriptions as the service keeps them."""

    def __init__(self) -> None:
        self.living: dict[str, RemoteSubscription] = {}
        self.secrets: dict[str, str] = {}
        self.certificates: dict[str, str] = {}
        self.fault: EngineError | None = None
        self.answer_lost = False
        self.in_the_way = ""
        """Of the same room, for all the service knows, whatever it was called then."""
        self.while_listing: Callable[[], None] = lambda: None
        """What happens before the list is answered."""
        self.made = 0

    async def create_subscription(
        self,
        room: str,
        *,
        notification_url: str,
        lifecycle_url: str,
        client_state: str,
        expires_at: datetime,
        has_other_name: bool = False,
        certificate: Certificate | None = None,
    ) -> RemoteSubscription:
        if self.fault is not None:
            raise self.fault
        if self.in_the_way in self.living:
            raise Duplicate(f"Subscription Id {self.in_the_way} already exists")
        self.made += 1
        name, query = f"s{self.made}", "?$select=id" if certificate is not None else ""
        self.living[name] = RemoteSubscription(
            name, f"users/{room}/events{query}", notification_url, lifecycle_url, expires_at
        )
        self.certificates[name] = certificate.id if certificate is not None else ""
        self.secrets[name] = client_state
        if self.answer_lost:
            raise OutcomeUnknown("no answer")
        return self.living[name]

    async def renew_subscription(self, subscription_id: str, *, expires_at: datetime) -> RemoteSubscription | None:
        if subscription_id not in self.living:
            return None
        self.living[subscription_id] = replace(self.living[subscription_id], expires_at=expires_at)
        return self.living[subscription_id]

    async def delete_subscription(self, subscription_id: str) -> None:
        self.living.pop(subscription_id, None)

    async def fetch_subscriptions(self) -> tuple[RemoteSubscription, ...]:
        self.while_listing()
        return tuple(self.living.values())

    def add(self, name: str, **values: str) -> None:
        """One that nobody here made."""
        urls = Urls()
        facts = {"resource": "users/guid-1/events", "notification_url": urls.notification_url}
        facts |= {"lifecycle_url": urls.lifecycle_url} | values
        self.living[name] = RemoteSubscription(id=name, expires_at=NOW + LIFETIME, **facts)


class World(Opened):
    """One room, known to a service."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.service = Service()
        self.store = SubscriptionStore(self.database)
        self.list_places(place(1))
        self.forget_marks()

    def keeper(self, delivery: str = "push") -> SubscriptionPass:
        return SubscriptionPass(
            self.service, self.store, self.directory, addresses=Urls(), delivery=delivery, now=self.clock
        )

    def keep(self, room_id: BookableId = ONE, *, delivery: str = "push") -> None:
        asyncio.run(self.keeper(delivery).keep(room_id))

    def settle(self) -> None:
        asyncio.run(self.keeper().settle_all())

    @property
    def held(self) -> str | None:
        found = self.store.find_held(ONE)
        return found.remote_id if found is not None else None


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    found = World(put_database(tmp_path / "passes.db"))
    yield found
    found.database.close()


class TestKeepingOne:
    def test_it_is_created_once_with_a_secret_that_was_stored(self, world: World) -> None:
        """The room is read afterwards: what happened before went unheard."""
        world.keep()
        world.keep()

        assert list(world.service.living) == ["s1"]
        assert world.service.secrets["s1"] == world.rows("subscription")[0]["client_state"]
        assert 40 <= len(world.service.secrets["s1"]) <= 128
        assert world.service.living["s1"].expires_at == NOW + LIFETIME
        assert world.marks() == {("room", "1")}

    def test_one_that_nobody_holds_gives_way_also_under_another_address(self, world: World) -> None:
        """The answer to its creation was lost, and the room has another address by now."""
        world.service.add("s9", resource="users/former@example.org/events")
        world.service.in_the_way = "s9"

        world.keep()

        assert (list(world.service.living), world.held) == (["s1"], "s1")

    def test_one_of_a_former_address_gives_way_whose_id_a_notification_tells_meanwhile(self, world: World) -> None:
        """The answer to its creation was lost. What it sends is believed no more, and what is made in its place is."""
        world.service.add("s9", resource="users/former@example.org/events")
        world.service.in_the_way = "s9"
        former = world.store.begin_creation(ONE)
        world.service.while_listing = lambda: world.change("subscription", {"remote_id": "s9"}, room_id=ONE)

        world.keep()

        assert (list(world.service.living), world.held) == (["s1"], "s1")
        assert world.service.secrets["s1"] == world.rows("subscription")[0]["client_state"] != former

    def test_one_of_the_room_that_is_not_ours_by_its_secret_gives_way(self, world: World) -> None:
        """Its secret was lost with the store, and its notifications would be believed no more. The list of rooms told
        its address while it was asked for under another one."""
        world.keep()
        secret = world.service.secrets["s1"]
        world.store.drop(ONE)
        world.service.in_the_way = "s1"

        world.keep()

        assert (list(world.service.living), world.held) == (["s2"], "s2")
        assert world.service.secrets["s2"] == world.rows("subscription")[0]["client_state"] != secret

    def test_one_that_another_room_is_about_to_hold_stays(self, world: World) -> None:
        """The answer to its creation is still under way: it is no stranger to the room that it watches."""
        world.list_places(place(1), place(2))
        world.store.begin_creation(TWO)
        world.service.add("s2", resource="users/guid-2/events")
        world.service.add("s9", resource="users/former@example.org/events")
        world.service.in_the_way = "s9"

        world.keep()

        assert sorted(world.service.living) == ["s1", "s2"]

    def test_one_of_a_room_that_is_missing_gives_way(self, world: World) -> None:
        """It was listed anew with another id and address: one mailbox, of which the list shows the new name. The
        missing one does without, and parks nothing."""
        world.keep()
        world.list_places(place(2))
        assert [room.missing for room in world.store.load_wanted()] == [True, False]
        world.service.in_the_way = "s1"

        world.keep(TWO)
        assert list(world.service.living) == ["s2"]

        world.service.in_the_way = "s2"
        world.clock.move(timedelta(minutes=1))
        world.settle()
        world.keep(ONE)
        assert list(world.service.living) == ["s2"]
        assert [row["room_id"] for row in world.rows("subscription")] == [TWO]
        assert world.store.mark_due() == 0

    def test_one_that_another_room_holds_stays(self, world: World) -> None:
        """Set up anew and given its former address again, a room is listed twice until the list is read: the other has
        the mailbox, and this one does without. Nothing is parked."""
        world.keep()
        world.list_places(place(1), place(2))
        world.service.in_the_way = "s1"

        world.keep(TWO)

        assert list(world.service.living) == [world.held] == ["s1"]
        assert [row["room_id"] for row in world.rows("subscription")] == [ONE]

    def test_one_that_does_not_call_us_stays_and_keeps_it_from_being_made(self, world: World) -> None:
        world.service.add("s9", notification_url="https://other.example.org/")
        world.service.in_the_way = "s9"

        with pytest.raises(Duplicate):
            world.keep()

        assert list(world.service.living) == ["s9"]

    def test_it_is_renewed_at_half_its_life(self, world: World) -> None:
        """Early enough for many tries."""
        world.keep()
        world.clock.move(LIFETIME / 2)
        world.keep()
        assert world.service.living["s1"].expires_at == NOW + LIFETIME

        world.clock.move(timedelta(minutes=1))
        world.keep()

        assert world.service.living["s1"].expires_at == world.clock.now + LIFETIME
        assert world.rows("subscription")[0]["expires_at"] == world.clock.now + LIFETIME

    def test_one_that_is_gone_is_made_anew_and_the_room_read(self, world: World) -> None:
        """A renewal that is answered with 404 is no reason to try again."""
        world.keep()
        world.forget_marks()
        world.service.living.clear()
        world.clock.move(LIFETIME * 0.6)

        world.keep()

        assert list(world.service.living) == [world.held] == ["s2"]
        assert world.service.secrets["s1"] != world.service.secrets["s2"]
        assert world.marks() == {("room", "1")}

    def test_one_that_ran_out_is_replaced(self, world: World) -> None:
        """After a long night."""
        world.keep()
        world.clock.move(LIFETIME)

        world.keep()

        assert list(world.service.living) == [world.held] == ["s2"]

    def test_an_excluded_room_loses_it(self, world: World) -> None:
        """It sends us nothing any more."""
        world.keep()
        world.list_places(place(1, tags=("no-sync",)))

        world.keep()

        assert (world.service.living, world.rows("subscription")) == ({}, [])

    def test_polling_gives_it_up(self, world: World) -> None:
        """Nobody could call us."""
        world.keep()
        world.keep(delivery="poll")

        assert (world.service.living, world.rows("subscription")) == ({}, [])

    def test_a_closed_mailbox_suspends_the_room(self, world: World) -> None:
        """People are told why; nothing is tried until it is taken up again."""
        world.service.fault = MailboxClosed("mailbox not enabled")
        world.keep()
        world.service.fault = None
        world.keep()

        (room,) = world.rows("room")
        assert (room["state"], room["state_detail"]) == ("suspended", "mailbox not enabled")
        assert world.service.living == {}

        with world.database.write() as transaction:
            resume(transaction, ONE)
        world.keep()

        assert world.held == "s1"

    def test_another_fault_is_the_loops_business(self, world: World) -> None:
        """It is tried again with back-off, and the secret stays the same."""
        world.service.fault = Unreachable("no answer")
        with pytest.raises(Unreachable):
            world.keep()
        before = world.rows("subscription")[0]["client_state"]
        world.service.fault = None

        world.keep()

        assert world.service.secrets == {"s1": before}

    def test_an_unknown_room_wants_nothing(self, world: World) -> None:
        """A key may outlive its room."""
        world.keep(BookableId(99))

        assert world.service.living == {}


class TestSettlingAll:
    def test_one_whose_answer_was_lost_is_adopted(self, world: World) -> None:
        """We hold its secret, so its notifications are believed."""
        world.service.answer_lost = True
        with pytest.raises(OutcomeUnknown):
            world.keep()

        world.settle()

        assert list(world.service.living) == [world.held] == ["s1"]
        assert world.service.secrets["s1"] == world.rows("subscription")[0]["client_state"]

    def test_strangers_that_call_us_are_deleted_and_others_left_alone(self, world: World) -> None:
        """Leaked ones multiply the load; another installation's are none of our business."""
        world.keep()
        world.service.add("leaked")
        world.service.add("elsewhere", notification_url="https://test.example.org/n")

        world.settle()

        assert set(world.service.living) == {"s1", "elsewhere"}

    def test_what_is_missing_is_left_to_each_rooms_key(self, world: World) -> None:
        """One closed mailbox holds up nobody."""
        world.list_places(place(1), place(2))
        world.keep(TWO)
        world.service.living.clear()
        world.forget_marks()
        world.clock.move(timedelta(seconds=1))

        world.settle()

        assert world.marks() == {("subscription", "1"), ("subscription", "2"), ("room", "2")}
        assert world.service.living == {}

    def test_one_of_a_former_mailbox_id_is_replaced(self, world: World) -> None:
        """The room's directory id changed under its address."""
        world.keep()
        world.list_places(place(1, directory_id="guid-9"))

        world.settle()
        world.keep()

        assert [remote.resource for remote in world.service.living.values()] == ["users/guid-9/events"]

    def test_at_rest_it_changes_nothing(self, world: World) -> None:
        """A restart costs one listing."""
        world.keep()
        world.forget_marks()
        before = world.rows("subscription")

        world.settle()

        assert (world.rows("subscription"), world.marks()) == (before, set())


class Source:
    """A list of rooms in pages; a page may be a fault."""

    def __init__(self, *pages: tuple[Place, ...] | EngineError) -> None:
        self._pages = pages

    async def fetch_places(self) -> AsyncIterator[tuple[Place, ...]]:
        for page in self._pages:
            if isinstance(page, EngineError):
                raise page
            yield page


class TestImportingPlaces:
    def imported(self, world: World, *pages: tuple[Place, ...] | EngineError) -> None:
        places = PlacesPass(
            Source(*pages), world.directory, ignored_tags=lambda: IGNORED, default_store=lambda: "Main desk"
        )
        asyncio.run(places.import_places())

    def test_every_page_counts(self, world: World) -> None:
        """Empty ones too: they may come in the middle."""
        self.imported(world, (place(1),), (), (place(2),))

        assert [row["state"] for row in world.rows("room")] == ["active", "active"]

    def test_a_fault_on_any_page_applies_nothing(self, world: World) -> None:
        """Half a list would make rooms missing."""
        with pytest.raises(Unreachable):
            self.imported(world, (place(2),), Unreachable("no answer"))

        assert [(row["id"], row["state"]) for row in world.rows("room")] == [(1, "active")]

    def test_the_log_counts_what_is_written(self, world: World, caplog: pytest.LogCaptureFixture) -> None:
        """A place that an ignored tag leaves out is left out at every start, and nothing is done about it."""
        with caplog.at_level(logging.INFO):
            for _ in range(2):
                self.imported(world, (place(1), place(2), place(3, tags=tuple(IGNORED))))

        counts = [
            (row.__dict__["changes"], row.__dict__["left_out"]) for row in caplog.records if "listed" in row.__dict__
        ]
        assert counts == [(1, 1), (0, 1)]

    def test_nothing_listed_is_a_case(self, world: World) -> None:
        """A setup problem, never "all rooms are gone"."""
        self.imported(world, ())

        assert [row["code"] for row in world.rows("case")] == ["listing_empty"]
        assert world.rows("room")[0]["state"] == "active"
