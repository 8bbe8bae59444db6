"""Whatever goes wrong is a problem document that says what, and leaks nothing."""

from __future__ import annotations

import pytest

from engine.errors import DatabaseUnusable, MailboxClosed, Occupied, Throttled, Unreachable
from tests.web.conftest import ORDER


def errors(answer) -> dict[str, str]:
    return {item["field"]: item["code"] for item in answer.json()["errors"]}


class TestTheDocument:
    @pytest.mark.parametrize("path", ["/api/loans/9", "/api/loans/abc", "/api/loans/99999999999", "/api/nothing"])
    def test_it_is_a_problem_document(self, admin, path):
        """Type, title, status, detail and instance, as RFC 9457 has them."""
        answer = admin.get(path)
        found = answer.json()

        assert answer.headers["Content-Type"] == "application/problem+json"
        assert found["type"] == "http://desk.example/api/docs#problem-not-found"
        assert (found["title"], found["status"], found["instance"]) == ("Not Found", 404, path)
        assert found["detail"]

    def test_its_type_leads_to_an_explanation(self, admin):
        anchor = admin.get("/api/nothing").json()["type"].partition("#")[2]

        assert f'id="{anchor}"' in admin.get("/api/docs").text

    @pytest.mark.parametrize("path", ["/api/rooms/9/rules", "/api/assets/1/rules", "/api/stores/9/rules"])
    def test_what_is_not_there_has_no_rules(self, admin, path):
        assert admin.put(path, json={}).status_code == 404

    def test_a_method_the_address_does_not_know(self, admin):
        answer = admin.delete("/api/loans")

        assert (answer.status_code, answer.json()["status"]) == (405, 405)
        assert "GET" in answer.headers["Allow"]
        assert answer.json()["detail"] == "/api/loans does not take DELETE: /api/docs lists every route."

    def test_an_address_that_is_none(self, admin):
        answer = admin.get("/api/lones")

        assert (answer.status_code, answer.json()["type"].partition("#")[2]) == (404, "problem-not-found")
        assert answer.json()["detail"] == "There is nothing at /api/lones: /api/docs lists every route."


IN_FRENCH = {"Accept-Language": "fr-CA,en;q=0.5"}


