"""What the OpenAPI document says, and what HTTP asks of every address, against what is answered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.web.visitors import House, open_house

KEYWORDS_OF_PYDANTIC = {"ge", "gt", "le", "lt", "multiple_of", "max_length", "min_length"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as found:
        yield found


@pytest.fixture
def document(admin: TestClient) -> dict[str, Any]:
    return admin.get("/api/openapi.json").json()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


class TestTheDocumentSays:
    def test_bounds_in_words_of_json_schema(self, document: dict[str, Any]) -> None:
        def names(node: Any) -> Iterator[str]:
            if isinstance(node, dict):
                yield from (name for name, value in node.items() if isinstance(value, int))
                node = list(node.values())
            if isinstance(node, list):
                for inner in node:
                    yield from names(inner)

        assert not KEYWORDS_OF_PYDANTIC & set(names(document))
        limit = next(item for item in document["paths"]["/api/loans"]["get"]["parameters"] if item["name"] == "limit")
        assert (limit["schema"]["minimum"], limit["schema"]["maximum"]) == (1, 500)

    def test_each_status_that_is_answered(self, document: dict[str, Any]) -> None:
        for method, path, operation in operations(document):
            if path.startswith("/api/"):
                told = {int(status) for status in operation["responses"]}
                assert {401, 403, 422, 429, 500, 503} <= told, (method, path)
                if method == "post" or "requestBody" in operation:
                    assert {400, 413, 415} <= told, (method, path)

    def test_that_every_route_may_be_asked_in_a_language(self, document: dict[str, Any]) -> None:
        for method, path, operation in operations(document):
            if path.startswith("/api/"):
                names = [item["name"] for item in operation["parameters"]]
                assert names.count("lang") == 1, (method, path)

    def test_where_a_token_may_be_left_out(self, document: dict[str, Any]) -> None:
        assert {} in document["paths"]["/metrics"]["get"]["security"]
        assert {} in document["paths"]["/readyz"]["get"]["security"]
        assert "401" in document["paths"]["/metrics"]["get"]["responses"]

    def test_how_addresses_and_times_of_day_are_written(self, document: dict[str, Any]) -> None:
        schemas = document["components"]["schemas"]

        assert schemas["RequesterIn"]["properties"]["address"]["format"] == "email"
        hours = schemas["RulesIn"]["properties"]["opening_hours"]["anyOf"][0]["additionalProperties"]
        assert all(clock["pattern"] for clock in hours["prefixItems"])


class TestEveryRoute:
    @pytest.mark.parametrize("path", ["loans", "rooms", "assets", "cases", "stores", "status"])
    def test_takes_the_language_by_its_address(self, admin: TestClient, path: str) -> None:
        assert admin.get(f"/api/{path}?lang=fr").status_code == 200

    @pytest.mark.parametrize(
        "query", ["why?room=Tilleul&at=2026-11-23T10:00:00Z", "availability?start=2026-11-23T10:00Z&end=x"]
    )
    def test_takes_it_beside_other_things(self, admin: TestClient, query: str) -> None:
        assert "unknown_field" not in admin.get(f"/api/{query}&lang=fr").text

    @pytest.mark.parametrize(
        ("path", "allow"),
        [
            ("/api/loans", "GET, POST"),
            ("/api/loans/1", "GET, PATCH"),
            ("/api/assets", "GET, POST"),
            ("/api/rooms", "GET"),
            ("/api/rooms/import", "POST"),
            ("/api/series/preview", "POST"),
            ("/healthz", "GET"),
        ],
    )
    def test_names_all_its_methods_to_who_uses_another(self, admin: TestClient, path: str, allow: str) -> None:
        answer = admin.request("TRACE", path)

        assert (answer.status_code, answer.headers["Allow"]) == (405, allow)

    def test_is_not_read_where_it_can_only_be_done(self, admin: TestClient) -> None:
        assert admin.get("/api/rooms/import").status_code == 405
        assert admin.get("/api/rooms/first").status_code == 404

    @pytest.mark.parametrize(
        "path", ["/healthz", "/readyz", "/metrics", "/api/docs", "/api/loans", "/sign-in", "/", "/x"]
    )
    def test_answers_head_as_it_answers_get(self, house: House, path: str) -> None:
        """Who watches a service, and who shows a link, asks so."""
        visitor = house.visitor()
        read, head = (visitor.request(method, path) for method in ("GET", "HEAD"))

        assert (head.status_code, head.content) == (read.status_code, b"")
        assert head.headers.get("Content-Type") == read.headers.get("Content-Type")


class TestWhatIsWrongIsNamedAsItWasSent:
    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"requester": {"name": "A", "address": "nobody"}}, "requester.address"),
            (
                {"requester": {"name": "A", "address": "a@b.example", "details": {"phone": 7}}},
                "requester.details.phone",
            ),
            ({"items": [{"kind": "room", "id": 0}]}, "items.0.id"),
            ({"requester": {"name": "A", "address": "a@b.example", "Phone": "7"}}, "requester.Phone"),
        ],
    )
    def test_within_a_change(self, admin: TestClient, body: dict[str, Any], field: str) -> None:
        errors = admin.patch("/api/loans/1", json=body).json()["errors"]

        assert [error["field"] for error in errors] == [field]
