"""Outlook, played: the page's clicks become Graph calls to the simulated tenant of this process."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from engine.errors import Fault, Invalid, Unreachable
from engine.ids import Address, fold_address
from engine.interval import Interval
from engine.rooms.room import natural
from engine.simulator.people import Person, Refused
from engine.simulator.tenant import Tenant
from engine.web.pages.parts.outlook import (
    OutlookAnswer,
    OutlookBooking,
    OutlookEvent,
    OutlookGuest,
    OutlookMailbox,
)

CALL_SECONDS = 10.0

T = TypeVar("T")


class SimulatedOutlook:
    """
    People at Outlook.

    Args:
        tenant: the simulated one.
        loop: the one the tenant lives on; callers are in other threads.
        zone: the IANA name of the zone in which people's clocks run.
    """

    def __init__(self, tenant: Tenant, loop: asyncio.AbstractEventLoop, *, zone: str) -> None:
        self._tenant = tenant
        self._loop = loop
        self._zone = zone

    def mailboxes(self) -> Sequence[OutlookMailbox]:
        """Return people, then rooms, by name."""

        async def look() -> list[OutlookMailbox]:
            known = self._tenant.world.mailboxes.values()
            return [
                OutlookMailbox(one.address, one.display_name, one.kind == "room")
                for one in known
                if one.kind in ("user", "room") and one.state == "active"
            ]

        return sorted(self._run(look()), key=lambda one: (one.is_room, natural(one.name)))

    def view(self, who: str, span: Interval) -> Sequence[OutlookEvent]:
        """Return what touches *span*, by start. Events without a length are left out: they block nothing."""
        names = {fold_address(one.address): one.name for one in self.mailboxes()}
        found = (parse_event(item, names) for item in self._run(self._person(who).view(span.start, span.end)))
        return sorted((event for event in found if event is not None), key=lambda event: event.interval)

    def book(self, who: str, booking: OutlookBooking) -> str:
        """Invite rooms and people; returns the event's id."""
        person, times = self._person(who), (booking.interval.start, booking.interval.end)
        named: dict[str, Any] = {
            "rooms": booking.rooms,
            "people": booking.people,
            "subject": booking.subject,
            "zone": self._zone,
            **({"sensitivity": "private"} if booking.private else {}),
        }
        if booking.weeks > 1:
            made = self._run(person.book_series(*times, kind="weekly", times=booking.weeks, **named))
        else:
            made = self._run(person.book(*times, **named))
        return str(made["id"])

    def move(self, who: str, event_id: str, interval: Interval) -> None:
        """Give a meeting another time."""
        self._run(self._person(who).move(event_id, interval.start, interval.end, zone=self._zone))

    def cancel(self, who: str, event_id: str) -> None:
        """Cancel as the organizer, or delete this copy as anybody else."""

        async def end() -> None:
            person = self._person(who)
            if (await person.get(event_id)).get("isOrganizer"):
                await person.cancel(event_id)
            else:
                await person.delete(event_id)

        self._run(end())

    def answer(self, who: str, event_id: str, answer: OutlookAnswer) -> None:
        """Answer an invitation, and tell the organizer."""
        self._run(self._person(who).answer(event_id, answer.value))

    def _person(self, who: str) -> Person:
        return Person(self._tenant, who)

    def _run(self, call: Coroutine[Any, Any, T]) -> T:
        asking = asyncio.run_coroutine_threadsafe(call, self._loop)
        try:
            return asking.result(CALL_SECONDS)
        except Refused as error:
            raise Invalid(Fault("event", "outlook_refused", str(error))) from error
        except TimeoutError as error:
            asking.cancel()
            raise Unreachable("the simulated tenant does not answer") from error


def parse_event(item: dict[str, Any], names: Mapping[Address, str]) -> OutlookEvent | None:
    """Return an event of a calendar view (Graph docs: event), people and rooms by *names*; None without a length."""
    start, end = _instant(item["start"]), _instant(item["end"])
    if end <= start:
        return None
    return OutlookEvent(
        id=item["id"],
        subject=item.get("subject") or "",
        interval=Interval(start, end),
        organizer=_name(item.get("organizer") or {}, names),
        is_organizer=bool(item.get("isOrganizer")),
        is_cancelled=bool(item.get("isCancelled")),
        response=(item.get("responseStatus") or {}).get("response") or "none",
        guests=tuple(_guest(guest, names) for guest in item.get("attendees") or ()),
        private=item.get("sensitivity") == "private",
        of_series=item.get("type") in ("occurrence", "exception"),
    )


def _guest(guest: dict[str, Any], names: Mapping[Address, str]) -> OutlookGuest:
    address = (guest.get("emailAddress") or {}).get("address") or ""
    response = (guest.get("status") or {}).get("response") or "none"
    return OutlookGuest(_name(guest, names), address, guest.get("type") == "resource", response)


def _name(owner: dict[str, Any], names: Mapping[Address, str]) -> str:
    """Return what the directory calls somebody: invitations carry whatever name the inviter had at hand."""
    mailbox = owner.get("emailAddress") or {}
    address = mailbox.get("address") or ""
    return names.get(fold_address(address)) or mailbox.get("name") or address


def _instant(value: dict[str, Any]) -> datetime:
    """Return a time of an answer in UTC: its digits go beyond microseconds (Graph docs: dateTimeTimeZone)."""
    return datetime.fromisoformat(value["dateTime"][:19]).replace(tzinfo=UTC)
