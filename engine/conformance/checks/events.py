"""Events of one's own calendar: what may be written, and what is shown."""

from __future__ import annotations

from datetime import timedelta
from secrets import token_hex
from urllib.parse import quote, urlencode

from engine.conformance.check import check, holds, same
from engine.conformance.stage import MARK, Stage, attendees, when

EVENT, CREATE, UPDATE = "Graph: event", "Graph: user-post-events", "Graph: event-update"
EXTENDED = "Graph: extended-properties-overview"


@check(CREATE)
async def a_new_event_is_shown_as_it_was_sent(stage: Stage) -> None:
    """201 with the event: id, iCalUId, change key, etag, the times in UTC with seven digits, single, not cancelled."""
    start, end = await stage.slot()
    event = await stage.make(stage.body(start, end))
    same("start", event["start"], {"dateTime": f"{start:%Y-%m-%dT%H:%M:%S}.0000000", "timeZone": "UTC"})
    same("type", event["type"], "singleInstance")
    same("isCancelled, isAllDay, isDraft", (event["isCancelled"], event["isAllDay"], event["isDraft"]), (False,) * 3)
    holds("id, iCalUId, changeKey", event["id"] and event["iCalUId"] and event["changeKey"])
    same("etag", event["@odata.etag"], f'W/"{event["changeKey"]}"')
    same("organizer", event["organizer"]["emailAddress"]["address"].lower(), stage.person.lower())


@check("Graph: event-get")
async def an_event_is_read_in_the_zone_asked_for(stage: Stage) -> None:
    """`Prefer: outlook.timezone` shows the same instant in that zone and is confirmed in `Preference-Applied`."""
    start, end = await stage.slot()
    event = await stage.make(stage.body(start, end))
    answer = await stage.ask(
        "GET", stage.path(stage.person, event["id"]), Prefer='outlook.timezone="Tokyo Standard Time"'
    )
    shown = answer.expect(200)["start"]
    same("start", shown["dateTime"][:19], f"{start + timedelta(hours=9):%Y-%m-%dT%H:%M:%S}")
    same("zone", shown["timeZone"], "Tokyo Standard Time")
    holds("Preference-Applied", "outlook.timezone" in answer.headers.get("Preference-Applied", ""))


@check(EVENT)
async def the_zone_it_was_made_in_is_kept(stage: Stage) -> None:
    """`originalStartTimeZone` is the zone that was sent; start and end are shown in UTC."""
    start, end = await stage.slot()
    zone = "W. Europe Standard Time"
    body = stage.body(start, end, start={**when(start), "timeZone": zone}, end={**when(end), "timeZone": zone})
    event = await stage.make(body)
    same("originalStartTimeZone", event["originalStartTimeZone"], zone)
    same("zone of start", event["start"]["timeZone"], "UTC")
    holds("start in UTC", event["start"]["dateTime"][:19] != f"{start:%Y-%m-%dT%H:%M:%S}")


@check("Graph: datetimetimezone", "B58")
async def an_unknown_zone_is_refused(stage: Stage) -> None:
    """A zone nobody knows: 400."""
    start, end = await stage.slot()
    wrong = {**when(start), "timeZone": "Nowhere/Nothing"}
    (await stage.try_to_make(stage.body(start, end, start=wrong))).refuse(400)


@check("Graph: event-get")
async def a_body_is_shown_as_text_on_request(stage: Stage) -> None:
    """`Prefer: outlook.body-content-type="text"` shows the words of an HTML body."""
    start, end = await stage.slot()
    event = await stage.make(stage.body(start, end, body={"contentType": "html", "content": "<p>Bring chairs</p>"}))
    same("by default", event["body"]["contentType"], "html")
    path = stage.path(stage.person, event["id"])
    found = (await stage.ask("GET", path, Prefer='outlook.body-content-type="text"')).expect(200)
    same("contentType", found["body"]["contentType"], "text")
    same("content", found["body"]["content"].strip(), "Bring chairs")


@check(UPDATE)
async def a_change_gives_a_new_version(stage: Stage) -> None:
    """PATCH shows the event with what was changed and nothing else, and a new change key and etag."""
    start, end = await stage.slot()
    event = await stage.make(stage.body(start, end))
    changed = (await stage.ask("PATCH", stage.path(stage.person, event["id"]), {"subject": "Renamed"})).expect(200)
    same("subject", changed["subject"], "Renamed")
    same("start", changed["start"], event["start"])
    same("id, iCalUId", (changed["id"], changed["iCalUId"]), (event["id"], event["iCalUId"]))
    holds("another change key", changed["changeKey"] != event["changeKey"])


