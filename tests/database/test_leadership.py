"""Who leads of several processes, on either database."""

from __future__ import annotations

from datetime import timedelta

from engine.database.processes.leadership import LEASE, Leadership
from engine.database.sql.connection import Database
from tests.database.building import StandingClock


class TestOneLeads:
    def test_until_it_gives_up(self, database: Database) -> None:
        """The first leads for as long as it says so; the second as soon as the first gives up."""
        first, second = Leadership(database, "schedule", owner="a"), Leadership(database, "schedule", owner="b")

        assert first.take()
        assert not second.take()
        assert first.take()
        first.give_up()
        assert second.take()
        assert not first.take()

    def test_two_things_have_two_leaders(self, database: Database) -> None:
        assert Leadership(database, "schedule", owner="a").take()
        assert Leadership(database, "retention", owner="b").take()

    def test_giving_up_what_somebody_else_leads_changes_nothing(self, database: Database) -> None:
        first, second = Leadership(database, "schedule", owner="a"), Leadership(database, "schedule", owner="b")
        assert first.take()

        second.give_up()

        assert first.take()
        assert not second.take()


class TestASilentLeader:
    def test_is_replaced_after_its_lease(self, database: Database, clock: StandingClock) -> None:
        """Whoever sleeps past its lease finds somebody else leading when it wakes up."""
        first, second = (Leadership(database, "schedule", owner=owner) for owner in "ab")
        assert first.take()

        clock.now += LEASE
        assert not second.take()
        clock.now += timedelta(seconds=1)
        assert second.take()
        assert not first.take()

    def test_is_replaced_at_once_when_it_has_died_for_certain(self, database: Database) -> None:
        assert Leadership(database, "schedule", owner="dead").take()
        assert Leadership(database, "schedule", owner="alive").take(by_force=True)
