"""One mail to try the mail server, from the command line."""

from __future__ import annotations

import pytest

from engine.app.mail_trial import send_trial
from engine.errors import BadSettings, Invalid, NotAllowed, Unreachable
from engine.settings.sections import MailSettings, Settings
from tests.unit.mail.server import Postman, run, running


def settings(port: int) -> Settings:
    mail = MailSettings(host="127.0.0.1", port=port, security="none", sender="desk@example.org", timeout_seconds=20)
    return Settings(mail=mail)


def test_it_tells_what_the_server_said() -> None:
    postman = Postman(answers=["250 OK", "550 no such user", "451 later"])
    with running(postman) as server:
        assert run(send_trial(settings(server.port), "ann@elsewhere.org")) == "kept as 42"
        with pytest.raises(NotAllowed, match="550 no such user"):
            run(send_trial(settings(server.port), "ann@elsewhere.org"))
        with pytest.raises(Unreachable, match="451 later"):
            run(send_trial(settings(server.port), "ann@elsewhere.org"))
    assert str(postman.taken[0]["Subject"]) == "Mails from Accord arrive"


def test_it_says_what_is_missing() -> None:
    with pytest.raises(BadSettings, match=r"mail\.host"):
        run(send_trial(Settings(), "ann@elsewhere.org"))
    with pytest.raises(Invalid):
        run(send_trial(settings(1), "ann"))
