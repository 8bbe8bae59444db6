"""The calls themselves: spellings, errors, headers, paging, filters, batches, limits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from engine.simulator.people import Refused
from tests.simulator.test_booking import AULA, NINE, TEN, book, copies
from tests.simulator.virtual import SimulatedWorld

BODY = {
    "subject": "Loan 4711",
    "start": {"dateTime": "2026-11-24T09:00:00", "timeZone": "Europe/Paris"},
    "end": {"dateTime": "2026-11-24T10:00:00", "timeZone": "Europe/Paris"},
    "transactionId": "loan-4711-g1",
}
MARK = "String {6b2f0d0e-0000-4000-8000-000000000001} Name LoanRef"
EVENTS = "/users/alex@example.org/events"
WATCH = {
    "changeType": "created",
    "resource": "/users/alex@example.org/events",
    "notificationUrl": "https://receiver.example/graph",
    "expirationDateTime": "2026-11-24T09:00:00Z",
}
SCHEDULE = "/users/alex@example.org/calendar/getSchedule"


def code_of(response: Any) -> tuple[int, str]:
    return response.status, response.json()["error"]["code"]


class TestTokens:
    FORM = (
        b"grant_type=client_credentials&client_id=0e4b6a4c-5bb0-4c4c-9c0d-6a4b7f1c2d3e&client_secret=demo-secret"
        b"&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default"
    )

    def test_issued_tokens_open_graph_until_they_expire(self, world: SimulatedWorld) -> None:
        """The client-credentials flow."""
        issued = world.call("POST", f"/sim/../{world.options.tenant_id}", b"")  # not a sign-in path
        assert issued.status == 404
        url = f"https://login.microsoftonline.com/{world.options.tenant_id}/oauth2/v2.0/token"
        token = world.call("POST", url, self.FORM).json()["access_token"]

        assert world.call("GET", "/users", Authorization=f"Bearer {token}").status == 200
        world.wait(4000)
        refused = world.call("GET", "/users", Authorization=f"Bearer {token}")
        assert code_of(refused) == (401, "InvalidAuthenticationToken")

    @pytest.mark.parametrize(
        ("old", "new", "error"),
        [
            (b"demo-secret", b"wrong", "invalid_client"),
            (b"client_credentials", b"password", "unsupported_grant_type"),
            (b".default", b"Calendars.Read", "invalid_scope"),
        ],
    )
    def test_wrong_forms(self, world: SimulatedWorld, old: bytes, new: bytes, error: str) -> None:
        """Entra's error body, not Graph's."""
        url = f"https://login.microsoftonline.com/{world.options.tenant_id}/oauth2/v2.0/token"
        answer = world.call("POST", url, self.FORM.replace(old, new))

        assert answer.status in (400, 401)
        assert answer.json()["error"] == error

    def test_discovery_names_the_token_endpoint(self, world: SimulatedWorld) -> None:
        """OpenID Connect discovery."""
        base = f"https://login.microsoftonline.com/{world.options.tenant_id}"
        found = world.get(f"{base}/v2.0/.well-known/openid-configuration")

        assert found["token_endpoint"] == f"{base}/oauth2/v2.0/token"

    def test_no_token(self, make_world: Callable[..., SimulatedWorld]) -> None:
        """401 with Graph's body; a permissive tenant lets everybody in."""
        strict, open_house = make_world(), make_world(require_token=False)

        assert code_of(strict.call("GET", "/users", Authorization="")) == (401, "InvalidAuthenticationToken")
        assert open_house.call("GET", "/users", Authorization="").status == 200


