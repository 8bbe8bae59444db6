"""Several processes that share the work through one PostgreSQL database, and lose each other."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from tests.system.harness import (
    TOKEN,
    Child,
    Desk,
    House,
    SeparateTenant,
    check_start,
    clean_environment,
    eventually,
    find_event,
    find_loan,
    run_command,
    when,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("postgres")]


@dataclass
class Fleet:
    """Processes of one installation; `House` takes it for a service."""

    folder: Path
    tenant: SeparateTenant
    database: str
    desk: Desk = field(init=False)
    children: dict[str, Child] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.desk = Desk(f"http://127.0.0.1:{self.port}")

    def environment(self, port: int) -> dict[str, str]:
        return clean_environment(
            **self.tenant.settings,
            ENGINE_DATABASE__URL=self.database,
            ENGINE_WEB__PORT=str(port),
            ENGINE_WEB__API_TOKEN=TOKEN,
            ENGINE_WEB__PUBLIC_URL=f"http://127.0.0.1:{self.port}",
            ENGINE_SYNC__LEASE_SECONDS="5",
        )

    def start(self, name: str, *roles: str, port: int = 0) -> None:
        arguments = [word for role in roles for word in ("--role", role)]
        child = Child(["-m", "engine", "run", *arguments], self.folder / name, self.environment(port))
        self.children[name] = child

    def send(self, name: str, number: signal.Signals) -> None:
        self.children[name].process.send_signal(number)

    def wait_ready(self) -> None:
        for child in self.children.values():
            child.find(r"(Graph) +http")

        def look() -> None:
            answer = self.desk.ask("GET", "/readyz")
            assert answer.status_code == 200, answer.text

        eventually(look)

    def clock_runs_at(self) -> str:
        """Return when the loans' clock runs next, in ISO format."""
        found: str = self.desk.call("GET", "/api/status")["jobs"]["loan_clock"]["next_at"]
        return found

    @property
    def logged(self) -> str:
        return "\n".join(f"--- {name}\n{child.logged[-3000:]}" for name, child in self.children.items())

    def close(self) -> None:
        self.desk.close()
        for child in self.children.values():
            child.kill()


@pytest.fixture
def fleet(tmp_path: Path, postgresql_url: str) -> Iterator[Fleet]:
    with ExitStack() as stack:
        tenant = SeparateTenant(tmp_path / "tenant")
        stack.callback(tenant.close)
        fleet = Fleet(tmp_path, tenant, postgresql_url)
        stack.callback(fleet.close)
        stack.callback(lambda: print(fleet.logged))
        fleet.start("web 1", "web", port=fleet.port)
        fleet.start("web 2", "web")
        fleet.start("clock 1", "scheduler")
        fleet.start("clock 2", "scheduler")
        fleet.start("worker 1", "worker")
        fleet.start("worker 2", "worker")
        fleet.wait_ready()
        yield fleet


class TestProcessesThatShareTheWork:
    def test_one_is_killed_and_one_falls_silent(self, fleet: Fleet) -> None:
        """
        A worker that sleeps past its lease is stood in for and spoils nothing when it wakes up (F24, I19); it goes on
        alone when the other is killed. So do one web process, and the scheduler that waited while another led.
        """
        house = House(fleet, fleet.tenant.outlook, fleet.tenant.rooms, fleet.tenant.people)
        who, (start, end) = house.people[0], house.hour()
        event = house.outlook.book(who, start, end, house.rooms[0], subject="Shared")
        number = find_loan(house, "Shared")["number"]

        eventually(lambda: check_shown(fleet, 2))
        fleet.send("worker 1", signal.SIGSTOP)
        for hours in (1, 2, 3):
            moved = start + timedelta(hours=hours)
            house.outlook.move(who, event["id"], moved, moved + timedelta(hours=1))
            eventually(lambda moved=moved: check_start(house, number, moved))
        mine = house.desk.book(who, *house.hour(), house.room(2), title="While one sleeps")["number"]
        made = find_event(house, who, mine)

        check_shown(fleet, 2)
        fleet.send("worker 1", signal.SIGCONT)
        fleet.children["worker 2"].kill()
        eventually(lambda: check_shown(fleet, 1))
        fleet.children["web 2"].kill()
        fleet.children["clock 1"].kill()  # it was there first
        clock = fleet.clock_runs_at()
        later = {"start": when(made, "start") + timedelta(hours=2), "end": when(made, "end") + timedelta(hours=2)}
        house.desk.change(mine, **{name: moment.isoformat() for name, moment in later.items()})
        house.outlook.move(who, event["id"], start, end)
        eventually(lambda: check_start(house, number, start))
        eventually(lambda: check_event(house, who, mine, made["id"], later["start"]))
        eventually(lambda: check_later(fleet, clock))
        assert "Traceback" not in fleet.logged


def check_shown(fleet: Fleet, workers: int) -> None:
    """So many workers show that they live: one that sleeps does, one that was killed does not (decision 0031)."""
    address = make_url(fleet.database).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address) as session:
        row = session.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"
            " WHERE locktype = 'advisory' AND granted AND datname = current_database() AND query LIKE '%lease_owner%'"
        ).fetchone()
    assert row == (workers,)


def check_event(house: House, who: str, number: int, event_id: str, start: datetime) -> None:
    """It is the one event it was, where the loan is now."""
    (found,) = house.outlook.of_loan(who, number)
    assert (found["id"], when(found, "start")) == (event_id, start)


def check_later(fleet: Fleet, before: str) -> None:
    assert fleet.clock_runs_at() > before


class TestWhatStopsTheStart:
    def test_roles_need_a_database_to_share(self, tmp_path: Path) -> None:
        """Every fault is told at once, with what to do."""
        ended = run_command(tmp_path, clean_environment(), "run", "--role", "worker")

        assert ended.returncode == 2, ended.stderr
        for said in ("PostgreSQL", "simulated", "web.public_url"):
            assert said in ended.stderr
        assert "Traceback" not in ended.stderr
