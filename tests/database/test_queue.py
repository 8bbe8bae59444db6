"""The work queue: coalescing, leases, fences, back-off, and what a crash leaves behind."""

import random
import threading
import time
from datetime import datetime, timedelta

import pytest

from engine.database.migrations import migrate
from engine.database.processes.wakeups import Listener
from engine.database.sql.connection import Database
from engine.database.sql.marks import Priority
from engine.database.work.queue import Claim, FenceLost, WorkQueue
from tests.database.building import MONDAY, StandingClock, insert, marked, rows
from tests.database.processes import claim_and_die, run_all, start, work_until_empty


@pytest.fixture
def queue(database: Database) -> WorkQueue:
    return WorkQueue(database, owner="a", lease_seconds=60)


@pytest.fixture
def other(database: Database) -> WorkQueue:
    return WorkQueue(database, owner="b", lease_seconds=60)


def mark(
    database: Database, *keys: str, priority: int = Priority.LIVE, delay: float = 0.0, postpones: bool = False
) -> None:
    with database.write() as transaction:
        for key in keys:
            transaction.mark("loan", key, priority=priority, delay=delay, postpones=postpones)


def claim_one(queue: WorkQueue) -> Claim:
    (claim,) = queue.claim(1)
    return claim


def next_due(queue: WorkQueue) -> datetime | None:
    """When something becomes due; nothing is claimed."""
    return queue.turn((), 0)[1]


class TestAKeyThatWaits:
    def test_and_is_marked_again_is_claimed_once(self, database: Database, queue: WorkQueue) -> None:
        """Marking is coalescing: three marks, one pass."""
        for _ in range(3):
            mark(database, "1")

        assert [claim.key for claim in queue.claim(10)] == ["1"]
        assert queue.claim(10) == []

    def test_keeps_the_time_since_when(self, database: Database, queue: WorkQueue, clock: StandingClock) -> None:
        """A later mark does not make it look younger."""
        mark(database, "1")
        clock.advance(minutes=5)
        mark(database, "1")

        assert claim_one(queue).marked_at == MONDAY

    def test_becomes_due_at_the_earlier_of_two_times(
        self, database: Database, queue: WorkQueue, clock: StandingClock
    ) -> None:
        """A mark for later does not put off one for now, and one for now overtakes one for later."""
        mark(database, "1", delay=100)
        assert queue.claim(10) == []
        mark(database, "1", delay=10)
        mark(database, "1", delay=50)

        assert queue.turn((), 0)[1] == MONDAY + timedelta(seconds=10)
        clock.advance(seconds=10)
        assert len(queue.claim(10)) == 1

    def test_takes_the_better_of_two_priorities(self, database: Database, queue: WorkQueue) -> None:
        """A live mark lifts a key out of the backfill; a backfill does not push a live one back."""
        mark(database, "1", priority=Priority.BACKFILL)
        mark(database, "2", priority=Priority.BACKFILL)
        mark(database, "2")
        mark(database, "2", priority=Priority.SWEEP)

        assert [(claim.key, claim.priority) for claim in queue.claim(10)] == [
            ("2", Priority.LIVE),
            ("1", Priority.BACKFILL),
        ]

    def test_goes_by_priority_and_then_by_age(self, database: Database, queue: WorkQueue, clock: StandingClock) -> None:
        """Live before sweep before backfill; among equals the one that waits longest."""
        mark(database, "backfill", priority=Priority.BACKFILL)
        mark(database, "sweep", priority=Priority.SWEEP)
        for key in ("older", "newer"):
            clock.advance(seconds=1)
            mark(database, key)

        assert [claim.key for claim in queue.claim(3)] == ["older", "newer", "sweep"]

    def test_among_equals_goes_by_its_name_on_postgresql(self, postgresql_url: str, clock: StandingClock) -> None:
        """Whatever order rows are stored and returned in: what happened once happens again, as on SQLite."""
        database = Database(postgresql_url, clock=clock)
        migrate(database)
        keys = [str(number) for number in random.Random(1).sample(range(10, 60), 50)]
        for key in keys:
            mark(database, key)

        claims = WorkQueue(database, owner="a").claim(100)
        database.close()

        assert [claim.key for claim in claims] == sorted(keys)


