"""
What the whole suite shares: an empty database of either kind.

    database_url     a fresh, empty database, once on SQLite and once on PostgreSQL; everything that stores runs on both
    sqlite_url       a fresh, empty database on SQLite alone
    postgresql_url   a fresh, empty database on PostgreSQL alone
    postgres         the server behind it, one per test process, started when first asked for
"""

import gc
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings

from engine.senders import addresses
from tests.postgres import Postgres, PostgresMissing, is_left_out, running_postgres

# No test fails for the time it took, and none passes or fails by chance.
settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")


def pytest_collection_finish() -> None:
    """Hide from the garbage collector what was loaded so far: to walk through it all takes seconds, again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def nobody_knows_names() -> Iterator[None]:
    """No test asks a name server which addresses a webhook's name has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(addresses, "look_up", lambda host: (host,) if host[:1].isdigit() else ())
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL; its absence is a failure that says what to do, unless somebody chose to go without."""
    if is_left_out():
        pytest.skip("ACCORD_TEST_NO_POSTGRES=1")
    with ExitStack() as stack:
        try:
            server = stack.enter_context(running_postgres())
        except PostgresMissing as missing:
            pytest.fail(str(missing), pytrace=False)
        yield server


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The address of a SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'accord.db'}"


@pytest.fixture
def postgresql_url(postgres: Postgres) -> Iterator[str]:
    """The address of a PostgreSQL database that was just created, and is dropped afterwards."""
    with postgres.database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a fresh, empty database; the test runs once for each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url
