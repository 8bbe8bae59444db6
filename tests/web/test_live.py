"""The stream of changes: nothing is missed, nobody is told more than numbers, and it ends when it should."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from engine.database.reports.board import Board
from engine.loans.register import LoanChange
from engine.web.pages.live import HELLO, WAITING_MAX, Live
from tests.web.visitors import House, open_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as found:
        yield found


async def take(stream: AsyncIterator[bytes]) -> bytes:
    return await asyncio.wait_for(anext(stream), 10)


class TestTheStream:
    def test_tells_what_happened_since_the_page_was_made(self, house: House) -> None:
        """A loan that is made between the page and its listening is told at once."""
        board = Board(house.office.database)
        since = board.newest()
        loan = house.book()

        async def listen() -> list[bytes]:
            stream = Live(board.changes, board.changed_since).stream(since, lambda: True)
            return [await take(stream), await take(stream)]

        hello, news = asyncio.run(listen())

        assert hello == HELLO
        assert news == b'event: loans\ndata: {"loans":[%d]}\n\n' % loan.number

    def test_tells_all_listeners_of_one_look(self, house: House) -> None:
        board = Board(house.office.database)
        looks = 0

        def look(cursor: int | None):  # type: ignore[no-untyped-def]
            nonlocal looks
            found = board.changes(cursor)
            looks += 1  # afterwards: what is booked from now on is news
            return found

        async def listen() -> list[bytes]:
            live = Live(look, lambda _cursor: ())
            streams = [live.stream(0, lambda: True) for _ in range(5)]
            for stream in streams:
                await take(stream)
            waiting = [asyncio.create_task(take(stream)) for stream in streams]
            while not looks:
                await asyncio.sleep(0)
            await asyncio.to_thread(house.book)
            return [await task for task in waiting]

        assert set(asyncio.run(listen())) == {b'event: loans\ndata: {"loans":[1]}\n\n'}
        assert looks < 20

    def test_ends_when_we_stop(self, house: House) -> None:
        board = Board(house.office.database)

        async def listen() -> bytes | None:
            live = Live(board.changes, lambda _cursor: ())
            stream = live.stream(0, lambda: True)
            await take(stream)
            waiting = asyncio.create_task(anext(stream, None))
            await asyncio.sleep(0)
            live.close()
            return await asyncio.wait_for(waiting, 10)

        assert asyncio.run(listen()) is None

    def test_who_is_far_behind_is_told_to_look_at_everything(self) -> None:
        async def fill() -> list[bytes | None]:
            live = Live(lambda _cursor: pytest.fail("not looked"), lambda _cursor: ())
            queue: asyncio.Queue[bytes | None] = asyncio.Queue(WAITING_MAX + 1)
            live._listeners.add(queue)
            for _ in range(WAITING_MAX + 1):
                live._tell(b"x")
            return [queue.get_nowait() for _ in range(queue.qsize())]

        assert asyncio.run(fill()) == [b"event: everything\ndata: {}\n\n"]


class TestTheLook:
    def test_finds_each_change_once(self, house: House) -> None:
        board = Board(house.office.database)
        start = board.changes(None)
        loan = house.book()

        first = board.changes(start.cursor)
        second = board.changes(first.cursor)
        house.office.desk.change(loan.number, LoanChange(title="Other"), actor="app:x")
        third = board.changes(second.cursor)

        assert (start.numbers, first.numbers, second.numbers, third.numbers) == ((), (1,), (), (1,))
