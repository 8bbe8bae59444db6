"""
Services and tenants to drive.

    house       a running service, and a tenant that is a process of its own; shared by the tests of a file
    demo_house  a running service with the tenant it starts itself, demonstration building and all
    separate    a tenant of one test's own
    services    makes services of one test's own
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.system.harness import House, Outlook, SeparateTenant, Service

DEMO_ROOMS = ["saule@example.org", "erable@example.org", "bouleau@example.org"]
DEMO_PEOPLE = ["amelie.durand@example.org", "mathieu.dupuis@example.org", "wei.zhang@example.org"]

MakeService = Callable[..., Service]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    with ExitStack() as stack:
        tenant = SeparateTenant(folder / "tenant")
        stack.callback(tenant.close)
        service = Service(folder, **tenant.settings).start()
        stack.callback(service.close)
        yield House(service.wait_ready(), tenant.outlook, tenant.rooms, tenant.people)


@pytest.fixture(scope="module")
def demo_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    service = Service(tmp_path_factory.mktemp("demo"), ENGINE_LOANS__DEFAULT_USER=DEMO_PEOPLE[0])
    with ExitStack() as stack:
        stack.callback(service.close)
        service.start()
        outlook = Outlook(service.graph)
        stack.callback(outlook.close)
        yield House(service.wait_ready(), outlook, DEMO_ROOMS, DEMO_PEOPLE)


@pytest.fixture(autouse=True)
def told(request: pytest.FixtureRequest) -> Iterator[None]:
    """Have a failing test tell what the service logged and where it stands."""
    yield
    for name in {"house", "demo_house"} & set(request.fixturenames):
        house: House = request.getfixturevalue(name)
        print(house.service.logged[-6000:])
        print(house.desk.ask("GET", "/api/status").text)


@pytest.fixture
def separate(tmp_path: Path) -> Iterator[SeparateTenant]:
    made = SeparateTenant(tmp_path / "tenant")
    yield made
    made.close()


@pytest.fixture
def services(tmp_path: Path) -> Iterator[MakeService]:
    with ExitStack() as stack:

        def make(folder: str = "service", **settings: str) -> Service:
            service = Service(tmp_path / folder, **settings)
            stack.callback(service.close)
            stack.callback(lambda: print(service.logged[-6000:]))
            return service

        yield make
