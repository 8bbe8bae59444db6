"""The clock: which jobs run how often, and what is told about them. Nobody sleeps here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from engine.schedule.clock_jobs import ClockJob, Schedule, Task, plan_jobs, was_missed

NOW = datetime(2100, 1, 1, tzinfo=UTC)
"""Far ahead of every real clock: nothing comes due while a test runs."""

HOUR = timedelta(hours=1)


class Diary:
    """What the schedule told, and what ran."""

    def __init__(self) -> None:
        self.told: list[tuple[str, datetime | None, datetime | None, str | None]] = []
        self.ran: list[str] = []

    def report(self, name: str, next_at: datetime | None, last_at: datetime | None, result: str | None) -> None:
        self.told.append((name, next_at, last_at, result))

    def task(self, name: str, answer: object = None) -> Task:
        def run() -> object:
            self.ran.append(name)
            return answer

        return run


@pytest.fixture
def diary() -> Diary:
    return Diary()


def schedule(diary: Diary, *jobs: ClockJob) -> Schedule:
    return Schedule(jobs, now=lambda: NOW, report=diary.report)


def on_a_loop(act: Callable[[], None]) -> None:
    """Run *act* with an event loop around it."""

    async def run() -> None:
        act()

    asyncio.run(run())


class TestTheJobs:
    @pytest.mark.parametrize("polling", [True, False])
    def test_each_runs_as_often_as_the_settings_say(self, diary: Diary, polling: bool) -> None:
        """Polling takes the place of looking after subscriptions."""
        task = diary.task("any")
        jobs = plan_jobs(
            import_places=task,
            sweep_rooms=task,
            loan_clock=task,
            retention=task,
            check_credential=task,
            check_subscriptions=None if polling else task,
            poll_rooms=task if polling else None,
            import_every=timedelta(minutes=15),
            sweep_every=timedelta(hours=6),
            poll_every=timedelta(seconds=60),
            compare_rooms=task,
            compare_at=time(2, 30),
            compared_at=None,
            now=NOW,
        )

        assert {job.name: job.every for job in jobs} == {
            "import_rooms": timedelta(minutes=15),
            "sweep_rooms": timedelta(hours=6),
            "loan_clock": timedelta(minutes=1),
            "retention": timedelta(days=1),
            "check_credential": timedelta(days=1),
            "compare_rooms": timedelta(days=1),
            **({"poll_rooms": timedelta(seconds=60)} if polling else {"check_subscriptions": timedelta(minutes=15)}),
        }

    def test_notifications_and_polling_exclude_each_other(self, diary: Diary) -> None:
        """Neither is a mistake as well."""
        task = diary.task("any")
        for both in (task, None):
            with pytest.raises(AssertionError):
                plan_jobs(
                    import_places=task, sweep_rooms=task, loan_clock=task, retention=task, check_credential=task,
                    check_subscriptions=both,
                    poll_rooms=both, import_every=HOUR, sweep_every=HOUR, poll_every=HOUR,
                    compare_rooms=task, compare_at=time(2, 30), compared_at=None, now=NOW,
                )  # fmt: skip


class TestANightThatWasMissed:
    ZONE = ZoneInfo("Europe/Paris")
    AT = time(2, 30, tzinfo=ZONE)

    @pytest.mark.parametrize(
        ("now", "last", "missed"),
        [
            ("2027-01-10 09:00", "2027-01-10 02:30", False),
            ("2027-01-10 09:00", "2027-01-09 02:30", True),
            ("2027-01-10 01:00", "2027-01-09 02:30", False),
            ("2027-01-10 01:00", "2027-01-08 02:30", True),
            ("2027-01-10 09:00", "2027-01-10 08:00", False),
            ("2027-01-10 09:00", None, False),
            ("2027-03-28 09:00", "2027-03-27 02:30", True),
        ],
    )
    def test_is_one_in_which_nothing_ran(self, now: str, last: str | None, missed: bool) -> None:
        """By the rooms' clock, on the night the clocks change as well; a first start misses nothing."""

        def instant(text: str) -> datetime:
            return datetime.fromisoformat(text).replace(tzinfo=self.ZONE).astimezone(UTC)

        assert was_missed(self.AT, instant(last) if last else None, instant(now)) == missed

    @pytest.mark.parametrize(("days_ago", "after"), [(3, timedelta(minutes=10)), (0, None)])
    def test_is_made_up_for_soon_after_the_start(self, diary: Diary, days_ago: int, after: timedelta | None) -> None:
        """And then each night, as always."""
        task = diary.task("any")
        jobs = plan_jobs(
            import_places=task, sweep_rooms=task, loan_clock=task, retention=task, check_credential=task,
            check_subscriptions=task, poll_rooms=None, import_every=HOUR, sweep_every=HOUR, poll_every=HOUR,
            compare_rooms=task,
            compare_at=time(2, 30), compared_at=NOW - timedelta(days=days_ago), now=NOW,
        )  # fmt: skip
        clock = schedule(diary, *(job for job in jobs if job.name == "compare_rooms"))

        def act() -> None:
            clock.start()
            next_at = clock.next_runs()["compare_rooms"]
            assert next_at is not None
            assert next_at == NOW + after if after is not None else next_at.time() == time(2, 30)
            assert clock._scheduler is not None
            (job,) = clock._scheduler.get_jobs()
            assert job.misfire_grace_time is None  # a machine that slept through the night compares when it wakes
            clock.stop()

        on_a_loop(act)


