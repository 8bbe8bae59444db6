"""Alive, ready, measured, documented."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import delete

from engine.app.office import Office
from engine.app.readings import Watching, read_checks
from engine.database.tables import metadata
from engine.errors import Unreachable
from engine.settings import Settings
from engine.web.api.app import create_api
from engine.web.metrics import Metrics, Readings
from engine.web.parts import Check
from tests.web.conftest import TestClient
from tests.web.visitors import open_house

ADMIN = {"Authorization": "Bearer admin-token"}


class TestHealth:
    def test_alive_needs_nothing(self, client):
        assert client.get("/healthz").json() == {"status": "alive"}

    def test_ready_when_every_check_is(self, client, office):
        assert client.get("/readyz").status_code == 200

        office.checks.append(Check("first_reading", ok=False, detail="Room 1.01"))
        answer = client.get("/readyz", headers=ADMIN)

        assert answer.status_code == 503
        assert answer.json()["checks"]["first_reading"] == {"ok": False, "detail": "Room 1.01"}

    def test_strangers_are_not_told_the_names_of_rooms(self, client, office):
        office.checks.append(Check("first_reading", ok=False, detail="Room 1.01"))

        answer = client.get("/readyz")

        assert answer.status_code == 503
        assert answer.json()["checks"]["first_reading"] == {"ok": False}

    def test_a_token_that_was_revoked_does_not_make_it_unready(self, client, office):
        """A probe goes on with it for weeks; it learns what those without one learn."""
        office.checks.append(Check("first_reading", ok=True, detail="Room 1.01"))
        revoked = {"Authorization": "Bearer nobody's"}

        for _ in range(20):
            answer = client.get("/readyz", headers=revoked)

        assert answer.status_code == 200
        assert answer.json()["checks"]["first_reading"] == {"ok": True}

    def test_a_token_that_cannot_be_looked_up_is_not_ready(self, client, office, monkeypatch):
        """The database is away: that is what the checks tell."""

        def fail(_token):
            raise Unreachable("gone")

        monkeypatch.setattr(office.tokens, "authenticate", fail)
        office.checks.append(Check("database", ok=False, detail="gone"))

        answer = client.get("/readyz", headers=ADMIN)

        assert answer.status_code == 503
        assert answer.json()["checks"]["database"] == {"ok": False}

    def test_a_check_that_fails_to_ask_is_not_ready(self, client, office):
        """The answer does not tell the world why."""
        office.checks = None

        answer = client.get("/readyz")

        assert answer.status_code == 503
        assert "NoneType" not in answer.text


class TestARefusedIdentity:
    def test_has_a_room_read_until_it_is_taken_again(self, tmp_path: Path) -> None:
        """Only a room that is read tells so, and nobody may mark one for hours: a case of a moment must not stand."""

        def is_ready(office: Office) -> bool:
            return {check.name: check.ok for check in read_checks(Settings(), office)}["identity"]

        with open_house(tmp_path) as house:
            office, watching = house.office, Watching(house.office, Metrics(Readings))
            with office.database.write() as transaction:
                transaction.connection.execute(delete(metadata.tables["work"]))

            watching.refused("401 InvalidAuthenticationToken")
            watching.refused("401 InvalidAuthenticationToken")

            (claim,) = office.queue.claim(10)
            assert (claim.kind, is_ready(office)) == ("room", False)
            watching.admitted()
            assert is_ready(office)


class TestMetrics:
    def test_every_figure_is_there(self, client, office):
        """What was observed and what is pulled, in a form Prometheus' own parser reads."""
        office.readings = Readings(
            queue_waiting={"live": 3}, queue_age_seconds={"live": 1.5}, queue_running=2, parked=1,
            graph_requests={"ok": 7, "throttled": 2}, throttled=2, subscriptions_deaf=1,
            last_import_at=datetime(2026, 11, 20, tzinfo=UTC), loans={"new": 4}, cases_open=5, drift={"Tilleul": 2},
            outbox={"parked": 3}, receivers_failing=1, contents={"opened": 6, "sender": 1},
        )  # fmt: skip
        office.metrics.observe_pass("meeting", "done", 0.02)
        office.metrics.observe_notification_latency(1.2)
        office.metrics.observe_notification("accepted")

        text = client.get("/metrics", headers=ADMIN).text
        found = {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

        assert found["accord_queue_waiting", ("priority", "live")] == 3
        assert found["accord_graph_requests_total", ("outcome", "ok")] == 7
        assert found["accord_graph_throttled_total",] == 2
        assert found["accord_contents_total", ("outcome", "sender")] == 1
        assert found["accord_passes_total", ("kind", "meeting"), ("outcome", "done")] == 1
        assert found["accord_pass_seconds_count", ("kind", "meeting")] == 1
        assert found["accord_notification_to_loan_seconds_bucket", ("le", "2.0")] == 1
        assert found["accord_loans", ("status", "new")] == 4
        assert found["accord_cases_open",] == 5
        assert found["accord_outbox_messages", ("state", "parked")] == 3
        assert found["accord_outbox_receivers_failing",] == 1
        assert found["accord_drift_total", ("room", "Tilleul")] == 2
        assert found["accord_last_import_timestamp_seconds",] == 1795132800
        assert found["accord_scrape_failed",] == 0

    def test_a_database_that_cannot_be_read_hides_nothing_else(self):
        def fail() -> Readings:
            raise RuntimeError("gone")

        metrics = Metrics(fail)
        metrics.observe_pass("room", "done", 0.1)

        text = metrics.render().decode()

        assert "accord_scrape_failed 1.0" in text
        assert 'accord_passes_total{kind="room",outcome="done"} 1.0' in text

    @pytest.mark.parametrize(
        ("host", "headers", "status"),
        [
            ("127.0.0.1", {}, 200),
            ("::1", {}, 200),
            ("127.0.0.1", {"X-Forwarded-For": "203.0.113.7"}, 401),
            ("203.0.113.7", {}, 401),
            ("203.0.113.7", {"Authorization": "Bearer viewer-token"}, 200),
        ],
    )
    def test_strangers_need_a_token(self, office, host, headers, status):
        """Only this very machine may look without one, and a proxy on it is not its callers."""
        client = TestClient(create_api(office.parts), client=(host, 50_000))

        assert client.get("/metrics", headers=headers).status_code == status


class TestDocumentation:
    def test_the_openapi_document_speaks_of_problems(self, client):
        document = client.get("/api/openapi.json").json()

        assert document["openapi"].startswith("3.")
        assert "HTTPValidationError" not in str(document)
        answers = document["paths"]["/api/loans"]["post"]["responses"]
        assert "application/problem+json" in answers["409"]["content"]
        assert document["paths"]["/api/loans"]["post"]["security"] == [{"HTTPBearer": []}]

    def test_every_reference_leads_somewhere(self, client):
        document = client.get("/api/openapi.json").json()

        def references(node):
            if isinstance(node, dict):
                yield from ([node["$ref"]] if isinstance(node.get("$ref"), str) else [])
                for inner in node.values():
                    yield from references(inner)
            elif isinstance(node, list):
                for inner in node:
                    yield from references(inner)

        known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}

        assert set(references(document)) <= known

    def test_the_page_fetches_nothing_and_runs_nothing(self, client):
        answer = client.get("/api/docs")

        assert "/api/loans/{number}/check-out" in answer.text
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert all(word not in answer.text for word in ("<script", "http://", "https://", "src="))

    def test_answers_are_nobodys_to_cache(self, admin):
        assert admin.get("/api/loans").headers["Cache-Control"] == "no-store"
