"""Measures the engine against the simulated tenant, raw floors beside it. Asserts no time; prints what it saw.

Lives here: `command.py` (the command line), `report.py` (figures as table or JSON), `counts.py` (requests per change
and per idle day, exact, on virtual time), `changes.py` (latency and CPU per change of the running service),
`imports.py` (the first reading of many rooms), `timetables.py` (a term date by date and as series), `startup.py`,
`floors.py` (what the machine can do at best), `children.py` (tenant and service in processes of their own),
`probes.py` (a stopwatch at the service's doors), `world.py` (a world whose clock jumps). Never here: anything the
engine needs to run. Imported by `cli` only.
"""

from __future__ import annotations


def main(argv: list[str]) -> None:
    """Measure what *argv* asks for and print it."""
    from engine.bench.command import run

    run(argv)
