"""The outbox: messages to others, written with the change they tell of, carried out later, kept with every try.

    write_letters ──► waiting ──record──► sent
                        ▲   └──────────► parked (after the last try, or refused for good)
                        └───replay────────┘

- The first waiting message of a lane is its *head*; only heads are sent, so that a lane keeps its order.
- A crash between a send and its record sends the message once more: receivers know it by its number.
- A receiver that failed three times in a row counts as down: it is tried with one message at a time, and once it
  takes one, all that wait for it are due at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, delete, func, null, select, update

from engine.database.cases.records import close_case_of, keep_standing_cases
from engine.database.sql.connection import Database
from engine.database.sql.marks import Priority
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.sql.upserts import upsert
from engine.database.tables import metadata
from engine.database.tables.types import Instant
from engine.errors import NotFound
from engine.ids import ID_MAX
from engine.outbox.backoff import DOWN_AFTER, wait_after
from engine.outbox.message import (
    ANSWER_CHARACTERS_MAX,
    KEY,
    Attempt,
    Due,
    Letter,
    Message,
    MessageFilter,
    MessageState,
    OutboxBook,
    Receipt,
    ReceiverHealth,
)
from engine.reconcile.actions import Note

LIST_MAX = 1000

PARKED_CASE = "message_parked"
"""The case of a receiver of whose messages some were given up."""

outbox_table = metadata.tables["outbox"]
try_table = metadata.tables["outbox_try"]
receiver_table = metadata.tables["outbox_receiver"]

_c = outbox_table.c
_ADD = Prepared(outbox_table.insert())
_ADD_TRY = Prepared(try_table.insert())
_waits = _c.state == MessageState.WAITING.value
_of_receiver = and_(_c.channel == bindparam("of_channel"), _c.receiver == bindparam("of_receiver"))
_HEADS = select(func.min(_c.id).label("head")).where(_of_receiver, _waits).group_by(_c.lane).subquery("heads")
_DUE = Prepared(
    select(outbox_table)
    .where(_c.id.in_(select(_HEADS.c.head)), _c.due_at <= bindparam("now", type_=Instant()))
    .order_by(_c.due_at, _c.id)
    .limit(bindparam("most"))
)
_NEXT_DUE = Prepared(select(func.min(_c.due_at)).where(_c.id.in_(select(_HEADS.c.head))))
_END = Prepared(update(outbox_table).where(_c.id == bindparam("of_id"), _waits))
_ALL_DUE = Prepared(update(outbox_table).where(_of_receiver, _waits).values(due_at=bindparam("now", type_=Instant())))
_r = receiver_table.c
_RECEIVER = Prepared(
    select(receiver_table).where(_r.channel == bindparam("of_channel"), _r.receiver == bindparam("of_receiver"))
)


def write_letters(transaction: Transaction, letters: Sequence[Letter], *, priority: int = Priority.LIVE) -> None:
    """Keep *letters* in *transaction*, to be sent once it has committed: no commit, no message."""
    rows = [
        {
            "channel": letter.channel,
            "receiver": letter.receiver,
            "lane": letter.lane,
            "topic": letter.topic,
            "body": letter.body,
            "loan_number": letter.loan_number,
            "state": MessageState.WAITING.value,
            "tries": 0,
            "created_at": transaction.now,
            "due_at": transaction.now,
        }
        for letter in letters
    ]
    _ADD.run(transaction.connection, rows)
    for channel, receiver in sorted({(letter.channel, letter.receiver) for letter in letters}):
        transaction.mark(KEY, f"{channel}:{receiver}", priority=priority)


def newest_message(transaction: Transaction, channel: str, receiver: str) -> Message:
    """Return the message that was written last for a receiver, which has one."""
    statement = select(outbox_table).where(_c.channel == channel, _c.receiver == receiver).order_by(_c.id.desc())
    return _message(transaction.connection.execute(statement.limit(1)).one())


def drop_receiver(transaction: Transaction, channel: str, receiver: str) -> None:
    """Send nothing more to a receiver that is gone. What was sent stays in the log."""
    values = {"state": MessageState.DROPPED.value, "due_at": None, "ended_at": transaction.now}
    open_ones = _c.state.in_((MessageState.WAITING.value, MessageState.PARKED.value))
    transaction.connection.execute(
        update(outbox_table).where(_c.channel == channel, _c.receiver == receiver, open_ones).values(values)
    )
    close_case_of(transaction, f"{KEY}:{channel}:{receiver}", PARKED_CASE)
    transaction.connection.execute(delete(receiver_table).where(_r.channel == channel, _r.receiver == receiver))


class Outbox(OutboxBook):
    """The messages, for the passes that carry them out and for the people who look after them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- carrying out

    def take_due(self, channel: str, receiver: str, limit: int) -> Due:
        """Return the heads that are due, the longest due first: one alone while the receiver is down."""
        which = {"of_channel": channel, "of_receiver": receiver}
        with self._database.read() as transaction:
            row = _RECEIVER.run(transaction.connection, which).first()
            is_down = row is not None and row.failures >= DOWN_AFTER
            values = {**which, "now": transaction.now, "most": 1 if is_down else limit}
            rows = _DUE.run(transaction.connection, values).all()
        return Due(tuple(_message(row) for row in rows), is_down)

    def record(self, message: Message, receipt: Receipt) -> None:
        """Remember what came of a try. One that was dropped or replayed meanwhile keeps its new state."""
        with self._database.write() as transaction:
            now = transaction.now
            _ADD_TRY.run(transaction.connection, _try_row(message.id, receipt, now))
            _END.run(transaction.connection, {"of_id": message.id, **_after(message, receipt, now)})
            self._note_receiver(transaction, message.letter, receipt)
            if receipt.error is not None and _after(message, receipt, now).get("state") == MessageState.PARKED.value:
                _tell_parked(transaction, message.letter, receipt.error)

    def _note_receiver(self, transaction: Transaction, letter: Letter, receipt: Receipt) -> None:
        connection, which = transaction.connection, {"of_channel": letter.channel, "of_receiver": letter.receiver}
        row = _RECEIVER.run(connection, which).first()
        if receipt.error is None or receipt.final:  # a refusal of this one message says: I am here
            values: dict[str, Any] = {"failures": 0, "failing_since": None}
            if row is not None and row.failures >= DOWN_AFTER:
                _ALL_DUE.run(connection, {**which, "now": transaction.now})
        else:
            since = row.failing_since if row is not None and row.failing_since is not None else transaction.now
            values = {"failures": (row.failures if row is not None else 0) + 1, "failing_since": since}
        if receipt.error is None:
            values["last_sent_at"] = transaction.now
        else:
            values["last_error"] = receipt.error
        _keep_receiver(transaction, letter.channel, letter.receiver, values)

    def mark_next(self, channel: str, receiver: str, *, at_least: float = 0.0) -> None:
        """Have the receiver looked at again when its next message is due, in *at_least* seconds at the earliest."""
        with self._database.write() as transaction:
            which = {"of_channel": channel, "of_receiver": receiver}
            due_at = _NEXT_DUE.run(transaction.connection, which).scalar()
            if due_at is not None:
                delay = max((_as_instant(due_at) - transaction.now).total_seconds(), at_least)
                transaction.mark(KEY, f"{channel}:{receiver}", priority=Priority.SWEEP, delay=max(delay, 0.0))

    # --- looking after it

    def list_messages(self, wanted: MessageFilter) -> Sequence[Message]:
        statement = select(outbox_table).where(*_conditions(wanted)).order_by(_c.id.desc())
        with self._database.read() as transaction:
            rows = transaction.connection.execute(statement.limit(max(1, min(wanted.limit, LIST_MAX))))
            return [_message(row) for row in rows]

    def find(self, message_id: int) -> Message:
        with self._database.read() as transaction:
            return _find(transaction, message_id)

    def attempts(self, message_id: int) -> Sequence[Attempt]:
        with self._database.read() as transaction:
            _find(transaction, message_id)
            rows = transaction.connection.execute(
                select(try_table).where(try_table.c.outbox_id == message_id).order_by(try_table.c.id)
            )
            return [Attempt(row.at, Receipt(row.milliseconds, row.status, row.answer, row.error)) for row in rows]

    def replay(self, message_id: int) -> Message:
        with self._database.write() as transaction:
            letter = _find(transaction, message_id).letter
            _replay(transaction, _c.id == message_id)
            _wake(transaction, letter.channel, letter.receiver)
            return _find(transaction, message_id)

    def replay_all(self, wanted: MessageFilter) -> int:
        with self._database.write() as transaction:
            conditions = [*_conditions(wanted), _c.state == MessageState.PARKED.value]
            named = select(_c.channel, _c.receiver).where(*conditions).distinct()
            receivers = transaction.connection.execute(named).all()
            count = _replay(transaction, *conditions)
            for channel, receiver in receivers:
                _wake(transaction, channel, receiver)
            return count

    def health(self) -> Sequence[ReceiverHealth]:
        with self._database.read() as transaction:
            return _load_health(transaction, _COUNT_BY_RECEIVER, select(receiver_table))

    def health_of(self, channel: str, receiver: str) -> ReceiverHealth:
        counted = _COUNT_BY_RECEIVER.where(_c.channel == channel, _c.receiver == receiver)
        noted = select(receiver_table).where(_r.channel == channel, _r.receiver == receiver)
        with self._database.read() as transaction:
            return next(iter(_load_health(transaction, counted, noted)), ReceiverHealth(channel, receiver))

    def failing(self) -> int:
        with self._database.read() as transaction:
            failing = select(func.count()).select_from(receiver_table).where(_r.failures > 0)
            return int(transaction.connection.execute(failing).scalar_one())

    def counts(self) -> Mapping[MessageState, int]:
        with self._database.read() as transaction:
            rows = transaction.connection.execute(select(_c.state, func.count()).group_by(_c.state)).all()
        return {MessageState(state): count for state, count in rows}

    def prune(self, before: datetime) -> int:
        """Forget what was sent or dropped before *before*, with its tries; returns how many messages."""
        old = and_(
            _c.state.in_((MessageState.SENT.value, MessageState.DROPPED.value)),
            _c.ended_at < bindparam("before", before, type_=Instant()),
        )
        with self._database.write() as transaction:
            ids = select(_c.id).where(old)
            transaction.connection.execute(delete(try_table).where(try_table.c.outbox_id.in_(ids)))
            return transaction.connection.execute(delete(outbox_table).where(old)).rowcount


