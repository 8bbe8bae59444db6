"""Who is mailed what about a loan, so that the entries in people's calendars stay right. Pure.

Somebody who was sent an entry *holds* it. Their preference decides which entries they are sent in the first place; an
entry they hold is brought up to date, and taken out, whatever they prefer: what is wrong in a calendar is worse than a
mail too many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from engine.calendars.invitation import Method
from engine.ids import Address, fold_address

SOON = timedelta(hours=24)


class MailLevel(StrEnum):
    """Which bookings a person is sent by mail."""

    ALL = "all"
    OTHERS = "others"
    """Only what others book, or change, for them."""
    SOON = "soon"
    """Only what begins within 24 hours."""
    NONE = "none"


class MailKind(StrEnum):
    """What a mail says has happened."""

    BOOKED = "booked"
    CHANGED = "changed"
    CANCELLED = "cancelled"
    MOVED_ON = "moved_on"
    """It is somebody else's now."""
    IN_OUTLOOK = "in_outlook"
    """Outlook shows it to them now."""


@dataclass(frozen=True, slots=True)
class MailPreference:
    """What a person wants; `language` None: that of the settings."""

    level: MailLevel = MailLevel.ALL
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """What somebody was sent of a loan: `told` is a digest of it, `is_live` whether it was not taken out again."""

    address: Address
    name: str
    sequence: int
    is_live: bool
    told: str


@dataclass(frozen=True, slots=True)
class Step:
    """One mail to be sent; `sequence` is its entry's."""

    address: Address
    name: str
    method: Method
    kind: MailKind
    sequence: int


def wants(preference: MailPreference, address: Address, *, actor: str, start: datetime, now: datetime) -> bool:
    """Tell whether somebody wants to be sent a booking that *actor* (as in histories) made or changed."""
    match preference.level:
        case MailLevel.ALL:
            return True
        case MailLevel.OTHERS:
            return fold_address(actor.removeprefix("app:")) != fold_address(address)
        case MailLevel.SOON:
            return start - now < SOON
        case MailLevel.NONE:
            return False


def plan_steps(
    held: Sequence[Held], receiver: Held | None, *, is_wanted: bool, ends_as: MailKind = MailKind.CANCELLED
) -> tuple[Step, ...]:
    """
    Return what to send about one loan.

    Args:
        held: what people were sent of it so far.
        receiver: who shall hold it now and what it would tell them, its sequence and liveness aside; None: nobody.
        is_wanted: whether the receiver wants to be sent it in the first place.
        ends_as: what to say to who shall hold it no more, if there is no other receiver.
    """
    steps = []
    folded = fold_address(receiver.address) if receiver is not None else None
    for each in held:
        if each.is_live and fold_address(each.address) != folded:
            kind = ends_as if receiver is None else MailKind.MOVED_ON
            steps.append(Step(each.address, each.name, Method.CANCEL, kind, each.sequence + 1))
    if receiver is not None:
        known = next((each for each in held if fold_address(each.address) == folded), None)
        is_held = known is not None and known.is_live
        differs = known is None or known.told != receiver.told
        if (is_held and differs) or (not is_held and is_wanted):
            sequence = known.sequence + 1 if known is not None else 0
            kind = MailKind.CHANGED if is_held else MailKind.BOOKED
            steps.append(Step(receiver.address, receiver.name, Method.REQUEST, kind, sequence))
    return tuple(steps)


class MailBook(Protocol):
    """What people say about mails."""

    def preference_of(self, address: str) -> MailPreference: ...

    def set_preference(self, address: Address, preference: MailPreference) -> None: ...
