"""What tests have other processes do. Real ones: locks, leases and migrations are about processes, not threads."""

import multiprocessing
import os
import random
import signal
import sqlite3
import time
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.process import BaseProcess
from typing import Any

from engine.database.migrations import migrate
from engine.database.processes.presence import Presence
from engine.database.processes.wakeups import Listener
from engine.database.sql.connection import Database
from engine.database.tables import metadata
from engine.database.work.queue import WorkQueue
from engine.errors import Occupied
from tests.database.building import MONDAY, marked

SECONDS_MAX = 120


def start(target: Callable[..., None], *arguments: Any) -> BaseProcess:
    """Start a process that shares nothing with ours."""
    process = multiprocessing.get_context("spawn").Process(target=target, args=arguments, daemon=True)
    process.start()
    return process


def run_all(*calls: tuple[Callable[..., None], tuple[Any, ...]]) -> None:
    """Run calls side by side, each in its own process; all must end well."""
    processes = [start(target, *arguments) for target, arguments in calls]
    for process in processes:
        process.join(SECONDS_MAX)
    assert [process.exitcode for process in processes] == [0] * len(calls)


def migrate_it(url: str) -> None:
    database = Database(url)
    migrate(database)
    database.close()


def hold_write_lock(path: str, ready: Any, finish: Any) -> None:
    """Hold SQLite's one write lock until told to let go."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    ready.set()
    finish.wait(SECONDS_MAX)
    connection.execute("ROLLBACK")
    connection.close()


def claim_and_die(url: str, lease_seconds: float) -> None:
    """Claim one key, write something for it without a commit, and be killed."""
    database = Database(url)
    queue = WorkQueue(database, owner="victim", lease_seconds=lease_seconds)
    assert queue.claim(1)
    with database.write() as transaction:
        transaction.connection.execute(metadata.tables["job"].insert().values(name="half-done"))
        os.kill(os.getpid(), signal.SIGKILL)


def claim_and_fall(url: str, how: int) -> None:
    """Show that we live, claim one key, and fall by the signal *how*."""
    database = Database(url)
    queue = WorkQueue(database, owner="victim")
    Listener(database, lambda: None, Presence(queue)).start()
    assert queue.claim(1)
    os.kill(os.getpid(), how)


def book_at_random(url: str, seed: int, tries: int) -> None:
    """Try to hold random items at random times; being refused is fine, anything else is not."""
    database = Database(url, durability="normal", busy_seconds=30)
    chance = random.Random(seed)
    table = metadata.tables["loan_item"]
    for number in range(tries):
        start_at = MONDAY + timedelta(minutes=15 * chance.randrange(40))
        row = {
            "loan_number": 1 + seed * tries + number,
            "bookable_id": chance.choice((1, 2)),
            "kind": "room",
            "state": "accepted",
            "holds": True,
            "blocked_start": start_at,
            "blocked_end": start_at + timedelta(minutes=15 * chance.randrange(1, 9)),
        }
        try:
            with database.write() as transaction:
                transaction.connection.execute(table.insert().values(**row))
        except Occupied:
            continue
    database.close()


def work_until_empty(url: str, owner: str, lease_seconds: float) -> None:
    """Take keys and count each pass, until none is left for anybody."""
    database = Database(url, durability="normal", busy_seconds=30)
    queue = WorkQueue(database, owner=owner, lease_seconds=lease_seconds)
    counts = metadata.tables["setting"]
    while marked(database):
        for claim in queue.claim(3):
            with database.write() as transaction:
                row = {"key": f"{claim.key}/{claim.fence}", "value": {"version": claim.version}}
                transaction.connection.execute(
                    counts.insert().values(**row, changed_at=transaction.now, changed_by=owner)
                )
                queue.done(claim, transaction)
        time.sleep(0.005)
    database.close()
