"""Builds every part and hands each what it needs. Knows all, decides nothing.

Lives here: `office.py` (database, desk, rooms, queue: no network), `engine.py` (the passes and their loop),
`service.py` (starts and stops it all: web, tenant, schedule), `web_parts.py` (what API and pages are handed),
`errands.py` (one comparison, one import, from the command line). Never here: rules, SQL, HTTP. May import everything
below; imported by `cli`, `bench` and the tests.

The functions of this module import the rest only when called: a command that asks for help opens nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from engine.app.loading import without_collector

if TYPE_CHECKING:
    from engine.app.office import Office
    from engine.reconcile.backfill.book import Backfill
    from engine.reconcile.contacts import ContactReport
    from engine.reconcile.telling.lines import PlanLine
    from engine.rooms.connection import Connection
    from engine.rooms.room import Room
    from engine.settings import Settings
    from engine.web.pages.parts.trials import Trial


def open_office(settings: Settings) -> Office:
    """Open the office for one command. Raises DatabaseUnusable, Unreachable."""
    with without_collector():
        from engine.app.office import Office
        from engine.clock import utc_now

    return Office(settings, now=utc_now)


def run_service(settings: Settings, roles: Collection[str] = ()) -> None:
    """Run the service until told to stop: all of it, or only *roles* (`web`, `worker`, `scheduler`). Raises Fatal."""
    from engine.app.stopping import StopSignals

    signals = StopSignals()
    with without_collector():
        from engine.app.roles import ALL_ROLES, Role
        from engine.app.service import run_service as run

    run(settings, {Role(role) for role in roles} or ALL_ROLES, signals)


async def plan_sync(settings: Settings, room: Room | None, apply: bool, language: str) -> Sequence[PlanLine]:
    """Compare one room, or all, with Outlook; act on it only when *apply* says so."""
    from engine.app.errands import plan_sync as compare

    return await compare(settings, room, apply=apply, language=language)


def describe_connection(settings: Settings) -> Connection:
    """Return how the tenant knows us. Opens nothing but a certificate's file."""
    from engine.app.connection import connection_of

    return connection_of(settings)


async def try_permissions(settings: Settings) -> Sequence[Trial]:
    """Try each thing the engine needs of the tenant, and the one that must not work."""
    from engine.app.errands import try_permissions as try_all

    return await try_all(settings)


async def send_trial_mail(settings: Settings, address: str) -> str:
    """Send one mail and return what the server said."""
    from engine.app.mail_trial import send_trial

    return await send_trial(settings, address)


async def export_contacts(settings: Settings, told: Callable[[ContactReport], None], *, dry: bool) -> ContactReport:
    """Export requesters from outside to the folder of contacts; with *dry* only say what that would do."""
    from engine.app.errands import export_contacts as export

    return await export(settings, told, dry=dry)


async def import_rooms(settings: Settings) -> Sequence[PlanLine]:
    """Read the directory's rooms and bring ours in line."""
    from engine.app.errands import import_rooms as bring_in

    return await bring_in(settings)


async def carry_on_backfill(settings: Settings, number: int, told: Callable[[Backfill], None]) -> Backfill:
    """Carry on with a backfill until what was ordered is done, telling after each step."""
    from engine.app.errands import carry_on_backfill as carry_on

    return await carry_on(settings, number, told)