class TestAMarkThatPostpones:
    def test_has_the_last_word_on_a_time_to_come(self, database: Database, queue: WorkQueue) -> None:
        """Be it later or earlier than what was asked for before."""
        mark(database, "1", delay=10)

        mark(database, "1", delay=20, postpones=True)
        assert next_due(queue) == MONDAY + timedelta(seconds=20)
        mark(database, "1", delay=15, postpones=True)
        assert next_due(queue) == MONDAY + timedelta(seconds=15)

    def test_does_so_while_the_key_runs(self, database: Database, queue: WorkQueue) -> None:
        """The next pass begins when the last of them said."""
        mark(database, "1")
        claim = claim_one(queue)
        mark(database, "1", delay=10, postpones=True)
        mark(database, "1", delay=20, postpones=True)

        queue.done(claim)

        assert next_due(queue) == MONDAY + timedelta(seconds=20)

    def test_does_not_delay_what_is_due(self, database: Database, queue: WorkQueue) -> None:
        """Somebody wants it looked at now."""
        mark(database, "1")

        mark(database, "1", delay=20, postpones=True)

        assert [claim.key for claim in queue.claim(10)] == ["1"]

    def test_does_not_delay_what_is_due_after_a_pass(self, database: Database, queue: WorkQueue) -> None:
        """The same for a key that runs."""
        mark(database, "1")
        claim = claim_one(queue)
        mark(database, "1")
        mark(database, "1", delay=20, postpones=True)

        queue.done(claim)

        assert [claim.key for claim in queue.claim(10)] == ["1"]

    def test_does_not_delay_a_sweep(self, database: Database, queue: WorkQueue) -> None:
        """The clock's own time stays; the priority becomes that of people."""
        mark(database, "1", priority=Priority.SWEEP, delay=10)

        mark(database, "1", delay=20, postpones=True)

        assert next_due(queue) == MONDAY + timedelta(seconds=10)

    def test_does_not_delay_a_failure(self, database: Database, queue: WorkQueue) -> None:
        """A back-off is brought forward, as by any live mark."""
        mark(database, "1")
        queue.retry(claim_one(queue), delay=10, error="busy")

        mark(database, "1", delay=20, postpones=True)

        assert next_due(queue) == MONDAY + timedelta(seconds=10)

    def test_gives_way_to_one_that_does_not_in_the_same_transaction(self, database: Database, queue: WorkQueue) -> None:
        with database.write() as transaction:
            transaction.mark("loan", "1", delay=20, postpones=True)
            transaction.mark("loan", "1", delay=5)

        assert next_due(queue) == MONDAY + timedelta(seconds=5)


