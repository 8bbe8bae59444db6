"""Where a check plays: the mailboxes it may use, what it made there, and how that is taken away again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from engine.conformance.client import Answer, Client, Differs
from engine.conformance.receiver import Receiver

MARK = "String {8f1f2b6e-6a52-4a0b-9a39-6c3f9d1d2c11} Name AccordConformance"
"""An extended property on every event a check makes: what carries it may be deleted, nothing else."""
MARK_VALUE = "made by a check"
DAYS_AHEAD = 30
HOURS = range(6, 19)
"""Hours of the day, UTC, in which slots begin."""

Found = TypeVar("Found")


class NotPossible(Exception):
    """This check cannot be made with what there is here; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """Who asks for tokens, and where."""

    authority: str
    tenant_id: str
    client_id: str
    client_secret: str


@dataclass
class Stage:
    """One tenant with a person and rooms that are there to be tried on."""

    client: Client
    person: str
    rooms: tuple[str, ...]
    sign_in: SignIn | None
    receiver: Receiver | None
    patience: float
    """Seconds a room, a delta or a notification may take."""
    pause: float
    """Seconds between two looks."""
    quiet: float
    """Seconds after which what has not happened will not happen."""
    _hour: datetime = field(default_factory=lambda: _first_hour(datetime.now(UTC)))
    _made: list[tuple[str, str, str]] = field(default_factory=list)
    """Mailbox, id and iCalUId of what was made."""
    _subscriptions: list[str] = field(default_factory=list)

    # -- who and when

    @property
    def room(self) -> str:
        return self.rooms[0]

    def second_room(self) -> str:
        """Return another room. Raises NotPossible when only one was named."""
        if len(self.rooms) < 2:
            raise NotPossible("needs a second --room")
        return self.rooms[1]

    def identity(self) -> SignIn:
        """Return how tokens are asked for. Raises NotPossible without a client secret."""
        if self.sign_in is None:
            raise NotPossible("needs a tenant, a client and its secret in the settings")
        return self.sign_in

    def ear(self) -> Receiver:
        """Return where notifications arrive. Raises NotPossible when nothing listens."""
        if self.receiver is None:
            raise NotPossible("needs --listen and --public-url, where Graph can reach this machine")
        return self.receiver

    async def slot(self, hours: int = 1) -> tuple[datetime, datetime]:
        """Return a stretch of future time in which the rooms have nothing; no two calls return the same."""
        while True:
            start, end = self._hour, self._hour + timedelta(hours=hours)
            self._hour = _next_hour(end)
            if not [each for room in self.rooms for each in await self.view(room, start, end)]:
                return start, end

    # -- asking

    async def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Make one request; *headers* have `_` for `-`."""
        return await self.client.ask(
            method, path, body, {name.replace("_", "-"): text for name, text in headers.items()}
        )

    def path(self, mailbox: str, event_id: str = "", tail: str = "") -> str:
        """Return the path of a mailbox, or of one event in it."""
        of = f"/users/{quote(mailbox, safe='@')}"
        return f"{of}/events/{quote(event_id, safe='')}{tail}" if event_id else f"{of}{tail}"

    async def get(self, mailbox: str, event_id: str) -> dict[str, Any]:
        """Return one event. Raises Differs when it is not there."""
        found: dict[str, Any] = (await self.ask("GET", self.path(mailbox, event_id))).expect(200)
        return found

    async def view(self, mailbox: str, start: datetime, end: datetime) -> list[dict[str, Any]]:
        """Return what touches a stretch of time and is not cancelled."""
        answer = await self.ask("GET", self.path(mailbox, tail=f"/calendarView?{window(start, end)}&$top=200"))
        answer.expect(200)
        return [each for each in answer.value if not each["isCancelled"]]

    async def copies(self, mailbox: str, event: dict[str, Any]) -> list[dict[str, Any]]:
        """Return a mailbox's copies of a meeting."""
        query = urlencode({"$filter": f"iCalUId eq '{event['iCalUId']}'"}, quote_via=quote)
        answer = await self.ask("GET", self.path(mailbox, tail=f"/events?{query}"))
        answer.expect(200)
        return answer.value

    async def until(self, what: str, look: Callable[[], Awaitable[Found]]) -> Found:
        """Return what *look* finds once it finds something. Raises Differs when that takes too long."""
        for _ in range(max(1, round(self.patience / self.pause))):
            found = await look()
            if found:
                return found
            await asyncio.sleep(self.pause)
        raise Differs(f"waited {self.patience:.0f} s in vain: {what}")

    async def settle(self) -> None:
        """Wait until what was to happen has happened."""
        await asyncio.sleep(self.quiet)

    # -- making

    def body(self, begins: datetime, ends: datetime, **more: Any) -> dict[str, Any]:
        """Return a body for an event, with the mark."""
        return {
            "subject": "Accord conformance check",
            "start": when(begins),
            "end": when(ends),
            "singleValueExtendedProperties": [{"id": MARK, "value": MARK_VALUE}],
            **more,
        }

    async def make(self, body: dict[str, Any], *, owner: str = "", **headers: str) -> dict[str, Any]:
        """Create an event that is taken away again. Raises Differs unless it is created."""
        answer = await self.try_to_make(body, owner=owner, **headers)
        found: dict[str, Any] = answer.expect(201)
        return found

    async def try_to_make(self, body: dict[str, Any], *, owner: str = "", **headers: str) -> Answer:
        """Ask for an event that may be refused."""
        mailbox = owner or self.person
        answer = await self.ask("POST", self.path(mailbox, tail="/events"), body, **headers)
        if answer.status == 201:
            self._made.append((mailbox, answer.body["id"], answer.body["iCalUId"]))
        return answer

    async def book(self, *rooms: str, kind: str = "resource", **more: Any) -> dict[str, Any]:
        """Create a meeting with rooms as attendees, in a slot of its own."""
        start, end = await self.slot()
        return await self.make(self.body(start, end, attendees=attendees(rooms or (self.room,), kind), **more))

    async def answered(self, event: dict[str, Any], room: str, *answers: str) -> dict[str, Any]:
        """Return the organizer's copy once the room gave one of *answers*."""

        async def look() -> dict[str, Any] | None:
            found = await self.get(self.person, event["id"])
            return found if answer_of(found, room) in answers else None

        found = await self.until(f"{room} answers {' or '.join(answers)}", look)
        assert found is not None
        return found

    async def accepted(self, *rooms: str, **more: Any) -> dict[str, Any]:
        """Create a meeting and wait until every room has accepted."""
        event = await self.book(*rooms, **more)
        for room in rooms or (self.room,):
            event = await self.answered(event, room, "accepted")
        return event

    async def subscribe(self, body: dict[str, Any], **headers: str) -> Answer:
        """Ask for a subscription that is taken away again."""
        answer = await self.ask("POST", "/subscriptions", body, **headers)
        if answer.status == 201:
            self._subscriptions.append(answer.body["id"])
        return answer

    # -- taking away

    async def clean(self) -> None:
        """Take away what was made, and the rooms' copies of it."""
        for found in self._subscriptions:
            await self.ask("DELETE", f"/subscriptions/{found}")
        for mailbox, event_id, _ in self._made:
            await self.ask("DELETE", self.path(mailbox, event_id))
        if any(mailbox == self.person for mailbox, _, _ in self._made):
            await self._clean_rooms({uid for _, _, uid in self._made})
        self._subscriptions.clear()
        self._made.clear()

    async def _clean_rooms(self, uids: Iterable[str]) -> None:
        """Take the copies of what was made out of the rooms, where cancelled ones may stay."""
        for uid in uids:
            for room in self.rooms:
                for copy in await self.copies(room, {"iCalUId": uid}):
                    await self.ask("DELETE", self.path(room, copy["id"]))

    async def sweep(self) -> int:
        """Take away what an earlier run left behind: events that carry the mark. Returns how many."""
        condition = f"singleValueExtendedProperties/Any(ep: ep/id eq '{MARK}' and ep/value eq '{MARK_VALUE}')"
        query = urlencode({"$filter": condition, "$top": 100}, quote_via=quote)
        for mailbox in (self.person, *self.rooms):
            answer = await self.ask("GET", self.path(mailbox, tail=f"/events?{query}"))
            if answer.status == 200:
                self._made += [(mailbox, each["id"], each["iCalUId"]) for each in answer.value]
        count = len(self._made)
        await self.clean()
        return count


