"""A tenant and the engine in one process, on a clock that jumps to whatever comes next: a week takes seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

from engine.app.engine import Engine
from engine.app.office import Office
from engine.database.sql.connection import Database
from engine.errors import OutcomeUnknown
from engine.graph.build import build_calendar
from engine.graph.credential import StaticTokenCredential
from engine.graph.transport import Request, Response
from engine.ids import Address
from engine.interval import Interval
from engine.loans.loan import ItemKind, Loan, Requester
from engine.loans.register import ItemRef, LoanOrder
from engine.prove.world.contents import open_worlds_contents
from engine.prove.world.virtual import VirtualLoop
from engine.settings import load_settings
from engine.simulator import ConnectionDropped, Tenant, TenantOptions
from engine.simulator.people import Person
from engine.subscriptions.plan import Endpoint
from engine.worker.loop import Silent

SETTLED_SECONDS = 15.0
"""Nothing on its way for so long: the look at missing answers, ten seconds after a write, has been and gone."""

ACTOR = "app:bench"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that was throttled: when, and for how many seconds we were asked to wait."""

    at: datetime
    url: str
    retry_after: float


class CountingTransport:
    """Sends to a tenant in this process; remembers method and URL of every request, and when it was sent."""

    def __init__(self, tenant: Tenant, now: Callable[[], datetime]) -> None:
        self._tenant = tenant
        self._now = now
        self.requests: list[tuple[str, str]] = []
        self.sent_at: list[datetime] = []
        self.refusals: list[Refusal] = []

    async def send(self, request: Request) -> Response:
        self.requests.append((request.method, request.url))
        self.sent_at.append(self._now())
        try:
            answer = await self._tenant.handle(request.method, request.url, request.headers, request.body)
        except ConnectionDropped as error:
            raise OutcomeUnknown("the connection was dropped") from error
        headers = {name.lower(): value for name, value in answer.headers.items()}
        if answer.status == 429:
            self.refusals.append(Refusal(self._now(), request.url, float(headers.get("retry-after", 0))))
        return Response(answer.status, headers, answer.body)

    async def aclose(self) -> None:
        return None


class VirtualWorld:
    """Rooms, people, and the engine at work between them. A context manager."""

    def __init__(
        self,
        *,
        rooms: int,
        people: int = 3,
        tenant: Mapping[str, Any] | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.loop = VirtualLoop()
        asyncio.set_event_loop(self.loop)
        outside = copy_context()  # what the tenant does, it does under no lease of the engine's
        given: dict[str, Any] = {"extra_touches": 0, "empty_page_rate": 0.0, **(tenant or {})}
        self.tenant = Tenant(
            TenantOptions(**given),
            now=self.loop.now,
            call_later=partial(self.loop.call_later, context=outside),
            post=self._post,
            spawn=lambda coroutine: self.loop.create_task(coroutine, context=outside.copy()),
        )
        self.rooms = [f"room-{number}@example.org" for number in range(1, rooms + 1)]
        self.people = [f"person-{number}@example.org" for number in range(1, people + 1)]
        for address in self.rooms:
            self.tenant.office.add_room(address, address.partition("@")[0])
        for address in self.people:
            self.tenant.office.add_person(address, address.partition("@")[0])
        self.settings = load_settings(None, _ENVIRONMENT | dict(settings or {}))
        database = Database("sqlite:///:memory:", clock=self.loop.now)
        self.office = Office(self.settings, now=self.loop.now, database=database)
        open_worlds_contents(self.office, self.tenant)
        self.transport = CountingTransport(self.tenant, self.loop.now)
        calendar = build_calendar(
            base_url="https://graph.microsoft.com/v1.0",
            credential=StaticTokenCredential("demo"),
            now=self.loop.now,
            transport=self.transport,
        )
        self.engine = Engine(
            self.office,
            calendar,
            endpoint=Endpoint("https://accord.example.org/notifications", "https://accord.example.org/lifecycle"),
            watcher=Silent(),
            poll_seconds=0,
        )
        self._working: asyncio.Task[None] | None = None

    def __enter__(self) -> VirtualWorld:
        """Start the engine; return when its rooms are imported, read and subscribed."""
        self.office.enqueue("places", "all")
        self.office.enqueue("subscription", "all")
        self._working = self.loop.create_task(self.engine.loop.run())
        self.settle()
        return self

    def __exit__(self, *_error: object) -> None:
        self.engine.loop.stop()
        if self._working is not None:
            self.run(self._working)
        self.tenant.close()
        self.office.close()
        self.loop.close()
        asyncio.set_event_loop(None)

    def run(self, awaitable: Coroutine[Any, Any, Any] | asyncio.Future[Any]) -> Any:
        """Run until *awaitable* is done."""
        return self.loop.run_until_complete(awaitable)

    def wait(self, seconds: float) -> None:
        """Let *seconds* pass."""
        self.run(asyncio.sleep(seconds))

    def settle(self) -> None:
        """Let everything on its way arrive, the looks that were put off included."""
        quiet = 0.0
        while quiet < SETTLED_SECONDS:
            self.wait(1.0)
            quiet = quiet + 1.0 if self._is_quiet() else 0.0

    def _is_quiet(self) -> bool:
        depth = self.office.queue.depth()
        return self.tenant.is_quiet and self.engine.loop.is_idle and depth.due == 0 and depth.running == 0

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> tuple[int, str, bytes]:
        token = parse_qs(urlsplit(url).query).get("validationToken")
        if token:
            return 200, "text/plain", token[0].encode()
        self.office.inbox.accept(body)
        return 202, "text/plain", b""

    # --- people

    def at(self, hours: float, *, days: int = 1) -> datetime:
        """Return a time on a coming day."""
        start: datetime = self.loop.now().replace(hour=0, minute=0, second=0, microsecond=0)
        return start + timedelta(days=days, hours=hours)

    def person(self, number: int) -> Person:
        """Return somebody at Outlook, counted from 0, round and round."""
        return Person(self.tenant, self.people[number % len(self.people)])

    def book(self, person: int, room: int, start: datetime, end: datetime) -> Loan:
        """Book a room at the desk."""
        found = self.office.rooms.room_book().by_address(self.rooms[room])
        assert found is not None, "the rooms were imported"
        requester = Requester(Address(self.people[person % len(self.people)]), f"Person {person}")
        order = LoanOrder(requester, Interval(start, end), (ItemRef(ItemKind.ROOM, found.id),))
        return self.office.desk.book(order, actor=ACTOR)


_ENVIRONMENT = {
    "ENGINE_SETTINGS": "/dev/null",
    "ENGINE_GRAPH__CREDENTIAL": "static_token",
    "ENGINE_GRAPH__TOKEN": "demo",
    "ENGINE_GRAPH__BASE_URL": "http://127.0.0.1:1/v1.0",
}
