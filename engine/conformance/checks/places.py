"""Rooms and room lists."""

from __future__ import annotations

from urllib.parse import quote

from engine.conformance.check import check, holds, same
from engine.conformance.stage import NotPossible, Stage

LIST = "Graph: place-list"
FIELDS = (
    "id", "displayName", "emailAddress", "capacity", "building", "floorNumber", "floorLabel", "bookingType", "tags",
    "audioDeviceName", "videoDeviceName", "displayDeviceName", "isWheelChairAccessible", "label", "phone",
)  # fmt: skip


@check(LIST)
async def rooms_are_listed_with_their_addresses(stage: Stage) -> None:
    """`/places/microsoft.graph.room` has the room, with every property the engine reads."""
    answer = await stage.ask("GET", "/places/microsoft.graph.room?$top=1000")
    answer.expect(200)
    found = [each for each in answer.value if each["emailAddress"].lower() == stage.room.lower()]
    same("the test room in the list", len(found), 1)
    same("properties it lacks", [name for name in FIELDS if name not in found[0]], [])


@check("msgraph-sdk for Python")
async def the_short_spelling_lists_the_same(stage: Stage) -> None:
    """`graph.room`, as SDKs write it, lists what `microsoft.graph.room` lists."""
    long = await stage.ask("GET", "/places/microsoft.graph.room?$top=1000")
    short = await stage.ask("GET", "/places/graph.room?$top=1000")
    long.expect(200)
    short.expect(200)
    same("rooms", sorted(each["id"] for each in short.value), sorted(each["id"] for each in long.value))


@check(LIST)
async def rooms_come_by_pages(stage: Stage) -> None:
    """`$top=1` gives one room and a link; following links gives every room once."""
    whole = await stage.ask("GET", "/places/microsoft.graph.room?$top=1000")
    link, found = "/places/microsoft.graph.room?$top=1", list[str]()
    for _ in range(30):
        answer = await stage.ask("GET", link)
        answer.expect(200)
        holds("at most one room on a page", len(answer.value) <= 1)
        found += [each["id"] for each in answer.value]
        link = answer.body.get("@odata.nextLink", "")
        if not link:
            break
    same("rooms", found[:30], [each["id"] for each in whole.value][: len(found)])


@check(LIST)
async def rooms_are_counted_on_request(stage: Stage) -> None:
    """`$count=true` adds `@odata.count`, the number of all rooms."""
    answer = await stage.ask("GET", "/places/microsoft.graph.room?$count=true&$top=1000")
    answer.expect(200)
    same("@odata.count", answer.body.get("@odata.count"), len(answer.value))


@check(LIST)
async def rooms_show_what_was_selected(stage: Stage) -> None:
    """`$select` leaves out what was not asked for."""
    answer = await stage.ask("GET", "/places/microsoft.graph.room?$select=displayName,emailAddress&$top=1")
    answer.expect(200)
    holds("displayName is there", "displayName" in answer.value[0])
    holds("capacity is not", "capacity" not in answer.value[0])


@check("Graph: place-get")
async def a_place_is_found_by_address_and_by_id(stage: Stage) -> None:
    """A room's address and its id lead to the same place."""
    by_address = (await stage.ask("GET", f"/places/{quote(stage.room, safe='@')}")).expect(200)
    by_id = (await stage.ask("GET", f"/places/{by_address['id']}")).expect(200)
    same("address", by_id["emailAddress"], by_address["emailAddress"])


@check("Graph: place-get")
async def an_unknown_place_is_not_found(stage: Stage) -> None:
    """A place nobody knows: 404."""
    (await stage.ask("GET", "/places/11111111-2222-4333-8444-555555555555")).refuse(404)


@check(LIST)
async def a_room_list_has_rooms(stage: Stage) -> None:
    """A room list's rooms are found by the list's address."""
    lists = await stage.ask("GET", "/places/microsoft.graph.roomlist")
    lists.expect(200)
    if not lists.value:
        raise NotPossible("needs a room list in the tenant")
    address = quote(lists.value[0]["emailAddress"], safe="@")
    rooms = await stage.ask("GET", f"/places/{address}/microsoft.graph.roomlist/rooms")
    rooms.expect(200)
    holds("its rooms have addresses", all(each["emailAddress"] for each in rooms.value))
