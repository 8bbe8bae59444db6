"""What each method of the calendar asks of Graph, and what it makes of the answers."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import unquote

import pytest
from msgraph.generated.users.item.calendar_view.delta.delta_request_builder import DeltaRequestBuilder
from msgraph.generated.users.item.events.item.instances.instances_request_builder import InstancesRequestBuilder

from engine.errors import MailboxClosed, Malformed, Refused, ResyncRequired, Stale, Unmatched
from engine.graph.payloads import EVENT_FIELDS
from engine.graph.render import MARKER_ID, render_instant
from engine.graph.urls import DATES_PER_PAGE, Urls
from engine.interval import Interval
from engine.rooms.calendar import EventPatch
from engine.rooms.event import EventCopy, Mailbox
from tests.unit.graph.scripted import BASE_URL, NINE, PERSON, ROOM, TEN, Desk, answer, draft, event, failure

UNTIL = datetime(2026, 11, 26, 7, tzinfo=UTC)
SERIES = {
    "pattern": {"type": "daily", "interval": 1},
    "range": {"type": "endDate", "startDate": "2026-11-24", "endDate": "2026-12-24"},
}
SUBSCRIPTION = {
    "id": "s1",
    "resource": f"/users/{ROOM}/events",
    "notificationUrl": "https://sync.example.org/n",
    "expirationDateTime": "2026-11-26T07:00:00Z",
}


def copy_of(desk: Desk, **fields: Any) -> EventCopy:
    desk.answers(answer(200, event(**fields)))
    found: EventCopy = desk.run(desk.calendar.fetch_event(PERSON, "AAMk1="))
    desk.service.sent.clear()
    return found


def _marked(loan_ref: str, **fields: Any) -> dict[str, Any]:
    """Return an event that shows our marker: ids of extended properties come back in another case."""
    return event(singleValueExtendedProperties=[{"id": MARKER_ID.upper(), "value": loan_ref}], **fields)


def subscribe(desk: Desk, room: str = ROOM) -> Any:
    return desk.run(
        desk.calendar.create_subscription(
            room, notification_url="https://sync.example.org/n", lifecycle_url="https://sync.example.org/l",
            client_state="secret", expires_at=UNTIL,
        )
    )  # fmt: skip


class TestAddresses:
    ODD = "a/b+c=d%e#f?g é'h"

    def test_every_segment_is_encoded_once(self) -> None:
        """Ids are opaque: whatever they hold reaches Graph as it is."""
        url = Urls(BASE_URL).event(PERSON, self.ODD)

        assert url == f"{BASE_URL}/users/alex%40example.org/events/a%2Fb%2Bc%3Dd%25e%23f%3Fg%20%C3%A9%27h"

    @pytest.mark.parametrize("event_id", [ODD, "AAMkAD=", "x" * 150, "a~b-c_d.e", "100%"])
    def test_an_event_is_spelled_as_the_builder_spells_it(self, event_id: str) -> None:
        """Only what stands around mailbox and id is kept expanded; the whole equals the builder's own expansion."""
        urls = Urls(BASE_URL)

        for mailbox in (ROOM, self.ODD, "MAILBOX", "x@MAILBOX"):
            assert urls.event(mailbox, event_id) == urls._expand(urls._user(mailbox).events.by_event_id(event_id))

    @pytest.mark.parametrize("mailbox", [ROOM, "START=END@example.org", "a+b@example.org", ODD, "MAILBOX"])
    def test_a_window_is_spelled_as_the_builder_spells_it(self, mailbox: str) -> None:
        """Only what stands around the window is kept expanded."""
        urls = Urls(BASE_URL)
        window = {"start_date_time": render_instant(NINE), "end_date_time": render_instant(TEN)}
        query = DeltaRequestBuilder.DeltaRequestBuilderGetQueryParameters(**window)
        fields = {"select": list(EVENT_FIELDS), "top": DATES_PER_PAGE}
        dates = InstancesRequestBuilder.InstancesRequestBuilderGetQueryParameters(**window, **fields)

        delta, instances = (
            urls._user(mailbox).calendar_view.delta,
            urls._user(mailbox).events.by_event_id("A/B=").instances,
        )
        assert urls.changes(mailbox, start=NINE, end=TEN) == urls._expand(delta, query)
        assert urls.dates(mailbox, "A/B=", start=NINE, end=TEN) == urls._expand(instances, dates)

    @pytest.mark.parametrize("name", ["", " ", ".", "..", "a\nb"])
    def test_a_name_that_cannot_be_a_segment_is_refused(self, desk: Desk, name: str) -> None:
        """An empty id would name the whole collection: nothing is sent."""
        desk.answers(answer(204))
        calendar = desk.calendar

        for attempt in (
            calendar.fetch_event(ROOM, name),
            calendar.fetch_event(name, "AAMk1="),
            calendar.delete_event(name, "AAMk1="),
            calendar.delete_event(ROOM, name),
            calendar.decline_event(ROOM, name, ""),
            calendar.create_event(name, draft()),
            calendar.delete_subscription(name),
            calendar.fetch_changes(name, link=None, window=Interval(NINE, TEN)),
        ):
            with pytest.raises(Malformed):
                desk.run(attempt)

        assert desk.service.sent == []

    def test_mailboxes_do_not_mix(self) -> None:
        """One builder's parameters never leak into another's address."""
        urls = Urls(BASE_URL)
        first = urls.events("one@example.org")
        urls.events("two@example.org")
        urls.places, urls.subscriptions  # noqa: B018 - reading them must not disturb the others either

        assert urls.events("one@example.org") == first == f"{BASE_URL}/users/one%40example.org/events"


