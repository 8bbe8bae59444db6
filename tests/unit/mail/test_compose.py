"""A mail over the wire: parsed back by Python's own parser, as mail programs see it."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from engine.errors import Malformed
from engine.mail.compose import Mail, compose, dump_mail, load_mail, render_html

MAIL = Mail(
    to_address="zoe@elsewhere.org",
    to_name="Zoé Ñandú, née <Roe>",
    subject="Réservé : #12 Thé\nBcc: eve@example.org",
    text="Ceci est réservé pour vous.\n\n#12\nhttps://accord.example.org/loans/12\n",
    message_id="accord-abc-12-0-1@example.org",
    made_at="2026-11-20T09:00:00+00:00",
    calendar="BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nX:é\r\nEND:VCALENDAR\r\n",
    method="REQUEST",
)


def wire(mail: Mail = MAIL, **changed: str) -> EmailMessage:
    sent = compose(replace(mail, **changed), sender="desk@example.org", sender_name="Accord, Hôtel").as_bytes()
    sent.decode("ascii")  # every server takes it
    found = message_from_bytes(sent, policy=default)
    assert isinstance(found, EmailMessage)
    return found


def test_the_calendar_goes_as_a_part_and_as_a_file_both_in_base64() -> None:
    parts = {part.get_content_type(): part for part in wire().walk()}

    for kind in ("text/calendar", "application/ics"):
        assert parts[kind]["Content-Transfer-Encoding"] == "base64"
        assert parts[kind].get_param("method") == "REQUEST"
        assert parts[kind].get_payload(decode=True) == MAIL.calendar.encode()
    assert parts["text/calendar"].get_content_charset() == "utf-8"
    assert parts["application/ics"].get_filename() == "invite.ics"
    alternatives = next(part for part in wire().walk() if part.get_content_type() == "multipart/alternative")
    kinds = [part.get_content_type() for part in alternatives.iter_parts()]
    assert kinds == ["text/plain", "text/html", "text/calendar"]


def test_the_headers_say_who_what_and_that_no_answer_is_wanted() -> None:
    found = wire()

    assert found["To"].addresses[0].addr_spec == "zoe@elsewhere.org"
    assert found["To"].addresses[0].display_name == MAIL.to_name
    assert str(found["Subject"]) == "Réservé : #12 Thé Bcc: eve@example.org"
    assert found["Bcc"] is None
    assert found["Message-ID"] == "<accord-abc-12-0-1@example.org>"
    assert found["Date"].datetime.isoformat() == MAIL.made_at
    assert found["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize("subject", ["👩\u200d👧 famille", "می\u200cخواهم"])
def test_a_subject_keeps_what_joins_its_letters(subject: str) -> None:
    assert str(wire(subject=subject)["Subject"]) == subject


def test_text_and_html_say_the_same() -> None:
    found = wire()

    plain, rich = found.get_body(("plain",)), found.get_body(("html",))
    assert plain is not None
    assert rich is not None
    assert plain.get_content().replace("\r\n", "\n") == MAIL.text
    assert '<a href="https://accord.example.org/loans/12">' in rich.get_content()


def test_html_has_the_letters_of_other_programs_windows() -> None:
    """Said on the body itself, where every mail program reads it."""
    assert '<body style="font-family: ' in render_html("Thé")


def test_html_holds_what_people_wrote_as_text() -> None:
    head, _, body = render_html('<b>"1" & 2</b>').partition("<p>")
    assert (head.count("<"), body) == (3, "&lt;b&gt;&quot;1&quot; &amp; 2&lt;/b&gt;</p></body></html>")


def test_it_is_kept_and_found_again() -> None:
    assert load_mail(dump_mail(MAIL)) == MAIL
    for wrong in ("", "[]", '{"to": 1}', "null"):
        with pytest.raises(Malformed):
            load_mail(wrong)


@pytest.mark.parametrize("address", ["", "nobody", "a b@example.org", "a@b@c", "eve@example.org\nBcc: x@example.org"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    mail = Mail(address, "", "s", "t", "m@x", MAIL.made_at)

    with pytest.raises(Malformed):
        compose(mail, sender="desk@example.org", sender_name="")
