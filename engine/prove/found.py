"""Schedules in files: what broke is kept, and lived through again for ever."""

from __future__ import annotations

from pathlib import Path

import msgspec

from engine.errors import Malformed
from engine.prove import weather
from engine.prove.people import verbs
from engine.prove.schedule import Schedule


def write_schedule(path: Path, schedule: Schedule) -> None:
    """Write *schedule* as JSON, one step a line. Its directory is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(schedule), indent=1) + b"\n")


def read_schedule(path: Path) -> Schedule:
    """Read a schedule. Raises Malformed when there is none, or when it names verbs or faults that do not exist."""
    try:
        schedule = msgspec.json.decode(path.read_bytes(), type=Schedule)
    except (OSError, msgspec.MsgspecError) as error:
        raise Malformed(f"{path} holds no schedule: {error}") from error
    unknown = {step.verb for step in (*schedule.before, *schedule.steps)} - verbs.BY_NAME.keys()
    unknown |= {gust for step in schedule.steps for gust in step.gusts} - weather.BY_NAME.keys()
    unknown |= {schedule.lasting} - {"", *weather.LASTING}
    unknown |= {front.name for front in schedule.weather} - weather.BY_NAME.keys()
    if unknown:
        raise Malformed(f"{path} names what worlds no longer know: {', '.join(sorted(unknown))}")
    return schedule
