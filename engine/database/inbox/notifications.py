"""The inbox: notifications as they come, stored and turned into marks in one transaction, before Graph is answered.

A notification is a hint and carries no truth: it may come twice, late, in any order or never (Graph docs:
change-notifications-overview). Sources for the payload: changenotification, resourcedata,
change-notifications-lifecycle-events.

What is turned away is counted and remembered in memory only: a stranger must not be able to fill the disk.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, exists, select, update

from engine.database.inbox.contents import Contents, News
from engine.database.inbox.gatherings import GATHER, Gatherings
from engine.database.inbox.notices import (
    MALFORMED_BODY,
    REAUTHORIZE,
    REMOVED,
    UNKNOWN_SUBSCRIPTION,
    WRONG_CLIENT_STATE,
    Item,
    Notice,
    Refusal,
    decode_items,
    is_same_secret,
    read_notice,
    split_body,
)
from engine.database.inbox.subscriptions import NO_SECRET, clear_subscription
from engine.database.sql.connection import Database
from engine.database.sql.lists import is_any_of
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.database.work.meeting_marks import ENDED
from engine.reconcile.gathering import GatherRule, Told
from engine.rooms.event import EventCopy
from engine.rooms.series import is_date

notification_table = metadata.tables["notification"]
subscription_table = metadata.tables["subscription"]
room_table = metadata.tables["room"]
copy_table = metadata.tables["room_copy"]
link_table = metadata.tables["link"]
intent_table = metadata.tables["intent"]

REJECTIONS_KEPT = 50
_SHOWN_MAX = 80


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of one body: items stored, of those with nothing new to see, and items turned away."""

    stored: int = 0
    seen: int = 0
    rejected: int = 0
    malformed: bool = False
    """The body was no JSON of the right shape: nothing of it could be read."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Something that was turned away: when, why, and what it claimed to be of (shortened, never trusted)."""

    at: datetime | None
    reason: str
    claimed: str


@dataclass(slots=True)
class _Letter:
    """One body: its items that can be read; of those, the ones that count, and the positions of those with nothing new
    to see; and what is turned away."""

    malformed: bool = False
    items: list[tuple[Item, str]] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    seen: frozenset[int] = frozenset()
    tokens: tuple[str, ...] = ()
    copies: dict[int, EventCopy] = field(default_factory=dict)
    """The events that items bring, by position: those that could be opened."""
    refusals: list[Refusal] = field(default_factory=list)

    def outcome(self) -> Accepted:
        return Accepted(len(self.notices), len(self.seen), len(self.refusals), malformed=self.malformed)


_SECRETS = select(subscription_table.c.remote_id, subscription_table.c.room_id, subscription_table.c.client_state)
_KNOWN_ONE = Prepared(_SECRETS.where(subscription_table.c.remote_id == bindparam("ids")))
_KNOWN_MANY = Prepared(_SECRETS.where(is_any_of(subscription_table.c.remote_id, "ids")))
_PENDING = Prepared(
    select(subscription_table.c.room_id, subscription_table.c.client_state).where(
        subscription_table.c.remote_id.is_(None), subscription_table.c.client_state != NO_SECRET
    )
)
_waits_for_it = exists().where(
    intent_table.c.loan_number == link_table.c.loan_number, intent_table.c.unsent_since.is_not(None)
)
_COPIES = select(
    copy_table.c.event_id, copy_table.c.etag, copy_table.c.live, copy_table.c.gone, copy_table.c.doubt,
    copy_table.c.start_at, copy_table.c.ical_uid, copy_table.c.series_master,
    link_table.c.state.label("link_state"), _waits_for_it.label("is_awaited"),
).join(
    link_table, link_table.c.ical_uid == copy_table.c.ical_uid, isouter=True
).where(copy_table.c.room_id == bindparam("room"))  # fmt: skip
_COPIES_ONE = Prepared(_COPIES.where(copy_table.c.event_id == bindparam("ids")))
_COPIES_MANY = Prepared(_COPIES.where(is_any_of(copy_table.c.event_id, "ids")))
_ADD = Prepared(notification_table.insert())
_SIGNALLED = Prepared(
    update(room_table)
    .where(room_table.c.id == bindparam("room"))
    .values(signalled_at=bindparam("at"), changed_unsignalled=0)
)
_NOTIFIED = Prepared(
    update(subscription_table)
    .where(subscription_table.c.room_id == bindparam("room"))
    .values(notified_at=bindparam("at"))
)


