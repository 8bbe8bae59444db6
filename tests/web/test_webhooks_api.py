"""The routes of webhooks and of the outbox, over a real desk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.app.web_parts import build_web_parts
from engine.outbox.message import MessageFilter, Receipt
from engine.web.api.app import create_api
from engine.web.api.outbox import build_outbox
from engine.web.api.webhooks import build_webhooks
from engine.web.metrics import Metrics
from tests.web.conftest import TestClient
from tests.web.visitors import House, open_house

URL = "https://receiver.example.org/hook"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as found:
        yield found


def caller(house: House, role: str) -> TestClient:
    office = house.office
    parts = build_web_parts(office.settings, office, Metrics(), token=None, public="http://desk.example")
    app = create_api(parts, routers=[build_outbox(office.outbox), build_webhooks(office.webhooks, office.outbox)])
    headers = {"Authorization": f"Bearer {office.tokens.create(f'a {role}', role)}"}
    return TestClient(app, headers=headers, raise_server_exceptions=False)


@pytest.fixture
def admin(house: House) -> TestClient:
    return caller(house, "admin")


def add(admin: TestClient, **more: Any) -> dict[str, Any]:
    made = admin.post("/api/webhooks", json={"url": URL, **more})
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()
    return found


class TestEndpoints:
    def test_show_their_secret_once(self, admin: TestClient) -> None:
        made = add(admin, models=["loan"], personal=True, header="X-Own")

        assert made["secret"].startswith("whsec_")
        listed = admin.get("/api/webhooks").json()["items"]
        assert listed == [{key: value for key, value in made.items() if key != "secret"}]
        assert listed[0]["secrets"] == [f"…{made['secret'][-3:]}"]

    def test_without_models_hear_of_everything(self, admin: TestClient) -> None:
        assert add(admin, models=None)["models"] == add(admin)["models"]

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"url": "ftp://example.org"}, "url"),
            ({"url": "https://192.168.1.1/hook"}, "url"),
            ({"url": URL, "models": ["slot"]}, "models.0"),
            ({"url": URL, "models": []}, "models"),
            ({"url": URL, "secret": "short"}, "secret"),
            ({"url": URL, "header": "Host"}, "header"),
            ({"url": URL, "colour": "red"}, "colour"),
            ({}, "url"),
        ],
    )
    def test_that_cannot_be_are_refused_by_field(self, admin: TestClient, body: dict[str, Any], field: str) -> None:
        answer = admin.post("/api/webhooks", json=body)

        assert answer.status_code == 422
        assert [fault["field"] for fault in answer.json()["errors"]] == [field]

    def test_are_changed_switched_off_and_removed(self, admin: TestClient) -> None:
        number = add(admin)["id"]

        assert admin.patch(f"/api/webhooks/{number}", json={"enabled": False, "name": "Off"}).json()["name"] == "Off"
        assert admin.post(f"/api/webhooks/{number}/ping").status_code == 409
        assert admin.delete(f"/api/webhooks/{number}").status_code == 204
        assert admin.get(f"/api/webhooks/{number}").status_code == 404

    def test_have_two_secrets_for_a_while(self, admin: TestClient) -> None:
        number = add(admin)["id"]

        assert admin.post(f"/api/webhooks/{number}/secrets/retire").status_code == 409
        second = admin.post(f"/api/webhooks/{number}/secrets").json()["secret"]
        assert len(admin.get(f"/api/webhooks/{number}").json()["secrets"]) == 2
        assert admin.post(f"/api/webhooks/{number}/secrets/retire").json()["secrets"] == [f"…{second[-3:]}"]

    @pytest.mark.parametrize("role", ["viewer", "staff"])
    def test_are_for_administrators(self, house: House, role: str) -> None:
        assert caller(house, role).get("/api/webhooks").status_code == 403


class TestMessages:
    def test_are_listed_shown_and_sent_again(self, house: House, admin: TestClient) -> None:
        number = add(admin)["id"]
        message = admin.post(f"/api/webhooks/{number}/ping").json()["id"]
        outbox = house.office.outbox
        outbox.record(outbox.find(message), Receipt(9, 404, "no such hook", "HTTP 404", final=True))

        whole = admin.get(f"/api/outbox/{message}").json()
        assert (whole["state"], whole["last_error"]) == ("parked", "HTTP 404")
        assert [(tried["status"], tried["answer"]) for tried in whole["attempts"]] == [(404, "no such hook")]
        assert '"model":"ping"' in whole["body"]
        assert admin.get(f"/api/webhooks/{number}/health").json()["parked"] == 1

        assert admin.post("/api/outbox/replay", json={"receiver": f"{number}"}).json() == {"replayed": 1}
        assert admin.post(f"/api/outbox/{message}/replay").json()["state"] == "waiting"
        assert admin.post("/api/outbox/99/replay").status_code == 404

    def test_are_turned_page_by_page_and_filtered(self, house: House, admin: TestClient) -> None:
        number = add(admin)["id"]
        for _ in range(3):
            admin.post(f"/api/webhooks/{number}/ping")

        first = admin.get("/api/outbox?limit=2").json()
        rest = admin.get(f"/api/outbox?limit=2&after={first['next']}").json()

        assert ([m["id"] for m in first["items"]], [m["id"] for m in rest["items"]]) == ([3, 2], [1])
        assert admin.get("/api/outbox?state=sent").json()["items"] == []
        assert admin.get("/api/outbox?receiver=9&lang=fr").json()["items"] == []

    def test_are_everything_there_is_for_a_new_receiver(self, house: House, admin: TestClient) -> None:
        house.book()
        number = add(admin)["id"]

        assert admin.post(f"/api/webhooks/{number}/resend").json() == {"messages": 4}
        assert len(house.office.outbox.list_messages(MessageFilter())) == 4

    def test_hide_what_they_say_from_staff(self, house: House, admin: TestClient) -> None:
        message = admin.post(f"/api/webhooks/{add(admin)['id']}/ping").json()["id"]
        staff = caller(house, "staff")

        assert "body" not in staff.get("/api/outbox").json()["items"][0]
        assert staff.get(f"/api/outbox/{message}").status_code == 403
        assert staff.get("/api/outbox/receivers").status_code == 200
