"""
Following a calendar: calendarView/delta over a fixed window.

The token holds the window, the state it speaks about and the mailbox's epoch; nothing is kept for a caller, so tokens
survive a restart and cost nothing while they wait. Sources: Graph docs, event-delta, delta-query-events and
delta-query-overview; what occurrences look like: observed by developers.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any, NamedTuple

from engine.simulator.calendars.mailbox import Calendar
from engine.simulator.calendars.records import Event, Mailbox
from engine.simulator.calendars.series import occurrence_key, slots, touches
from engine.simulator.graph.render import Style, render_event, render_when
from engine.simulator.times import UnknownZone, parse_when
from engine.simulator.weather.faults import DELTA, DELTA_ENDS, PAGE_LINK, Faults, Rule
from engine.simulator.wire import GraphError, Request, Response, bad_request, json_response
from engine.simulator.world import World, etag, render_id

UNSUPPORTED = ("$select", "$filter", "$expand", "$orderby", "$search")
PAGE_MAX = 1000
EVENT = "#microsoft.graph.event"


class Token(NamedTuple):
    """Where a caller is. `cursor` is set during the first pass: (start in microseconds, number) of the last item."""

    mailbox: str
    epoch: int
    start: int
    end: int
    version: int
    since: int
    """The version at which the round began: what a series lost after it has to be told."""
    cursor: tuple[int, int] | None = None
    plain: int = 0
    """Above zero after an injected empty or repeated page, so that no empty one follows."""


class Delta:
    """The delta function of every mailbox."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults

    def answer(self, mailbox: Mailbox, request: Request) -> Response:
        """Answer one call: a first one with a window, or one with a token."""
        query = request.query
        if any(name in query for name in UNSUPPORTED):
            message = f"The following query options are not supported: {', '.join(UNSUPPORTED)}."
            raise bad_request(message, code="ErrorInvalidUrlQuery")
        text = query.get("$deltatoken") or query.get("$skiptoken")
        token = self._parse(mailbox, text, request) if text else self._begin(mailbox, query)
        style = Style(request, shares_uid=self._world.options.occurrences_share_ical_uid)
        rule = self._fault(mailbox, request) if self._faults.rules else None
        if rule is not None and rule.effect in DELTA_ENDS | PAGE_LINK:
            raise lost(rule.effect, request, token, status=rule.status, code=rule.code)
        return self._page(mailbox, request, token, style, rule)

    def _fault(self, mailbox: Mailbox, request: Request) -> Rule | None:
        names = self._world.addresses_of(mailbox) | {mailbox.id}
        effects = DELTA | PAGE_LINK if "$skiptoken" in request.query else DELTA
        return self._faults.pick(effects, request.method, request.path, names)

    def _begin(self, mailbox: Mailbox, query: dict[str, str]) -> Token:
        start, end = read_window(query)
        now, first = self._world.sequence, (-(2**62), 0)
        return Token(mailbox.id, mailbox.delta_epoch, _micro(start), _micro(end), now, now, first)

    def _parse(self, mailbox: Mailbox, text: str, request: Request) -> Token:
        """Read a token; another mailbox's, or one from before the state was lost, is refused with a 40x or 410."""
        try:
            token = decode_token(text)
        except ValueError as error:
            message = "Badly formed token."
            raise GraphError(400, "ErrorInvalidUrlQuery", message) from error
        if token.mailbox != mailbox.id:
            raise lost("sync_state_not_found", request, token)
        if token.epoch != mailbox.delta_epoch:
            raise lost("gone" if mailbox.delta_epoch % 2 else "sync_state_not_found", request, token)
        return token

    # -- pages

    def _page(self, mailbox: Mailbox, request: Request, token: Token, style: Style, rule: Rule | None) -> Response:
        if rule is not None and rule.effect == "silent":
            return self._render(request, style, [], token, last=True)
        calendar = self._world.calendars[mailbox.id]
        size = self._page_size(request)
        items, after, is_last = (
            self._first_pass(calendar, token, size, style, rule)
            if token.cursor is not None
            else self._changes(calendar, token, size, style, rule)
        )
        if rule is not None and rule.effect == "replay":
            items = [*self._older(calendar, token, rule.count, style), *items]
        if rule is not None and rule.effect == "shuffle":
            self._world.rng.shuffle(items)
        if rule is not None and rule.effect == "loop":
            return self._render(request, style, items, token._replace(plain=token.plain + 1), last=False)
        if not token.plain and self._is_empty_page(items, rule):
            return self._render(request, style, [], token._replace(plain=1), last=False)
        return self._render(request, style, items, after._replace(plain=0), last=is_last)

    def _page_size(self, request: Request) -> int:
        wanted = request.preferences.get("odata.maxpagesize", "") if "prefer" in request.headers else ""
        return min(int(wanted), PAGE_MAX) if wanted.isdigit() and int(wanted) else self._world.options.page_size

    def _is_empty_page(self, items: list[Any], rule: Rule | None) -> bool:
        if rule is not None and rule.effect == "empty_page":
            return True
        rate = self._world.options.empty_page_rate
        return bool(items) and rate > 0 and self._world.rng.random() < rate

    def _first_pass(
        self, calendar: Calendar, token: Token, size: int, style: Style, rule: Rule | None
    ) -> tuple[list[dict[str, Any]], Token, bool]:
        """
        Walk the window by start time; what changes meanwhile comes with the change log afterwards.

        So does what lags: a whole list may lack what is new (Graph docs: delta-query-overview, processing delays).
        """
        cursor = token.cursor
        assert cursor is not None
        after = None if cursor[0] == -(2**62) else (_instant(cursor[0]), cursor[1])
        items: list[dict[str, Any]] = []
        for unit in calendar.units(_instant(token.start), _instant(token.end), after):
            if len(items) >= size:
                return items, token._replace(cursor=cursor), False
            cursor = (_micro(unit.spot[0]), unit.spot[1])
            event = calendar.events[unit.key]
            if rule is not None and rule.effect == "lag" and self._is_recent(event, rule.seconds):
                token = token._replace(version=min(token.version, event.version - 1))
                continue
            items += self._unit(calendar, unit.key, unit.items, style)
        return items, token._replace(cursor=None), True

    def _changes(
        self, calendar: Calendar, token: Token, size: int, style: Style, rule: Rule | None
    ) -> tuple[list[dict[str, Any]], Token, bool]:
        changes = calendar.changes_since(token.version)
        if rule is not None and rule.effect == "lag":
            changes = self._without_recent(calendar, changes, rule.seconds)
        items: list[dict[str, Any]] = []
        version = token.version
        is_silent = rule is not None and rule.effect == "resend_series"
        for key, changed_at in changes:
            if len(items) >= size:
                return items, token._replace(version=version), False
            items += self._change(calendar, key, token, style, is_silent=is_silent)
            version = changed_at
        return items, token._replace(version=version, since=version), True

    def _without_recent(self, calendar: Calendar, changes: list[tuple[str, int]], age: float) -> list[tuple[str, int]]:
        for index, (key, _) in enumerate(changes):
            event = calendar.events.get(key)
            if event is not None and self._is_recent(event, age):
                return changes[:index]
        return changes

    def _is_recent(self, event: Event, age: float) -> bool:
        return (self._world.now() - event.modified_at).total_seconds() < age

    def _older(self, calendar: Calendar, token: Token, count: int, style: Style) -> Iterable[dict[str, Any]]:
        """Send some items again that have been sent before (Graph docs: delta-query-overview, replays)."""
        units = calendar.units(_instant(token.start), _instant(token.end))
        items = chain.from_iterable(self._unit(calendar, unit.key, unit.items, style) for unit in units)
        return list(islice(items, count))

    def _change(
        self, calendar: Calendar, key: str, token: Token, style: Style, *, is_silent: bool
    ) -> list[dict[str, Any]]:
        """
        Return the event or series as it is now, and `@removed` for what is gone or outside the window.

        A changed series is sent again as a whole. A lost occurrence is announced as well, unless *is_silent*: an
        experiment of 2019 found no sign of it (observed by developers, graph-docs pull request 4501).
        """
        start, end = _instant(token.start), _instant(token.end)
        event = calendar.events.get(key)
        now = self._in_window(calendar, event, start, end) if event is not None else []
        items = self._unit(calendar, key, now, style) if now else [_removed(key, style)]
        former = event.former if event is not None else calendar.former.get(key, [])
        if not is_silent:
            kept = {item.key for item in now}
            seen = {day for shape in former if shape.until > token.since for day, *_ in slots(shape, start, end)}
            names = (occurrence_key(key, day) for day in sorted(seen))
            items += [_removed(name, style) for name in names if name not in kept]
        return items

    def _in_window(self, calendar: Calendar, event: Event, start: datetime, end: datetime) -> list[Event]:
        if event.key in calendar.series:
            return calendar.series[event.key].window(start, end)
        return [event] if touches(event.start, event.end, start, end) else []

    def _unit(self, calendar: Calendar, key: str, items: list[Event], style: Style) -> list[dict[str, Any]]:
        """
        Return a single event in full; or a series: its master with the first date's times, stubs, full exceptions.

        Stubs carry ids, type and times only; a series is not split over pages (observed by developers, graph-docs
        issues 7632 and 22197, pull request 4501).
        """
        if key not in calendar.series:
            return [self._item(event, style) for event in items]
        shown = [self._item(event, style) if event.type == "exception" else _stub(event, style) for event in items]
        return [self._item(calendar.events[key], style), *shown]

    def _item(self, event: Event, style: Style) -> dict[str, Any]:
        return {"@odata.type": EVENT, **render_event(event, style)}

    def _render(self, request: Request, style: Style, items: list[Any], token: Token, *, last: bool) -> Response:
        name, parameter = ("deltaLink", "$deltatoken") if last else ("nextLink", "$skiptoken")
        body = {
            "@odata.context": f"{request.base}/v1.0/$metadata#Collection(event)",
            f"@odata.{name}": f"{request.base}{request.path}?{parameter}={encode_token(token)}",
            "value": items,
        }
        return json_response(200, body, style.applied)


