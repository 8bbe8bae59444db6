"""Whether notifications are to bring the event they tell of (decision 0029), and if not, why."""

from __future__ import annotations

import re

from engine.reconcile.actions import Note
from engine.reconcile.words.reasons import explain
from engine.settings import Settings

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
