"""The clock of the engine: jobs that only enqueue, on an interval, with their next runs told to whoever keeps them.

Nothing depends on a job running on time: each run says "look again", and the next one says it as well. So missed
runs are folded into one, and one that is still running is not started twice.

Source: APScheduler 3.x user guide (coalesce, misfire_grace_time, max_instances).
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler

log = logging.getLogger(__name__)

MISFIRE_SECONDS = 3600
"""A run that comes late by less than this still runs: after a suspended laptop, say."""

LOAN_CLOCK = timedelta(minutes=1)
RENEWAL_CHECK = timedelta(minutes=15)
RETENTION = timedelta(days=1)

CATCH_UP = timedelta(minutes=10)
"""How long after the start a nightly job runs that was missed: what came in meanwhile is read first."""

Task = Callable[[], object] | Callable[[], Awaitable[object]]
"""Enqueues; may be plain (run on the loop, so it must be short) or async. What it raises is logged."""

Report = Callable[[str, datetime | None, datetime | None, str | None], None]
"""Told `(name, next_at, last_at, last_result)` after each change; None where there is nothing new to say."""


@dataclass(frozen=True, slots=True)
class ClockJob:
    """A job: its name (a row of the table `job`), how often it runs, and when it runs first after the start."""

    name: str
    every: timedelta
    task: Task
    first_after: timedelta | None = None
    """None: one whole period, or the next time it is due."""
    at: time | None = None
    """Once a day, at this time in its zone (else UTC), instead of `every`."""
    records_itself: bool = False
    """Whoever does the work records when it ran and what came of it; the clock only tells the next run."""


def plan_jobs(
    *,
    import_places: Task,
    sweep_rooms: Task,
    loan_clock: Task,
    retention: Task,
    check_credential: Task,
    check_subscriptions: Task | None,
    poll_rooms: Task | None,
    import_every: timedelta,
    sweep_every: timedelta,
    poll_every: timedelta,
    compare_rooms: Task,
    compare_at: time,
    compared_at: datetime | None,
    now: datetime,
) -> tuple[ClockJob, ...]:
    """
    Return the engine's jobs.

    `sweep_rooms` enqueues a safety delta of every room whose turn it is, spread by the callee: nothing is promised
    about how late a notification for an event may be (Graph docs: change-notifications-overview). `poll_rooms` takes
    the place of `check_subscriptions` where no notification can reach us; exactly one of the two is given.
    `compared_at` is when rooms were last compared: a night that was missed is made up for soon after the start.
    """
    assert (check_subscriptions is None) != (poll_rooms is None), "either notifications or polling"
    catch_up = CATCH_UP if was_missed(compare_at, compared_at, now) else None
    jobs = [
        ClockJob("import_rooms", import_every, import_places, first_after=timedelta(0), records_itself=True),
        ClockJob("sweep_rooms", sweep_every, sweep_rooms),
        ClockJob("compare_rooms", timedelta(days=1), compare_rooms, first_after=catch_up, at=compare_at),
        ClockJob("loan_clock", LOAN_CLOCK, loan_clock, first_after=timedelta(0)),
        ClockJob("retention", RETENTION, retention, first_after=timedelta(minutes=5)),
        ClockJob("check_credential", timedelta(days=1), check_credential),
    ]
    if check_subscriptions is not None:
        jobs.append(ClockJob("check_subscriptions", RENEWAL_CHECK, check_subscriptions, first_after=LOAN_CLOCK))
    if poll_rooms is not None:
        jobs.append(ClockJob("poll_rooms", poll_every, poll_rooms, first_after=timedelta(0)))
    return tuple(jobs)


def was_missed(at: time, last_at: datetime | None, now: datetime) -> bool:
    """Tell whether a job of every day at *at* (in its zone, else UTC) did not run when it was due last; False for one
    that never ran."""
    here = now.astimezone(at.tzinfo or UTC)
    due = datetime.combine(here.date(), at, tzinfo=here.tzinfo)
    if due > here:
        due = datetime.combine(here.date() - timedelta(days=1), at, tzinfo=here.tzinfo)
    return last_at is not None and last_at < due


class Schedule:
    """
    Runs jobs by the clock, on the event loop that is running when `start` is called.

    Args:
        jobs: names are unique.
        now: the present instant, aware.
        report: told of next and last runs; what it raises is logged, a schedule goes on without it.
    """

    def __init__(self, jobs: Sequence[ClockJob], *, now: Callable[[], datetime], report: Report) -> None:
        self._jobs = {job.name: job for job in jobs}
        assert len(self._jobs) == len(jobs), "two jobs of one name"
        self._now = now
        self._report = report
        self._scheduler: AsyncIOScheduler | None = None

    def start(self) -> None:
        """Begin; starting twice is a mistake of ours."""
        assert self._scheduler is None, "the schedule has started already"
        self._scheduler = AsyncIOScheduler(
            timezone="UTC",
            job_defaults={"coalesce": True, "misfire_grace_time": MISFIRE_SECONDS, "max_instances": 1},
        )
        now = self._now()
        for job in self._jobs.values():
            self._scheduler.add_job(self.run_job, args=(job.name,), id=job.name, **_trigger(job, now))
        self._scheduler.start()
        for name, next_at in self.next_runs().items():
            self._tell(name, next_at, None, None)

    def stop(self) -> None:
        """End; a task under way is left to end by itself. Stopping twice is fine."""
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
            self._scheduler = None

    def next_runs(self) -> dict[str, datetime | None]:
        """Return when each job runs next; None for all of them while stopped."""
        if self._scheduler is None:
            return dict.fromkeys(self._jobs)
        found = {job.id: job.next_run_time for job in self._scheduler.get_jobs()}
        return {name: found.get(name) for name in self._jobs}

    async def run_job(self, name: str) -> None:
        """Run one job now, whatever the clock says. Never raises: the next run comes anyway."""
        job, began_at = self._jobs[name], self._now()
        try:
            answer = job.task()
            if inspect.isawaitable(answer):
                answer = await answer
            result = "" if answer is None else str(answer)
        except Exception as error:  # one job may fail; the clock may not
            log.exception("a timed job failed", extra={"job": name})
            result = f"{type(error).__name__}: {error}"
        next_at = self.next_runs()[name]
        if job.records_itself:
            self._tell(name, next_at, None, None)
        else:
            self._tell(name, next_at, began_at, result)

    def _tell(self, name: str, next_at: datetime | None, last_at: datetime | None, result: str | None) -> None:
        try:
            self._report(name, next_at, last_at, result)
        except Exception:  # the same: a database that is away must not stop the clock
            log.exception("a timed job could not be recorded", extra={"job": name})


def _trigger(job: ClockJob, now: datetime) -> dict[str, Any]:
    """Return when the scheduler runs *job*, in its words."""
    if job.at is not None:
        nightly = {"trigger": "cron", "hour": job.at.hour, "minute": job.at.minute, "timezone": job.at.tzinfo or UTC}
        late = {"misfire_grace_time": None}  # after a suspended machine, however late
        return nightly | late | ({} if job.first_after is None else {"next_run_time": now + job.first_after})
    first = job.every if job.first_after is None else job.first_after
    return {"trigger": "interval", "seconds": job.every.total_seconds(), "next_run_time": now + first}