@check(EVENT)
async def the_organizer_cannot_be_written(stage: Stage) -> None:
    """A PATCH of `organizer` changes nothing, whether it is refused or not."""
    start, end = await stage.slot()
    event = await stage.make(stage.body(start, end))
    other = {"organizer": {"emailAddress": {"address": stage.room}}}
    (await stage.ask("PATCH", stage.path(stage.person, event["id"]), other)).expect(200, 400)
    shown = await stage.get(stage.person, event["id"])
    same("organizer", shown["organizer"]["emailAddress"]["address"].lower(), stage.person.lower())


@check("Graph: event-delete")
async def a_deleted_event_leaves_the_calendar(stage: Stage) -> None:
    """DELETE is answered by 204 without a body, and the event is in no view any more."""
    start, end = await stage.slot()
    event = await stage.make(stage.body(start, end))
    answer = await stage.ask("DELETE", stage.path(stage.person, event["id"]))
    same("body", answer.expect(204), None)
    same("events at that time", await stage.view(stage.person, start, end), [])


@check(EVENT)
async def an_event_may_be_deleted_for_good(stage: Stage) -> None:
    """`permanentDelete` is answered without a body, and the event is gone."""
    start, end = await stage.slot()
    event = await stage.make(stage.body(start, end))
    (await stage.ask("POST", stage.path(stage.person, event["id"], "/permanentDelete"))).expect(204)
    (await stage.ask("GET", stage.path(stage.person, event["id"]))).refuse(404, "ErrorItemNotFound")


@check(CREATE)
async def an_end_before_the_start_is_refused(stage: Stage) -> None:
    """An event that ends before it begins: 400."""
    start, end = await stage.slot()
    (await stage.try_to_make(stage.body(end, start))).refuse(400)


@check(CREATE)
async def an_event_needs_start_and_end(stage: Stage) -> None:
    """An event without times: 400."""
    (await stage.try_to_make({"subject": "Accord conformance check"})).refuse(400)


@check(EVENT, "B41")
async def all_day_is_midnight_to_midnight(stage: Stage) -> None:
    """An all-day event at another hour: 400; from midnight to midnight it is accepted and shown so in any zone."""
    start, end = await stage.slot()
    (await stage.try_to_make(stage.body(start, end, isAllDay=True))).refuse(400)
    midnight = start.replace(hour=0)
    event = await stage.make(stage.body(midnight, midnight + timedelta(days=1), isAllDay=True))
    path = stage.path(stage.person, event["id"])
    shown = (await stage.ask("GET", path, Prefer='outlook.timezone="Tokyo Standard Time"')).expect(200)
    holds("midnight in Tokyo", "T00:00:00" in shown["start"]["dateTime"] and "T00:00:00" in shown["end"]["dateTime"])


@check(EXTENDED)
async def an_extended_property_comes_only_when_expanded(stage: Stage) -> None:
    """A property is written with the event, is not echoed, and is read by `$expand` with a filter on its id."""
    start, end = await stage.slot()
    event = await stage.make(stage.body(start, end))
    holds("not echoed", "singleValueExtendedProperties" not in event)
    expand = quote(f"singleValueExtendedProperties($filter=id eq '{MARK}')")
    found = (await stage.ask("GET", stage.path(stage.person, event["id"], f"?$expand={expand}"))).expect(200)
    same("value", [each["value"] for each in found["singleValueExtendedProperties"]], ["made by a check"])


@check(EXTENDED)
async def events_are_found_by_an_extended_property(stage: Stage) -> None:
    """A filter on id and value finds the event, and the value's case does not matter."""
    start, end = await stage.slot()
    value = f"check {token_hex(6)}"
    properties = [*stage.body(start, end)["singleValueExtendedProperties"], {"id": REFERENCE, "value": value}]
    event = await stage.make(stage.body(start, end, singleValueExtendedProperties=properties))
    wanted = f"singleValueExtendedProperties/Any(ep: ep/id eq '{REFERENCE}' and ep/value eq '{value.upper()}')"
    answer = await stage.ask("GET", stage.path(stage.person, tail=f"/events?{_filter(wanted)}"))
    answer.expect(200)
    same("events found", [each["id"] for each in answer.value], [event["id"]])


REFERENCE = "String {8f1f2b6e-6a52-4a0b-9a39-6c3f9d1d2c11} Name AccordConformanceReference"


def _filter(condition: str) -> str:
    return urlencode({"$filter": condition}, quote_via=quote)


@check(EVENT)
async def events_are_found_by_their_uid(stage: Stage) -> None:
    """`$filter=iCalUId eq '...'` finds the event in its mailbox."""
    start, end = await stage.slot()
    event = await stage.make(stage.body(start, end))
    same("events found", [each["id"] for each in await stage.copies(stage.person, event)], [event["id"]])


@check("Graph: query-parameters")
async def an_unreadable_filter_is_refused(stage: Stage) -> None:
    """A filter that cannot be read: 400."""
    path = stage.path(stage.person, tail=f"/events?{_filter('nonsense nonsense nonsense')}")
    (await stage.ask("GET", path)).refuse(400)