class TestErrors:
    @pytest.mark.parametrize(
        ("method", "path", "status", "code"),
        [
            ("GET", "/nowhere", 404, "BadRequest"),
            ("GET", "/users/nobody@example.org", 404, "Request_ResourceNotFound"),
            ("GET", "/users/nobody@example.org/events", 404, "ErrorInvalidUser"),
            ("GET", f"{EVENTS}/short", 400, "ErrorInvalidIdMalformed"),
            ("GET", f"{EVENTS}/AAMkADabcdef%3D", 404, "ErrorItemNotFound"),
            ("GET", f"{EVENTS}?$filter=nonsense", 400, "ErrorInvalidUrlQueryFilter"),
            ("GET", "/users/alex@example.org/calendarView", 400, "ErrorInvalidParameter"),
            ("GET", "/subscriptions/unknown", 404, "ResourceNotFound"),
            ("GET", "/places/unknown", 404, "ResourceNotFound"),
            ("POST", EVENTS, 400, "BadRequest"),
        ],
    )
    def test_codes(self, world: SimulatedWorld, method: str, path: str, status: int, code: str) -> None:
        """Graph's codes; every error carries request ids."""
        answer = world.call(method, path, b"{" if method == "POST" else None, client_request_id="mine")

        assert code_of(answer) == (status, code)
        assert answer.json()["error"]["innerError"]["client-request-id"] == "mine"

    @pytest.mark.parametrize(
        ("path", "body", "code"),
        [
            ("/$batch", {"requests": [1]}, "BadRequest"),
            ("/$batch", {"requests": [{"id": "1", "url": "/users", "headers": "x"}]}, "BadRequest"),
            ("/$batch", {"requests": [{"id": "1", "url": "/users", "headers": {"Prefer": 1}}]}, "BadRequest"),
            ("/$batch", {"requests": [{"id": "1", "url": "/users", "dependsOn": 1}]}, "BadRequest"),
            ("/subscriptions", {**WATCH, "resource": 5}, "RequestBodyRead"),
            ("/subscriptions", {**WATCH, "notificationUrl": 5}, "RequestBodyRead"),
            ("/subscriptions", {**WATCH, "clientState": 5}, "RequestBodyRead"),
            (SCHEDULE, {"schedules": [AULA], "availabilityViewInterval": "x"}, "RequestBodyRead"),
            (SCHEDULE, {"schedules": AULA}, "RequestBodyRead"),
        ],
    )
    def test_a_body_of_another_shape_is_refused(
        self, world: SimulatedWorld, path: str, body: dict[str, Any], code: str
    ) -> None:
        """400, never 500: it is the caller's fault."""
        assert code_of(world.call("POST", path, body)) == (400, code)

    def test_a_body_that_is_nested_without_end_is_refused(self, world: SimulatedWorld) -> None:
        assert code_of(world.call("POST", EVENTS, b'{"a":' * 20_000)) == (400, "BadRequest")
        assert world.call("POST", "/sim/faults", b"[" * 20_000).status == 400

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            (
                {"end": {"dateTime": "2026-11-24T08:00:00", "timeZone": "Europe/Paris"}},
                "ErrorPropertyValidationFailure",
            ),
            ({"start": {"dateTime": "soon", "timeZone": "UTC"}}, "ErrorPropertyValidationFailure"),
            ({"start": {"dateTime": "2026-11-24T08:00:00", "timeZone": "Mars"}}, "TimeZoneNotSupportedException"),
            ({"showAs": "away"}, "RequestBodyRead"),
            ({"attendees": [None]}, "RequestBodyRead"),
            ({"singleValueExtendedProperties": [{"id": "x"}]}, "RequestBodyRead"),
            ({"attendees": [{"emailAddress": {"address": "nobody"}}]}, "ErrorInvalidRecipients"),
        ],
    )
    def test_refused_events(self, world: SimulatedWorld, change: dict[str, Any], code: str) -> None:
        """400, and a refused change changes nothing."""
        assert code_of(world.call("POST", EVENTS, {**BODY, **change})) == (400, code)
        kept = world.call("POST", EVENTS, BODY).json()
        assert code_of(world.call("PATCH", f"{EVENTS}/{quote(kept['id'])}", {"subject": "no", **change})) == (400, code)
        assert world.run(world.alex.get(kept["id"]))["subject"] == "Loan 4711"