_COUNT_BY_RECEIVER = (
    select(
        _c.channel,
        _c.receiver,
        *(
            func.sum(case((_c.state == state.value, 1), else_=0)).label(state.value)
            for state in (MessageState.WAITING, MessageState.PARKED, MessageState.SENT)
        ),
        func.min(case((_waits, _c.due_at), else_=null())).label("next_at"),
    )
    .where(_c.state != MessageState.DROPPED.value)
    .group_by(_c.channel, _c.receiver)
)


def _after(message: Message, receipt: Receipt, now: datetime) -> dict[str, Any]:
    """Return what a try makes of its message."""
    tries = message.tries + 1
    if receipt.error is None:
        return {
            "state": MessageState.SENT.value, "tries": tries, "due_at": None, "ended_at": now, "last_error": None,
        }  # fmt: skip
    wait = None if receipt.final else wait_after(tries, receipt.retry_after)
    if wait is None:
        return {
            "state": MessageState.PARKED.value, "tries": tries, "due_at": None, "ended_at": now,
            "last_error": receipt.error,
        }  # fmt: skip
    return {"tries": tries, "due_at": now + wait, "last_error": receipt.error}


def _try_row(message_id: int, receipt: Receipt, now: datetime) -> dict[str, Any]:
    return {
        "outbox_id": message_id,
        "at": now,
        "milliseconds": receipt.milliseconds,
        "status": receipt.status,
        "answer": receipt.answer[:ANSWER_CHARACTERS_MAX].replace("\x00", "\N{REPLACEMENT CHARACTER}"),
        "error": receipt.error,
    }


