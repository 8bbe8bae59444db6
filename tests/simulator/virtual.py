"""A world on virtual time: a tenant, its receiver, and people who use it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from engine.prove.world.virtual import VirtualLoop
from engine.simulator import Response, Tenant, TenantOptions
from engine.simulator.people import Person, RoomReader
from engine.simulator.wire import decode_json

REFUSED_MAX = 500
"""Nobody who is not there is asked so often, unless no time passes between two tries: from then on some does."""


class Receiver:
    """A webhook endpoint: answers the handshake, keeps what it gets, fails when told to."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self.posts: list[dict[str, Any]] = []
        self.urls: list[str] = []
        self.validated: list[str] = []
        self.is_down = False
        self.refused = 0
        """How many POSTs came while it was down."""
        self.answers_wrongly = False
        self.seconds = 0.0
        """How long it takes to answer a notification."""

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> tuple[int, str, bytes]:
        if self.is_down:
            self.refused += 1
            await asyncio.sleep(0.0 if self.refused < REFUSED_MAX else 60.0)
            raise OSError("nobody is there")
        token = parse_qs(urlsplit(url).query).get("validationToken")
        if token:
            self.validated.append(url)
            return 200, "text/plain", (b"no" if self.answers_wrongly else token[0].encode())
        await asyncio.sleep(self.seconds)
        self.urls.append(url)
        self.posts.append(decode_json(body))
        return 202, "text/plain", b""

    @property
    def items(self) -> list[dict[str, Any]]:
        return [item for post in self.posts for item in post["value"]]

    def changes(self, subscription: str | None = None) -> list[str]:
        wanted = (item for item in self.items if subscription in (None, item["subscriptionId"]))
        return [item.get("changeType") or item["lifecycleEvent"] for item in wanted]


class SimulatedWorld:
    """A tenant with two rooms and two people on a virtual loop; every call goes through `handle`."""

    def __init__(self, **options: Any) -> None:
        self.loop = VirtualLoop()
        self.receiver = Receiver(self.loop)
        given: dict[str, Any] = {"attendant_delay": (1.0, 2.0), "notification_delay": (0.1, 0.2), "extra_touches": 0,
                                 "empty_page_rate": 0.0, "page_size": 50}  # fmt: skip
        self.options = TenantOptions(**{**given, **options})
        self.tenant = self.open()
        if not self.tenant.world.mailboxes:
            self._furnish()
        self.alex = Person(self.tenant, "alex@example.org")
        self.kim = Person(self.tenant, "kim@example.org")
        self.aula = RoomReader(self.tenant, "aula@example.org")
        self.studio = RoomReader(self.tenant, "studio@example.org")

    def open(self) -> Tenant:
        return Tenant(
            self.options, now=self.loop.now, call_later=self.loop.call_later, post=self.receiver.post,
            spawn=self.loop.create_task,
        )  # fmt: skip

    def _furnish(self) -> None:
        office = self.tenant.office
        office.add_room("aula@example.org", "Aula", capacity=40, zone="Europe/Paris", tags=["screen"])
        office.add_room(
            "studio@example.org", "Studio", capacity=8, zone="Europe/Paris", aliases=("atelier@example.org",)
        )
        office.add_person("alex@example.org", "Alex Doe", zone="Europe/Paris")
        office.add_person("kim@example.org", "Kim Ito", zone="Europe/Paris")

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(coroutine)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Response:
        from engine.simulator.wire import encode_json

        named = {"Authorization": "Bearer demo", **{name.replace("_", "-"): value for name, value in headers.items()}}
        url = path if path.startswith(("http", "/sim")) else f"https://graph.microsoft.com/v1.0{path}"
        data = body if isinstance(body, bytes) else (b"" if body is None else encode_json(body))
        return self.run(self.tenant.handle(method, url, named, data))

    def get(self, path: str, **headers: str) -> Any:
        response = self.call("GET", path, **headers)
        assert response.status == 200, response.body
        return response.json()

    def wait(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    def settle(self) -> None:
        """Let everything on its way arrive."""
        for _ in range(10_000):
            if self.tenant.is_quiet:
                return
            self.wait(1.0)
        raise AssertionError("never quiet")

    def subscribe(self, mailbox: str, **more: Any) -> str:
        body = {
            "changeType": "created,updated,deleted", "resource": f"/users/{mailbox}/events",
            "notificationUrl": "https://sync.example.org/notify", "clientState": "secret",
            "expirationDateTime": (self.loop.now() + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%SZ"), **more,
        }  # fmt: skip
        response = self.call("POST", "/subscriptions", body)
        assert response.status == 201, response.body
        return str(response.json()["id"])

    def delta(self, mailbox: str, link: str | None = None, size: int = 50) -> tuple[list[dict[str, Any]], str]:
        """Follow one round to its deltaLink."""
        window = "startDateTime=2026-11-01T00:00:00Z&endDateTime=2027-11-01T00:00:00Z"
        url = link or f"/users/{mailbox}/calendarView/delta?{window}"
        items: list[dict[str, Any]] = []
        while True:
            page = self.get(url, Prefer=f"odata.maxpagesize={size}")
            items += page["value"]
            if "@odata.deltaLink" in page:
                return items, page["@odata.deltaLink"]
            url = page["@odata.nextLink"]

    def close(self) -> None:
        self.tenant.close()
        self.loop.close()
