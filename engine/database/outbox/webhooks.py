"""Endpoints of webhooks, and what they are owed when something changes."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from engine.database.cases.records import write_decisions
from engine.database.outbox.messages import drop_receiver, newest_message, write_letters
from engine.database.outbox.webhook_words import Wording, everything
from engine.database.sql.connection import Database
from engine.database.sql.marks import Priority
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.errors import Fault, Invalid, NotAllowed, NotFound
from engine.ids import ID_MAX
from engine.loans.loan import TextLevel
from engine.outbox.message import Letter, Message
from engine.reconcile.actions import Note
from engine.webhooks.endpoint import (
    CHANNEL,
    HEADER,
    MODELS,
    PING,
    SECRET_PREFIX,
    Endpoint,
    EndpointOrder,
    WebhookBook,
    find_order_faults,
    secret_fault,
)
from engine.webhooks.payload import ping_body

SECRET_BYTES = 32
RESEND_AT_ONCE = 200
"""Things told in one transaction: a few milliseconds during which nobody else writes."""

_webhook = metadata.tables["webhook"]
_c = _webhook.c
_live = _c.removed_at.is_(None)
_ENABLED = Prepared(select(_webhook).where(_live, _c.enabled).order_by(_c.id))


class WebhookStore(WebhookBook):
    """
    The endpoints.

    Args:
        database: where they are, and where changes are announced from now on.
        link: the address at which people open a loan.
        text_level: what the settings say where a store says nothing.
        check_destination: why nothing would be sent to an address that is to be kept; may take a while.
    """

    def __init__(
        self,
        database: Database,
        *,
        link: Callable[[int], str],
        text_level: Callable[[], TextLevel],
        check_destination: Callable[[str], Fault | None],
    ) -> None:
        self._database = database
        self._link = link
        self._text_level = text_level
        self._check_destination = check_destination
        database.announcers[CHANNEL] = self.announce

    # --- what is owed

    def announce(self, transaction: Transaction) -> None:
        """Write what every endpoint is owed for what *transaction* changed."""
        endpoints = [_endpoint(row) for row in _ENABLED.run(transaction.connection)]
        if not endpoints:
            return
        heard = {model for endpoint in endpoints for model in endpoint.models}
        changes = [change for change in transaction.changes if change.model in heard]
        words = self._wording(transaction, changes)
        letters = []
        for change in changes:
            for endpoint in endpoints:
                if change.model in endpoint.models and (letter := words.letter(change, endpoint)) is not None:
                    letters.append(letter)
        if letters:
            write_letters(transaction, letters)

    def _wording(self, transaction: Transaction, changes: Sequence[Any]) -> Wording:
        return Wording(transaction, changes, link=self._link, text_level=self._text_level())

    # --- endpoints

    def list_endpoints(self) -> Sequence[Endpoint]:
        with self._database.read() as transaction:
            rows = transaction.connection.execute(select(_webhook).where(_live).order_by(_c.id))
            return [_endpoint(row) for row in rows]

    def find(self, endpoint_id: int) -> Endpoint:
        with self._database.read() as transaction:
            return _find(transaction, endpoint_id)

    def find_receiver(self, receiver: str) -> Endpoint | None:
        """Return the endpoint the outbox names *receiver*; None when it is gone."""
        try:
            return self.find(int(receiver))
        except (NotFound, ValueError):
            return None

    def add(self, order: EndpointOrder, *, secret: str | None, actor: str) -> Endpoint:
        faults = self._find_faults(order, before=None)
        if order.url is None:
            faults.append(Fault("url", "missing", "must be given"))
        if secret is not None and (fault := secret_fault(secret)) is not None:
            faults.append(fault)
        if faults:
            raise Invalid(*faults)
        with self._database.write() as transaction:
            values = {
                "name": (order.name or order.url or "").strip()[:200],
                "url": order.url,
                "models": list(order.models or MODELS),
                "personal": bool(order.personal),
                "header": order.header or HEADER,
                "secrets": [_secret_row(transaction, secret)],
                "enabled": order.enabled is not False,
                "created_at": transaction.now,
                "created_by": actor,
            }
            number = transaction.connection.execute(_webhook.insert().values(values).returning(_c.id)).scalar_one()
            _tell(transaction, "webhook_added", number, actor, url=order.url)
            return _find(transaction, number)

    def change(self, endpoint_id: int, order: EndpointOrder, *, actor: str) -> Endpoint:
        faults = self._find_faults(order, before=self.find(endpoint_id))
        if faults:
            raise Invalid(*faults)
        with self._database.write() as transaction:
            before = _find(transaction, endpoint_id, lock=True)
            wanted = {
                "name": order.name.strip() if order.name is not None else None,
                "url": order.url,
                "models": list(order.models) if order.models is not None else None,
                "personal": order.personal,
                "header": order.header,
                "enabled": order.enabled,
            }
            present = {**{key: getattr(before, key) for key in wanted}, "models": list(before.models)}
            values = {k: value for k, value in wanted.items() if value is not None and value != present[k]}
            if values:
                _write(transaction, endpoint_id, values)
                changes = ", ".join(f"{key}: {present[key]} -> {value}" for key, value in values.items())
                _tell(transaction, "webhook_changed", endpoint_id, actor, changes=changes)
            return _find(transaction, endpoint_id)

    def _find_faults(self, order: EndpointOrder, *, before: Endpoint | None) -> list[Fault]:
        """Return what is wrong with *order*. An address that stays is not looked at again: its messages tell."""
        faults = find_order_faults(order)
        is_new = order.url is not None and (before is None or order.url != before.url)
        if is_new and order.url and not any(fault.field == "url" for fault in faults):
            fault = self._check_destination(order.url)
            return faults if fault is None else [*faults, fault]
        return faults

    def remove(self, endpoint_id: int, *, actor: str) -> None:
        with self._database.write() as transaction:
            found = _find(transaction, endpoint_id, lock=True)
            _write(transaction, endpoint_id, {"removed_at": transaction.now, "enabled": False, "secrets": []})
            drop_receiver(transaction, CHANNEL, found.receiver)
            _tell(transaction, "webhook_removed", endpoint_id, actor, url=found.url)

    def rotate(self, endpoint_id: int, *, secret: str | None, actor: str) -> Endpoint:
        if secret is not None and (fault := secret_fault(secret)) is not None:
            raise Invalid(fault)
        with self._database.write() as transaction:
            held = _secrets(transaction, endpoint_id)
            if len(held) > 1:
                raise NotAllowed("two secrets are live already: retire the older one first")
            _write(transaction, endpoint_id, {"secrets": [*held, _secret_row(transaction, secret)]})
            _tell(transaction, "webhook_secret_added", endpoint_id, actor)
            return _find(transaction, endpoint_id)

    def retire(self, endpoint_id: int, *, actor: str) -> Endpoint:
        with self._database.write() as transaction:
            held = _secrets(transaction, endpoint_id)
            if len(held) < 2:
                raise NotAllowed("only one secret is live: make another one first, or remove the endpoint")
            _write(transaction, endpoint_id, {"secrets": held[1:]})
            _tell(transaction, "webhook_secret_retired", endpoint_id, actor)
            return _find(transaction, endpoint_id)

    # --- messages on request

    def ping(self, endpoint_id: int) -> Message:
        with self._database.write() as transaction:
            found = _find(transaction, endpoint_id)
            if not found.enabled:
                raise NotAllowed("the endpoint is switched off: nothing is sent to it")
            body = ping_body(transaction.now, endpoint_id)
            letter = Letter(CHANNEL, found.receiver, f"ping:{transaction.now.timestamp()}", PING, body)
            write_letters(transaction, [letter])
            return newest_message(transaction, CHANNEL, found.receiver)

    def resend(self, endpoint_id: int, *, since: datetime | None) -> int:
        with self._database.read() as transaction:
            endpoint = _find(transaction, endpoint_id)
            if not endpoint.enabled:
                raise NotAllowed("the endpoint is switched off: nothing is sent to it")
            changes = everything(transaction, endpoint.models, since)
        count = 0
        for first in range(0, len(changes), RESEND_AT_ONCE):
            chunk = changes[first : first + RESEND_AT_ONCE]
            with self._database.write() as transaction:
                words = self._wording(transaction, chunk)
                letters = [letter for change in chunk if (letter := words.letter(change, endpoint)) is not None]
                write_letters(transaction, letters, priority=Priority.BACKFILL)
                count += len(letters)
        return count


def _find(transaction: Transaction, endpoint_id: int, *, lock: bool = False) -> Endpoint:
    statement = select(_webhook).where(_c.id == endpoint_id, _live)
    if lock:
        statement = statement.with_for_update()
    row = transaction.connection.execute(statement).first() if 0 < endpoint_id <= ID_MAX else None
    if row is None:
        raise NotFound(f"there is no webhook {endpoint_id}")
    return _endpoint(row)


def _secrets(transaction: Transaction, endpoint_id: int) -> list[dict[str, Any]]:
    _find(transaction, endpoint_id, lock=True)
    found: list[dict[str, Any]] = transaction.connection.execute(
        select(_c.secrets).where(_c.id == endpoint_id)
    ).scalar_one()
    return found


def _secret_row(transaction: Transaction, secret: str | None) -> dict[str, Any]:
    made = secret or SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    return {"secret": made, "made_at": transaction.now.isoformat()}


def _write(transaction: Transaction, endpoint_id: int, values: dict[str, Any]) -> None:
    transaction.connection.execute(update(_webhook).where(_c.id == endpoint_id).values(values))


def _tell(transaction: Transaction, code: str, endpoint_id: int, actor: str, **facts: object) -> None:
    note = Note(code, {"webhook": endpoint_id, **facts}, actor=actor)
    write_decisions(transaction, [note], loan_number=None, ical_uid=None)


def _endpoint(row: Any) -> Endpoint:
    return Endpoint(
        id=row.id,
        name=row.name,
        url=row.url,
        models=tuple(row.models),
        personal=bool(row.personal),
        header=row.header,
        secrets=tuple(each["secret"] for each in row.secrets),
        enabled=bool(row.enabled),
        created_at=row.created_at,
        created_by=row.created_by,
    )
