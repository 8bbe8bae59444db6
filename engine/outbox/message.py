"""Messages on their way out, as values, and the protocols of those who carry them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

ANSWER_CHARACTERS_MAX = 4000
"""How much of a receiver's answer is kept."""

KEY = "outbox"
"""The kind of key in the work queue; its key is `<channel>:<receiver>`."""


class MessageState(StrEnum):
    WAITING = "waiting"
    """To be sent, or to be tried again."""
    SENT = "sent"
    PARKED = "parked"
    """Given up after the last try, or refused for good; until somebody replays it."""
    DROPPED = "dropped"
    """Its receiver is gone, or nobody wants it any more: never sent again by itself."""


@dataclass(frozen=True, slots=True)
class Letter:
    """
    Something to be sent, before it is kept.

    `lane` is what it is about, such as `loan:12`: letters of one lane reach one receiver in the order in which they
    were written. `topic` says what it tells, such as `loan.updated`. `body` is exactly what will be sent.
    `loan_number` names the loan whose people it may speak of, so that what is kept of them can be erased.
    """

    channel: str
    receiver: str
    lane: str
    topic: str
    body: str
    loan_number: int | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A letter that is kept. `tries` counts those so far; `due_at` is when it is tried next, None unless it waits."""

    id: int
    letter: Letter
    state: MessageState
    tries: int
    created_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of one try: `status` and `answer` are the receiver's, where there was any; `error` None means sent."""

    milliseconds: int
    status: int | None = None
    answer: str = ""
    error: str | None = None
    retry_after: float | None = None
    """Seconds the receiver asked us to wait."""
    final: bool = False
    """Whether no further try can help: refused for good."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try that was made."""

    at: datetime
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class ReceiverHealth:
    """How one receiver is doing. `failures` counts those since the last success."""

    channel: str
    receiver: str
    waiting: int = 0
    parked: int = 0
    sent: int = 0
    failures: int = 0
    failing_since: datetime | None = None
    last_sent_at: datetime | None = None
    last_error: str | None = None
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which messages to list, the newest first: those that come after the one numbered `after`."""

    channel: str | None = None
    receiver: str | None = None
    state: MessageState | None = None
    lane: str | None = None
    after: int | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Due:
    """What a receiver is owed now: the first message of each lane, and whether the receiver counts as down."""

    messages: Sequence[Message] = field(default=())
    is_down: bool = False


class Sender(Protocol):
    """Carries messages of one channel. Never raises for what a receiver does: that is the receipt's to tell."""

    async def send(self, message: Message) -> Receipt: ...


class OutboxQueue(Protocol):
    """What the pass over a receiver needs of the outbox; see `database.outbox.Outbox`."""

    def take_due(self, channel: str, receiver: str, limit: int) -> Due: ...

    def record(self, message: Message, receipt: Receipt) -> None: ...

    def mark_next(self, channel: str, receiver: str, *, at_least: float = 0.0) -> None: ...


class OutboxBook(Protocol):
    """What people may see and do of the outbox: command line, API and pages."""

    def list_messages(self, wanted: MessageFilter) -> Sequence[Message]: ...

    def find(self, message_id: int) -> Message:
        """Return one message. Raises NotFound."""
        ...

    def attempts(self, message_id: int) -> Sequence[Attempt]:
        """Return the tries of a message that are kept, oldest first. Raises NotFound."""
        ...

    def replay(self, message_id: int) -> Message:
        """Send a message again, whatever became of it, with all its tries before it. Raises NotFound."""
        ...

    def replay_all(self, wanted: MessageFilter) -> int:
        """Send again what was parked, of those wanted; returns how many."""
        ...

    def health(self) -> Sequence[ReceiverHealth]:
        """Return every receiver that was ever owed anything and still is known."""
        ...

    def health_of(self, channel: str, receiver: str) -> ReceiverHealth:
        """Return how one receiver is doing; all zero for one that was never owed anything."""
        ...

    def failing(self) -> int:
        """Return how many receivers failed when they were tried last."""
        ...

    def counts(self) -> Mapping[MessageState, int]:
        """Return how many messages there are in each state."""
        ...
