"""Rooms in memory: when they are read again, and when that is not worth while."""

from collections.abc import Iterator

import pytest

from engine.database.rooms import book
from engine.database.rooms.book import KEPT_SECONDS, RoomCache
from engine.database.rooms.version import raise_version
from engine.database.sql.connection import Database
from engine.database.tables import metadata
from engine.errors import Unreachable
from tests.database.building import Building, StandingClock, update


class Story:
    """What two processes do with the rooms of one database, and what one of them knows."""

    def __init__(self, url: str, clock: StandingClock) -> None:
        self.ours, self.theirs = Database(url, clock=clock), Database(url, clock=clock)
        Building(self.ours, clock)
        self.seconds = 1_000.0
        self.cache = RoomCache(self.ours, ticks=lambda: self.seconds)
        self.cache.book()

    def name_later(self) -> str:
        """How the room is called once what is in memory has become old."""
        self.seconds += KEPT_SECONDS + 1
        return self.cache.name_of(self.cache.book().rooms[0].id)


def rename(database: Database, name: str) -> None:
    """Give the rooms another name, as an import does."""
    with database.write() as transaction:
        transaction.connection.execute(metadata.tables["room"].update().values(name=name))
        raise_version(transaction)


@pytest.fixture
def story(migrated_url: str, clock: StandingClock) -> Iterator[Story]:
    story = Story(migrated_url, clock)
    yield story
    story.ours.close()
    story.theirs.close()


def test_a_change_by_another_process_shows_once_they_are_old(story: Story) -> None:
    rename(story.theirs, "Renamed")

    assert story.cache.book().rooms[0].name != "Renamed"
    assert story.name_later() == "Renamed"


def test_a_change_by_another_process_shows_at_once_to_whoever_catches_up(story: Story) -> None:
    rename(story.theirs, "Renamed")
    story.cache.catch_up()

    assert story.cache.book().rooms[0].name == "Renamed"


def test_they_are_read_again_where_nobody_can_tell_whether_they_changed(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database was away for a moment when it was asked."""

    def refuse() -> None:
        raise Unreachable("away")

    rename(story.theirs, "Renamed")
    with monkeypatch.context() as away:
        away.setattr(story.ours, "read", refuse)
        story.cache.catch_up()

    assert story.cache.book().rooms[0].name == "Renamed"


def test_each_change_by_another_process_shows(story: Story) -> None:
    rename(story.theirs, "Renamed")
    story.name_later()
    rename(story.theirs, "Renamed again")

    assert story.name_later() == "Renamed again"


def test_a_change_of_our_own_shows_once_they_are_forgotten(story: Story) -> None:
    update(story.ours, "room", name="Renamed")
    story.cache.forget()

    assert story.cache.book().rooms[0].name == "Renamed"


def test_they_stay_the_same_while_nobody_changes_them(story: Story) -> None:
    """What was made of them stays good, and on SQLite nothing is read at all."""
    before = story.cache.book()
    story.name_later()

    assert story.cache.book() is before


@pytest.mark.parametrize("migrated_url", ["sqlite"], indirect=True)
def test_on_a_file_nothing_is_read_while_no_other_process_has_written(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To read ten thousand rooms every ten seconds would be what a change costs most."""
    monkeypatch.setattr(story.ours, "read", None)

    assert story.name_later() == story.cache.book().rooms[0].name


def test_they_are_read_again_where_reading_them_failed(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be read does not count as read since, however long nobody changes anything."""
    update(story.theirs, "room", name="Renamed")
    story.cache.forget()
    with monkeypatch.context() as broken:

        def fail(*_given: object) -> None:
            raise Unreachable("the connection was lost")

        broken.setattr(book, "read_room", fail)
        with pytest.raises(Unreachable):
            story.cache.book()

    assert story.cache.book().rooms[0].name == "Renamed"
