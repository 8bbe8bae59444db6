"""What the organizer's master of a series says is kept for that series, whatever became of its row meanwhile."""

from __future__ import annotations

import pytest

from engine.database.rooms.book import RoomCache
from engine.database.series.dates import find_series, keep_series, save_organizers_master
from engine.database.series.desk import SeriesDesk
from engine.database.series.own import give_uid
from engine.ids import EventId, ICalUid
from engine.loans.recurrence import Repeat, recur
from engine.reconcile.ledger import Series
from engine.reconcile.series.book import SeriesOrder
from engine.rooms.event import EventCopy, EventType
from tests.database.building import ALEX, BY, Building, hours, room

OURS, THEIRS, AGAIN = ICalUid("ours"), ICalUid("theirs"), ICalUid("again")
MAILBOX = "alex@example.org"


@pytest.fixture
def number(building: Building) -> int:
    """The number of a series of the desk that is being made."""
    desk = SeriesDesk(building.database, building.desk, RoomCache(building.database), lambda: building.options)
    times = recur(Repeat.DAILY, hours(2, 3).start, hours(2, 3).end, "UTC", count=3)
    return desk.book(SeriesOrder(ALEX, times, (room(1),)), actor=BY).id


def show(building: Building, uid: ICalUid) -> None:
    """Let a room show a series."""
    with building.database.write() as transaction:
        keep_series(transaction, {uid: "UTC"})


def give(building: Building, number: int, uid: ICalUid) -> None:
    """Let the series of the desk be told which event it has."""
    with building.database.write() as transaction:
        give_uid(transaction, number, uid)


def load(building: Building, uid: ICalUid) -> Series:
    with building.database.read() as transaction:
        found = find_series(transaction.connection, f"{uid}@20260302")
    assert found is not None
    return found


def answer(building: Building, asked: Series) -> None:
    """Let the answer come to what was asked about a series as it was."""
    name = EventId(f"master of {asked.uid}")
    copy = EventCopy(name, "1", asked.uid, EventType.MASTER, None, hours(2, 3))
    with building.database.write() as transaction:
        save_organizers_master(transaction, asked, MAILBOX, copy)


class TestReadWhileItsEventBecameKnownAsTheDesks:
    def test_is_kept_by_that_series_and_no_other(self, building: Building, number: int) -> None:
        """A room shows the event before its creation is answered, when a row of its own stands for it."""
        show(building, OURS)
        asked = load(building, OURS)
        give(building, number, OURS)
        show(building, THEIRS)
        answer(building, load(building, THEIRS))

        answer(building, asked)

        assert load(building, THEIRS).event_id == "master of theirs"
        assert (load(building, OURS).id, load(building, OURS).event_id) == (number, "master of ours")


class TestReadWhileItsEventWasMadeAgainElsewhere:
    def test_says_nothing_of_the_event_that_took_its_place(self, building: Building, number: int) -> None:
        give(building, number, OURS)
        asked = load(building, OURS)
        give(building, number, AGAIN)
        answer(building, load(building, AGAIN))

        answer(building, asked)

        assert (load(building, AGAIN).id, load(building, AGAIN).event_id) == (number, "master of again")
        assert load(building, OURS).event_id == "master of ours"
