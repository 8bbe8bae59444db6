"""One mail to see whether mails go out at all. It takes the way of every mail but for the outbox."""

from __future__ import annotations

import secrets

from engine.app.mail import CHANNEL
from engine.app.senders import server_of
from engine.clock import utc_now
from engine.errors import BadSettings, Fault, Invalid, NotAllowed, Unreachable
from engine.ids import domain_of
from engine.mail.compose import Mail, dump_mail
from engine.mail.smtp import MailSender
from engine.outbox.message import Letter, Message, MessageState
from engine.reconcile.telling.mail_texts import TRIAL, index_of
from engine.settings import Settings


async def send_trial(settings: Settings, address: str) -> str:
    """
    Send a mail to *address* now and return what the server said.

    Raises BadSettings without a mail server, Invalid for what is no address, NotAllowed for what the server refuses
    for good, Unreachable for what may work later.
    """
    if not settings.mail.host:
        raise BadSettings(("mail.host is empty: set ENGINE_MAIL__HOST and ENGINE_MAIL__SENDER",))
    if "@" not in address:
        raise Invalid(Fault("address", "implausible", f"{address!r} is no e-mail address"))
    now, at = utc_now(), index_of(settings.mail.language)
    mail = Mail(
        to_address=address,
        to_name="",
        subject=TRIAL[0][at],
        text=TRIAL[1][at],
        message_id=f"accord-trial-{secrets.token_hex(8)}@{domain_of(settings.mail.sender)}",
        made_at=now.isoformat(),
    )
    letter = Letter(CHANNEL, address, "trial", "trial", dump_mail(mail))
    message = Message(0, letter, MessageState.WAITING, 0, now, now, None, None)
    receipt = await MailSender(server_of(settings)).send(message)
    if receipt.error is None:
        return receipt.answer
    raise NotAllowed(receipt.error) if receipt.final else Unreachable(receipt.error)
