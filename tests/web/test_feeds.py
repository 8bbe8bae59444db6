"""Feeds over HTTP: who may read them, how often, and what calendar programs that are not ours make of them."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from engine.loans.status import LoanAction
from engine.web.api.feeds import READS_AT_ONCE, parse_tags
from engine.web.failures import BURST
from tests.web.conftest import TestClient
from tests.web.visitors import AMELIE, MATHIEU, House, open_house

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # vobject escapes for older Pythons
    import vobject


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as found:
        yield found


@pytest.fixture
def machine(house: House) -> TestClient:
    """A program that shows a token of staff, which none of the addresses of feeds needs."""
    client = house.visitor()
    client.headers["Authorization"] = f"Bearer {house.office.tokens.create('machine', 'staff')}"
    return client


def path_of(answer: Any) -> str:
    assert answer.status_code in (200, 201), answer.text
    return str(answer.json()["url"]).removeprefix("http://127.0.0.1:8420")


def make(machine: TestClient, **wanted: object) -> str:
    """Make a feed and return the path of its address."""
    return path_of(machine.post("/api/feeds", json={"kind": "room", "id": 1, **wanted}))


class TestMaking:
    def test_shows_the_address_once(self, house: House, machine: TestClient) -> None:
        made = machine.post("/api/feeds", json={"kind": "person", "address": AMELIE.address, "language": "fr"})

        assert made.status_code == 201
        assert made.json()["url"].endswith(".ics")
        listed = machine.get("/api/feeds").json()["items"]
        assert [(feed["of"], "url" in feed) for feed in listed] == [(AMELIE.address, False)]

    def test_needs_a_kind_and_of_whom(self, machine: TestClient) -> None:
        for wanted, status in (
            ({"kind": "room"}, 422),
            ({"kind": "person", "id": 1}, 422),
            ({"kind": "planet", "id": 1}, 422),
            ({"kind": "room", "id": 99}, 404),
        ):
            assert machine.post("/api/feeds", json=wanted).status_code == status

    def test_is_for_staff(self, house: House) -> None:
        viewer = house.visitor(Authorization=f"Bearer {house.office.tokens.create('sign', 'viewer')}")

        assert viewer.post("/api/feeds", json={"kind": "room", "id": 1}).status_code == 403
        assert house.visitor().get("/api/feeds").status_code == 401


class TestReading:
    def test_gives_the_calendar_to_whoever_has_the_address(self, house: House, machine: TestClient) -> None:
        number = house.book(room="Fern").number

        answer = house.visitor().get(make(machine, id=house.room("Fern")))

        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert f"SUMMARY:#{number} Amélie Durand\r\n" in answer.text

    def test_tells_when_nothing_has_changed(self, house: House, machine: TestClient) -> None:
        path = make(machine)
        program = house.visitor()
        tag = program.get(path).headers["ETag"]

        again = program.get(path, headers={"If-None-Match": f'"other", W/{tag}'})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
        house.book(room="Fern")
        assert program.get(path, headers={"If-None-Match": tag}).status_code == 200
        head = program.head(path)
        assert (head.status_code, head.content) == (200, b"")

    def test_ends_with_the_feed(self, house: House, machine: TestClient) -> None:
        path = make(machine)
        rotated = path_of(machine.post("/api/feeds/1/rotate"))

        assert house.visitor().get(path).status_code == 404
        assert house.visitor().get(rotated).status_code == 200
        assert machine.post("/api/feeds/1/revoke").status_code == 204
        assert house.visitor().get(rotated).status_code == 410
        assert machine.post("/api/feeds/1/revoke").status_code == 404

    def test_by_guessing_is_slowed_down(self, house: House, machine: TestClient) -> None:
        """Whoever tries addresses gets nothing, then has to wait, even for the right one."""
        path = make(machine)
        guesser = house.visitor()

        answers = [guesser.get(f"/feeds/{'x' * length}.ics").status_code for length in range(30, 30 + BURST)]
        assert answers == [404] * BURST
        refused = guesser.get(path)
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) >= 1
        assert machine.get("/api/feeds").status_code == 200  # and keeps nobody at that address from the rest
        assert guesser.get("/feeds/.ics").status_code in (404, 429)

    def test_too_often_is_slowed_down(self, house: House, machine: TestClient) -> None:
        busy, calm = make(machine), make(machine, id=2)
        program = house.visitor()

        answers = [program.get(busy).status_code for _ in range(READS_AT_ONCE + 1)]

        assert answers == [200] * READS_AT_ONCE + [429]
        assert program.get(calm).status_code == 200

    @pytest.mark.parametrize(
        ("header", "tags"),
        [
            ("", set()),
            ("*", set()),
            ('"a"', {"a"}),
            ('W/"a", "b"', {"a", "b"}),
            ('"', set()),
        ],
    )
    def test_understands_what_a_program_has(self, header: str, tags: set[str]) -> None:
        assert parse_tags(header) == tags


class TestForeignPrograms:
    def test_vdirsyncer_fetches_it(self, house: House, machine: TestClient, tmp_path: Path) -> None:
        """A calendar program that is not ours subscribes, and follows a booking and a cancellation."""
        kept, gone = house.book(hour=9), house.book(MATHIEU, hour=14)
        path = make(machine, id=house.room("Fern"))
        folder = tmp_path / "calendar"
        with serving(house) as address:
            sync = vdirsyncer(tmp_path, f"{address}{path}", folder)
            sync("discover", "fern")
            sync("sync")
            first = subjects(folder)
            house.office.desk.act(gone.number, LoanAction.CANCEL, actor="app:test")
            sync("sync")

        assert first == {f"#{kept.number} Amélie Durand", f"#{gone.number} Mathieu Dupuis"}
        assert subjects(folder) == {f"#{kept.number} Amélie Durand"}

    def test_vobject_reads_the_same_times(self, house: House, machine: TestClient) -> None:
        loan = house.book(title="Thé, gâteaux; et plus")

        text = house.visitor().get(make(machine, kind="person", id=None, address=AMELIE.address)).text

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its own code, about newer Pythons
            calendar = vobject.readOne(text, validate=True)
            (event,) = calendar.vevent_list
            start: datetime = event.dtstart.value
            end: datetime = event.dtend.value
            assert calendar.vtimezone.tzid.value == "Europe/Paris"
            assert event.summary.value == f"#{loan.number} Thé, gâteaux; et plus"
            assert (start.astimezone(UTC), end - start) == (loan.interval.start, timedelta(hours=1))
            assert start.utcoffset() == timedelta(hours=1)


@contextmanager
def serving(house: House) -> Iterator[str]:
    """Serve the feeds of a house on a free port, and yield the address."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()  # whoever comes before the server has started waits
    server = uvicorn.Server(uvicorn.Config(house.app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)
        listener.close()


def vdirsyncer(folder: Path, address: str, target: Path) -> Any:
    """Return a function that runs vdirsyncer with a folder as the other side."""
    target.mkdir()
    config = folder / "vdirsyncer.conf"
    config.write_text(
        f"""
[general]
status_path = "{folder}/status"
[pair fern]
a = "local"
b = "feed"
collections = null
conflict_resolution = "b wins"
[storage local]
type = "filesystem"
path = "{target}"
fileext = ".ics"
[storage feed]
type = "http"
url = "{address}"
"""
    )

    def run(*command: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "vdirsyncer", "-c", str(config), *command],
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    return run


def subjects(folder: Path) -> set[str]:
    """Return the subjects of what was fetched. vdirsyncer gives events of feeds uids of its own."""
    texts = [path.read_text(encoding="utf-8") for path in folder.glob("*.ics")]
    return {line.removeprefix("SUMMARY:") for t in texts for line in t.splitlines() if line.startswith("SUMMARY:")}
