"""What the web side is handed: protocols and callables, so that it meets the rest of the house in `app/` only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ParamSpec, Protocol, TypeVar

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from engine.ids import BookableId
from engine.loans.once import OnceBook
from engine.loans.register import LoanRegister
from engine.reconcile.cases.ways import CaseDesk
from engine.reconcile.series.book import SeriesBook
from engine.reconcile.telling.why import Answer
from engine.rooms.room import Room
from engine.web.failures import Failures
from engine.web.metrics import Metrics

P = ParamSpec("P")
T = TypeVar("T")


class RoomShelf(Protocol):
    """Where the rooms we know are kept."""

    def load_rooms(self) -> Sequence[Room]:
        """Return every room, whatever its state."""
        ...


class WhyDesk(Protocol):
    def ask(self, room_id: BookableId, at: datetime) -> Answer:
        """Say why a room is booked, or is not, at an instant. Raises NotFound."""
        ...


class Identity(Protocol):
    """Whom a token belongs to."""

    @property
    def name(self) -> str: ...

    @property
    def role(self) -> str: ...


class TokenBook(Protocol):
    """The bearer tokens of machines."""

    def create(self, name: str, role: str) -> str:
        """Make a token and return its plain text, for the only time. Raises Invalid when the name is taken."""
        ...

    def authenticate(self, token: str) -> Identity | None:
        """Return whose token this is; None for an unknown or revoked one."""
        ...


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold before the engine is ready. `detail` is for people and holds no secrets."""

    name: str
    ok: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class WebParts:
    """Everything the API needs from the rest of the house.

    Args:
        enqueue: `enqueue(kind, key)` marks a key of the work queue.
        read_status: what `GET /api/status` shows, ready for JSON.
        read_checks: what `GET /readyz` asks, anew each time.
        failures: slows down who fails again and again.
        once: remembers requests with an idempotency key.
        explain: `explain(code, facts, language)` gives the sentence of a reason.
        bootstrap_token: an admin's token from the environment; None when there is none.
        base_address: what callers reach us at, no slash at the end.
        embedded: whether the database is a file of this process, and no server.
    """

    register: LoanRegister
    series: SeriesBook
    cases: CaseDesk
    why: WhyDesk
    rooms: RoomShelf
    tokens: TokenBook
    enqueue: Callable[[str, str], None]
    read_status: Callable[[], Mapping[str, object]]
    read_checks: Callable[[], Sequence[Check]]
    metrics: Metrics
    explain: Callable[[str, Mapping[str, object], str], str]
    clock: Callable[[], datetime]
    failures: Failures
    once: OnceBook
    bootstrap_token: str | None = None
    base_address: str = "http://127.0.0.1:8420"
    embedded: bool = False

    async def edit(self, task: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run *task*, an edit of one loan. An embedded database is worked on from the loop itself, as passes do: to
        another thread and back costs more than the statements. A server may keep one waiting."""
        if self.embedded:
            return task(*args, **kwargs)
        return await run_in_threadpool(task, *args, **kwargs)


async def find_parts(request: Request) -> WebParts:
    """Return the parts of the app that answers *request*."""
    parts: WebParts = request.app.state.parts
    return parts


Parts = Annotated[WebParts, Depends(find_parts)]
