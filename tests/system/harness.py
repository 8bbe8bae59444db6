"""The service and the tenant as processes of their own, and whoever drives them: by Graph calls and by the JSON API.

Nothing here looks behind a door. Nothing waits for a time: `eventually` asks until it is so, with a generous deadline.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

ROOT = Path(__file__).parents[2]
TOKEN = "bootstrap-of-the-tests"
DEADLINE_SECONDS = 180.0
"""Only a failing test waits that long."""

LIVE = ("pending_approval", "new", "out", "overdue")

Found = TypeVar("Found")


def eventually(look: Callable[[], Found], *, seconds: float = DEADLINE_SECONDS) -> Found:
    """Call *look* until it neither asserts in vain nor loses its connection; return what it returns."""
    deadline = time.monotonic() + seconds
    pause = 0.05
    while True:
        try:
            return look()
        except (AssertionError, httpx.TransportError):
            if time.monotonic() > deadline:
                raise
            time.sleep(pause)
            pause = min(pause * 1.5, 1.0)  # looking must not keep a busy machine from getting there


def clean_environment(**more: str) -> dict[str, str]:
    """Return our environment without any setting of the engine, and with *more*."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ENGINE_")}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **more}


class Child:
    """One process of ours; what it says goes into two files."""

    def __init__(self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        number = len(list(folder.glob("out-*")))
        self._out, self._err = folder / f"out-{number}", folder / f"err-{number}"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, *arguments], cwd=folder, env=dict(environment), stdout=out, stderr=err,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip

    @property
    def said(self) -> str:
        return self._out.read_text(encoding="utf-8")

    @property
    def logged(self) -> str:
        return self._err.read_text(encoding="utf-8")

    def find(self, pattern: str) -> str:
        """Return the first group of *pattern* in what the process prints, once it is there."""

        def look() -> str:
            found = re.search(pattern, self.said)
            if found is None and self.process.poll() is not None:
                raise RuntimeError(f"ended with {self.process.returncode}: {self.logged}")
            assert found is not None, f"never said {pattern}: {self.said} {self.logged}"
            return found[1]

        return eventually(look)

    def kill(self) -> None:
        """End it at once: `kill -9`."""
        self.process.kill()
        self.process.wait(DEADLINE_SECONDS)

    def terminate(self) -> int:
        """Ask it to end, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE_SECONDS)

    def wait(self) -> int:
        return self.process.wait(DEADLINE_SECONDS)


class Outlook:
    """People at Outlook, and the administrators of their tenant."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self._http = httpx.Client(base_url=origin, headers={"Authorization": "Bearer demo"}, timeout=30)

    def close(self) -> None:
        self._http.close()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._http.request(method, path, json=body)
        assert answer.status_code < 400, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def sim(self, path: str, method: str = "POST", **body: Any) -> Any:
        return self.call(method, f"/sim/{path}", body if method == "POST" else None)

    def book(self, who: str, start: datetime, end: datetime, *rooms: str, subject: str, **more: Any) -> dict[str, Any]:
        body = {"subject": subject, **_times(start, end), "attendees": _attendees(rooms), **more}
        made: dict[str, Any] = self.call("POST", f"/v1.0/users/{who}/events", body)
        return made

    def change(self, who: str, event_id: str, **body: Any) -> None:
        self.call("PATCH", _event(who, event_id), body)

    def move(self, who: str, event_id: str, start: datetime, end: datetime) -> None:
        self.change(who, event_id, **_times(start, end))

    def set_rooms(self, who: str, event_id: str, *rooms: str) -> None:
        self.change(who, event_id, attendees=_attendees(rooms))

    def cancel(self, who: str, event_id: str) -> None:
        self.call("POST", _event(who, event_id) + "/cancel", {"comment": ""})

    def events(self, who: str) -> list[dict[str, Any]]:
        """Return what is in one calendar, cancelled copies apart."""
        found: list[dict[str, Any]] = []
        path = f"/v1.0/users/{who}/events?$top=1000"
        while path:
            page = self.call("GET", path)
            found += page["value"]
            path = page.get("@odata.nextLink", "").removeprefix(self.origin)
        return [event for event in found if not event["isCancelled"]]

    def of_loan(self, who: str, number: int) -> list[dict[str, Any]]:
        """Return the events in one calendar that are of this loan."""
        return [event for event in self.events(who) if event["subject"].startswith(f"#{number} ")]