class TestPlaces:
    def test_both_spellings_and_paging(self, make_world: Callable[..., SimulatedWorld]) -> None:
        """A hundred a page; $count and $select as documented."""
        world = make_world()
        for number in range(150):
            world.tenant.office.add_room(f"r{number}@example.org", f"R {number}")

        first = world.get("/places/microsoft.graph.room?$count=true")
        second = world.get(first["@odata.nextLink"])
        assert (first["@odata.count"], len(first["value"]), len(second["value"])) == (152, 100, 52)
        assert "@odata.nextLink" not in second
        few = world.get("/places/graph.room?%24top=3&$skip=1&$select=capacity")["value"]
        assert [set(item) for item in few] == [{"id", "capacity"}] * 3

    def test_exact_fields(self, world: SimulatedWorld) -> None:
        """The fields of a room."""
        room = world.get(f"/places/{AULA}/graph.room")
        room.pop("@odata.context")

        expected = (
            "id placeId displayName emailAddress nickname building floorNumber floorLabel label capacity bookingType "
            "audioDeviceName videoDeviceName displayDeviceName isWheelChairAccessible teamsEnabledState tags address "
            "geoCoordinates phone parentId"
        )
        assert sorted(room) == sorted(expected.split())
        assert (room["capacity"], room["tags"]) == (40, ["screen"])

    def test_hidden_rooms_and_new_ids(self, world: SimulatedWorld) -> None:
        """Hidden rooms are not listed; a place id may change under the same address."""
        before = world.get(f"/places/{AULA}")["id"]
        world.call("POST", f"/sim/rooms/{AULA}/new-place-id", {})
        world.call("POST", f"/sim/rooms/{AULA}/attributes", {"hidden": True, "tags": ["x"]})

        assert world.get(f"/places/{AULA}")["id"] != before
        assert [item["displayName"] for item in world.get("/places/graph.room")["value"]] == ["Studio"]

    def test_room_lists(self, world: SimulatedWorld) -> None:
        """Lists are addressed by mail."""
        world.tenant.office.add_room_list("all@example.org", "All", (AULA,))

        assert len(world.get("/places/microsoft.graph.roomlist")["value"]) == 1
        rooms = world.get("/places/all@example.org/graph.roomList/rooms")["value"]
        assert [item["displayName"] for item in rooms] == ["Aula"]


class TestUsers:
    def test_fields_and_aliases(self, world: SimulatedWorld) -> None:
        """proxyAddresses only when selected; any address finds the mailbox."""
        plain = world.get("/users/ATELIER@example.org")
        full = world.get("/users/studio@example.org?$select=proxyAddresses,mail")

        assert plain["mail"] == "studio@example.org"
        assert "proxyAddresses" not in plain
        assert full["proxyAddresses"] == ["SMTP:studio@example.org", "smtp:atelier@example.org"]

    def test_settings_say_what_is_a_room(self, world: SimulatedWorld) -> None:
        """userPurpose, whole and alone."""
        assert world.get(f"/users/{AULA}/mailboxSettings")["timeZone"] == "Europe/Paris"
        assert world.get(f"/users/{AULA}/mailboxSettings/userPurpose")["value"] == "room"

    def test_get_schedule(self, world: SimulatedWorld) -> None:
        """Fifteen-minute digits, SDK spelling, unknown addresses fail alone."""
        book(world)
        world.settle()
        day = {"dateTime": "2026-11-24T08:30:00", "timeZone": "UTC"}
        end = {"dateTime": "2026-11-24T10:30:00", "timeZone": "UTC"}
        body = {"Schedules": [AULA, "no@example.org"], "StartTime": day, "EndTime": end, "AvailabilityViewInterval": 15}
        found = world.call("POST", "/users/alex@example.org/calendar/getSchedule", body).json()["value"]

        assert found[0]["availabilityView"] == "00222200"
        assert found[0]["scheduleItems"][0]["status"] == "busy"
        assert "error" in found[1]


class TestB48TransactionId:
    def test_same_content_is_the_same_event(self, world: SimulatedWorld) -> None:
        """B48: 201 with what exists; different content is refused; annotations and case do not matter."""
        first = world.call("POST", EVENTS, BODY)
        again = world.call("POST", EVENTS, {"@odata.type": "#microsoft.graph.event", **BODY})
        other = world.call("POST", EVENTS, {**BODY, "subject": "Other"})

        assert (first.status, again.status) == (201, 201)
        assert first.json()["id"] == again.json()["id"]
        assert code_of(other) == (400, "ErrorDuplicateTransactionId")
        assert other.json()["error"]["@event.existingEventId"] == first.json()["id"]
        assert len(world.run(world.alex.events())) == 1