class TestStartAndStop:
    def test_next_runs_are_told_at_the_start(self, diary: Diary) -> None:
        """A status page shows them before anything has run."""
        clock = schedule(
            diary,
            ClockJob("hourly", HOUR, diary.task("hourly")),
            ClockJob("soon", HOUR, diary.task("soon"), first_after=timedelta(minutes=1)),
        )

        def act() -> None:
            clock.start()
            assert clock.next_runs() == {"hourly": NOW + HOUR, "soon": NOW + timedelta(minutes=1)}
            clock.stop()

        on_a_loop(act)

        assert diary.told == [
            ("hourly", NOW + HOUR, None, None),
            ("soon", NOW + timedelta(minutes=1), None, None),
        ]
        assert diary.ran == []

    def test_what_runs_by_night_keeps_to_the_clock_on_the_wall(self, diary: Diary) -> None:
        """At its time in the zone of the rooms, whatever the hour of the start."""
        zone = ZoneInfo("Europe/Paris")
        nightly = ClockJob("nightly", timedelta(days=1), diary.task("nightly"), at=time(2, 30, tzinfo=zone))
        clock = schedule(diary, nightly)

        def act() -> None:
            clock.start()
            (at,) = clock.next_runs().values()
            assert at is not None
            assert at.astimezone(zone).time() == time(2, 30)
            clock.stop()

        on_a_loop(act)

    def test_stopped_it_runs_nothing(self, diary: Diary) -> None:
        """Stopping twice is fine, and so is starting again."""
        clock = schedule(diary, ClockJob("hourly", HOUR, diary.task("hourly")))

        def act() -> None:
            for _ in range(2):
                clock.start()
                clock.stop()
                clock.stop()

        on_a_loop(act)

        assert clock.next_runs() == {"hourly": None}

    def test_late_runs_are_folded_and_never_run_beside_themselves(self, diary: Diary) -> None:
        """After a suspended laptop one look is enough."""
        clock = schedule(diary, ClockJob("hourly", HOUR, diary.task("hourly")))

        def act() -> None:
            clock.start()
            assert clock._scheduler is not None
            (job,) = clock._scheduler.get_jobs()
            assert (job.coalesce, job.max_instances, job.misfire_grace_time) == (True, 1, 3600)
            clock.stop()

        on_a_loop(act)

    def test_a_job_that_is_due_runs(self, diary: Diary) -> None:
        """The scheduler really calls the task: due in the past, it runs as soon as the loop turns."""
        ran = asyncio.Event()

        async def task() -> None:
            ran.set()

        clock = Schedule(
            [ClockJob("due", HOUR, task, first_after=timedelta(0))],
            now=lambda: datetime.now(UTC),
            report=diary.report,
        )

        async def act() -> None:
            clock.start()
            await asyncio.wait_for(ran.wait(), timeout=5)
            clock.stop()

        asyncio.run(act())

        assert ran.is_set()


class TestARun:
    def test_is_told_with_its_result(self, diary: Diary) -> None:
        """When it ran, and what came of it."""
        asyncio.run(schedule(diary, ClockJob("count", HOUR, diary.task("count", 3))).run_job("count"))

        assert diary.told == [("count", None, NOW, "3")]

    def test_may_be_async(self, diary: Diary) -> None:
        """A task that awaits is awaited."""

        async def task() -> str:
            await asyncio.sleep(0)
            return "done"

        asyncio.run(schedule(diary, ClockJob("waits", HOUR, task)).run_job("waits"))

        assert diary.told == [("waits", None, NOW, "done")]

    def test_that_fails_is_told_and_ends_there(self, diary: Diary) -> None:
        """The next run comes anyway."""

        def task() -> None:
            raise RuntimeError("no")

        asyncio.run(schedule(diary, ClockJob("fails", HOUR, task)).run_job("fails"))

        assert diary.told == [("fails", None, NOW, "RuntimeError: no")]

    def test_that_cannot_be_recorded_is_no_reason_to_stop(self, diary: Diary) -> None:
        """A database that is away must not stop the clock."""

        def report(*_: object) -> None:
            raise RuntimeError("away")

        clock = Schedule([ClockJob("any", HOUR, diary.task("any"))], now=lambda: NOW, report=report)

        asyncio.run(clock.run_job("any"))

        assert diary.ran == ["any"]

    def test_of_a_job_that_records_itself_tells_only_the_next_run(self, diary: Diary) -> None:
        """The pass knows better when it ran and what it did."""
        job = ClockJob("import_rooms", HOUR, diary.task("import_rooms"), records_itself=True)

        asyncio.run(schedule(diary, job).run_job("import_rooms"))

        assert diary.told == [("import_rooms", None, None, None)]
