"""The door Graph knocks at: what it answers, and what it hands on."""

from __future__ import annotations

import asyncio
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pytest

from engine.errors import DatabaseUnusable, Unreachable
from engine.web.receiver import BODY_BYTES_MAX, LIFECYCLE_PATH, NOTIFICATIONS_PATH, Postbox, build_receiver

with warnings.catch_warnings():
    # The client we have, httpx, serves it well; it says on import that it would rather have another.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

PATHS = [NOTIFICATIONS_PATH, LIFECYCLE_PATH]


@dataclass(frozen=True)
class Answer:
    malformed: bool = False


class Box:
    """Takes what arrives, or does what it is told instead."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.act: Callable[[bytes], Answer] = lambda body: Answer()

    def accept(self, bodies: Sequence[bytes]) -> list[Answer]:
        self.bodies.extend(bodies)
        return [self.act(body) for body in bodies]


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
def client(box: Box) -> Iterator[TestClient]:
    with TestClient(build_receiver(box.accept), raise_server_exceptions=True) as found:
        yield found


@pytest.mark.parametrize("path", PATHS)
class TestValidation:
    @pytest.mark.parametrize(
        ("query", "token"),
        [
            ("validationToken=abc123", "abc123"),
            ("validationToken=Validation%3a+Testing+client+application+reachability", None),
            ("x=1&validationToken=a%2Bb%20c%2F%3D", "a+b c/="),
            ("validationToken=%3Cscript%3Ealert(1)%3C%2Fscript%3E", "<script>alert(1)</script>"),
            ("validationToken=%C3%A9t%C3%A9", "été"),
            ("validationToken=", ""),
        ],
    )
    def test_the_token_is_echoed_as_it_is(
        self, client: TestClient, box: Box, path: str, query: str, token: str | None
    ) -> None:
        """Decoded, as plain text that no browser runs, and nothing is handed on."""
        answer = client.post(f"{path}?{query}", headers={"Content-Type": "text/plain; charset=utf-8"})

        assert answer.status_code == 200
        assert answer.text == (token if token is not None else "Validation: Testing client application reachability")
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert box.bodies == []

    def test_a_token_beyond_reason_is_refused(self, client: TestClient, box: Box, path: str) -> None:
        """We are nobody's mirror."""
        assert client.post(path, params={"validationToken": "x" * 5000}).status_code == 400


@pytest.mark.parametrize("path", PATHS)
class TestABody:
    def test_it_is_handed_on_and_answered_202(self, client: TestClient, box: Box, path: str) -> None:
        """Byte by byte as it came, whatever it is said to be."""
        answer = client.post(path, content=b'{"value": []}', headers={"Content-Type": "text/html"})

        assert (answer.status_code, answer.content) == (202, b"")
        assert box.bodies == [b'{"value": []}']

    def test_one_that_makes_no_sense_is_refused(self, client: TestClient, box: Box, path: str) -> None:
        """A retry would not help."""
        box.act = lambda body: Answer(malformed=True)

        assert client.post(path, content=b"hello").status_code == 400

    @pytest.mark.parametrize("error", [Unreachable("busy"), DatabaseUnusable("read-only")])
    def test_one_that_cannot_be_stored_shall_come_again(
        self, client: TestClient, box: Box, path: str, error: Exception
    ) -> None:
        """Graph tries for up to four hours, so nothing is lost."""

        def refuse(body: bytes) -> Answer:
            raise error

        box.act = refuse

        answer = client.post(path, content=b"{}")

        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "10"
        assert "busy" not in answer.text

    def test_one_at_the_limit_is_taken(self, client: TestClient, box: Box, path: str) -> None:
        """The limit itself is allowed."""
        assert client.post(path, content=b"x" * BODY_BYTES_MAX).status_code == 202

    def test_one_beyond_the_limit_is_refused_by_its_length(self, client: TestClient, box: Box, path: str) -> None:
        """It is not even read."""
        assert client.post(path, content=b"x" * (BODY_BYTES_MAX + 1)).status_code == 413
        assert box.bodies == []

    def test_one_that_hides_its_length_is_refused_as_it_grows(self, client: TestClient, box: Box, path: str) -> None:
        """Reading stops at the limit: an endless body costs nothing."""
        sent = 0

        def endless() -> Iterator[bytes]:
            nonlocal sent
            for _ in range(20):
                sent += 1
                yield b"x" * (BODY_BYTES_MAX // 8)

        assert client.post(path, content=endless()).status_code == 413
        assert box.bodies == []

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    def test_only_posts_are_answered(self, client: TestClient, box: Box, path: str, method: str) -> None:
        """There is nothing to see."""
        assert client.request(method, path).status_code == 405


class TestMany:
    """What comes while something is being stored is stored together after it: one commit for all."""

    def test_go_together(self) -> None:
        calls: list[list[bytes]] = []
        may_end = threading.Event()

        def accept(bodies: Sequence[bytes]) -> list[Answer]:
            calls.append(list(bodies))
            may_end.wait(10)
            return [Answer(malformed=body == b"c") for body in bodies]

        async def send() -> list[bool]:
            postbox = Postbox(accept)
            first = asyncio.create_task(postbox.store(b"a"))
            while not calls:
                await asyncio.sleep(0)
            others = [asyncio.create_task(postbox.store(body)) for body in (b"b", b"c", b"d")]
            await asyncio.sleep(0)
            may_end.set()
            return [outcome.malformed for outcome in await asyncio.gather(first, *others)]

        assert asyncio.run(send()) == [False, False, True, False]
        assert calls == [[b"a"], [b"b", b"c", b"d"]]

    def test_are_all_told_when_nothing_was_stored(self) -> None:
        refusals = [Unreachable("busy")]

        def accept(bodies: Sequence[bytes]) -> list[Answer]:
            if refusals:
                raise refusals.pop()
            return [Answer() for _ in bodies]

        async def send() -> list[object]:
            postbox = Postbox(accept)
            told = await asyncio.gather(*(postbox.store(b"x") for _ in range(3)), return_exceptions=True)
            return [*told, await postbox.store(b"again")]

        assert [type(outcome) for outcome in asyncio.run(send())] == [Unreachable] * 3 + [Answer]

    def test_a_sender_who_leaves_holds_up_nobody(self) -> None:
        stored: list[bytes] = []

        def accept(bodies: Sequence[bytes]) -> list[Answer]:
            stored.extend(bodies)
            return [Answer() for _ in bodies]

        async def send() -> None:
            postbox = Postbox(accept)
            leaves, stays = (asyncio.create_task(postbox.store(body)) for body in (b"leaves", b"stays"))
            await asyncio.sleep(0)
            leaves.cancel()
            await stays

        asyncio.run(send())
        assert stored == [b"leaves", b"stays"]
