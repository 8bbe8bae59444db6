"""Who carries the outbox's messages, by channel."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from engine.app.office import Office
from engine.outbox.message import Sender
from engine.senders.webhook import WebhookSender
from engine.settings import Settings
from engine.webhooks.endpoint import CHANNEL as WEBHOOK
from engine.webhooks.guard import LOOPBACK, parse_networks


@asynccontextmanager
async def open_senders(settings: Settings, office: Office) -> AsyncIterator[Mapping[str, Sender]]:
    """Yield the sender of each channel; their connections are closed at the end."""
    allowed = parse_networks(settings.webhooks.allowed_networks) + (LOOPBACK if settings.simulated else ())
    webhooks = WebhookSender(
        office.webhooks.find_receiver,
        instance=office.instance,
        now=office.now,
        allowed=allowed,
        timeout_seconds=settings.webhooks.timeout_seconds,
    )
    try:
        yield {WEBHOOK: webhooks}
    finally:
        await webhooks.aclose()