class Inbox:
    """
    Where notifications arrive.

    Args:
        database: where they are kept.
        gather: how long a room waits for further notifications before it is read.
        clock: dates what was turned away, for which no transaction is opened; None: the one the database was given.
    """

    def __init__(
        self,
        database: Database,
        *,
        gather: GatherRule = GATHER,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self._database = database
        self._clock = clock or database.clock
        self._gatherings = Gatherings(gather)
        self.contents: Contents | None = None
        """Takes over the events that notifications bring; None: they are not looked at."""
        self.counts: Counter[str] = Counter()
        """Items ever `stored`, `seen`, and turned away by reason."""
        self.rejections: deque[Rejection] = deque(maxlen=REJECTIONS_KEPT)

    def accept(self, body: bytes) -> Accepted:
        """Store what one body brings; see `accept_all`."""
        return self.accept_all([body])[0]

    def accept_all(self, bodies: Sequence[bytes]) -> list[Accepted]:
        """
        Store what *bodies* bring, and mark what they point at, in one transaction; safe to call from several threads.

        Once this returns, nothing of them is lost. A body that cannot be read, an unknown subscription or a wrong
        client state changes nothing.

        Raises: Unreachable, DatabaseUnusable: nothing was stored, so the senders must be told to come again.
        """
        letters = [_open(body) for body in bodies]
        if any(letter.items for letter in letters):
            with self._database.read() as transaction:
                for letter in letters:
                    _check_senders(transaction, letter)
                    letter.seen = _find_seen(transaction, letter.notices)
        if any(letter.notices for letter in letters):
            if self.contents is not None:
                _open_contents(self.contents, letters)
            with self._database.write() as transaction:
                self._store(transaction, letters)
        for letter in letters:
            self._reject(letter.refusals)
            self.counts["stored"] += len(letter.notices)
            self.counts["seen"] += len(letter.seen)
        return [letter.outcome() for letter in letters]

    def prune(self, older_than: datetime) -> int:
        """Delete notifications received before *older_than* (aware); returns how many."""
        with self._database.write() as transaction:
            statement = delete(notification_table).where(notification_table.c.received_at < older_than)
            return int(transaction.connection.execute(statement).rowcount)

    def _reject(self, refusals: Iterable[Refusal]) -> None:
        for refusal in refusals:
            self.counts[refusal.reason] += 1
            at = self._clock() if self._clock is not None else None
            self.rejections.append(Rejection(at, refusal.reason, refusal.claimed[:_SHOWN_MAX]))

    def _store(self, transaction: Transaction, letters: Sequence[_Letter]) -> None:
        notices = [notice for letter in letters for notice in letter.notices]
        rows = [_row(notice, transaction.now) for notice in notices]
        _ADD.run(transaction.connection, rows)
        rooms = sorted({notice.room_id for notice in notices})
        stamps = [{"room": room, "at": transaction.now} for room in rooms]
        _NOTIFIED.run(transaction.connection, stamps)
        signalled = {notice.room_id for notice in notices if notice.lifecycle is None}
        if signalled:
            _SIGNALLED.run(transaction.connection, [stamp for stamp in stamps if stamp["room"] in signalled])
        news: dict[int, list[News]] = defaultdict(list)
        for letter in letters:
            for position, notice in enumerate(letter.notices):
                if notice.pending:
                    _learn_id(transaction, notice)
                if notice.lifecycle is not None:
                    _follow_lifecycle(transaction, notice)
                elif position not in letter.seen:
                    told = Told(notice.event_id, notice.change_type, notice.etag)
                    news[notice.room_id].append((told, letter.copies.get(position)))
        self._look(transaction, news)

    def _look(self, transaction: Transaction, news: Mapping[int, Sequence[News]]) -> None:
        """Have the rooms read of which there are *news*, as far as these do not bring all there is to know."""
        for room, told in news.items():
            unread = [each for each, _ in told]
            if self.contents is not None:
                unread = self.contents.take(transaction, room, told)
            if unread:
                self._gatherings.mark(transaction, room, unread)


def _row(notice: Notice, now: datetime) -> dict[str, Any]:
    return {
        "room_id": notice.room_id,
        "received_at": now,
        "event_id": notice.event_id,
        "etag": notice.etag,
        "change_type": notice.lifecycle or notice.change_type,
        "raw": notice.raw,
    }


def _open(body: bytes) -> _Letter:
    """Return what can be read of a body."""
    parts = split_body(body)
    if parts is None:
        return _Letter(malformed=True, refusals=[Refusal(MALFORMED_BODY, f"{len(body)} bytes")])
    raws, tokens = parts
    items, refusals = decode_items(raws)
    return _Letter(items=items, refusals=refusals, tokens=tokens)


def _open_contents(contents: Contents, letters: Sequence[_Letter]) -> None:
    """Open what the notices bring that tell something new, before any transaction."""
    contents.catch_up()
    for letter in letters:
        for position, notice in enumerate(letter.notices):
            wanted = position not in letter.seen and notice.lifecycle is None and notice.change_type != "deleted"
            if wanted and notice.sealed is not None and notice.event_id is not None:
                copy = contents.reader.read(notice.sealed, letter.tokens, event_id=notice.event_id)
                if copy is not None:
                    letter.copies[position] = copy


def _check_senders(transaction: Transaction, letter: _Letter) -> None:
    """Let those items count whose subscription is ours and whose client state is the one we gave it."""
    items = letter.items
    ids = {str(item.subscription_id) for item, _ in items}
    known = {row.remote_id: row for row in _load(transaction, _KNOWN_ONE, _KNOWN_MANY, ids)}
    unknown = any(item.subscription_id not in known for item, _ in items)
    pending = _PENDING.run(transaction.connection).all() if unknown else ()
    for item, raw in items:
        row = known.get(item.subscription_id)
        if row is not None and is_same_secret(item.client_state, row.client_state):
            letter.notices.append(read_notice(item, raw, row.room_id, pending=False))
            continue
        early = None
        if row is None:
            early = next((each for each in pending if is_same_secret(item.client_state, each.client_state)), None)
        if early is not None:
            letter.notices.append(read_notice(item, raw, early.room_id, pending=True))
        else:
            reason = UNKNOWN_SUBSCRIPTION if row is None else WRONG_CLIENT_STATE
            letter.refusals.append(Refusal(reason, str(item.subscription_id)))


def _find_seen(transaction: Transaction, notices: Sequence[Notice]) -> frozenset[int]:
    """
    Return the positions of the notices that tell what the mirror holds already, e.g. our own write coming back, or
    how a meeting that we have withdrawn leaves its rooms: whatever becomes of its copies, nothing is decided by them,
    unless another event of ours waits for that (`reconcile/freeing.py`), or it is a date of a series, which may be
    brought back.

    In doubt it is news: a copy that waits to be asked for, and anything that is no plain booking (a series' master,
    a stub), since a change to one of those may show elsewhere.
    """
    named: dict[int, set[str]] = {}
    for notice in notices:
        if notice.event_id is not None and notice.lifecycle is None:
            named.setdefault(notice.room_id, set()).add(notice.event_id)
    copies: dict[tuple[int, str], Any] = {}
    for room, ids in named.items():
        rows = _load(transaction, _COPIES_ONE, _COPIES_MANY, ids, room=room)
        copies.update(((room, row.event_id), row) for row in rows)
    return frozenset(
        position
        for position, notice in enumerate(notices)
        if notice.event_id is not None and notice.lifecycle is None
        and _is_seen(notice, copies.get((notice.room_id, notice.event_id)))
    )  # fmt: skip


def _is_seen(notice: Notice, copy: Any) -> bool:
    if copy is None:
        return False
    if copy.link_state == ENDED and copy.series_master is None and not is_date(copy.ical_uid):
        return not (copy.live and copy.is_awaited)
    if copy.gone or notice.change_type == "deleted":
        return bool(copy.gone) and notice.change_type == "deleted"
    plain = not copy.doubt and copy.start_at is not None and copy.ical_uid is not None
    return plain and notice.etag is not None and notice.etag == copy.etag


def _learn_id(transaction: Transaction, notice: Notice) -> None:
    """Store the id of a subscription whose creation was not answered yet, or never will be."""
    transaction.connection.execute(
        update(subscription_table)
        .where(subscription_table.c.room_id == notice.room_id, subscription_table.c.remote_id.is_(None))
        .values(remote_id=notice.subscription_id, expires_at=notice.expires_at, renewed_at=transaction.now)
    )


def _follow_lifecycle(transaction: Transaction, notice: Notice) -> None:
    """Graph docs, change-notifications-lifecycle-events: renew; create anew and read; read (the unknown ones too)."""
    room = str(notice.room_id)
    if notice.lifecycle == REAUTHORIZE:
        _doubt_expiry(transaction, notice)
        transaction.mark("subscription", room)
        return
    if notice.lifecycle == REMOVED:
        clear_subscription(transaction, notice.room_id, remote_id=notice.subscription_id)
        transaction.mark("subscription", room)
    transaction.mark("room", room)


def _doubt_expiry(transaction: Transaction, notice: Notice) -> None:
    """Forget when the subscription ends: one whose end is not known is due for renewal, and that reauthorizes it."""
    transaction.connection.execute(
        update(subscription_table)
        .where(
            subscription_table.c.room_id == notice.room_id,
            subscription_table.c.remote_id == notice.subscription_id,
        )
        .values(expires_at=None)
    )


def _load(
    transaction: Transaction, one: Prepared, many: Prepared, ids: Iterable[str], **values: object
) -> Iterable[Any]:
    """Yield the rows of *ids*. Most bodies bring a single item, and that is asked for without the cost of a list."""
    ordered = sorted(ids)
    if len(ordered) == 1:
        yield from one.run(transaction.connection, {"ids": ordered[0], **values})
        return
    yield from many.run(transaction.connection, {"ids": ordered, **values})
