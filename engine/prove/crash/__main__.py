"""`python -m engine.prove.crash`: sweep the stories, print what came of each, and how many deaths that were."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Sequence
from multiprocessing import get_context

from engine.prove.crash.lives import DEATHS, Lives
from engine.prove.crash.scene import Story
from engine.prove.crash.stories import tell_stories
from engine.prove.crash.sweep import Outcome, Sweep


def main(arguments: Sequence[str] | None = None) -> int:
    """Sweep; 0 when every story ended well each time."""
    options = _parse(arguments)
    if options.lives:
        return _live_often(options)
    stories = _choose(options)
    began = time.monotonic()
    total, bad = Outcome(), 0
    logging.disable(logging.CRITICAL)  # a death is no news here
    Sweep(tell_stories()[stories[0]], deaths=0).live()  # warms what every process inherits
    with get_context("fork").Pool(options.jobs) as pool:
        work = ((name, options) for name in stories)
        for name, outcome in pool.imap_unordered(_live, work):
            bad += bool(outcome.failures)
            total.add(outcome)
            if outcome.failures or options.verbose:
                print(f"{name}: {outcome.crashes} deaths, {len(outcome.failures)} ended badly", flush=True)
            for where, what in outcome.failures[: options.show]:
                print(f"    died at {where}\n        {what}", flush=True)
    seconds = time.monotonic() - began
    print(
        f"{len(stories)} stories, {total.crashes} deaths, {len(total.failures)} ended badly in {bad} stories; "
        f"{seconds:.0f} s, {total.crashes / max(seconds, 0.1):.1f} deaths a second"
    )
    return 1 if total.failures else 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="crash-sweep", description="Let the engine die at every point of stories.")
    add = parser.add_argument
    add("--story", nargs="+", default=[""], metavar="NAME", help="only these, or those with one of these in their name")
    add("--every", type=int, default=1, metavar="N", help="only every Nth story")
    add("--pairs", action="store_true", help="die twice: at every pair of points")
    add("--at", type=int, nargs="+", default=[], metavar="POINT", help="die there only; the second, after the restart")
    add("--shared", action="store_true", help="let the leases of the dead engine run out, as with several workers")
    add("--content", action="store_true", help="let notifications bring their event, as they do by default")
    add("--lives", type=int, default=0, metavar="N", help="instead: N worlds of people who go on through many deaths")
    add("--seed", type=int, default=1, metavar="S", help="the first of these worlds")
    add("--jobs", type=int, default=2, metavar="N", help="processes")
    add("--show", type=int, default=3, metavar="N", help="failures told of each story")
    add("--list", action="store_true", help="only tell the stories' names")
    add("--verbose", action="store_true", help="tell of stories that end well, too")
    options = parser.parse_args(arguments)
    if options.list:
        print("\n".join(tell_stories()))
        sys.exit(0)
    return options


def _choose(options: argparse.Namespace) -> list[str]:
    stories = list(tell_stories())
    names = [name for name in stories if name in options.story]
    names = names or [name for name in stories if any(part in name for part in options.story)]
    if not names:
        sys.exit(f"no story has {options.story} in its name; --list tells them all")
    return names[:: options.every]


def _live_often(options: argparse.Namespace) -> int:
    logging.disable(logging.CRITICAL)  # a death is no news here
    began, bad = time.monotonic(), 0
    with get_context("fork").Pool(options.jobs) as pool:
        for seed, told in pool.imap_unordered(_live_lives, range(options.seed, options.seed + options.lives)):
            if told is not None:
                bad += 1
                print(f"seed {seed}: {told}", flush=True)
    deaths, seconds = options.lives * DEATHS, time.monotonic() - began
    print(f"{options.lives} worlds, {deaths} deaths or more, {bad} ended badly; {seconds:.0f} s")
    return 1 if bad else 0


def _live_lives(seed: int) -> tuple[int, str | None]:
    return seed, Lives(seed).live()


def _live(work: tuple[str, argparse.Namespace]) -> tuple[str, Outcome]:
    name, options = work
    story: Story = tell_stories()[name]
    sweep = Sweep(
        story,
        deaths=2 if options.pairs else 1,
        is_sole=not options.shared,
        only=tuple(options.at),
        reads_rooms=not options.content,
    )
    return name, sweep.live()


if __name__ == "__main__":
    sys.exit(main())
