"""`scripts/mutants`: plant each bug in a process of its own, and print which layer of tests notices it."""

from __future__ import annotations

import argparse
import os
import pickle
import select
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from multiprocessing import get_context

from engine.prove.crash.stories import tell_stories
from engine.prove.crash.sweep import Sweep
from tests.mutants.layers import LAYERS, ask_files, ask_story
from tests.mutants.table import Bug, load_bugs

SECONDS = 600.0
"""So long a layer may take over one bug; what it has not noticed by then it has not noticed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the score; 0 when as many bugs were noticed as there had to be."""
    options = _parse(arguments)
    bugs = {name: bug for name, bug in load_bugs().items() if any(part in name for part in options.bug)}
    planted = {name: in_a_process(lambda bug=bug: _plant(bug), options.seconds) for name, bug in bugs.items()}
    unplanted = [name for name, told in planted.items() if told is None]
    if unplanted:
        sys.exit(f"cannot be planted, since what they change is gone, or called otherwise: {', '.join(unplanted)}")
    sound = Sweep(next(iter(tell_stories().values())), deaths=0).live()  # and warms what every process inherits
    if sound.failures:
        sys.exit(f"a story ends badly without any planted bug: {sound.failures[0]}")
    noticed: dict[str, int] = dict.fromkeys(options.layers, 0)
    survivors = []
    with get_context("fork").Pool(options.jobs or os.cpu_count()) as pool:
        for name, found in pool.imap(_ask_about, ((name, options) for name in bugs)):
            for layer, (told, seconds) in found.items():
                noticed[layer] += told is not None
                print(f"{name:42} {layer:8} {seconds:6.1f} s  {told or '-'}", flush=True)
            if not any(told for told, _ in found.values()):
                survivors.append(name)
    killed = len(bugs) - len(survivors)
    score = 100 * killed / max(1, len(bugs))
    print(f"\n{killed} of {len(bugs)} planted bugs noticed ({score:.0f} %)")
    if options.all:
        print("by layer: " + ", ".join(f"{layer} {count}" for layer, count in noticed.items()))
    for name in survivors:
        print(f"survived: {name}: {bugs[name].what}")
    return 1 if score < options.least else 0


def _ask_about(work: tuple[str, argparse.Namespace]) -> tuple[str, dict[str, tuple[str | None, float]]]:
    """Show a bug to one layer after the other, until one notices it or, with `--all`, to the end."""
    name, options = work
    bug, found = load_bugs()[name], {}
    for layer in _layers(bug, options):
        began = time.monotonic()
        told = in_a_process(lambda layer=layer: _show(bug, layer, options), options.seconds)
        found[layer] = told, time.monotonic() - began
        if told is not None and not options.all:
            break
    return name, found


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="mutants", description="Plant known bugs and see whether tests notice them.")
    add = parser.add_argument
    add("--bug", nargs="+", default=[""], metavar="NAME", help="only bugs with one of these in their name")
    add("--layers", nargs="+", choices=list(LAYERS), default=list(LAYERS), help="whom to ask, in this order")
    add("--share", type=float, default=0.05, help="share of all stories, and of a thousand worlds, to ask")
    add("--quick", action="store_true", help="show each bug only to the story, or the tests, expected to notice it")
    add("--jobs", type=int, default=1, metavar="N", help="processes; 0: one for each processor")
    add(
        "--least",
        type=float,
        default=100.0,
        metavar="PERCENT",
        help="of the bugs have to be noticed; else it ends with 1",
    )
    add("--seconds", type=float, default=SECONDS, help="what one layer may take over one bug")
    add("--all", action="store_true", help="ask every layer, also after one has noticed")
    add("--list", action="store_true", help="only tell the table of bugs")
    options = parser.parse_args(arguments)
    if options.list:
        for bug in load_bugs().values():
            print(f"{bug.name}: {bug.what}")
        sys.exit(0)
    return options


def _layers(bug: Bug, options: argparse.Namespace) -> list[str]:
    if options.quick:
        return ["crashes" if bug.story else "tests"]
    return list(options.layers)


def _plant(bug: Bug) -> str:
    """Plant a bug; return its name."""
    bug.plant()
    return bug.name


def _show(bug: Bug, layer: str, options: argparse.Namespace) -> str | None:
    """Plant the bug; ask one layer, but first whoever is expected to notice it there."""
    bug.plant()
    told = None
    if layer == "crashes" and bug.story:
        told = ask_story(bug.story, deaths=0) or ask_story(bug.story)
    if layer == "tests" and bug.tests:
        told = ask_files([bug.tests])
    return told if told is not None or options.quick else LAYERS[layer](options.share)


def in_a_process(work: Callable[[], str | None], seconds: float) -> str | None:
    """Do *work* in a forked process and return its answer; None after *seconds* without one."""
    heard, answer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(heard)
        try:
            told = work()
        except BaseException:
            traceback.print_exc()
            told = None  # who could not look has not noticed anything
        with os.fdopen(answer, "wb") as pipe:
            pickle.dump(told, pipe)
        sys.stdout.flush()
        os._exit(0)
    os.close(answer)
    with os.fdopen(heard, "rb") as pipe:
        ready, _, _ = select.select([pipe], [], [], seconds)
        told = pickle.loads(pipe.read()) if ready else None
    if not ready:
        os.kill(child, 9)
    os.waitpid(child, 0)
    return told


if __name__ == "__main__":
    import logging

    logging.disable(logging.CRITICAL)
    sys.exit(main())
