"""Calls around the events: forwards, time zones, ids, calendars, consent."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.simulator.test_booking import AULA, STUDIO, answers, book, copies
from tests.simulator.virtual import SimulatedWorld

ALEX = "alex@example.org"


def to(*addresses: str) -> dict[str, Any]:
    """Return a forward's body in the SDK's spelling."""
    return {"Comment": "please", "ToRecipients": [{"emailAddress": {"address": address}} for address in addresses]}


class TestB53Forwarded:
    def test_a_guest_forwards_to_a_room(self, world: SimulatedWorld) -> None:
        """B53: the room is asked like any other and joins the organizer's list."""
        event = book(world, rooms=[], people=["kim@example.org"])
        world.settle()
        invitation = world.run(world.kim.by_ical(event["iCalUId"]))
        answer = world.call("POST", f"/users/kim@example.org/events/{invitation['id']}/forward", to(AULA))
        world.settle()

        assert (answer.status, answer.body) == (202, b"")
        assert [item["responseStatus"]["response"] for item in copies(world)] == ["accepted"]
        listed = world.run(world.alex.get(event["id"]))["attendees"]
        assert [item["emailAddress"]["address"] for item in listed] == ["kim@example.org", AULA]
        assert answers(world, event) == ["none", "accepted"]

    def test_the_organizer_forwards(self, world: SimulatedWorld) -> None:
        """B53: the same; a room that is listed already is not listed twice."""
        event = book(world)
        world.settle()
        world.call("POST", f"/users/{ALEX}/events/{event['id']}/forward", to(AULA.upper(), STUDIO))
        world.settle()

        assert answers(world, event) == ["accepted", "accepted"]

    def test_nobody_to_forward_to(self, world: SimulatedWorld) -> None:
        """400."""
        event = book(world)
        answer = world.call("POST", f"/users/{ALEX}/events/{event['id']}/forward", {"Comment": "x"})
        assert (answer.status, answer.json()["error"]["code"]) == (400, "ErrorInvalidRecipients")

    def test_after_the_organizer_has_left(self, world: SimulatedWorld) -> None:
        """B52, B53: nobody sends the request any more."""
        event = book(world, rooms=[], people=["kim@example.org"])
        world.settle()
        world.tenant.office.set_state(ALEX, "disabled")
        invitation = world.run(world.kim.by_ical(event["iCalUId"]))
        world.call("POST", f"/users/kim@example.org/events/{invitation['id']}/forward", to(AULA))
        world.settle()

        assert copies(world) == []


class TestB55SomebodyElseOrganizes:
    def test_the_calendars_owner_is_the_organizer(self, world: SimulatedWorld) -> None:
        """B55: whoever sends the request, an event made in a calendar is organized by its owner."""
        event = book(world)
        world.settle()

        assert event["isOrganizer"] is True
        assert event["organizer"]["emailAddress"] == {"name": "Alex Doe", "address": ALEX}
        assert copies(world)[0]["organizer"]["emailAddress"]["address"] == ALEX


class TestTimeZones:
    @pytest.mark.parametrize(
        ("call", "shown"),
        [
            ("supportedTimeZones", "Romance Standard Time"),
            ("supportedTimeZones()", "W. Europe Standard Time"),
            ("supportedTimeZones(TimeZoneStandard=microsoft.graph.timeZoneStandard'Windows')", "UTC"),
            ("supportedTimeZones(TimeZoneStandard=microsoft.graph.timeZoneStandard'Iana')", "Europe/Paris"),
            ("supportedTimeZones(TimeZoneStandard='Iana')", "Europe/Berlin"),
        ],
    )
    def test_supported_ones(self, world: SimulatedWorld, call: str, shown: str) -> None:
        """Windows names unless IANA names are asked for; every one can be preferred."""
        names = [item["alias"] for item in world.get(f"/users/{AULA}/outlook/{call}")["value"]]

        assert shown in names
        assert len(names) == len(set(names))
        for name in names:
            world.get(f"/users/{AULA}/events", Prefer=f'outlook.timezone="{name}"')

    def test_unknown_standard(self, world: SimulatedWorld) -> None:
        """400."""
        assert world.call("GET", f"/users/{AULA}/outlook/supportedTimeZones(TimeZoneStandard='Mars')").status == 400

    def test_b58_a_mailbox_with_a_zone_of_its_own(self, world: SimulatedWorld) -> None:
        """B58: a custom zone has a bias and rules instead of a name."""
        world.call("POST", f"/sim/mailboxes/{AULA}/zone", {"zone": "Europe/Paris", "custom": True})
        settings = world.get(f"/users/{AULA}/mailboxSettings")

        assert settings["timeZone"] == "tzone://Microsoft/Custom"
        assert settings["workingHours"]["timeZone"]["@odata.type"] == "#microsoft.graph.customTimeZone"
        assert settings["workingHours"]["timeZone"]["bias"] == -60

        world.call("POST", f"/sim/mailboxes/{AULA}/zone", {"zone": "Europe/London"})
        assert world.get(f"/users/{AULA}/mailboxSettings/timeZone")["value"] == "Europe/London"