class TestManyKeysAtOnce:
    """They are written by one statement, which does for each of them what it would do for it alone."""

    STATES = (
        "new",
        "idle",
        "waits",
        "waits for later",
        "is swept",
        "runs",
        "runs and is marked",
        "backs off",
        "is parked",
    )

    def _bring(self, database: Database, queue: WorkQueue, key: str, state: str) -> None:
        """Bring *key* into *state*."""
        match state:
            case "idle":
                mark(database, key)
                queue.done(claim_one(queue))
            case "waits" | "waits for later":
                mark(database, key, delay=10 if state == "waits" else 1000)
            case "is swept":
                mark(database, key, priority=Priority.SWEEP, delay=10)
            case "runs" | "runs and is marked":
                mark(database, key)
                claim_one(queue)
                mark(database, *([key] if state == "runs and is marked" else []), delay=10)
            case "backs off":
                mark(database, key)
                queue.retry(claim_one(queue), delay=100, error="busy")
            case "is parked":
                mark(database, key)
                queue.park(claim_one(queue), error="refused")

    @pytest.mark.parametrize("priority", Priority)
    @pytest.mark.parametrize("delay", [0.0, 20.0])
    @pytest.mark.parametrize("postpones", [False, True])
    def test_become_what_each_would_by_itself(
        self, database: Database, queue: WorkQueue, priority: Priority, delay: float, postpones: bool
    ) -> None:
        for turn in ("one", "all"):
            for state in self.STATES:
                self._bring(database, queue, f"{turn} {state}", state)

        for state in self.STATES:
            mark(database, f"one {state}", priority=priority, delay=delay, postpones=postpones)
        with database.write() as transaction:
            keys = [f"all {state}" for state in self.STATES]
            transaction.mark_all("loan", keys, priority=priority, delay=delay, postpones=postpones)

        found = {
            row.key: [value for name, value in row._asdict().items() if name != "key"] for row in rows(database, "work")
        }
        for state in self.STATES:
            assert found[f"all {state}"] == found[f"one {state}"], state

    def test_are_merged_with_what_the_transaction_has_marked(self, database: Database, queue: WorkQueue) -> None:
        with database.write() as transaction:
            transaction.mark("loan", "2", delay=5)
            transaction.mark_all("loan", ["1", "2", "3"], priority=Priority.BACKFILL, delay=20)
            transaction.mark_all("loan", [])
            transaction.mark("loan", "3")

        found = {row.key: (row.priority, row.ready_at - MONDAY) for row in rows(database, "work")}
        assert found == {
            "1": (Priority.BACKFILL, timedelta(seconds=20)),
            "2": (Priority.LIVE, timedelta(seconds=5)),
            "3": (Priority.LIVE, timedelta(0)),
        }


class TestAKeyThatRuns:
    def test_is_nobody_elses(self, database: Database, queue: WorkQueue, other: WorkQueue) -> None:
        """One worker per key at a time."""
        mark(database, "1")
        claim_one(queue)

        mark(database, "1")

        assert other.claim(10) == []

    def test_rests_when_it_is_done(self, database: Database, queue: WorkQueue) -> None:
        """Nothing is left to do, and the row stays, for its fence must only grow."""
        mark(database, "1")

        assert queue.done(claim_one(queue)) is True
        assert (queue.claim(10), queue.turn((), 0)[1], len(rows(database, "work"))) == ([], None, 1)

    def test_and_is_marked_runs_once_more(self, database: Database, queue: WorkQueue) -> None:
        """A change that arrives in the midst of a pass is looked at by the next one; three changes by one."""
        mark(database, "1")
        claim = claim_one(queue)
        for _ in range(3):
            mark(database, "1")

        queue.done(claim)

        again = claim_one(queue)
        assert again.fence == claim.fence + 1
        queue.done(again)
        assert queue.claim(10) == []

    def test_and_is_marked_for_later_runs_later(
        self, database: Database, queue: WorkQueue, clock: StandingClock
    ) -> None:
        """A pass that asks to look again in a minute gets its minute, in the transaction in which it ends."""
        mark(database, "1")
        claim = claim_one(queue)

        with database.write() as transaction:
            transaction.mark("loan", "1", delay=60)
            queue.done(claim, transaction)

        assert queue.claim(10) == []
        clock.advance(seconds=60)
        assert len(queue.claim(10)) == 1


