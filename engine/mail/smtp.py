"""Handing mails to a mail server, and what its answers mean (RFC 5321, 4.2).

2xx                       sent
4xx, no answer            later: greylisting, a full mailbox, a server that is down
5xx to the receiver       final: there is no such mailbox
5xx to the message        final: too large, taken for spam
5xx to us                 later: a wrong password or sender is mended here, and mends every mail
"""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass

import aiosmtplib

from engine.errors import Malformed
from engine.mail.compose import compose, load_mail
from engine.outbox.message import Message, Receipt

STARTTLS, TLS, PLAIN = "starttls", "tls", "none"

OURS = (aiosmtplib.SMTPAuthenticationError, aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPHeloError)
"""What a server refuses because of us, not because of this mail."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mails are handed in, and as whom. `security` is `starttls`, `tls` or `none`."""

    host: str
    port: int
    security: str
    username: str
    password: str
    sender: str
    sender_name: str
    timeout_seconds: float
    trusted: ssl.SSLContext | None = None
    """Whose certificates are believed; None: those this machine believes."""


class MailSender:
    """Implements `Sender` for the channel `mail`: each letter is a `Mail`."""

    def __init__(self, server: MailServer) -> None:
        self._server = server

    async def send(self, message: Message) -> Receipt:
        """Hand a mail in, and tell what came of it."""
        server, began = self._server, time.monotonic()
        try:
            mail = load_mail(message.letter.body)
            made = compose(mail, sender=server.sender, sender_name=server.sender_name)
        except Malformed as error:
            return Receipt(0, error=str(error), final=True)
        try:
            _, answer = await aiosmtplib.send(
                made,
                sender=server.sender,
                recipients=[mail.to_address],
                hostname=server.host,
                port=server.port,
                use_tls=server.security == TLS,
                start_tls=server.security == STARTTLS,
                username=server.username or None,
                password=server.password or None,
                timeout=server.timeout_seconds,
                tls_context=server.trusted,
            )
        except (TimeoutError, aiosmtplib.SMTPException, OSError, ValueError) as error:
            return _refusal(error, _since(began))
        return Receipt(_since(began), status=250, answer=answer)


def _refusal(error: Exception, milliseconds: int) -> Receipt:
    """Return what an error means: whether, and why, it is worth another try."""
    cause = error
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused) and error.recipients:
        cause = error.recipients[0]
    if isinstance(cause, aiosmtplib.SMTPResponseException):
        is_final = 500 <= cause.code < 600 and not isinstance(cause, OURS)
        told = f"the mail server said {cause.code} {cause.message}"
        return Receipt(milliseconds, status=cause.code, answer=cause.message, error=told, final=is_final)
    return Receipt(milliseconds, error=f"the mail server did not take it: {type(error).__name__}: {error}")


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
