"""What is around the service goes away for a while: Graph, the database, the disk. Nothing is lost."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.system.cable import Cable
from tests.system.conftest import MakeService
from tests.system.harness import House, SeparateTenant, Service, check_start, eventually, find_event, find_loan

pytestmark = pytest.mark.slow

LOG_BYTES_MAX = 65536
"""As the longest file: enough for what the service logs, too little for its database."""


def cabled(url: str, cable: Cable) -> str:
    """Return *url* with the cable's port."""
    parts = urlsplit(url)
    user = f"{parts.username}@" if parts.username else ""
    return urlunsplit(parts._replace(netloc=f"{user}127.0.0.1:{cable.port}"))


def port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


@pytest.fixture
def graph_cable(separate: SeparateTenant) -> Iterator[Cable]:
    cable = Cable(port_of(separate.outlook.origin))
    yield cable
    cable.close()


@pytest.fixture
def database_cable(postgresql_url: str) -> Iterator[Cable]:
    cable = Cable(port_of(postgresql_url))
    yield cable
    cable.close()


def settle(service: Service, separate: SeparateTenant) -> House:
    return House(service.wait_ready(), separate.outlook, separate.rooms, separate.people)


class TestGraphGoesAway:
    def test_both_sides_go_on_and_agree_afterwards(
        self, services: MakeService, separate: SeparateTenant, graph_cable: Cable
    ) -> None:
        """Staff book at the desk and people move meetings while Graph cannot be reached; then each side has both."""
        settings = separate.settings
        settings["ENGINE_GRAPH__BASE_URL"] = cabled(settings["ENGINE_GRAPH__BASE_URL"], graph_cable)
        house = settle(services(**settings).start(), separate)
        who, (start, end) = house.people[0], house.hour()
        event = house.outlook.book(who, start, end, house.rooms[0], subject="Moved meanwhile")
        number = find_loan(house, "Moved meanwhile")["number"]

        graph_cable.pull()
        later = timedelta(hours=2)
        house.outlook.move(who, event["id"], start + later, end + later)
        booked = house.desk.book(who, *house.hour(), house.room(2), title="Booked meanwhile")["number"]

        def is_waiting() -> None:
            assert house.desk.call("GET", "/api/status")["queue"]["waiting"] >= 2

        eventually(is_waiting)
        assert house.outlook.of_loan(who, booked) == []

        graph_cable.plug()
        eventually(lambda: check_start(house, number, start + later))
        find_event(house, who, booked)
        assert "Traceback" not in house.service.logged


@pytest.mark.usefixtures("postgres")
class TestTheDatabaseGoesAway:
    def test_people_are_told_and_notifications_come_again(
        self, services: MakeService, separate: SeparateTenant, database_cable: Cable, postgresql_url: str
    ) -> None:
        """Without a database the desk says 503, and so the receiver does: Graph brings the notification again."""
        url = cabled(postgresql_url, database_cable)
        house = settle(services(**{**separate.settings, "ENGINE_DATABASE__URL": url}).start(), separate)
        who, (start, end) = house.people[0], house.hour()

        database_cable.pull()
        refused = house.desk.ask("GET", "/api/loans")
        assert refused.status_code == 503, refused.text
        assert house.desk.ask("GET", "/healthz").status_code == 200
        assert house.desk.ask("GET", "/readyz").status_code == 503
        house.outlook.book(who, start, end, house.rooms[0], subject="Made meanwhile")

        database_cable.plug()
        number = find_loan(house, "Made meanwhile")["number"]
        check_start(house, number, start)
        booked = house.desk.book(who, *house.hour(), house.room(2), title="Booked afterwards")["number"]
        find_event(house, who, booked)


class TestTheFileIsRemoved:
    def test_it_ends_and_says_so(self, services: MakeService) -> None:
        """As by a backup that is put in its place: what would be booked from then on would be lost with the file."""
        service = services().start().wait_ready()

        (service.folder / "accord.db").unlink()

        assert service.child.wait() == 3
        assert "accord.db was removed while it was open" in service.logged


class TestTheDiskIsFull:
    def test_it_says_so_and_goes_on_once_there_is_room(self, services: MakeService, separate: SeparateTenant) -> None:
        """What cannot be written is refused or ends the service with one line; nothing that was answered is lost."""
        service = services(**separate.settings).start()
        house = settle(service, separate)
        who, (start, end) = house.people[0], house.hour()
        kept = house.desk.book(who, start, end, house.room(1), title="Before")["number"]
        find_event(house, who, kept)

        resource.prlimit(service.child.process.pid, resource.RLIMIT_FSIZE, (LOG_BYTES_MAX, LOG_BYTES_MAX))
        house.outlook.book(who, *house.hour(), house.rooms[1], subject="Made meanwhile")

        def has_told() -> None:
            assert "disk" in service.logged or "full" in service.logged

        eventually(has_told)
        service.kill()
        service.start().wait_ready()
        check_start(house, kept, start)
        find_loan(house, "Made meanwhile")