def _keep_receiver(transaction: Transaction, channel: str, receiver: str, values: dict[str, Any]) -> None:
    which = {"channel": channel, "receiver": receiver}
    upsert(transaction, receiver_table, which, values, at_first={"failures": 0})


def _replay(transaction: Transaction, *conditions: ColumnElement[bool]) -> int:
    values = {"state": MessageState.WAITING.value, "tries": 0, "due_at": transaction.now, "ended_at": None}
    return transaction.connection.execute(update(outbox_table).where(*conditions).values(values)).rowcount


def _wake(transaction: Transaction, channel: str, receiver: str) -> None:
    """Have a receiver looked at now; once nothing of it is parked any more, its case closes."""
    transaction.mark(KEY, f"{channel}:{receiver}")
    parked = (_c.channel == channel) & (_c.receiver == receiver) & (_c.state == MessageState.PARKED.value)
    if transaction.connection.execute(select(_c.id).where(parked).limit(1)).first() is None:
        close_case_of(transaction, f"{KEY}:{channel}:{receiver}", PARKED_CASE)


def _tell_parked(transaction: Transaction, letter: Letter, error: str) -> None:
    """Open a case for a receiver of whose messages one was given up; one for all of them."""
    note = Note(PARKED_CASE, {"channel": letter.channel, "receiver": letter.receiver, "error": error}, actor="engine")
    keep_standing_cases(transaction, f"{KEY}:{letter.channel}:{letter.receiver}", [note])