class TestReadingChanges:
    def test_the_first_page_opens_the_window(self, desk: Desk) -> None:
        """Start and end are named once, in UTC; the chain keeps them."""
        desk.answers(answer(200, {"value": [], "@odata.deltaLink": f"{BASE_URL}/d"}))

        desk.run(desk.calendar.fetch_changes(ROOM, link=None, window=Interval(NINE, TEN)))

        assert desk.service.sent[0].url == (
            f"{BASE_URL}/users/aula%40example.org/calendarView/delta()"
            "?endDateTime=2026-11-24T10%3A00%3A00Z&startDateTime=2026-11-24T09%3A00%3A00Z"
        )

    @pytest.mark.parametrize(
        ("status", "code"),
        [(410, "syncStateNotFound"), (400, "SyncStateInvalid"), (410, "x"), (400, "ErrorInvalidUrlQuery")],
    )
    def test_a_token_that_is_no_longer_known(self, desk: Desk, status: int, code: str) -> None:
        """The window must be read anew."""
        desk.answers(failure(status, code))

        with pytest.raises(ResyncRequired):
            desk.run(desk.calendar.fetch_changes(ROOM, link=f"{BASE_URL}/d", window=None))

    def test_unreadable_items_are_counted(self, desk: Desk) -> None:
        """They are neither hidden nor in the way."""
        desk.answers(answer(200, {"value": [3, {"subject": "x"}, event()], "@odata.deltaLink": f"{BASE_URL}/d"}))

        found = desk.run(desk.calendar.fetch_changes(ROOM, link=None, window=Interval(NINE, TEN)))

        assert (len(found.changes), found.unreadable) == (1, 2)

    def test_neither_link_nor_window_is_our_own_mistake(self, desk: Desk) -> None:
        """There is nothing to read."""
        with pytest.raises(ValueError, match="link or a window"):
            desk.run(desk.calendar.fetch_changes(ROOM, link=None, window=None))


