"""What the first page asks of the tenant: may we do there what we need to?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Needed(StrEnum):
    """What the engine needs of a tenant, in the order in which it is tried."""

    IDENTITY = "identity"
    PLACES = "places"
    ROOM_CALENDARS = "room_calendars"
    WRITING = "writing"
    NOTIFICATIONS = "notifications"


class Outcome(StrEnum):
    """What came of one try. NOT_TRIED: nothing to try it on, or an earlier one failed."""

    OK = "ok"
    FAILED = "failed"
    NOT_TRIED = "not_tried"


@dataclass(frozen=True, slots=True)
class Trial:
    """One thing tried. `detail` is what was met: a name or a number when it worked, else what Graph said."""

    needed: Needed
    outcome: Outcome
    detail: str = ""


TryTenant = Callable[[], Sequence[Trial]]
