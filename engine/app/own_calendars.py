"""Own calendars put together: connecting and disconnecting for the pages, and opening a calendar for the pass."""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import TimeoutError as TooLate
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from engine.app.office import Office
from engine.errors import CredentialsRevoked, Malformed, Unreachable
from engine.graph.consent import App, authorize_address
from engine.ids import fold_address
from engine.reconcile.own_calendar import OwnCalendar
from engine.rooms.calendar import RoomCalendar
from engine.settings import Settings
from engine.web.pages.calendars.own import BACK_PATH
from engine.web.pages.parts.own_calendars import Answer
from engine.web.provider import Journey

if TYPE_CHECKING:
    from engine.graph.delegated import Grant
    from engine.graph.transport import Transport

log = logging.getLogger(__name__)

TOKEN_SECONDS = 20.0


class OwnCalendars:
    """
    The permission of people, from the consent page to an open calendar.

    Args:
        office: where it is kept.
        base_url: the Graph to speak to.
        app: the registration people sign in to.
        redirect: where the directory sends them back to; asked for each time, since the port may be known late.
        loop: where requests run; the pages' handlers are in other threads.
        make_transport: makes the connections of one calendar; None: to the network.

    What speaks to the directory and to Graph is imported when it is needed: the pages are there before it.
    """

    def __init__(
        self,
        office: Office,
        *,
        base_url: str,
        app: App,
        redirect: Callable[[], str],
        loop: asyncio.AbstractEventLoop,
        make_transport: Callable[[], Transport] | None = None,
    ) -> None:
        self._store = office.own_calendars
        self._now = office.now
        self._base_url = base_url
        self._app = app
        self._redirect = redirect
        self._loop = loop
        self._make_transport = make_transport or _connect

    # --- for the pages

    def find(self, address: str) -> OwnCalendar | None:
        """Return somebody's calendar; None when it is not connected."""
        return self._store.find(address)

    def begin(self, address: str) -> tuple[str, Journey]:
        """Return where to send somebody's browser, and what to remember meanwhile."""
        journey = Journey(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48))
        url = authorize_address(
            self._app,
            redirect=self._redirect(),
            state=journey.state,
            nonce=journey.nonce,
            verifier=journey.verifier,
            hint=address,
        )
        return url, journey

    def finish(self, journey: Journey, answer: Mapping[str, str], address: str) -> Answer:
        """Connect the calendar of whoever came back with *answer*, if it is *address*'s own. Raises Unreachable."""
        if not hmac.compare_digest(answer.get("state", "").encode(), journey.state.encode()):
            return Answer.STRANGE
        if "code" not in answer:
            return Answer.DECLINED
        asking = asyncio.run_coroutine_threadsafe(self.redeem(answer["code"], journey), self._loop)
        try:
            grant = asking.result(TOKEN_SECONDS)
        except TooLate as error:
            asking.cancel()
            raise Unreachable("the directory did not answer") from error
        except (CredentialsRevoked, Malformed) as error:
            log.warning("no permission for a calendar", extra={"error": str(error)})
            return Answer.REFUSED
        return self.keep(grant, journey, address)

    def keep(self, grant: Grant, journey: Journey, address: str) -> Answer:
        """Keep what was granted, when it is for the calendar of *address* and lasts."""
        if not hmac.compare_digest(grant.nonce.encode(), journey.nonce.encode()):
            return Answer.STRANGE
        if fold_address(grant.account) != fold_address(address):
            return Answer.OTHER_ACCOUNT
        if not grant.refresh_token:
            return Answer.REFUSED
        self._store.connect(address, grant.account, grant.refresh_token)
        return Answer.CONNECTED

    def disconnect(self, address: str) -> None:
        """Take our entries out of somebody's calendar, and forget the permission. Raises NotFound."""
        self._store.disconnect(address)

    # --- with the directory

    async def redeem(self, code: str, journey: Journey) -> Grant:
        """Return what a code is good for. Raises CredentialsRevoked, Unreachable, Malformed."""
        from engine.graph.delegated import TokenDesk

        transport = self._make_transport()
        try:
            desk = TokenDesk(self._app, transport)
            return await desk.redeem(code, redirect=self._redirect(), verifier=journey.verifier)
        finally:
            await transport.aclose()

    def open_calendar(self, calendar: OwnCalendar) -> AbstractAsyncContextManager[RoomCalendar]:
        """Open somebody's own calendar, with their own permission. Raises CredentialsRevoked once it is used."""
        return self._open(calendar)

    @asynccontextmanager
    async def _open(self, calendar: OwnCalendar) -> AsyncIterator[RoomCalendar]:
        from engine.graph.build import build_calendar
        from engine.graph.delegated import RefreshCredential, TokenDesk

        address = calendar.address
        transport = self._make_transport()
        credential = RefreshCredential(
            TokenDesk(self._app, transport),
            self._store.open_token(address),
            keep=lambda token: self._store.keep_token(address, token),
            now=self._now,
        )
        opened = build_calendar(base_url=self._base_url, credential=credential, now=self._now, transport=transport)
        try:
            yield opened
        finally:
            await opened.aclose()


def _connect() -> Transport:
    from engine.graph.transport import AiohttpTransport

    return AiohttpTransport()


def app_of(settings: Settings, base_url: str) -> App | None:
    """Return the registration people sign in to; None where nobody is asked. The simulated tenant has its own."""
    if settings.simulated:
        from engine.simulator import TenantOptions

        options, parts = TenantOptions(), urlsplit(base_url)
        return App(f"{parts.scheme}://{parts.netloc}", options.tenant_id, options.client_id, options.client_secret)
    wanted = settings.own_calendars
    if not wanted.client_id or wanted.client_secret is None:
        return None
    secret = wanted.client_secret.get_secret_value()
    return App(settings.graph.authority, wanted.tenant_id or settings.graph.tenant_id, wanted.client_id, secret)


def build_own_calendars(
    settings: Settings, office: Office, base_url: str, loop: asyncio.AbstractEventLoop
) -> OwnCalendars | None:
    """Return own calendars as the settings want them; None where nobody is offered any."""
    app = app_of(settings, base_url)
    if app is None:
        return None
    redirect = partial(_back, office)
    return OwnCalendars(office, base_url=base_url, app=app, redirect=redirect, loop=loop)


def _back(office: Office) -> str:
    return office.rules.link_base + BACK_PATH
