"""The family tree of what can go wrong. The class says what to do next.

    EngineError
    ├── Transient          may heal by itself: requeue
    │   ├── Throttled          the other side asked us to wait (retry_after)
    │   │   └── Paused             not sent, since it had asked us to wait
    │   ├── Unreachable        no answer, or an answer that says "not now"
    │   │   └── DirectorySilent    from the directory, which gives tokens
    │   ├── OutcomeUnknown     the request may or may not have been applied
    │   ├── Stale              somebody changed it since we looked: observe again
    │   └── Occupied           the database's guard refused an overlapping booking: look again
    ├── Permanent          will not heal by itself: park, open a case
    │   ├── Refused            the other side says no (403, policy)
    │   ├── MailboxClosed      one mailbox cannot be reached: suspend it, cancel nothing
    │   │   └── AccessDenied       because we are not permitted to use it
    │   ├── Malformed          what came back makes no sense
    │   └── Unmatched          the thing named is not there (404)
    ├── Fatal              the engine cannot go on: stop and say why
    │   ├── BadSettings        one message per fault
    │   ├── CredentialsRevoked the directory refuses our identity
    │   └── DatabaseUnusable   read-only, of a newer schema, or not ours
    └── DeskError          a person asked for something that cannot be done: tell them, change nothing
        ├── NotFound  ├── Invalid  ├── Unavailable  ├── RuleBroken  ├── NotAllowed  └── Outdated

A message says what was attempted, on what, what came back and what a person can do. No secrets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime


class EngineError(Exception):
    """Anything the engine itself raises."""


class Transient(EngineError):
    """May heal by itself: the key is tried again with back-off."""


class Throttled(Transient):
    """The service asked us to wait. `retry_after` is in seconds, None when it did not say."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Paused(Throttled):
    """Nothing was sent, since the mailbox had asked us to wait. `retry_after` is what is left of that."""


class Unreachable(Transient):
    """No answer, or one that says "not now" (5xx, a web page where JSON belongs). Probably nothing was applied."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class DirectorySilent(Unreachable):
    """The directory, which gives tokens, did not answer."""


class OutcomeUnknown(Unreachable):
    """A write whose answer was lost: it may have been applied."""


class Stale(Transient):
    """A version we relied on is no longer the newest (412): observe again, decide again."""


class Occupied(Transient):
    """The database's guard refused an overlapping booking: look again."""


class ResyncRequired(Transient):
    """The delta token is no longer known (410, syncStateNotFound ...): read the whole window anew."""


class Permanent(EngineError):
    """Will not heal by itself: the key is parked and a case tells about it."""


class Refused(Permanent):
    """The service understood and says no."""


class Duplicate(Refused):
    """What was to be made is there already."""


class MailboxClosed(Permanent):
    """One mailbox cannot be reached (403, MailboxNotEnabledForRESTAPI, unknown user). Never a deletion."""


class AccessDenied(MailboxClosed):
    """The mailbox is there, or may be, and we are not permitted to use it (403)."""


class Malformed(Permanent):
    """An answer, a row or a notification that cannot be understood."""


class Unmatched(Permanent):
    """The very thing named is not there (404 on an item). Whether that means "deleted" is the caller's to say."""


class Fatal(EngineError):
    """The engine cannot go on."""


class BadSettings(Fatal):
    """Settings that stop the start: one message per fault, naming key, value and what is allowed."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class CredentialsRevoked(Fatal):
    """The directory refuses our identity (401, invalid_client): an admin must act."""


class DatabaseUnusable(Fatal):
    """The database is read-only, of a newer schema, or not ours."""


class DeskError(EngineError):
    """A person asked for something that cannot be done. Nothing was changed."""


class NotFound(DeskError):
    """There is no such loan, room, asset, store or case."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with what a person sent: the field (dotted path), a code, and the sentence for people."""

    field: str
    code: str
    message: str


class Invalid(DeskError):
    """What was sent cannot be understood or breaks a limit: one fault per field."""

    def __init__(self, *faults: Fault) -> None:
        said = (f"{fault.field}: {fault.message}" if fault.field else fault.message for fault in faults)
        super().__init__("; ".join(said))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Clash:
    """What already holds an item: a loan (number) or a meeting known only from Outlook (number None)."""

    item_id: int
    item_name: str
    start: datetime
    end: datetime
    loan_number: int | None = None

    @property
    def stretch(self) -> str:
        """From when to when, in UTC; the day once where it is the same."""
        start, end = self.start.astimezone(UTC), self.end.astimezone(UTC)
        until = f"-{end:%H:%M}" if start.date() == end.date() else f" - {end:%Y-%m-%d %H:%M}"
        return f"{start:%Y-%m-%d %H:%M}{until} UTC"


class Unavailable(DeskError):
    """At least one item is taken: who holds it, and when."""

    def __init__(self, *clashes: Clash) -> None:
        what = "; ".join(
            f"{clash.item_name} is taken {clash.stretch}"
            + (f" by loan {clash.loan_number}" if clash.loan_number else " by a meeting in Outlook")
            for clash in clashes
        )
        super().__init__(what or "an item is taken")
        self.clashes = clashes


class RuleBroken(DeskError):
    """A booking rule of a room, asset or store says no: which rule, its value, and the value asked for."""

    def __init__(self, code: str, facts: Mapping[str, object], message: str) -> None:
        super().__init__(message)
        self.code = code
        self.facts = facts


class NotAllowed(DeskError):
    """The loan's status, its home or the engine's mode does not allow this action."""


class Outdated(DeskError):
    """The loan changed since the caller looked at it: `version` is the present one."""

    def __init__(self, message: str, version: int) -> None:
        super().__init__(message)
        self.version = version
