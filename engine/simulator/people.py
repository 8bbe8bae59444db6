"""
Somebody at Outlook: a thin driver that books, moves and cancels through `Tenant.handle` and nothing else.

Every verb is one Graph request under that person's own token, so what a person does here is exactly what the real
client could do, whatever the application is permitted.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from engine.simulator.series_calls import begin_at, day_of, end_before, move_all, recur, times_in, zone_of
from engine.simulator.tenant import Tenant
from engine.simulator.times import find_zone
from engine.simulator.wire import Response, encode_json

HOST = "https://graph.microsoft.com"
NEIGHBOURS = timedelta(days=400)
"""An exception stays between its neighbours, so it is looked for about as far as a yearly one may lie."""


class Refused(Exception):
    """The tenant answered with an error."""

    def __init__(self, response: Response) -> None:
        self.status = response.status
        self.error: dict[str, Any] = (response.json() or {}).get("error", {})
        super().__init__(f"{response.status} {self.error.get('code')}: {self.error.get('message')}")

    @property
    def code(self) -> str:
        """Graph's error code."""
        return str(self.error.get("code"))


class Mailbox:
    """One mailbox seen through Graph."""

    def __init__(self, tenant: Tenant, address: str) -> None:
        self.tenant = tenant
        self.address = address
        self._path = f"/v1.0/users/{quote(address, safe='@')}"

    async def call(self, method: str, tail: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """Make one request under this mailbox and return its JSON; raises Refused."""
        token = self.tenant.identity.personal_token(self.address)
        named = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **(headers or {})}
        data = b"" if body is None else encode_json(body)
        response = await self.tenant.handle(method, f"{HOST}{self._path}{tail}", named, data)
        if response.status >= 400:
            raise Refused(response)
        return response.json()

    async def events(self) -> list[dict[str, Any]]:
        """Return every single event and master in the calendar."""
        return await self._all("/events?$top=1000")

    async def view(self, start: datetime, end: datetime) -> list[dict[str, Any]]:
        """Return what touches [start, end)."""
        window = urlencode({"startDateTime": start.isoformat(), "endDateTime": end.isoformat()})
        return await self._all(f"/calendarView?{window}&$top=1000")

    async def by_ical(self, ical_uid: str) -> dict[str, Any] | None:
        """Return this mailbox's copy of a meeting."""
        found = await self._all("/events?" + urlencode({"$filter": f"iCalUId eq '{ical_uid}'"}))
        return found[0] if found else None

    async def get(self, event_id: str) -> dict[str, Any]:
        """Return one event."""
        found: dict[str, Any] = await self.call("GET", event_path(event_id))
        return found

    async def dates(self, master_id: str, start: datetime, end: datetime) -> list[dict[str, Any]]:
        """Return the occurrences and exceptions of a series that touch [start, end)."""
        window = urlencode({"startDateTime": start.isoformat(), "endDateTime": end.isoformat()})
        return await self._all(f"{event_path(master_id)}/instances?{window}&$top=1000")

    async def date(self, master_id: str, day: date) -> dict[str, Any] | None:
        """Return what the pattern put on *day*, wherever it is now; None when it is gone."""
        zone = zone_of(await self.get(master_id))
        noon = datetime.combine(day, time(12), UTC)
        found = await self.dates(master_id, noon - NEIGHBOURS, noon + NEIGHBOURS)
        return next((item for item in found if day_of(item, zone) == day), None)

    async def _all(self, tail: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            page = await self.call("GET", tail)
            found += page["value"]
            link = page.get("@odata.nextLink")
            if link is None:
                return found
            tail = link.removeprefix(HOST + self._path)


class RoomReader(Mailbox):
    """A room's calendar, read and answered for."""

    async def answer(self, event_id: str, verb: str, *, send: bool = True) -> None:
        """Answer a request in the room's name: accept, tentativelyAccept or decline."""
        await self.call("POST", f"{event_path(event_id)}/{verb}", {"comment": "", "sendResponse": send})


class Person(Mailbox):
    """Somebody who books rooms."""

    async def book(
        self,
        start: datetime,
        end: datetime,
        *,
        rooms: Iterable[str] = (),
        people: Iterable[str] = (),
        subject: str = "Meeting",
        zone: str = "UTC",
        **more: Any,
    ) -> dict[str, Any]:
        """Create a meeting; *rooms* and *people* are addresses, *more* goes into the body as it is."""
        rooms = list(rooms)
        body: dict[str, Any] = {
            "subject": subject,
            **times_in(start, end, zone),
            "attendees": [*(_attendee(item, "resource") for item in rooms), *(_attendee(item) for item in people)],
            **({"location": {"displayName": rooms[0], "locationEmailAddress": rooms[0]}} if rooms else {}),
            **more,
        }
        created: dict[str, Any] = await self.call("POST", "/events", body)
        return created

    async def book_series(
        self, start: datetime, end: datetime, *, kind: str = "weekly", every: int = 1, days: Iterable[str] = (),
        until: date | None = None, times: int | None = None, zone: str = "UTC", **more: Any,
    ) -> dict[str, Any]:  # fmt: skip
        """Create a series whose first date is at *start* to *end*; *more* as for `book`, the rest as for `recur`."""
        first = start.astimezone(find_zone(zone)).date()
        recurrence = recur(first, kind, every=every, days=days, until=until, times=times)
        return await self.book(start, end, zone=zone, recurrence=recurrence, **more)

    async def move_series(self, master_id: str, day: date, start: datetime, end: datetime) -> dict[str, Any]:
        """Move a whole series so that its date on *day* is at *start* to *end*."""
        return await self.change(master_id, **move_all(await self.get(master_id), day, start, end))

    async def change_following(self, master_id: str, day: date, **changes: Any) -> dict[str, Any]:
        """Change the dates from *day* on: the series ends before, the rest is booked anew. Returns the new master."""
        master = await self.get(master_id)
        rest = begin_at(master, day, **changes)
        await self.cancel_following(master_id, day)
        created: dict[str, Any] = await self.call("POST", "/events", rest)
        return created

    async def cancel_following(self, master_id: str, day: date) -> None:
        """Cancel the dates from *day* on, the whole series when none is left."""
        shorter = end_before(await self.get(master_id), day)
        if shorter is None:
            await self.cancel(master_id)
        else:
            await self.change(master_id, **shorter)

    async def move(self, event_id: str, start: datetime, end: datetime, *, zone: str = "UTC") -> dict[str, Any]:
        """Give a meeting another time."""
        return await self.change(event_id, **times_in(start, end, zone))

    async def rename(self, event_id: str, subject: str) -> dict[str, Any]:
        """Give a meeting another subject."""
        return await self.change(event_id, subject=subject)

    async def set_rooms(self, event_id: str, rooms: Iterable[str]) -> dict[str, Any]:
        """Replace the rooms among the attendees; people stay."""
        event = await self.get(event_id)
        people = [item for item in event["attendees"] if item["type"] != "resource"]
        return await self.change(event_id, attendees=[*people, *(_attendee(item, "resource") for item in rooms)])

    async def change(self, event_id: str, **body: Any) -> dict[str, Any]:
        """Change some properties of an event."""
        changed: dict[str, Any] = await self.call("PATCH", event_path(event_id), body)
        return changed

    async def cancel(self, event_id: str, comment: str = "") -> None:
        """Cancel a meeting as its organizer."""
        await self.call("POST", f"{event_path(event_id)}/cancel", {"comment": comment})

    async def delete(self, event_id: str) -> None:
        """Delete this copy; the organizer's deletion cancels."""
        await self.call("DELETE", event_path(event_id))

    async def answer(self, event_id: str, verb: str, *, send: bool = True) -> None:
        """Answer an invitation: accept, tentativelyAccept or decline."""
        await self.call("POST", f"{event_path(event_id)}/{verb}", {"comment": "", "sendResponse": send})


def event_path(event_id: str) -> str:
    """Return the path of an event under its mailbox, its id encoded once."""
    return f"/events/{quote(event_id, safe='')}"


def _attendee(address: str, kind: str = "required") -> dict[str, Any]:
    return {"type": kind, "emailAddress": {"address": address, "name": address.partition("@")[0]}}
