"""One HTTP client for checks: it asks, waits when told to, and remembers what was said."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from engine.errors import Unreachable

SECONDS = 60.0
TRIES = 6
"""So often a request is made that is answered by "wait"; a check of the throttling itself asks once."""
WAIT_MAX = 120.0

Header = Callable[[], Awaitable[str]]
"""Gives the value of `Authorization`."""


class Differs(Exception):
    """The tenant answered otherwise than the check says."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, with what it answers."""

    method: str
    url: str
    status: int
    headers: Mapping[str, str]
    body: Any
    """What the JSON says; text where it is none; None where there is nothing."""

    @property
    def error(self) -> dict[str, Any]:
        """Graph's error object; empty when there is none."""
        found = self.body.get("error") if isinstance(self.body, dict) else None
        return found if isinstance(found, dict) else {}

    @property
    def value(self) -> list[dict[str, Any]]:
        """The members of a collection. Raises Differs when it is none."""
        found = self.body.get("value") if isinstance(self.body, dict) else None
        if not isinstance(found, list):
            raise Differs(f"{self} is no collection: {_short(self.body)}")
        return found

    def expect(self, *statuses: int) -> Any:
        """Return the body. Raises Differs unless the status is one of *statuses*."""
        if self.status not in statuses:
            raise Differs(f"{self}: expected {' or '.join(map(str, statuses))}; {_short(self.body)}")
        return self.body

    def refuse(self, status: int, *codes: str) -> None:
        """Raise Differs unless this is that refusal; any of *codes* will do, and any code when none is named."""
        self.expect(status)
        if not self.error:
            raise Differs(f"{self} has no error in Graph's shape: {_short(self.body)}")
        if codes and self.error.get("code") not in codes:
            raise Differs(f"{self}: expected the code {' or '.join(codes)}, got {self.error.get('code')!r}")

    def __str__(self) -> str:
        return f"{self.method} {urlsplit(self.url).path} -> {self.status}"


def _short(body: object) -> str:
    return json.dumps(body, ensure_ascii=False, default=str)[:300]


@dataclass
class Client:
    """Asks one Graph; the token goes to its host and to no other."""

    base_url: str
    session: aiohttp.ClientSession
    header: Header
    said: list[Answer] = field(default_factory=list)
    """Everything since it was last emptied."""

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        *,
        is_patient: bool = True,
    ) -> Answer:
        """
        Make one request.

        Args:
            path: follows the base URL; or a whole link of an earlier answer.
            headers: beside `Authorization`, which they may replace; an empty value leaves a header out.
            is_patient: whether 429 and 503 are asked again once the time they name is over.

        Raises Unreachable when nobody answers, Differs when a link leads to another host.
        """
        url = self._absolute(path)
        for _ in range(TRIES):
            answer = await self._once(method, url, body, headers or {})
            if not is_patient or answer.status not in (429, 503):
                break
            await asyncio.sleep(min(WAIT_MAX, _seconds(answer.headers.get("Retry-After"))))
        self.said.append(answer)
        return answer

    def _absolute(self, path: str) -> str:
        if not path.startswith("http"):
            return self.base_url + path
        if urlsplit(path)[:2] != urlsplit(self.base_url)[:2]:
            raise Differs(f"a link leads to another host: {path}")
        return path

    async def _once(self, method: str, url: str, body: object, headers: Mapping[str, str]) -> Answer:
        named = {"Authorization": await self.header(), **headers}
        named = {name: value for name, value in named.items() if value}
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            named.setdefault("Content-Type", "application/json")
        try:
            async with self.session.request(
                method, URL(url, encoded=True), data=data, headers=named, allow_redirects=False
            ) as answer:
                text = await answer.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unreachable(f"{method} {url}: {type(error).__name__}: {error}") from error
        return Answer(method, url, answer.status, answer.headers, _read(text))


def _read(text: str) -> Any:
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def _seconds(text: str | None) -> float:
    """Return how long to wait; Graph's samples have decimals (Graph docs: throttling)."""
    try:
        return float(text or "")
    except ValueError:
        return 5.0