def when(moment: datetime) -> dict[str, str]:
    """Return an instant in Graph's two parts, in UTC."""
    return {"dateTime": f"{moment:%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"}


def window(start: datetime, end: datetime) -> str:
    """Return the two parameters of a stretch of time."""
    return f"startDateTime={start:%Y-%m-%dT%H:%M:%SZ}&endDateTime={end:%Y-%m-%dT%H:%M:%SZ}"


def attendees(addresses: Iterable[str], kind: str = "resource") -> list[dict[str, Any]]:
    """Return a list of attendees."""
    return [{"type": kind, "emailAddress": {"address": each, "name": each.partition("@")[0]}} for each in addresses]


def answer_of(event: dict[str, Any], address: str) -> str | None:
    """Return what an attendee answered; None when they are not on the list."""
    for each in event["attendees"]:
        if each["emailAddress"]["address"].lower() == address.lower():
            return str(each["status"]["response"])
    return None


def _first_hour(now: datetime) -> datetime:
    day = now.replace(hour=HOURS.start, minute=0, second=0, microsecond=0) + timedelta(days=DAYS_AHEAD)
    return day + timedelta(days=-day.weekday() % 7)


def _next_hour(moment: datetime) -> datetime:
    """Return the next hour in which a slot may begin, on a working day; slots do not touch."""
    later = moment + timedelta(hours=1)
    if later.hour in HOURS and later.date() == moment.date():
        return later
    day = moment.replace(hour=HOURS.start) + timedelta(days=1)
    return day + timedelta(days=2 if day.weekday() == 5 else 1 if day.weekday() == 6 else 0)