class TestAPassThatFails:
    def test_is_tried_again_later(self, database: Database, queue: WorkQueue, clock: StandingClock) -> None:
        """With the delay asked for, one attempt more, and its error where people can read it."""
        mark(database, "1")
        queue.retry(claim_one(queue), delay=30, error="the mailbox is busy")

        (waiting,) = queue.waiting(10)
        assert (waiting.last_error, waiting.attempts, waiting.running) == ("the mailbox is busy", 1, False)
        assert queue.claim(10) == []
        clock.advance(seconds=30)
        again = claim_one(queue)
        assert (again.attempts, again.marked_at) == (1, MONDAY)

    def test_is_brought_forward_by_a_live_mark_only(
        self, database: Database, queue: WorkQueue, clock: StandingClock
    ) -> None:
        """Somebody acted: look now. A sweep, though, never shortens a back-off."""
        mark(database, "1")
        queue.retry(claim_one(queue), delay=30, error="x")

        mark(database, "1", priority=Priority.SWEEP)
        assert queue.claim(10) == []
        mark(database, "1")
        assert claim_one(queue).attempts == 1

    def test_heeds_a_mark_made_meanwhile(self, database: Database, queue: WorkQueue) -> None:
        """A live mark that came while the failing pass ran makes it due at that mark's time."""
        mark(database, "1")
        claim = claim_one(queue)
        mark(database, "1")

        queue.retry(claim, delay=30, error="x")

        assert len(queue.claim(10)) == 1

    def test_forgets_its_failures_after_a_success(self, database: Database, queue: WorkQueue) -> None:
        """Attempts count failures since the last success."""
        mark(database, "1")
        queue.retry(claim_one(queue), delay=0, error="x")
        queue.done(claim_one(queue))
        mark(database, "1")

        assert claim_one(queue).attempts == 0

    def test_for_good_is_parked(self, database: Database, queue: WorkQueue) -> None:
        """A parked key is not claimed, is listed first with its error, and starts afresh when marked."""
        mark(database, "1", "2")
        first, _ = queue.claim(2)
        queue.park(first, error="403: no access")

        parked = queue.waiting(10)[0]
        assert (parked.key, parked.last_error, parked.parked_at) == (first.key, "403: no access", MONDAY)
        assert (queue.depth().parked, queue.claim(10)) == (1, [])
        mark(database, first.key)
        assert claim_one(queue).attempts == 0

    def test_for_good_but_marked_meanwhile_is_tried_again(self, database: Database, queue: WorkQueue) -> None:
        """What made it fail may have been what just changed."""
        mark(database, "1")
        claim = claim_one(queue)
        mark(database, "1")

        queue.park(claim, error="x")

        assert (queue.depth().parked, len(queue.claim(10))) == (0, 1)


class TestALease:
    def test_that_ends_lets_somebody_else_take_over(
        self, database: Database, queue: WorkQueue, other: WorkQueue, clock: StandingClock
    ) -> None:
        """A worker that died is replaced when its lease ends; its disappearance counts as a failed attempt."""
        mark(database, "1")
        lost = claim_one(queue)

        clock.advance(seconds=59)
        assert other.claim(10) == []
        clock.advance(seconds=1)
        taken = claim_one(other)

        assert (taken.fence, taken.attempts, taken.marked_at) == (lost.fence + 1, 1, MONDAY)

    def test_that_ended_makes_a_late_result_worthless(
        self, database: Database, queue: WorkQueue, other: WorkQueue, clock: StandingClock
    ) -> None:
        """A worker asleep past its lease writes nothing: the fence rolls its whole transaction back."""
        mark(database, "1")
        late = claim_one(queue)
        clock.advance(seconds=60)
        claim_one(other)

        def wake_up() -> None:
            with database.write() as transaction:
                transaction.mark("loan", "from the sleeper")
                queue.done(late, transaction)

        with pytest.raises(FenceLost):
            wake_up()

        assert "loan:from the sleeper" not in marked(database)
        assert queue.done(late) is False
        queue.retry(late, delay=0, error="x")
        queue.park(late, error="x")
        assert queue.depth().running == 1

    def test_can_be_renewed(self, database: Database, queue: WorkQueue, other: WorkQueue, clock: StandingClock) -> None:
        """A long pass keeps its key; what was lost already is told."""
        mark(database, "1", "2")
        claims = queue.claim(2)
        clock.advance(seconds=50)
        assert queue.renew(claims) == sorted(claims, key=lambda claim: claim.key)

        clock.advance(seconds=50)
        assert other.claim(10) == []
        clock.advance(seconds=10)
        assert len(other.claim(10)) == 2
        assert queue.renew(claims) == []

    def test_is_given_back_on_a_clean_stop(self, database: Database, queue: WorkQueue, other: WorkQueue) -> None:
        """What a stopped worker had in hand can be claimed at once, and is no failure."""
        mark(database, "1")
        claim = claim_one(queue)

        queue.release()

        assert claim_one(other).attempts == 0
        assert queue.done(claim) is False

    def test_of_a_killed_process_ends_by_itself(self, migrated_url: str) -> None:
        """Killed before its commit, a process loses nothing: another takes the key, and no half is there."""
        database = Database(migrated_url)
        mark(database, "1")
        victim = start(claim_and_die, migrated_url, 1.5)
        victim.join(30)
        queue = WorkQueue(database, owner="heir", lease_seconds=60)

        claims: list[Claim] = []
        end = time.monotonic() + 10
        while not claims and time.monotonic() < end:
            claims = queue.claim(1)
            time.sleep(0.02)

        assert [(claim.key, claim.fence, claim.attempts) for claim in claims] == [("1", 2, 1)]
        assert rows(database, "job") == []
        database.close()


