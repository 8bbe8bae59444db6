"""The pages of webhooks and of messages to others: adding, secrets shown once, trying, sending again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.outbox.message import MessageFilter, MessageState, Receipt
from engine.webhooks.answer import answer_error
from engine.webhooks.endpoint import EndpointOrder
from engine.webhooks.guard import refusal_of
from tests.web.conftest import TestClient
from tests.web.visitors import House, open_house

URL = "https://receiver.example.org/hook"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as found:
        yield found


@pytest.fixture
def admin(house: House) -> TestClient:
    return house.signed_in("admin")


def add(house: House, **wanted: Any) -> int:
    return house.office.webhooks.add(EndpointOrder(**{"url": URL, **wanted}), secret=None, actor="app:test").id


def fail(house: House, error: str = "HTTP 404") -> int:
    """Let the message that waits be refused for good; return its number."""
    (message,) = house.office.outbox.list_messages(MessageFilter(state=MessageState.WAITING))
    house.office.outbox.record(message, Receipt(12, 404, "<b>no such hook</b>", error, final=True))
    return message.id


class TestAdding:
    def test_shows_the_secret_once(self, house: House, admin: TestClient) -> None:
        made = admin.post("/webhooks", data={"url": URL, "name": "Town hall", "models": ["loan", "room"]})
        (endpoint,) = house.office.webhooks.list_endpoints()

        assert endpoint.secrets[0] in made.text
        assert (endpoint.models, endpoint.personal) == (("loan", "room"), False)
        again = admin.get(f"/webhooks/{endpoint.id}").text
        assert endpoint.secrets[0] not in again
        assert f"…{endpoint.secrets[0][-3:]}" in again

    def test_of_what_cannot_be_keeps_what_was_written(self, house: House, admin: TestClient) -> None:
        answer = admin.post("/webhooks", data={"url": "ftp://example.org/x", "name": "Town hall", "models": ["loan"]})

        assert answer.status_code == 422
        assert "ftp://example.org/x" in answer.text
        assert house.office.webhooks.list_endpoints() == []

    @pytest.mark.parametrize(
        ("url", "said"),
        [("https://10.0.0.1/hook", "webhooks.allowed_networks"), ("http://8.8.8.8/hook", "on ne parle que https")],
    )
    def test_of_what_would_never_be_sent_says_so_at_once(self, house: House, url: str, said: str) -> None:
        admin = house.signed_in("admin", **{"Accept-Language": "fr"})

        answer = admin.post("/webhooks", data={"url": url, "models": ["loan"]})

        assert answer.status_code == 422
        assert said in answer.text
        assert house.office.webhooks.list_endpoints() == []

    def test_of_an_own_secret_is_for_receivers_that_have_one(self, house: House, admin: TestClient) -> None:
        admin.post("/webhooks", data={"url": URL, "models": ["loan"], "secret": "the-secret-they-have"})

        assert house.office.webhooks.list_endpoints()[0].secrets == ("the-secret-they-have",)


class TestLookingAfter:
    def test_everything_can_be_changed(self, house: House, admin: TestClient) -> None:
        number = add(house, personal=True)

        admin.post(
            f"/webhooks/{number}", data={"url": f"{URL}/2", "name": "New", "models": ["case"], "header": "X-Own"}
        )

        found = house.office.webhooks.find(number)
        assert (found.url, found.name, found.models, found.header) == (f"{URL}/2", "New", ("case",), "X-Own")
        assert (found.personal, found.enabled) == (False, False)
        assert "switched off" in admin.get("/webhooks").text

    def test_a_secret_is_changed_in_two_steps(self, house: House, admin: TestClient) -> None:
        number = add(house)
        (first,) = house.office.webhooks.find(number).secrets

        shown = admin.post(f"/webhooks/{number}/rotate").text
        second = house.office.webhooks.find(number).secrets[-1]

        assert second in shown
        assert first not in shown
        admin.post(f"/webhooks/{number}/retire")
        assert house.office.webhooks.find(number).secrets == (second,)

    def test_its_removal_is_not_among_its_secrets(self, house: House, admin: TestClient) -> None:
        """There it read as if a secret were removed."""
        number = add(house)

        page = admin.get(f"/webhooks/{number}").text

        secrets = page[page.index('id="secrets"') :]
        assert "/remove" not in secrets[: secrets.index("</section>")]
        assert f'action="/webhooks/{number}/remove"' in page

    def test_one_that_is_removed_is_gone(self, house: House, admin: TestClient) -> None:
        number = add(house)

        assert admin.post(f"/webhooks/{number}/remove").headers["Location"] == "/webhooks"
        assert admin.get(f"/webhooks/{number}").status_code == 404


class TestMessages:
    def test_a_ping_leads_to_what_came_of_it(self, house: House, admin: TestClient) -> None:
        there = admin.post(f"/webhooks/{add(house)}/ping").headers["Location"]
        assert "Not tried yet." in admin.get(there).text
        fail(house)

        shown = admin.get(there).text

        assert re.search(r"<b>HTTP 404</b>", shown)
        assert "&lt;b&gt;no such hook&lt;/b&gt;" in shown
        assert "&#34;model&#34;:&#34;ping&#34;" in shown

    def test_tells_when_it_is_tried_next_where_that_is_known(self, house: House, admin: TestClient) -> None:
        """What waits behind others, or for a receiver that is down, has no time: one that is past would be odd."""
        there = admin.post(f"/webhooks/{add(house)}/ping").headers["Location"]
        assert ("next in its turn" in admin.get(there).text, "next in its turn" in admin.get("/outbox").text) == (
            True,
            True,
        )
        (message,) = house.office.outbox.list_messages(MessageFilter())
        house.office.outbox.record(message, Receipt(12, 503, "", "HTTP 503"))

        assert "next at " in admin.get(there).text
        assert "next at " in admin.get("/outbox").text

    def test_what_was_given_up_is_sent_again(self, house: House, admin: TestClient) -> None:
        number = add(house)
        house.office.webhooks.ping(number)
        message = fail(house)
        assert "1 message given up" in admin.get(f"/webhooks/{number}").text

        admin.post(f"/webhooks/{number}/replay")

        assert house.office.outbox.find(message).state is MessageState.WAITING
        fail(house)
        admin.post(f"/outbox/{message}/replay")
        assert house.office.outbox.find(message).state is MessageState.WAITING

    def test_everything_is_sent_once_more(self, house: House, admin: TestClient) -> None:
        house.book()
        number = add(house)

        admin.post(f"/webhooks/{number}/resend")

        topics = [message.letter.topic for message in house.office.outbox.list_messages(MessageFilter())]
        assert topics == ["loan.created", *["room.created"] * 3]

    def test_the_outbox_is_filtered_and_turned_page_by_page(self, house: House, admin: TestClient) -> None:
        number = add(house)
        for _ in range(101):
            house.office.webhooks.ping(number)

        first = admin.get("/outbox?state=waiting").text

        assert "/outbox?after=2&amp;state=waiting" in first
        assert '/outbox/1"' in admin.get("/outbox?after=2&state=waiting").text
        assert "Nothing of this kind went out." in admin.get("/outbox?state=parked").text


class TestTroubles:
    @pytest.mark.parametrize(
        ("error", "said"),
        [
            (answer_error(302, "", b""), "HTTP 302\u00a0: une redirection"),
            (answer_error(200, "text/html", b""), "HTTP 200 avec une page web"),
            ("no whole answer within 10 s", "Pas de réponse complète en 10 s"),
            (
                f"not sent: {refusal_of('10.0.0.1', is_secure=True, allowed=())}",
                "10.0.0.1 n’est pas une adresse",
            ),
            (f"not sent: {refusal_of('8.8.8.8', is_secure=False, allowed=())}", "on ne parle que https"),
            ("550 no such mailbox", "550 no such mailbox"),
        ],
    )
    def test_are_told_in_the_readers_language(self, house: House, error: str, said: str) -> None:
        house.office.webhooks.ping(add(house))
        fail(house, error)

        assert said in house.signed_in("admin", **{"Accept-Language": "fr"}).get("/outbox").text


class TestActivity:
    def test_tells_how_messages_to_others_fare(self, house: House, admin: TestClient) -> None:
        assert "Messages to others" not in admin.get("/activity").text
        house.office.webhooks.ping(add(house))
        fail(house)

        shown = house.signed_in("viewer").get("/activity").text

        assert "Messages to others" in shown
        assert "1 message given up" in shown
        assert "/outbox" not in shown

    def test_speaks_french(self, house: House) -> None:
        add(house, name="Mairie")
        french = house.signed_in("admin", **{"Accept-Language": "fr"})

        assert "Est prévenu des" in french.get("/webhooks").text
        assert "Messages à d’autres" in french.get("/outbox").text