class Desk:
    """Staff and machines: the JSON API."""

    def __init__(self, address: str, token: str = TOKEN) -> None:
        self.address = address
        self._http = httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=30)

    def close(self) -> None:
        self._http.close()

    def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return self._http.request(method, path, json=body)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.ask(method, path, body)
        assert answer.status_code < 400, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def book(self, who: str, start: datetime, end: datetime, *items: int, title: str = "") -> dict[str, Any]:
        order = {
            "requester": person(who),
            "start": start.isoformat(),
            "end": end.isoformat(),
            "items": [{"kind": "room", "id": item} for item in items],
            "title": title,
        }
        made: dict[str, Any] = self.call("POST", "/api/loans", order)
        return made

    def change(self, number: int, **fields: Any) -> dict[str, Any]:
        changed: dict[str, Any] = self.call("PATCH", f"/api/loans/{number}", fields)
        return changed

    def act(self, number: int, action: str) -> dict[str, Any]:
        done: dict[str, Any] = self.call("POST", f"/api/loans/{number}/{action}", {})
        return done

    def loan(self, number: int) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", f"/api/loans/{number}")
        return found

    def loans(self) -> list[dict[str, Any]]:
        return self._all("/api/loans?limit=500")

    def cases(self) -> list[dict[str, Any]]:
        return self._all("/api/cases?state=open&limit=500")

    def titled(self, title: str) -> list[dict[str, Any]]:
        return [loan for loan in self.loans() if loan["title"] == title]

    def history(self, number: int) -> list[str]:
        return [line["code"] for line in self.call("GET", f"/api/loans/{number}/history")["items"]]

    def room_ids(self) -> dict[str, int]:
        return {room["address"]: room["id"] for room in self._all("/api/rooms?limit=500")}

    def _all(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        after = ""
        while True:
            page = self.call("GET", path + after)
            found += page["items"]
            if page["next"] is None:
                return found
            after = f"&after={page['next']}"


class Service:
    """`python -m engine run` in a folder of its own, with a database of its own; may be killed and started again."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.environment = clean_environment(
            **{
                "ENGINE_WEB__PORT": "0",
                "ENGINE_WEB__API_TOKEN": TOKEN,
                "ENGINE_SIMULATOR__PORT": "0",
                "ENGINE_SIMULATOR__STATE_FILE": "tenant.db",
                "ENGINE_DATABASE__URL": "sqlite:///accord.db",
                **settings,
            }
        )
        self._children: list[Child] = []
        self._desk: Desk | None = None

    @property
    def child(self) -> Child:
        return self._children[-1]

    @property
    def desk(self) -> Desk:
        assert self._desk is not None
        return self._desk

    @property
    def graph(self) -> str:
        """Where its tenant answers: scheme, host and port."""
        return self.child.find(r"Graph +(\S+)/v1\.0")

    @property
    def logged(self) -> str:
        """Everything it ever logged."""
        return "".join(child.logged for child in self._children)

    def start(self) -> Service:
        """Start it, and return once it listens."""
        self._children.append(Child(["-m", "engine", "run"], self.folder, self.environment))
        self._forget_desk()
        self._desk = Desk(self.child.find(r"API +(http://[^/\s]+)/api/docs"))
        return self

    def wait_ready(self) -> Service:
        def look() -> None:
            answer = self.desk.ask("GET", "/readyz")
            assert answer.status_code == 200, answer.text

        eventually(look)
        return self

    def wait_idle(self) -> None:
        """Wait until nothing is due and nothing runs."""

        def look() -> None:
            queue = self.desk.call("GET", "/api/status")["queue"]
            assert (queue["due"], queue["running"]) == (0, 0), queue

        eventually(look)

    def kill(self) -> None:
        self.child.kill()

    def stop(self) -> int:
        return self.child.terminate()

    def close(self) -> None:
        self._forget_desk()
        for child in self._children:
            if child.process.poll() is None:
                child.kill()

    def _forget_desk(self) -> None:
        if self._desk is not None:
            self._desk.close()
            self._desk = None

    def run_command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the command line beside the service, with its settings."""
        return run_command(self.folder, self.environment, *arguments)


def run_command(folder: Path, environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "engine", *arguments], cwd=folder, env=dict(environment), text=True,
        capture_output=True, timeout=DEADLINE_SECONDS, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


class SeparateTenant:
    """`python -m engine.simulator` by itself, with rooms and people of the test."""

    def __init__(self, folder: Path, *, rooms: int = 3, people: int = 3) -> None:
        self._child = Child(["-m", "engine.simulator", "--port", "0", "--empty"], folder, clean_environment())
        self.rooms = [f"room-{number}@example.org" for number in range(1, rooms + 1)]
        self.people = [f"person-{number}@example.org" for number in range(1, people + 1)]
        self.outlook = Outlook(self._child.find(r"Graph: +(\S+)/v1\.0"))
        for address in self.rooms:
            self.outlook.sim("rooms", address=address, name=name_of(address), capacity=8)
        for address in self.people:
            self.outlook.sim("people", address=address, name=name_of(address))

    @property
    def settings(self) -> dict[str, str]:
        """What points an engine here."""
        return {
            "ENGINE_GRAPH__BASE_URL": f"{self.outlook.origin}/v1.0",
            "ENGINE_GRAPH__CREDENTIAL": "static_token",
            "ENGINE_GRAPH__TOKEN": "demo",
            "ENGINE_LOANS__DEFAULT_USER": self.people[0],
        }

    def close(self) -> None:
        self.outlook.close()
        self._child.kill()


class House:
    """A service that runs and its tenant, with rooms and people; every test takes days of its own."""

    def __init__(self, service: Service, outlook: Outlook, rooms: Sequence[str], people: Sequence[str]) -> None:
        self.service = service
        self.outlook = outlook
        self.rooms = list(rooms)
        self.people = list(people)
        self._days = 14
        self.ids = eventually(self._find_ids)

    def _find_ids(self) -> dict[str, int]:
        ids = self.service.desk.room_ids()
        assert set(self.rooms) <= set(ids), ids
        return ids

    @property
    def desk(self) -> Desk:
        return self.service.desk

    def hour(self) -> tuple[datetime, datetime]:
        """Return the start and end of an hour on a day nobody else has."""
        self._days += 1
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        start = today + timedelta(days=self._days, hours=9)
        return start, start + timedelta(hours=1)

    def room(self, number: int) -> int:
        """Return the id of a room, counted from 1."""
        return self.ids[self.rooms[number - 1]]


def only(found: Sequence[Found]) -> Found:
    """Return the one there is."""
    assert len(found) == 1, found
    return found[0]


def find_loan(house: House, title: str) -> dict[str, Any]:
    """Return the loan of that title once its rooms have accepted."""

    def look() -> dict[str, Any]:
        loan = only(house.desk.titled(title))
        assert {item["state"] for item in loan["items"]} == {"accepted"}, loan
        return loan

    return eventually(look)


def find_event(house: House, who: str, number: int) -> dict[str, Any]:
    """Return the event of a loan in one calendar once its rooms have accepted, there and here."""

    def look() -> dict[str, Any]:
        event = only(house.outlook.of_loan(who, number))
        assert set(rooms_of(event).values()) == {"accepted"}, event["attendees"]
        states = {item["state"] for item in house.desk.loan(number)["items"]} - {"cancelled"}
        assert states == {"accepted"}, states
        return event

    return eventually(look)


def check_start(house: House, number: int, start: datetime) -> None:
    assert when(house.desk.loan(number), "start") == start


def name_of(address: str) -> str:
    return address.partition("@")[0].replace("-", " ").title()


def person(address: str) -> dict[str, str]:
    return {"name": name_of(address), "address": address}


def when(value: Mapping[str, Any], field: str) -> datetime:
    """Return a time of an event, which is in UTC, or of a loan."""
    found = value[field]
    text = found if isinstance(found, str) else found["dateTime"][:19] + "+00:00"
    return datetime.fromisoformat(text)


def rooms_of(event: Mapping[str, Any]) -> dict[str, str]:
    """Return the attendees of an event with what each answered."""
    return {item["emailAddress"]["address"]: item["status"]["response"] for item in event["attendees"]}


def _event(who: str, event_id: str) -> str:
    return f"/v1.0/users/{who}/events/{quote(event_id, safe='')}"


def _times(start: datetime, end: datetime) -> dict[str, Any]:
    def shown(moment: datetime) -> dict[str, str]:
        return {"dateTime": f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"}

    return {"start": shown(start), "end": shown(end)}


def _attendees(rooms: Sequence[str]) -> list[dict[str, Any]]:
    return [{"type": "resource", "emailAddress": {"address": room, "name": name_of(room)}} for room in rooms]