@check("Graph: query-parameters")
async def a_selection_keeps_id_and_etag(stage: Stage) -> None:
    """`$select=subject` shows the subject, with `id` and `@odata.etag`, and nothing else."""
    start, end = await stage.slot()
    event = await stage.make(stage.body(start, end))
    found = (await stage.ask("GET", stage.path(stage.person, event["id"], "?$select=subject"))).expect(200)
    same("names", sorted(set(found) - {"@odata.context"}), ["@odata.etag", "id", "subject"])


@check(EVENT, "B48")
async def a_repeated_transaction_makes_no_second_event(stage: Stage) -> None:
    """The same `transactionId` with the same content is answered by the event that exists."""
    start, end = await stage.slot()
    body = stage.body(start, end, transactionId=token_hex(12))
    first, again = await stage.make(body), await stage.make(body)
    same("id", again["id"], first["id"])
    same("events at that time", len(await stage.view(stage.person, start, end)), 1)


@check("reported by developers", "B48")
async def a_transaction_with_other_content_is_refused(stage: Stage) -> None:
    """The same `transactionId` with other content: 400 or 409 ErrorDuplicateTransactionId, and no second event."""
    start, end = await stage.slot()
    body = stage.body(start, end, transactionId=token_hex(12))
    await stage.make(body)
    answer = await stage.try_to_make({**body, "subject": "Another"})
    holds("400 or 409", answer.status in (400, 409))
    same("code", answer.error.get("code"), "ErrorDuplicateTransactionId")
    same("events at that time", len(await stage.view(stage.person, start, end)), 1)


@check("Graph: outlook-immutable-id", "B60")
async def immutable_ids_are_other_strings_for_the_same_event(stage: Stage) -> None:
    """`Prefer: IdType="ImmutableId"` shows another id; either id finds the event."""
    start, end = await stage.slot()
    event = await stage.make(stage.body(start, end))
    path = stage.path(stage.person, event["id"])
    other = (await stage.ask("GET", path, Prefer='IdType="ImmutableId"')).expect(200)["id"]
    holds("another string", other != event["id"])
    same("by the immutable id", (await stage.get(stage.person, other))["iCalUId"], event["iCalUId"])


@check("Graph: user-translateexchangeids", "B60")
async def ids_are_translated(stage: Stage) -> None:
    """`translateExchangeIds` turns a REST id into the immutable one."""
    start, end = await stage.slot()
    event = await stage.make(stage.body(start, end))
    wanted = {"inputIds": [event["id"]], "sourceIdType": "restId", "targetIdType": "restImmutableEntryId"}
    answer = await stage.ask("POST", stage.path(stage.person, tail="/translateExchangeIds"), wanted)
    answer.expect(200)
    path = stage.path(stage.person, event["id"])
    other = (await stage.ask("GET", path, Prefer='IdType="ImmutableId"')).expect(200)["id"]
    same("targetId", answer.value[0]["targetId"], other)


@check("msgraph-sdk for Python")
async def names_are_read_in_any_case(stage: Stage) -> None:
    """Query parameters and properties are read in any case, and `@odata.type` in a body is ignored."""
    start, end = await stage.slot()
    event = await stage.make({**stage.body(start, end), "@odata.type": "#microsoft.graph.event"})
    query = f"startdatetime={start:%Y-%m-%dT%H:%M:%SZ}&enddatetime={end:%Y-%m-%dT%H:%M:%SZ}"
    answer = await stage.ask("GET", stage.path(stage.person, tail=f"/calendarview?{query}&%24top=5"))
    answer.expect(200)
    same("events", [each["id"] for each in answer.value], [event["id"]])


@check(EVENT, "B51")
async def a_draft_is_not_sent(stage: Stage) -> None:
    """A draft with a room is shown as a draft, and the room has nothing."""
    start, end = await stage.slot()
    event = await stage.make(stage.body(start, end, isDraft=True, attendees=attendees([stage.room])))
    same("isDraft", event["isDraft"], True)
    await stage.settle()
    same("copies in the room", await stage.copies(stage.room, event), [])


@check("Support KB 3191287", "B16")
async def an_event_made_in_a_room_belongs_to_the_room(stage: Stage) -> None:
    """What is written into a room's own calendar is accepted unchecked; the room organizes it and keeps its subject."""
    start, end = await stage.slot()
    event = await stage.make(stage.body(start, end), owner=stage.room)
    same("isOrganizer", event["isOrganizer"], True)
    same("organizer", event["organizer"]["emailAddress"]["address"].lower(), stage.room.lower())
    await stage.settle()
    same("subject", (await stage.get(stage.room, event["id"]))["subject"], "Accord conformance check")