class TestInFrench:
    """What people read is in the caller's language; types, codes, fields and values are what they are in English."""

    def ask_twice(self, admin, method: str, path: str, **more) -> tuple[dict, dict]:
        """Return the same refusal in French and in English, by which it is still told what it is."""
        french = admin.request(method, path, headers=IN_FRENCH, **more)
        english = admin.request(method, path, **more)
        assert (french.headers["Content-Language"], english.headers["Content-Language"]) == ("fr", "en")
        assert french.json()["detail"] != english.json()["detail"]
        for name in ("type", "status", "instance", "conflicts", "version"):
            assert french.json().get(name) == english.json().get(name)
        return french.json(), english.json()

    @pytest.mark.parametrize(
        ("method", "path", "title", "detail"),
        [
            ("GET", "/api/loans/9", "Introuvable", "Il n’y a rien à l’adresse /api/loans/9."),
            ("GET", "/api/lones", "Introuvable", "/api/docs donne toutes les routes."),
            ("PUT", "/api/loans", "Méthode non admise", "n’admet pas PUT"),
            ("GET", "/api/loans?statsu=new", "Contenu impossible à traiter", "paramètre inconnu\u00a0: 'statsu'"),
            ("GET", "/api/loans?status=nwe", "Contenu impossible à traiter", "'overdue', 'completed'"),
            ("GET", "/api/loans?limit=0", "Contenu impossible à traiter", "limit\u00a0: doit être au moins 1"),
            ("GET", "/api/loans?from=x", "Contenu impossible à traiter", "doit être un instant tel que"),
        ],
    )
    def test_a_refusal_is_told(self, admin, method, path, title, detail):
        french, english = self.ask_twice(admin, method, path)

        assert french["title"] == title
        assert detail in french["detail"]
        assert " or " not in french["detail"]
        assert [fault["code"] for fault in french.get("errors", ())] == [
            fault["code"] for fault in english.get("errors", ())
        ]

    def test_the_documentation_says_so(self, admin):
        document = admin.get("/api/openapi.json").json()

        assert "Accept-Language" in document["info"]["description"]
        for name in ("title", "detail"):
            assert "language" in document["components"]["schemas"]["Problem"]["properties"][name]["description"]

    def test_a_language_asked_for_by_the_address_comes_first(self, admin):
        assert admin.get("/api/loans/9?lang=en", headers=IN_FRENCH).json()["title"] == "Not Found"
        assert admin.get("/api/loans/9?lang=fr").json()["title"] == "Introuvable"
        assert admin.get("/api/loans/9", headers={"Accept-Language": "de"}).json()["title"] == "Not Found"

    def test_who_does_not_get_in_is_told_why(self, client):
        nobody = client.get("/api/loans", headers=IN_FRENCH).json()
        client.headers["Authorization"] = "Bearer viewer-token"
        viewer = client.post("/api/loans", json=ORDER, headers=IN_FRENCH).json()

        assert (nobody["title"], nobody["detail"][:12]) == ("Non identifié", "Il faut un j")
        assert viewer["detail"] == "Il faut le rôle staff\u00a0; le jeton 'a-viewer' a le rôle viewer."

    def test_a_taken_item_is_told_by_whom_and_when_in_utc(self, admin):
        admin.post("/api/loans", json=ORDER)

        french, _ = self.ask_twice(admin, "POST", "/api/loans", json=ORDER)

        assert (french["title"], french["detail"]) == (
            "Conflit", "Room 1.01 : pris 2026-11-23 09:00-10:00 UTC par le prêt 1",
        )  # fmt: skip

    def test_an_outdated_version_and_a_step_that_is_not_allowed(self, admin):
        admin.post("/api/loans", json=ORDER)
        admin.patch("/api/loans/1", json={"title": "New"})

        outdated, _ = self.ask_twice(admin, "PATCH", "/api/loans/1", json={"title": "Newer", "version": 1})
        barred, _ = self.ask_twice(admin, "POST", "/api/loans/1/close")

        assert outdated["detail"] == "Le prêt a changé depuis\u00a0: il en est à la version 2."
        assert barred["detail"].startswith("L’état du prêt, son côté")

    def test_a_broken_rule_is_the_sentence_that_pages_show(self, admin):
        admin.put("/api/rooms/1/rules", json={"duration_minutes_max": 30})

        french, english = self.ask_twice(admin, "POST", "/api/loans", json=ORDER)

        assert "30" in french["detail"]
        assert french["errors"] == [{**english["errors"][0], "message": french["detail"]}]

    def test_what_the_desk_finds_wrong_with_a_field(self, admin):
        admin.post("/api/tokens", json={"name": "sign", "role": "viewer"})

        taken, _ = self.ask_twice(admin, "POST", "/api/tokens", json={"name": "sign", "role": "viewer"})

        assert taken["detail"] == "name\u00a0: Un autre porte déjà ce nom"
        assert taken["errors"] == [{"field": "name", "code": "taken", "message": "Un autre porte déjà ce nom."}]

    def test_each_kind_of_finding_has_its_french(self, admin):
        """A body with everything wrong: not a word of it is English."""
        wrong = {
            "requester": {"name": " ", "address": "nobody"}, "start": "2026-11-23T10:00:00", "end": 7,
            "items": [{"kind": "boat", "id": True}], "title": "x" * 256, "private": "perhaps", "colour": "red",
        }  # fmt: skip

        french, english = self.ask_twice(admin, "POST", "/api/loans", json=wrong)

        said = {fault["field"]: fault["message"] for fault in french["errors"]}
        assert [fault["field"] for fault in english["errors"]] == list(said)
        assert not set(said.values()) & {fault["message"] for fault in english["errors"]}
        assert said["requester.name"] == "sa longueur doit être d’au moins 1"
        assert said["colour"] == "champ inconnu\u00a0: 'colour'"

    def test_a_body_that_is_none(self, admin):
        malformed = admin.post(
            "/api/loans", content=b"{", headers={"Content-Type": "application/json", **IN_FRENCH}
        ).json()
        foreign = admin.post("/api/loans", content=b"a=1", headers={"Content-Type": "text/plain", **IN_FRENCH}).json()
        large = admin.post("/api/loans", content=b" " * (1024 * 1024 + 1), headers=IN_FRENCH).json()

        assert malformed["detail"].startswith("Le corps est du JSON mal formé")
        assert foreign["detail"] == "Le corps doit être envoyé en application/json."
        assert large["title"] == "Contenu trop grand"

    def test_our_own_failure_and_what_may_heal(self, admin, office):
        office.desk.failure = RuntimeError("hunter2")
        failed = admin.get("/api/loans/1", headers=IN_FRENCH).json()
        office.desk.failure = Occupied("x")
        later = admin.get("/api/loans/1", headers=IN_FRENCH).json()

        assert (failed["title"], later["title"]) == ("Erreur interne", "Service indisponible")
        assert "journal" in failed["detail"]
        assert "réessayez" in later["detail"]


