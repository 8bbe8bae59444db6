"""Carrying out what one receiver is owed: some messages side by side, each lane in order, each try recorded at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence

from engine.errors import Malformed
from engine.outbox.backoff import PROBE_EVERY
from engine.outbox.message import Message, OutboxQueue, Receipt, Sender

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Messages on their way to one receiver at the same time."""

TAKEN_AT_ONCE = 100
"""Messages taken from the outbox together, each of another lane: to find them costs more than to send one."""

MESSAGES_MAX = 500
"""After so many, others get their turn."""

RECEIVERS_AT_ONCE = 3
"""Passes of this kind that run at the same time: slow receivers must not hold up the rooms."""

BUSY_SECONDS = 1.0


class OutboxPass:
    """
    Sends what is due.

    Args:
        outbox: where messages are kept.
        senders: who carries the messages of each channel.
    """

    def __init__(self, outbox: OutboxQueue, senders: Mapping[str, Sender]) -> None:
        self._outbox = outbox
        self._senders = senders
        self._running = 0

    async def deliver(self, key: str) -> None:
        """Send what the receiver of *key* (`<channel>:<receiver>`) is owed now. Raises Malformed, Transient."""
        channel, _, receiver = key.partition(":")
        sender = self._senders.get(channel)
        if sender is None:
            raise Malformed(f"nobody here sends messages of the channel {channel!r}; is it set up?")
        if self._running >= RECEIVERS_AT_ONCE:
            self._outbox.mark_next(channel, receiver, at_least=BUSY_SECONDS)
            return
        self._running += 1
        try:
            await self._rounds(sender, channel, receiver)
        finally:
            self._running -= 1

    async def _rounds(self, sender: Sender, channel: str, receiver: str) -> None:
        count = 0
        while count < MESSAGES_MAX:
            due = self._outbox.take_due(channel, receiver, TAKEN_AT_ONCE)
            if not due.messages:
                break
            count += len(due.messages)
            is_well = await self._send_all(sender, due.messages)
            if due.is_down and not is_well:
                self._outbox.mark_next(channel, receiver, at_least=PROBE_EVERY.total_seconds())
                return
        self._outbox.mark_next(channel, receiver)

    async def _send_all(self, sender: Sender, messages: Sequence[Message]) -> bool:
        """Send *messages*, a few at a time, until none of some is taken. Returns whether the last ones were."""
        for at in range(0, len(messages), AT_ONCE):
            some = messages[at : at + AT_ONCE]
            receipts = await asyncio.gather(*(self._send(sender, message) for message in some))
            if all(receipt.error is not None for receipt in receipts):
                return False
        return True

    async def _send(self, sender: Sender, message: Message) -> Receipt:
        try:
            receipt = await sender.send(message)
        except Exception as error:
            log.exception("a sender failed unexpectedly", extra={"channel": message.letter.channel})
            receipt = Receipt(0, error=f"{type(error).__name__}: {error}")
        self._outbox.record(message, receipt)
        if receipt.error is not None and message.tries == 0:
            told = {"channel": message.letter.channel, "receiver": message.letter.receiver, "number": message.id}
            log.warning("a message could not be sent: %s", receipt.error, extra=told)
        return receipt
