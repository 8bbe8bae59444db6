"""A whole world on a virtual clock: a tenant, the engine, people on both sides, and a ledger of what people did.

Nothing here waits: the loop's clock jumps. Everything goes through the real doors: Outlook people through
Graph requests, staff through the desk, notifications through the inbox.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

from engine.app.engine import Engine
from engine.app.office import Office
from engine.graph.build import build_calendar
from engine.graph.contacts import GraphContacts
from engine.graph.credential import StaticTokenCredential
from engine.graph.transport import Request, Response
from engine.ids import BookableId
from engine.outbox.message import Sender
from engine.prove.world import glance
from engine.prove.world.contents import Keyring, open_worlds_contents
from engine.prove.world.deeds import TOLD_BY, count_deeds, find_untold
from engine.prove.world.garble import Garble
from engine.prove.world.glance import Glance
from engine.prove.world.latch import Latch
from engine.prove.world.life import LIFE, Life, MortalDatabase
from engine.prove.world.losses import Backup, Loss
from engine.prove.world.sight import Sight
from engine.prove.world.store import OpenDatabase, in_memory
from engine.prove.world.trace import Trace
from engine.prove.world.transport import Struck, TenantTransport, spare_people
from engine.prove.world.untold import Untold
from engine.prove.world.virtual import VirtualLoop
from engine.reconcile.markers import parse_marker
from engine.reconcile.shadow import WITHHELD_SECONDS
from engine.settings import Settings, load_settings
from engine.simulator import Tenant, TenantOptions
from engine.subscriptions.plan import Endpoint
from engine.worker.locks import SharedLocks
from engine.worker.loop import Silent

NOTIFICATION_URL = "https://accord.example.org/graph/notifications"
LIFECYCLE_URL = "https://accord.example.org/graph/lifecycle"


class QuietWatcher(Silent):
    """Counts passes, and remembers what was parked."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.looks: Counter[tuple[str, str, datetime]] = Counter()
        """How often a key was looked at within a second."""
        self.parked_keys: list[tuple[str, str, str]] = []
        self._now = now

    def passed(self, kind: str, key: str, outcome: str, seconds: float) -> None:
        self.looks[kind, key, self._now().replace(microsecond=0)] += 1

    def parked(self, kind: str, key: str, error: str) -> None:
        self.parked_keys.append((kind, key, error))