class TestWakingUp:
    def test_comes_after_the_commit(self, database: Database, queue: WorkQueue) -> None:
        """Whoever waits in the same process is told when there is something to claim, and not before."""
        found: list[int] = []
        queue.on_mark(lambda _seconds: found.append(len(queue.claim(10))))

        mark(database, "1")

        assert found == [1]

    def test_comes_when_a_finished_key_waits_again(self, database: Database, queue: WorkQueue) -> None:
        """The second pass of a key that was marked while it ran does not wait for the next poll."""
        mark(database, "1")
        claim = claim_one(queue)
        mark(database, "1")
        woken: list[float] = []
        queue.on_mark(woken.append)

        queue.done(claim)

        assert woken == [0.0]

    def test_says_when_the_first_is_due(self, database: Database, queue: WorkQueue) -> None:
        """What is due later wakes nobody before its time."""
        told: list[float] = []
        queue.on_mark(told.append)

        with database.write() as transaction:
            transaction.mark("loan", "1", delay=10.5)
            transaction.mark("room", "1", delay=0.25)

        assert told == [0.25]

    def test_on_sqlite_shows_that_another_process_wrote(self, sqlite_url: str) -> None:
        """Two processes on one file poll; only what others wrote counts."""
        ours, theirs = Database(sqlite_url), Database(sqlite_url)
        _migrate(ours)
        queue = WorkQueue(ours, owner="a")

        mark(ours, "1")
        before = queue.changed_elsewhere()
        mark(theirs, "2")

        assert (before, queue.changed_elsewhere(), queue.changed_elsewhere()) == (False, True, False)
        ours.close()
        theirs.close()

    def test_on_postgresql_crosses_processes(self, postgresql_url: str) -> None:
        """A commit elsewhere is heard at once."""
        ours, theirs = Database(postgresql_url), Database(postgresql_url)
        _migrate(ours)
        heard = threading.Semaphore(0)
        listener = Listener(ours, heard.release)
        listener.start()
        assert heard.acquire(timeout=10)  # it listens

        mark(theirs, "1")

        assert heard.acquire(timeout=10)
        listener.close()
        ours.close()
        theirs.close()


class TestTheDepth:
    def test_counts_each_kind_of_waiting(self, database: Database, queue: WorkQueue, clock: StandingClock) -> None:
        """What waits, what of it is due, what runs, what is parked, and since when the oldest waits."""
        mark(database, "runs", "parked")
        runs, parks = queue.claim(2)
        queue.park(parks, error="x")
        clock.advance(seconds=5)
        mark(database, "due", priority=Priority.SWEEP)
        mark(database, "later", delay=60)

        depth = queue.depth()

        assert (depth.waiting, depth.due, depth.running, depth.parked) == (2, 1, 1, 1)
        assert depth.oldest_waiting_at == {Priority.SWEEP: MONDAY + timedelta(seconds=5)}
        assert runs.key != parks.key

    def test_what_is_put_off_waits_from_its_time_on(
        self, database: Database, queue: WorkQueue, clock: StandingClock
    ) -> None:
        """A check in an hour, or a reading spread over the night, is no backlog; a key that fails and fails is."""
        mark(database, "fails")
        (fails,) = queue.claim(1)
        queue.retry(fails, delay=300.0, error="x")
        mark(database, "later", delay=3600, priority=Priority.SWEEP)

        clock.advance(seconds=60)
        assert queue.depth().oldest_waiting_at == {Priority.LIVE: MONDAY}
        clock.advance(seconds=3600)
        assert queue.depth().oldest_waiting_at[Priority.SWEEP] == MONDAY + timedelta(hours=1)


