"""Feeds put together: which loans, told how much, as text."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from threading import Lock

from engine.app.entries import Entries
from engine.calendars.book import Feed, FeedKind, FeedOrder, Reading
from engine.calendars.entry import CalendarEntry
from engine.calendars.feed import render_feed
from engine.database.calendars.feeds import FeedStore, Shown
from engine.database.rooms.book import RoomCache
from engine.ids import Address
from engine.loans.loan import Loan, TextLevel
from engine.reconcile.ledger import SyncRules
from engine.reconcile.telling.texts import render_own_subject, render_subject

HISTORY = timedelta(days=30)
"""How far back a feed reaches; ahead it reaches as far as there are loans."""

TAGS_KEPT = 10_000

NAMES = {
    FeedKind.PERSON: {"en": "Bookings of {name}", "fr": "Réservations de {name}"},
    FeedKind.ROOM: {"en": "{name}", "fr": "{name}"},
    FeedKind.STORE: {"en": "Loans: {name}", "fr": "Prêts : {name}"},
}


class Feeds:
    """
    Implements `FeedBook`.

    Args:
        entries: how a loan is told.
        rules: the settings as they are now, with where people open a loan.
    """

    def __init__(
        self,
        store: FeedStore,
        rooms: RoomCache,
        *,
        entries: Entries,
        rules: Callable[[], SyncRules],
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._rooms = rooms
        self._entries = entries
        self._rules = rules
        self._now = now
        self._tags: OrderedDict[int, tuple[object, str]] = OrderedDict()
        """Of each feed, the newest last: what it was made from, and the tag it had."""
        self._lock = Lock()

    def create(self, order: FeedOrder, *, actor: str) -> tuple[Feed, str]:
        return self._store.create(order, actor=actor)

    def rotate(self, feed_id: int, *, owner: Address | None, actor: str) -> tuple[Feed, str]:
        return self._store.rotate(feed_id, owner=owner, actor=actor)

    def revoke(self, feed_id: int, *, owner: Address | None, actor: str) -> None:
        self._store.revoke(feed_id, owner=owner, actor=actor)

    def list_feeds(self, *, owner: Address | None = None) -> Sequence[Feed]:
        return self._store.list_feeds(owner=owner)

    def find(self, secret: str) -> Feed | None:
        return self._store.find(secret)

    def address_of(self, secret: str) -> str:
        return f"{self._rules().link_base}/feeds/{secret}.ics"

    def read(self, feed: Feed, *, known: frozenset[str] = frozenset()) -> Reading:
        """Return a feed as it is now. As long as nothing was decided since, its tag is known without making it."""
        made_from = self._made_from()
        with self._lock:
            before = self._tags.get(feed.id)
        if before is not None and before[0] == made_from and before[1] in known:
            return Reading(before[1], None)
        text = self._render(feed).encode()
        tag = sha256(text).hexdigest()[:32]
        with self._lock:
            self._tags[feed.id] = (made_from, tag)
            self._tags.move_to_end(feed.id)
            if len(self._tags) > TAGS_KEPT:
                self._tags.popitem(last=False)
        return Reading(tag, None if tag in known else text)

    def _made_from(self) -> object:
        """Return what all feeds follow from, as it is now: it changes whenever one of them might."""
        return self._store.newest_decision(), self._since(), self._rules(), self._rooms.current_book()

    def _since(self) -> datetime:
        """Return from when on loans are shown: a midnight, so that a feed does not change from minute to minute."""
        return self._now().replace(hour=0, minute=0, second=0, microsecond=0) - HISTORY

    def _render(self, feed: Feed) -> str:
        shown = self._store.load_shown(feed.order, since=self._since())
        name = NAMES[feed.order.kind][feed.order.language].format(name=feed.name)
        return render_feed(name, [self._entry(each, feed.order.kind) for each in shown])

    def _entry(self, shown: Shown, kind: FeedKind) -> CalendarEntry:
        loan = shown.loan
        level = self._entries.level_of(loan)
        return self._entries.make(
            loan, _subject(loan, level, kind), level=level, sequence=loan.version - 1, changed_at=shown.changed_at
        )


def _subject(loan: Loan, level: TextLevel, kind: FeedKind) -> str:
    return render_own_subject(loan, level) if kind is FeedKind.PERSON else render_subject(loan, level)
