"""When the organizer's copy is asked for answers that stay out, and when a room is said to be silent."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.ids import BookableId
from engine.loans.status import ItemState
from engine.reconcile.answers import (
    AFTER_LEAVING,
    CHECK_GAP_MAX,
    FIRST_CHECK,
    AnswerCheck,
    check_answers,
    second_look_at,
)
from engine.reconcile.views import RoomCopy
from engine.rooms.event import Answer
from tests.unit.reconcile.building import NOW, ONE, TWO, make_copy

TIMEOUT = timedelta(minutes=15)
SECOND = timedelta(seconds=1)
proven = settings(max_examples=200, derandomize=True, deadline=None)


def check(after: timedelta, *, checked: timedelta | None = None, timeout: timedelta = TIMEOUT) -> AnswerCheck:
    """Asked now; looked at *after* that, the organizer's copy last read *checked* after that."""
    checked_at = None if checked is None else NOW + checked
    return check_answers(asked_at=NOW, checked_at=checked_at, now=NOW + after, answer_timeout=timeout)


def looks(until: timedelta, timeout: timedelta = TIMEOUT) -> list[timedelta]:
    """When the copy is read, if every look comes exactly when it was asked for and no room ever answers."""
    moments: list[timedelta] = []
    now, checked = timedelta(0), None
    while now <= until:
        found = check(now, checked=checked, timeout=timeout)
        if found.due:
            moments.append(now)
            checked = now
        now = found.next_at - NOW
    return moments


class TestTheFirstLook:
    @pytest.mark.parametrize(
        ("after", "due"), [(0 * SECOND, False), (FIRST_CHECK - SECOND, False), (FIRST_CHECK, True)]
    )
    def test_is_not_at_once(self, after: timedelta, due: bool) -> None:
        """Rooms answer within seconds: asking earlier would cost a request per booking."""
        assert check(after).due == due

    def test_is_announced(self) -> None:
        """Until then the next look is the first."""
        assert check(SECOND).next_at == NOW + FIRST_CHECK

    def test_is_at_once_when_something_hints_at_an_answer(self) -> None:
        """A look that was called for is due, however lately the room was asked."""
        assert check(timedelta(0), checked=timedelta(days=-365)).due


class TestFurtherLooks:
    def test_are_less_and_less_frequent(self) -> None:
        """The gap doubles, up to an hour: a room that stays silent for a day costs a few dozen requests."""
        moments = looks(timedelta(days=1), timeout=timedelta(days=30))

        gaps = [later - earlier for earlier, later in pairwise(moments)]
        assert moments[0] == FIRST_CHECK
        assert gaps == sorted(gaps)
        assert max(gaps) == CHECK_GAP_MAX
        assert len(moments) < 40

    @pytest.mark.parametrize("after", [FIRST_CHECK, timedelta(minutes=2), timedelta(hours=5)])
    def test_are_due_when_they_were_announced(self, after: timedelta) -> None:
        """That asking took a moment, and was noted after it, makes no look one too early, to be repeated."""
        asking = timedelta(milliseconds=700)

        announced = check(after, timeout=timedelta(days=1)).next_at - NOW

        assert check(announced, checked=after + asking, timeout=timedelta(days=1)).due

    def test_never_end(self) -> None:
        """A decline that leaves no trace is found in the end, by the hour."""
        assert looks(timedelta(days=3))[-1] > timedelta(days=3) - 2 * CHECK_GAP_MAX

    @pytest.mark.parametrize("minutes", [1, 5, 15, 60, 61, 600])
    def test_happen_just_when_the_set_time_is_over(self, minutes: int) -> None:
        """Nobody is told of a silence that was not looked into, and nobody is told late."""
        timeout = timedelta(minutes=minutes)

        assert timeout in looks(timedelta(days=1), timeout=timeout)


def left(room: BookableId, after: timedelta | None) -> RoomCopy:
    """A copy that its room has no more, as it told *after* now; None: nobody knows when."""
    return replace(make_copy(room, gone=True), seen_at=None if after is None else NOW + after)


class TestARoomThatLeftItsCalendar:
    @pytest.mark.parametrize(
        ("state", "second"),
        [
            (ItemState.REQUESTED, NOW + AFTER_LEAVING),
            (ItemState.RELEASED, NOW + AFTER_LEAVING),
            (ItemState.DECLINED, None),
            (ItemState.ACCEPTED, None),
            (ItemState.CANCELLED, None),
        ],
    )
    def test_is_looked_at_once_more_unless_its_refusal_is_known(
        self, state: ItemState, second: datetime | None
    ) -> None:
        """Its organizer hears of the refusal a moment later."""
        assert second_look_at([left(ONE, timedelta(0))], {ONE: state}) == second

    def test_may_say_in_its_own_copy_that_it_declined(self) -> None:
        """Its organizer has not heard of that either."""
        copy = replace(make_copy(ONE, answer=Answer.DECLINED), seen_at=NOW)

        assert second_look_at([copy], {ONE: ItemState.REQUESTED}) == NOW + AFTER_LEAVING

    def test_is_none_that_shows_the_meeting(self) -> None:
        copy = replace(make_copy(ONE, answer=Answer.NONE), seen_at=NOW)

        assert second_look_at([copy], {ONE: ItemState.REQUESTED}) is None

    def test_counts_from_when_the_last_one_did(self) -> None:
        """At that moment the organizer's copy was read for those before; one whose time nobody knows does not count."""
        copies = [left(ONE, timedelta(0)), left(TWO, 5 * SECOND)]
        answers = dict.fromkeys((ONE, TWO), ItemState.REQUESTED)

        assert second_look_at(copies, answers) == NOW + 5 * SECOND + AFTER_LEAVING
        assert second_look_at([left(ONE, None)], answers) is None
        assert second_look_at([left(ONE, timedelta(0))], {}) is None, "it is no part of the meeting"


class TestASilentRoom:
    @pytest.mark.parametrize(
        ("after", "overdue", "minutes"),
        [
            (timedelta(0), False, 0),
            (timedelta(seconds=59), False, 0),
            (TIMEOUT - SECOND, False, 14),
            (TIMEOUT, True, 15),
            (timedelta(hours=5, seconds=30), True, 300),
        ],
    )
    def test_is_told_after_the_set_time(self, after: timedelta, overdue: bool, minutes: int) -> None:
        """No answer within a set time is a case, with the whole minutes of silence."""
        found = check(after)

        assert (found.overdue, found.silent_minutes) == (overdue, minutes)


class TestEveryLook:
    @given(
        st.timedeltas(timedelta(0), timedelta(days=30)),
        st.none() | st.timedeltas(timedelta(days=-1), timedelta(days=30)),
        st.timedeltas(timedelta(seconds=1), timedelta(days=2)),
    )
    @proven
    def test_is_followed_by_a_later_one(self, after: timedelta, checked: timedelta | None, timeout: timedelta) -> None:
        """The next look lies ahead, and not too far: no busy loop, and no room forgotten."""
        checked = None if checked is None else min(checked, after)

        found = check(after, checked=checked, timeout=timeout)

        assert NOW + after < found.next_at <= NOW + after + CHECK_GAP_MAX
        assert found.overdue == (after >= timeout)
