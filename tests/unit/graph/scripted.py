"""A transport that answers from a script, and what the tests of the gateway share."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.graph.build import build_calendar
from engine.graph.calendar import GraphCalendar
from engine.graph.credential import StaticTokenCredential, TokenCredential
from engine.graph.transport import Request, Response
from engine.interval import Interval
from engine.prove.world.virtual import START, VirtualLoop
from engine.rooms.calendar import EventDraft
from engine.rooms.event import Mailbox

BASE_URL = "https://graph.microsoft.com/v1.0"
ROOM = "aula@example.org"
PERSON = "alex@example.org"
NINE = datetime(2026, 11, 24, 9, tzinfo=UTC)
TEN = NINE + timedelta(hours=1)
JSON = {"content-type": "application/json"}

Answer = Response | Exception


def answer(status: int = 200, body: Any = None, **headers: str) -> Response:
    """Return an answer with a JSON body; header names take underscores."""
    named = {**JSON, **{name.replace("_", "-"): value for name, value in headers.items()}}
    data = body if isinstance(body, bytes) else (b"" if body is None else json.dumps(body).encode())
    return Response(status, named, data)


def failure(status: int, code: str, **headers: str) -> Response:
    return answer(status, {"error": {"code": code, "message": "no"}}, **headers)


def event(**fields: Any) -> dict[str, Any]:
    """Return an event as Graph shows it, with *fields* in the place of its own."""
    return {
        "@odata.etag": 'W/"CK1"',
        "id": "AAMk1=",
        "iCalUId": "UID1",
        "type": "singleInstance",
        "subject": "Lecture",
        "start": {"dateTime": "2026-11-24T09:00:00.0000000", "timeZone": "UTC"},
        "end": {"dateTime": "2026-11-24T10:00:00.0000000", "timeZone": "UTC"},
        "organizer": {"emailAddress": {"name": "Alex Doe", "address": PERSON}},
        "attendees": [
            {
                "type": "required",
                "status": {"response": "none", "time": "0001-01-01T00:00:00Z"},
                "emailAddress": {"name": "Kim Ito", "address": "kim@example.org"},
            },
            {
                "type": "resource",
                "status": {"response": "accepted", "time": "2026-11-21T08:00:05Z"},
                "emailAddress": {"name": "Aula", "address": ROOM},
            },
        ],
        "responseStatus": {"response": "organizer", "time": "0001-01-01T00:00:00Z"},
        **fields,
    }


def draft(**fields: Any) -> EventDraft:
    given: dict[str, Any] = {
        "subject": "#1 Alex Doe",
        "body_html": "<p>one room</p>",
        "interval": Interval(NINE, TEN),
        "rooms": (Mailbox(ROOM, "Aula"),),
        "transaction_id": "loan-1-g1",
        "loan_ref": "1:g1",
    }
    return EventDraft(**{**given, **fields})


@dataclass
class Service:
    """The other side: gives the scripted answers in turn, then the last one for ever."""

    script: list[Answer] = field(default_factory=list)
    sent: list[Request] = field(default_factory=list)
    seconds: float = 0.0
    in_flight: int = 0
    in_flight_max: int = 0
    is_closed: bool = False

    async def send(self, request: Request) -> Response:
        self.sent.append(request)
        self.in_flight += 1
        self.in_flight_max = max(self.in_flight, self.in_flight_max)
        try:
            await asyncio.sleep(self.seconds)
            found = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        finally:
            self.in_flight -= 1
        if isinstance(found, Exception):
            raise found
        return found

    async def aclose(self) -> None:
        self.is_closed = True

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(request.body) for request in self.sent if request.body]


class Desk:
    """A calendar on a scripted service and a loop on virtual time."""

    def __init__(self, credential: TokenCredential | None = None, **options: Any) -> None:
        self.loop = VirtualLoop()
        self.service = Service()
        self.calendar: GraphCalendar = build_calendar(
            base_url=BASE_URL,
            credential=credential or StaticTokenCredential("token-1"),
            transport=self.service,
            now=self.now,
            **options,
        )

    def now(self) -> datetime:
        return START + timedelta(seconds=self.loop.time())

    def answers(self, *script: Answer) -> None:
        self.service.script = list(script)

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(coroutine)

    @property
    def elapsed(self) -> float:
        return self.loop.time()

    def close(self) -> None:
        self.run(self.calendar.aclose())
        self.loop.close()


MakeDesk = Callable[..., Desk]
