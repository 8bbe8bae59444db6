"""Whether notifications are to bring the event they tell of (decision 0029), and if not, why."""

from __future__ import annotations

import asyncio
import logging
import re
from importlib import import_module
from typing import TYPE_CHECKING

from engine.reconcile.actions import Note
from engine.reconcile.words.reasons import explain
from engine.settings import Settings

if TYPE_CHECKING:
    from engine.app.office import Office

log = logging.getLogger(__name__)

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def find_obstacle(settings: Settings) -> Note | None:
    """
    Return why notifications are to bring no events; None when they are to.

    What they bring is believed by a token that names the application and the directory by their ids (Entra docs:
    access-token-claims-reference). Where those are not known, rooms are read instead: nothing stops for want of them.
    """
    sync, graph = settings.sync, settings.graph
    if not sync.content:
        return Note("content_not_wanted")
    if sync.delivery != "push":
        return Note("content_needs_push")
    if settings.simulated:
        return None
    if not _ID.fullmatch(graph.client_id):
        return Note("content_needs_client_id", {"value": graph.client_id or "?"})
    if not _ID.fullmatch(graph.tenant_id):
        return Note("content_needs_tenant_id", {"value": graph.tenant_id or "?"})
    return None


def why_without_content(settings: Settings) -> str:
    """Return in English why notifications are to bring no events; "" when they are to."""
    obstacle = find_obstacle(settings)
    return explain(obstacle.code, obstacle.facts) if obstacle is not None else ""


async def begin_contents(settings: Settings, office: Office, base_url: str) -> None:
    """Have *office* take over what notifications bring, where they are to bring anything; of the tenant at *base_url*.

    In a thread: what checks tokens takes a while to be imported, and the web serves meanwhile.
    """
    why = why_without_content(settings)
    if why:
        log.info("notifications are to bring no events", extra={"reason": why})
        return
    contents = await asyncio.to_thread(import_module, "engine.app.contents")
    await asyncio.to_thread(contents.open_contents_of, settings, office, base_url)
