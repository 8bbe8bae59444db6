"""`Idempotency-Key`: the same request again is answered and not done again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.conftest import ORDER, Office, TestClient

KEY = {"Idempotency-Key": "order-4711"}


class TestTheSameRequest:
    def test_books_once_and_is_answered_the_same(self, admin: TestClient, office: Office) -> None:
        first = admin.post("/api/loans", json=ORDER, headers=KEY)
        again = admin.post("/api/loans", json=ORDER, headers=KEY)

        assert (first.status_code, again.status_code) == (201, 201)
        assert again.json() == first.json()
        assert again.headers["location"] == first.headers["location"]
        assert (first.headers.get("Idempotent-Replayed"), again.headers["Idempotent-Replayed"]) == (None, "true")
        assert len(office.desk.loans) == 1

    def test_without_a_key_is_another_one(self, admin: TestClient) -> None:
        admin.post("/api/loans", json=ORDER)

        assert admin.post("/api/loans", json=ORDER).status_code == 409

    def test_keeps_a_refusal_too(self, admin: TestClient, office: Office) -> None:
        """Taken when it was asked, taken when it is asked again, although the room is free by now."""
        admin.post("/api/loans", json=ORDER)
        refused = admin.post("/api/loans", json=ORDER, headers=KEY)
        admin.post("/api/loans/1/cancel", json={})

        again = admin.post("/api/loans", json=ORDER, headers=KEY)

        assert (refused.status_code, again.status_code) == (409, 409)
        assert again.headers["content-type"] == "application/problem+json"

    def test_of_somebody_else_is_theirs(self, client: TestClient, office: Office) -> None:
        """A key belongs to its caller: nobody reads another's answer by guessing it."""
        one = client.post("/api/loans", json=ORDER, headers={**KEY, "Authorization": "Bearer admin-token"})
        other = client.post("/api/loans", json=ORDER, headers={**KEY, "Authorization": "Bearer staff-token"})

        assert (one.status_code, other.status_code) == (201, 409)

    def test_of_nobody_is_refused_and_not_remembered(self, client: TestClient, office: Office) -> None:
        assert client.post("/api/loans", json=ORDER, headers=KEY).status_code == 401
        assert (
            client.post("/api/loans", json=ORDER, headers={**KEY, "Authorization": "Bearer nobody"}).status_code == 401
        )
        assert office.parts.once.kept == {}  # type: ignore[attr-defined]

    def test_that_may_not_be_asked_may_be_asked_later(self, client: TestClient, office: Office) -> None:
        """A role that was too small may have grown."""
        headers = {**KEY, "Authorization": "Bearer viewer-token"}

        assert client.post("/api/loans", json=ORDER, headers=headers).status_code == 403
        assert office.parts.once.kept == {}  # type: ignore[attr-defined]

    def test_that_was_answered_with_a_secret_is_not_done_again_nor_told(
        self, admin: TestClient, office: Office
    ) -> None:
        """A token is shown once, and is nowhere to be found afterwards."""
        order = {"name": "town-hall", "role": "viewer"}
        first = admin.post("/api/tokens", json=order, headers=KEY)
        again = admin.post("/api/tokens", json=order, headers=KEY)

        assert (first.status_code, again.status_code) == (201, 409)
        assert again.json()["type"].endswith("problem-key-answered")
        assert first.json()["token"] not in str(office.parts.once.kept.values())  # type: ignore[attr-defined]


class TestAnotherRequest:
    @pytest.mark.parametrize(
        ("path", "body"), [("/api/loans", {**ORDER, "title": "Other"}), ("/api/loans/1/cancel", ORDER)]
    )
    def test_with_the_same_key_is_refused(self, admin: TestClient, path: str, body: dict[str, Any]) -> None:
        admin.post("/api/loans", json=ORDER, headers=KEY)
        found = admin.post(path, json=body, headers=KEY)

        assert found.status_code == 422
        assert found.json()["type"].endswith("problem-key-reused")

    def test_while_the_first_is_at_work_is_told_to_wait(self, admin: TestClient, office: Office) -> None:
        admin.post("/api/loans", json=ORDER, headers=KEY)
        kept = office.parts.once.kept  # type: ignore[attr-defined]
        kept.update({digest: (asked, None) for digest, (asked, _) in kept.items()})

        found = admin.post("/api/loans", json=ORDER, headers=KEY)

        assert (found.status_code, found.headers["Retry-After"]) == (409, "2")
        assert found.json()["type"].endswith("problem-key-in-use")

    @pytest.mark.parametrize("key", ["", "x" * 256, "tab\there"])
    def test_with_a_key_nobody_can_keep_is_refused(self, admin: TestClient, office: Office, key: str) -> None:
        found = admin.post("/api/loans", json=ORDER, headers={"Idempotency-Key": key})

        assert found.status_code == 400
        assert office.desk.loans == {}

    def test_that_reads_needs_no_key(self, admin: TestClient, office: Office) -> None:
        assert admin.get("/api/loans", headers=KEY).status_code == 200
        assert office.parts.once.kept == {}  # type: ignore[attr-defined]


def test_the_documentation_names_the_header(admin: TestClient) -> None:
    document = admin.get("/api/openapi.json").json()

    assert "Idempotency-Key" in [item["name"] for item in document["paths"]["/api/loans"]["post"]["parameters"]]
    assert "problem-key-reused" in admin.get("/api/docs").text
