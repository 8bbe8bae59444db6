"""A tenant elsewhere, with the mailboxes that were named for checks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp

from engine.app.calendar_side import credential_of
from engine.clock import utc_now
from engine.conformance.client import Client
from engine.conformance.receiver import listen
from engine.conformance.stage import SignIn, Stage
from engine.graph.credential import Authorizer, StaticTokenCredential
from engine.settings import Settings


@dataclass(frozen=True, slots=True)
class Target:
    """Where to ask, as whom, and on which mailboxes."""

    base_url: str
    person: str
    rooms: tuple[str, ...]
    settings: Settings
    token: str
    """Empty: the credential in the settings."""
    listen_host: str
    """Empty: nothing listens."""
    listen_port: int
    public_url: str
    is_real: bool
    """Not on this machine: rooms take minutes there."""


@asynccontextmanager
async def open_tenant(target: Target) -> AsyncIterator[Stage]:
    """Yield a stage in the tenant. Raises BadSettings for a credential that cannot be used."""
    credential = StaticTokenCredential(target.token) if target.token else credential_of(target.settings)
    authorizer = Authorizer(credential, base_url=target.base_url, now=utc_now)
    patience, pause, quiet = (240.0, 4.0, 60.0) if target.is_real else (30.0, 0.1, 2.0)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(authorizer.aclose)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        receiver = None
        if target.listen_host:
            receiver = await stack.enter_async_context(
                listen(target.listen_host, target.listen_port, target.public_url)
            )
        yield Stage(
            Client(target.base_url, session, authorizer.header), target.person, target.rooms,
            _sign_in(target), receiver, patience, pause, quiet,
        )  # fmt: skip


def _sign_in(target: Target) -> SignIn | None:
    graph = target.settings.graph
    if graph.client_secret is None or not graph.tenant_id or not graph.client_id:
        return None
    return SignIn(graph.authority, graph.tenant_id, graph.client_id, graph.client_secret.get_secret_value())
