"""Own calendars as they are kept: who connected, with which sealed token, and what stands there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, or_, select, update

from engine.database.calendars.sealing import Sealer
from engine.database.loans.rows import load_loans
from engine.database.sql.connection import Database
from engine.database.sql.marks import Priority
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.errors import NotFound
from engine.ids import Address, EventId, LoanNumber, fold_address
from engine.interval import Interval
from engine.loans.loan import Loan
from engine.reconcile.own_calendar import Entry, KnownEntry, OwnCalendar, OwnCalendarState

KEY = "own"
"""The kind of the keys in the queue; the rest is the folded address."""

_calendar = metadata.tables["own_calendar"]
_entry = metadata.tables["own_calendar_entry"]
_loan = metadata.tables["loan"]
_person = metadata.tables["person"]


_REQUESTER = (
    select(_person.c.address_folded)
    .join(_loan, _loan.c.person_id == _person.c.id)
    .where(_loan.c.number == bindparam("of_number"))
)
_HOLDERS = select(_entry.c.address_folded).where(_entry.c.loan_number == bindparam("of_number"))
_CONCERNED = Prepared(
    select(_calendar.c.address_folded)
    .where(or_(_calendar.c.address_folded.in_(_REQUESTER), _calendar.c.address_folded.in_(_HOLDERS)))
    .order_by(_calendar.c.address_folded)
)


@dataclass(frozen=True, slots=True)
class OwnCalendarScene:
    """What one pass looks at."""

    calendar: OwnCalendar
    loans: tuple[Loan, ...]
    known: tuple[KnownEntry, ...]
    now: datetime


class OwnCalendarStore:
    """
    Reads and writes them, each method in one transaction.

    Args:
        sealer: asked for when a token is sealed or opened: who never connects anybody needs no key.
        on_change: told, in the transaction, whose calendar is connected or left from now on.
    """

    def __init__(
        self,
        database: Database,
        sealer: Callable[[], Sealer],
        *,
        on_change: Callable[[Transaction, str], None] = lambda _transaction, _address: None,
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._on_change = on_change

    # --- people

    def connect(self, address: str, account: str, refresh_token: str) -> None:
        """Keep somebody's permission, in the place of a former one, and have their calendar looked at."""
        folded, sealed = fold_address(address), self._sealer().seal(refresh_token)
        with self._database.write() as transaction:
            transaction.connection.execute(delete(_calendar).where(_calendar.c.address_folded == folded))
            row = {
                "address_folded": folded,
                "address": address,
                "account": account,
                "state": OwnCalendarState.CONNECTED.value,
                "sealed": sealed,
                "detail": "",
                "connected_at": transaction.now,
            }
            transaction.connection.execute(_calendar.insert().values(**row))
            transaction.mark(KEY, folded)
            self._on_change(transaction, folded)

    def find(self, address: str) -> OwnCalendar | None:
        """Return somebody's calendar; None when they never connected it, or no longer."""
        with self._database.read() as transaction:
            return _find(transaction, fold_address(address))

    def disconnect(self, address: str) -> None:
        """Have everything of ours taken out of somebody's calendar, and forget it then. Raises NotFound."""
        if not self._set_state(address, OwnCalendarState.LEAVING, ""):
            raise NotFound(f"{address} has connected no calendar")

    def note_broken(self, address: str, detail: str) -> None:
        """Note that the directory refuses the token: the person has to connect again."""
        self._set_state(address, OwnCalendarState.BROKEN, detail, mark=False)

    def _set_state(self, address: str, state: OwnCalendarState, detail: str, *, mark: bool = True) -> bool:
        folded = fold_address(address)
        with self._database.write() as transaction:
            statement = update(_calendar).where(_calendar.c.address_folded == folded)
            changed = transaction.connection.execute(statement.values(state=state.value, detail=detail))
            if changed.rowcount and mark:
                transaction.mark(KEY, folded)
                self._on_change(transaction, folded)
            return bool(changed.rowcount)

    def forget(self, address: str) -> None:
        """Forget somebody's calendar and the token. What stands there and could not be taken away stays."""
        folded = fold_address(address)
        with self._database.write() as transaction:
            for table in (_entry, _calendar):
                transaction.connection.execute(delete(table).where(table.c.address_folded == folded))

    def open_token(self, address: str) -> str:
        """Return the refresh token. Raises CredentialsRevoked when it cannot be opened, NotFound."""
        with self._database.read() as transaction:
            wanted = select(_calendar.c.sealed).where(_calendar.c.address_folded == fold_address(address))
            sealed = transaction.connection.execute(wanted).scalar()
        if sealed is None:
            raise NotFound(f"{address} has connected no calendar")
        return self._sealer().open(sealed)

    def keep_token(self, address: str, refresh_token: str) -> None:
        """Keep a new refresh token in the place of the old one."""
        sealed = self._sealer().seal(refresh_token)
        with self._database.write() as transaction:
            statement = update(_calendar).where(_calendar.c.address_folded == fold_address(address))
            transaction.connection.execute(statement.values(sealed=sealed))

    # --- marks

    def mark_for(self, number: int) -> None:
        """Have the calendars looked at that a loan concerns: its requester's, and whoever's it stands in."""
        with self._database.read() as transaction:
            found = list(_CONCERNED.run(transaction.connection, {"of_number": number}))
        if not found:
            return  # nearly always: most people connect nothing, and a transaction that writes is dear
        with self._database.write() as transaction:
            for row in found:
                transaction.mark(KEY, row.address_folded)

    def mark_all(self) -> int:
        """Have every connected calendar looked at; return how many."""
        with self._database.write() as transaction:
            found = _connected(transaction, _calendar.c.state != OwnCalendarState.BROKEN.value)
            for folded in found:
                transaction.mark(KEY, folded, priority=Priority.SWEEP)
            return len(found)

    # --- entries

    def load_scene(self, folded: str) -> OwnCalendarScene | None:
        """Return what a pass needs; None when nobody is connected there."""
        with self._database.read() as transaction:
            calendar = _find(transaction, Address(folded))
            if calendar is None:
                return None
            connection = transaction.connection
            known = connection.execute(select(_entry).where(_entry.c.address_folded == folded)).all()
            held = [row.loan_number for row in known]
            wanted = (
                select(_loan.c.number)
                .join(_person, _person.c.id == _loan.c.person_id)
                .where(_person.c.address_folded == folded)
                .where(or_(_loan.c.end_at > transaction.now, _loan.c.number.in_(held)))
                .order_by(_loan.c.number)
            )
            loans = load_loans(connection, list(connection.execute(wanted).scalars()))
            return OwnCalendarScene(calendar, loans, tuple(_known(row) for row in known), transaction.now)

    def begin_entry(self, folded: str, number: int) -> int:
        """Note that an event is about to be made, and return its generation: the same until it is known to be there."""
        with self._database.write() as transaction:
            which = (_entry.c.address_folded == folded) & (_entry.c.loan_number == number)
            row = transaction.connection.execute(select(_entry).where(which)).one_or_none()
            if row is not None:
                return int(row.generation)
            values = {"address_folded": folded, "loan_number": number, "generation": _draw(transaction), "told": {}}
            transaction.connection.execute(_entry.insert().values(**values))
            return int(str(values["generation"]))

    def save_entry(self, folded: str, event_id: EventId, told: Entry) -> None:
        """Keep what an event says now."""
        with self._database.write() as transaction:
            which = (_entry.c.address_folded == folded) & (_entry.c.loan_number == told.number)
            statement = update(_entry).where(which).values(event_id=event_id, told=_render(told))
            transaction.connection.execute(statement)

    def drop_entry(self, folded: str, number: int) -> None:
        """Forget an event that is gone."""
        with self._database.write() as transaction:
            which = (_entry.c.address_folded == folded) & (_entry.c.loan_number == number)
            transaction.connection.execute(delete(_entry).where(which))


