"""
A real PostgreSQL for the suite: a throw-away server of our own, or the one that `ACCORD_TEST_POSTGRES_URL` names.

Our own lives in a temporary directory, listens on 127.0.0.1 only, writes nothing safely (it is thrown away), and is
gone when the tests are. PostgreSQL refuses to run as root; as root, it is run as `postgres` or else `nobody`.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

URL_VARIABLE = "ACCORD_TEST_POSTGRES_URL"
LEAVE_OUT_VARIABLE = "ACCORD_TEST_NO_POSTGRES"

START_TRIES = 3
"""A port that was free a moment ago may be taken when the server starts."""

SECONDS_MAX = 120
"""For each of initdb, start and stop; they take a second or two, but a loaded machine is a loaded machine."""

UNSAFE_BUT_FAST = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "shared_buffers=64MB",
    "max_connections=200",
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "timezone=UTC",
)

HELP = f"""\
No PostgreSQL to test with: {{problem}}.
  Install it            scripts/postgres does it on Debian, as root; elsewhere your system's package of the server
  Use a running one     export {URL_VARIABLE}=postgresql://user:password@host/database  (its user may create databases)
  Go without            export {LEAVE_OUT_VARIABLE}=1  (not in CI: half of the database suite is left out)"""


class PostgresMissing(Exception):
    """There is no PostgreSQL; the message says what can be done."""

    def __init__(self, problem: str) -> None:
        super().__init__(HELP.format(problem=problem))


def is_left_out() -> bool:
    """Tell whether somebody chose to go without; CI may not."""
    return os.environ.get(LEAVE_OUT_VARIABLE) == "1" and os.environ.get("CI", "").lower() not in ("1", "true")


@dataclass
class Postgres:
    """A server that runs, and makes databases."""

    url: str
    """Of the database to connect to for creating others; `postgresql://`."""

    def __post_init__(self) -> None:
        self._numbers = count(1)

    @contextmanager
    def database(self) -> Iterator[str]:
        """Create an empty database, yield its SQLAlchemy address, and drop it with whoever is still connected."""
        name = f"accord_test_{os.getpid()}_{next(self._numbers)}"
        self._execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        try:
            parts = urlsplit(self.url)
            yield urlunsplit(("postgresql+psycopg", parts.netloc, f"/{name}", parts.query, ""))
        finally:
            self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Yield the server that was named, or one of our own. Raises PostgresMissing."""
    named = os.environ.get(URL_VARIABLE)
    if named:
        server = Postgres(named.replace("postgresql+psycopg://", "postgresql://"))
        try:
            psycopg.connect(server.url).close()
        except psycopg.OperationalError as error:
            raise PostgresMissing(f"{URL_VARIABLE} names one that does not answer ({error})") from error
        yield server
        return
    with _own_server(find_programs()) as server:
        yield server


def find_programs() -> Path:
    """Return the directory of initdb and pg_ctl, the newest where there are several."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name.split(".")[0]))
    on_path = shutil.which("pg_ctl")
    for directory in [*([Path(on_path).parent] if on_path else []), *reversed(versions)]:
        if (directory / "initdb").exists() and (directory / "pg_ctl").exists():
            return directory
    raise PostgresMissing("initdb and pg_ctl are neither on the PATH nor in /usr/lib/postgresql")


@contextmanager
def _own_server(programs: Path) -> Iterator[Postgres]:
    home = Path(tempfile.mkdtemp(prefix="accord-postgres-"))
    try:
        prefix = _as_somebody_else(home)
        data = home / "data"
        _run(prefix, programs / "initdb", "-D", data, "-U", "accord", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        port = _start(prefix, programs, data, home / "log")
        try:
            yield Postgres(f"postgresql://accord@127.0.0.1:{port}/postgres")
        finally:
            _run(prefix, programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _start(prefix: Sequence[str], programs: Path, data: Path, log: Path) -> int:
    """Start the server on a free port and return that."""
    for tries_left in reversed(range(START_TRIES)):
        port = _free_port()
        options = " ".join(f"-c {setting}" for setting in (*UNSAFE_BUT_FAST, f"port={port}"))
        try:
            _run(prefix, programs / "pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "start")
        except PostgresMissing as error:
            if tries_left == 0:
                told = log.read_text(errors="replace")[-2000:] if log.exists() else ""
                raise PostgresMissing(f"the server did not start\n{told}") from error
        else:
            return port
    raise AssertionError("unreachable")


def _as_somebody_else(home: Path) -> list[str]:
    """As root, give *home* to a user without rights and return the words that run a program as that user."""
    if os.geteuid() != 0:
        return []
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(home, user.pw_uid, user.pw_gid)
        if shutil.which("setpriv"):
            return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--"]
        if shutil.which("runuser"):
            return ["runuser", "-u", name, "--"]
    raise PostgresMissing("it refuses to run as root, and setpriv and runuser, or the users postgres and nobody, lack")


def _run(prefix: Sequence[str], program: Path, *arguments: object) -> None:
    command = [*prefix, str(program), *map(str, arguments)]
    # The server inherits what pg_ctl is given: with a pipe, reading to its end would wait for the server's end.
    with tempfile.TemporaryFile() as told:
        environment = {**os.environ, "LC_ALL": "C"}
        try:
            subprocess.run(
                command,
                check=True,
                cwd="/",
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=subprocess.STDOUT,
                timeout=SECONDS_MAX,
            )
        except (OSError, subprocess.SubprocessError) as error:
            told.seek(0)
            text = told.read().decode(errors="replace").strip()
            raise PostgresMissing(f"{program.name} failed ({error})\n{text}") from error


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
