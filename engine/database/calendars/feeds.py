"""Calendar feeds as rows, and the loans each of them shows. Only the SHA-256 of a secret is kept."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, or_, select

from engine.calendars.book import Feed, FeedKind, FeedOrder
from engine.database.cases.records import write_decisions
from engine.database.loans.rows import load_loans
from engine.database.sql.connection import Database
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.errors import Fault, Invalid, NotFound
from engine.ids import ID_MAX, Address, BookableId, StoreId, fold_address
from engine.loans.loan import Loan
from engine.loans.status import BLOCKING_STATES, LoanStatus
from engine.reconcile.actions import Note

SECRET_BYTES = 32

READ_NOTED_EVERY = timedelta(minutes=5)
"""A write per request would be too dear for a column that people look at once a month."""

LOANS_AT_ONCE = 1000

HIDDEN = (LoanStatus.CANCELLED.value, LoanStatus.REFUSED.value, LoanStatus.SUSPENDED.value)
"""What did not take place is no entry of a calendar."""

_feed = metadata.tables["feed"]
_loan = metadata.tables["loan"]
_item = metadata.tables["loan_item"]
_person = metadata.tables["person"]
_alias = metadata.tables["person_alias"]
_room = metadata.tables["room"]
_store = metadata.tables["store"]
_decision = metadata.tables["decision"]

_FEEDS = (
    select(_feed, _person.c.name.label("person"), _room.c.name.label("room"), _store.c.name.label("store"))
    .join(_person, _person.c.address_folded == _feed.c.address, isouter=True)
    .join(_room, _room.c.id == _feed.c.room_id, isouter=True)
    .join(_store, _store.c.id == _feed.c.store_id, isouter=True)
    .order_by(_feed.c.id.desc())
)
_BY_DIGEST = Prepared(_FEEDS.where(_feed.c.digest == bindparam("of_digest")))
_NOTE_READ = Prepared(_feed.update().where(_feed.c.id == bindparam("of_id")))
_NEWEST = Prepared(select(func.max(_decision.c.id)))

_RECENT = and_(
    _loan.c.end_at > bindparam("since", type_=_loan.c.end_at.type),
    _loan.c.status.not_in(HIDDEN),
)
_SHOWN = select(_loan.c.number, _loan.c.changed_at).where(_RECENT).order_by(_loan.c.start_at, _loan.c.number)
_people = (
    select(_person.c.id)
    .join(_alias, _alias.c.person_id == _person.c.id, isouter=True)
    .where(or_(_person.c.address_folded == bindparam("of"), _alias.c.address_folded == bindparam("of")))
)
_LOANS_OF = {
    FeedKind.PERSON: Prepared(_SHOWN.where(_loan.c.person_id.in_(_people))),
    FeedKind.STORE: Prepared(_SHOWN.where(_loan.c.store_id == bindparam("of"))),
    FeedKind.ROOM: Prepared(
        _SHOWN.join(_item, _item.c.loan_number == _loan.c.number).where(
            _item.c.bookable_id == bindparam("of"), _item.c.state.in_([state.value for state in BLOCKING_STATES])
        )
    ),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A loan that a feed shows, and when it was changed last."""

    loan: Loan
    changed_at: datetime


