"""The service: web, simulated tenant, schedule and engine in one process, started in order and stopped in order."""

from __future__ import annotations

import asyncio
import gc
import logging
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import uvicorn

from engine.app.connection import warn_of_expiry
from engine.app.demo import furnish_desk
from engine.app.engine import Engine
from engine.app.office import Office
from engine.app.run_time import Probe, RunTimeSettings, ask_nobody, probe_through
from engine.app.trials import try_through
from engine.clock import utc_now
from engine.database.activity import ActivityReader
from engine.database.board import Board
from engine.database.case_list import CaseList
from engine.database.jobs import JobBook
from engine.database.keepers import Keepers
from engine.database.marks import Priority
from engine.database.outbox import RETENTION
from engine.database.people import People
from engine.database.queue import QueueDepth
from engine.database.sessions import SessionStore
from engine.database.sides import Sides
from engine.database.sole import SoleWorker
from engine.errors import BadSettings, DatabaseUnusable, EngineError, Fatal
from engine.graph.build import build_calendar
from engine.graph.calendar import GraphCalendar
from engine.graph.credential import StaticTokenCredential, TokenCredential, build_credential
from engine.ids import Address
from engine.loans.loan import Requester
from engine.reconcile.actions import Note
from engine.reconcile.activity import Traffic
from engine.reconcile.reasons import explain
from engine.rooms.health import FollowRule
from engine.schedule.clock_jobs import Schedule, plan_jobs
from engine.settings import Settings, is_loopback
from engine.subscriptions.plan import Endpoint
from engine.web.api import create_api
from engine.web.backfills import build_backfills
from engine.web.failures import Failures
from engine.web.feeds import build_feeds
from engine.web.front import Front
from engine.web.metrics import Metrics, Readings
from engine.web.outbox import build_outbox
from engine.web.pages.app import create_pages
from engine.web.pages.live import Live
from engine.web.pages.outlook_parts import OutlookPlayer
from engine.web.pages.parts import PageParts
from engine.web.pages.sign_in import SIGNED_IN_PATH
from engine.web.pages.welcome_parts import TryTenant
from engine.web.parts import Check, WebParts
from engine.web.provider import IdentityProvider
from engine.web.receiver import LIFECYCLE_PATH, NOTIFICATIONS_PATH, Accept, build_receiver

log = logging.getLogger(__name__)

SWEEP_SPREAD_SECONDS = 300.0
"""Over how long a sweep's readings are spread, so that ten thousand rooms are not asked for in one second."""

COMPARE_SPREAD_SECONDS = 3600.0
"""Over how long the nightly comparison is spread."""
SWEEPS_MISSED = 2
"""After so many sweeps that should have read a room and did not, somebody should look."""

NOTIFICATIONS_KEPT = timedelta(days=7)

DEMO_TOKEN = "demo"
"""Admin token of the simulated tenant on loopback: the first curl needs no set-up. Never of a real tenant."""


