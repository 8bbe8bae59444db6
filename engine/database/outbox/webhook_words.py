"""What webhooks say of a transaction's changes, read in that very transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from engine.database.cases.rows import CASES, read_filed
from engine.database.loans.told import tell_loans
from engine.database.rooms.book import read_room
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.stores.catalogue import load_stores
from engine.database.tables import metadata
from engine.ids import StoreId
from engine.loans.loan import Case, CaseState, Loan, TextLevel
from engine.outbox.changes import CASE, CLOSURE, LOAN, ROOM, Change, Event
from engine.outbox.message import Letter
from engine.reconcile.words.reasons import explain
from engine.rooms.room import RoomState
from engine.webhooks.endpoint import CHANNEL, Endpoint
from engine.webhooks.payload import Data, build_body, case_data, closure_data, gone_data, loan_data, room_data

RESEND = "resend"
"""Why a message was sent that tells of no change: somebody asked for everything."""

LANGUAGES = ("en", "fr")

_loan = metadata.tables["loan"]
_room = metadata.tables["room"]
_case = metadata.tables["case"]
_ids: Any = bindparam("ids", expanding=True)
_ROOMS = Prepared(select(_room).where(_room.c.id.in_(_ids)))
_SOME_CASES = Prepared(CASES.where(_case.c.id.in_(_ids)))


class Wording:
    """
    The words for *changes*; what they are about is read once, for every endpoint.

    Args:
        link: the address at which people open a loan.
        text_level: what counts where a store says nothing.
    """

    def __init__(
        self,
        transaction: Transaction,
        changes: Sequence[Change],
        *,
        link: Callable[[int], str],
        text_level: TextLevel,
    ) -> None:
        self._now = transaction.now
        self._link = link
        self._level = text_level
        self._stores = load_stores(transaction.connection)
        numbers = {model: [c.number for c in changes if c.model == model] for model in (LOAN, ROOM, CASE, CLOSURE)}
        self._cases = _load_cases(transaction, numbers[CASE])
        about = {case.loan_number for case in self._cases.values() if case.loan_number is not None}
        loans = tell_loans(transaction.connection, sorted({*numbers[LOAN], *about}))
        self._loans: dict[int, Loan] = {int(loan.number): loan for loan in loans}
        concerned = {case.room_id for case in self._cases.values() if case.room_id is not None}
        wanted = sorted({*numbers[ROOM], *numbers[CLOSURE], *concerned})
        self._rooms = {row.id: row for row in _ROOMS.run(transaction.connection, {"ids": wanted})} if wanted else {}

    def letter(self, change: Change, endpoint: Endpoint) -> Letter | None:
        """Return what *endpoint* is owed for *change*; None when what changed is not there, or is no news to it."""
        data = self._data(change, endpoint) if not self._is_about(change, endpoint) else None
        if data is None:
            return None
        body = build_body(change.model, change.event.value, change.reason, self._now, data)
        loan_number = change.number if change.model == LOAN else self._loan_of_case(change)
        lane = f"{change.model}:{change.number}"
        return Letter(CHANNEL, endpoint.receiver, lane, f"{change.model}.{change.event.value}", body, loan_number)

    def _is_about(self, change: Change, endpoint: Endpoint) -> bool:
        """Tell whether a case is that this very endpoint takes no messages: one more about it helps nobody."""
        case = self._cases.get(change.number) if change.model == CASE else None
        about = (case.facts.get("channel"), case.facts.get("receiver")) if case is not None else ()
        return about == (CHANNEL, endpoint.receiver)

    def _data(self, change: Change, endpoint: Endpoint) -> Data | None:
        match change.model:
            case "loan":
                return self._loan(change, endpoint)
            case "room" if (row := self._rooms.get(change.number)) is not None:
                return room_data(read_room(row), self._stores[row.store_id].name)
            case "closure" if (row := self._rooms.get(change.number)) is not None:
                return closure_data(read_room(row), row.state_since, row.state_detail)
            case "case" if (case := self._cases.get(change.number)) is not None:
                texts = {language: explain(case.code, case.facts, language) for language in LANGUAGES}
                return case_data(case, texts, personal=endpoint.personal and self._may_name(case))
        return None

    def _loan(self, change: Change, endpoint: Endpoint) -> Data | None:
        loan = change.was if isinstance(change.was, Loan) else self._loans.get(change.number)
        if loan is not None:
            level = self._level_of(loan.store_id)
            return loan_data(loan, self._link(loan.number), level, personal=endpoint.personal)
        return gone_data("number", change.number) if change.event is Event.DESTROYED else None

    def _may_name(self, case: Case) -> bool:
        """Tell whether a case may say who: not of a private loan, nor where the store of loan or room tells less."""
        loan, room = self._loans.get(case.loan_number or 0), self._rooms.get(case.room_id or 0)
        if loan is not None:
            return not loan.private and self._level_of(loan.store_id) is TextLevel.FULL
        return (self._level_of(StoreId(room.store_id)) if room is not None else self._level) is TextLevel.FULL

    def _level_of(self, store_id: StoreId) -> TextLevel:
        return self._stores[store_id].text_level or self._level

    def _loan_of_case(self, change: Change) -> int | None:
        case = self._cases.get(change.number) if change.model == CASE else None
        return case.loan_number if case is not None else None


def everything(transaction: Transaction, models: Collection[str], since: datetime | None) -> list[Change]:
    """Return everything that is, as if it had just been made; loans only those not over at *since*."""
    connection = transaction.connection
    found: list[Change] = []

    def add(model: str, numbers: Sequence[int]) -> None:
        if model in models:
            found.extend(Change(model, number, Event.CREATED, RESEND) for number in numbers)

    rooms = connection.execute(select(_room.c.id, _room.c.state).order_by(_room.c.id)).all()
    add(ROOM, [row.id for row in rooms])
    add(CLOSURE, [row.id for row in rooms if row.state != RoomState.ACTIVE.value])
    loans = select(_loan.c.number).order_by(_loan.c.number)
    if since is not None:
        loans = loans.where(_loan.c.end_at > since)
    add(LOAN, list(connection.execute(loans).scalars()))
    cases = select(_case.c.id).where(_case.c.state == CaseState.OPEN.value).order_by(_case.c.id)
    add(CASE, list(connection.execute(cases).scalars()))
    return found


def _load_cases(transaction: Transaction, ids: Sequence[int]) -> Mapping[int, Case]:
    if not ids:
        return {}
    return {row.id: read_filed(row).case for row in _SOME_CASES.run(transaction.connection, {"ids": list(ids)})}
