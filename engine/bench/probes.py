"""A stopwatch at the doors of the service: when a notification came in, a loan was committed, a write went out.

The service itself knows nothing of it: methods are wrapped from outside, in the child process that runs it. A wrapped
call costs about a microsecond more.
"""

from __future__ import annotations

import functools
import time
from collections import defaultdict
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import msgspec

_intent: ContextVar[int | None] = ContextVar("intent", default=None)


@dataclass
class Records:
    """What happened when, by the monotonic clock that all processes of a machine share."""

    notices: list[tuple[float, tuple[str, ...]]] = field(default_factory=list)
    """A notification body came in; the events it names."""
    dues: list[tuple[float, int, float]] = field(default_factory=list)
    """A room was marked to be read; when it is to be, the last word before the reading counts."""
    reads: list[tuple[float, int]] = field(default_factory=list)
    """The reading of a room began."""
    rooms: dict[str, int] = field(default_factory=dict)
    """In which room an event lies."""
    commits: list[tuple[float, tuple[str, ...]]] = field(default_factory=list)
    """The loan's side of a plan was committed; the room copies it was made from."""
    edits: list[tuple[float, int]] = field(default_factory=list)
    """An edit made in the app was committed; the loan's number."""
    wires: list[tuple[float, int]] = field(default_factory=list)
    """A write for a loan was handed to the HTTP client."""


class Probes:
    """Collects records. `install` wraps the service's classes in this process, for good."""

    def __init__(self) -> None:
        self._records = Records()
        self.activity = 0
        """Grows with everything that happens."""
        self.is_recording = True
        """Else only that something happens is noted: where CPU is measured, the stopwatch takes none."""

    def take(self) -> Records:
        """Return what was collected since the last time."""
        taken, self._records = self._records, Records()
        return taken

    def install(self) -> None:
        """Wrap."""
        from engine.database.inbox.gatherings import Gatherings
        from engine.database.loans.desk import Desk
        from engine.database.sync.ledger import SyncLedger
        from engine.graph.transport import AiohttpTransport
        from engine.web.receiver import Postbox
        from engine.worker.rooms import RoomPass
        from engine.worker.writes import Writes

        self._before_async(Postbox, "store", self._note_notice)
        self._after(Gatherings, "read_at", self._note_due)
        self._before_async(RoomPass, "read", lambda _self, room, **_: self._records.reads.append((_now(), int(room))))
        self._after(SyncLedger, "save_page", self._note_page)
        self._after(SyncLedger, "save_plan", self._note_plan)
        for edit in ("book", "change", "act"):
            self._after(Desk, edit, lambda loan, *_, **__: self._records.edits.append((_now(), int(loan.number))))
        self._before_async(AiohttpTransport, "send", self._note_request)
        for write in ("_create", "_change", "_delete"):
            _carry_number(Writes, write)

    # --- what is noted

    def _note_notice(self, _postbox: Any, body: bytes) -> None:
        try:
            items = msgspec.json.decode(body)["value"]
            ids = tuple(item["resourceData"]["id"] for item in items if "resourceData" in item)
        except (msgspec.DecodeError, KeyError, TypeError):
            return
        self._records.notices.append((_now(), ids))

    def _note_due(self, due_at: Any, _gatherings: Any, room: int, told: Any, *, now: Any, **_: Any) -> None:
        moment = _now()
        self._records.rooms.update((each.event_id, room) for each in told)  # none of them may ever be read in its room
        self._records.dues.append((moment, room, moment + (due_at - now).total_seconds()))

    def _note_page(self, _saved: Any, _ledger: Any, reading: Any, page: Any, **_: Any) -> None:
        for change in page.changes:
            self._records.rooms[change.event_id] = int(reading.room.id)

    def _note_plan(self, _intents: Any, _ledger: Any, booking: Any, plan: Any, _writing: Any) -> None:
        if plan.loan is not None:
            self._records.commits.append((_now(), tuple(copy.event.event_id for copy in booking.copies)))

    def _note_request(self, _transport: Any, request: Any) -> None:
        number = _intent.get()
        if number is not None and request.method != "GET":
            self._records.wires.append((_now(), number))

    # --- wrapping

    def _before_async(self, owner: Any, name: str, note: Any) -> None:
        inner = getattr(owner, name)

        @functools.wraps(inner)
        async def wrapped(*arguments: Any, **named: Any) -> Any:
            self.activity += 1
            if self.is_recording:
                note(*arguments, **named)
            return await inner(*arguments, **named)

        setattr(owner, name, wrapped)

    def _after(self, owner: Any, name: str, note: Any) -> None:
        inner = getattr(owner, name)

        @functools.wraps(inner)
        def wrapped(*arguments: Any, **named: Any) -> Any:
            result = inner(*arguments, **named)
            self.activity += 1
            if self.is_recording:
                note(result, *arguments, **named)
            return result

        setattr(owner, name, wrapped)


