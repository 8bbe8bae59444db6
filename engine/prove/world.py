"""A whole world on a virtual clock: a tenant, the engine, people on both sides, and a ledger of what people did.

Nothing here waits: the loop's clock jumps. Everything goes through the real doors: Outlook people through
Graph requests, staff through the desk, notifications through the inbox.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Container, Coroutine, Iterable
from contextvars import copy_context
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from sqlalchemy import text

from engine.app.engine import Engine
from engine.app.office import Office
from engine.app.run_time import RunTimeSettings
from engine.errors import NotFound
from engine.graph.build import build_calendar
from engine.graph.contacts import GraphContacts
from engine.graph.credential import StaticTokenCredential
from engine.graph.transport import Request, Response
from engine.ids import Address, BookableId, LoanNumber
from engine.interval import Interval
from engine.loans.loan import Case, ItemKind, Loan, Requester
from engine.loans.register import ItemRef, LoanChange, LoanFilter, LoanOrder
from engine.loans.status import LoanAction
from engine.outbox.message import Sender
from engine.prove import glance
from engine.prove.backups import Backup, Loss
from engine.prove.contents import open_worlds_contents
from engine.prove.deeds import TOLD_BY, count_deeds, find_untold
from engine.prove.garble import Garble
from engine.prove.latch import Latch
from engine.prove.life import LIFE, Life, MortalDatabase
from engine.prove.store import OpenDatabase, in_memory
from engine.prove.trace import Trace
from engine.prove.transport import Struck, TenantTransport, spare_people
from engine.prove.virtual import START, VirtualLoop
from engine.reconcile.markers import parse_marker
from engine.reconcile.shadow import WITHHELD_SECONDS
from engine.rooms.series import day_of, lone_key
from engine.settings import Settings, load_settings
from engine.simulator import Tenant, TenantOptions
from engine.simulator.people import Person, Refused, RoomReader, event_path
from engine.simulator.render import Style, render_event
from engine.subscriptions.plan import Endpoint
from engine.web.pages.setting_parts import SettingKey
from engine.worker.locks import SharedLocks
from engine.worker.loop import Silent

NOTIFICATION_URL = "https://accord.example.org/graph/notifications"
LIFECYCLE_URL = "https://accord.example.org/graph/lifecycle"
YES = ("accepted", "tentativelyAccepted")
"""The answers of a room that shows the meeting."""


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


class World:
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
        self.writes_forgotten = 0
        """How many writes were made before the store went back in time: histories may tell of them no more."""
        self.sleeps = 0
        """How often an engine was put to sleep over a request: its answer may come too late to count."""
        """What the engine was doing when it was killed."""
        given: dict[str, Any] = {
            "seed": seed,
            "attendant_delay": (0.2, 0.5),
            "notification_delay": (0.05, 0.2),
            "extra_touches": 0,
            "empty_page_rate": 0.1,
            "page_size": 5,
        }
        self.tenant = Tenant(
            TenantOptions(**{**given, **(tenant or {})}),
            now=self.loop.now,
            call_later=partial(self.loop.call_later, context=self._outside),
            post=self.post,
            spawn=self._spawn,
        )
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
        self.handed_over: set[str] = set()
        """Meetings that an administrator gave to somebody else: until a room tells, nobody knows who has them."""
        self.dropped_unasked: set[tuple[int, str]] = set()
        """What left a room that no other room's copy names while its organizer's mailbox was closed: given back, or
        taken out of the meeting, for all that anybody can tell."""
        self.left_by_plan: set[str] = set()
        """Meetings from before the engine that the last plan to bring them in leaves, and says why."""
        self._first_rooms: set[BookableId] = set()
        self.emptied: dict[tuple[int, str], datetime] = {}
        """What a room's calendar held, or was asked for, when it was deleted, to be set up anew; and what was forwarded
        to a room, which no other room's copy tells, and left it. With when that was, by the engine's clock."""
        self.closed: set[str] = set()
        """Whose mailbox was closed at some time: what was to be written there then was refused, and a case told so."""

    def _furnish(self, rooms: int, people: int) -> None:
        office = self.tenant.office
        self.room_addresses = [f"room-{n}@example.org" for n in range(1, rooms + 1)]
        self.people = [f"person-{n}@example.org" for n in range(1, people + 1)]
        self._room_numbers = {address: number for number, address in enumerate(self.room_addresses, 1)}
        for number, address in enumerate(self.room_addresses, 1):
            office.add_room(address, f"Room {number}", capacity=10 * number)
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
        return load_settings(None, environ)

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
        open_worlds_contents(office, self.tenant)
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

    @property
    def engine(self) -> Engine | None:
        """The engine that people's requests reach; None while it is dead."""
        return self.lives[0].engine if self.lives else None

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

    def run(self, coroutine: Coroutine[Any, Any, Any] | asyncio.Future[Any]) -> Any:
        return self.loop.run_until_complete(coroutine)

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
        return self.tenant.is_quiet and is_idle and not glance.is_work_due(self.database)

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

    @property
    def office(self) -> Office:
        assert self.engine is not None
        return self.engine.office

    # --- people

    def person(self, number: int) -> Person:
        """Return somebody at Outlook, counted from 1."""
        return Person(self.tenant, self.people[number - 1])

    def room(self, number: int) -> RoomReader:
        return RoomReader(self.tenant, self.room_addresses[number - 1])

    def furnish(self, things: Iterable[str]) -> None:
        """Give the desk things to lend."""
        self.things = [
            self.office.desk.add_asset(name, store=None, description="", actor="app:test").id for name in things
        ]

    def is_kept(self, number: int) -> bool:
        """Tell whether somebody decided that a loan stays although its meeting was cancelled."""
        return bool(self._rows("SELECT 1 FROM link WHERE loan_number = :number AND hold = 'rejected'", number=number))

    def is_held_alone(self, number: int) -> bool:
        """Tell whether a loan is kept so, and a case says that the meeting which its organizer still has is in none of
        its rooms: both go their own ways until it is."""
        told = (
            "SELECT 1 FROM \"case\" WHERE loan_number = :number AND code = 'kept_against_outlook' AND state != 'closed'"
        )
        return self.is_kept(number) and bool(self._rows(told, number=number))

    def room_number(self, address: str) -> int | None:
        """Return the number of the room that has, or had, this address."""
        return self._room_numbers.get(address)

    def readdress(self, room: int, address: str) -> None:
        """Give a room another address."""
        self.tenant.office.readdress(self.room_addresses[room - 1], address)
        self.room_addresses[room - 1] = address
        self._room_numbers[address] = room

    def set_mailbox(self, person: int, state: str) -> None:
        """Close somebody's mailbox, or open it again."""
        self.tenant.office.set_state(self.people[person - 1], state)
        if state != "active":
            self.closed.add(self.people[person - 1])

    def override(self, key: SettingKey, value: str | None) -> None:
        """Let an administrator change a setting while the engine runs; None: back to what it was."""
        settings = RunTimeSettings(self.office)
        if value is None:
            settings.reset(key, actor="app:test")
        else:
            settings.set_value(key, value, actor="app:test")

    def addresses(self, rooms: Iterable[int]) -> list[str]:
        """Return the rooms' addresses as they are now."""
        return [self.room_addresses[room - 1] for room in rooms]

    def invitations(self, rooms: Iterable[int]) -> list[dict[str, Any]]:
        """Return the rooms as attendees of a new event."""
        return [{"type": "resource", "emailAddress": {"address": each, "name": each}} for each in self.addresses(rooms)]

    def at(self, hours: float, *, days: int = 1) -> datetime:
        """Return a time on a coming day, on the grid for quarter hours."""
        start: datetime = self.loop.now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=days)
        return start + timedelta(hours=hours)

    def meet(self, person: int, start: float, end: float, *rooms: int, days: int = 1, **more: Any) -> dict[str, Any]:
        """Book a meeting in Outlook."""
        addresses = self.addresses(rooms)
        booked: dict[str, Any] = self.run(
            self.person(person).book(self.at(start, days=days), self.at(end, days=days), rooms=addresses, **more)
        )
        return booked

    # --- the desk

    def book(self, person: int, start: float, end: float, *rooms: int, days: int = 1) -> Loan:
        return self.book_at(person, Interval(self.at(start, days=days), self.at(end, days=days)), *rooms)

    def book_at(self, person: int, interval: Interval, *rooms: int) -> Loan:
        items = tuple(self.item(room) for room in rooms)
        return self.office.desk.book(LoanOrder(self.requester(person), interval, items), actor="app:test")

    def requester(self, person: int) -> Requester:
        return Requester(Address(self.people[person - 1]), f"Person {person}")

    def change(self, number: int, change: LoanChange) -> Loan:
        return self.office.desk.change(LoanNumber(number), change, actor="app:test")

    def act_on(self, number: int, action: LoanAction) -> Loan:
        return self.office.desk.act(LoanNumber(number), action, actor="app:test")

    def item(self, room: int) -> ItemRef:
        found = self.office.rooms.room_book().by_address(self.room_addresses[room - 1])
        if found is None:
            raise NotFound(f"room {room} is not known by its new address yet")
        return ItemRef(ItemKind.ROOM, found.id)

    def act(self, loan: Loan, action: LoanAction) -> Loan:
        return self.office.desk.act(loan.number, action, actor="app:test")

    def loan(self, number: int) -> Loan:
        return self.office.desk.find(LoanNumber(number))

    @property
    def loans(self) -> tuple[Loan, ...]:
        return tuple(self.office.desk.list_loans(LoanFilter(limit=1000)))

    @property
    def live_loans(self) -> tuple[Loan, ...]:
        return tuple(loan for loan in self.loans if loan.blocks)

    def history(self, number: int) -> list[str]:
        return [decision.code for decision in self.office.desk.history(LoanNumber(number))]

    def cases(self) -> list[str]:
        from engine.loans.loan import CaseState

        return [case.code for case in self.office.desk.list_cases(state=CaseState.OPEN, after=None, limit=100)]

    # --- looking behind the doors, for the invariants only

    def _rows(self, statement: str, **values: object) -> list[Any]:
        with self.database.read() as transaction:
            return list(transaction.connection.execute(text(statement), values).all())

    def links(self) -> dict[int, str | None]:
        """Return the meeting of each loan: of its newest generation."""
        return glance.meetings_of_loans(self.database)

    def linked_uids(self) -> list[str]:
        return [row.ical_uid for row in self._rows("SELECT ical_uid FROM link WHERE state = 'linked'") if row.ical_uid]

    def loan_of(self, ical_uid: str) -> int | None:
        return glance.loan_of(self.database, ical_uid)

    def tell(self, loan: Loan) -> str:
        """Return a loan and its history in one line, for whoever has to find out what happened."""
        steps = "; ".join(
            f"{(decision.at - START).total_seconds():.2f} {decision.code} {decision.facts}"
            for decision in self.office.desk.history(loan.number)
        )
        items = ", ".join(f"{item.name} {item.state}" for item in loan.items)
        return f"loan {loan.number} {loan.home} {loan.status} {loan.interval.start:%d %H:%M} [{items}]: {steps}"

    def all_cases(self) -> list[Case]:
        """Return every case there ever was."""
        return list(self.office.desk.list_cases(state=None, after=None, limit=10_000))

    def all_case_facts(self) -> list[dict[str, Any]]:
        return [case.facts for case in self.office.desk.list_cases(state=None, after=None, limit=10_000)]

    def cases_of(self, number: int) -> set[str]:
        return glance.codes_of(self.database, number)

    def cases_of_meeting(self, ical_uid: str) -> set[str]:
        """Return of what kinds the cases are of every loan that a meeting is, or was before it lost its rooms."""
        rows = self._rows("SELECT DISTINCT loan_number FROM decision WHERE ical_uid = :uid", uid=ical_uid)
        return {code for row in rows if row.loan_number is not None for code in self.cases_of(row.loan_number)}

    def is_told(self, loan: Loan) -> bool:
        """Tell whether a case says what became of *loan*; a series that is refused whole has one for all its dates."""
        series = [each.number for each in self.loans if loan.series is not None and each.series == loan.series]
        return any(self.cases_of(number) for number in {loan.number, *series})

    def is_explained(self, ical_uid: str, *, is_from_outside: bool = False) -> bool:
        """
        Tell whether a case, a decision or a plan says why this meeting is no loan (any more); a case that somebody
        chose to ignore does.

        That the desk cancelled it is no reason, nor that it was made anew for somebody else: its rooms were freed. But
        an organizer outside, whose meeting could only be declined, may ask them anew; and who was given a meeting at
        that moment may keep it.
        """
        if ical_uid in self.left_by_plan or self._is_from_before_its_room(ical_uid):
            return True
        rows = self._rows(
            "SELECT 1 FROM \"case\" WHERE ical_uid = :uid AND (state = 'open' OR settlement = 'ignore')", uid=ical_uid
        )
        ended = self._rows(
            "SELECT 1 FROM link JOIN decision ON decision.loan_number = link.loan_number WHERE link.ical_uid = :uid "
            "AND decision.code IN ('no_room_left', 'all_rooms_released', :declined, :cancelled, :replaced)",
            uid=ical_uid,
            declined="declined_for_room" if is_from_outside else "",
            cancelled="cancelled_in_app" if ical_uid in self.handed_over else "",
            replaced="former_event_deleted" if ical_uid in self.handed_over else "",
        )
        return bool(rows or ended)

    def _is_from_before_its_room(self, ical_uid: str) -> bool:
        """Tell whether a meeting was found when its room was read first, which is a new one here: set up anew, and
        given another address, before the list of rooms was read again (decision 0004)."""
        statement = "SELECT room_id FROM room_copy WHERE ical_uid = :uid AND live AND listed"
        return any(row.room_id not in self._first_rooms for row in self._rows(statement, uid=ical_uid))

    def is_out_of_sight(self, loan: Loan) -> bool:
        """Tell whether a loan's meeting left its rooms while nobody could be asked for it: it had been given to
        somebody else before a room told of that, or its organizer's mailbox was closed (B52)."""
        uid = (self.links().get(loan.number) or "").partition("@")[0]
        is_hidden = uid in self.handed_over or loan.requester.address.casefold() in self.closed
        return is_hidden and "cancelled_in_outlook" in self.history(loan.number)

    def is_untold(self, room: int, ical_uid: str) -> bool:
        """Tell whether a room had a meeting only in a calendar that was deleted before anybody could read it there, or
        had been forwarded it and dropped it by then, or is asked for a date behind those it takes of an endless series:
        who is told of meetings by rooms knows nothing of it. That it had left the room before is known; but not why it
        did while its organizer's mailbox was closed."""
        found = self.office.rooms.room_book().by_address(self.room_addresses[room - 1])
        emptied_at = self.emptied.get((room, ical_uid))
        if (room, ical_uid) in self.dropped_unasked:
            return True
        if found is None or not (emptied_at or self._is_cut_off(room, ical_uid)):
            return False
        statement = "SELECT live, observed_at FROM room_copy WHERE room_id = :room AND ical_uid = :uid"
        copies = self._rows(statement, room=found.id, uid=ical_uid)
        return not any(
            copy.live or emptied_at is None or datetime.fromisoformat(str(copy.observed_at)) >= emptied_at
            for copy in copies
        )

    def _is_cut_off(self, room: int, key: str) -> bool:
        """Tell whether a room has the series of a date, but ends it before (AllowRecurringMeetings, BookingWindow)."""
        day, box = day_of(key), self.tenant.office.find(self.room_addresses[room - 1]).id
        copies = self.tenant.world.calendars[box].all_by_ical(key.partition("@")[0])
        ends = [
            copy.recurrence.end_date for copy in copies if copy.recurrence and copy.recurrence.range_kind == "endDate"
        ]
        return day is not None and bool(ends) and max(ends) < day

    def is_outside(self, address: str) -> bool:
        """Tell whether *address* is nobody's of ours: neither a person's nor a room's."""
        return address.casefold() not in self.people and self.room_number(address.casefold()) is None

    def all_events(self) -> list[dict[str, Any]]:
        """Return everybody's own events: the organizers' copies, of a series its dates under their own names."""
        found = []
        for person in range(1, len(self.people) + 1):
            own = [event for event in self.run(self.person(person).events()) if event["isOrganizer"]]
            found += [event for event in own if event["type"] != "seriesMaster"]
            for master in own:
                found += self.dates(person, master["id"]) if master["type"] == "seriesMaster" else []
        return found + self._events_of_nobody()

    def _events_of_nobody(self) -> list[dict[str, Any]]:
        """Return what has no person of ours as its organizer: somebody outside, or the room itself."""
        calendars = self.tenant.world.calendars
        outside = [box for box in self.tenant.world.mailboxes.values() if box.kind == "external"]
        found = [render_event(event, Style()) for box in outside for event in calendars[box.id].events.values()]
        for number in range(1, len(self.room_addresses) + 1):
            found += [event for event in self.run(self.room(number).events()) if event["isOrganizer"]]
        return found

    def times_of(self, event: dict[str, Any], shown: Container[int] | None = None) -> Interval | None:
        """
        Return an event's times. Whole days last from the first midnight to the last one where its rooms lie that have
        not said no (decision 16).

        Args:
            event: the organizer's copy.
            shown: the rooms that show it: one that said yes and does not has dropped it. None: whatever they show.

        None where it has no length: an hour that the clock skips.
        """
        start, end = (datetime.fromisoformat(event[name]["dateTime"][:19]) for name in ("start", "end"))
        if not event["isAllDay"]:
            return Interval(start.replace(tzinfo=UTC), end.replace(tzinfo=UTC)) if start < end else None
        book, cache = self.office.rooms.room_book(), self.office.cache
        invited = self.invited(event)
        dropped = {room for room, said in invited.items() if said in YES and shown is not None and room not in shown}
        holding = {room for room, said in invited.items() if said != "declined"} - dropped
        rooms = [book.by_address(address) for address in self.addresses(holding or invited)]
        zones = {cache.zone_of(room.id) for room in rooms if room is not None} or {cache.default_zone}
        return Interval(
            min(start.replace(tzinfo=zone) for zone in zones), max(end.replace(tzinfo=zone) for zone in zones)
        )

    def creations(self) -> list[str]:
        """
        Return the transaction id of every organizer's event that was made with one, once for each event.

        One in a mailbox that was closed is told apart: when the answer to a creation is lost and the mailbox closes
        before it can be repeated, nobody can know of the event, and the default user's calendar stands in (B52).
        """
        calendars = self.tenant.world.calendars
        closed = {self.tenant.office.find(address).id for address in self.closed}
        return [
            f"{event.transaction_id} {box if box in closed else ''}"
            for box, calendar in calendars.items()
            for event in calendar.events.values()
            if event.transaction_id and event.is_organizer
        ]

    def judged(self) -> tuple[datetime, datetime]:
        """Return the stretch in which both sides are looked at: more than the engine reads, which is its horizon."""
        now = self.loop.now()
        return now - timedelta(days=60), now + timedelta(days=self.settings.sync.horizon_days + 60)

    def is_beyond(self, start: datetime) -> bool:
        """Tell whether what starts then may lie beyond the horizon, which slides: Outlook is not read so far ahead."""
        return start > self.loop.now() + timedelta(days=self.settings.sync.horizon_days - 5)

    def room_answers(self) -> dict[str, dict[int, str]]:
        """Return what rooms' own calendars say: the answer of each room's copy, by meeting or date of a series."""
        found: dict[str, dict[int, str]] = {}
        for number in range(1, len(self.room_addresses) + 1):
            for name, answer in self.answers_of(number).items():
                found.setdefault(name, {})[number] = answer
        return found

    def answers_of(self, room: int) -> dict[str, str]:
        """Return what the copies in one room's own calendar say, by meeting or date of a series."""
        return {
            name: "accepted" if event["isOrganizer"] else event["responseStatus"]["response"]
            for name, event in self.copies_of(room).items()
        }

    def copies_of(self, room: int) -> dict[str, dict[str, Any]]:
        """Return the copies in one room's own calendar that were not cancelled, by meeting or date of a series."""
        shown = self.run(self.room(room).view(*self.judged()))
        return {name_of_copy(event): event for event in shown if not event["isCancelled"]}

    def invited(self, event: dict[str, Any]) -> dict[int, str]:
        """Return the rooms an event invites, by their numbers, with what it says of their answers; a room that
        organizes it has accepted."""
        said = {each["emailAddress"]["address"]: each["status"]["response"] for each in event["attendees"]}
        said[event["organizer"]["emailAddress"]["address"]] = "accepted"
        rooms = {self.room_number(address): response for address, response in said.items()}
        return {room: response for room, response in rooms.items() if room is not None}

    def dates_by_name(self, person: int, master_id: str) -> dict[str, dict[str, Any]]:
        """Return the dates of a series that its organizer's calendar shows; none when the series is gone."""
        try:
            return {str(event["iCalUId"]): event for event in self.dates(person, master_id)}
        except Refused:
            return {}

    def dates(self, person: int, master_id: str) -> list[dict[str, Any]]:
        """Return the dates of a series in its organizer's calendar, by start, each under the name it has here."""
        since, until = self.judged()
        query = urlencode({"startDateTime": since.isoformat(), "endDateTime": until.isoformat()})
        tail = f"{event_path(master_id)}/instances?{query}&$top=1000"
        found = self.run(self.person(person).call("GET", tail))["value"]
        named = [{**event, "iCalUId": name_of_copy(event)} for event in found]
        return sorted(named, key=lambda event: str(event["start"]["dateTime"]))


def name_of_copy(event: dict[str, Any]) -> str:
    """Return what names a copy's meeting here: of a date of a series, the date."""
    return lone_key(event["iCalUId"]) or str(event["iCalUId"])
