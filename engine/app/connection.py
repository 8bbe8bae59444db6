"""How the settings make us known to a tenant, and how long that holds."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date, datetime

from engine.graph.certificate import read_last_day
from engine.ids import Address
from engine.rooms.connection import Connection, Expiry, Use, expiry_of
from engine.settings import Settings

log = logging.getLogger(__name__)


def connection_of(settings: Settings) -> Connection:
    """Return how we are known. Reads the certificate's file where there is one."""
    graph = settings.graph
    return Connection(
        credential=graph.credential,
        tenant=graph.tenant_id,
        client=graph.client_id,
        authority=graph.authority,
        expires_on=_last_day(settings),
        closed_mailbox=Address(graph.closed_mailbox) if graph.closed_mailbox else None,
        uses=frozenset({Use.ROOMS, *((Use.CONTACTS,) if settings.contacts.mailbox else ())}),
    )


def _last_day(settings: Settings) -> date | None:
    graph = settings.graph
    if graph.credential not in ("secret", "certificate"):
        return None
    if graph.credential_expires:
        return date.fromisoformat(graph.credential_expires)
    return read_last_day(graph.certificate_path) if graph.credential == "certificate" else None


def warn_of_expiry(connection: Connection, now: Callable[[], datetime], *, at_start: bool = False) -> str | None:
    """Log how long the secret or certificate still holds, on the days that call for it; returns what was logged.

    With *at_start* on every day from sixty before the end.
    """
    found = expiry_of(connection, now().date())
    if found is None or found.step is None or not (at_start or found.is_told_today):
        return None
    text = _say(connection, found)
    (log.error if found.days < 0 else log.warning)(text)
    return text


def _say(connection: Connection, found: Expiry) -> str:
    what = "certificate" if connection.credential == "certificate" else "client secret"
    if found.days < 0:
        return f"the {what} ended on {found.on}: make a new one and restart"
    days = "today" if found.days == 0 else f"in {found.days} day{'' if found.days == 1 else 's'}"
    return f"the {what} ends {days}, on {found.on}: make a new one, and set graph.credential_expires to its last day"
