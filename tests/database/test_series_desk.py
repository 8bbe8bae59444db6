"""Series at the desk, on both databases: all dates in one transaction or none, and none in the way of another."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread
from typing import Any

import pytest

from engine.database.rooms.book import RoomCache
from engine.database.series.desk import SeriesDesk
from engine.errors import Invalid, NotFound, RuleBroken, Unavailable
from engine.interval import Interval
from engine.loans.loan import Loan
from engine.loans.recurrence import Repeat, recur
from engine.loans.register import LoanChange, LoanFilter
from engine.loans.rules import BookingRules
from engine.loans.status import LoanStatus
from engine.reconcile.series.book import DateState, Scope, SeriesOrder
from tests.database.building import ALEX, BY, SAM, Building, add_meeting, asset, hours, marked, order, room, rows

DAY = timedelta(days=1)


@pytest.fixture
def series(building: Building) -> SeriesDesk:
    return SeriesDesk(building.database, building.desk, RoomCache(building.database), lambda: building.options)


def daily(*items: Any, times: int = 3, start: float = 2, **more: Any) -> SeriesOrder:
    """A daily series from two hours after Monday, 8:00."""
    first = hours(start, start + 1)
    return SeriesOrder(
        ALEX, recur(Repeat.DAILY, first.start, first.end, "UTC", count=times), items or (room(1),), **more
    )


def on(day: int, start: float = 2) -> Interval:
    return Interval(hours(start, start + 1).start + day * DAY, hours(start, start + 1).end + day * DAY)


def loans(building: Building) -> list[Loan]:
    return list(building.desk.list_loans(LoanFilter()))


class TestBooking:
    def test_takes_every_date_and_wakes_the_series_alone(self, building: Building, series: SeriesDesk) -> None:
        made = series.book(daily(room(1), asset(11)), actor=BY)

        assert [loan.interval for loan in made.loans] == [on(0), on(1), on(2)]
        assert marked(building.database) == {f"series:{made.id}"}
        assert {row.state for row in rows(building.database, "link")} == {"led"}

    def test_of_things_alone_is_none_of_outlooks_business(self, building: Building, series: SeriesDesk) -> None:
        series.book(daily(asset(11)), actor=BY)

        assert rows(building.database, "link") == []
        assert marked(building.database) == set()

    def test_with_one_date_taken_leaves_nothing_behind(self, building: Building, series: SeriesDesk) -> None:
        held = building.desk.book(order(on(1), room(1), requester=SAM), actor=BY)

        with pytest.raises(Unavailable) as refusal:
            series.book(daily(), actor=BY)

        assert [clash.loan_number for clash in refusal.value.clashes] == [held.number]
        assert len(loans(building)) == 1
        assert rows(building.database, "series") == []

    def test_sees_meetings_that_only_outlook_knows(self, building: Building, series: SeriesDesk) -> None:
        add_meeting(building.database, 1, on(2), uid="theirs")

        planned = series.preview(daily())

        assert [each.state for each in planned] == [DateState.FREE, DateState.FREE, DateState.TAKEN]
        assert planned[2].clashes[0].loan_number is None
        assert [ranked.room.id for ranked in planned[2].stand_ins[0].rooms] == [2, 3]

    def test_offers_no_room_that_is_taken_or_too_small(self, building: Building, series: SeriesDesk) -> None:
        building.desk.book(order(on(0), room(2), room(3), requester=SAM), actor=BY)

        planned = series.preview(daily(room(2)))

        assert planned[0].stand_ins[0].rooms == ()
        assert planned[1].state is DateState.FREE

    def test_against_the_rules_is_refused_with_the_date(self, building: Building, series: SeriesDesk) -> None:
        building.desk.set_rules(BookingRules(window_days=1), store_id=None, item_id=room(1).id, actor=BY)

        with pytest.raises(RuleBroken, match="2026-03-03"):
            series.book(daily(), actor=BY)
        states = [each.state for each in series.preview(daily())]

        assert states == [DateState.FREE, DateState.AGAINST_RULES, DateState.AGAINST_RULES]

    def test_of_a_room_that_is_not_there_is_invalid(self, series: SeriesDesk) -> None:
        with pytest.raises(Invalid):
            series.preview(daily(room(77)))
        with pytest.raises(NotFound):
            series.find(77)


class TestChanging:
    def test_moves_each_date_to_where_the_next_one_was(self, building: Building, series: SeriesDesk) -> None:
        made = series.book(daily(), actor=BY)

        change = LoanChange(start=on(1).start, end=on(1).end)
        series.change(made.loans[0].number, change, Scope.ALL, actor=BY)

        assert [loan.interval for loan in loans(building)] == [on(1), on(2), on(3)]
        assert all(row.holds for row in rows(building.database, "loan_item"))

    def test_that_cannot_be_had_changes_nothing(self, building: Building, series: SeriesDesk) -> None:
        made = series.book(daily(), actor=BY)
        building.desk.book(order(on(2, 5), room(1), requester=SAM), actor=BY)

        with pytest.raises(Unavailable):
            series.change(made.loans[0].number, LoanChange(start=on(0, 5).start, end=on(0, 5).end), Scope.ALL, actor=BY)

        assert [loan.interval for loan in loans(building)] == [on(0), on(1), on(2), on(2, 5)]
        assert all(row.holds for row in rows(building.database, "loan_item"))

    def test_from_a_date_on_leaves_what_was_before(self, building: Building, series: SeriesDesk) -> None:
        made = series.book(daily(), actor=BY)

        series.change(made.loans[1].number, LoanChange(items=(room(2),)), Scope.FOLLOWING, actor=BY)
        series.cancel(made.loans[2].number, Scope.FOLLOWING, actor=BY)

        assert [[item.id for item in loan.rooms] for loan in loans(building)] == [[1], [2], [2]]
        assert [loan.status for loan in loans(building)] == [LoanStatus.NEW, LoanStatus.NEW, LoanStatus.CANCELLED]

    def test_by_two_at_once_is_one_after_the_other(self, building: Building, series: SeriesDesk) -> None:
        """Both lock the dates in one order: neither waits for the other for ever."""
        made = series.book(daily(times=8), actor=BY)
        failures: list[BaseException] = []

        def change(number: int, start: float) -> None:
            try:
                wanted = LoanChange(start=on(number, start).start, end=on(number, start).end)
                series.change(made.loans[number].number, wanted, Scope.ALL, actor=BY)
            except BaseException as error:
                failures.append(error)

        threads = [Thread(target=change, args=each) for each in ((0, 4), (7, 6))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

        assert failures == []
        assert {loan.interval.start.hour for loan in loans(building)} in ({12}, {14})