class TestVersions:
    def test_stale_etags_are_refused(self, world: SimulatedWorld) -> None:
        """412 on PATCH and DELETE with an older etag."""
        event = world.call("POST", EVENTS, BODY).json()
        path = f"{EVENTS}/{quote(event['id'])}"
        world.call("PATCH", path, {"subject": "x"})

        for method in ("PATCH", "DELETE"):
            stale = world.call(method, path, {}, If_Match=event["@odata.etag"])
            assert code_of(stale) == (412, "ErrorIrresolvableConflict")
        fresh = world.get(path)["@odata.etag"]
        assert fresh == f'W/"{world.get(path)["changeKey"]}"'
        assert world.call("DELETE", path, If_Match=fresh).status == 204


class TestB60ImmutableIds:
    def test_two_strings_for_one_event(self, world: SimulatedWorld) -> None:
        """B60: by header; both are accepted in paths."""
        event = world.call("POST", EVENTS, BODY).json()
        shown = world.call("GET", f"{EVENTS}/{quote(event['id'])}", Prefer='IdType="ImmutableId"')

        assert shown.headers["Preference-Applied"] == 'IdType="ImmutableId"'
        other = shown.json()["id"]
        assert other != event["id"]
        assert world.get(f"{EVENTS}/{quote(other)}")["id"] == event["id"]

    def test_slashes_and_pluses(self, make_world: Callable[..., SimulatedWorld]) -> None:
        """B5: encoded once it is found, encoded twice it is not."""
        world = make_world(standard_base64_ids=True)
        ids = [world.call("POST", EVENTS, {**BODY, "transactionId": str(n)}).json()["id"] for n in range(20)]

        assert any("/" in item for item in ids)
        assert all(world.call("GET", f"{EVENTS}/{quote(item, safe='')}").status == 200 for item in ids)
        twice = [quote(quote(item, safe=""), safe="") for item in ids if "/" in item]
        assert all(world.call("GET", f"{EVENTS}/{item}").status == 404 for item in twice)


class TestPreferences:
    def test_zone_and_body_type(self, world: SimulatedWorld) -> None:
        """Several preferences in one header, applied and confirmed."""
        event = world.call("POST", EVENTS, {**BODY, "body": {"contentType": "html", "content": "<p>Hello</p>"}}).json()
        assert event["start"] == {"dateTime": "2026-11-24T08:00:00.0000000", "timeZone": "UTC"}
        assert event["originalStartTimeZone"] == "Europe/Paris"

        prefer = 'outlook.timezone="Tokyo Standard Time", outlook.body-content-type="text"'
        shown = world.call("GET", f"{EVENTS}/{quote(event['id'])}", Prefer=prefer)
        assert shown.json()["start"] == {"dateTime": "2026-11-24T17:00:00.0000000", "timeZone": "Tokyo Standard Time"}
        assert shown.json()["body"] == {"contentType": "text", "content": "Hello"}
        assert shown.headers["Preference-Applied"] == prefer


class TestLists:
    def test_calendar_view_pages_and_selects(self, world: SimulatedWorld) -> None:
        """The etag and id come with every selection."""
        for day in range(3):
            world.call("POST", "/users/alex@example.org/calendar/events", {**BODY, "transactionId": str(day)})
        window = "startdatetime=2026-11-24T00:00:00%2B01:00&enddatetime=2026-11-25T00:00:00Z"
        first = world.get(f"/users/alex@example.org/calendar/calendarView?{window}&$top=2&$select=subject")
        second = world.get(first["@odata.nextLink"])

        assert [set(item) for item in first["value"]] == [{"@odata.etag", "id", "subject"}] * 2
        assert len(second["value"]) == 1
        assert "@odata.nextLink" not in second

    def test_filters(self, world: SimulatedWorld) -> None:
        """By iCalUId, by time, by extended property; both spellings of the calendar."""
        marked = {**BODY, "singleValueExtendedProperties": [{"id": MARK, "value": "4711:g1"}]}
        event = world.call("POST", EVENTS, marked).json()
        world.call("POST", EVENTS, {**BODY, "transactionId": "2"})
        assert "singleValueExtendedProperties" not in event

        def found(condition: str) -> int:
            return len(world.get(f"{EVENTS}?$filter={quote(condition)}")["value"])

        assert found(f"iCalUId eq '{event['iCalUId']}'") == 1
        assert found("start/dateTime ge '2026-11-24T08:00' and end/dateTime le '2026-11-24T09:00'") == 2
        assert found("start/dateTime gt '2026-11-24T08:00:00Z'") == 0
        any_ = "singleValueExtendedProperties/Any(ep: ep/id eq '{}' and ep/value eq '{}')"
        assert found(any_.format(MARK, "4711:G1")) == 1  # values ignore case
        assert found(any_.format(MARK.upper().replace("STRING", "String").replace("NAME", "Name"), "4711:g1")) == 0
        expand = quote(f"singleValueExtendedProperties($filter=id eq '{MARK}')")
        shown = world.get(f"{EVENTS}/{quote(event['id'])}?$expand={expand}")
        assert shown["singleValueExtendedProperties"] == [{"id": MARK, "value": "4711:g1"}]

    def test_equal_patches_mail_everybody_and_local_ones_nobody(self, world: SimulatedWorld) -> None:
        """Every PATCH of a meeting is mailed, except of what belongs to one's own copy."""
        event = book(world)
        world.settle()
        mails = world.tenant.world.mails
        world.run(world.alex.change(event["id"], categories=["Blue"]))
        assert world.tenant.world.mails == mails
        world.run(world.alex.change(event["id"], subject=event["subject"]))
        assert world.tenant.world.mails == mails + 1


