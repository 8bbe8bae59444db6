"""`webhooks` and `outbox` on the command line, over a database of their own; and the receiver for trying things out."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.cli.doors import Doors
from engine.cli.listening import check, describe, open_listener
from engine.cli.main import make_app
from engine.database.outbox.messages import write_letters
from engine.outbox.message import Letter, MessageFilter, Receipt
from engine.webhooks.signature import signature_headers
from tests.web.visitors import House, open_house

URL = "https://receiver.example.org/hook"
SECRET = "a-secret-of-their-own"
BODY = b'{"data":{"number":1},"meta":{"model":"loan","event":"updated","webhook_reason":"user","timestamp":"now"}}'

Run = Callable[..., Any]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as found:
        yield found


@pytest.fixture
def run(house: House) -> Run:
    class Engine:
        def open_office(self, _settings: object) -> Any:
            from contextlib import nullcontext

            return nullcontext(house.office)

    def type_in(*words: str) -> Any:
        doors = Doors(engine=lambda: Engine(), read=lambda _path: house.office.settings)  # type: ignore[arg-type,return-value]
        return CliRunner().invoke(make_app(), words, obj=doors)

    return type_in


class TestWebhooks:
    def test_are_added_with_the_secret_on_stdout_alone(self, run: Run, house: House) -> None:
        done = run("webhooks", "add", URL, "--model", "loan", "--model", "case", "--personal")

        (found,) = house.office.webhooks.list_endpoints()
        assert done.stdout == f"{found.secrets[0]}\n"
        assert (found.models, found.personal) == (("loan", "case"), True)

    def test_that_cannot_be_are_refused(self, run: Run) -> None:
        done = run("webhooks", "add", "ftp://example.org")

        assert (done.exit_code, done.stdout) == (2, "")
        assert "url: must be a web address" in done.stderr

    def test_to_a_neighbour_are_refused_with_the_setting_that_allows_them(self, run: Run) -> None:
        """Loopback is allowed beside the simulated tenant, so that receivers can be tried out."""
        done = run("webhooks", "add", "http://10.0.0.1/hook")

        assert (done.exit_code, done.stdout) == (2, "")
        assert "10.0.0.1 is not a public address; webhooks.allowed_networks can allow it" in done.stderr
        assert run("webhooks", "add", "http://127.0.0.1:8430/").exit_code == 0

    def test_are_listed_with_how_they_do(self, run: Run) -> None:
        run("webhooks", "add", URL, "--name", "Town hall")
        run("webhooks", "ping", "1")

        (found,) = json.loads(run("webhooks", "list", "-o", "json").stdout)

        assert (found["name"], found["health"]["waiting"]) == ("Town hall", 1)
        assert "Town hall" in run("webhooks", "list").stdout

    def test_change_their_secret_in_two_steps(self, run: Run, house: House) -> None:
        run("webhooks", "add", URL)
        second = run("webhooks", "rotate", "1").stdout.strip()
        assert run("webhooks", "rotate", "1").exit_code == 1
        run("webhooks", "retire", "1")

        assert house.office.webhooks.find(1).secrets == (second,)

    def test_are_switched_off_and_removed(self, run: Run, house: House) -> None:
        run("webhooks", "add", URL)
        assert "switched off" in run("webhooks", "change", "1", "--off").stderr
        run("webhooks", "remove", "1")

        assert run("webhooks", "ping", "1").exit_code == 4

    def test_send_everything_once_more(self, run: Run) -> None:
        run("webhooks", "add", URL)

        assert "3 messages" in run("webhooks", "resend", "1", "--all").stderr

    def test_are_sent_by_hand(self, run: Run, house: House, tmp_path: Path) -> None:
        """The body in a file of one line, so that `curl --data @file` changes nothing, and the signed headers."""
        run("webhooks", "add", URL, "--secret", SECRET)
        run("webhooks", "ping", "1")
        file = tmp_path / "body.json"

        line = run("webhooks", "curl", "1", "--file", str(file)).stdout

        assert file.read_text(encoding="utf-8") == house.office.outbox.find(1).letter.body
        assert b"\n" not in file.read_bytes()
        assert line.startswith(f"curl --data @{file} -H 'Content-Type: application/json; charset=utf-8'")
        assert "X-Lapin-Signature: " in line
        assert line.rstrip().endswith(URL)

    def test_are_not_made_of_other_messages(self, run: Run, house: House) -> None:
        with house.office.database.write() as transaction:
            write_letters(transaction, [Letter("mail", "zoe@example.org", "loan:1", "loan.booked", "{}", 1)])

        done = run("webhooks", "curl", "1")

        assert done.exit_code == 4
        assert "message 1 is no webhook: it went out by mail" in done.stderr


class TestTheOutbox:
    def test_is_listed_shown_and_sent_again(self, run: Run, house: House) -> None:
        run("webhooks", "add", URL)
        run("webhooks", "ping", "1")
        outbox = house.office.outbox
        outbox.record(outbox.find(1), Receipt(9, 404, "no such hook", "HTTP 404", final=True))

        assert "HTTP 404" in run("outbox", "list", "--state", "parked").stdout
        shown = json.loads(run("outbox", "show", "1", "-o", "json").stdout)
        assert shown["attempts"][0]["answer"] == "no such hook"
        assert run("outbox", "show", "1", "--body").stdout == shown["body"]
        assert "no such hook" in run("outbox", "show", "1").stdout
        assert "1 message will" in run("outbox", "replay", "--parked").stderr
        assert outbox.list_messages(MessageFilter())[0].state.value == "waiting"

    @pytest.mark.parametrize(("words", "code"), [(("show", "7"), 4), (("replay", "7"), 4), (("replay",), 2)])
    def test_says_what_is_not_there(self, run: Run, words: tuple[str, ...], code: int) -> None:
        assert run("outbox", *words).exit_code == code


class TestListening:
    def test_checks_both_signatures(self) -> None:
        now = datetime.now(UTC)
        headers = signature_headers("msg_1", now, BODY, secrets=(SECRET,), header="X-Lapin-Signature")

        def faults(body: bytes = BODY, later: float = 0.0) -> list[str]:
            return check(headers, body, secrets=[SECRET], header="X-Lapin-Signature", now=now.timestamp() + later)

        assert faults() == []
        assert faults(BODY + b" ") == ["X-Lapin-Signature is wrong", "webhook-signature is wrong"]
        assert faults(later=301) == ["webhook-timestamp is missing or too old"]

    def test_tells_what_came(self) -> None:
        head, data = describe({}, BODY, secrets=(), header="X", now=0.0)

        assert head == "loan.updated because of user at now  [without an id, signature unchecked]"
        assert json.loads(data) == {"number": 1}
        assert describe({}, b"\xff{", secrets=(), header="X", now=0.0)[0].startswith("a body that is no webhook")

    def test_answers_over_http(self) -> None:
        told: list[str] = []
        with open_listener(0, secrets=[SECRET], header="X-Lapin-Signature", status=202, tell=told.append) as server:
            thread = threading.Thread(target=server.handle_request)
            thread.start()
            now = datetime.fromtimestamp(time.time(), UTC)
            headers = signature_headers("msg_1", now, BODY, secrets=(SECRET,), header="X-Lapin-Signature")
            address = f"http://127.0.0.1:{server.server_address[1]}/"
            with urllib.request.urlopen(urllib.request.Request(address, BODY, headers), timeout=60) as answer:
                assert answer.status == 202
            thread.join(60)

        assert "msg_1, signature good" in told[0]
