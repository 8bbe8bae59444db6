"""`prove`: random worlds that try to break the promises."""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.failures import Exit
from engine.cli.output import note

if TYPE_CHECKING:
    from engine.prove.schedule import Outcome

PROGRESS_SECONDS = 10.0


def register(app: typer.Typer) -> None:
    """Add the command to *app*."""
    app.command()(prove)


def prove(
    schedules: Annotated[int, typer.Option(help="How many random worlds.", min=1)] = 100,
    seed: Annotated[int, typer.Option(help="The first one's; the others follow.")] = 1,
    operations: Annotated[int, typer.Option(help="After so many the people of a world stop.", min=1)] = 30,
    database: Annotated[
        str | None,
        typer.Option(help="sqlite:///FILE or postgresql://...: worlds make databases of their own there; else memory."),
    ] = None,
    jobs: Annotated[int, typer.Option(help="How many processes; 0: one for each processor.", min=0)] = 1,
    seconds: Annotated[float | None, typer.Option(help="Begin no other world after so many seconds.")] = None,
    replay: Annotated[Path | None, typer.Option(help="Live through this schedule and tell all.")] = None,
    requests: Annotated[bool, typer.Option(help="With --replay: tell every request to Graph as well.")] = False,
    found: Annotated[Path, typer.Option(help="Where schedules that break a promise are written.")] = Path("found"),
    shrinks: Annotated[bool, typer.Option(help="Shorten what breaks a promise before it is written.")] = True,
    liveness: Annotated[
        bool, typer.Option(help="Worlds in which something fails for ever: does the rest get on?")
    ] = False,
    twin: Annotated[
        str,
        typer.Option(
            help="Compare each world with a twin: same (lived through again, trace by trace), clock (the engine's is "
            "a day wrong) or reference (a new engine that reads the rooms from nothing)."
        ),
    ] = "",
    coverage: Annotated[bool, typer.Option(help="Show which requests met which faults.")] = False,
) -> None:
    """Let random people use random worlds in which everything fails; see whether the promises hold (docs/proof.md)."""
    if find_spec("engine.prove") is None:
        note("error: this build holds no worlds")
        raise typer.Exit(Exit.USAGE)
    if replay is not None:
        raise typer.Exit(_replay(replay, database, tells_requests=requests))
    from engine.prove import report
    from engine.prove.campaign import Tally, live_through
    from engine.prove.schedule import draw_schedule
    from engine.prove.twins import TWINS

    if twin not in ("", *TWINS):
        note(f"error: --twin is one of {', '.join(TWINS)}")
        raise typer.Exit(Exit.USAGE)

    began = told_at = time.monotonic()
    tally, known = Tally(), 0
    seeds = range(seed, seed + schedules)
    draw = partial(draw_schedule, operations=operations, is_lasting=liveness)
    jobs = jobs or os.cpu_count() or 1
    for tally in live_through(seeds, draw=draw, jobs=jobs, url=database, seconds_max=seconds, twin=twin):
        for outcome in tally.broken[known:]:
            _keep(outcome, found, shrinks=shrinks, twin=twin, database=database)
        known = len(tally.broken)
        if time.monotonic() - told_at > PROGRESS_SECONDS:
            told_at = time.monotonic()
            note(report.progress(tally, schedules, told_at - began))
    for line in report.summary(tally, schedules, time.monotonic() - began):
        typer.echo(line)
    if coverage:
        for line in report.coverage(tally):
            typer.echo(line)
    if tally.broken:
        raise typer.Exit(Exit.REFUSED)


def _replay(path: Path, database: str | None, *, tells_requests: bool) -> int:
    """Live through one schedule and print everything."""
    from engine.prove.campaign import quiet
    from engine.prove.found import read_schedule
    from engine.prove.schedule import run_schedule
    from engine.prove.world.store import databases_at

    with quiet(), databases_at(database) as opened:
        outcome = run_schedule(read_schedule(path), database=opened, tells_requests=tells_requests)
    typer.echo(str(outcome))
    typer.echo(f"trace {outcome.trace}")
    return Exit.OK if outcome.is_kept else Exit.REFUSED


def _keep(outcome: Outcome, directory: Path, *, shrinks: bool, twin: str, database: str | None) -> None:
    """Tell of a broken promise, and write the shortest schedule that breaks it."""
    from engine.prove.campaign import shrink
    from engine.prove.found import write_schedule

    schedule = outcome.schedule
    note(f"seed {schedule.seed}: {outcome.broken}")
    if shrinks:
        schedule = shrink(schedule, twin, url=database)
    path = directory / f"seed-{schedule.seed}.json"
    write_schedule(path, schedule)
    again = f"{sys.executable} -m engine prove --replay {path}"
    if database is not None:
        again += " --database URL, the same one"  # which may hold a password
    note(f"{len(schedule.steps)} steps left; live through them again: {again}")