class TestLookingForEvents:
    def test_gone_is_said_by_graph_alone(self, desk: Desk) -> None:
        """ErrorItemNotFound is None; a closed mailbox is an error, not an absence."""
        desk.answers(failure(404, "ErrorItemNotFound"))
        assert desk.run(desk.calendar.fetch_event(ROOM, "AAMk1=")) is None

        desk.answers(failure(404, "MailboxNotEnabledForRESTAPI"))
        with pytest.raises(MailboxClosed):
            desk.run(desk.calendar.fetch_event(ROOM, "AAMk1="))

    def test_by_uid(self, desk: Desk) -> None:
        """Quotes are doubled, as OData wants them."""
        desk.answers(answer(200, {"value": []}))

        assert desk.run(desk.calendar.find_event(ROOM, "O'UID")) is None
        assert "%24filter=iCalUId%20eq%20%27O%27%27UID%27" in desk.service.sent[0].url
        assert "%24top=2" in desk.service.sent[0].url

    def test_a_tenant_that_refuses_the_filter(self, desk: Desk) -> None:
        """Then it is unknown whether there is a copy."""
        desk.answers(failure(400, "ErrorInvalidUrlQuery"))

        with pytest.raises(Malformed):
            desk.run(desk.calendar.find_event(ROOM, "UID1"))

    def test_the_living_one_is_preferred(self, desk: Desk) -> None:
        """A cancelled copy may lie beside a newer one."""
        desk.answers(answer(200, {"value": [event(id="old", isCancelled=True), event(id="new")]}))

        assert desk.run(desk.calendar.find_event(ROOM, "UID1")).event_id == "new"

    def test_an_answer_about_other_events_says_nothing(self, desk: Desk) -> None:
        """The filter was passed over: what lies beyond the first two nobody knows. It was taken for "there is none"."""
        desk.answers(answer(200, {"value": [event(iCalUId="OTHER")]}))

        with pytest.raises(Malformed):
            desk.run(desk.calendar.find_event(ROOM, "UID1"))

    def test_an_answer_that_cannot_be_read_says_nothing(self, desk: Desk) -> None:
        desk.answers(answer(200, {"value": [3]}))

        with pytest.raises(Malformed):
            desk.run(desk.calendar.find_event(ROOM, "UID1"))

    def test_of_several_the_one_that_was_asked_for_is_taken(self, desk: Desk) -> None:
        desk.answers(answer(200, {"value": [event(id="other", iCalUId="OTHER"), event(id="mine", isCancelled=True)]}))

        assert desk.run(desk.calendar.find_event(ROOM, "UID1")).event_id == "mine"

    def test_an_empty_page_with_a_link_is_not_the_end(self, desk: Desk) -> None:
        desk.answers(
            answer(200, {"value": [], "@odata.nextLink": f"{BASE_URL}/next"}), answer(200, {"value": [event()]})
        )

        assert desk.run(desk.calendar.find_event(ROOM, "UID1")).event_id == "AAMk1="

    def test_by_marker(self, desk: Desk) -> None:
        """The extended property of ours, with the loan's reference. It is looked at: what is found may be deleted."""
        desk.answers(answer(200, {"value": [_marked("1:g10", id="other"), _marked("1:G1")]}))

        assert desk.run(desk.calendar.find_marked_event(PERSON, "1:g1")).event_id == "AAMk1="
        url = unquote(desk.service.sent[0].url)
        assert "ep/value eq '1:g1'" in url
        assert f"$expand=singleValueExtendedProperties($filter=id eq '{MARKER_ID}')" in url

    def test_an_event_that_does_not_show_the_marker_is_not_ours(self, desk: Desk) -> None:
        desk.answers(answer(200, {"value": [event()]}))

        with pytest.raises(Malformed):
            desk.run(desk.calendar.find_marked_event(PERSON, "1:g1"))


