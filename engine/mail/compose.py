"""A mail as it goes over the wire: text, HTML and, where it has one, a calendar message.

The calendar goes twice, as a part of its own that programs act on by themselves and as a file that people can open;
both in base64, since Outlook stumbles over quoted-printable calendars (RDV Service Public, issue 1354).
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

from engine.errors import Malformed

FILE_NAME = "invite.ics"

LETTERS = "font-family: 'Segoe UI', Arial, sans-serif; font-size: 15px; line-height: 1.5"
"""How HTML looks where a program would choose for itself: Outlook takes Times. Programs drop style sheets, not this."""

JOINERS = "\u200c\u200d"
"""What parts and joins letters within a word, in Persian and in emoji: not printed, and yet no control character."""

WIRE = SMTP.clone(cte_type="7bit")
"""Every mail server takes it."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail before it is composed. `text` is plain; addresses in it become links. `method` is the calendar's."""

    to_address: str
    to_name: str
    subject: str
    text: str
    message_id: str
    """Without its angle brackets. The same for each try, so that who gets it twice can tell."""
    made_at: str
    """An instant in ISO 8601."""
    calendar: str = ""
    method: str = ""


def dump_mail(mail: Mail) -> str:
    """Return *mail* as the outbox keeps it."""
    return json.dumps(asdict(mail), ensure_ascii=False)


def load_mail(body: str) -> Mail:
    """Return what `dump_mail` wrote. Raises Malformed."""
    try:
        values: Mapping[str, Any] = json.loads(body)
        return Mail(**values)
    except (ValueError, TypeError) as error:
        raise Malformed("this message of the outbox is no mail") from error


def compose(mail: Mail, *, sender: str, sender_name: str) -> EmailMessage:
    """Return the message. Raises Malformed for an address that no mail can carry."""
    message = EmailMessage(policy=WIRE)
    try:
        message["From"] = _address(sender_name, sender)
        message["To"] = _address(mail.to_name, mail.to_address)
    except (ValueError, IndexError, MessageError) as error:  # all are raised by headerregistry for what it cannot parse
        raise Malformed(f"{mail.to_address!r} is no address that a mail can carry") from error
    message["Subject"] = _one_line(mail.subject)
    message["Date"] = format_datetime(datetime.fromisoformat(mail.made_at).astimezone(UTC))
    message["Message-ID"] = f"<{mail.message_id}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no program answers it
    message["X-Auto-Response-Suppress"] = "All"  # what Exchange looks at
    message.set_content(mail.text)
    message.add_alternative(render_html(mail.text), subtype="html")
    if mail.calendar:
        message.add_alternative(
            mail.calendar, subtype="calendar", params={"method": mail.method, "name": FILE_NAME}, cte="base64"
        )
        message.add_attachment(
            mail.calendar.encode(),
            maintype="application",
            subtype="ics",
            filename=FILE_NAME,
            params={"method": mail.method},
        )
    return message


def render_html(text: str) -> str:
    """Return a text as HTML: paragraphs where it has empty lines, links where a word is a web address."""
    paragraphs = (
        "<br>".join(" ".join(_word(word) for word in line.split(" ")) for line in part.split("\n"))
        for part in text.split("\n\n")
    )
    body = "".join(f"<p>{part}</p>" for part in paragraphs)
    return f'<!doctype html><html><body style="{LETTERS}">{body}</body></html>'


def _word(word: str) -> str:
    shown = html.escape(word)
    return f'<a href="{shown}">{shown}</a>' if word.startswith(("https://", "http://")) else shown


def _one_line(text: str) -> str:
    kept = (letter if letter.isprintable() or letter in JOINERS else " " for letter in text)
    return " ".join("".join(kept).split())


def _address(name: str, address: str) -> Address:
    return Address(display_name=_one_line(name), addr_spec=address)
