"""When the organizer's copy is asked for answers that stay out, and when a room is said to be silent."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.reconcile.answers import CHECK_GAP_MAX, FIRST_CHECK, AnswerCheck, check_answers
from tests.unit.reconcile.building import NOW

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

    def test_never_end(self) -> None:
        """A decline that leaves no trace is found in the end, by the hour."""
        assert looks(timedelta(days=3))[-1] > timedelta(days=3) - 2 * CHECK_GAP_MAX

    @pytest.mark.parametrize("minutes", [1, 5, 15, 60, 61, 600])
    def test_happen_just_when_the_set_time_is_over(self, minutes: int) -> None:
        """Nobody is told of a silence that was not looked into, and nobody is told late."""
        timeout = timedelta(minutes=minutes)

        assert timeout in looks(timedelta(days=1), timeout=timeout)


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