def _removed(key: str, style: Style) -> dict[str, Any]:
    return {"@odata.type": EVENT, "id": render_id(key, immutable=style.immutable), "@removed": {"reason": "deleted"}}


def _stub(event: Event, style: Style) -> dict[str, Any]:
    return {
        "@odata.type": EVENT,
        "@odata.etag": etag(event),
        "id": render_id(event.key, immutable=style.immutable),
        "seriesMasterId": render_id(event.series, immutable=style.immutable),
        "type": event.type,
        "start": render_when(event, event.start, event.start_zone, style.zone),
        "end": render_when(event, event.end, event.end_zone, style.zone),
    }


def read_window(query: dict[str, str]) -> tuple[datetime, datetime]:
    """Return startDateTime and endDateTime; without offset they are UTC (Graph docs: calendar-list-calendarview)."""
    try:
        start, end = parse_when(query["startdatetime"]), parse_when(query["enddatetime"])
    except KeyError as error:
        wanted = "the query string parameters StartDateTime and EndDateTime"
        message = f"This request requires a time window specified by {wanted}."
        raise bad_request(message, code="ErrorInvalidParameter") from error
    except (ValueError, UnknownZone) as error:
        raise bad_request(f"The date is not valid: {error}.", code="ErrorInvalidParameter") from error
    if end < start:
        raise bad_request("EndDateTime is before StartDateTime.", code="ErrorInvalidParameter")
    return start, end


