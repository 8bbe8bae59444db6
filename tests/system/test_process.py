"""The process itself: how it starts, why it does not, how it ends, and the command line beside it."""

from __future__ import annotations

import json
import socket
import sqlite3
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from tests.system.conftest import MakeService
from tests.system.harness import (
    DEADLINE_SECONDS,
    Child,
    House,
    SeparateTenant,
    check_start,
    clean_environment,
    eventually,
    find_event,
    find_loan,
    name_of,
    only,
    run_command,
)


class TestWhatStopsTheStart:
    def test_a_port_that_is_taken(self, tmp_path: Path, separate: SeparateTenant) -> None:
        """One line says which address is taken and which setting gives it another; no traceback."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            ended = run_command(tmp_path, clean_environment(ENGINE_WEB__PORT=port, **separate.settings), "run")

        assert ended.returncode not in (0, 2)
        assert f"127.0.0.1:{port}" in ended.stderr
        assert "ENGINE_WEB__PORT" in ended.stderr
        assert "Traceback" not in ended.stderr

    def test_a_port_of_the_simulated_tenant_that_is_taken(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            ended = run_command(tmp_path, clean_environment(ENGINE_WEB__PORT="0", ENGINE_SIMULATOR__PORT=port), "run")

        assert ended.returncode not in (0, 2)
        assert f"port {port}" in ended.stderr
        assert "ENGINE_SIMULATOR__PORT" in ended.stderr
        assert "Traceback" not in ended.stderr

    def test_faults_in_the_settings(self, tmp_path: Path) -> None:
        """Every fault is told at once, a line each, with the nearest known name; exit code 2."""
        (tmp_path / "settings.toml").write_text('[sync]\nmodus = "two_way"\nhorizon_days = 0\n[web]\nport = "high"\n')

        ended = run_command(tmp_path, clean_environment(), "run")

        assert ended.returncode == 2
        lines = ended.stderr.splitlines()
        assert len(lines) == 3, ended.stderr
        assert any("modus" in line and "mode" in line for line in lines)
        assert any("horizon_days" in line for line in lines)
        assert any("port" in line for line in lines)
        assert not (tmp_path / "var").exists()


@pytest.mark.slow
class TestTheEndAndTheNextStart:
    def test_ends_when_told_to_and_goes_on_where_it_was(self, services: MakeService, separate: SeparateTenant) -> None:
        """SIGTERM ends it with code 0; started again on the same database it knows everything and goes on."""
        service = services(**separate.settings).start().wait_ready()
        house = House(service, separate.outlook, separate.rooms, separate.people)
        who, (start, end) = house.people[1], house.hour()
        event = house.outlook.book(who, start, end, house.rooms[0], subject="Before")
        number = find_loan(house, "Before")["number"]

        assert service.stop() == 0

        house.outlook.move(who, event["id"], start + timedelta(hours=1), end + timedelta(hours=1))
        service.start().wait_ready()
        eventually(lambda: check_start(house, number, start + timedelta(hours=1)))
        assert only(house.desk.titled("Before"))["number"] == number
        assert "Traceback" not in service.logged

    def test_ends_when_told_to_while_starting(self, services: MakeService, separate: SeparateTenant) -> None:
        service = services(**separate.settings).start()

        assert service.stop() == 0
        assert "Traceback" not in service.logged

    def test_ends_when_told_to_while_postgresql_says_nothing(self, tmp_path: Path) -> None:
        """Whoever listens there takes the connection and never answers."""
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            url = f"postgresql://accord:secret@127.0.0.1:{port}/accord"
            child = Child(["-m", "engine", "run"], tmp_path, _with_free_ports(ENGINE_DATABASE__URL=url))
            silent.settimeout(DEADLINE_SECONDS)
            with silent.accept()[0]:
                assert child.terminate() == 0

        assert "stopped by SIGTERM while it waited for the database postgresql://accord:***@127.0.0.1" in child.logged
        assert "Traceback" not in child.logged

    def test_ends_when_told_to_while_its_sqlite_file_is_locked(self, tmp_path: Path) -> None:
        file = tmp_path / "accord.db"
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("CREATE TABLE held (id)")
            other.execute("BEGIN EXCLUSIVE")
            child = Child(["-m", "engine", "run"], tmp_path, _with_free_ports(ENGINE_DATABASE__URL=f"sqlite:///{file}"))
            eventually(lambda: check_opened(child, file))
            assert child.terminate() == 0

        assert f"stopped by SIGTERM while it waited for the database sqlite:///{file}" in child.logged

    def test_ends_at_once_when_told_twice(self, tmp_path: Path) -> None:
        """A stop that does not come to its end can be cut short, and says where it stands."""
        program = (
            "import time; from engine.app import stopping; signals = stopping.StopSignals();"
            "signals.hand_to(lambda: print('asked 1', flush=True)); print('ready 1', flush=True); time.sleep(600)"
        )
        child = Child(["-c", program], tmp_path, clean_environment())
        child.find("ready (1)")
        child.process.terminate()
        child.find("asked (1)")

        assert child.terminate() == 1
        assert "stopped by SIGTERM, and at once by SIGTERM" in child.logged


def _with_free_ports(**more: str) -> dict[str, str]:
    return clean_environment(ENGINE_WEB__PORT="0", ENGINE_SIMULATOR__PORT="0", **more)


def check_opened(child: Child, file: Path) -> None:
    opened = set()
    for link in Path(f"/proc/{child.process.pid}/fd").glob("*"):
        with suppress(FileNotFoundError):  # closed since
            opened.add(link.readlink())
    assert file in opened, child.logged


@pytest.mark.slow
class TestTheCommandLineBesideTheService:
    def test_books_lists_and_tells(self, house: House) -> None:
        """Commands work on the same database while the service runs, and the service acts on what they did."""
        who, (start, end) = house.people[2], house.hour()

        booked = house.service.run_command(
            "loans", "book", "--requester", f"{name_of(who)} <{who}>", "--start", start.isoformat(),
            "--end", end.isoformat(), "--room", name_of(house.rooms[2]), "--title", "By hand", "-o", "json",
        )  # fmt: skip

        assert booked.returncode == 0, booked.stderr
        number = json.loads(booked.stdout)["number"]
        find_event(house, who, number)
        listed = house.service.run_command("loans", "list", "-o", "json")
        mine = only([loan for loan in json.loads(listed.stdout) if loan["number"] == number])
        assert (mine["title"], [item["state"] for item in mine["items"]]) == ("By hand", ["accepted"])
        status = json.loads(house.service.run_command("status", "-o", "json").stdout)
        assert status["rooms"] == {"active": len(house.rooms)}
        assert status["parked"] == []
        assert status == {**house.desk.call("GET", "/api/status"), "queue": status["queue"], "jobs": status["jobs"]}

    def test_refuses_what_is_taken(self, house: House) -> None:
        """A clash is told in one line on stderr, with exit code 1."""
        who, (start, end) = house.people[0], house.hour()
        house.desk.book(who, start, end, house.room(1))

        refused = house.service.run_command(
            "loans", "book", "--requester", who, "--start", start.isoformat(), "--end", end.isoformat(),
            "--room", house.rooms[0],
        )  # fmt: skip

        assert (refused.returncode, refused.stdout) == (1, "")
        assert "is taken" in only(refused.stderr.splitlines())


@pytest.mark.usefixtures("postgres")
@pytest.mark.slow
class TestOnPostgreSQL:
    def test_one_story_of_each_side(self, services: MakeService, separate: SeparateTenant, postgresql_url: str) -> None:
        """The same service on PostgreSQL: a meeting becomes a loan, a loan an event, and kill -9 loses nothing."""
        service = services(**{**separate.settings, "ENGINE_DATABASE__URL": postgresql_url}).start().wait_ready()
        house = House(service, separate.outlook, separate.rooms, separate.people)
        who, (start, end) = house.people[1], house.hour()
        event = house.outlook.book(who, start, end, house.rooms[0], subject="On a server")
        number = find_loan(house, "On a server")["number"]
        booked = house.desk.book(who, start, end, house.room(2))["number"]

        service.kill()
        house.outlook.move(who, event["id"], start + timedelta(hours=1), end + timedelta(hours=1))
        service.start().wait_ready()

        find_event(house, who, booked)
        eventually(lambda: check_start(house, number, start + timedelta(hours=1)))
        house.desk.act(booked, "cancel")

        def is_gone() -> None:
            assert house.outlook.of_loan(who, booked) == []

        eventually(is_gone)
        assert service.stop() == 0
