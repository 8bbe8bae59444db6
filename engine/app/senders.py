"""Who carries the outbox's messages, by channel."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from engine.app.destinations import allowed_networks
from engine.app.mail import CHANNEL as MAIL
from engine.app.office import Office
from engine.mail.smtp import MailSender, MailServer
from engine.outbox.message import Sender
from engine.senders.webhook import WebhookSender
from engine.settings import Settings
from engine.webhooks.endpoint import CHANNEL as WEBHOOK


@asynccontextmanager
async def open_senders(settings: Settings, office: Office) -> AsyncIterator[Mapping[str, Sender]]:
    """Yield the sender of each channel that is set up; their connections are closed at the end."""
    webhooks = WebhookSender(
        office.webhooks.find_receiver,
        instance=office.instance,
        now=office.now,
        allowed=allowed_networks(settings),
        timeout_seconds=settings.webhooks.timeout_seconds,
    )
    senders: dict[str, Sender] = {WEBHOOK: webhooks}
    if settings.mail.host:
        senders[MAIL] = MailSender(server_of(settings))
    try:
        yield senders
    finally:
        await webhooks.aclose()


def server_of(settings: Settings) -> MailServer:
    """Return the mail server of the settings."""
    mail = settings.mail
    return MailServer(
        host=mail.host,
        port=mail.port,
        security=mail.security,
        username=mail.username,
        password=mail.password.get_secret_value() if mail.password is not None else "",
        sender=mail.sender,
        sender_name=mail.sender_name,
        timeout_seconds=mail.timeout_seconds,
    )