def _carry_number(owner: Any, name: str) -> None:
    """Let what happens inside know for which loan it is."""
    inner = getattr(owner, name)

    @functools.wraps(inner)
    async def wrapped(*arguments: Any, **named: Any) -> Any:
        intent = next(argument for argument in arguments if hasattr(argument, "loan_number"))
        token = _intent.set(int(intent.loan_number))
        try:
            return await inner(*arguments, **named)
        finally:
            _intent.reset(token)

    setattr(owner, name, wrapped)


def _now() -> float:
    return time.monotonic()


# --- what the records tell


@dataclass(frozen=True, slots=True)
class Inbound:
    """Seconds from a notification to its loan: in all, and without the wait in which notifications gather."""

    whole: list[float]
    beyond_gathering: list[float]


def inbound_latencies(records: Records) -> Inbound:
    """
    Match notifications with the commits they led to.

    A room waits for further notifications until its gathering ends, each of them for what is left of that. So each has
    its own share of gathering, which is taken off. What an earlier reading found sooner has not waited for it, and
    nothing is taken off: no time is counted as less than none.
    """
    due = _due_times(records)
    heard: dict[str, tuple[float, float]] = {}
    whole, beyond = [], []
    moments = [(at, 0, ids) for at, ids in records.notices] + [(at, 1, ids) for at, ids in records.commits]
    for at, kind, ids in sorted(moments):
        for event in ids:
            if kind == 0:
                heard.setdefault(event, (at, due.get((at, event), at)))
            elif event in heard:
                came_at, ready_at = heard.pop(event)
                whole.append(at - came_at)
                beyond.append(at - (ready_at if came_at < ready_at <= at else came_at))
    return Inbound(whole, beyond)


def _due_times(records: Records) -> dict[tuple[float, str], float]:
    """Return when the gathering of each notified event's room ended."""
    found: dict[tuple[float, str], float] = {}
    gathered: dict[int, list[tuple[float, str]]] = defaultdict(list)
    moments: list[tuple[float, int, Any]] = [(at, 0, ids) for at, ids in records.notices]
    moments += [(at, 1, (room, due)) for at, room, due in records.dues]
    moments += [(at, 2, room) for at, room in records.reads]
    moments += [(at, 3, ids) for at, ids in records.commits]
    for at, kind, what in sorted(moments, key=lambda moment: moment[:2]):
        if kind == 0:
            for event in what:
                if event in records.rooms:
                    gathered[records.rooms[event]].append((at, event))
        elif kind == 1:
            room, due = what
            found.update(dict.fromkeys(gathered[room], due))
        elif kind == 2:
            gathered.pop(what, None)
        else:
            for event in what:  # without a reading of its room, where its notification brought it
                room = records.rooms.get(event, 0)
                gathered[room] = [each for each in gathered[room] if each[1] != event]
    return found


def outbound_latencies(records: Records) -> list[float]:
    """Return the seconds from each edit in the app to the write it led to."""
    edited: dict[int, list[float]] = defaultdict(list)
    found = []
    moments: Iterable[tuple[float, int, int]] = [
        *((at, 0, number) for at, number in records.edits),
        *((at, 1, number) for at, number in records.wires),
    ]
    for at, kind, number in sorted(moments):
        if kind == 0:
            edited[number].append(at)
        elif edited[number]:
            found.append(at - edited[number].pop(0))
            edited[number].clear()
    return found
