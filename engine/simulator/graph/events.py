"""The calls on events of one mailbox: list, read, write, answer (Graph docs: event and its methods)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from engine.simulator.answering.processing import Verdict
from engine.simulator.calendars.records import Event, Mailbox
from engine.simulator.graph.delta import Delta, read_window
from engine.simulator.graph.forwarding import Forwarding
from engine.simulator.graph.meetings import Meetings
from engine.simulator.graph.places import next_link
from engine.simulator.graph.render import Style, fold_property, render_event
from engine.simulator.times import UnknownZone, parse_when
from engine.simulator.wire import GraphError, Request, Response, bad_request, item_not_found, json_response, parse_count
from engine.simulator.world import World, etag, parse_id, render_id

_TEXT = r"'((?:[^']|'')*)'"
_EXTENDED = re.compile(
    rf"^singleValueExtendedProperties/any\(\s*(\w+)\s*:\s*\1/id\s+eq\s+{_TEXT}\s+and\s+\1/value\s+eq\s+{_TEXT}\s*\)$",
    re.IGNORECASE,
)
_COMPARE = re.compile(
    rf"^(iCalUId|subject|start/dateTime|end/dateTime|type)\s+(eq|ge|gt|le|lt)\s+{_TEXT}$", re.IGNORECASE
)
_AND = re.compile(r"\s+and\s+(?=(?:[^']*'[^']*')*[^']*$)(?![^(]*\))", re.IGNORECASE)
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda one, other: one == other,
    "ge": lambda one, other: one >= other,
    "gt": lambda one, other: one > other,
    "le": lambda one, other: one <= other,
    "lt": lambda one, other: one < other,
}
VIEW_DAYS_MAX = 1825
Test = Callable[[Event], bool]
VERDICTS = {
    "accept": Verdict.ACCEPT,
    "tentativelyaccept": Verdict.PENDING,
    "decline": Verdict.DECLINE,
}


class Events:
    """Events of any mailbox, addressed by the mailbox and what follows it in the path."""

    def __init__(self, world: World, meetings: Meetings, forwarding: Forwarding, delta: Delta) -> None:
        self._world = world
        self._forwarding = forwarding
        self._meetings = meetings
        self._delta = delta

    def answer(self, mailbox: Mailbox, rest: list[str], request: Request) -> Response:
        """Answer /users/{id}/events... and /users/{id}/calendarView...; *rest* starts with that word."""
        head = rest[0].lower()
        if head == "calendarview":
            return self._view(mailbox, rest[1:], request)
        if len(rest) == 1:
            return self._collection(mailbox, request)
        event = self._find(mailbox, rest[1])
        if len(rest) == 2:
            return self._single(event, request)
        if rest[2].lower() == "instances":
            return self._instances(mailbox, event, request)
        return self._action(event, rest[2].lower().removeprefix("microsoft.graph."), request)

    # -- collections

    def _collection(self, mailbox: Mailbox, request: Request) -> Response:
        if request.method == "POST":
            return self._created(self._meetings.create(mailbox, request.json), request)
        if request.method != "GET":
            raise GraphError(405, "Request_BadRequest", "The method is not allowed on this resource.")
        events = self._filtered(mailbox, request.query.get("$filter", ""))
        return self._page(events, mailbox, request, "events")

    def _created(self, event: Event, request: Request) -> Response:
        style = self._style(request)
        where = f"{request.base}/v1.0/users/{event.mailbox}/events"
        body = {"@odata.context": _context(request, event.mailbox, "events/$entity"), **render_event(event, style)}
        return json_response(201, body, {**style.applied, "Location": f"{where}/{body['id']}"})

    def _view(self, mailbox: Mailbox, rest: list[str], request: Request) -> Response:
        if request.method != "GET":
            raise GraphError(405, "Request_BadRequest", "The method is not allowed on this resource.")
        if rest:
            if rest[0].lower() not in ("delta", "delta()", "microsoft.graph.delta", "microsoft.graph.delta()"):
                raise unknown_segment(rest[0])
            return self._delta.answer(mailbox, request)
        start, end = _read_view(request.query)
        found = self._world.calendars[mailbox.id].window(start, end)
        return self._page(_passing(found, request), mailbox, request, "calendarView")

    def _instances(self, mailbox: Mailbox, master: Event, request: Request) -> Response:
        """Answer GET /events/{master}/instances: occurrences and exceptions in a window (event-list-instances)."""
        series = self._world.calendars[mailbox.id].series.get(master.key)
        if request.method != "GET" or series is None:
            raise bad_request("The event is not a series master.", code="ErrorInvalidRequest")
        found = series.window(*read_window(request.query))
        return self._page(_passing(found, request), mailbox, request, f"events('{request.segments[-2]}')/instances")

    def _page(self, events: Iterable[Event], mailbox: Mailbox, request: Request, name: str) -> Response:
        style = self._style(request)
        top = parse_count(request, "$top", self._world.options.page_size, low=1, high=1000)
        skip = parse_count(request, "$skip", 0, low=0, high=10**9)
        found = list(islice(events, skip, skip + top + 1))
        body: dict[str, Any] = {"@odata.context": _context(request, mailbox.id, name)}
        body["value"] = [render_event(event, style) for event in found[:top]]
        if len(found) > top:
            body["@odata.nextLink"] = next_link(request, skip + top)
        return json_response(200, body, style.applied)

    def _filtered(self, mailbox: Mailbox, text: str) -> Iterable[Event]:
        calendar = self._world.calendars[mailbox.id]
        events: Iterable[Event] = calendar.events.values()
        for part in _parts(text):
            found = _COMPARE.match(part)
            if found and found.group(1).lower() == "icaluid" and found.group(2).lower() == "eq":
                events = calendar.all_by_ical(_unquote(found.group(3)))
                continue
            test = _parse_test(part)
            events = [event for event in events if test(event)]
        return events

    def _style(self, request: Request) -> Style:
        return Style(request, shares_uid=self._world.options.occurrences_share_ical_uid)

    # -- one event

    def _find(self, mailbox: Mailbox, text: str) -> Event:
        key = parse_id(text)
        if key is None:
            raise bad_request("Id is malformed.", code="ErrorInvalidIdMalformed")
        event = self._world.calendars[mailbox.id].find(key)
        if event is None:
            raise item_not_found()
        return event

    def _single(self, event: Event, request: Request) -> Response:
        if request.method == "GET":
            return self._shown(event, request)
        if request.method == "PATCH":
            _check_match(event, request)
            return self._shown(self._meetings.update(event, request.json), request)
        if request.method == "DELETE":
            _check_match(event, request)
            self._meetings.delete(event)
            return Response(204)
        raise GraphError(405, "Request_BadRequest", "The method is not allowed on this resource.")

    def _shown(self, event: Event, request: Request) -> Response:
        style = self._style(request)
        context = _context(request, event.mailbox, "events/$entity")
        body = {"@odata.context": context, **render_event(event, style), **self._dates_asked_for(event, style, request)}
        return json_response(200, body, style.applied)

    def _dates_asked_for(self, event: Event, style: Style, request: Request) -> dict[str, Any]:
        """
        Return what a master shows on request only (Graph docs: event).

        `cancelledOccurrences` needs `$select`; `exceptionOccurrences` needs `$select` and `$expand`.
        """
        asked, found = style.fields or frozenset(), dict[str, Any]()
        series = self._world.calendars[event.mailbox].series.get(event.key)
        if series is None:
            return found
        if "cancelledoccurrences" in asked:
            master = render_id(event.key, immutable=style.immutable)
            found["cancelledOccurrences"] = [f"OID.{master}.{day}" for day in event.cancelled_dates]
        if "exceptionoccurrences" in asked and "exceptionoccurrences" in request.query.get("$expand", "").lower():
            whole = self._style(request)
            whole.fields = None
            found["exceptionOccurrences"] = [render_event(item, whole) for _, item in sorted(series.exceptions.items())]
        return found

    def _action(self, event: Event, name: str, request: Request) -> Response:
        if request.method != "POST":
            raise GraphError(405, "Request_BadRequest", "The method is not allowed on this resource.")
        if name == "cancel":
            self._meetings.cancel(event)
        elif name == "permanentdelete":
            self._meetings.delete(event)
            return Response(204)
        elif name == "forward":
            self._forwarding.forward(event, request.json)
        elif name in VERDICTS:
            self._respond(event, VERDICTS[name], request.json)
        else:
            raise unknown_segment(name)
        return Response(202)

    def _respond(self, event: Event, verdict: Verdict, body: dict[str, Any]) -> None:
        """Proposing a time needs an organizer who wants proposals, and an answer that is sent (event-decline)."""
        send = bool(body.get("sendResponse", True))
        if body.get("proposedNewTime") and (not send or not event.extras.get("allowNewTimeProposals", True)):
            raise bad_request("A new time cannot be proposed for this meeting.")
        self._meetings.respond(event, verdict, send=send)


def _read_view(query: dict[str, str]) -> tuple[datetime, datetime]:
    """Return the window of a calendarView, which spans five years at most (docs-contrib 6321)."""
    start, end = read_window(query)
    if end - start > timedelta(days=VIEW_DAYS_MAX):
        message = "The range between the start and end dates is greater than the allowed range. Maximum number of days:"
        raise bad_request(f"Your request can't be completed. {message} {VIEW_DAYS_MAX}", code="ErrorInvalidRequest")
    return start, end


def _check_match(event: Event, request: Request) -> None:
    """Refuse a change made on an older version (observed by developers; not on Graph's pages)."""
    wanted = request.headers.get("if-match")
    if wanted and wanted != "*" and wanted != etag(event):
        raise GraphError(
            412,
            "ErrorIrresolvableConflict",
            "The send or update operation could not be performed because the change key passed in the request does "
            "not match the current change key for the item.",
        )


def _parts(text: str) -> list[str]:
    return [part.strip() for part in _AND.split(text.strip())] if text.strip() else []


def _passing(events: Iterable[Event], request: Request) -> Iterable[Event]:
    """Apply `$filter` to expanded events (Graph docs: calendar-list-calendarview allows some query options)."""
    tests = [_parse_test(part) for part in _parts(request.query.get("$filter", ""))]
    return (event for event in events if all(test(event) for test in tests)) if tests else events


def _parse_test(part: str) -> Test:
    extended = _EXTENDED.match(part)
    if extended:
        wanted, value = fold_property(_unquote(extended.group(2))), _unquote(extended.group(3)).lower()
        return lambda event: any(
            fold_property(name) == wanted and held.lower() == value for name, held in event.properties.items()
        )
    found = _COMPARE.match(part)
    if not found:
        raise bad_request(f"The filter '{part}' is not supported.", code="ErrorInvalidUrlQueryFilter")
    name, order, text = found.group(1).lower(), _ORDER[found.group(2).lower()], _unquote(found.group(3))
    if name in ("start/datetime", "end/datetime"):
        return _time_test(name.partition("/")[0], order, text)
    attribute = {"icaluid": "ical_uid", "subject": "subject", "type": "type"}[name]
    return lambda event: order(getattr(event, attribute), text)


def _time_test(attribute: str, order: Callable[[Any, Any], bool], text: str) -> Test:
    try:
        moment = parse_when(text)
    except (ValueError, UnknownZone) as error:
        raise bad_request(f"'{text}' is not a date.", code="ErrorInvalidUrlQueryFilter") from error
    return lambda event: order(getattr(event, attribute), moment)


def _unquote(text: str) -> str:
    return text.replace("''", "'")


def _context(request: Request, mailbox: str, tail: str) -> str:
    return f"{request.base}/v1.0/$metadata#users('{mailbox}')/{tail}"


def unknown_segment(name: str) -> GraphError:
    """Return the answer to a path that Graph does not know."""
    return GraphError(404, "BadRequest", f"Resource not found for the segment '{name}'.")