class TestAnswering:
    def test_pascal_case_bodies_and_refusals(self, world: SimulatedWorld) -> None:
        """SDK spelling; a time can be proposed only when it is welcome and sent."""
        book(world, allowNewTimeProposals=False)
        world.settle()
        path = f"/users/{AULA}/events/{quote(copies(world)[0]['id'])}"
        proposal = {
            "Comment": "",
            "SendResponse": True,
            "ProposedNewTime": {"start": BODY["start"], "end": BODY["end"]},
        }

        assert world.call("POST", f"{path}/decline", proposal).status == 400
        assert world.call("POST", f"{path}/tentativelyAccept", {"Comment": "", "SendResponse": False}).status == 202
        assert copies(world)[0]["responseStatus"]["response"] == "tentativelyAccepted"

    def test_organizers_cannot_answer_themselves(self, world: SimulatedWorld) -> None:
        """400."""
        event = book(world)
        with pytest.raises(Refused) as refused:
            world.run(world.alex.answer(event["id"], "accept"))
        assert refused.value.status == 400

    def test_permanent_delete(self, world: SimulatedWorld) -> None:
        """No body, gone."""
        event = book(world)
        assert world.call("POST", f"{EVENTS}/{quote(event['id'])}/permanentDelete").status == 204
        assert world.run(world.alex.events()) == []


class TestBatch:
    def part(self, number: int, **more: Any) -> dict[str, Any]:
        return {"id": str(number), "method": "GET", "url": f"/users/{AULA}", **more}

    def test_parts_are_answered_and_counted_singly(self, world: SimulatedWorld) -> None:
        """200 outside whatever became of the parts."""
        create = self.part(2, method="POST", url=EVENTS, body=BODY, headers={"Content-Type": "application/json"})
        missing = self.part(3, url="/users/nobody@example.org")
        answer = world.call("POST", "/$batch", {"requests": [self.part(1), create, missing]}).json()["responses"]

        assert {item["id"]: item["status"] for item in answer} == {"1": 200, "2": 201, "3": 404}
        stats = world.call("GET", "/sim/stats").json()
        assert (stats["requests"], stats["writes"], stats["http_requests"]) == (3, 1, 1)

    def test_dependants_of_a_failure_are_not_tried(self, world: SimulatedWorld) -> None:
        """424."""
        parts = [self.part(1, url="/users/nobody@example.org"), self.part(2, dependsOn=["1"])]
        answer = world.call("POST", "/$batch", {"requests": parts}).json()["responses"]

        assert [item["status"] for item in answer] == [404, 424]

    def test_twenty_parts_with_ids_of_their_own(self, world: SimulatedWorld) -> None:
        """More, or a repeated id: the whole batch is refused."""
        many = [self.part(number) for number in range(21)]
        assert world.call("POST", "/$batch", {"requests": many}).status == 400
        assert world.call("POST", "/$batch", {"requests": [self.part(1), self.part(1)]}).status == 400
        assert world.call("POST", "/$batch", {"requests": many[:20]}).status == 200

    def test_four_in_flight_do_not_trip_the_limit(self, make_world: Callable[..., SimulatedWorld]) -> None:
        """At most four Outlook parts at once: one batch alone is never throttled."""
        world = make_world(latency=(0.1, 0.1))
        parts = [self.part(number, url=EVENTS) for number in range(20)]
        answer = world.call("POST", "/$batch", {"requests": parts}).json()["responses"]

        assert {item["status"] for item in answer} == {200}
        assert world.loop.time() == pytest.approx(0.5)

    def test_a_throttled_part_has_its_own_retry_after(self, world: SimulatedWorld) -> None:
        """B47: 200 outside, 429 inside, the other parts are not concerned."""
        world.tenant.faults.add(effect="error", status=429, retry_after="7", nth=2)
        parts = [self.part(number, url=EVENTS) for number in range(3)]
        answer = world.call("POST", "/$batch", {"requests": parts}).json()["responses"]

        assert sorted(item["status"] for item in answer) == [200, 200, 429]
        assert [item["headers"].get("Retry-After") for item in answer if item["status"] == 429] == ["7"]