class World(Sight):
    """
    One world. `open` starts it; `settle` lets everything arrive; `close` ends it.

    *is_sole*: a new engine knows that those before it have died, as the one process on SQLite does. Else their leases
    have to run out, as with several workers, and there may be several.
    """

    def __init__(
        self,
        *,
        rooms: int = 2,
        people: int = 3,
        seed: int = 1,
        tenant: dict[str, Any] | None = None,
        settings: dict[str, str] | None = None,
        database: OpenDatabase = in_memory.open,
        on_request: Callable[[str, Request], None] | None = None,
        is_sole: bool = True,
    ) -> None:
        self.loop = VirtualLoop()
        asyncio.set_event_loop(self.loop)
        self._outside = copy_context()
        """Of what happens in the tenant, whoever asked for it."""
        self.on_request = on_request
        self.is_sole = is_sole
        self.skew = timedelta(0)
        """How wrong the engine's clock is."""
        self.trace = Trace()
        self.struck: Struck = Counter()
        """Which requests met which faults."""
        self.crashes: Counter[str] = Counter()
        """What the engine was doing when it was killed."""
        self.writes_forgotten = 0
        """How many writes were made before the store went back in time: histories may tell of them no more."""
        self.sleeps = 0
        """How often an engine was put to sleep over a request: its answer may come too late to count."""
        self.tenant = self._make_tenant(seed, tenant or {})
        spare_people(self.tenant, self.struck)
        self._furnish(rooms, people)
        self.settings = self.make_settings(settings or {})
        self.database = database(self.now)
        names = random.Random(f"names {seed}")
        self.database.draw = lambda count: names.randbytes(count).hex()
        self.lives: list[Life] = []
        """The engines that live; the first one is the one people's requests and Graph's notifications reach."""
        self.all_lives: list[Life] = []
        self.latch = Latch()
        self.backup: Backup | None = None
        self.on_answer: list[Callable[[Request, Response], None]] = []
        """Who hears what Graph answers."""
        self.on_loss: list[Callable[[Loss], None]] = [lambda _loss: self._forget_writes()]
        """Who is told when the store goes back in time, right before it does."""
        self.watcher = QuietWatcher(self.loop.now)
        self.transports: list[TenantTransport] = []
        self.is_receiver_down = False
        self.senders: dict[str, Sender] = {}
        """Who carries the outbox's messages, by channel."""
        self.notifications: list[bytes] = []
        """What Graph has sent."""
        self.things: list[BookableId] = []
        self.garble = Garble()
        self.tenant.courier.retouch = self.garble.spoil_event
        self.keyring = Keyring()
        self.tenant.courier.wrap = self.keyring.wrap
        self.untold = Untold()
        self._first_rooms: set[BookableId] = set()
        self._looked: tuple[object, Glance] | None = None

    def _make_tenant(self, seed: int, options: dict[str, Any]) -> Tenant:
        """Return a tenant that takes its time, but for what *options* say."""
        given: dict[str, Any] = {
            "seed": seed,
            "attendant_delay": (0.2, 0.5),
            "notification_delay": (0.05, 0.2),
            "extra_touches": 0,
            "empty_page_rate": 0.1,
            "page_size": 5,
        }
        return Tenant(
            TenantOptions(**{**given, **options}),
            now=self.loop.now,
            call_later=partial(self.loop.call_later, context=self._outside),
            post=self.post,
            spawn=self._spawn,
        )

    def _furnish(self, rooms: int, people: int) -> None:
        office = self.tenant.office
        self.room_addresses, self._room_numbers = [], {}
        self.people = [f"person-{n}@example.org" for n in range(1, people + 1)]
        for _ in range(rooms):
            self.set_up_room()
        for number, address in enumerate(self.people, 1):
            office.add_person(address, f"Person {number}")

    def now(self) -> datetime:
        """Return what the engine takes for the time."""
        found: datetime = self.loop.now() + self.skew
        return found

    def make_settings(self, more: dict[str, str]) -> Settings:
        environ = {
            "ENGINE_GRAPH__CREDENTIAL": "static_token",
            "ENGINE_GRAPH__TOKEN": "demo",
            "ENGINE_GRAPH__BASE_URL": "http://127.0.0.1:1/v1.0",
            "ENGINE_LOANS__DEFAULT_USER": self.people[0],
            **more,
        }
        return _read_settings(tuple(environ.items()))

    # --- life

    def open(self) -> World:
        """Start the engine and let it import rooms and subscribe."""
        self.start()
        self.settle()
        self._first_rooms = {room.id for room in self.office.rooms.room_book().rooms}
        return self

    def start(self) -> None:
        """Start an engine: the first one, or another that shares the store."""
        life = self.new_life()
        database = self.database.heir(life) if isinstance(self.database, MortalDatabase) else self.database
        office = Office(self.settings, now=self.now, database=database, ticks=self.loop.time)
        open_worlds_contents(office, self.tenant, self.keyring)
        self.transports.append(
            TenantTransport(
                self.tenant,
                on_request=partial(self._hear_of_request_of, life),
                trace=self.trace,
                life=life,
                spawn=self._spawn,
                on_answer=self.on_answer,
                garble=self.garble,
            )
        )
        calendar = build_calendar(
            base_url="https://graph.microsoft.com/v1.0",
            credential=StaticTokenCredential("demo"),
            now=self.now,
            transport=self.transports[-1],
        )
        life.engine = Engine(
            office,
            calendar,
            endpoint=self.endpoint,
            watcher=self.watcher,
            poll_seconds=0,
            contacts=GraphContacts(calendar.gateway),
            senders=self.senders,
            locks=None if self.is_sole else SharedLocks(self.latch.seen_by(life)),
        )
        if self.is_sole:
            office.queue.release_others()  # as the service does: whoever held them has died
        office.enqueue("places", "all")
        office.enqueue("subscription", "all")
        context = copy_context()
        context.run(LIFE.set, life)
        life.task = self.loop.create_task(life.engine.loop.run(), context=context)
        self.lives.append(life)
        self.all_lives.append(life)

    def new_life(self) -> Life:
        return Life()

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Let something happen in the tenant."""
        return self.loop.create_task(coroutine, context=self._outside.copy())

    def kill(self) -> None:
        """End every engine at once, as `kill -9` would: nothing is given back, nothing is tidied."""
        while self.lives:
            self.end(self.lives[-1])

    def end(self, life: Life) -> None:
        """End one engine. What is left of it in memory is taken away, and nothing that does comes through (I19)."""
        doing = sorted({task.get_name().partition(":")[0] for task in life.engine.loop.running_tasks})
        self.crashes[" ".join(doing) or "nothing"] += 1
        life.is_over = True
        self.loop.wake(life)
        tasks = life.tasks
        for task in tasks:
            task.cancel()
        self.run(asyncio.gather(*tasks, return_exceptions=True))
        self.lives.remove(life)

    def _hear_of_request_of(self, life: Life, when: str, request: Request) -> None:
        if self.on_request is not None:
            self.on_request(when, request)
        if life.sleeps_at is not None and life.sleeps_at[0] == when:
            seconds, life.sleeps_at = life.sleeps_at[1], None
            self.put_to_sleep(life, seconds)

    def put_to_sleep(self, life: Life, seconds: float) -> None:
        """Let an engine do nothing for so long, as a process that is stopped, and know nothing of it afterwards."""
        self.sleeps += 1
        life.has_slept = True
        self.loop.put_to_sleep(LIFE, life)
        self.loop.call_later(seconds, self.loop.wake, life)

    def close(self) -> None:
        for life in self.lives:
            self.loop.wake(life)
            life.engine.loop.stop()
            self.run(life.task)
        self.tenant.close()
        self.database.close()
        self.loop.close()

    def wait(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    def later(self, seconds: float, act: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Let somebody at Outlook do something in so many seconds, whatever goes on by then."""
        self.loop.call_later(seconds, lambda: self._spawn(act()), context=self._outside)

    def settle(self, most: float = 3600.0) -> None:
        """Let everything on its way arrive, answer checks included."""
        quiet = 0.0
        for _ in range(int(most)):
            self.wait(1.0)
            quiet = quiet + 1.0 if self.is_quiet else 0.0
            if quiet >= 2.0:
                return
        raise AssertionError(f"never quiet: {self.office.queue.waiting(10)}")

    def heal(self) -> None:
        """Let everything heal: two safety readings of every room, as the timer would order them, and their work; long
        enough for what a mode has withheld to be looked at again."""
        for _ in range(2):
            self.settle()
            self.office.rooms.mark_rooms(priority=1)
            self.office.subscriptions.mark_due()
            self.wait(0.55 * WITHHELD_SECONDS)
        self.settle()

    @property
    def store_version(self) -> object:
        """What differs once anybody may have written to the store."""
        database = self.database
        return (id(database), database.begun["write"]) if isinstance(database, MortalDatabase) else object()

    def look(self) -> Glance:
        """Look at every loan; where nobody wrote since the last time, what was seen then."""
        version = self.store_version
        if self._looked is None or self._looked[0] != version:
            self._looked = version, glance.look(self.database)
        return self._looked[1]

    def lose_delta(self, room: int) -> None:
        """Let the tenant forget the delta tokens of a room."""
        self.tenant.office.lose_delta(self.room_addresses[room - 1])

    def count_known_writes(self) -> int:
        """Return how many writes to events the tenant carried out since the store last went back in time."""
        return sum(len(transport.done) for transport in self.transports) - self.writes_forgotten

    def _forget_writes(self) -> None:
        self.writes_forgotten += self.count_known_writes()

    def count_writes(self) -> int:
        """Return how many writes to calendars the engine has made."""
        return sum(transport.count_writes() for transport in self.transports)

    def find_untold(self, *, others_deleted: bool) -> list[str]:
        """Return where histories do not tell what was done to loans' own events in Outlook, or tell more. Series, whose
        dates share their writes, are left out."""
        done = [each for transport in self.transports for each in transport.done]
        rows = self._rows("SELECT loan_number, organizer_event_id AS event_id FROM link")
        owners = {row.event_id: row.loan_number for row in rows if row.event_id is not None}
        markers = {each.marker: parse_marker(self.office.instance, each.marker) for each in done}
        owners |= {marker: ref.number for marker, ref in markers.items() if ref is not None}
        counted = count_deeds(done, owners)
        alone = [loan.number for loan in self.loans if loan.series is None]
        found = (find_untold(each, counted, self.history(each), others_deleted=others_deleted) for each in alone)
        return [text for text in found if text is not None]

    def count_changes(self) -> dict[int, tuple[int, int]]:
        """Return of each loan how often its event was changed, and how much else was decided about it."""
        rows = self._rows(
            "SELECT loan_number, sum(CASE code WHEN 'event_changed' THEN 1 ELSE 0 END) AS written, count(*) AS made "
            "FROM decision WHERE loan_number IS NOT NULL GROUP BY loan_number"
        )
        return {row.loan_number: (int(row.written), int(row.made - row.written)) for row in rows}

    def count_alike(self) -> Counter[tuple[int, str, str]]:
        """Return how often the same was decided about the same loan: its number, the code, and the facts as JSON."""
        rows = self._rows("SELECT loan_number, code, facts FROM decision WHERE loan_number IS NOT NULL")
        return Counter((row.loan_number, row.code, json.dumps(row.facts, sort_keys=True)) for row in rows)

    def count_told_writes(self) -> int:
        """Return how many writes to single events histories tell, or say they do not know whether they were made."""
        codes = [code for each in TOLD_BY.values() for code in each] + ["event_change_unknown"]
        named = ", ".join(f"'{code}'" for code in codes)
        return int(self._rows(f"SELECT count(*) AS made FROM decision WHERE code IN ({named})")[0].made)

    def count_decisions(self) -> int:
        """Return how many decisions the engine has made."""
        return int(self._rows("SELECT count(*) AS made FROM decision")[0].made)

    @property
    def is_quiet(self) -> bool:
        is_idle = all(life.engine.loop.is_idle for life in self.lives)
        is_still = self.tenant.is_quiet and is_idle and not glance.is_work_due(self.database)
        return is_still and not glance.are_rooms_awaited(self.database)

    def seconds_to_last_look(self) -> float:
        """Return in how long every loan that waits for a room has been looked at once more: an hour at most."""
        return glance.seconds_to_last_look(self.database)

    # --- doors

    @property
    def endpoint(self) -> Endpoint:
        """Where Graph calls the engine."""
        return Endpoint(NOTIFICATION_URL, LIFECYCLE_URL)

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> tuple[int, str, bytes]:
        """Receive what Graph sends: the handshake, or notifications."""
        token = parse_qs(urlsplit(url).query).get("validationToken")
        if self.engine is None or self.is_receiver_down or self.loop.is_asleep(self.lives[0]):
            raise OSError("nobody is there")
        if token:
            return 200, "text/plain", token[0].encode()
        self.notifications.append(body)
        self.office.inbox.accept(body)
        return 202, "text/plain", b""

    def repeat_notifications(self) -> None:
        """Let everything that Graph ever sent come once more."""
        self.office.inbox.accept_all(self.notifications)


@lru_cache(maxsize=16)
def _read_settings(environ: tuple[tuple[str, str], ...]) -> Settings:
    """Settings never change, and few kinds of worlds differ in them: a file is read and checked once for each."""
    return load_settings(None, dict(environ))
