"""What a notification's body says, read leniently: every item on its own, nothing believed that is not checked.

Sources: Graph docs, changenotification, resourcedata, change-notifications-lifecycle-events. The spelling of resources
and types varies, so only ids and the etag are read; a change type that is not known counts as "updated".
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

TEXT_MAX = 1000
"""Characters of an id or etag that is believed; immutable ids have about 150."""

MALFORMED_BODY = "malformed_body"
MALFORMED_ITEM = "malformed_item"
UNKNOWN_SUBSCRIPTION = "unknown_subscription"
WRONG_CLIENT_STATE = "wrong_client_state"

REAUTHORIZE, REMOVED = "reauthorizationRequired", "subscriptionRemoved"
CHANGES = ("created", "updated", "deleted")


class Item(msgspec.Struct, rename="camel"):
    """One item as it came. Anything may be missing or of another type."""

    subscription_id: Any = None
    client_state: Any = None
    change_type: Any = None
    lifecycle_event: Any = None
    subscription_expiration_date_time: Any = None
    resource_data: Any = None
    encrypted_content: Any = None


class _Body(msgspec.Struct, rename="camel"):
    value: list[msgspec.Raw]
    validation_tokens: Any = None


_decode_body = msgspec.json.Decoder(_Body).decode
_decode_item = msgspec.json.Decoder(Item).decode
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something is turned away, and what it claimed (never trusted)."""

    reason: str
    claimed: str


@dataclass(frozen=True, slots=True)
class Notice:
    """An item that was understood and whose sender proved itself. Exactly one of change and lifecycle counts."""

    room_id: int
    subscription_id: str
    event_id: str | None
    etag: str | None
    change_type: str
    lifecycle: str | None
    raw: str
    pending: bool
    """Its subscription's id was not stored yet: the answer to our creation is still on its way."""
    expires_at: datetime | None
    sealed: dict[str, Any] | None = None
    """The event it brings, encrypted; None: it brings none."""


def split_body(body: bytes) -> tuple[list[msgspec.Raw], tuple[str, ...]] | None:
    """Return the items of a body, unread, and the tokens that show who sent it (Graph docs:
    changeNotificationCollection); None when it is no JSON of the right shape."""
    try:
        found = _decode_body(body)
    except _UNREADABLE:
        return None
    tokens = found.validation_tokens if isinstance(found.validation_tokens, list) else []
    return found.value, tuple(token for token in tokens if isinstance(token, str))


def decode_items(raws: Iterable[msgspec.Raw]) -> tuple[list[tuple[Item, str]], list[Refusal]]:
    """Return the items that can be read, each with its text, and a refusal for each that cannot."""
    items: list[tuple[Item, str]] = []
    refusals: list[Refusal] = []
    for raw in raws:
        try:
            item = _decode_item(raw)
        except _UNREADABLE:
            refusals.append(Refusal(MALFORMED_ITEM, "no item"))
            continue
        if _text(item.subscription_id) is None:
            refusals.append(Refusal(MALFORMED_ITEM, "no subscription id"))
        else:
            items.append((item, _as_text(raw) if item.encrypted_content is None else _without_content(raw)))
    return items, refusals


def _as_text(raw: msgspec.Raw) -> str:
    return bytes(raw).decode("utf-8", "replace")


def _without_content(raw: msgspec.Raw) -> str:
    """Return an item as it is kept: without the event it brings, of which the mirror keeps what is needed."""
    kept = {name: value for name, value in msgspec.json.decode(raw).items() if name != "encryptedContent"}
    return msgspec.json.encode(kept).decode("utf-8", "replace")


def read_notice(item: Item, raw: str, room_id: int, *, pending: bool) -> Notice:
    """Return what *item* tells about *room_id*, once its sender has proved itself."""
    resource = item.resource_data if isinstance(item.resource_data, dict) else {}
    return Notice(
        room_id=room_id,
        subscription_id=str(item.subscription_id),
        event_id=_text(resource.get("id")),
        etag=_text(resource.get("@odata.etag")),
        change_type=item.change_type if item.change_type in CHANGES else "updated",
        lifecycle=None if item.lifecycle_event is None else _text(item.lifecycle_event) or "unknown",
        raw=raw,
        pending=pending,
        expires_at=_instant(item.subscription_expiration_date_time),
        sealed=item.encrypted_content if isinstance(item.encrypted_content, dict) else None,
    )


def is_same_secret(given: object, ours: str) -> bool:
    """Compare in constant time. An empty secret of ours equals nothing."""
    if not isinstance(given, str) or not ours:
        return False
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), ours.encode())


def _text(value: object) -> str | None:
    """Return an id or etag that can be believed: a short, printable, non-empty string."""
    return value if isinstance(value, str) and 0 < len(value) <= TEXT_MAX and value.isprintable() else None


def _instant(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.utcoffset() is not None else None