class TestUnderStress:
    def test_no_mark_is_lost_and_no_two_passes_overlap(self, migrated_url: str) -> None:
        """Threads mark ten keys at random while others work: the last mark of each key is seen by a later pass."""
        database = Database(migrated_url, durability="normal")
        written = dict.fromkeys((str(number) for number in range(10)), 0)
        seen = dict(written)
        running: set[str] = set()
        overlaps: list[str] = []
        stop = threading.Event()
        lock = threading.Lock()

        def work(owner: str) -> None:
            queue = WorkQueue(database, owner=owner)
            while not (stop.is_set() and queue.turn((), 0)[1] is None):
                for claim in queue.claim(2):
                    with lock:
                        overlaps.extend(running & {claim.key})
                        running.add(claim.key)
                        value = written[claim.key]
                    time.sleep(0.001)
                    with lock:
                        seen[claim.key] = value
                        running.discard(claim.key)
                    assert queue.done(claim)
                time.sleep(0.001)

        def change(seed: int) -> None:
            chance = random.Random(seed)
            for _ in range(60):
                key = str(chance.randrange(10))
                with lock:
                    written[key] += 1
                mark(database, key)

        workers = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(3)]
        markers = [threading.Thread(target=change, args=(seed,)) for seed in range(4)]
        for thread in (*workers, *markers):
            thread.start()
        for thread in markers:
            thread.join()
        stop.set()
        for thread in workers:
            thread.join(30)

        assert (overlaps, seen) == ([], written)
        database.close()

    @pytest.mark.slow
    def test_processes_share_the_keys(self, migrated_url: str) -> None:
        """Three processes empty one queue: each key is passed over once, and its end is written with its result."""
        database = Database(migrated_url, durability="normal")
        mark(database, *(str(number) for number in range(100)))

        run_all(*((work_until_empty, (migrated_url, f"p{number}", 30.0)) for number in range(3)))

        assert sorted(row.key for row in rows(database, "setting")) == sorted(f"{number}/1" for number in range(100))
        assert marked(database) == set()
        database.close()

    def test_passes_that_mark_each_other_do_not_deadlock(self, database: Database) -> None:
        """Two transactions that mark the same keys in opposite orders both commit, again and again."""
        broken: list[Exception] = []

        def cross(*keys: str) -> None:
            try:
                for _ in range(50):
                    mark(database, *keys)
            except Exception as error:
                broken.append(error)

        threads = [threading.Thread(target=cross, args=keys) for keys in (("1", "2", "3"), ("3", "2", "1"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert broken == []

    def test_a_deep_queue_is_read_by_its_index(self, sqlite_url: str) -> None:
        """Claiming looks up by priority and time: what waits for later, or rests, is never walked through."""
        database = Database(sqlite_url)
        _migrate(database)
        with database.read() as transaction:
            plan = transaction.connection.exec_driver_sql(
                "EXPLAIN QUERY PLAN SELECT kind, key FROM work"
                " WHERE priority = 1 AND ready_at <= 'x' AND ready_at IS NOT NULL ORDER BY ready_at LIMIT 10"
            ).all()
        database.close()

        assert len(plan) == 1  # no sorting
        assert "USING INDEX ix_work_ready (priority=? AND ready_at" in plan[0][3]


def _migrate(database: Database) -> None:
    migrate(database)
    insert(database, "job", name="ready")
