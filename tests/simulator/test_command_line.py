"""The simulated tenant driven from the command line: faults, receivers, subscriptions, administrators, delegates."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from engine.cli.doors import Doors
from engine.cli.main import make_app
from engine.settings import Settings
from tests.simulator.test_booking import AULA, answers, book, configure, copies
from tests.simulator.virtual import SimulatedWorld

Run = Callable[..., Result]


@pytest.fixture
def run(world: SimulatedWorld) -> Run:
    """Type `simulate ...`; the tenant is the one of these tests."""

    def ask(method: str, url: str, body: bytes | None) -> tuple[int, bytes]:
        answer = world.call(method, f"/{url.split('/', 3)[3]}" if "/sim" in url else url, body or b"")
        return answer.status, answer.body

    def type_(*words: str, code: int = 0) -> Result:
        done = CliRunner().invoke(make_app(), ["simulate", *words], obj=Doors(read=lambda _: Settings(), ask=ask))
        assert done.exit_code == code, done.output
        return done

    return type_


def rows(done: Result) -> Any:
    return json.loads(done.stdout)


class TestFaults:
    def test_added_listed_cleared(self, run: Run, world: SimulatedWorld) -> None:
        """`simulate fault`: any effect with any of its values."""
        run("fault", "replay", "--count", "3", "--mailbox", AULA, "--times", "2")
        listed = rows(run("fault", "-o", "json"))
        assert [(item["effect"], item["count"], item["times"]) for item in listed] == [("replay", 3, 2)]
        assert rows(run("fault", "--clear", "-o", "json")) == []
        run("fault", "explode", code=1)

    def test_a_storm(self, run: Run, world: SimulatedWorld) -> None:
        """`simulate fault --storm`: the same mix for the same number."""
        first = rows(run("fault", "--storm", "7", "-o", "json"))
        again = rows(run("fault", "--clear", "--storm", "7", "-o", "json"))
        assert [{**item, "id": 0} for item in first] == [{**item, "id": 0} for item in again]

    def test_a_receiver(self, run: Run, world: SimulatedWorld) -> None:
        """`simulate endpoint`: forced into the drop state and out of it."""
        assert rows(run("endpoint", "sync.example.org", "drop", "-o", "json"))[0]["state"] == "drop"
        run("endpoint", "sync.example.org", "ok")
        assert rows(run("endpoint", "-o", "json"))[0]["state"] == "ok"
        run("endpoint", "sync.example.org", code=2)

    def test_a_subscription(self, run: Run, world: SimulatedWorld) -> None:
        """`simulate subscriptions`: lifecycle notices, and the end."""
        room = world.subscribe(AULA, lifecycleNotificationUrl="https://sync.example.org/life")
        for fate in ("missed", "reauthorizationRequired", "kill", "remove"):
            run("subscriptions", room, fate)
        world.settle()

        assert world.receiver.changes() == ["missed", "reauthorizationRequired", "subscriptionRemoved"]
        assert rows(run("subscriptions", "-o", "json")) == []


class TestDeeds:
    def test_booking_options(self, run: Run, world: SimulatedWorld) -> None:
        """`simulate processing`: in PowerShell's names."""
        run(
            "processing",
            "Aula",
            "AllowConflicts=true",
            "BookingWindowInDays=30",
            'ResourceDelegates=["kim@example.org"]',
        )
        found = rows(run("processing", "Aula", "-o", "json"))

        assert (found["allow_conflicts"], found["booking_window_in_days"]) == (True, 30)
        assert found["resource_delegates"] == ["kim@example.org"]
        run("processing", "Aula", "AlowConflicts=true", code=1)
        run("processing", "Aula", "AllowConflicts", code=2)

    def test_a_delegate_settles(self, run: Run, world: SimulatedWorld) -> None:
        """`simulate settle`: only a delegate may."""
        configure(world, AllBookInPolicy=False, AllRequestInPolicy=True, ResourceDelegates=["kim@example.org"])
        event = book(world)
        world.settle()
        run("settle", "approve", "Aula", event["iCalUId"], "--by", "alex@example.org", code=1)
        run("settle", "approve", "Aula", event["iCalUId"], "--by", "kim@example.org")
        world.settle()

        assert answers(world, event) == ["accepted"]
        assert "approval" in run("mails").stdout

    def test_forwarding(self, run: Run, world: SimulatedWorld) -> None:
        """`simulate forward`: the room is asked."""
        book(world, rooms=[], subject="Lecture")
        run("forward", "Alex Doe", "Lecture", "--to", AULA)
        world.settle()
        assert len(copies(world)) == 1

    def test_administrators(self, run: Run, world: SimulatedWorld) -> None:
        """`simulate admin`: every deed."""
        event = book(world, subject="Lecture")
        world.settle()
        before = copies(world)[0]["changeKey"]
        for deed in ("touch", "disguise", "check-in"):
            run("admin", deed, "Aula", "--event", event["iCalUId"])
        run("admin", "change-organizer", "Alex Doe", "--event", "Lecture", "new=kim@example.org")
        assert copies(world)[0]["changeKey"] != before
        assert copies(world)[0]["organizer"]["emailAddress"]["address"] == "kim@example.org"
        run("admin", "release", "Aula", "--event", event["iCalUId"])
        assert copies(world) == []
        for deed, values in (
            ("zone", ["zone=Europe/London"]), ("attributes", ["capacity=12"]), ("new-place-id", []),
            ("lose-delta", ["gone=false"]), ("rename", ["name=Hall"]),
        ):  # fmt: skip
            run("admin", deed, AULA, *values)
        run("admin", "readdress", AULA, "address=hall@example.org")
        run("admin", "delete", "hall@example.org")

        assert [item["displayName"] for item in world.get("/places/graph.room")["value"]] == ["Studio"]

    def test_an_event_where_one_belongs(self, run: Run, world: SimulatedWorld) -> None:
        """Deeds about an event need one, others take none."""
        assert "--event" in run("admin", "touch", "Aula", code=2).stderr
        run("admin", "rename", "Aula", "name=Hall", "--event", "Lecture", code=2)