class TestRefusals:
    def test_a_taken_item_says_by_whom_and_when(self, admin):
        admin.post("/api/loans", json=ORDER)

        answer = admin.post("/api/loans", json=ORDER)

        assert answer.status_code == 409
        assert answer.json()["conflicts"] == [
            {
                "item": 1,
                "name": "Room 1.01",
                "loan": 1,
                "start": "2026-11-23T09:00:00Z",
                "end": "2026-11-23T10:00:00Z",
            }
        ]

    def test_an_outdated_version_is_told_the_present_one(self, admin):
        admin.post("/api/loans", json=ORDER)
        admin.patch("/api/loans/1", json={"title": "New"})

        answer = admin.patch("/api/loans/1", json={"title": "Newer", "version": 1})

        assert (answer.status_code, answer.json()["version"]) == (409, 2)

    def test_an_action_the_status_does_not_allow(self, admin):
        admin.post("/api/loans", json=ORDER)

        answer = admin.post("/api/loans/1/close")

        assert (answer.status_code, answer.json()["type"].partition("#")[2]) == (409, "problem-not-allowed")

    def test_a_broken_rule_names_itself_and_its_values(self, admin):
        admin.put("/api/rooms/1/rules", json={"duration_minutes_max": 30})

        answer = admin.post("/api/loans", json=ORDER)

        assert answer.status_code == 422
        assert errors(answer) == {"end": "longer_than_maximum"}
        assert answer.json()["errors"][0]["facts"] == {"minutes": 60, "minutes_max": 30}

    def test_a_token_name_that_is_taken(self, admin):
        admin.post("/api/tokens", json={"name": "sign", "role": "viewer"})

        assert errors(admin.post("/api/tokens", json={"name": "sign", "role": "viewer"})) == {"name": "taken"}

    @pytest.mark.parametrize(
        ("failure", "seconds"),
        [(Occupied("x"), "5"), (Throttled("x", 12.2), "13"), (Unreachable("x"), "5"), (DatabaseUnusable("x"), "5")],
    )
    def test_what_may_heal_says_when_to_try_again(self, admin, office, failure, seconds):
        office.desk.failure = failure

        answer = admin.get("/api/loans/1")

        assert (answer.status_code, answer.headers["Retry-After"]) == (503, seconds)

    @pytest.mark.parametrize("failure", [RuntimeError("password=hunter2"), MailboxClosed("password=hunter2")])
    def test_our_own_failure_leaks_nothing(self, admin, office, failure):
        """500 in the same form, without a word of what went wrong inside."""
        office.desk.failure = failure

        answer = admin.get("/api/loans/1")

        assert answer.status_code == 500
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert "hunter2" not in answer.text


