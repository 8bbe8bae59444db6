"""The simulated Outlook, driven over HTTP: plain Graph calls as a person's client makes them, and `/sim/...`."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from engine.cli.wishes import suggest
from engine.errors import NotFound, Refused, Unreachable

if TYPE_CHECKING:
    from engine.cli.doors import Doors

SECONDS = 30.0
TOKEN = "demo"
"""The simulated tenant's fixed token; it opens nothing else."""

At = Annotated[str, typer.Option("--at", help="Where the tenant answers; else http://127.0.0.1 and its port.")]
Ask = Callable[[str, str, bytes | None], tuple[int, bytes]]
"""`ask(method, url, body)` gives status and body."""


def ask_over_http(method: str, url: str, body: bytes | None) -> tuple[int, bytes]:
    """Make one request, past any proxy. Raises Unreachable when nobody answers."""
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import ProxyHandler, Request, build_opener

    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    try:
        request = Request(url, body, headers, method=method)
        with build_opener(ProxyHandler({})).open(request, timeout=SECONDS) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()
    except (URLError, HTTPException, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        message = f"no simulated Outlook answers at {url}: {reason}; start it with run or simulate serve"
        raise Unreachable(message) from error


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
        """Return the event with this id, iCalUId or subject; the last one of a subject that several have."""
        found = self.events(mailbox)
        matches = [event for event in found if wanted in (event["id"], event["ical_uid"], event["subject"])]
        if not matches:
            raise NotFound(f"{mailbox} has no event {wanted!r}{suggest(wanted, [event['subject'] for event in found])}")
        return matches[-1]

    def book(self, organizer: str, rooms: list[str], start: datetime, end: datetime, subject: str) -> dict[str, Any]:
        """Create a meeting as *organizer* would, with rooms as attendees."""
        body = {
            "subject": subject,
            "start": render_time(start),
            "end": render_time(end),
            "attendees": [{"type": "resource", "emailAddress": {"address": room, "name": room}} for room in rooms],
            "location": {"displayName": rooms[0], "locationEmailAddress": rooms[0]},
        }
        created: dict[str, Any] = self._graph("POST", organizer, "/events", body)
        return created

    def change(self, organizer: str, event_id: str, **body: object) -> dict[str, Any]:
        """Change some properties of a meeting."""
        changed: dict[str, Any] = self._graph("PATCH", organizer, f"/events/{quote(event_id, safe='')}", body)
        return changed

    def forward(self, who: str, event_id: str, to: list[str]) -> None:
        """Forward a meeting to some addresses."""
        body = {"toRecipients": [{"emailAddress": {"address": address}} for address in to]}
        self._graph("POST", who, f"/events/{quote(event_id, safe='')}/forward", body)

    def cancel(self, organizer: str, event_id: str, comment: str) -> None:
        """Cancel a meeting as its organizer."""
        self._graph("POST", organizer, f"/events/{quote(event_id, safe='')}/cancel", {"comment": comment})

    def _graph(self, method: str, mailbox: str, tail: str, body: object) -> Any:
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


def render_time(instant: datetime) -> dict[str, str]:
    """Return an instant in Graph's two parts, in UTC."""
    return {"dateTime": f"{instant:%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"}


def _pick(wanted: str, names: dict[str, str], kind: str) -> str:
    folded = wanted.strip().casefold()
    for name, address in names.items():
        if folded in (name.casefold(), address.casefold()):
            return address
    raise NotFound(f"there is no {kind} {wanted!r}{suggest(wanted, [*names, *names.values()])}")