class TestCreating:
    def test_what_is_sent(self, desk: Desk) -> None:
        """Times in UTC, rooms as resources, no proposals, the transaction id and the marker."""
        desk.answers(answer(201, event()))

        desk.run(desk.calendar.create_event(PERSON, draft(private=True)))

        assert desk.service.sent[0].url == f"{BASE_URL}/users/alex%40example.org/events"
        assert desk.service.bodies == [
            {
                "subject": "#1 Alex Doe",
                "body": {"contentType": "html", "content": "<p>one room</p>"},
                "isAllDay": False,
                "start": {"dateTime": "2026-11-24T09:00:00", "timeZone": "UTC"},
                "end": {"dateTime": "2026-11-24T10:00:00", "timeZone": "UTC"},
                "location": {"displayName": "Aula", "locationEmailAddress": ROOM},
                "attendees": [{"type": "resource", "emailAddress": {"address": ROOM, "name": "Aula"}}],
                "sensitivity": "private",
                "allowNewTimeProposals": False,
                "transactionId": "loan-1-g1",
                "singleValueExtendedProperties": [{"id": MARKER_ID, "value": "1:g1"}],
            }
        ]

    def test_several_rooms_share_the_label(self, desk: Desk) -> None:
        """`location` holds one address, so several rooms are named only."""
        desk.answers(answer(201, event()))

        rooms = (Mailbox(ROOM, "Aula"), Mailbox("studio@example.org", ""))
        desk.run(desk.calendar.create_event(PERSON, draft(rooms=rooms)))

        assert desk.service.bodies[0]["location"] == {"displayName": "Aula; studio@example.org"}

    @pytest.mark.parametrize("status", [400, 409])
    def test_a_transaction_id_that_was_used_already(self, desk: Desk, status: int) -> None:
        """The event that carries our marker is the one meant (status 400 and 409 were both observed)."""
        desk.answers(
            failure(status, "ErrorDuplicateTransactionId"), answer(200, {"value": [_marked("1:g1", id="mine")]})
        )

        assert desk.run(desk.calendar.create_event(PERSON, draft())).event_id == "mine"

    def test_and_no_event_carries_the_marker(self, desk: Desk) -> None:
        """Then a person must look: trying again cannot help."""
        desk.answers(failure(409, "ErrorDuplicateTransactionId"), answer(200, {"value": []}))

        with pytest.raises(Refused, match="marker 1:g1"):
            desk.run(desk.calendar.create_event(PERSON, draft()))


class TestChanging:
    def test_only_what_is_named_goes_out_under_the_etag(self, desk: Desk) -> None:
        """A PATCH is minimal, and holds only for the version it was decided on."""
        copy = copy_of(desk)

        desk.run(desk.calendar.change_event(PERSON, copy, EventPatch(subject="x")))

        assert desk.service.bodies == [{"subject": "x"}]
        assert desk.service.sent[0].headers["If-Match"] == 'W/"CK1"'

    def test_nothing_to_change_sends_nothing(self, desk: Desk) -> None:
        """An empty PATCH would still mail everybody."""
        copy = copy_of(desk)

        assert desk.run(desk.calendar.change_event(PERSON, copy, EventPatch())) is copy
        assert desk.service.sent == []

    def test_a_change_of_rooms_alone_sends_attendees_alone(self, desk: Desk) -> None:
        """People stay, the dropped room goes, the new one comes; nothing beside, so only these get mail."""
        copy = copy_of(desk)
        patch = EventPatch(attendees=(Mailbox("studio@example.org", "Studio"),), drop_rooms=(ROOM.upper(),))

        desk.run(desk.calendar.change_event(PERSON, copy, patch))

        assert desk.service.bodies == [
            {
                "attendees": [
                    {"type": "required", "emailAddress": {"address": "kim@example.org", "name": "Kim Ito"}},
                    {"type": "resource", "emailAddress": {"address": "studio@example.org", "name": "Studio"}},
                ]
            }
        ]

    def test_a_room_that_is_there_already_is_not_added_twice(self, desk: Desk) -> None:
        """Addresses are compared without regard to case."""
        copy = copy_of(desk)
        patch = EventPatch(attendees=(Mailbox("AULA@example.org", "Aula"),), subject="x")

        desk.run(desk.calendar.change_event(PERSON, copy, patch))

        assert [one["emailAddress"]["address"] for one in desk.service.bodies[0]["attendees"]] == [
            "kim@example.org",
            ROOM,
        ]
        assert desk.service.bodies[0]["location"]["displayName"] == "Aula"

    def test_an_all_day_event_given_hours_is_no_longer_one(self, desk: Desk) -> None:
        """Times other than midnight are refused while isAllDay stands."""
        days = {"start": {"dateTime": "2026-11-24T00:00:00"}, "end": {"dateTime": "2026-11-25T00:00:00"}}
        copy = copy_of(desk, isAllDay=True, **days)

        desk.run(desk.calendar.change_event(PERSON, copy, EventPatch(interval=Interval(NINE, TEN))))

        assert desk.service.bodies[0]["isAllDay"] is False

    def test_somebody_was_faster(self, desk: Desk) -> None:
        """412 is Stale, 404 is Unmatched: both are for the caller to judge."""
        copy = copy_of(desk)

        desk.answers(failure(412, "ErrorIrresolvableConflict"))
        with pytest.raises(Stale):
            desk.run(desk.calendar.change_event(PERSON, copy, EventPatch(subject="x")))
        desk.answers(failure(404, "ErrorItemNotFound"))
        with pytest.raises(Unmatched):
            desk.run(desk.calendar.change_event(PERSON, copy, EventPatch(subject="x")))