class TestBadInput:
    @pytest.mark.parametrize(
        ("change", "field", "code"),
        [
            ({"start": "2026-11-23T10:00:00"}, "start", "offset_missing"),
            ({"start": "2026-11-23"}, "start", "instant_malformed"),
            ({"start": 1795424400}, "start", "instant_malformed"),
            ({"start": "2026-02-30T10:00:00Z"}, "start", "instant_malformed"),
            ({"start": "0001-01-01T00:00:00+14:00"}, "start", "instant_malformed"),
            ({"end": ORDER["start"]}, "end", "end_not_after_start"),
            ({"colour": "red"}, "colour", "unknown_field"),
            ({"colour[]": "red"}, "colour[]", "unknown_field"),
            ({"items": []}, "items", "too_short"),
            ({"items": [{"kind": "boat", "id": 1}]}, "items.0.kind", "unknown_value"),
            ({"items": [{"kind": "room", "id": True}]}, "items.0.id", "int_type"),
            ({"items": [{"kind": "room", "id": 2**40}]}, "items.0.id", "less_than_equal"),
            ({"requester": {"name": "Alex"}}, "requester.address", "missing"),
            ({"requester": {"name": " ", "address": "a@b.example"}}, "requester.name", "string_too_short"),
            ({"requester": {"name": "Alex", "address": "nobody"}}, "requester.address", "address_malformed"),
            ({"title": "a\x00b"}, "title", "characters_invalid"),
            ({"title": "x" * 256}, "title", "string_too_long"),
        ],
    )
    def test_each_fault_is_named(self, admin, office, change, field, code):
        """422 with the field, a code and a sentence; nothing is booked."""
        answer = admin.post("/api/loans", json={**ORDER, **change})

        assert answer.status_code == 422
        assert errors(answer) == {field: code}
        assert office.desk.loans == {}

    @pytest.mark.parametrize(("language", "said"), [("en", "lone surrogates"), ("fr", "ni NUL ni demi-caractère")])
    def test_half_a_surrogate_pair_is_refused(self, admin, language, said):
        body = b'{"name": "\\ud800"}'

        answer = admin.post(f"/api/assets?lang={language}", content=body, headers={"Content-Type": "application/json"})

        assert errors(answer) == {"name": "characters_invalid"}
        assert said in answer.json()["detail"]

    def test_an_unknown_value_names_the_allowed_ones(self, admin):
        answer = admin.get("/api/loans?status=nwe")

        assert errors(answer) == {"status": "unknown_value"}
        assert all(word in answer.json()["detail"] for word in ("pending_approval", "new", "suspended"))

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("statsu=new", "statsu"),
            ("status[]=new", "status[]"),
            ("from=2026-11-23T10:00:00", "from"),
            ("limit=0", "limit"),
            ("limit=501", "limit"),
            ("after=x", "after"),
            ("room=-1", "room"),
        ],
    )
    def test_a_query_is_checked_as_well(self, admin, query, field):
        """A misspelt filter would silently list everything, so it is refused."""
        answer = admin.get(f"/api/loans?{query}")

        assert (answer.status_code, set(errors(answer))) == (422, {field})

    @pytest.mark.parametrize(("body", "field"), [({}, ""), ({"version": 1}, ""), ({"title": None}, "title")])
    def test_a_change_of_nothing_is_refused(self, admin, body, field):
        admin.post("/api/loans", json=ORDER)

        assert set(errors(admin.patch("/api/loans/1", json=body))) == {field}

    @pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[" * 100_000, b'{"a": 1' + b"1" * 5000 + b"}"])
    def test_malformed_json_is_400(self, admin, body):
        answer = admin.post("/api/loans", content=body, headers={"Content-Type": "application/json"})

        assert answer.status_code == 400
        assert answer.headers["Content-Type"] == "application/problem+json"

    @pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded"])
    def test_another_kind_of_body_is_415(self, admin, media):
        assert admin.post("/api/loans", content=b"a=1", headers={"Content-Type": media}).status_code == 415

    def test_a_body_beyond_a_mebibyte_is_413(self, admin):
        """Whether its length is told beforehand or not."""
        headers = {"Content-Type": "application/json"}
        large = b" " * (1024 * 1024 + 1)

        told = admin.post("/api/loans", content=large, headers=headers)
        streamed = admin.post("/api/loans", content=iter([large[:600_000], large[600_000:]]), headers=headers)
        absurd = admin.post("/api/loans", content=b"", headers={**headers, "Content-Length": "9" * 5000})

        assert [answer.status_code for answer in (told, streamed, absurd)] == [413, 413, 413]
        assert told.headers["Content-Type"] == "application/problem+json"
