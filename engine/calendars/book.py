"""Feeds as their owners see them, and the protocol of whoever keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from engine.ids import Address, BookableId, StoreId


class FeedKind(StrEnum):
    """Whose loans a feed shows."""

    PERSON = "person"
    ROOM = "room"
    STORE = "store"


@dataclass(frozen=True, slots=True)
class FeedOrder:
    """
    A feed somebody wants. One of `address`, `room_id` and `store_id` says of whom, as `kind` has it.

    `owner` is who finds it among their feeds; None for one made for a machine. `language` is that of its texts.
    """

    kind: FeedKind
    address: Address | None = None
    room_id: BookableId | None = None
    store_id: StoreId | None = None
    owner: Address | None = None
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed as lists show it: `name` is the person's, room's or store's. Its address is shown to nobody twice."""

    id: int
    order: FeedOrder
    name: str
    created_at: datetime
    created_by: str
    rotated_at: datetime | None = None
    read_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a program gets that asks for a feed: a tag for this very text, and the text unless it has it already."""

    tag: str
    text: bytes | None


class FeedBook(Protocol):
    """All feeds. A secret is the unguessable part of an address: returned once, kept as a digest."""

    def create(self, order: FeedOrder, *, actor: str) -> tuple[Feed, str]:
        """Make a feed and return it with its secret. Raises Invalid, NotFound."""
        ...

    def rotate(self, feed_id: int, *, owner: Address | None, actor: str) -> tuple[Feed, str]:
        """Give a feed another secret; the old one opens nothing. Of *owner* alone, if given. Raises NotFound."""
        ...

    def revoke(self, feed_id: int, *, owner: Address | None, actor: str) -> None:
        """End a feed, for good. Of *owner* alone, if given. Raises NotFound."""
        ...

    def list_feeds(self, *, owner: Address | None = None) -> Sequence[Feed]:
        """Return the feeds, revoked ones included, the newest first: all, or those of *owner*."""
        ...

    def address_of(self, secret: str) -> str:
        """Return the web address of the feed that *secret* opens."""
        ...

    def find(self, secret: str) -> Feed | None:
        """Return the feed a secret opens, a revoked one too; None when it opens none."""
        ...

    def read(self, feed: Feed, *, known: frozenset[str] = frozenset()) -> Reading:
        """Return a feed as it is now; without its text when its tag is among the *known* ones."""
        ...
