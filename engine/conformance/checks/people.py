"""The directory and the settings of mailboxes."""

from __future__ import annotations

from engine.conformance.check import check, holds, same
from engine.conformance.stage import Stage, window


@check("Graph: user-get")
async def a_user_is_found_by_address_and_by_id(stage: Stage) -> None:
    """Address and id lead to the same user; capitals in the address do not matter."""
    found = (await stage.ask("GET", stage.path(stage.person.upper()))).expect(200)
    same("by id", (await stage.ask("GET", stage.path(found["id"]))).expect(200)["id"], found["id"])


@check("Graph: user")
async def fields_by_default_and_by_selection(stage: Stage) -> None:
    """`proxyAddresses` comes only when it is selected, and then with the primary one as `SMTP:`."""
    plain = (await stage.ask("GET", stage.path(stage.person))).expect(200)
    full = (await stage.ask("GET", stage.path(stage.person, tail="?$select=id,proxyAddresses"))).expect(200)
    holds("not by default", "proxyAddresses" not in plain)
    holds("one is primary", sum(each.startswith("SMTP:") for each in full["proxyAddresses"]) == 1)
    holds("only what was selected", "displayName" not in full)


@check("Graph: user-list")
async def users_are_listed_by_pages(stage: Stage) -> None:
    """`$top=1` gives one user and a link to the next page."""
    answer = await stage.ask("GET", "/users?$top=1")
    answer.expect(200)
    same("users on the page", len(answer.value), 1)
    link = answer.body.get("@odata.nextLink")
    holds("there is a nextLink", link)
    following = await stage.ask("GET", link)
    following.expect(200)
    holds("the next page shows others", following.value[0]["id"] != answer.value[0]["id"])


@check("Graph: user-get-mailboxsettings")
async def the_purpose_tells_rooms_from_people(stage: Stage) -> None:
    """`mailboxSettings/userPurpose` is `room` for a room and `user` for a person, as `value`."""
    for mailbox, purpose in ((stage.room, "room"), (stage.person, "user")):
        body = (await stage.ask("GET", stage.path(mailbox, tail="/mailboxSettings/userPurpose"))).expect(200)
        same(f"userPurpose of {purpose}", body["value"], purpose)


@check("Graph: mailboxsettings")
async def mailbox_settings_have_zone_and_hours(stage: Stage) -> None:
    """A room's settings name a time zone and working hours with days, start, end and zone."""
    body = (await stage.ask("GET", stage.path(stage.room, tail="/mailboxSettings"))).expect(200)
    holds("timeZone", body["timeZone"])
    hours = body["workingHours"]
    same("working hours", sorted({"daysOfWeek", "startTime", "endTime", "timeZone"} - set(hours)), [])


@check("Graph: calendar-get")
async def the_default_calendar_has_an_owner(stage: Stage) -> None:
    """`/calendar` is the default calendar, with its owner's address and what may be done."""
    body = (await stage.ask("GET", stage.path(stage.room, tail="/calendar"))).expect(200)
    same("owner", body["owner"]["address"].lower(), stage.room.lower())
    same("isDefaultCalendar", body["isDefaultCalendar"], True)
    same("canEdit", body["canEdit"], True)


@check("Graph: user-list-calendars")
async def the_default_calendar_is_listed_and_leads_to_events(stage: Stage) -> None:
    """`/calendars` lists the default calendar; `/calendars/{id}/events` shows what `/events` shows."""
    answer = await stage.ask("GET", stage.path(stage.person, tail="/calendars"))
    answer.expect(200)
    (default,) = [each for each in answer.value if each["isDefaultCalendar"]]
    start, end = await stage.slot()
    event = await stage.make(stage.body(start, end))
    path = stage.path(stage.person, tail=f"/calendars/{default['id']}/calendarView?{window(start, end)}")
    found = await stage.ask("GET", path)
    found.expect(200)
    holds("the event is in it", event["id"] in {each["id"] for each in found.value})


@check("Graph: outlookuser-supportedtimezones", "B58")
async def supported_zones_are_windows_names_unless_asked(stage: Stage) -> None:
    """Zones are listed by Windows names; by IANA names on request."""
    plain = await stage.ask("GET", stage.path(stage.person, tail="/outlook/supportedTimeZones"))
    tail = "/outlook/supportedTimeZones(TimeZoneStandard=microsoft.graph.timeZoneStandard'Iana')"
    iana = await stage.ask("GET", stage.path(stage.person, tail=tail))
    plain.expect(200)
    iana.expect(200)
    holds("a Windows name", "W. Europe Standard Time" in {each["alias"] for each in plain.value})
    holds("an IANA name", "Europe/Berlin" in {each["alias"] for each in iana.value})
