"""What series cost in Graph requests, exactly: a term poured as weekly series makes the loans of as many single events,
for the requests of its series and not of its dates."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from engine.bench.timetables import FIRST_MONDAY, Term, import_term, measure_timetable
from engine.loans.status import LoanStatus
from engine.prove.people.series import at, book_series, recurrence, starts
from engine.prove.world.world import World
from engine.simulator.timetable import load_series, load_timetable
from tests.simulation.conftest import MakeWorld
from tests.simulation.test_request_counts import TOGETHER, counting

HEAD = "room,capacity,class,limit,days,weeks,start_minute,length_minutes"
CLASSES = (
    "1,20,A1,15,1010000,11111111111111,540,110",  # twice a week, off the grid
    "1,20,A2,18,1000000,11111111111111,660,50",
    "2,60,B1,55,0100000,10101010101010,600,110",  # every other week
    "2,60,B2,40,0001000,11110001111111,840,110",  # a gap: two series
    "3,38,C1,34,0010000,00000000011111,480,90",  # across the end of March, as all but the last
    "3,38,C2,30,0000100,11111100000000,480,90",
)
DATES = 28 + 14 + 7 + 11 + 5 + 6
SERIES = 7
WEEK = timedelta(days=7)


@pytest.fixture(scope="module")
def timetable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("timetable") / "timetable.csv"
    path.write_text("\n".join((HEAD, *CLASSES)) + "\n")
    return path


@pytest.fixture(scope="module")
def terms(timetable: Path) -> tuple[Term, Term]:
    """The same term, date by date and as series."""
    return (
        import_term(load_timetable(timetable, 14, FIRST_MONDAY)),
        import_term(load_series(timetable, 14, FIRST_MONDAY)),
    )


class TestATermAsSeries:
    def test_is_the_same_loans(self, terms: tuple[Term, Term]) -> None:
        """The same rooms at the same instants, over the night on which clocks change too."""
        single, series = terms

        assert (single.booked, series.booked) == (DATES, SERIES)
        assert single.loans == series.loans == len(single.dates) == DATES
        assert series.dates == single.dates

    def test_costs_one_read_per_series(self, terms: tuple[Term, Term]) -> None:
        """Beyond what finding and reading the rooms costs in either case: a read per meeting, or one per series."""
        single, series = terms

        assert (single.organizer_reads, series.organizer_reads) == (DATES, SERIES)
        assert single.deltas == series.deltas
        assert single.requests - series.requests == DATES - SERIES

    def test_is_what_the_benchmark_tells(self, timetable: Path) -> None:
        figures = {figure.what: figure for figure in measure_timetable(timetable, weeks=14)}

        told = figures[f"{SERIES} series of {len(CLASSES)} classes, as loans"]
        assert (told.value, told.verdict, told.note) == (DATES, "ok", "the same rooms and times")
        assert figures["reads of the organizer's copy per series"].value == 1.0


@pytest.fixture
def world(worlds: MakeWorld) -> World:
    world = worlds(tenant=TOGETHER)
    for room in world.room_addresses:
        world.tenant.office.set_processing(room, BookingWindowInDays=1080)
    return world


class TestOneSeriesOfFiftyDates:
    """Whatever is done to a series as a whole costs a handful of requests, however many dates it has."""

    TIMES = 50

    @pytest.fixture
    def booked(self, world: World) -> tuple[World, str]:
        day = (world.loop.now() + timedelta(days=2)).date()
        master = book_series(world, 2, day, 9, 1, times=self.TIMES)
        world.settle()
        assert len(world.live_loans) == self.TIMES
        world.wait(15.0)
        world.settle()
        return world, master["id"]

    def test_booked(self, world: World) -> None:
        """One delta page, one read of the organizer's master."""
        with counting(world) as count:
            book_series(world, 2, (world.loop.now() + timedelta(days=2)).date(), 9, 1, times=self.TIMES)

        assert (count.deltas, count.reads, count.writes) == (1, 1, 0)
        assert len(world.live_loans) == self.TIMES

    def test_moved(self, booked: tuple[World, str]) -> None:
        world, master = booked
        day = world.loans[0].interval.start.date()

        with counting(world) as count:
            world.run(world.person(2).move(master, at(day, 11), at(day, 12)))

        assert starts(world.live_loans) == [at(day + number * WEEK, 11) for number in range(self.TIMES)]
        assert (count.deltas, count.reads, count.writes) == (1, 0, 0)

    def test_one_date_moved(self, booked: tuple[World, str]) -> None:
        world, master = booked
        second = world.dates(2, master)[1]
        day = world.loans[1].interval.start.date()

        with counting(world) as count:
            world.run(world.person(2).move(second["id"], at(day, 14), at(day, 15)))

        assert world.loans[1].interval.start == at(day, 14)
        assert (count.deltas, count.reads, count.writes) == (1, 0, 0)

    def test_one_date_cancelled(self, booked: tuple[World, str]) -> None:
        """Delta names the lost date; one list of the organizer's dates tells that it was not only taken elsewhere."""
        world, master = booked

        with counting(world) as count:
            world.run(world.person(2).cancel(world.dates(2, master)[1]["id"]))

        assert world.loans[1].status is LoanStatus.CANCELLED
        assert (count.deltas, count.reads, count.writes) == (1, 1, 0)

    def test_cut_short(self, booked: tuple[World, str]) -> None:
        """A list of the room's dates tells that forty are lost, one of the organizer's that they are cancelled."""
        world, master = booked
        day = world.loans[0].interval.start.date()

        with counting(world) as count:
            cut = recurrence(day, until=day + 9 * WEEK)
            world.run(world.person(2).change(master, recurrence=cut))

        assert len(world.live_loans) == 10
        assert (count.deltas, count.reads, count.writes) == (1, 2, 0)

    def test_cancelled(self, booked: tuple[World, str]) -> None:
        """The master is asked for by its id, and the organizer's by its uid: neither is there."""
        world, master = booked

        with counting(world) as count:
            world.run(world.person(2).cancel(master))
            world.settle()

        assert world.live_loans == ()
        assert (count.deltas, count.reads, count.writes) == (1, 2, 0)

    def test_taken_to_another_room(self, booked: tuple[World, str]) -> None:
        """Both rooms show it by themselves."""
        world, master = booked

        with counting(world) as count:
            world.run(world.person(2).set_rooms(master, [world.room_addresses[1]]))

        assert {tuple(item.name for item in loan.rooms) for loan in world.live_loans} == {("Room 2",)}
        assert len(world.live_loans) == self.TIMES
        assert (count.deltas, count.reads, count.writes) == (2, 0, 0)

    def test_looked_at_again(self, booked: tuple[World, str]) -> None:
        """A sweep costs one delta page per room."""
        world, _ = booked

        with counting(world) as count:
            world.office.rooms.mark_rooms(priority=1)

        assert (count.deltas, count.reads, count.writes) == (2, 0, 0)
