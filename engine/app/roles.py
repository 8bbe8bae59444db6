"""What one process does of all there is to do: serve, work, keep the clock; by default all three."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from enum import StrEnum
from typing import TYPE_CHECKING

from engine.database.processes.leadership import LEASE, Leadership
from engine.errors import BadSettings, EngineError
from engine.settings import Settings

if TYPE_CHECKING:
    from engine.schedule.clock_jobs import Schedule

log = logging.getLogger(__name__)

TRY_SECONDS = LEASE.total_seconds() / 3
"""How often a scheduler tries to lead, or says that it still does."""


class Role(StrEnum):
    """What a process is for."""

    WEB = "web"
    """App, JSON API and the receiver of notifications."""
    WORKER = "worker"
    """Passes: reads rooms, settles bookings, writes to Outlook."""
    SCHEDULER = "scheduler"
    """The clock; of several, one leads."""


ALL_ROLES = frozenset(Role)


def check_roles(settings: Settings, roles: Collection[Role]) -> None:
    """Refuse to do a part only where the other parts could not be done elsewhere. Raises BadSettings."""
    if frozenset(roles) >= ALL_ROLES:
        return
    faults = []
    if not settings.database.url.startswith("postgresql"):
        faults.append(
            "database.url must be a PostgreSQL database for processes with --role: on SQLite one process does it all"
        )
    if settings.simulated:
        faults.append(
            "graph.credential is 'simulated', and that tenant lives in one process: start one for all to share with "
            "python -m engine simulate serve, or leave --role out"
        )
    if not settings.web.public_url:
        faults.append("web.public_url is needed with --role: every process must know where Graph and people find it")
    if faults:
        raise BadSettings(tuple(faults))


async def keep_clock(leadership: Leadership, make_schedule: Callable[[], Schedule], *, by_force: bool) -> None:
    """
    Run a schedule while we lead, until cancelled; then let somebody else lead at once.

    Args:
        by_force: whoever led has died for certain.
    """
    schedule: Schedule | None = None
    try:
        while True:
            leads = _take(leadership, by_force=by_force)
            by_force = False
            if leads and schedule is None:
                schedule = make_schedule()
                schedule.start()
            elif leads is False and schedule is not None:
                log.warning("another process keeps the clock now")
                schedule.stop()
                schedule = None
            await asyncio.sleep(TRY_SECONDS)
    finally:
        if schedule is not None:
            schedule.stop()
            _give_up(leadership)


def _take(leadership: Leadership, *, by_force: bool) -> bool | None:
    """Tell whether we lead; None: nobody can say. Jobs only enqueue, so a clock that runs on without a database does
    no harm."""
    try:
        return leadership.take(by_force=by_force)
    except EngineError as error:
        log.warning("cannot tell who keeps the clock: %s", error)
        return None


def _give_up(leadership: Leadership) -> None:
    try:
        leadership.give_up()
    except EngineError as error:
        log.warning("whoever keeps the clock next has to wait for it: %s", error)
