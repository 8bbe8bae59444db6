"""What the web is handed: the parts of the API and of the pages, built from the office and the settings."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from engine.app.content_choice import find_obstacle
from engine.app.office import Office
from engine.app.readings import read_checks
from engine.app.run_time import Probe, RunTimeSettings, ask_nobody
from engine.database.access.sessions import SessionStore
from engine.database.loans.own import OwnLoans
from engine.database.loans.search import LoanFinder
from engine.database.reports.activity import ActivityReader
from engine.database.reports.board import Board
from engine.database.settling.shelves import CaseList
from engine.database.stores.keepers import Keepers
from engine.database.sync.sides import Sides
from engine.ids import Address
from engine.loans.loan import Requester
from engine.reconcile.telling.activity import Traffic
from engine.reconcile.words.reasons import explain
from engine.rooms.health import FollowRule
from engine.settings import Settings, is_loopback
from engine.web.failures import Failures
from engine.web.metrics import Metrics
from engine.web.pages.live import Live
from engine.web.pages.parts.outlook import OutlookPlayer
from engine.web.pages.parts.own_calendars import OwnCalendarDesk
from engine.web.pages.parts.page_parts import PageParts
from engine.web.pages.parts.trials import TryTenant
from engine.web.pages.people.sign_in import SIGNED_IN_PATH
from engine.web.parts import WebParts
from engine.web.provider import IdentityProvider

SWEEPS_MISSED = 2
"""After so many sweeps that should have read a room and did not, somebody should look."""

DEMO_TOKEN = "demo"
"""Admin token of the simulated tenant on loopback: the first curl needs no set-up. Never of a real tenant."""


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
        once=office.once,
        bootstrap_token=token,
        base_address=public,
        embedded=office.database.dialect == "sqlite",
    )


@dataclass(frozen=True, slots=True)
class Outside:
    """What pages ask of the world outside: mailboxes, a simulated Outlook, what was asked of Graph, permissions."""

    probe: Probe = ask_nobody
    outlook: OutlookPlayer | None = None
    read_traffic: Callable[[], Traffic] = Traffic
    try_tenant: TryTenant | None = None
    own_calendars: OwnCalendarDesk | None = None


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
        own=OwnLoans(office.database),
        search=LoanFinder(office.database),
        people=office.people,
        cases=CaseList(office.database),
        activity=ActivityReader(office.database, office.queue, office.comparisons),
        backfills=office.backfills,
        feeds=office.feeds,
        mails=office.mails if settings.mail.host else None,
        outbox=office.outbox,
        webhooks=office.webhooks,
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
        own_calendars=outside.own_calendars,
        connection=office.connection,
        unknown_names=office.unknown_names,
        without_content=find_obstacle(settings),
        development=_demo_people() if is_here and settings.simulated and provider is None else None,
        secure=parts.base_address.startswith("https://"),
        simulated=settings.simulated,
        approval=settings.loans.approval,
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
