"""Many schedules, on several processors, and what they covered."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import queue
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from engine.errors import DatabaseUnusable, Unreachable
from engine.prove.schedule import Outcome, Schedule, draw_schedule, run_schedule
from engine.prove.shrink import Shrinking
from engine.prove.twins import TWINS
from engine.prove.world.pages import use_large_pages
from engine.prove.world.store import databases_at

ALIVE_SECONDS = 5.0
"""How often to see whether the processes that live through schedules are still there."""

ALL_IS_LOADED_AFTER = 5
"""So many worlds have used nearly everything there is."""

COLLECTING = (50_000, 20, 20)
"""Thresholds of the garbage collector. With Python's own it takes a twelfth of all time."""


@dataclass(slots=True)
class Tally:
    """What a number of schedules came to."""

    schedules: int = 0
    operations: int = 0
    """What people did, or were refused."""
    requests: int = 0
    seconds: float = 0.0
    """Of the worlds' clocks."""
    cpu_seconds: float = 0.0
    verbs: Counter[str] = field(default_factory=Counter)
    struck: Counter[tuple[str, str]] = field(default_factory=Counter)
    crashes: Counter[str] = field(default_factory=Counter)
    broken: list[Outcome] = field(default_factory=list)

    def count(self, outcome: Outcome, cpu_seconds: float) -> None:
        """Add one schedule."""
        self.schedules += 1
        self.operations += outcome.verbs.total()
        self.requests += outcome.requests
        self.seconds += outcome.seconds
        self.cpu_seconds += cpu_seconds
        self.verbs += outcome.verbs
        self.struck += outcome.struck
        self.crashes += outcome.crashes
        if not outcome.is_kept:
            self.broken.append(outcome)


def live_through(
    seeds: Sequence[int],
    *,
    draw: Callable[[int], Schedule] = draw_schedule,
    jobs: int = 1,
    url: str | None = None,
    seconds_max: float | None = None,
    twin: str = "",
) -> Iterator[Tally]:
    """
    Live through the schedules that seeds stand for; yield the tally after each, always the same one.

    Args:
        draw: makes a schedule of a seed, in the process that lives through it.
        jobs: how many processes.
        url: where each process makes a database of its own, and drops it; None: in memory.
        seconds_max: begin no other schedule after so many seconds.
        twin: what each is compared with, a name of `twins.TWINS`; empty: nothing.
    """
    tally, until = Tally(), None if seconds_max is None else time.monotonic() + seconds_max
    outcomes = _one_by_one(seeds, draw, url, 0, twin) if jobs == 1 else _side_by_side(seeds, draw, jobs, url, twin)
    try:
        for outcome, cpu_seconds in outcomes:
            tally.count(outcome, cpu_seconds)
            yield tally
            if until is not None and time.monotonic() > until:
                return
    finally:
        outcomes.close()


def shrink(schedule: Schedule, twin: str = "", *, url: str | None = None) -> Schedule:
    """Return the shortest schedule found that breaks the same promise as *schedule*, compared with *twin*, at *url*."""
    with quiet(), databases_at(url) as database:

        def run(shorter: Schedule) -> Outcome:
            return TWINS.get(twin, run_schedule)(shorter, database=database)

        promise = promise_of(run(schedule))
        return Shrinking(lambda shorter: promise_of(run(shorter)) == promise).shrink(schedule)


def promise_of(outcome: Outcome) -> str | None:
    """Name what an outcome broke: a promise, or the last line of a traceback."""
    if outcome.broken is None:
        return None
    if outcome.broken.startswith("Traceback"):
        return outcome.broken.strip().splitlines()[-1].partition(":")[0]
    return outcome.broken.partition(":")[0]


def _one_by_one(
    seeds: Sequence[int], draw: Callable[[int], Schedule], url: str | None, job: int, twin: str
) -> Generator[tuple[Outcome, float]]:
    live = TWINS.get(twin, run_schedule)
    with databases_at(url, job) as database, quiet(), seldom_collecting():
        for number, seed in enumerate(seeds):
            if number == ALL_IS_LOADED_AFTER:
                use_large_pages()
            began = time.process_time()
            outcome = live(draw(seed), database=database)
            yield outcome, time.process_time() - began


def _side_by_side(
    seeds: Sequence[int], draw: Callable[[int], Schedule], jobs: int, url: str | None, twin: str
) -> Generator[tuple[Outcome, float]]:
    processes = multiprocessing.get_context("spawn")
    results: Any = processes.Queue()
    stop = processes.Event()
    workers = [
        processes.Process(target=_work, args=(results, stop, seeds[job::jobs], draw, url, job, twin), daemon=True)
        for job in range(jobs)
    ]
    for worker in workers:
        worker.start()
    left = len(workers)
    try:
        while left:
            try:
                found = results.get(timeout=ALIVE_SECONDS)
            except queue.Empty:
                if not any(worker.is_alive() for worker in workers):
                    raise RuntimeError("a process that lives through schedules has died") from None
                continue
            if found is None:
                left -= 1
            elif isinstance(found, Exception):
                raise found
            else:
                yield found
    finally:
        stop.set()
        while left and any(worker.is_alive() for worker in workers):  # each ends its world and drops its database
            with suppress(queue.Empty):
                left -= results.get(timeout=ALIVE_SECONDS) is None
        for worker in workers:
            worker.terminate()
            worker.join()


@contextmanager
def quiet() -> Iterator[None]:
    """Let the engine keep to itself that requests fail: here they all do."""
    log = logging.getLogger("engine")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(level)


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Leave alone what is imported, and look for garbage seldom: nearly all that a world leaves goes by itself."""
    threshold = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTING)
    try:
        yield
    finally:
        gc.set_threshold(*threshold)
        gc.unfreeze()


def _work(
    results: Any, stop: Any, seeds: Sequence[int], draw: Callable[[int], Schedule], url: str | None, job: int, twin: str
) -> None:
    """Live through *seeds* in a process of its own, which ends soon after the one that began it."""
    parent = multiprocessing.parent_process()
    try:
        with closing(_one_by_one(seeds, draw, url, job, twin)) as lived:
            for found in lived:
                results.put(found)
                if stop.is_set():
                    break
                if parent is not None and not parent.is_alive():
                    results.cancel_join_thread()  # nobody reads any more
                    break
    except (DatabaseUnusable, Unreachable) as error:
        results.put(error)
        return
    except Exception as error:
        results.put(RuntimeError(f"a process that lives through schedules failed: {error!r}"))
        return
    results.put(None)
