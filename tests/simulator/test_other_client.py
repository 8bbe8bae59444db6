"""The tenant through another library's eyes: O365, which knows nothing of this project, pointed at a port of ours."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests
from O365 import Account, MSGraphProtocol
from O365.utils.token import MemoryTokenBackend

from engine.simulator import TenantOptions
from engine.simulator.server import SimulatorServer

ALEX, KIM, AULA = "alex@example.org", "kim@example.org", "aula@example.org"
PARIS = ZoneInfo("Europe/Paris")
NINE = datetime.combine(date.today() + timedelta(days=7), datetime.min.time(), PARIS) + timedelta(hours=9)  # noqa: DTZ011
OPTIONS = TenantOptions(
    attendant_delay=(0.0, 0.01), notification_delay=(0.0, 0.01), static_token=None, empty_page_rate=0.0
)


@contextmanager
def serving() -> Iterator[SimulatorServer]:
    """Run a tenant in a thread of its own: the library blocks while it waits for answers."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = SimulatorServer(OPTIONS)
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(10)
        office = server.tenant.office
        office.add_room(AULA, "Aula", capacity=40, zone="Europe/Paris")
        office.add_person(ALEX, "Alex Doe", zone="Europe/Paris")
        office.add_person(KIM, "Kim Ito", zone="Europe/Paris")
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatorServer]:
    with serving() as running:
        yield running


@pytest.fixture(scope="module")
def account(server: SimulatorServer) -> Account:
    """Sign in by client credentials and hand the token to the library (its own sign-in insists on https)."""
    form = {
        "grant_type": "client_credentials", "client_id": OPTIONS.client_id, "client_secret": OPTIONS.client_secret,
        "scope": "https://graph.microsoft.com/.default",
    }  # fmt: skip
    token = requests.post(f"{server.origin}/{OPTIONS.tenant_id}/oauth2/v2.0/token", data=form, timeout=10).json()

    class Protocol(MSGraphProtocol):  # type: ignore[misc]
        _protocol_url = f"{server.origin}/"

    account = Account(
        (OPTIONS.client_id, OPTIONS.client_secret), protocol=Protocol(timezone=PARIS), auth_flow_type="credentials",
        tenant_id=OPTIONS.tenant_id, token_backend=MemoryTokenBackend(), requests_delay=0,
    )  # fmt: skip
    account.con.session = account.con.get_session()
    account.con.session.headers["Authorization"] = f"Bearer {token['access_token']}"
    return account


def events(account: Account, mailbox: str, days: int = 40) -> list[Any]:
    """Return what stands in a calendar, series date by date."""
    start = NINE - timedelta(days=1)
    return list(account.schedule(resource=mailbox).get_default_calendar().get_events(
        limit=100, start_recurring=start, end_recurring=start + timedelta(days=days)
    ))  # fmt: skip


def eventually(look: Callable[[], Any]) -> Any:
    """Return what *look* finds once it finds something; the room answers on its own time."""
    end = time.monotonic() + 10
    while not (found := look()) and time.monotonic() < end:
        time.sleep(0.02)
    assert found
    return found


def book(account: Account, start: datetime, subject: str) -> Any:
    event = account.schedule(resource=ALEX).new_event(subject)
    event.start, event.end = start, start + timedelta(hours=1)
    event.attendees.add([("Aula", AULA)])
    assert event.save()
    return event


def answer(account: Account, event: Any) -> str:
    shown = account.schedule(resource=ALEX).get_default_calendar().get_event(event.object_id)
    status = next(iter(shown.attendees)).response_status
    return str(getattr(status.status, "value", status.status))


def test_a_meeting_from_booking_to_cancellation(account: Account) -> None:
    """Booked, answered by the room, moved, cancelled: each step as the library reads it back."""
    event = book(account, NINE, "Lecture")
    eventually(lambda: answer(account, event) == "accepted")
    (copy,) = eventually(lambda: [item for item in events(account, AULA) if item.ical_uid == event.ical_uid])
    assert (copy.subject, copy.organizer.address) == ("Alex Doe", ALEX)
    assert copy.start == NINE

    event.start, event.end = NINE + timedelta(hours=4), NINE + timedelta(hours=5)
    assert event.save()
    eventually(lambda: [item.start for item in events(account, AULA)] == [NINE + timedelta(hours=4)])

    assert event.cancel_event("over")
    eventually(lambda: all(item.is_cancelled for item in events(account, AULA)))
    assert [item for item in events(account, ALEX) if item.subject == "Lecture"] == []


def test_a_series(account: Account) -> None:
    """Four weeks, read date by date in the room, and as one master without expansion."""
    event = account.schedule(resource=ALEX).new_event("Seminar")
    start = NINE + timedelta(hours=6)
    event.start, event.end = start, start + timedelta(hours=1)
    event.attendees.add([("Aula", AULA)])
    event.recurrence.set_weekly(1, days_of_week=[f"{start:%A}".lower()], first_day_of_week="monday",
                                start=start.date(), occurrences=4)  # fmt: skip
    assert event.save()

    def dates() -> list[datetime]:
        return [item.start for item in events(account, AULA) if item.event_type.value == "occurrence"]

    eventually(lambda: len(dates()) == 4)
    assert dates() == [start + timedelta(days=7 * week) for week in range(4)]
    masters = account.schedule(resource=ALEX).get_default_calendar().get_events(include_recurring=False, limit=50)
    assert [item.recurrence.occurrences for item in masters if item.subject == "Seminar"] == [4]


def test_free_busy_and_people(account: Account) -> None:
    """Availability of a room; users of the directory."""
    event = book(account, NINE + timedelta(days=1), "Talk")
    eventually(lambda: answer(account, event) == "accepted")
    start = NINE + timedelta(days=1) - timedelta(hours=1)
    (found,) = account.schedule(resource=ALEX).get_availability([AULA], start, start + timedelta(hours=3), interval=60)

    assert found["availabilityView"] == ["free", "busy", "free"]
    assert {user.mail for user in account.directory().get_users()} == {ALEX, KIM, AULA}


def test_it_waits_when_told_to(account: Account, server: SimulatorServer) -> None:
    """B47: the library's own retry reads our 429 and 503 as throttling, and gets through."""
    server.tenant.faults.add(effect="error", status=429, retry_after="0", method="GET", times=1)
    server.tenant.faults.add(effect="error", status=503, retry_after="0", method="GET", times=1)
    assert account.schedule(resource=AULA).get_default_calendar().name == "Calendar"
    assert [rule.struck for rule in server.tenant.faults.rules] == [1, 1]
    server.tenant.faults.clear()


def test_errors_are_its_own(account: Account) -> None:
    """Graph's errors arrive as the library's, with our message in them."""
    with pytest.raises(requests.HTTPError, match="Id is malformed"):
        account.schedule(resource=AULA).get_default_calendar().get_event("nonsense")
    with pytest.raises(requests.HTTPError, match="404"):
        account.schedule(resource="nobody@example.org").get_default_calendar()