def run_service(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT. Raises Fatal when the engine cannot start or go on."""
    start_logging()
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with AsyncExitStack() as stack:
        base_url, credential, outlook = await stack.enter_async_context(open_tenant(settings))
        office = stack.enter_context(Office(settings, now=utc_now))
        sole = SoleWorker(office.database)
        stack.callback(sole.close)
        if sole.is_sole:
            office.queue.release_others()  # whoever held them has died
        calendar = build_service_calendar(settings, base_url, credential)
        stack.push_async_callback(calendar.aclose)
        metrics = Metrics(lambda: _read_metrics(office, calendar))
        token = choose_bootstrap_token(settings, office)
        loop = asyncio.get_running_loop()
        trying = try_through(office, calendar, loop)
        outside = Outside(probe_through(calendar, loop), outlook, _traffic(calendar), trying)
        public = await stack.enter_async_context(_open_web(settings, office, outside, metrics, token))
        check_public_url(settings, public)
        office.rules.link_base = public
        endpoint = Endpoint(public + NOTIFICATIONS_PATH, public + LIFECYCLE_PATH)
        engine = Engine(office, calendar, endpoint=endpoint, watcher=Watching(office, metrics))
        _announce(settings, public, base_url, token)
        warn_of_expiry(office.connection, office.now, at_start=True)
        _spare_collector()
        await _work(settings, office, engine, stopping)


def _spare_collector() -> None:
    """Hide from the garbage collector what was loaded at the start: to walk through it stops everything for 0.1 s."""
    gc.collect()
    gc.freeze()


async def _work(settings: Settings, office: Office, engine: Engine, stopping: asyncio.Event) -> None:
    """Run the loop and the clock until told to stop, or until the loop cannot go on."""
    office.rooms.follow_default_zone()
    office.enqueue("subscription", "all")
    office.rooms.mark_rooms(priority=Priority.SWEEP)  # whatever happened while nobody listened
    schedule = Schedule(plan_service_jobs(settings, office), now=office.now, report=office.note_job)
    schedule.start()
    listener = _listen_elsewhere(office)
    working = asyncio.create_task(engine.loop.run())
    waiting = asyncio.create_task(stopping.wait())
    furnishing = asyncio.create_task(furnish_desk(office)) if settings.simulated and settings.simulator.demo else None
    try:
        await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        schedule.stop()
        if listener is not None:
            listener.close()
        waiting.cancel()
        if furnishing is not None:
            furnishing.cancel()
        engine.loop.stop()
        await working


def check_public_url(settings: Settings, public: str) -> None:
    """Refuse to subscribe a real tenant to an address it cannot call. Raises BadSettings."""
    graph_is_here = is_loopback(urlsplit(settings.graph.base_url).hostname or "")
    if settings.simulated or graph_is_here or settings.sync.delivery != "push" or public.startswith("https://"):
        return
    wanted = "Graph must reach it: give an https:// address, or set sync.delivery = 'poll'"
    raise BadSettings((f"web.public_url is {settings.web.public_url!r}; {wanted}",))


def _listen_elsewhere(office: Office) -> Any:
    """Hear of marks that other processes make on PostgreSQL; on SQLite the loop looks for itself."""
    if office.database.dialect != "postgresql":
        return None
    from engine.database.wakeups import Listener  # brings the PostgreSQL driver, which SQLite does without

    listener = Listener(office.database, office.database.announce_marks)
    listener.start()
    return listener


@asynccontextmanager
async def open_tenant(settings: Settings) -> AsyncIterator[tuple[str, TokenCredential, OutlookPlayer | None]]:
    """Yield the Graph to speak to and our identity there: the simulated tenant's, started here, or a real one's.

    With the simulated one, also who plays Outlook in it.
    """
    if not settings.simulated:
        yield settings.graph.base_url, credential_of(settings), None
        return
    from engine.app.outlook import SimulatedOutlook
    from engine.simulator import DEMO_TOKEN as TENANT_TOKEN
    from engine.simulator import TenantOptions
    from engine.simulator.demo import populate
    from engine.simulator.server import SimulatorServer

    options = TenantOptions(seed=settings.simulator.seed, state_file=settings.simulator.state_file or None)
    server = SimulatorServer(options, port=settings.simulator.port)
    try:
        await server.start()
    except OSError as error:
        port = settings.simulator.port
        raise DatabaseUnusable(f"the simulated tenant cannot start on port {port}: {error}") from error
    try:
        if settings.simulator.demo:
            zone = settings.rooms.time_zone
            populate(server.tenant, today=utc_now().astimezone(ZoneInfo(zone)).date(), zone=zone)
        outlook = SimulatedOutlook(server.tenant, asyncio.get_running_loop(), zone=settings.rooms.time_zone)
        yield server.base_url, StaticTokenCredential(TENANT_TOKEN), outlook
    finally:
        await server.stop()


def credential_of(settings: Settings) -> TokenCredential:
    """Return our identity at a real tenant."""
    graph = settings.graph
    return build_credential(
        graph.credential,
        token=graph.token.get_secret_value() if graph.token else None,
        tenant_id=graph.tenant_id or None,
        client_id=graph.client_id or None,
        client_secret=graph.client_secret.get_secret_value() if graph.client_secret else None,
        certificate_path=graph.certificate_path or None,
        authority=graph.authority,
    )


def build_service_calendar(settings: Settings, base_url: str, credential: TokenCredential) -> GraphCalendar:
    """Return the calendar side as the settings want it."""
    return build_calendar(
        base_url=base_url,
        credential=credential,
        now=utc_now,
        http_client="kiota" if settings.graph.http_client == "httpx" else "aiohttp",
        requests_per_mailbox=settings.graph.requests_per_mailbox,
        timeout_seconds=settings.graph.timeout_seconds,
    )


# --- the web


class _EmbeddedServer(uvicorn.Server):
    """A uvicorn server that leaves the signals to us."""

    def capture_signals(self) -> Any:
        return nullcontext()


@asynccontextmanager
async def _open_web(
    settings: Settings, office: Office, outside: Outside, metrics: Metrics, token: str | None
) -> AsyncIterator[str]:
    """Serve, and yield the public address. First of all doors: Graph calls the receiver while it subscribes us."""
    import socket

    host, port = settings.web.host, settings.web.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named, or asyncio leaves Nagle on
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        raise Fatal(f"the web cannot listen on {host}:{port}: {error.strerror}; set ENGINE_WEB__PORT") from error
    public = settings.web.public_url_for(listener.getsockname()[1])
    parts = build_web_parts(settings, office, metrics, token=token, public=public)
    pages = build_page_parts(settings, office, parts, outside)
    routers = [
        build_receiver(_accept(office, metrics)),
        build_backfills(office.backfills),
        build_feeds(office.feeds, parts.failures, office.now),
        build_outbox(office.outbox),
    ]
    app = Front(create_api(parts, routers=routers), create_pages(pages))
    config = uvicorn.Config(
        app,
        log_level=logging.WARNING,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    server = _EmbeddedServer(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        if serving.done():
            serving.result()
        await asyncio.sleep(0.005)
    try:
        yield public
    finally:
        pages.live.close()
        server.should_exit = True
        with suppress(asyncio.CancelledError):
            await serving


def build_web_parts(
    settings: Settings, office: Office, metrics: Metrics, *, token: str | None, public: str
) -> WebParts:
    """Return what the API needs; *token* opens it before any was made, *public* is where it is reached."""
    return WebParts(
        register=office.desk,
        series=office.series,
        cases=office.cases,
        why=office.why,
        rooms=office.rooms,
        tokens=office.tokens,
        enqueue=office.enqueue,
        read_status=office.read_status,
        read_checks=lambda: read_checks(settings, office),
        metrics=metrics,
        explain=explain,
        clock=office.now,
        failures=Failures(office.now),
        bootstrap_token=token,
        base_address=public,
    )


@dataclass(frozen=True, slots=True)
class Outside:
    """What pages ask of the world outside: mailboxes, a simulated Outlook, what was asked of Graph, permissions."""

    probe: Probe = ask_nobody
    outlook: OutlookPlayer | None = None
    read_traffic: Callable[[], Traffic] = Traffic
    try_tenant: TryTenant | None = None


def build_page_parts(settings: Settings, office: Office, parts: WebParts, outside: Outside | None = None) -> PageParts:
    """Return what the pages need on top of the API's parts; without *outside* nobody out there is asked."""
    outside = outside or Outside()
    board = Board(office.database)
    is_here = is_loopback(settings.web.host) and not parts.base_address.startswith("https://")
    provider = build_provider(settings, office, parts.base_address)
    return PageParts(
        web=parts,
        sessions=SessionStore(office.database),
        board=board,
        people=People(office.database),
        cases=CaseList(office.database),
        activity=ActivityReader(office.database, office.queue, office.comparisons),
        backfills=office.backfills,
        feeds=office.feeds,
        compare_rooms=office.mark_comparisons,
        read_traffic=outside.read_traffic,
        live=Live(board.changes, board.changed_since),
        rules=office.rules.sync,
        room_board=office.status,
        inventory=office.inventory,
        keepers=Keepers(office.database),
        settings=RunTimeSettings(office, outside.probe),
        sides=Sides(office.database),
        zone=ZoneInfo(settings.rooms.time_zone),
        provider=provider,
        outlook=outside.outlook,
        try_tenant=outside.try_tenant,
        connection=office.connection,
        development=_demo_people() if is_here and settings.simulated and provider is None else None,
        secure=parts.base_address.startswith("https://"),
        simulated=settings.simulated,
        follow=FollowRule(
            push=settings.sync.delivery == "push",
            stale_after=timedelta(minutes=SWEEPS_MISSED * settings.sync.sweep_every_minutes),
        ),
    )


def build_provider(settings: Settings, office: Office, public: str) -> IdentityProvider | None:
    """Return who vouches for people; None when the settings name nobody."""
    wanted = settings.sign_in
    if not wanted.issuer or wanted.client_secret is None:
        return None
    from engine.web.openid import OpenIdProvider  # brings its own HTTP client, which nobody else needs

    return OpenIdProvider(
        wanted.issuer,
        wanted.client_id,
        wanted.client_secret.get_secret_value(),
        redirect=public + SIGNED_IN_PATH,
        now=office.now,
    )


def _demo_people() -> list[Requester]:
    from engine.simulator.demo import DOMAIN, PEOPLE

    return [Requester(Address(f"{login}@{DOMAIN}"), name) for login, name in PEOPLE]


def _accept(office: Office, metrics: Metrics) -> Accept:
    def accept(bodies: Sequence[bytes]) -> Sequence[Any]:
        found = office.inbox.accept_all(bodies)
        for accepted in found:
            counts = (("accepted", accepted.stored), ("seen", accepted.seen), ("refused", accepted.rejected))
            for outcome, count in counts:
                if count:
                    metrics.observe_notification(outcome, count)
        return found

    return accept


def choose_bootstrap_token(settings: Settings, office: Office) -> str | None:
    """Return the token that opens the API before any was made: from the environment, `demo` for the simulated
    tenant, else a new one for this run, told once; none when tokens exist or the web is open to other machines."""
    if settings.web.api_token is not None:
        return settings.web.api_token.get_secret_value()
    if not is_loopback(settings.web.host):
        return None
    if settings.simulated:
        return DEMO_TOKEN
    return None if office.tokens.list_tokens() else secrets.token_urlsafe(24)


# --- health


def read_checks(settings: Settings, office: Office) -> Sequence[Check]:
    """Return what must hold before the engine is ready: database, queue, subscriptions, first reading."""
    try:
        office.status.is_there()
        depth, health, jobs = office.queue.depth(), office.status.rooms(), office.status.jobs()
        is_refused = "identity_refused" in office.status.open_cases()
    except EngineError as error:
        return [Check("database", ok=False, detail=str(error))]
    followed = [room for room in health if room.state == "active"]
    unread = [room.name for room in followed if not room.contacted]
    imported = (jobs.get("import_rooms") or {}).get("last_at") is not None
    checks = [
        Check("database", ok=True),
        Check("queue", ok=_is_moving(depth, office.now()), detail=f"{depth.due} due"),
        Check("identity", ok=not is_refused, detail="Graph refuses our identity" if is_refused else ""),
        Check("rooms", ok=imported, detail="" if imported else "the directory has not been read yet"),
        Check("first_reading", ok=imported and not unread, detail=", ".join(unread[:10])),
    ]
    if settings.sync.delivery == "push":
        missing = [room.name for room in followed if not room.subscribed]
        checks.append(Check("subscriptions", ok=imported and not missing, detail=", ".join(missing[:10])))
    return checks


def _is_moving(depth: QueueDepth, now: datetime) -> bool:
    """Tell whether nothing that is due has waited for ten minutes; a backfill may, behind all the rest."""
    waits = [at for priority, at in depth.oldest_waiting_at.items() if priority is not Priority.BACKFILL]
    return all(now - at < timedelta(minutes=10) for at in waits)


def _read_metrics(office: Office, calendar: GraphCalendar) -> Readings:
    depth, now = office.queue.depth(), office.now()
    outcomes: dict[str, int] = {}
    for (_kind, outcome), count in calendar.meter.requests.items():
        outcomes[outcome] = outcomes.get(outcome, 0) + count
    imported = (office.status.jobs().get("import_rooms") or {}).get("last_at")
    return Readings(
        queue_waiting={"all": depth.waiting},
        queue_age_seconds={
            priority.name.lower(): (now - at).total_seconds() for priority, at in depth.oldest_waiting_at.items()
        },
        queue_running=depth.running,
        parked=depth.parked,
        graph_requests=outcomes,
        throttled=calendar.meter.throttled,
        drift=office.total_drift(),
        subscriptions_deaf=sum(room.deaf for room in office.status.rooms()),
        last_import_at=imported if isinstance(imported, datetime) else None,
        loans=office.status.loans_by_status(),
        cases_open=sum(office.status.open_cases().values()),
    )


def _traffic(calendar: GraphCalendar) -> Callable[[], Traffic]:
    meter = calendar.meter
    return lambda: Traffic(dict(meter.requests), meter.throttled, meter.repeated, meter.last_error)


class Watching:
    """Tells metrics and cases about passes."""

    def __init__(self, office: Office, metrics: Metrics) -> None:
        self._office = office
        self._metrics = metrics

    def passed(self, kind: str, outcome: str, seconds: float) -> None:
        self._metrics.observe_pass(kind, outcome, seconds)

    def settled(self, seconds: float) -> None:
        self._metrics.observe_notification_latency(seconds)

    def refused(self, error: str) -> None:
        self._office.ledger.open_case("graph:identity", Note("identity_refused", {"error": error}, actor="engine"))

    def admitted(self) -> None:
        self._office.ledger.close_case("graph:identity", "identity_refused")

    def parked(self, kind: str, key: str, error: str) -> None:
        self._office.note_parked(kind, key, error)

    def recovered(self, kind: str, key: str) -> None:
        self._office.note_recovered(kind, key)


# --- the clock


def plan_service_jobs(settings: Settings, office: Office) -> Any:
    """Return the timed jobs. Each only enqueues, apart from the loans' own clock and the clearing of old rows."""
    push = settings.sync.delivery == "push"
    ran = {job.name: job.last_at for job in JobBook(office.database).load_jobs()}
    return plan_jobs(
        import_places=lambda: office.enqueue("places", "all", priority=Priority.SWEEP),
        sweep_rooms=lambda: office.rooms.mark_rooms(priority=Priority.SWEEP, spread_seconds=SWEEP_SPREAD_SECONDS),
        compare_rooms=lambda: office.mark_comparisons(spread_seconds=COMPARE_SPREAD_SECONDS),
        compare_at=time.fromisoformat(settings.sync.compare_at).replace(tzinfo=ZoneInfo(settings.rooms.time_zone)),
        compared_at=ran.get("compare_rooms"),
        now=office.now(),
        loan_clock=office.desk.run_clock,
        retention=lambda: clear_away(office),
        check_credential=lambda: warn_of_expiry(office.connection, office.now),
        check_subscriptions=office.subscriptions.mark_due if push else None,
        poll_rooms=None if push else lambda: office.rooms.mark_rooms(priority=Priority.LIVE),
        import_every=timedelta(minutes=settings.rooms.import_every_minutes),
        sweep_every=timedelta(minutes=settings.sync.sweep_every_minutes),
        poll_every=timedelta(seconds=settings.sync.poll_every_seconds),
    )


def clear_away(office: Office) -> int:
    """Forget notifications and messages that are old enough; return how many."""
    return office.inbox.prune(office.now() - NOTIFICATIONS_KEPT) + office.outbox.prune(office.now() - RETENTION)


# --- what people see


def _announce(settings: Settings, public: str, base_url: str, token: str | None) -> None:
    print(f"App        {public}/", flush=True)
    print(f"API        {public}/api/docs", flush=True)
    print(f"Graph      {base_url}" + ("  (simulated tenant)" if settings.simulated else ""), flush=True)
    if token is not None and settings.web.api_token is None:
        print(f"API token  {token}", flush=True)


class _Line(logging.Formatter):
    """One line a record: time, level, message, then its named values."""

    _PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        named = " ".join(f"{key}={value}" for key, value in vars(record).items() if key not in self._PLAIN)
        return f"{line}  {named}" if named else line


def start_logging() -> None:
    """Log to stderr; libraries only when they warn."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("engine").setLevel(logging.INFO)
