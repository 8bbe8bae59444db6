"""Handing mails in at a server that is not ours: kept from others, signed in, refused, put off."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from engine.mail.compose import dump_mail
from engine.mail.smtp import MailSender, MailServer
from engine.outbox.message import Letter, Message, MessageState, Receipt
from tests.unit.mail.server import Postman, closed_port, run, running
from tests.unit.mail.test_compose import MAIL

pytestmark = pytest.mark.filterwarnings("ignore:Session.login_data:DeprecationWarning")
"""The server says it of itself, in its own thread, where an error would end the connection."""

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def letter(body: str | None = None) -> Message:
    made = Letter("mail", MAIL.to_address, "loan:12", "loan.booked", dump_mail(MAIL) if body is None else body)
    return Message(1, made, MessageState.WAITING, 0, NOW, NOW, None, None)


def send(server: MailServer, body: str | None = None) -> Receipt:
    return run(MailSender(server).send(letter(body)))


@pytest.mark.parametrize(("security", "needs_password"), [("none", False), ("starttls", True), ("tls", False)])
def test_a_mail_arrives_whole(security: str, needs_password: bool) -> None:
    postman = Postman()
    with running(postman, security=security, needs_password=needs_password) as server:
        receipt = send(server)

    assert (receipt.error, receipt.status, receipt.answer) == (None, 250, "kept as 42")
    (mail,) = postman.taken
    assert mail["Message-ID"] == f"<{MAIL.message_id}>"
    assert [part.get_content_type() for part in mail.walk()].count("text/calendar") == 1
    assert postman.over_tls == [security != "none"]
    assert postman.signed_in == [needs_password]


@pytest.mark.parametrize(
    ("rcpt", "data", "status", "final"),
    [
        ("550 no such user", None, 550, True),
        ("451 greylisted, come back", None, 451, False),
        (None, "554 looks like spam", 554, True),
        (None, "452 disk full", 452, False),
    ],
)
def test_a_refusal_says_whether_to_come_again(rcpt: str | None, data: str | None, status: int, final: bool) -> None:
    postman = Postman(answers=[rcpt] if rcpt else [], data_answers=[data] if data else [])
    with running(postman) as server:
        receipt = send(server)

    assert receipt.error is not None
    assert str(status) in receipt.error
    assert (receipt.status, receipt.final) == (status, final)
    assert postman.taken == []


def test_a_wrong_password_is_mended_here_and_no_mails_fault() -> None:
    postman = Postman()
    with running(postman, security="starttls", needs_password=True) as server:
        receipt = send(replace(server, password="wrong"))

    assert receipt.status == 535
    assert not receipt.final
    assert receipt.error is not None
    assert "wrong" not in receipt.error


def test_a_certificate_that_nobody_vouches_for_is_not_believed() -> None:
    postman = Postman()
    with running(postman, security="starttls") as server:
        receipt = send(replace(server, trusted=None))

    assert receipt.error is not None
    assert not receipt.final
    assert postman.taken == []


def test_a_server_without_tls_gets_nothing_when_tls_is_wanted() -> None:
    postman = Postman()
    with running(postman) as server:
        receipt = send(replace(server, security="starttls"))

    assert receipt.error is not None
    assert not receipt.final
    assert postman.taken == []


def test_a_server_that_is_down_is_tried_later() -> None:
    with closed_port() as port:
        receipt = send(MailServer("127.0.0.1", port, "none", "", "", "desk@example.org", "", 20))

    assert receipt.error is not None
    assert (receipt.status, receipt.final) == (None, False)


def test_what_is_no_mail_is_given_up() -> None:
    assert send(MailServer("127.0.0.1", 1, "none", "", "", "desk@example.org", "", 5), "{}").final
