"""The timed jobs of the service: how often each runs, and what it marks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from engine.app.connection import warn_of_expiry
from engine.app.office import EXPORT_JOB, Office
from engine.database.outbox.messages import RETENTION
from engine.database.sql.marks import Priority
from engine.database.work.jobs import JobBook
from engine.loans.once import KEPT
from engine.reconcile.contacts import CONTACTS
from engine.schedule.clock_jobs import ClockJob, plan_jobs
from engine.settings import Settings

SWEEP_LOOKS = 12
"""How often in the time of a sweep it is looked which rooms have not been read for that time: one that was, for a
notification or in the night's comparison, is not read again before."""

SWEEP_SPREAD_SECONDS = 300.0
"""Over how long a sweep's readings are spread, so that ten thousand rooms are not asked for in one second."""

COMPARE_SPREAD_SECONDS = 3600.0
"""Over how long the nightly comparison is spread."""

RETRY_EVERY = timedelta(minutes=5)
"""How often a suspended room is tried again."""

OWN_CALENDARS_AFTER = timedelta(minutes=2)
"""When people's own calendars are looked at first after a start: whatever happened while nobody listened."""

REACH_EVERY, REACH_AFTER = timedelta(hours=1), timedelta(minutes=1)
"""How often what the view's dates have come to reach is brought in, and when first after a start."""

NAMES_AFTER = timedelta(minutes=1)
"""When names in the settings are compared first with what there is: after a first start the rooms are known by then."""

NOTIFICATIONS_KEPT = timedelta(days=7)


def plan_service_jobs(settings: Settings, office: Office) -> Any:
    """Return the timed jobs. Each only enqueues, apart from the loans' own clock and the clearing of old rows."""
    push = settings.sync.delivery == "push"
    sweep_every = timedelta(minutes=settings.sync.sweep_every_minutes)
    ran = {job.name: job.last_at for job in JobBook(office.database).load_jobs()}
    jobs = plan_jobs(
        import_places=lambda: office.enqueue("places", "all", priority=Priority.SWEEP),
        sweep_rooms=lambda: office.rooms.mark_rooms(
            priority=Priority.SWEEP, spread_seconds=SWEEP_SPREAD_SECONDS, unread_for=sweep_every
        ),
        compare_rooms=lambda: office.mark_comparisons(spread_seconds=COMPARE_SPREAD_SECONDS),
        compare_at=time.fromisoformat(settings.sync.compare_at).replace(tzinfo=ZoneInfo(settings.rooms.time_zone)),
        compared_at=ran.get("compare_rooms"),
        now=office.now(),
        loan_clock=office.desk.run_clock,
        retention=lambda: clear_away(office),
        check_credential=lambda: warn_of_expiry(office.connection, office.now),
        check_subscriptions=office.subscriptions.mark_due if push else None,
        poll_rooms=None if push else lambda: office.rooms.mark_rooms(priority=Priority.LIVE),
        import_every=timedelta(minutes=settings.rooms.import_every_minutes),
        sweep_every=sweep_every / SWEEP_LOOKS,
        poll_every=timedelta(seconds=settings.sync.poll_every_seconds),
    )
    every = REACH_EVERY if settings.view.days_ahead else timedelta(days=1)  # what a former limit left is found as well
    reach = ClockJob("reach_dates", every, office.mark_reached, first_after=REACH_AFTER)
    names = ClockJob("check_names", timedelta(days=1), office.warn_of_names, first_after=NAMES_AFTER)
    retry = ClockJob("retry_rooms", RETRY_EVERY, office.rooms.mark_suspended)
    return (*jobs, retry, reach, names, *_export_contacts(settings, office), *_look_at_own_calendars(settings, office))


def _look_at_own_calendars(settings: Settings, office: Office) -> Iterator[ClockJob]:
    """Yield the daily look at people's own calendars, which keeps their permission alive as well: unused, it ends."""
    if settings.simulated or settings.own_calendars.client_id:
        yield ClockJob(
            "own_calendars", timedelta(days=1), office.own_calendars.mark_all, first_after=OWN_CALENDARS_AFTER
        )


def _export_contacts(settings: Settings, office: Office) -> Iterator[ClockJob]:
    """Yield the daily export of contacts, where one is wanted. The pass records what came of it."""
    if settings.contacts.export_at:
        at = time.fromisoformat(settings.contacts.export_at).replace(tzinfo=ZoneInfo(settings.rooms.time_zone))
        mark = partial(office.enqueue, *CONTACTS, priority=Priority.SWEEP)
        yield ClockJob(EXPORT_JOB, timedelta(days=1), mark, at=at, records_itself=True)


def clear_away(office: Office) -> int:
    """Forget notifications, messages, answered requests and people that are old enough; return how many."""
    now = office.now()
    return (
        office.inbox.prune(now - NOTIFICATIONS_KEPT)
        + office.outbox.prune(now - RETENTION)
        + office.once.prune(now - KEPT)
        + _forget_people(office, now)
    )


def _forget_people(office: Office, now: datetime) -> int:
    """Anonymise the loans that are old enough; return how many."""
    days = office.settings.privacy.retention_days
    return office.retention.run(now - timedelta(days=days)) if days else 0
