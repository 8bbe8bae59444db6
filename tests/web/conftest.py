"""One API over a desk in memory, and a caller for each role."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from engine.reconcile.words.reasons import explain
from engine.web.api.app import create_api
from engine.web.failures import Failures
from engine.web.metrics import Metrics, Readings
from engine.web.parts import Check, WebParts
from tests.web.fakes import (
    NOW,
    MemoryCases,
    MemoryDesk,
    MemoryIdentity,
    MemoryOnce,
    MemoryRooms,
    MemorySeries,
    MemoryTokens,
    MemoryWhy,
)

with warnings.catch_warnings():
    # The client we have, httpx, serves it well; it says on import that it would rather have another.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

ORDER: dict[str, Any] = {
    "requester": {"name": "Alex Doe", "address": "alex@example.org"},
    "start": "2026-11-23T10:00:00+01:00",
    "end": "2026-11-23T11:00:00+01:00",
    "items": [{"kind": "room", "id": 1}],
}


@dataclass
class Office:
    """Everything behind the API of one test."""

    rooms: MemoryRooms = field(default_factory=MemoryRooms)
    tokens: MemoryTokens = field(default_factory=MemoryTokens)
    marks: list[tuple[str, str]] = field(default_factory=list)
    checks: list[Check] = field(default_factory=lambda: [Check("database", ok=True), Check("queue", ok=True)])
    readings: Readings = field(default_factory=Readings)

    def __post_init__(self) -> None:
        self.desk = MemoryDesk(self.rooms)
        self.cases = MemoryCases(self.desk)
        self.metrics = Metrics(lambda: self.readings)
        for role in ("viewer", "staff", "admin"):
            self.tokens.known[f"{role}-token"] = MemoryIdentity(f"a-{role}", role)
        self.parts = WebParts(
            register=self.desk,
            series=MemorySeries(self.desk),
            cases=self.cases,
            why=MemoryWhy(self.rooms),
            rooms=self.rooms,
            tokens=self.tokens,
            enqueue=lambda kind, key: self.marks.append((kind, key)),
            read_status=lambda: {"mode": "two_way", "now": NOW},
            read_checks=lambda: self.checks,
            metrics=self.metrics,
            explain=explain,
            clock=lambda: NOW,
            failures=Failures(lambda: NOW),
            once=MemoryOnce(),
            bootstrap_token="bootstrap-token",
            base_address="http://desk.example",
        )


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def client(office: Office) -> Iterator[TestClient]:
    """A caller without a token."""
    with TestClient(create_api(office.parts), raise_server_exceptions=False) as found:
        yield found


@pytest.fixture
def admin(client: TestClient) -> TestClient:
    """A caller who may do everything."""
    client.headers["Authorization"] = "Bearer admin-token"
    return client
