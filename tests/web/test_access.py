"""Every route against every role: who may do what."""

from __future__ import annotations

import re
from typing import Any

import pytest

from engine.loans.loan import Case, CaseState
from engine.reconcile.series.book import AppSeries
from tests.web.conftest import ORDER
from tests.web.fakes import NOW

STRETCH = "start=2026-11-23T09:00:00Z&end=2026-11-23T10:00:00Z"
RULES = {"duration_minutes_max": 120}
SERIES = {
    **ORDER,
    "start": "2026-12-01T10:00:00Z",
    "end": "2026-12-01T11:00:00Z",
    "repeat": {"pattern": "weekly", "count": 2},
}

ROUTES: tuple[tuple[str, str, Any, str, int], ...] = (
    ("GET", "/api/loans", None, "viewer", 200),
    ("POST", "/api/loans", {**ORDER, "items": [{"kind": "room", "id": 2}]}, "staff", 201),
    ("GET", "/api/loans/1", None, "viewer", 200),
    ("PATCH", "/api/loans/1", {"title": "Other"}, "staff", 200),
    ("POST", "/api/loans/1/approve", None, "staff", 409),
    ("POST", "/api/loans/1/refuse", None, "staff", 200),
    ("POST", "/api/loans/1/check-out", None, "staff", 200),
    ("POST", "/api/loans/1/close", None, "staff", 409),
    ("POST", "/api/loans/1/cancel", {"reason": "No longer needed"}, "staff", 200),
    ("GET", "/api/loans/1/history", None, "viewer", 200),
    ("GET", f"/api/availability?{STRETCH}", None, "viewer", 200),
    ("POST", "/api/series/preview", SERIES, "viewer", 200),
    ("POST", "/api/series", SERIES, "staff", 201),
    ("GET", "/api/series/1", None, "viewer", 200),
    ("GET", "/api/rooms", None, "viewer", 200),
    ("GET", "/api/rooms/1", None, "viewer", 200),
    ("POST", "/api/rooms/import", None, "admin", 202),
    ("PUT", "/api/rooms/1/rules", RULES, "admin", 200),
    ("GET", "/api/assets", None, "viewer", 200),
    ("POST", "/api/assets", {"name": "Trolley"}, "admin", 201),
    ("PUT", "/api/assets/100/rules", RULES, "admin", 200),
    ("GET", "/api/stores", None, "viewer", 200),
    ("PUT", "/api/stores/1/rules", RULES, "admin", 200),
    ("GET", "/api/cases", None, "viewer", 200),
    ("GET", "/api/why?room=Room+1.01&at=2026-11-23T10:00:00Z", None, "viewer", 200),
    ("GET", "/api/cases/1", None, "viewer", 200),
    ("POST", "/api/cases/1/settle", {"settlement": "talked it over"}, "staff", 200),
    ("POST", "/api/cases/1/undo", None, "staff", 409),
    ("GET", "/api/stores/1/policy", None, "viewer", 200),
    ("PUT", "/api/stores/1/policy", {"room_declined": "move_room"}, "admin", 200),
    ("POST", "/api/tokens", {"name": "door-sign", "role": "viewer"}, "admin", 201),
    ("GET", "/api/status", None, "viewer", 200),
)
NAMES = [f"{method} {path.partition('?')[0]}" for method, path, *_ in ROUTES]
RANKS = ("viewer", "staff", "admin")


@pytest.fixture
def furnished(client, office):
    """A desk with one loan and one case."""
    made = client.post("/api/loans", json=ORDER, headers={"Authorization": "Bearer admin-token"})
    assert made.status_code == 201
    office.parts.series.made[1] = AppSeries(1, None, (), ())
    office.desk.cases.append(Case(1, "room_declined", {"item": "Room 1.01"}, CaseState.OPEN, NOW))
    return client


def _call(client, method, path, body, token):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return client.request(method, path, headers=headers, **({} if body is None else {"json": body}))


class TestRoles:
    @pytest.mark.parametrize("role", RANKS)
    @pytest.mark.parametrize(("method", "path", "body", "least", "status"), ROUTES, ids=NAMES)
    def test_each_route_knows_its_least_role(self, furnished, method, path, body, least, status, role):
        """A role may do what it is for and all that lesser ones may; what it may not is 403."""
        answer = _call(furnished, method, path, body, f"{role}-token")

        assert answer.status_code == (status if RANKS.index(role) >= RANKS.index(least) else 403)

    @pytest.mark.parametrize("token", [None, "nobody's", "x" * 10_000])
    @pytest.mark.parametrize(("method", "path", "body", "least", "status"), ROUTES, ids=NAMES)
    def test_without_a_known_token_nothing_is_open(self, furnished, method, path, body, least, status, token):
        """No token, or one that nobody has, is 401 and says how to do better."""
        answer = _call(furnished, method, path, body, token)

        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.headers["Content-Type"] == "application/problem+json"

    def test_every_route_of_the_document_is_in_this_table(self, client):
        """A route that is added without a line here fails this test."""
        paths = client.get("/api/openapi.json").json()["paths"]
        found = {(method.upper(), path) for path, item in paths.items() for method in item if path.startswith("/api")}
        listed = {(method, _template(path)) for method, path, *_ in ROUTES}

        assert found == listed

    def test_the_bootstrap_token_is_an_admins(self, client, office):
        """The token from the environment opens everything, under its own name."""
        made = client.post("/api/loans", json=ORDER, headers={"Authorization": "Bearer bootstrap-token"})

        assert made.status_code == 201
        assert office.desk.decisions[0].actor == "app:bootstrap"

    def test_histories_name_the_token(self, furnished, office):
        """Who acts is told by the name of the token."""
        assert office.desk.decisions[0].actor == "app:a-admin"

    def test_a_new_token_opens_what_its_role_may(self, admin):
        """A token made over the API works at once."""
        token = admin.post("/api/tokens", json={"name": "sign", "role": "viewer"}).json()["token"]

        assert _call(admin, "GET", "/api/loans", None, token).status_code == 200
        assert _call(admin, "POST", "/api/loans", ORDER, token).status_code == 403


def _template(path: str) -> str:
    plain = path.partition("?")[0]
    named = re.sub(r"/\d+", "/{id}", plain)
    return named.replace("/loans/{id}", "/loans/{number}").replace("/series/{id}", "/series/{series}")
