"""Notifications that bring their event, in a world: its tenant's keys, and a certificate that is made once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

from engine.app.office import Office
from engine.graph.certificate import make_certificate
from engine.simulator import Tenant


def open_worlds_contents(office: Office, tenant: Tenant) -> None:
    """Have *office* take over what the notifications of *tenant* bring, if its settings want that."""
    if office.settings.sync.content and office.settings.sync.delivery == "push":
        from engine.app.contents import open_contents  # brings what checks tokens, which most worlds do without

        options = tenant.options
        open_contents(
            office,
            audience=options.client_id,
            tenant_id=options.tenant_id,
            authority="https://login.microsoftonline.com",
            fetch=tenant.tokens.keys,
            make=_share_certificate,
            start=lambda task: task(),
        )


def _share_certificate(begins_at: datetime, life: timedelta) -> tuple[str, str]:
    return _make(begins_at.year, life)


@cache
def _make(year: int, life: timedelta) -> tuple[str, str]:
    """Worlds differ in many things, not in a certificate: making one takes a tenth of a second or more."""
    return make_certificate(datetime(year, 1, 1, tzinfo=UTC), life)
