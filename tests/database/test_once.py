"""Requests with an idempotency key: the first, the same again, another, one cut off, and after a day."""

from datetime import timedelta

import pytest

from engine.database.access.once import OnceStore
from engine.database.sql.connection import Database
from engine.loans.once import Answer, Begun
from tests.database.building import StandingClock, rows

TAKEN = Answer(201, {"location": "/api/loans/1"}, '{"number":1}')


@pytest.fixture
def once(database: Database) -> OnceStore:
    return OnceStore(database)


class TestARequestWithAKey:
    def test_is_done_once_and_answered_the_same(self, once: OnceStore) -> None:
        assert once.begin("key", "what") == (Begun.FIRST, None)
        once.finish("key", TAKEN)

        assert once.begin("key", "what") == (Begun.ANSWERED, TAKEN)

    def test_for_something_else_is_told_apart(self, once: OnceStore) -> None:
        once.begin("key", "what")

        assert once.begin("key", "something else") == (Begun.OTHER, None)
        assert once.begin("another key", "what") == (Begun.FIRST, None)

    def test_that_is_being_worked_on_waits_and_one_cut_off_says_so(self, once: OnceStore, clock: StandingClock) -> None:
        """After a crash nobody knows whether it took effect: it is not done a second time."""
        once.begin("key", "what")

        assert once.begin("key", "what") == (Begun.AT_WORK, None)
        clock.advance(minutes=2)
        assert once.begin("key", "what") == (Begun.CUT_OFF, None)

    def test_that_had_no_effect_may_be_tried_again(self, once: OnceStore) -> None:
        once.begin("key", "what")
        once.forget("key")

        assert once.begin("key", "what") == (Begun.FIRST, None)

    def test_is_forgotten_after_a_day(self, database: Database, once: OnceStore, clock: StandingClock) -> None:
        once.begin("key", "what")
        once.begin("other", "what")
        once.finish("key", TAKEN)
        clock.advance(hours=24, minutes=1)

        assert once.begin("key", "something else") == (Begun.FIRST, None)
        assert once.prune(clock.now - timedelta(hours=24)) == 1
        assert [row.digest for row in rows(database, "once")] == ["key"]
