"""The command line of the benchmark: which measures, how thoroughly, shown how."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path

from engine.bench import changes, counts, imports, limits, scale, series, timetables
from engine.bench.floors import Floors, measure_floors
from engine.bench.report import Figure, describe_machine, print_table, render_json
from engine.bench.startup import measure_startup


class Session:
    """One run: its choices, its directory, and the floors, measured when first asked for."""

    def __init__(
        self, directory: Path, *, quick: bool, timetable: Path | None = None, database_url: str | None = None
    ) -> None:
        self.directory = directory
        self.quick = quick
        self.timetable = timetable
        self.database_url = database_url

    @cached_property
    def floors(self) -> Floors:
        """What the machine does at best."""
        return measure_floors(self.room("floors"), rounds=2 if self.quick else 7)

    def room(self, name: str) -> Path:
        """Return a directory of its own for a measure."""
        path = self.directory / name
        path.mkdir(parents=True)
        return path


def _floors(session: Session) -> list[Figure]:
    return session.floors.figures()


def _remote(_session: Session) -> list[Figure]:
    return [*counts.measure_remote_changes(), *counts.measure_remote_changes(content=False)]


def _local(session: Session) -> list[Figure]:
    stream = 20 if session.quick else 200
    return [*counts.measure_local_changes(stream=stream), *counts.measure_local_changes(stream=stream, content=False)]


def _idle(session: Session) -> list[Figure]:
    rooms, days = (3 if session.quick else 20), 7  # a week: some nights hold what no single day shows
    without = counts.measure_silence(rooms=rooms, days=days, content=False)[:1]
    return [*counts.measure_silence(rooms=rooms, days=days), *without]


def _limits(session: Session) -> list[Figure]:
    return limits.measure_limits(meetings=150 if session.quick else 450)


def _changes(session: Session) -> list[Figure]:
    return changes.measure_changes(session.room("changes"), changes.QUICK if session.quick else changes.FULL)


def _import(session: Session) -> list[Figure]:
    plan = imports.QUICK if session.quick else imports.FULL
    return imports.measure_import(session.room("import"), session.floors, plan, session.timetable)


def _timetable(session: Session) -> list[Figure]:
    timetable = session.timetable
    if timetable is None:
        timetable = session.room("timetable") / "timetable.csv"
        imports.write_timetable(timetable)
    return timetables.measure_timetable(timetable, weeks=2 if session.quick else 14)


def _series(_session: Session) -> list[Figure]:
    return series.measure_series()


def _startup(session: Session) -> list[Figure]:
    return measure_startup(session.room("startup"), kinds=("new",) if session.quick else ("new", "known"))


def _scale(session: Session) -> list[Figure]:
    plan = scale.QUICK if session.quick else scale.FULL
    return scale.measure_scale(session.room("scale"), plan, session.database_url)


MEASURES: Mapping[str, tuple[str, Callable[[Session], list[Figure]]]] = {
    "floors": ("what the machine does at best", _floors),
    "remote": ("requests per change made in Outlook", _remote),
    "local": ("requests and writes per change made in the app", _local),
    "idle": ("requests per idle room and day", _idle),
    "limits": ("how much is of use while a mailbox throttles", _limits),
    "changes": ("latency and CPU per change of the running service", _changes),
    "import": ("the first reading of many rooms", _import),
    "timetable": ("a term as single meetings and as series: loans and requests", _timetable),
    "series": ("a series over a clock change, made and changed from either side: requests per step", _series),
    "startup": ("from the start to the first answer", _startup),
    "scale": ("what many rooms cost, and what a second worker brings; only when asked for", _scale),
}

BY_DEFAULT = [name for name in MEASURES if name != "scale"]


def run(argv: list[str]) -> None:
    """Measure and print. Exits with 2 when *argv* cannot be understood; a missed goal is no failure."""
    wanted = parse(argv)
    machine = describe_machine()
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="accord-bench-") as directory:
        session = Session(Path(directory), quick=wanted.quick, timetable=wanted.timetable, database_url=wanted.database)
        for name in wanted.only:
            began = time.monotonic()
            figures += MEASURES[name][1](session)
            print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    if wanted.output == "json":
        print(render_json(figures, machine))
    else:
        print_table(figures, machine)


def parse(argv: list[str]) -> argparse.Namespace:
    """Read the command line."""
    told = "; ".join(f"{name}: {what}" for name, (what, _) in MEASURES.items())
    parser = argparse.ArgumentParser(prog="python -m engine bench", description=f"Measure the engine. {told}.")
    parser.add_argument("--quick", action="store_true", help="less of everything: some two minutes")
    parser.add_argument("--only", type=_names, default=BY_DEFAULT, metavar="NAMES", help="such as idle,import")
    parser.add_argument("--timetable", type=_file, metavar="FILE", help="a timetable as CSV; else one is made up")
    parser.add_argument(
        "--scale", action="store_const", const=["scale"], dest="only", help="the same as --only scale: takes minutes"
    )
    parser.add_argument(
        "--database", metavar="URL", help="an empty PostgreSQL database, for --scale: EVERYTHING IN IT IS DELETED"
    )
    parser.add_argument("-o", "--output", choices=("table", "json"), default="table")
    return parser.parse_args(argv)


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in MEASURES]
    if unknown or not names:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown) or 'nothing'}: known are {', '.join(MEASURES)}")
    return names


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"there is no file {text}")
    return path
