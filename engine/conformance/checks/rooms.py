"""What a room does with a request; the room must have the defaults of Exchange Online (docs/conformance.md)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from engine.conformance.check import check, holds, same
from engine.conformance.stage import Stage, answer_of, attendees, when

ATTENDANT, CREATE, UPDATE = "Set-CalendarProcessing", "Graph: user-post-events", "Graph: event-update"


async def copy_in(stage: Stage, room: str, event: dict[str, Any]) -> dict[str, Any]:
    """Return the room's one copy of a meeting."""
    found = await stage.copies(room, event)
    same(f"copies in {room}", len(found), 1)
    return found[0]


async def until_gone(stage: Stage, room: str, event: dict[str, Any]) -> None:
    """Wait until the room holds nothing of a meeting: its copy is cancelled and free, or is not there."""

    async def look() -> bool:
        found = await stage.copies(room, event)
        return all(each["isCancelled"] and each["showAs"] == "free" for each in found)

    await stage.until("the room's copy is cancelled and free, or gone", look)


@check(CREATE, "B1")
async def a_free_room_accepts_later(stage: Stage) -> None:
    """The request is answered by 201 before the room has answered; then the room accepts."""
    event = await stage.book()
    same("at once", answer_of(event, stage.room), "none")
    await stage.answered(event, stage.room, "accepted")


@check(CREATE, "B2")
async def a_taken_room_declines_and_keeps_nothing(stage: Stage) -> None:
    """A second request for the same time is answered by 201 too, and declined later; the room has no copy of it."""
    first = await stage.accepted()
    body = stage.body(*_times(first), attendees=attendees([stage.room]))
    second = await stage.make(body)
    await stage.answered(second, stage.room, "declined")
    await stage.settle()
    same("live copies", [each["id"] for each in await stage.copies(stage.room, second) if not each["isCancelled"]], [])


def _times(event: dict[str, Any]) -> tuple[datetime, datetime]:
    start, end = (datetime.fromisoformat(event[name]["dateTime"][:19]).replace(tzinfo=UTC) for name in ("start", "end"))
    return start, end


@check("graph-docs 14370", "B5")
async def copies_share_the_uid_and_nothing_else(stage: Stage) -> None:
    """The room's copy has the same iCalUId and another id."""
    event = await stage.accepted()
    copy = await copy_in(stage, stage.room, event)
    holds("another id", copy["id"] != event["id"])
    same("isOrganizer", copy["isOrganizer"], False)


@check(ATTENDANT, "B4")
async def a_room_rewrites_its_copy(stage: Stage) -> None:
    """By default the room's copy has the organizer's name for a subject, no body and no private flag."""
    more = {"body": {"contentType": "text", "content": "Bring chairs"}, "sensitivity": "private"}
    event = await stage.accepted(**more)

    async def look() -> bool:
        copy = await copy_in(stage, stage.room, event)
        return bool(copy["subject"].strip() == event["organizer"]["emailAddress"]["name"].strip())

    await stage.until("the room's copy has the organizer's name for a subject", look)
    copy = await copy_in(stage, stage.room, event)
    holds("the body is empty", "Bring chairs" not in copy["body"]["content"])
    same("sensitivity", copy["sensitivity"], "normal")


@check("graph-docs 6242", "B17")
async def a_room_that_is_only_the_place_is_not_asked(stage: Stage) -> None:
    """A room named as location but not invited has no copy."""
    start, end = await stage.slot()
    location = {"displayName": "Room", "locationEmailAddress": stage.room}
    event = await stage.make(stage.body(start, end, location=location))
    await stage.settle()
    same("copies", await stage.copies(stage.room, event), [])


@check("Condeco manual", "B18")
async def a_required_room_is_asked_all_the_same(stage: Stage) -> None:
    """A room among the required attendees accepts as a resource does."""
    await stage.accepted(kind="required")