def _conditions(wanted: MessageFilter) -> list[ColumnElement[bool]]:
    conditions = [
        column == value
        for column, value in (
            (_c.channel, wanted.channel),
            (_c.receiver, wanted.receiver),
            (_c.lane, wanted.lane),
            (_c.state, wanted.state.value if wanted.state is not None else None),
        )
        if value is not None
    ]
    if wanted.after is not None:
        conditions.append(_c.id < wanted.after)
    return conditions


def _find(transaction: Transaction, message_id: int) -> Message:
    row = (
        transaction.connection.execute(select(outbox_table).where(_c.id == message_id)).first()
        if 0 < message_id <= ID_MAX
        else None
    )
    if row is None:
        raise NotFound(f"there is no message {message_id} in the outbox")
    return _message(row)


def _message(row: Any) -> Message:
    return Message(
        id=row.id,
        letter=Letter(row.channel, row.receiver, row.lane, row.topic, row.body, row.loan_number),
        state=MessageState(row.state),
        tries=row.tries,
        created_at=row.created_at,
        due_at=row.due_at,
        ended_at=row.ended_at,
        last_error=row.last_error,
    )


def _load_health(transaction: Transaction, counted: Select[Any], noted: Select[Any]) -> list[ReceiverHealth]:
    counts = {(row.channel, row.receiver): row for row in transaction.connection.execute(counted)}
    notes = {(row.channel, row.receiver): row for row in transaction.connection.execute(noted)}
    return [_health(key, counts.get(key), notes.get(key)) for key in sorted({*counts, *notes})]


def _health(key: tuple[str, str], counted: Any, noted: Any) -> ReceiverHealth:
    return ReceiverHealth(
        channel=key[0],
        receiver=key[1],
        waiting=counted.waiting if counted else 0,
        parked=counted.parked if counted else 0,
        sent=counted.sent if counted else 0,
        failures=noted.failures if noted else 0,
        failing_since=noted.failing_since if noted else None,
        last_sent_at=noted.last_sent_at if noted else None,
        last_error=noted.last_error if noted else None,
        next_at=_as_instant(counted.next_at) if counted and counted.next_at else None,
    )


def _as_instant(value: datetime) -> datetime:
    assert value.utcoffset() is not None, "the column type makes instants"
    return value


RETENTION = timedelta(days=30)
"""How long what was sent is kept, with the receivers' answers."""