class TestB58OddValues:
    @pytest.mark.parametrize("zone", ["tzone://Microsoft/Custom", "tzone://Microsoft/Utc", ""])
    def test_zones_without_a_name(self, world: SimulatedWorld, zone: str) -> None:
        """B58: what an old client left in originalStartTimeZone is shown as it is; times still come in UTC."""
        event = book(world)
        world.settle()
        body = {"ical_uid": event["iCalUId"], "start_zone": zone, "end_zone": zone}
        assert world.call("POST", f"/sim/mailboxes/{AULA}/disguise", body).status == 200
        copy = copies(world)[0]

        assert (copy["originalStartTimeZone"], copy["originalEndTimeZone"]) == (zone, zone)
        assert copy["start"] == {"dateTime": "2026-11-24T09:00:00.0000000", "timeZone": "UTC"}

    def test_sentinel_dates_and_fractions(self, world: SimulatedWorld) -> None:
        """B58: 0001-01-01 and 9999-12-31 are shown as such; a fraction has seven digits."""
        event = book(world)
        world.settle()
        body = {"ical_uid": event["iCalUId"], "start": "0001-01-01T00:00:00Z", "end": "9999-12-31T23:59:59.1234567Z"}
        world.call("POST", f"/sim/mailboxes/{AULA}/disguise", body)
        copy = copies(world)[0]

        assert copy["start"]["dateTime"] == "0001-01-01T00:00:00.0000000"
        assert copy["end"]["dateTime"] == "9999-12-31T23:59:59.1234560"
        assert [item["id"] for item in world.delta(AULA)[0]] == [copy["id"]]
        shifted = world.get(f"/users/{AULA}/events", Prefer='outlook.timezone="Europe/Paris"')["value"][0]
        assert shifted["end"]["dateTime"].startswith("9999-12-31")

    def test_only_times_and_zones_can_be_disguised(self, world: SimulatedWorld) -> None:
        """400 for anything else, and nothing changes."""
        event = book(world)
        world.settle()
        body = {"ical_uid": event["iCalUId"], "subject": "x"}
        assert world.call("POST", f"/sim/mailboxes/{AULA}/disguise", body).status == 400
        assert copies(world)[0]["subject"] == "Alex Doe"


