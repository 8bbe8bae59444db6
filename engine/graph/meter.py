"""What the gateway counts, for whoever wants to show it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from engine.errors import (
    CredentialsRevoked,
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

_OUTCOMES: tuple[tuple[type[Exception], str], ...] = (
    (Throttled, "throttled"),
    (OutcomeUnknown, "outcome_unknown"),
    (Unreachable, "unreachable"),
    (Stale, "stale"),
    (ResyncRequired, "resync_required"),
    (Unmatched, "unmatched"),
    (MailboxClosed, "mailbox_closed"),
    (Refused, "refused"),
    (Malformed, "malformed"),
    (CredentialsRevoked, "credentials_revoked"),
)


@dataclass(slots=True)
class GatewayMeter:
    """
    Counts since the start; every try counts, also those that were repeated.

    `requests` goes by (kind, outcome): the kind is what was attempted ("read event"), the outcome `ok` or the
    error's family in snake case. `last_error` is the last failure's message; it names mailboxes, never tokens.
    """

    requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    throttled: int = 0
    repeated: int = 0
    last_error: str | None = None

    def note_success(self, kind: str) -> None:
        self.requests[kind, "ok"] += 1

    def note_failure(self, kind: str, error: Exception) -> None:
        outcome = next((name for family, name in _OUTCOMES if isinstance(error, family)), "other")
        self.requests[kind, outcome] += 1
        self.throttled += outcome == "throttled"
        self.last_error = str(error)
