"""
What Graph answers, in the engine's family of errors: one function, one table.

The code decides first and the status second; codes are matched without regard to case. Messages are for people and
never decide (Graph docs: errors). Where a code was only observed by developers, the table says "observed".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto

import msgspec

from engine.errors import (
    AccessDenied,
    CredentialsRevoked,
    Duplicate,
    EngineError,
    MailboxClosed,
    Malformed,
    OutcomeUnknown,
    Refused,
    ResyncRequired,
    Stale,
    Throttled,
    Unmatched,
    Unreachable,
)


class Target(Enum):
    """What a request named: it says what a 403 or a 404 is about."""

    ITEM = auto()
    """One event in one mailbox."""
    MAILBOX = auto()
    """A mailbox, or a collection in it."""
    TENANT = auto()
    """Neither: places, subscriptions."""


class DuplicateTransaction(Refused):
    """The transaction id was used already, for another content (observed): the event of that id must be looked up."""


class BadRequest(Malformed):
    """A read that the service calls malformed (400): our query, or a link it no longer understands."""


class DuplicateSubscription(Duplicate):
    """A subscription to the same resource exists (Graph docs: change-notifications-delivery-webhooks)."""


RETRY_AFTER_SECONDS_MAX = 86_400.0
"""The longest wait that is heeded."""

_BY_CODE: Mapping[str, type[EngineError]] = {
    # Delta tokens that expired (Graph docs: delta-query-overview, errors); 410, or any 40x with such a code.
    "syncstatenotfound": ResyncRequired,
    "syncstateinvalid": ResyncRequired,
    "resyncrequired": ResyncRequired,
    # Throttling (Graph docs: throttling, errors; ApplicationThrottled observed for the limit per mailbox).
    "toomanyrequests": Throttled,
    "applicationthrottled": Throttled,
    "activitylimitreached": Throttled,
    # Parallel saves: transient, with 409 or 503 (observed).
    "concurrentitemsave": Unreachable,
    # The change key is no longer the newest (observed with 412, sometimes without an If-Match).
    "errorirresolvableconflict": Stale,
    # The transaction id is taken, with 400 or 409 (observed).
    "errorduplicatetransactionid": DuplicateTransaction,
    # The item is not there (observed).
    "erroritemnotfound": Unmatched,
    # We sent an id that cannot be one (observed).
    "errorinvalididmalformed": Malformed,
    # The mailbox is not there: never to be read as "the event is gone" (observed).
    "mailboxnotenabledforrestapi": MailboxClosed,
    "mailboxnotsupportedforrestapi": MailboxClosed,
    "errorinvaliduser": MailboxClosed,
    "errornonexistentmailbox": MailboxClosed,
    "request_resourcenotfound": MailboxClosed,
    "resourcenotfound": MailboxClosed,
    # Other service trouble (Graph docs: errors, known-issues).
    "errorinternalservertransienterror": Unreachable,
    "servicenotavailable": Unreachable,
}

_BY_STATUS: Mapping[int, type[EngineError]] = {
    400: Refused,
    401: CredentialsRevoked,
    403: Refused,
    404: Unmatched,
    408: Unreachable,
    409: Stale,
    410: ResyncRequired,
    412: Stale,
    423: Unreachable,
    424: Unreachable,  # a part of a batch whose prerequisite failed (Graph docs: json-batching)
    425: Unreachable,
    429: Throttled,
    507: Refused,  # the mailbox is full (Graph docs: errors): waiting does not empty it
    509: Throttled,  # bandwidth limit exceeded (Graph docs: errors)
}

_ADVICE: Mapping[type[EngineError], str] = {
    MailboxClosed: "check that the mailbox exists and that the application may use it",
    AccessDenied: "check that the mailbox exists and that the application may use it",
    CredentialsRevoked: "check the application’s secret or certificate, and its consent in the directory",
    Refused: "check the application’s permissions and the values sent",
}


def translate(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    what: str,
    target: Target,
    is_write: bool,
    now: datetime,
) -> EngineError:
    """
    Return the engine's error for an answer that is not a success.

    Args:
        status, headers, body: the answer; header names in lower case.
        what: what was attempted and on what, for the message: "read event in room-101@example.org".
        target: what the request named.
        is_write: whether the request could have changed something.
        now: aware; needed when `Retry-After` is an HTTP date.

    Returns:
        Never raises. A 404 that did not come from Graph itself (a proxy's page) is Unreachable, not Unmatched.

    Source: Graph docs, errors and throttling; codes marked "observed" were reported by developers.
    """
    codes, text = _read_error(body)
    kind = Unreachable if _could_not_reach_us(status, text) else _decide(status, codes, target, is_write)
    came_back = f"{status} {codes[-1] if codes else _without_code(body)}".strip()
    message = f"{what}: {came_back}{': ' + text if text else ''}"
    if kind in _ADVICE:
        message = f"{message} ({_ADVICE[kind]})"
    retry_after = parse_retry_after(headers.get("retry-after"), now)
    if kind is Throttled:
        return Throttled(message, retry_after)
    if kind in (Unreachable, OutcomeUnknown):
        return OutcomeUnknown(message, retry_after) if kind is OutcomeUnknown else Unreachable(message, retry_after)
    return kind(message)


def _could_not_reach_us(status: int, text: str) -> bool:
    """A subscription whose address did not answer as it must, or not in time: a proxy or a name may need a minute.

    Source: Graph docs, change-notifications-delivery-webhooks; the wording (observed) comes under several codes, and at
    times as the reason within another sentence.
    """
    return status == 400 and "validation request" in text.lower()


def _decide(status: int, codes: tuple[str, ...], target: Target, is_write: bool) -> type[EngineError]:
    kind = next((_BY_CODE[code.lower()] for code in reversed(codes) if code.lower() in _BY_CODE), None)
    if status == 401:
        return CredentialsRevoked
    if kind is None and status in (404, 410) and not codes:
        return Unreachable
    kind = kind or _by_status(status)
    if kind in (Unmatched, MailboxClosed) and target is not Target.ITEM:
        return MailboxClosed if target is Target.MAILBOX else Unmatched
    if status == 403 and kind is Refused and target is not Target.TENANT:
        return AccessDenied
    if status == 400 and kind is Refused and not is_write:
        return BadRequest
    if status == 409 and kind is Stale and target is Target.TENANT:
        return DuplicateSubscription
    if kind is Unreachable and is_write and status >= 500 and "concurrentitemsave" not in _folded(codes):
        return OutcomeUnknown
    return kind


def _by_status(status: int) -> type[EngineError]:
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500:
        return Unreachable
    return Refused if status >= 400 else Malformed


def _folded(codes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(code.lower() for code in codes)


def _read_error(body: bytes) -> tuple[tuple[str, ...], str]:
    """Return the codes, outermost first, and Graph's sentence; nothing when *body* is no error body."""
    try:
        node = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return (), ""
    codes: list[str] = []
    text = ""
    node = node.get("error") if isinstance(node, dict) else None
    while isinstance(node, dict) and len(codes) < 8:
        code = node.get("code")
        if isinstance(code, str) and code and not code.isdigit():
            codes.append(code)
        text = text or str(node.get("message") or "")[:300]
        node = node.get("innerError") or node.get("innererror")
    return tuple(codes), text


def _without_code(body: bytes) -> str:
    """Say in a word what came instead of Graph's error body."""
    start = body[:64].lstrip().lower()
    if not start:
        return "(no body)"
    return "(a web page, as proxies and gateways send)" if start.startswith(b"<") else "(no error code)"


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """
    Return the seconds that `Retry-After` asks for, a day at most; None when it is absent or makes no sense.

    Graph sends whole and decimal seconds (Graph docs: throttling, sample "2.128"); HTTP also allows a date.
    """
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        return _seconds_until(value, now)
    return _within_reason(seconds) if seconds < float("inf") else None


def _seconds_until(value: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return _within_reason((moment - now).total_seconds())


def _within_reason(seconds: float) -> float:
    """Return what is heeded of a wait: Graph asks for minutes, and what stands between us may ask for centuries."""
    return min(max(0.0, seconds), RETRY_AFTER_SECONDS_MAX)


def unreadable(response_body: bytes, *, what: str, is_write: bool, error: Exception | None = None) -> EngineError:
    """
    Return the engine's error for a success whose body cannot be read.

    A web page or a body cut short is the path between us and Graph, so the request may be tried again, or, for a
    write, may have been applied. Anything else is Malformed.
    """
    start = response_body[:64].lstrip()
    if start.startswith(b"<"):
        message = f"{what}: a web page came back where JSON belongs; a proxy or a sign-in page may be in between"
    elif not start or (error is not None and "truncated" in str(error)):
        message = f"{what}: the answer was cut short"
    else:
        return Malformed(f"{what}: the answer makes no sense: {error or 'not JSON'}")
    return OutcomeUnknown(message) if is_write else Unreachable(message)
