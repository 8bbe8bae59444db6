"""When an event that takes the place of a former one may be asked for."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.ids import BookableId
from engine.reconcile.freeing import (
    FREEING,
    KNOWN_FOR,
    Readiness,
    Shown,
    are_being_freed,
    judge_create,
    replaces_another,
)

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
ROOM, OTHER = BookableId(1), BookableId(2)


@pytest.mark.parametrize(("generation", "replaces"), [(1, False), (2, True), (7, True)])
def test_only_the_first_event_of_a_loan_takes_the_place_of_none(generation: int, replaces: bool) -> None:
    assert replaces_another(generation) is replaces


class TestRoomsThatStillShowTheFormerEvent:
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
    def test_are_waited_for_half_a_minute(self, ended_ago: timedelta, awaited: bool) -> None:
        assert are_being_freed({ROOM}, [Shown(ROOM, NOW - ended_ago)], now=NOW) is awaited

    def test_are_not_waited_for_where_its_end_never_went_out(self) -> None:
        assert not are_being_freed({ROOM}, [Shown(ROOM, None)], now=NOW)

    def test_are_waited_for_only_where_they_are_asked_again(self) -> None:
        assert not are_being_freed({ROOM}, [Shown(OTHER, NOW)], now=NOW)

    def test_are_waited_for_until_the_last_of_several_lets_go(self) -> None:
        shown = [Shown(ROOM, NOW - FREEING), Shown(OTHER, NOW - FREEING / 2)]

        assert are_being_freed({ROOM, OTHER}, shown, now=NOW)
        assert not are_being_freed({ROOM, OTHER}, shown[:1], now=NOW)
        assert not are_being_freed({ROOM, OTHER}, [], now=NOW)


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
