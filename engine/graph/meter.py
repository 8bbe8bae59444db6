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

OUTCOMES: tuple[tuple[type[Exception], str], ...] = (
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
    error's family in snake case. `expected` are the failures among them that the caller counts on: something that is
    gone already, a name tried before another. `last_fault` is the last one that nobody expected: kind, outcome and
    message, which names mailboxes, never tokens.
    """

    requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    throttled: int = 0
    repeated: int = 0
    expected: Counter[str] = field(default_factory=Counter)
    last_fault: tuple[str, str, str] | None = None

    def note_success(self, kind: str) -> None:
        self.requests[kind, "ok"] += 1

    def note_failure(self, kind: str, error: Exception, *, is_expected: bool = False) -> None:
        outcome = next((name for family, name in OUTCOMES if isinstance(error, family)), "other")
        self.requests[kind, outcome] += 1
        self.throttled += outcome == "throttled"
        if is_expected:
            self.expected[kind] += 1
        else:
            self.last_fault = (kind, outcome, str(error))
