"""The service: web, simulated tenant, schedule and engine in one process, started in order and stopped in order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import uvicorn

from engine.app.connection import warn_of_expiry
from engine.app.content_choice import why_without_content
from engine.app.demo import furnish_desk
from engine.app.late import Late
from engine.app.lines import start_logging
from engine.app.loading import spare_collector, without_collector
from engine.app.office import Office
from engine.app.own_calendars import build_own_calendars
from engine.app.readings import read_metrics, traffic_of
from engine.app.roles import ALL_ROLES, Role, check_roles
from engine.app.run_time import probe_through
from engine.app.stopping import StopSignals
from engine.app.tenant import open_tenant
from engine.app.trials import try_through
from engine.app.web_parts import Outside, build_page_parts, build_web_parts, choose_bootstrap_token
from engine.clock import utc_now
from engine.database.processes.sole import SoleWorker
from engine.database.sql.connection import name_database
from engine.errors import BadSettings, Fatal
from engine.graph.meter import GatewayMeter
from engine.settings import Settings, is_loopback
from engine.subscriptions.plan import Endpoint
from engine.web.api.app import create_api
from engine.web.api.backfills import build_backfills
from engine.web.api.feeds import build_feeds
from engine.web.api.outbox import build_outbox
from engine.web.api.people import build_people
from engine.web.api.webhooks import build_webhooks
from engine.web.front import Front
from engine.web.metrics import Metrics
from engine.web.pages.app import create_pages
from engine.web.patience import Connection, Patience
from engine.web.receiver import LIFECYCLE_PATH, NOTIFICATIONS_PATH, Accept, build_receiver

if TYPE_CHECKING:
    from engine.app.engine import Engine

log = logging.getLogger(__name__)


def run_service(settings: Settings, roles: Collection[Role], signals: StopSignals) -> None:
    """Do what *roles* say until *signals* say otherwise. Raises Fatal when the engine cannot start or go on."""
    import uvloop  # a tenth less CPU per change than the loop of the standard library

    check_roles(settings, roles)
    start_logging()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, frozenset(roles), signals))


async def _serve(settings: Settings, roles: frozenset[Role], signals: StopSignals) -> None:
    stopping = asyncio.Event()
    async with AsyncExitStack() as stack:
        base_url, outlook = await stack.enter_async_context(open_tenant(settings))
        with signals.doing(f"it waited for the database {name_database(settings.database.url)}"):
            office = stack.enter_context(Office(settings, now=utc_now))
        sole = SoleWorker(office.database)
        stack.callback(sole.close)
        if sole.is_taken:
            raise Fatal(
                f"another service runs on {name_database(settings.database.url)}; stop it first, or give this one a "
                "database of its own: ENGINE_DATABASE__URL"
            )
        if sole.is_sole:
            office.queue.release_others()  # whoever held them has died
        meter, loop = GatewayMeter(), asyncio.get_running_loop()
        metrics = Metrics(lambda: read_metrics(office, meter))
        token = choose_bootstrap_token(settings, office)
        engine: Late[Engine] = Late()
        own_calendars = build_own_calendars(settings, office, base_url, loop)
        outside = Outside(
            probe_through(engine, loop), outlook, traffic_of(meter), try_through(engine, loop), own_calendars
        )
        public = settings.web.public_url
        if Role.WEB in roles:
            public = await stack.enter_async_context(_open_web(settings, office, outside, metrics, token))
        check_public_url(settings, public)
        office.rules.link_base = public
        _announce(settings, roles, public, base_url, token)
        with without_collector():
            await asyncio.to_thread(import_module, "engine.app.work")  # in a thread: the web serves meanwhile
        await _begin_contents(settings, office, base_url)
        from engine.app.work import open_work

        endpoint = Endpoint(public + NOTIFICATIONS_PATH, public + LIFECYCLE_PATH)
        opening = open_work(
            settings,
            office,
            base_url=base_url,
            endpoint=endpoint,
            metrics=metrics,
            meter=meter,
            own_calendars=own_calendars,
        )
        work = await stack.enter_async_context(opening)
        engine.give(work.engine)
        warn_of_expiry(office.connection, office.now, at_start=True)
        office.warn_of_names()
        spare_collector()
        tasks: list[asyncio.Task[Any]] = [asyncio.create_task(stopping.wait())]
        if Role.WORKER in roles:
            tasks.append(asyncio.create_task(work.run()))
        if Role.SCHEDULER in roles:
            tasks.append(asyncio.create_task(work.keep_clock(is_sole=sole.is_sole)))
        if settings.simulated and settings.simulator.demo:
            stack.callback(asyncio.create_task(furnish_desk(office)).cancel)
        signals.hand_to(lambda: loop.call_soon_threadsafe(stopping.set))
        await _run_until_first(tasks)


async def _run_until_first(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Run until one of *tasks* has ended, end the others, and raise what one of them raised."""
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended


def check_public_url(settings: Settings, public: str) -> None:
    """Refuse to subscribe a real tenant to an address it cannot call. Raises BadSettings."""
    graph_is_here = is_loopback(urlsplit(settings.graph.base_url).hostname or "")
    if settings.simulated or graph_is_here or settings.sync.delivery != "push" or public.startswith("https://"):
        return
    wanted = "Graph must reach it: give an https:// address, or set sync.delivery = 'poll'"
    raise BadSettings((f"web.public_url is {settings.web.public_url!r}; {wanted}",))


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
        raise Fatal(
            f"the web cannot listen on {host}:{port}: {error.strerror}; set ENGINE_WEB__HOST or ENGINE_WEB__PORT"
        ) from error
    public = settings.web.public_url_for(listener.getsockname()[1])
    parts = build_web_parts(settings, office, metrics, token=token, public=public)
    pages = build_page_parts(settings, office, parts, outside)
    routers = [
        build_backfills(office.backfills),
        build_feeds(office.feeds, office.now),
        build_outbox(office.outbox),
        build_people(office.people),
        build_webhooks(office.webhooks, office.outbox),
    ]
    receiver = build_receiver(_accept(office, metrics), parts.edit)
    app = Front(create_api(parts, routers=routers), create_pages(pages), receiver)
    config = uvicorn.Config(
        Patience(app),
        http=Connection,
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


# --- what people see


def _announce(settings: Settings, roles: frozenset[Role], public: str, base_url: str, token: str | None) -> None:
    if roles != ALL_ROLES:
        print(f"Role       {', '.join(sorted(roles))}", flush=True)
    if Role.WEB in roles:
        print(f"App        {public}/", flush=True)
        print(f"API        {public}/api/docs", flush=True)
    print(f"Graph      {base_url}" + ("  (simulated tenant)" if settings.simulated else ""), flush=True)
    if Role.WEB in roles and token is not None and settings.web.api_token is None:
        print(f"API token  {token}", flush=True)


async def _begin_contents(settings: Settings, office: Office, base_url: str) -> None:
    """Have *office* take over what notifications bring, where they are to bring anything; of the tenant at *base_url*.

    In a thread: what checks tokens takes a while to be imported, and the web serves meanwhile.
    """
    why = why_without_content(settings)
    if why:
        log.info("notifications are to bring no events", extra={"reason": why})
        return
    contents = await asyncio.to_thread(import_module, "engine.app.contents")
    await asyncio.to_thread(contents.open_contents_of, settings, office, base_url)