def _find(transaction: Transaction, folded: str) -> OwnCalendar | None:
    row = transaction.connection.execute(select(_calendar).where(_calendar.c.address_folded == folded)).one_or_none()
    if row is None:
        return None
    count = select(func.count()).select_from(_entry).where(_entry.c.address_folded == folded)
    entries = int(transaction.connection.execute(count).scalar_one())
    state = OwnCalendarState(row.state)
    return OwnCalendar(Address(row.address), row.account, state, row.connected_at, entries, row.detail)


def _connected(transaction: Transaction, condition: Any) -> Sequence[str]:
    wanted = select(_calendar.c.address_folded).where(condition).order_by(_calendar.c.address_folded)
    return list(transaction.connection.execute(wanted).scalars())


def _draw(transaction: Transaction) -> int:
    """Return a number that a former entry of the same loan did not have: the time, to the millisecond."""
    return int(transaction.now.timestamp() * 1000) % 2_000_000_000


def _render(entry: Entry) -> dict[str, Any]:
    return {
        "start": entry.interval.start.isoformat(),
        "end": entry.interval.end.isoformat(),
        "subject": entry.subject,
        "body": entry.body,
    }


def _known(row: Any) -> KnownEntry:
    number, told = LoanNumber(row.loan_number), row.told
    entry = None
    if told:
        times = Interval(datetime.fromisoformat(told["start"]), datetime.fromisoformat(told["end"]))
        entry = Entry(number, times, told["subject"], told["body"])
    return KnownEntry(number, row.generation, EventId(row.event_id) if row.event_id else None, entry)
