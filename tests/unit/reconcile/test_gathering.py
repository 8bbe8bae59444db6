"""When a room is read whose notifications keep coming."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.reconcile.gathering import Gathering, GatherRule, Told
from tests.unit.reconcile.building import NOW

MS = timedelta(milliseconds=1)
RULE = GatherRule(quiet=250 * MS, longest=750 * MS)
proven = settings(max_examples=200, derandomize=True, deadline=None)

PLACED, ANSWERED, DELETED = Told("e1", "created", "v1"), Told("e1", "updated", "v2"), Told("e1", "deleted", None)
OTHER = Told("e2", "updated", "w1")
NOBODY_KNOWS = Told(None, "updated", None)


def read_after(*told: Told, after: timedelta = 0 * MS, rule: GatherRule = RULE) -> timedelta:
    """When the room is read, counted from its first notice, the last notice having come *after* that."""
    return Gathering(NOW).with_more(told).read_at(rule, NOW + after) - NOW


class TestARoom:
    def test_is_given_time_to_answer(self) -> None:
        """A request that was placed is answered in a moment: reading between the two costs a second request."""
        assert read_after(PLACED) == RULE.longest

    def test_is_read_soon_after_it_has_answered(self) -> None:
        """Two versions of an event have been told of: nothing more is likely to come."""
        assert read_after(PLACED, ANSWERED, after=300 * MS) == 550 * MS

    @pytest.mark.parametrize("told", [DELETED, NOBODY_KNOWS])
    def test_is_read_soon_when_nothing_can_follow(self, told: Told) -> None:
        """What was deleted is not answered, and what nobody knows cannot be waited for."""
        assert read_after(told) == RULE.quiet

    def test_waits_for_all_events_that_were_named(self) -> None:
        """One that was answered does not hurry another one that was just placed."""
        assert read_after(PLACED, ANSWERED, OTHER, after=100 * MS) == RULE.longest

    def test_takes_a_notice_that_comes_twice_for_one(self) -> None:
        """Doubled delivery is no answer (change-notifications-overview)."""
        assert read_after(PLACED, PLACED, after=100 * MS) == RULE.longest

    def test_does_not_mind_the_order(self) -> None:
        """Updated may come before created."""
        assert read_after(ANSWERED, PLACED, after=100 * MS) == 350 * MS

    def test_is_read_at_once_where_nothing_is_to_be_gathered(self) -> None:
        assert read_after(PLACED, rule=GatherRule(0 * MS, 0 * MS)) == 0 * MS

    def test_gathers_as_long_as_it_must_be_quiet_at_least(self) -> None:
        """A longest time that is shorter than the quiet one does not cut it."""
        assert read_after(PLACED, rule=GatherRule(quiet=900 * MS, longest=0 * MS)) == 900 * MS

    @proven
    @given(st.lists(st.sampled_from([PLACED, ANSWERED, DELETED, OTHER, NOBODY_KNOWS]), max_size=6), st.integers(0, 749))
    def test_is_never_starved(self, told: list[Told], after: int) -> None:
        """However many notices come, and whenever, it is read in time; and never in the past."""
        found = read_after(*told, after=after * MS)

        assert after * MS <= found <= RULE.longest
