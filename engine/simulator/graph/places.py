"""Places: rooms and room lists as Graph lists them (Graph docs: place-list, place, room, roomlist)."""

from __future__ import annotations

from typing import Any

from engine.simulator.calendars.records import Place
from engine.simulator.wire import GraphError, Request, Response, json_response, parse_count
from engine.simulator.world import World

ROOM_DEFAULTS: dict[str, Any] = {
    "nickname": None, "building": None, "floorNumber": None, "floorLabel": None, "label": None, "capacity": None,
    "bookingType": "standard", "audioDeviceName": None, "videoDeviceName": None, "displayDeviceName": None,
    "isWheelChairAccessible": False, "teamsEnabledState": "unknown", "tags": [], "address": None,
    "geoCoordinates": None, "phone": "", "parentId": None,
}  # fmt: skip
LIST_DEFAULTS: dict[str, Any] = {
    "address": None, "geoCoordinates": None, "phone": "", "parentId": None, "tags": [], "label": None,
    "isWheelChairAccessible": False,
}  # fmt: skip
_CASTS = {"microsoft.graph.room": "room", "graph.room": "room"} | {
    "microsoft.graph.roomlist": "roomList", "graph.roomlist": "roomList",
}  # fmt: skip


class Places:
    """The calls under /places."""

    def __init__(self, world: World) -> None:
        self._world = world

    def answer(self, request: Request) -> Response:
        """Answer any GET under /v1.0/places; both spellings of the type cast are known."""
        rest = request.segments[2:]
        if rest and rest[0].lower() in _CASTS:
            return self._list(request, _CASTS[rest[0].lower()])
        if not rest:
            raise GraphError(400, "BadRequest", "A place type must be given.")
        place = self._find(rest[0])
        if len(rest) == 3 and rest[2].lower() == "rooms" and place.kind == "roomList":
            return self._members(request, place)
        if len(rest) > 2 or (len(rest) == 2 and _CASTS.get(rest[1].lower()) != place.kind):
            raise GraphError(404, "ResourceNotFound", "The place was not found.")
        context = f"{request.base}/v1.0/$metadata#places/microsoft.graph.{place.kind}/$entity"
        return json_response(200, {"@odata.context": context, **self._select(render_place(place), request)})

    def _find(self, key: str) -> Place:
        place = self._world.places.get(key)
        if place is None:
            lowered = key.lower()
            place = next((item for item in self._world.places.values() if item.address.lower() == lowered), None)
        if place is None:
            raise GraphError(404, "ResourceNotFound", f"The place '{key}' was not found.")
        return place

    def _list(self, request: Request, kind: str) -> Response:
        """Hidden rooms are not listed (Graph docs: place-list)."""
        return self._page(
            request, [item for item in self._world.places.values() if item.kind == kind and not item.hidden], kind
        )

    def _members(self, request: Request, room_list: Place) -> Response:
        rooms = [item for item in self._world.places.values() if item.address in room_list.members and not item.hidden]
        return self._page(request, rooms, "room")

    def _page(self, request: Request, places: list[Place], kind: str) -> Response:
        size = self._world.options.places_page_size
        top = parse_count(request, "$top", size, low=1, high=1000)
        skip = parse_count(request, "$skip", 0, low=0, high=10**9)
        ordered = sorted(places, key=lambda item: item.number)
        body: dict[str, Any] = {"@odata.context": f"{request.base}/v1.0/$metadata#places/microsoft.graph.{kind}"}
        if request.query.get("$count", "").lower() == "true":
            body["@odata.count"] = len(ordered)
        if skip + top < len(ordered):
            body["@odata.nextLink"] = next_link(request, skip + top)
        body["value"] = [self._select(render_place(item), request) for item in ordered[skip : skip + top]]
        return json_response(200, body)

    def _select(self, shown: dict[str, Any], request: Request) -> dict[str, Any]:
        select = request.query.get("$select")
        if not select:
            return shown
        kept = {name.strip().lower() for name in select.split(",")} | {"id"}
        return {name: value for name, value in shown.items() if name.lower() in kept}


def next_link(request: Request, skip: int) -> str:
    """Return the address of the page that begins at *skip*, with the other parameters as they were."""
    kept = [
        part for part in request.raw_query.split("&") if part and not part.lower().startswith(("$skip=", "%24skip="))
    ]
    return f"{request.base}{request.path}?{'&'.join([*kept, f'$skip={skip}'])}"


def render_place(place: Place) -> dict[str, Any]:
    """Return a room or room list with all its fields (Graph docs: room, roomlist)."""
    defaults = ROOM_DEFAULTS if place.kind == "room" else LIST_DEFAULTS
    shown = {
        "id": place.id, "placeId": place.place_id, "displayName": place.display_name, "emailAddress": place.address,
        **defaults, **place.attributes,
    }  # fmt: skip
    if place.kind == "room" and not shown["nickname"]:
        shown["nickname"] = place.display_name
    return shown