class TestB47Throttling:
    def test_listing_subscriptions_too_often(self, make_world: Callable[..., SimulatedWorld]) -> None:
        """B47: 25 lists in twenty seconds, then 429; reading one is not concerned."""
        world = make_world(subscription_limits=True)
        room = world.subscribe(AULA)
        found = [world.call("GET", "/subscriptions").status for _ in range(26)]
        assert found == [200] * 25 + [429]
        assert world.call("GET", f"/subscriptions/{room}").status == 200
        world.wait(20)
        assert world.call("GET", "/subscriptions").status == 200

    def test_the_fifth_at_once_is_refused(self, make_world: Callable[..., SimulatedWorld]) -> None:
        """B47: 429 ApplicationThrottled with Retry-After; other mailboxes are not concerned."""
        world = make_world(latency=(0.1, 0.1))

        async def burst() -> list[int]:
            headers = {"Authorization": "Bearer demo"}
            paths = [EVENTS] * 5 + [f"/users/{AULA}/events"]
            calls = (world.tenant.handle("GET", f"/v1.0{path}", headers) for path in paths)
            found = await asyncio.gather(*calls)
            refused = next(item for item in found if item.status == 429)
            assert refused.headers["Retry-After"] == "2"
            assert refused.json()["error"]["code"] == "ApplicationThrottled"
            return [item.status for item in found]

        assert sorted(world.run(burst())) == [200] * 5 + [429]

    def test_quota_per_ten_minutes(self, make_world: Callable[..., SimulatedWorld]) -> None:
        """B47: so many in ten minutes, then 429 until the window has moved on."""
        world = make_world(quota=3)
        assert [world.call("GET", EVENTS).status for _ in range(4)] == [200, 200, 200, 429]
        world.wait(601)
        assert world.call("GET", EVENTS).status == 200


class TestB64PolicyRefusal:
    def test_a_policy_takes_its_time(self, world: SimulatedWorld) -> None:
        """B64: it begins and ends more than an hour after it was changed."""
        path = f"/users/{AULA}/events"
        world.call("POST", f"/sim/mailboxes/{AULA}/state", {"state": "denied", "after": 4000})
        world.wait(3900)
        assert world.call("GET", path).status == 200
        world.wait(200)
        assert world.call("GET", path).status == 403
        world.call("POST", f"/sim/mailboxes/{AULA}/state", {"state": "active", "after": 4000})
        world.wait(3900)
        assert world.call("GET", path).status == 403
        world.wait(200)
        assert world.call("GET", path).status == 200

    def test_one_mailbox_is_closed(self, world: SimulatedWorld) -> None:
        """B64: 403 on one mailbox only."""
        world.call("POST", f"/sim/mailboxes/{AULA}/state", {"state": "denied"})

        assert code_of(world.call("GET", f"/users/{AULA}/events")) == (403, "ErrorAccessDenied")
        assert world.call("GET", EVENTS).status == 200


def test_zero_length_events_block_nothing(world: SimulatedWorld) -> None:
    """An instant is an event, not an occupation."""
    book(world, NINE, NINE)
    world.settle()
    event = book(world, NINE, TEN, by=world.kim)
    world.settle()

    assert world.run(world.kim.get(event["id"]))["attendees"][0]["status"]["response"] == "accepted"
