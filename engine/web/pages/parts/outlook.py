"""Playing Outlook for the people of the simulated tenant, as the pages see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from engine.interval import Interval


@dataclass(frozen=True, slots=True)
class OutlookMailbox:
    """Somebody, or a room, with a calendar."""

    address: str
    name: str
    is_room: bool


@dataclass(frozen=True, slots=True)
class OutlookGuest:
    """One attendee and what they said: `none`, `notResponded`, `accepted`, `tentativelyAccepted`, `declined`."""

    name: str
    address: str
    is_room: bool
    response: str


@dataclass(frozen=True, slots=True)
class OutlookEvent:
    """One event as one mailbox shows it. `response` is this mailbox's own answer, `organizer` for the organizer."""

    id: str
    subject: str
    interval: Interval
    organizer: str
    is_organizer: bool
    is_cancelled: bool
    response: str
    guests: tuple[OutlookGuest, ...] = ()
    private: bool = False
    of_series: bool = False


@dataclass(frozen=True, slots=True)
class OutlookBooking:
    """A new meeting. `weeks` above 1: every week at that time, so often."""

    subject: str
    interval: Interval
    rooms: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    private: bool = False
    weeks: int = 1


class OutlookAnswer(StrEnum):
    """The answers to an invitation, by the names of Graph's calls."""

    ACCEPT = "accept"
    TENTATIVE = "tentativelyAccept"
    DECLINE = "decline"


class OutlookPlayer(Protocol):
    """Each call is one of Graph's, made as *who*, an address. Raises Invalid when the tenant refuses."""

    def mailboxes(self) -> Sequence[OutlookMailbox]:
        """Return people, then rooms, by name."""
        ...

    def view(self, who: str, span: Interval) -> Sequence[OutlookEvent]:
        """Return what touches *span*, by start."""
        ...

    def book(self, who: str, booking: OutlookBooking) -> str:
        """Invite rooms and people; returns the event's id."""
        ...

    def move(self, who: str, event_id: str, interval: Interval) -> None: ...

    def cancel(self, who: str, event_id: str) -> None:
        """Cancel as the organizer, or delete this copy as anybody else."""
        ...

    def answer(self, who: str, event_id: str, answer: OutlookAnswer) -> None: ...