class FeedStore:
    """All feeds, and what they show."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, order: FeedOrder, *, actor: str) -> tuple[Feed, str]:
        """Make a feed and return it with its secret, this once. Raises Invalid, NotFound."""
        secret = secrets.token_urlsafe(SECRET_BYTES)
        with self._database.write() as transaction:
            _check(transaction, order)
            values = {
                "kind": order.kind.value,
                "address": fold_address(order.address) if order.address is not None else None,
                "room_id": order.room_id,
                "store_id": order.store_id,
                "owner": order.owner,
                "owner_folded": fold_address(order.owner) if order.owner is not None else None,
                "language": order.language,
                "digest": _digest(secret),
                "created_at": transaction.now,
                "created_by": actor,
            }
            number = transaction.connection.execute(_feed.insert().values(**values).returning(_feed.c.id)).scalar_one()
            feed = _load(transaction, _FEEDS.where(_feed.c.id == number))
            _tell(transaction, Note("feed_created", {"feed": feed.id, "name": feed.name}, actor=actor))
        return feed, secret

    def rotate(self, feed_id: int, *, owner: Address | None, actor: str) -> tuple[Feed, str]:
        """Give a live feed another secret, and return it, this once. Raises NotFound."""
        secret = secrets.token_urlsafe(SECRET_BYTES)
        with self._database.write() as transaction:
            feed = self._change(transaction, feed_id, owner, digest=_digest(secret), rotated_at=transaction.now)
            _tell(transaction, Note("feed_rotated", {"feed": feed.id, "name": feed.name}, actor=actor))
        return feed, secret

    def revoke(self, feed_id: int, *, owner: Address | None, actor: str) -> None:
        """End a live feed, for good. Raises NotFound."""
        with self._database.write() as transaction:
            feed = self._change(transaction, feed_id, owner, revoked_at=transaction.now)
            _tell(transaction, Note("feed_revoked", {"feed": feed.id, "name": feed.name}, actor=actor))

    def list_feeds(self, *, owner: Address | None = None) -> Sequence[Feed]:
        """Return the feeds, revoked ones included, the newest first: all, or those of *owner*."""
        wanted = _FEEDS if owner is None else _FEEDS.where(_feed.c.owner_folded == fold_address(owner))
        with self._database.read() as transaction:
            return [_parse(row) for row in transaction.connection.execute(wanted)]

    def find(self, secret: str) -> Feed | None:
        """Return the feed a secret opens, a revoked one too. Found by its digest: the time it takes tells nothing."""
        with self._database.read() as transaction:
            row = _BY_DIGEST.run(transaction.connection, {"of_digest": _digest(secret)}).first()
            now = transaction.now
        if row is None:
            return None
        if row.revoked_at is None and (row.read_at is None or now - row.read_at >= READ_NOTED_EVERY):
            with self._database.write() as transaction:
                _NOTE_READ.run(transaction.connection, {"of_id": row.id, "read_at": now})
        return _parse(row)

    def newest_decision(self) -> int:
        """Return the number of the last decision there is: as long as it stays, no loan has changed."""
        with self._database.read() as transaction:
            return int(_NEWEST.run(transaction.connection).scalar() or 0)

    def load_shown(self, order: FeedOrder, *, since: datetime) -> list[Shown]:
        """Return the loans of a feed that end after *since*, by their start."""
        of: object = order.room_id if order.kind is FeedKind.ROOM else order.store_id
        if order.address is not None:
            of = fold_address(order.address)
        with self._database.read() as transaction:
            rows = _LOANS_OF[order.kind].run(transaction.connection, {"of": of, "since": since}).all()
            changed_at = {row.number: row.changed_at for row in rows}
            numbers = list(changed_at)
            loans: dict[int, Loan] = {}
            for at in range(0, len(numbers), LOANS_AT_ONCE):
                part = load_loans(transaction.connection, numbers[at : at + LOANS_AT_ONCE])
                loans.update((loan.number, loan) for loan in part)
        return [Shown(loans[number], changed_at[number]) for number in numbers]

    def _change(self, transaction: Transaction, feed_id: int, owner: Address | None, **values: Any) -> Feed:
        wanted = _FEEDS.where(_feed.c.id == min(feed_id, ID_MAX), _feed.c.revoked_at.is_(None))
        if owner is not None:
            wanted = wanted.where(_feed.c.owner_folded == fold_address(owner))
        feed = _load(transaction, wanted, f"there is no live feed {feed_id}")
        transaction.connection.execute(_feed.update().where(_feed.c.id == feed.id).values(**values))
        return feed


def _check(transaction: Transaction, order: FeedOrder) -> None:
    """Raise Invalid when it does not say of whom, NotFound when there is no such room or store."""
    given = {FeedKind.PERSON: order.address, FeedKind.ROOM: order.room_id, FeedKind.STORE: order.store_id}
    if [kind for kind, of in given.items() if of is not None] != [order.kind]:
        raise Invalid(Fault("kind", "one_of", "a feed of a person needs an address, of a room or a store its number"))
    if order.address is not None and "@" not in order.address:
        raise Invalid(Fault("address", "implausible", "no e-mail address"))
    for table, name, number in ((_room, "room", order.room_id), (_store, "store", order.store_id)):
        wanted = select(table.c.id).where(table.c.id == min(number or 0, ID_MAX))
        if number is not None and transaction.connection.execute(wanted).first() is None:
            raise NotFound(f"there is no {name} {number}")


def _load(transaction: Transaction, wanted: Select[Any], missing: str = "") -> Feed:
    row = transaction.connection.execute(wanted).first()
    if row is None:
        raise NotFound(missing)
    return _parse(row)


def _tell(transaction: Transaction, note: Note) -> None:
    write_decisions(transaction, [note], loan_number=None, ical_uid=None)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _parse(row: Any) -> Feed:
    order = FeedOrder(
        kind=FeedKind(row.kind),
        address=Address(row.address) if row.address is not None else None,
        room_id=BookableId(row.room_id) if row.room_id is not None else None,
        store_id=StoreId(row.store_id) if row.store_id is not None else None,
        owner=Address(row.owner) if row.owner is not None else None,
        language=row.language,
    )
    return Feed(
        id=row.id,
        order=order,
        name=row.person or row.room or row.store or row.address or "",
        created_at=row.created_at,
        created_by=row.created_by,
        rotated_at=row.rotated_at,
        read_at=row.read_at,
        revoked_at=row.revoked_at,
    )
