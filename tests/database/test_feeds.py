"""Calendar feeds: who may read, which loans they show, and how much of them is told."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from icalendar import Calendar, Event

from engine.app.entries import Entries
from engine.app.feeds import Feeds
from engine.calendars.book import FeedKind, FeedOrder
from engine.database.calendars.feeds import FeedStore
from engine.database.rooms.book import RoomCache
from engine.database.rooms.version import raise_version
from engine.database.sql.connection import Database
from engine.errors import Invalid, NotFound
from engine.ids import Address, BookableId, StoreId
from engine.loans.loan import TextLevel
from engine.loans.register import LoanChange
from engine.loans.status import LoanAction
from engine.reconcile.ledger import SyncRules
from tests.database.building import (
    ALEX,
    BY,
    MONDAY,
    SAM,
    Building,
    StandingClock,
    asset,
    hours,
    order,
    room,
    rows,
    update,
)

PERSON = FeedOrder(FeedKind.PERSON, address=Address("Alex@Example.org"), owner=ALEX.address)
ROOM = FeedOrder(FeedKind.ROOM, room_id=BookableId(1), language="fr")
STORE = FeedOrder(FeedKind.STORE, store_id=StoreId(1))


class Reader:
    """Feeds of a building, and what a program reads in them."""

    def __init__(self, building: Building) -> None:
        self.building = building
        self.rules = SyncRules(link_base="https://accord.example.org")
        rooms = RoomCache(building.database, time_zone="Europe/Paris")
        self.feeds = Feeds(
            FeedStore(building.database),
            rooms,
            entries=Entries(rooms, instance="abc", zone="Europe/Paris", rules=lambda: self.rules),
            rules=lambda: self.rules,
            now=building.clock,
        )

    def text(self, order: FeedOrder) -> str:
        feed, _ = self.feeds.create(order, actor=BY)
        text = self.feeds.read(feed).text
        assert text is not None
        return text.decode()

    def events(self, order: FeedOrder) -> dict[str, Event]:
        """Return what is shown, by the number in its uid."""
        found = Calendar.from_ical(self.text(order)).events
        return {str(event["UID"]).removeprefix("accord-abc-"): event for event in found}


@pytest.fixture
def reader(building: Building) -> Reader:
    return Reader(building)


def book(reader: Reader, *what: Any, **fields: Any) -> int:
    return reader.building.desk.book(order(*what, **fields), actor=BY).number


class TestASecret:
    def test_opens_its_feed_and_is_kept_nowhere(self, database: Database, reader: Reader) -> None:
        feed, secret = reader.feeds.create(ROOM, actor=BY)

        assert len(secret) >= 43
        found = reader.feeds.find(secret)
        assert found is not None
        assert (found.id, found.name) == (feed.id, "Room 1")
        assert secret not in str(rows(database, "feed"))
        assert reader.feeds.find(secret + "x") is None
        assert reader.feeds.find("\ud800") is None

    def test_that_was_replaced_opens_nothing(self, reader: Reader) -> None:
        feed, old = reader.feeds.create(ROOM, actor=BY)

        _, new = reader.feeds.rotate(feed.id, owner=None, actor=BY)

        assert reader.feeds.find(old) is None
        assert reader.feeds.find(new) is not None

    def test_of_a_feed_that_ended_says_so(self, reader: Reader) -> None:
        feed, secret = reader.feeds.create(ROOM, actor=BY)

        reader.feeds.revoke(feed.id, owner=None, actor=BY)

        found = reader.feeds.find(secret)
        assert found is not None
        assert found.revoked_at == MONDAY
        for change in (reader.feeds.rotate, reader.feeds.revoke):
            with pytest.raises(NotFound):
                change(feed.id, owner=None, actor=BY)

    def test_belongs_to_its_owner(self, reader: Reader) -> None:
        feed, _ = reader.feeds.create(PERSON, actor=BY)

        assert [each.id for each in reader.feeds.list_feeds(owner=Address("ALEX@example.org"))] == [feed.id]
        assert reader.feeds.list_feeds(owner=SAM.address) == []
        with pytest.raises(NotFound):
            reader.feeds.rotate(feed.id, owner=SAM.address, actor=BY)

    def test_leaves_a_line_of_history(self, database: Database, reader: Reader) -> None:
        feed, _ = reader.feeds.create(ROOM, actor=BY)
        reader.feeds.rotate(feed.id, owner=None, actor=BY)
        reader.feeds.revoke(feed.id, owner=None, actor=BY)

        told = [(row.code, row.facts["name"], row.actor) for row in rows(database, "decision")]
        assert told == [(code, "Room 1", BY) for code in ("feed_created", "feed_rotated", "feed_revoked")]

    def test_is_made_of_what_there_is(self, reader: Reader) -> None:
        with pytest.raises(NotFound):
            reader.feeds.create(FeedOrder(FeedKind.ROOM, room_id=BookableId(99)), actor=BY)
        with pytest.raises(NotFound):
            reader.feeds.create(FeedOrder(FeedKind.STORE, store_id=StoreId(2**40)), actor=BY)
        for wrong in (FeedOrder(FeedKind.ROOM), FeedOrder(FeedKind.PERSON, room_id=BookableId(1))):
            with pytest.raises(Invalid):
                reader.feeds.create(wrong, actor=BY)


class TestWhatIsShown:
    def test_is_the_persons_the_rooms_or_the_stores(self, reader: Reader) -> None:
        alexs = book(reader, hours(1, 2), room(1))
        sams = book(reader, hours(1, 2), room(2), asset(11), requester=SAM)

        assert set(reader.events(PERSON)) == {str(alexs)}
        assert set(reader.events(ROOM)) == {str(alexs)}
        assert set(reader.events(STORE)) == {str(alexs), str(sams)}

    def test_begins_thirty_days_ago_and_has_no_end(self, reader: Reader, clock: StandingClock) -> None:
        first = book(reader, hours(1, 2), room(1))
        far = book(reader, hours(24 * 900, 24 * 900 + 1), room(1))

        clock.now = MONDAY + timedelta(days=30)
        assert set(reader.events(STORE)) == {str(first), str(far)}
        clock.now = MONDAY + timedelta(days=31, hours=1)
        assert set(reader.events(STORE)) == {str(far)}

    def test_leaves_out_what_was_cancelled_or_refused(self, reader: Reader) -> None:
        for action in (LoanAction.CANCEL, LoanAction.REFUSE):
            reader.building.desk.act(book(reader, hours(1, 2), room(1)), action, actor=BY)

        assert reader.events(ROOM) == {}
        assert reader.events(STORE) == {}

    def test_leaves_a_room_out_that_left_its_loan(self, reader: Reader) -> None:
        number = book(reader, hours(1, 2), room(1), room(2))

        reader.building.desk.change(number, LoanChange(seen_version=1, items=(room(2),)), actor=BY)

        assert reader.events(ROOM) == {}
        event = reader.events(STORE)[str(number)]
        assert str(event["LOCATION"]) == "Room 2"
        assert event.sequence > 0

    def test_marks_what_waits_for_approval(self, reader: Reader, database: Database) -> None:
        number = book(reader, hours(1, 2), room(1))
        with database.write() as transaction:
            transaction.connection.exec_driver_sql("UPDATE loan SET status = 'pending_approval'")

        assert str(reader.events(ROOM)[str(number)]["STATUS"]) == "TENTATIVE"

    def test_is_told_as_the_store_wants_it_since_another_process_changed_that(
        self, database: Database, reader: Reader
    ) -> None:
        """At once: what a store keeps to itself is told to nobody any more."""
        number = book(reader, hours(1, 2), room(1), title="Tea with the mayor")
        assert "Tea" in str(reader.events(PERSON)[str(number)]["SUMMARY"])

        with closing(Database(database.url.render_as_string(hide_password=False))) as theirs:
            update(theirs, "store", text_level="number_only")
            with theirs.write() as transaction:
                raise_version(transaction)

        assert str(reader.events(PERSON)[str(number)]["SUMMARY"]) == f"#{number}"

    def test_is_told_as_the_store_wants_it(self, reader: Reader) -> None:
        number = book(reader, hours(1, 2), room(1), title="Tea with the mayor")
        link = f"https://accord.example.org/loans/{number}"
        told = {}
        for level in TextLevel:
            reader.rules = SyncRules(link_base="https://accord.example.org", text_level=level)
            told[level] = [
                (str(event["SUMMARY"]), str(event["DESCRIPTION"]))
                for event in (reader.events(ROOM)[str(number)], reader.events(PERSON)[str(number)])
            ]

        full = f"Tea with the mayor\nRoom 1\n{link}"
        assert told[TextLevel.FULL] == [(f"#{number} Alex Doe", full), (f"#{number} Tea with the mayor", full)]
        assert told[TextLevel.NUMBER_ONLY] == [(f"#{number}", f"#{number}\n{link}")] * 2
        assert told[TextLevel.LINK_ONLY] == [(f"#{number}", link)] * 2

    def test_tells_nothing_of_what_is_private(self, reader: Reader) -> None:
        """Whoever's feed it is: its address may be known to others than its owner."""
        number = book(reader, hours(1, 2), room(1), requester=SAM, title="Salary talk", private=True)
        own = FeedOrder(FeedKind.PERSON, address=SAM.address)

        for wanted in (ROOM, STORE, own):
            text = reader.text(wanted)
            assert "Salary" not in text
            assert "Sam" not in text.replace("X-WR-CALNAME:Bookings of Sam Roe", "").replace("NAME:Bookings of Sam", "")
            assert str(reader.events(wanted)[str(number)]["CLASS"]) == "PRIVATE"


class TestATag:
    def test_is_known_again_until_something_changes(self, reader: Reader) -> None:
        feed, _ = reader.feeds.create(ROOM, actor=BY)
        tag = reader.feeds.read(feed).tag
        assert reader.feeds.read(feed, known=frozenset({tag})).text is None

        number = book(reader, hours(1, 2), room(1))

        changed = reader.feeds.read(feed, known=frozenset({tag}))
        assert changed.text is not None
        assert f"#{number}" in changed.text.decode()
        assert changed.tag != tag

    def test_stays_when_only_others_change(self, reader: Reader) -> None:
        feed, _ = reader.feeds.create(ROOM, actor=BY)
        tag = reader.feeds.read(feed).tag

        book(reader, hours(1, 2), room(2))

        assert reader.feeds.read(feed, known=frozenset({tag})).text is None

    def test_changes_with_how_much_is_told(self, reader: Reader) -> None:
        book(reader, hours(1, 2), room(1))
        feed, _ = reader.feeds.create(ROOM, actor=BY)
        tag = reader.feeds.read(feed).tag

        reader.rules = SyncRules(link_base="https://accord.example.org", text_level=TextLevel.LINK_ONLY)

        assert reader.feeds.read(feed, known=frozenset({tag})).text is not None