class TestEnding:
    def test_deleting_and_declining_tell_whether_it_was_there(self, desk: Desk) -> None:
        """Gone already is not an error."""
        desk.answers(answer(204), answer(202), failure(404, "ErrorItemNotFound"))
        calendar = desk.calendar

        assert desk.run(calendar.delete_event(PERSON, "AAMk1=")) is True
        assert desk.run(calendar.decline_event(ROOM, "AAMk1=", "Full")) is True
        assert desk.run(calendar.delete_event(PERSON, "AAMk1=")) is False
        assert desk.run(calendar.decline_event(ROOM, "AAMk1=", "Full")) is False
        assert desk.service.bodies[0] == {"comment": "Full", "sendResponse": True}
        assert desk.service.sent[1].url.endswith("/events/AAMk1%3D/decline")

    @pytest.mark.parametrize("is_there_when_read", [False, True])
    def test_a_series_that_is_gone_cannot_be_shortened(self, desk: Desk, is_there_when_read: bool) -> None:
        """Somebody may cancel it after it was read, too."""
        master = event(recurrence=SERIES, subject="Choir")
        desk.answers(*[answer(200, master)] * is_there_when_read, failure(404, "ErrorItemNotFound"))

        with pytest.raises(Unmatched):
            desk.run(desk.calendar.end_series(PERSON, "AAMk1=", date(2026, 12, 1), None))

        assert [sent.method for sent in desk.service.sent] == ["GET", *["PATCH"] * is_there_when_read]


class TestSubscriptions:
    def test_what_is_sent(self, desk: Desk) -> None:
        """All kinds of change, both addresses, a secret, an end in UTC."""
        desk.answers(answer(201, SUBSCRIPTION))

        assert subscribe(desk).id == "s1"
        assert desk.service.bodies == [
            {
                "changeType": "created,updated,deleted",
                "resource": f"/users/{ROOM}/events",
                "notificationUrl": "https://sync.example.org/n",
                "lifecycleNotificationUrl": "https://sync.example.org/l",
                "clientState": "secret",
                "expirationDateTime": "2026-11-26T07:00:00Z",
                "latestSupportedTlsVersion": "v1_2",
            }
        ]

    def test_one_in_the_way_is_replaced(self, desk: Desk) -> None:
        """Its client state cannot be read back, so it cannot be adopted; those of other rooms stay."""
        other = {**SUBSCRIPTION, "id": "s0", "resource": "users/studio@example.org/events"}
        mine = {**SUBSCRIPTION, "resource": f"users/{ROOM.upper()}/events"}
        listed = answer(200, {"value": [other, mine]})
        made = answer(201, {**SUBSCRIPTION, "id": "s2"})
        desk.answers(failure(409, "ExtensionError"), listed, answer(204), made)

        assert subscribe(desk).id == "s2"
        assert [request.method for request in desk.service.sent] == ["POST", "GET", "DELETE", "POST"]
        assert desk.service.sent[2].url.endswith("/subscriptions/s1")

    def test_one_that_is_gone_cannot_be_renewed(self, desk: Desk) -> None:
        """404 means: create a new one (Graph docs: subscription-update)."""
        desk.answers(failure(404, "ResourceNotFound"))

        assert desk.run(desk.calendar.renew_subscription("s1", expires_at=UNTIL)) is None
        desk.run(desk.calendar.delete_subscription("s1"))

    @pytest.mark.parametrize("room", ["", "a b", "o'x@example.org", "a/b"])
    def test_a_room_that_cannot_stand_in_a_resource(self, desk: Desk, room: str) -> None:
        """The resource is sent as it stands: what could change its meaning is refused."""
        with pytest.raises(Malformed):
            subscribe(desk, room)
