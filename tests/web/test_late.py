"""An application that is loaded when it is wanted."""

from __future__ import annotations

import asyncio
import threading

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from engine.web.late import LateApp


class Maker:
    """Makes an application that answers every path with its number, once it may."""

    def __init__(self) -> None:
        self.made = 0
        self.may = threading.Event()

    def __call__(self) -> ASGIApp:
        assert self.may.wait(30)
        self.made += 1
        number = self.made

        def answer(_: Request) -> PlainTextResponse:
            return PlainTextResponse(f"application {number}")

        return Starlette(routes=[Route("/", answer)])


async def ask(app: ASGIApp) -> str:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://accord") as client:
        return (await client.get("/")).text


def test_it_is_loaded_once_and_whoever_asks_meanwhile_waits() -> None:
    make = Maker()

    async def run() -> list[str]:
        app = LateApp(make)
        asked = [asyncio.create_task(ask(app)) for _ in range(3)]
        await asyncio.sleep(0)
        assert not any(each.done() for each in asked)
        make.may.set()
        return [*await asyncio.gather(*asked), await ask(app)]

    assert asyncio.run(run()) == ["application 1"] * 4


def test_it_may_be_loaded_before_anybody_asks() -> None:
    make = Maker()
    make.may.set()

    async def run() -> tuple[int, str]:
        app = LateApp(make)
        await app.load()
        return make.made, await ask(app)

    assert asyncio.run(run()) == (1, "application 1")


def test_whoever_goes_away_while_it_is_loaded_leaves_it_to_the_others() -> None:
    make = Maker()

    async def run() -> str:
        app = LateApp(make)
        hasty, patient = asyncio.create_task(ask(app)), asyncio.create_task(ask(app))
        await asyncio.sleep(0.01)
        hasty.cancel()
        await asyncio.wait([hasty])
        make.may.set()
        return await patient

    assert asyncio.run(run()) == "application 1"


def test_why_it_cannot_be_loaded_is_told_to_all_who_ask() -> None:
    def fail() -> ASGIApp:
        raise RuntimeError("no templates")

    async def run() -> None:
        app = LateApp(fail)
        for _ in range(2):
            with pytest.raises(RuntimeError, match="no templates"):
                await ask(app)

    asyncio.run(run())
