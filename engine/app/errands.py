"""Errands of the command line: one comparison with Outlook, one import of rooms; no service needed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from operator import itemgetter
from zoneinfo import ZoneInfo

from engine.app.calendar_side import build_service_calendar, credential_of
from engine.app.engine import Engine
from engine.app.office import Office
from engine.app.trials import try_tenant
from engine.clock import utc_now
from engine.database.sql.marks import Priority
from engine.errors import MailboxClosed, Unreachable
from engine.graph.contacts import GraphContacts
from engine.reconcile.backfill.book import Backfill
from engine.reconcile.contacts import ContactReport
from engine.reconcile.telling.lines import CHANGES, PlanLine, begins_at, say_closed, say_plan
from engine.reconcile.words.local import PlainTimes
from engine.rooms.room import Room
from engine.settings import Settings
from engine.subscriptions.plan import Endpoint
from engine.web.pages.parts.trials import Trial
from engine.worker.bookings import is_led
from engine.worker.loop import Silent

NEVER = datetime.max.replace(tzinfo=UTC)
"""Where a booking without readable times stands among the others."""

BACKFILL_AT_ONCE = 100
"""Meetings a command deals with in one transaction: a fifth of a second during which nobody else writes."""


BACKFILL_REST_SECONDS = 0.03
"""Between two steps: SQLite serves whoever asks first, and who waits asks ten times a second."""

BACKFILL_TRIES, BACKFILL_PAUSE_SECONDS = 10, 1.0
"""How often a step is tried that finds the database busy (each time for five seconds), and the pause in between."""


async def plan_sync(settings: Settings, room: Room | None, *, apply: bool, language: str) -> Sequence[PlanLine]:
    """Read the rooms' calendars, compare every booking, and return what it needs; do it when *apply* says so.

    What is returned is what the mode `two_way` would do; what is done is what the present mode allows. Reading
    brings the mirror up to date and marks what changed: a service that runs acts on it as always. Lines
    are in the order of their bookings' starts; rooms whose mailbox is closed come last. Dates of a new series of the
    app are written with it, as one event.
    """
    async with _open_engine(settings) as engine:
        rooms = [room] if room is not None else [each for each in engine.office.rooms.load_rooms() if each.is_synced]
        closed = [each for each in rooms if not await _can_read(engine, each)]
        found: list[tuple[datetime, list[PlanLine]]] = []
        led: set[int] = set()
        name_of, times = engine.office.cache.name_of, PlainTimes(ZoneInfo(settings.rooms.time_zone))
        for kind, key in engine.office.ledger.bookings_of([each.id for each in rooms]):
            seen = await engine.booking_pass.preview(kind, key)
            if seen is None:
                continue
            booking, plan = seen
            found.append((begins_at(booking) or NEVER, say_plan(booking, plan, name_of, times, language)))
            if not apply or plan.is_rest:
                continue
            if is_led(booking) and booking.loan is not None and booking.loan.series is not None:
                led.add(int(booking.loan.series))
            else:
                await engine.booking_pass.settle(kind, key)
        for series in sorted(led):
            await engine.series_pass.settle(series)
        lines = [line for _, lines in sorted(found, key=itemgetter(0)) for line in lines]
        return lines + [say_closed(each.name, language) for each in closed]


async def _can_read(engine: Engine, room: Room) -> bool:
    """Read a room; tell whether its mailbox let us. One that is closed keeps no other from being read."""
    try:
        await engine.room_pass.read(room.id, priority=Priority.LIVE)
    except MailboxClosed:
        return False
    return True


async def try_permissions(settings: Settings) -> Sequence[Trial]:
    """Try each thing the engine needs of the tenant, and the one that must not work. Raises nothing of Graph's."""
    async with _open_engine(settings) as engine:
        return await try_tenant(engine.office, engine.calendar, engine.contacts)


async def export_contacts(settings: Settings, told: Callable[[ContactReport], None], *, dry: bool) -> ContactReport:
    """Export requesters from outside to the folder of contacts; with *dry* only say what that would do."""
    async with _open_engine(settings) as engine:
        assert engine.contacts_pass is not None, "an errand has the contacts of the tenant at hand"
        report = await engine.contacts_pass.export(dry=dry, tell=told)
        if not dry:
            engine.office.note_export(report)
        return report


async def import_rooms(settings: Settings) -> Sequence[PlanLine]:
    """Read the directory's rooms and bring ours in line. No loan is ever lost by it."""
    async with _open_engine(settings) as engine:
        report = await engine.places_pass.import_places()
        return [PlanLine(CHANGES, "rooms", report.text)]


async def carry_on_backfill(settings: Settings, number: int, told: Callable[[Backfill], None]) -> Backfill:
    """
    Carry on with a backfill until what was ordered is done, telling after each step; a service that runs helps.

    Raises Unreachable when the database or Graph lets no step be taken for a minute.
    """
    async with _open_engine(settings) as engine:
        failed = 0
        while True:
            try:
                found = await engine.backfill_pass.advance(number, at_once=BACKFILL_AT_ONCE)
            except Unreachable:  # SQLite lets one process write at a time, and the service is busy with the same
                failed += 1
                if failed == BACKFILL_TRIES:
                    raise
                await asyncio.sleep(BACKFILL_PAUSE_SECONDS)
                continue
            failed = 0
            told(found)
            if not found.is_at_work:
                return found
            await asyncio.sleep(BACKFILL_REST_SECONDS)


@asynccontextmanager
async def _open_engine(settings: Settings) -> AsyncIterator[Engine]:
    """Yield an engine that nothing drives. Raises Unreachable where the simulated tenant that it needs does not run."""
    if settings.simulated:
        await _find_simulated(settings.simulator.port)
    with Office(settings, now=utc_now) as office:
        calendar = build_service_calendar(settings, _base_url(settings), credential_of(settings))
        try:
            public = settings.web.public_url_for(settings.web.port)
            office.rules.link_base = public
            contacts = GraphContacts(calendar.gateway)
            yield Engine(
                office,
                calendar,
                endpoint=Endpoint(public, public),
                watcher=Silent(),
                poll_seconds=0,
                contacts=contacts,
            )
        finally:
            await calendar.aclose()


async def _find_simulated(port: int) -> None:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError as error:
        raise Unreachable(
            f"no simulated tenant answers on port {port}; start it with run or simulate serve, "
            "or name its port: ENGINE_SIMULATOR__PORT"
        ) from error
    writer.close()


def _base_url(settings: Settings) -> str:
    """Return the Graph to speak to; the simulated tenant must be running, in the service or by `simulate serve`."""
    return f"http://127.0.0.1:{settings.simulator.port}/v1.0" if settings.simulated else settings.graph.base_url