class TestTranslatedIds:
    def ids(self, world: SimulatedWorld, inputs: list[str], source: str, target: str) -> list[dict[str, Any]]:
        body = {"inputIds": inputs, "sourceIdType": source, "targetIdType": target}
        answer = world.call("POST", f"/users/{AULA}/translateExchangeIds", body)
        assert answer.status == 200, answer.body
        found: list[dict[str, Any]] = answer.json()["value"]
        return found

    def test_b60_there_and_back(self, world: SimulatedWorld) -> None:
        """B60: default ids become immutable ones, EWS ids REST ones, and back."""
        book(world)
        world.settle()
        plain = copies(world)[0]["id"]
        immutable = world.get(f"/users/{AULA}/events", Prefer='IdType="ImmutableId"')["value"][0]["id"]

        assert self.ids(world, [plain], "restId", "restImmutableEntryId") == [
            {"sourceId": plain, "targetId": immutable}
        ]
        ews = self.ids(world, [immutable], "restImmutableEntryId", "ewsId")[0]["targetId"]
        assert "-" not in ews
        assert "_" not in ews
        assert self.ids(world, [ews], "ewsId", "restId")[0]["targetId"] == plain

    def test_one_bad_id_spoils_nothing(self, world: SimulatedWorld) -> None:
        """It carries its own error."""
        book(world)
        world.settle()
        good, bad = self.ids(world, [copies(world)[0]["id"], "nonsense"], "restId", "restImmutableEntryId")
        assert good["targetId"]
        assert bad["errorDetails"]["code"] == "ErrorInvalidIdMalformed"

    @pytest.mark.parametrize(
        "body",
        [
            {"inputIds": [], "sourceIdType": "restId", "targetIdType": "restImmutableEntryId"},
            {"inputIds": ["x"] * 1001, "sourceIdType": "restId", "targetIdType": "restImmutableEntryId"},
            {"inputIds": ["x"], "sourceIdType": "restId", "targetIdType": "sortOf"},
        ],
    )
    def test_bad_questions(self, world: SimulatedWorld, body: dict[str, Any]) -> None:
        """400: one to a thousand ids, of known formats."""
        assert world.call("POST", f"/users/{AULA}/translateExchangeIds", body).status == 400


class TestCalendars:
    def test_the_default_one_by_every_path(self, world: SimulatedWorld) -> None:
        """One calendar, three addresses; another id is not found."""
        listed = world.get(f"/users/{AULA}/calendars")["value"]
        default = world.get(f"/users/{AULA}/calendar")

        assert [item["id"] for item in listed] == [default["id"]]
        assert world.get(f"/users/{AULA}/calendars/{default['id']}")["owner"]["address"] == AULA
        assert world.call("GET", f"/users/{AULA}/calendars/other").status == 404

    def test_a_closed_mailbox_tells_nothing(self, world: SimulatedWorld) -> None:
        """B52: settings included."""
        world.tenant.office.set_state(AULA, "disabled")
        for tail in ("mailboxSettings", "calendar", "outlook/supportedTimeZones"):
            answer = world.call("GET", f"/users/{AULA}/{tail}")
            assert (answer.status, answer.json()["error"]["code"]) == (404, "MailboxNotEnabledForRESTAPI")


class TestAdminConsent:
    def ask(self, world: SimulatedWorld, version: str = "", **more: str) -> dict[str, list[str]]:
        query = {"client_id": world.options.client_id, "state": "12345",
                 "redirect_uri": "https://accord.example.org/back?x=1", **more}  # fmt: skip
        url = f"https://login.microsoftonline.com/{world.options.tenant_id}{version}/adminconsent?{urlencode(query)}"
        answer = world.call("GET", url)
        assert answer.status == 302
        where = urlsplit(answer.headers["Location"])
        assert (where.netloc, where.path) == ("accord.example.org", "/back")
        return parse_qs(where.query)

    def test_granted(self, world: SimulatedWorld) -> None:
        """Back at the redirect address, its query kept, with tenant and state."""
        found = self.ask(world)
        assert found == {"x": ["1"], "admin_consent": ["True"], "tenant": [world.options.tenant_id],
                         "state": ["12345"]}  # fmt: skip

    def test_second_version(self, world: SimulatedWorld) -> None:
        """The scope comes back as well."""
        assert self.ask(world, "/v2.0")["scope"] == ["https://graph.microsoft.com/.default"]

    def test_refused(self, world: SimulatedWorld) -> None:
        """Fault switch: permission_denied; v2.0 says admin_consent=True all the same."""
        world.tenant.faults.add(effect="refuse_consent")
        first, second = self.ask(world), self.ask(world, "/v2.0")

        assert first["error"] == second["error"] == ["permission_denied"]
        assert "admin_consent" not in first
        assert second["admin_consent"] == ["True"]

    def test_unknown_application(self, world: SimulatedWorld) -> None:
        """An error in the query, too."""
        assert self.ask(world, client_id="another")["error"] == ["unauthorized_client"]

    def test_without_an_address_to_go_back_to(self, world: SimulatedWorld) -> None:
        """400: there is nowhere to send the administrator."""
        url = f"https://login.microsoftonline.com/{world.options.tenant_id}/adminconsent?client_id=x"
        assert world.call("GET", url).status == 400
