"""What works behind the web: the calendar side, the senders, the engine with its loop, the clock.

Loaded once the web serves: the libraries that speak to Graph take a fifth of a start.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass

from engine.app.calendar_side import build_service_calendar, credential_of
from engine.app.engine import Engine
from engine.app.office import Office
from engine.app.own_calendars import OwnCalendars
from engine.app.readings import Watching
from engine.app.roles import keep_clock
from engine.app.senders import open_senders
from engine.app.timetable import plan_service_jobs
from engine.database.processes.leadership import Leadership
from engine.database.sql.marks import Priority
from engine.graph.contacts import GraphContacts
from engine.graph.meter import GatewayMeter
from engine.schedule.clock_jobs import Schedule
from engine.settings import Settings
from engine.subscriptions.plan import Endpoint
from engine.web.metrics import Metrics
from engine.worker.locks import Holding, Locks, SharedLocks


@dataclass(frozen=True, slots=True)
class Work:
    """An engine that is put together and does not run yet."""

    settings: Settings
    office: Office
    engine: Engine

    async def run(self) -> None:
        """Run passes until cancelled, or until the loop cannot go on. Passes under way are brought to their end."""
        with _listening_elsewhere(self.office) as start:
            await asyncio.to_thread(start)
            working = asyncio.create_task(self.engine.loop.run())
            try:
                await asyncio.shield(working)
            finally:
                self.engine.loop.stop()
                await working

    async def keep_clock(self, *, is_sole: bool) -> None:
        """Have everything looked at that happened while nobody listened, then keep the clock until cancelled."""
        office = self.office
        office.rooms.follow_default_zone()
        office.enqueue("subscription", "all")
        office.rooms.mark_rooms(priority=Priority.SWEEP)
        leadership = Leadership(office.database, "schedule", owner=office.queue.owner)

        def make() -> Schedule:
            return Schedule(plan_service_jobs(self.settings, office), now=office.now, report=office.note_job)

        await keep_clock(leadership, make, by_force=is_sole)


@asynccontextmanager
async def open_work(
    settings: Settings,
    office: Office,
    *,
    base_url: str,
    endpoint: Endpoint,
    metrics: Metrics,
    meter: GatewayMeter,
    own_calendars: OwnCalendars | None,
) -> AsyncIterator[Work]:
    """
    Yield the engine of the service; what it opened is closed at the end.

    Args:
        settings: of the service.
        office: what it works on.
        base_url: the Graph to speak to.
        endpoint: where that calls us.
        metrics: are told of passes.
        meter: counts requests to Graph.
        own_calendars: opens people's own calendars; None where nobody is offered any.
    """
    async with AsyncExitStack() as stack:
        calendar = build_service_calendar(settings, base_url, credential_of(settings), meter)
        stack.push_async_callback(calendar.aclose)
        engine = Engine(
            office,
            calendar,
            endpoint=endpoint,
            watcher=Watching(office, metrics),
            senders=await stack.enter_async_context(open_senders(settings, office)),
            locks=stack.enter_context(_keep_mailboxes(office)),
            contacts=GraphContacts(calendar.gateway),
            open_own_calendar=own_calendars.open_calendar if own_calendars is not None else None,
        )
        yield Work(settings, office, engine)


@contextmanager
def _keep_mailboxes(office: Office) -> Iterator[Holding]:
    """Keep one writer per mailbox: among all processes on PostgreSQL, where there may be several."""
    if office.database.dialect != "postgresql":
        yield Locks()
        return
    from engine.database.processes.latches import Latches  # brings the PostgreSQL driver, which SQLite does without

    latches = Latches(office.database, space=f"mailbox of {office.instance}")
    try:
        yield SharedLocks(latches)
    finally:
        latches.close()


@contextmanager
def _listening_elsewhere(office: Office) -> Iterator[Callable[[], None]]:
    """Yield what begins to hear of marks that other processes make on PostgreSQL, and to show them that we live; on
    SQLite the loop looks for itself."""
    if office.database.dialect != "postgresql":
        yield lambda: None
        return
    from engine.database.processes.presence import Presence  # brings the PostgreSQL driver, which SQLite does without
    from engine.database.processes.wakeups import Listener

    listener = Listener(office.database, office.database.announce_marks, Presence(office.queue))
    try:
        yield listener.start
    finally:
        listener.close()