def lost(kind: str, request: Request, token: Token, *, status: int = 400, code: str = "") -> GraphError:
    """
    Return the answer that ends a chain: 410, mostly with a Location, or a 40x (Graph docs: delta-query-overview).

    *code*: one of syncStateNotFound, SyncStateNotFound, SyncStateInvalid, resyncRequired (Graph docs: errors).
    """
    if kind == "gone_without_location":
        return GraphError(410, code or "resyncRequired", "Resync is required.")
    if kind == "gone":
        start, end = _instant(token.start), _instant(token.end)
        window = f"startDateTime={start:%Y-%m-%dT%H:%M:%SZ}&endDateTime={end:%Y-%m-%dT%H:%M:%SZ}"
        location = f"{request.base}{request.path}?{window}&$deltatoken="
        return GraphError(
            410, code or "syncStateNotFound", "The sync state generation is not found.", headers={"Location": location}
        )
    status = status if status in (400, 404) else 400
    return GraphError(status, code or "SyncStateNotFound", "The sync state generation is not found.")


def encode_token(token: Token) -> str:
    """Return *token* as opaque text."""
    cursor = "" if token.cursor is None else f"{token.cursor[0]}_{token.cursor[1]}"
    window = f"{token.start}|{token.end}"
    text = f"{token.mailbox}|{token.epoch}|{window}|{token.version}|{cursor}|{token.plain}|{token.since}"
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_token(text: str) -> Token:
    """Return what *text* stands for; raises ValueError."""
    padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
    mailbox, epoch, start, end, version, cursor, plain, since = urlsafe_b64decode(padded).decode().split("|")
    at, _, number = cursor.partition("_")
    spot = (int(at), int(number)) if cursor else None
    return Token(mailbox, int(epoch), int(start), int(end), int(version), int(since), spot, int(plain))


def _micro(moment: datetime) -> int:
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def _instant(micro: int) -> datetime:
    return datetime.fromtimestamp(micro // 1_000_000, UTC).replace(microsecond=micro % 1_000_000)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