@check("Graph: event-cancel", "B19")
async def a_cancelled_meeting_frees_the_room(stage: Stage) -> None:
    """After `cancel` the organizer's copy is gone and the room's is cancelled and free, or gone."""
    event = await stage.accepted()
    (await stage.ask("POST", stage.path(stage.person, event["id"], "/cancel"), {"comment": "over"})).expect(202)
    await until_gone(stage, stage.room, event)
    same("organizer's copies", await stage.copies(stage.person, event), [])


@check("Graph: event-delete", "B19")
async def a_deleted_meeting_frees_the_room(stage: Stage) -> None:
    """After the organizer's DELETE the room's copy is cancelled and free, or gone."""
    event = await stage.accepted()
    (await stage.ask("DELETE", stage.path(stage.person, event["id"]))).expect(204)
    await until_gone(stage, stage.room, event)


@check("Graph: event-cancel", "B20")
async def only_the_organizer_may_cancel(stage: Stage) -> None:
    """`cancel` on the room's copy: 400."""
    copy = await copy_in(stage, stage.room, await stage.accepted())
    (await stage.ask("POST", stage.path(stage.room, copy["id"], "/cancel"), {"comment": ""})).refuse(400)


@check("Graph: event-delete", "B21")
async def the_organizer_hears_nothing_of_a_deleted_copy(stage: Stage) -> None:
    """The room's copy is deleted; the organizer still shows the room as accepted."""
    event = await stage.accepted()
    copy = await copy_in(stage, stage.room, event)
    (await stage.ask("DELETE", stage.path(stage.room, copy["id"]))).expect(204)
    await stage.settle()
    same("answer", answer_of(await stage.get(stage.person, event["id"]), stage.room), "accepted")


@check("Graph: event-decline", "B22")
async def a_declined_copy_leaves_the_room(stage: Stage) -> None:
    """`decline` with a response on the room's copy: the organizer sees it, and the copy leaves the calendar."""
    event = await stage.accepted()
    copy = await copy_in(stage, stage.room, event)
    body = {"comment": "", "sendResponse": True}
    (await stage.ask("POST", stage.path(stage.room, copy["id"], "/decline"), body)).expect(202)
    await stage.answered(event, stage.room, "declined")
    same("copies", await stage.copies(stage.room, event), [])


@check("Graph: event-accept")
async def an_organizer_cannot_answer(stage: Stage) -> None:
    """`accept` on one's own meeting: 400."""
    event = await stage.accepted()
    body = {"comment": "", "sendResponse": False}
    (await stage.ask("POST", stage.path(stage.person, event["id"], "/accept"), body)).refuse(400)


@check(CREATE, "B23")
async def a_moved_meeting_is_judged_again(stage: Stage) -> None:
    """Other times: the answer is taken back, the room accepts again, and its copy is at the new time."""
    event = await stage.accepted()
    start, end = await stage.slot()
    body = {"start": when(start), "end": when(end)}
    moved = (await stage.ask("PATCH", stage.path(stage.person, event["id"]), body)).expect(200)
    same("at once", answer_of(moved, stage.room), "none")
    await stage.answered(event, stage.room, "accepted")
    same("start in the room", (await copy_in(stage, stage.room, event))["start"], moved["start"])


@check(UPDATE, "B24")
async def another_subject_leaves_the_answer(stage: Stage) -> None:
    """A new subject takes no answer back, and the room's copy stays rewritten."""
    event = await stage.accepted()
    changed = (await stage.ask("PATCH", stage.path(stage.person, event["id"]), {"subject": "Renamed"})).expect(200)
    same("at once", answer_of(changed, stage.room), "accepted")
    await stage.settle()
    holds("still rewritten", (await copy_in(stage, stage.room, event))["subject"] != "Renamed")
    same("later", answer_of(await stage.get(stage.person, event["id"]), stage.room), "accepted")


@check("graph-docs 8419", "B26")
async def a_room_left_out_is_cancelled(stage: Stage) -> None:
    """PATCH of `attendees` without the room: the room is off the list, and its copy is cancelled or gone."""
    event = await stage.accepted()
    changed = (await stage.ask("PATCH", stage.path(stage.person, event["id"]), {"attendees": []})).expect(200)
    same("attendees", changed["attendees"], [])
    await until_gone(stage, stage.room, event)


