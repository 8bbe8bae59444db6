"""The simulated Outlook, driven over HTTP: plain Graph calls as a person's client makes them, and `/sim/...`."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from engine.cli.asking import Ask, ask_over_http
from engine.cli.wishes import suggest
from engine.errors import NotFound, Refused

if TYPE_CHECKING:
    from engine.cli.doors import Doors

NEIGHBOUR_DAYS = 400
"""A moved date stays between its neighbours; a yearly one has them about as far away."""

At = Annotated[str, typer.Option("--at", help="Where the tenant answers; else http://127.0.0.1 and its port.")]


class SimulatedOutlook:
    """One tenant at *origin* (scheme, host and port)."""

    def __init__(self, origin: str, ask: Ask = ask_over_http) -> None:
        self.origin = origin.rstrip("/")
        self._ask = ask

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Ask the control room: *path* follows `/sim`."""
        return self._call(method, f"/sim{path}", body)

    def rooms(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.control("GET", "/rooms")
        return found

    def people(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.control("GET", "/people")
        return found

    def room_address(self, wanted: str) -> str:
        """Return the address of the room named or addressed so. Raises NotFound."""
        names = {room["displayName"]: room["emailAddress"] for room in self.rooms()}
        return _pick(wanted, names, "room")

    def person_address(self, wanted: str) -> str:
        """Return the address of the person named or addressed so. Raises NotFound."""
        names = {person["name"]: person["address"] for person in self.people()}
        return _pick(wanted, names, "person")

    def mailbox_address(self, wanted: str) -> str:
        """Return the address of the room or person named or addressed so. Raises NotFound."""
        names = {person["name"]: person["address"] for person in self.people()}
        names |= {room["displayName"]: room["emailAddress"] for room in self.rooms()}
        return _pick(wanted, names, "mailbox")

    def events(self, mailbox: str) -> list[dict[str, Any]]:
        """Return the events of a mailbox, in short."""
        found: list[dict[str, Any]] = self.control("GET", f"/calendars/{quote(mailbox)}")
        return found

    def find_event(self, mailbox: str, wanted: str) -> dict[str, Any]:
        """Return the event or series with this id, iCalUId or subject; the last one of a subject that several have."""
        found = [event for event in self.events(mailbox) if event["type"] != "exception"]
        matches = [event for event in found if wanted in (event["id"], event["ical_uid"], event["subject"])]
        if not matches:
            raise NotFound(f"{mailbox} has no event {wanted!r}{suggest(wanted, [event['subject'] for event in found])}")
        return matches[-1]

    def book(
        self,
        organizer: str,
        rooms: list[str],
        start: datetime,
        end: datetime,
        subject: str,
        series: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Create a meeting as *organizer* would, with rooms as attendees; *series* adds how it recurs to the body."""
        body = {
            "subject": subject,
            "start": render_time(start),
            "end": render_time(end),
            **(series or {}),
            "attendees": [{"type": "resource", "emailAddress": {"address": room, "name": room}} for room in rooms],
            "location": {"displayName": rooms[0], "locationEmailAddress": rooms[0]},
        }
        created: dict[str, Any] = self._graph("POST", organizer, "/events", body)
        return created

    def change(self, organizer: str, event_id: str, **body: object) -> dict[str, Any]:
        """Change some properties of a meeting."""
        changed: dict[str, Any] = self._graph("PATCH", organizer, _event_path(event_id), body)
        return changed

    def forward(self, who: str, event_id: str, to: list[str]) -> None:
        """Forward a meeting to some addresses."""
        body = {"toRecipients": [{"emailAddress": {"address": address}} for address in to]}
        self._graph("POST", who, f"/events/{quote(event_id, safe='')}/forward", body)

    def cancel(self, organizer: str, event_id: str, comment: str) -> None:
        """Cancel a meeting as its organizer."""
        self._graph("POST", organizer, f"{_event_path(event_id)}/cancel", {"comment": comment})

    # -- series

    def get(self, organizer: str, event_id: str) -> dict[str, Any]:
        """Return an event as Graph shows it."""
        found: dict[str, Any] = self._graph("GET", organizer, _event_path(event_id))
        return found

    def dates(self, organizer: str, master_id: str, first: date, last: date) -> list[dict[str, Any]]:
        """Return the occurrences and exceptions of a series from *first* to *last*."""
        window = f"startDateTime={first}T00:00:00Z&endDateTime={last}T23:59:59Z"
        found: list[dict[str, Any]] = []
        path = f"/v1.0/users/{quote(organizer, safe='@')}{_event_path(master_id)}/instances?{window}&$top=1000"
        while path:
            page = self._call("GET", path, None)
            found += page["value"]
            path = page.get("@odata.nextLink", "").removeprefix(self.origin)
        return found

    def find_date(self, organizer: str, master_id: str, day: date) -> dict[str, Any]:
        """Return what a series has on *day* by its pattern, wherever that was moved to. Raises NotFound."""
        from engine.simulator.series_calls import day_of, zone_of

        zone = zone_of(self.get(organizer, master_id))
        found = self.dates(organizer, master_id, day - timedelta(days=NEIGHBOUR_DAYS), day + timedelta(NEIGHBOUR_DAYS))
        for item in found:
            if day_of(item, zone) == day:
                return item
        raise NotFound(f"the series has no date on {day}; it was cancelled, or is none of the pattern's days")

    def change_following(self, organizer: str, master_id: str, day: date, **body: object) -> dict[str, Any]:
        """End a series before *day* and book the rest anew, as Outlook does; returns the new master."""
        from engine.simulator.series_calls import begin_at

        rest = begin_at(self.get(organizer, master_id), day, **body)
        self.cancel_following(organizer, master_id, day, "")
        created: dict[str, Any] = self._graph("POST", organizer, "/events", rest)
        return created

    def cancel_following(self, organizer: str, master_id: str, day: date, comment: str) -> None:
        """Cancel the dates of a series from *day* on; all of it when none is left."""
        from engine.simulator.series_calls import end_before

        try:
            shorter = end_before(self.get(organizer, master_id), day)
        except ValueError as error:
            raise NotFound(str(error)) from error
        if shorter is None:
            self.cancel(organizer, master_id, comment)
        else:
            self.change(organizer, master_id, **shorter)

    def move_series(self, organizer: str, master_id: str, start: datetime, end: datetime) -> dict[str, Any]:
        """Move a whole series so that its first date is at *start* to *end*."""
        from engine.simulator.series_calls import first_day, move_all

        master = self.get(organizer, master_id)
        try:
            body = move_all(master, first_day(master), start, end)
        except ValueError as error:
            raise Refused(str(error)) from error
        return self.change(organizer, master_id, **body)

    def _graph(self, method: str, mailbox: str, tail: str, body: object = None) -> Any:
        return self._call(method, f"/v1.0/users/{quote(mailbox, safe='@')}{tail}", body)

    def _call(self, method: str, path: str, body: object) -> Any:
        data = None if body is None else json.dumps(body).encode()
        status, answer = self._ask(method, self.origin + path, data)
        found = json.loads(answer) if answer.strip() else {}
        if status < 400:
            return found
        message = found.get("message") or found.get("error", {}).get("message") or f"status {status}"
        raise (NotFound if status == 404 else Refused)(str(message))


def reach(doors: Doors, at: str) -> SimulatedOutlook:
    """Return the tenant at *at*, else the one on the configured port of this machine."""
    return SimulatedOutlook(at or f"http://127.0.0.1:{doors.settings.simulator.port}", doors.ask)


def _event_path(event_id: str) -> str:
    return f"/events/{quote(event_id, safe='')}"


def render_time(instant: datetime) -> dict[str, str]:
    """Return an instant in Graph's two parts, in UTC."""
    return {"dateTime": f"{instant:%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"}


def _pick(wanted: str, names: dict[str, str], kind: str) -> str:
    folded = wanted.strip().casefold()
    for name, address in names.items():
        if folded in (name.casefold(), address.casefold()):
            return address
    raise NotFound(f"there is no {kind} {wanted!r}{suggest(wanted, [*names, *names.values()])}")
