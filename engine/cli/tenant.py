"""A simulated tenant served by itself, and timetables poured into one. Imported only when asked for."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from engine.cli.asking import TOKEN
from engine.cli.outlook import SimulatedOutlook
from engine.cli.output import note
from engine.errors import Fatal, Fault, Invalid, Refused, Unreachable
from engine.simulator.demo import populate
from engine.simulator.options import TenantOptions
from engine.simulator.server import SimulatorServer, make_sender
from engine.simulator.store import StoreUnusable
from engine.simulator.timetable import (
    TimetableEvent,
    load_series,
    load_timetable,
    pour_over_http,
    room_address,
)


def serve_tenant(*, port: int, seed: int, demo: bool, state_file: Path | None, storm: int | None, zone: str) -> None:
    """Serve until told to stop (SIGINT, SIGTERM); where it answers is printed."""
    try:
        asyncio.run(_serve(TenantOptions(seed=seed, state_file=state_file, fault_seed=storm), port, demo, zone))
    except OSError as error:
        raise Fatal(f"the simulated tenant cannot listen on port {port}: {error.strerror}") from error
    except StoreUnusable as error:
        raise Fatal(f"the simulated tenant cannot be kept in {error}") from error


async def _serve(options: TenantOptions, port: int, demo: bool, zone: str) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = SimulatorServer(options, port=port)
    await server.start()
    try:
        if demo:
            populate(server.tenant, today=datetime.now(ZoneInfo(zone)).date(), zone=zone)
        typer.echo(server.origin)
        sys.stdout.flush()
        note(f"Graph is at {server.base_url} (bearer token {TOKEN!r}), the control room at {server.origin}/sim")
        await stop.wait()
    finally:
        await server.stop()


def pour_timetable(
    outlook: SimulatedOutlook,
    file: Path,
    *,
    weeks: range,
    monday: date | None,
    zone: ZoneInfo,
    teachers: int,
    as_series: bool,
    furnished: Callable[[], None],
) -> int:
    """Furnish the rooms and teachers a timetable needs, tell so, and book its classes; returns how many."""
    first = monday or next_monday(datetime.now(zone).date())
    try:
        events = (load_series if as_series else load_timetable)(file, weeks, first, zone.key)
    except (ValueError, KeyError) as error:
        raise Invalid(Fault("file", "timetable_malformed", f"{file} is no timetable: {error}")) from error
    _furnish_rooms(outlook, events, zone)
    furnished()
    return asyncio.run(_pour(outlook, events, _hire(outlook, teachers), zone))


def next_monday(today: date) -> date:
    """Return the first Monday after *today*."""
    return today + timedelta(days=7 - today.weekday())


def _furnish_rooms(outlook: SimulatedOutlook, events: tuple[TimetableEvent, ...], zone: ZoneInfo) -> None:
    there = {room["emailAddress"] for room in outlook.rooms()}
    for room, capacity in sorted({event.room: event.capacity for event in events}.items()):
        address = room_address(room)
        if address in there:
            continue
        wanted = {"address": address, "name": f"Room {room}", "capacity": capacity, "zone": zone.key}
        outlook.control("POST", "/rooms", wanted)
        outlook.control("POST", f"/rooms/{address}/processing", {"booking_window_in_days": 1080})


def _hire(outlook: SimulatedOutlook, count: int) -> list[str]:
    there = {person["address"] for person in outlook.people()}
    addresses = [f"teacher-{number}@example.org" for number in range(1, count + 1)]
    for number, address in enumerate(addresses, start=1):
        if address not in there:
            outlook.control("POST", "/people", {"address": address, "name": f"Teacher {number}"})
    return addresses


async def _pour(
    outlook: SimulatedOutlook, events: tuple[TimetableEvent, ...], organizers: list[str], zone: ZoneInfo
) -> int:
    columns = (TextColumn("booking"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("booking", total=len(events))
        try:
            async with aiohttp.ClientSession() as session:
                return await pour_over_http(
                    make_sender(session),
                    f"{outlook.origin}/v1.0",
                    events,
                    organizers,
                    token=TOKEN,
                    zone=zone.key,
                    progress=lambda done, _total: progress.update(task, completed=done),
                )
        except RuntimeError as error:
            raise Refused(str(error)) from error
        except aiohttp.ClientError as error:
            raise Unreachable(f"the simulated Outlook at {outlook.origin} went away: {error}") from error