@check(UPDATE, "B25")
async def a_room_added_is_asked(stage: Stage) -> None:
    """PATCH of `attendees` with one more room: it is asked; the first keeps its answer."""
    other = stage.second_room()
    event = await stage.accepted()
    body = {"attendees": attendees([stage.room, other])}
    changed = (await stage.ask("PATCH", stage.path(stage.person, event["id"]), body)).expect(200)
    same("the first at once", answer_of(changed, stage.room), "accepted")
    await stage.answered(event, other, "accepted")


@check("Graph: event", "B27")
async def another_place_leaves_the_attendees(stage: Stage) -> None:
    """A new location changes no attendee and no answer."""
    event = await stage.accepted()
    body = {"location": {"displayName": "Garden"}}
    changed = (await stage.ask("PATCH", stage.path(stage.person, event["id"]), body)).expect(200)
    same("place", changed["location"]["displayName"], "Garden")
    same("answer", answer_of(changed, stage.room), "accepted")


@check("MS-OXOCAL 3.1.4.8.1", "B40")
async def a_free_meeting_is_accepted_and_stays_free(stage: Stage) -> None:
    """Shown as free: the room accepts, and its copy is free too."""
    event = await stage.accepted(showAs="free")
    same("showAs", (await copy_in(stage, stage.room, event))["showAs"], "free")


@check("Graph: event", "B41")
async def a_room_accepts_whole_days(stage: Stage) -> None:
    """An all-day meeting is accepted, and is all day in the room."""
    start, _ = await stage.slot()
    saturday = start.replace(hour=0) + timedelta(days=(5 - start.weekday()) % 7)
    body = stage.body(
        saturday, saturday + timedelta(days=1), isAllDay=True, showAs="busy", attendees=attendees([stage.room])
    )
    event = await stage.make(body)
    await stage.answered(event, stage.room, "accepted")
    same("isAllDay", (await copy_in(stage, stage.room, event))["isAllDay"], True)


@check(ATTENDANT, "B65")
async def each_room_decides_alone(stage: Stage) -> None:
    """Two rooms, one of them taken: one accepts, the other declines."""
    other = stage.second_room()
    taken = await stage.accepted(other)
    event = await stage.make(stage.body(*_times(taken), attendees=attendees([stage.room, other])))
    await stage.answered(event, stage.room, "accepted")
    await stage.answered(event, other, "declined")


@check(UPDATE, "B54")
async def hidden_attendees_are_hidden_in_the_room(stage: Stage) -> None:
    """With `hideAttendees` the room's copy lists the room alone."""
    other = stage.second_room()
    event = await stage.accepted(stage.room, other, hideAttendees=True)
    copy = await copy_in(stage, stage.room, event)
    same("attendees", [each["emailAddress"]["address"].lower() for each in copy["attendees"]], [stage.room.lower()])


@check(ATTENDANT, "B32")
async def too_long_is_declined(stage: Stage) -> None:
    """A meeting longer than the room's longest, a day by default, is declined."""
    start, _ = await stage.slot()
    event = await stage.make(stage.body(start, start + timedelta(hours=25), attendees=attendees([stage.room])))
    await stage.answered(event, stage.room, "declined")


@check(ATTENDANT, "B31")
async def beyond_the_window_is_declined(stage: Stage) -> None:
    """A meeting further away than the room's booking window, 180 days by default, is declined."""
    start, end = await stage.slot()
    far = timedelta(days=400)
    event = await stage.make(stage.body(start + far, end + far, attendees=attendees([stage.room])))
    await stage.answered(event, stage.room, "declined")


@check(ATTENDANT, "B33")
async def an_endless_series_is_declined(stage: Stage) -> None:
    """A series without end reaches beyond the booking window and is declined as a whole."""
    start, end = await stage.slot()
    recurrence = {
        "pattern": {"type": "daily", "interval": 1},
        "range": {"type": "noEnd", "startDate": f"{start:%Y-%m-%d}"},
    }
    event = await stage.make(stage.body(start, end, recurrence=recurrence, attendees=attendees([stage.room])))
    await stage.answered(event, stage.room, "declined")
