"""When an event that takes the place of a former one may be asked for."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from engine.ids import BookableId, ICalUid
from engine.reconcile.freeing import (
    FREEING,
    KNOWN_FOR,
    SILENCE,
    Former,
    Readiness,
    judge_create,
    judge_rooms,
    replaces_another,
)

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
ROOM, OTHER = BookableId(1), BookableId(2)
UID, OTHER_UID = ICalUid("uid-1"), ICalUid("uid-2")


def showing(room: BookableId, *, uid: ICalUid = UID, ended_at: datetime | None = NOW) -> Former:
    return Former(uid, ended_at, frozenset({room}), frozenset({room}), frozenset({room}))


def unheard(room: BookableId, *, uid: ICalUid = UID, ended_at: datetime | None = NOW) -> Former:
    return Former(uid, ended_at, asked=frozenset({room}))


def awaits(rooms: set[BookableId], *former: Former) -> bool:
    """Tell whether *rooms* are waited for, none of which was read yet."""
    return judge_rooms(rooms, former, {}, now=NOW).is_awaited


@pytest.mark.parametrize(("generation", "replaces"), [(1, False), (2, True), (7, True)])
def test_only_the_first_event_of_a_loan_takes_the_place_of_none(generation: int, replaces: bool) -> None:
    assert replaces_another(generation) is replaces


class TestRoomsThatMayStillHaveTheFormerEvent:
    @pytest.mark.parametrize(
        ("ended_ago", "awaited"),
        [
            (timedelta(0), True),
            (FREEING - MOMENT, True),
            (FREEING, False),
            (timedelta(days=1), False),
            (-MOMENT, False),
        ],
        ids=["just now", "nearly half a minute ago", "half a minute ago", "long ago", "ahead of the clock"],
    )
    @pytest.mark.parametrize("make", [showing, unheard])
    def test_are_waited_for_half_a_minute(
        self, ended_ago: timedelta, awaited: bool, make: Callable[..., Former]
    ) -> None:
        assert awaits({ROOM}, make(ROOM, ended_at=NOW - ended_ago)) is awaited

    @pytest.mark.parametrize("make", [showing, unheard])
    def test_are_not_waited_for_where_its_end_never_went_out(self, make: Callable[..., Former]) -> None:
        assert not awaits({ROOM}, make(ROOM, ended_at=None))

    @pytest.mark.parametrize(("was_heard", "is_showing"), [(False, False), (True, False), (True, True)])
    @pytest.mark.parametrize(("was_asked", "is_asked", "is_read"), list(product([False, True], repeat=3)))
    def test_are_those_that_show_it_and_those_that_were_asked_for_it_and_say_nothing(
        self, was_heard: bool, is_showing: bool, was_asked: bool, is_asked: bool, is_read: bool
    ) -> None:
        """A room that has shown it and does no more has let go of it, and so has one that was read since."""
        asked, heard, shows = (frozenset({ROOM} if each else ()) for each in (was_asked, was_heard, is_showing))
        former = Former(UID, NOW - SILENCE, asked, heard, shows)
        read_at = {ROOM: NOW} if is_read else {ROOM: NOW - MOMENT}

        before, then = (
            judge_rooms({ROOM if is_asked else OTHER}, [former], read_at, now=now) for now in (NOW - MOMENT, NOW)
        )

        is_to_be_read = is_asked and was_asked and not was_heard and not is_read
        assert before.is_awaited is then.is_awaited is (is_to_be_read or (is_asked and is_showing))
        assert before.to_read == ({ROOM: NOW} if is_to_be_read else {})
        assert then.to_read == {}, "it was said before"

    def test_are_waited_for_until_the_last_of_several_lets_go(self) -> None:
        first = showing(ROOM, ended_at=NOW - FREEING)
        second = showing(OTHER, uid=OTHER_UID, ended_at=NOW - FREEING / 2)

        assert awaits({ROOM, OTHER}, first, second)
        assert not awaits({ROOM, OTHER}, first)
        assert not awaits({ROOM, OTHER})

    def test_are_read_a_moment_after_the_last_end_that_they_say_nothing_of(self) -> None:
        first, second = unheard(ROOM, ended_at=NOW - MOMENT), unheard(ROOM, uid=OTHER_UID)

        found = judge_rooms({ROOM, OTHER}, [second, first], {}, now=NOW)

        assert found.to_read == {ROOM: NOW + SILENCE}

    def test_have_heard_of_a_series_where_they_have_shown_one_date_of_it(self) -> None:
        """Later dates are not read yet: nothing is missing of those."""
        gone = Former(UID, NOW, asked=frozenset({ROOM}), heard=frozenset({ROOM}))

        assert not awaits({ROOM}, gone, unheard(ROOM))
        assert awaits({ROOM}, gone, unheard(ROOM, uid=OTHER_UID))


@pytest.mark.parametrize("is_freeing", [False, True])
class TestACreate:
    def test_waits_while_its_rooms_are_being_freed(self, is_freeing: bool) -> None:
        """Whether or not it may have been sent: sent once more it is the same event."""
        wanted = Readiness.WAIT if is_freeing else Readiness.SEND

        for unsent_since in (None, NOW):
            judged = judge_create(is_freeing=is_freeing, is_changed=False, unsent_since=unsent_since, now=NOW)
            assert judged is wanted

    @pytest.mark.parametrize("waited", [timedelta(0), FREEING, KNOWN_FOR - MOMENT])
    def test_that_was_never_sent_is_overtaken_by_a_change_of_its_loan(
        self, is_freeing: bool, waited: timedelta
    ) -> None:
        judged = judge_create(is_freeing=is_freeing, is_changed=True, unsent_since=NOW - waited, now=NOW)

        assert judged is Readiness.OVERTAKEN

    @pytest.mark.parametrize(
        "unsent_since",
        [None, NOW - KNOWN_FOR, NOW + MOMENT],
        ids=["sent, maybe", "so old that it may be a backup's", "ahead of the clock"],
    )
    def test_that_may_have_been_sent_is_sent_again_whatever_its_loan_is_now(
        self, is_freeing: bool, unsent_since: datetime | None
    ) -> None:
        """An event that is in Outlook already is found by that, and ended: it must not be left there."""
        judged = judge_create(is_freeing=is_freeing, is_changed=True, unsent_since=unsent_since, now=NOW)

        assert judged is (Readiness.WAIT if is_freeing else Readiness.SEND)
