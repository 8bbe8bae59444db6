"""What is owed to others: the waits between tries, what a transaction changed, and a receiver's pass."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from engine.errors import Malformed
from engine.outbox.backoff import TRIES_MAX, wait_after
from engine.outbox.changes import CASE, LOAN, Change, Changes, Event, reason_of
from engine.outbox.message import Due, Letter, Message, MessageState, Receipt
from engine.worker.outbox import AT_ONCE, RECEIVERS_AT_ONCE, OutboxPass

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


class TestWaits:
    def test_grow_and_make_eight_days_in_all(self) -> None:
        waits = [wait_after(tries) or timedelta(0) for tries in range(1, TRIES_MAX)]

        assert waits == sorted(waits)
        assert waits[0] < timedelta(seconds=2)
        assert abs(sum(waits, timedelta(0)) - timedelta(days=8)) < timedelta(seconds=1)

    def test_end_with_the_twentieth_try(self) -> None:
        assert wait_after(19) is not None
        assert wait_after(20) is None

    @pytest.mark.parametrize(
        ("asked", "waited"), [(0.5, 1.23), (600.0, 600.0), (-5.0, 1.23), (float(10**300), 86400.0)]
    )
    def test_heed_what_the_receiver_asks_up_to_a_day(self, asked: float, waited: float) -> None:
        wait = wait_after(1, asked)

        assert wait is not None
        assert wait.total_seconds() == pytest.approx(waited, abs=0.01)


class TestChanges:
    def test_of_one_thing_are_told_once(self) -> None:
        changes = Changes()
        changes.note(LOAN, 1, Event.CREATED)
        changes.note(LOAN, 1, Event.UPDATED)
        changes.note(LOAN, 2, Event.UPDATED)
        changes.note(LOAN, 2, Event.DESTROYED, was="loan 2")

        assert list(changes) == [
            Change(LOAN, 1, Event.CREATED, "engine"),
            Change(LOAN, 2, Event.DESTROYED, "engine", was="loan 2"),
        ]

    def test_that_nobody_ever_saw_are_not_told(self) -> None:
        changes = Changes()
        changes.note(LOAN, 1, Event.CREATED)
        changes.note(LOAN, 1, Event.DESTROYED)

        assert not changes

    def test_are_explained_by_the_last_line_of_the_history(self) -> None:
        changes = Changes()
        changes.note(LOAN, 1, Event.UPDATED)
        changes.note(CASE, 1, Event.UPDATED)
        changes.explain(1, "room_accepted", "outlook")
        changes.explain(1, "changed_in_app", "app:ann")

        assert [(change.reason, change.actor) for change in changes] == [("user", "app:ann"), ("engine", "engine")]

    @pytest.mark.parametrize(
        ("code", "actor", "reason"),
        [
            ("changed_in_app", "app:ann", "user"),
            ("moved_in_outlook", "outlook", "outlook"),
            ("closed", "clock", "clock"),
            ("backfill_linked", "app:ann", "backfill"),
            ("no_room_left", "engine", "engine"),
            ("x", "somebody", "engine"),
        ],
    )
    def test_have_a_reason(self, code: str, actor: str, reason: str) -> None:
        assert reason_of(code, actor) == reason


class MemoryOutbox:
    """Lanes in memory, with the rule that only the first of each is due."""

    def __init__(self, *lanes: str) -> None:
        self.waiting = [
            Message(n, Letter("test", "r", lane, "t", f"{n}"), MessageState.WAITING, 0, NOW, NOW, None, None)
            for n, lane in enumerate(lanes)
        ]
        self.sent: list[int] = []
        self.marks: list[float] = []
        self.is_down = False

    def take_due(self, channel: str, receiver: str, limit: int) -> Due:
        heads = {message.letter.lane: message for message in reversed(self.waiting) if message.due_at is not None}
        heads = {lane: m for lane, m in heads.items() if m == next(w for w in self.waiting if w.letter.lane == lane)}
        return Due(tuple(sorted(heads.values(), key=lambda m: m.id))[: 1 if self.is_down else limit], self.is_down)

    def record(self, message: Message, receipt: Receipt) -> None:
        if receipt.error is None:
            self.waiting.remove(message)
            self.sent.append(message.id)
        else:
            self.waiting[self.waiting.index(message)] = replace(message, tries=message.tries + 1, due_at=None)

    def mark_next(self, channel: str, receiver: str, *, at_least: float = 0.0) -> None:
        self.marks.append(at_least)


class ScriptedSender:
    """Takes everything but what it is told to refuse; counts how many are on their way together."""

    def __init__(self, refused: Sequence[int] = ()) -> None:
        self.refused = refused
        self.together = self.most_together = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def send(self, message: Message) -> Receipt:
        self.together += 1
        self.most_together = max(self.most_together, self.together)
        await self.gate.wait()
        await asyncio.sleep(0)
        self.together -= 1
        return Receipt(1, 500, "", "HTTP 500") if message.id in self.refused else Receipt(1, 200)


class TestThePass:
    def test_sends_lanes_side_by_side_and_each_in_order(self) -> None:
        outbox, sender = MemoryOutbox("a", "a", "b", "c", "d", "e", "a"), ScriptedSender()

        asyncio.run(OutboxPass(outbox, {"test": sender}).deliver("test:r"))

        assert sorted(outbox.sent) == list(range(7))
        assert [n for n in outbox.sent if n in (0, 1, 6)] == [0, 1, 6]
        assert sender.most_together == AT_ONCE

    def test_goes_on_past_a_lane_that_fails(self) -> None:
        outbox = MemoryOutbox("a", "a", "b")

        asyncio.run(OutboxPass(outbox, {"test": ScriptedSender(refused=[0])}).deliver("test:r"))

        assert outbox.sent == [2]
        assert outbox.marks == [0.0]

    def test_leaves_a_receiver_alone_that_is_still_down(self) -> None:
        """One message, and then a minute of rest."""
        outbox = MemoryOutbox("a", "b", "c")
        outbox.is_down = True

        asyncio.run(OutboxPass(outbox, {"test": ScriptedSender(refused=range(9))}).deliver("test:r"))

        assert [message.tries for message in outbox.waiting] == [1, 0, 0]
        assert outbox.marks == [60.0]

    def test_of_slow_receivers_do_not_take_every_slot(self) -> None:
        """A fourth one is put off while three are waited for."""

        async def run() -> tuple[int, int]:
            outbox, sender = MemoryOutbox("a"), ScriptedSender()
            sender.gate.clear()
            delivering = OutboxPass(outbox, {"test": sender})
            slow = [asyncio.ensure_future(delivering.deliver(f"test:{n}")) for n in range(RECEIVERS_AT_ONCE)]
            while sender.together < RECEIVERS_AT_ONCE:
                await asyncio.sleep(0)
            await delivering.deliver("test:other")
            put_off = len(outbox.marks)
            for task in slow:
                task.cancel()
            await asyncio.gather(*slow, return_exceptions=True)
            return put_off, sender.most_together

        assert asyncio.run(run()) == (1, RECEIVERS_AT_ONCE)

    def test_of_a_channel_nobody_carries_says_so(self) -> None:
        with pytest.raises(Malformed, match="'pigeon'"):
            asyncio.run(OutboxPass(MemoryOutbox(), {}).deliver("pigeon:r"))
