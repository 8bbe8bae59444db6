"""
Requests, answers and errors as they cross the wire, without any web framework.

JSON property names and query-parameter names are matched without regard to case: Graph's own pages mix spellings, and
its SDKs send `Schedules` and `%24top` (Graph docs: delta-query-events; seen in msgraph-sdk for Python).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec

encode_json = msgspec.json.Encoder().encode
decode_json = msgspec.json.Decoder().decode

_KNOWN = """
subject body contentType content start end dateTime timeZone attendees emailAddress address name type status
response time location locations displayName locationEmailAddress locationUri locationType uniqueId uniqueIdType
coordinates isAllDay showAs sensitivity transactionId allowNewTimeProposals hideAttendees responseRequested
isDraft isReminderOn reminderMinutesBeforeStart importance categories hasAttachments isOnlineMeeting onlineMeeting
onlineMeetingProvider recurrence singleValueExtendedProperties id value comment sendResponse proposedNewTime
changeType resource notificationUrl lifecycleNotificationUrl expirationDateTime clientState includeResourceData
encryptionCertificate encryptionCertificateId latestSupportedTlsVersion schedules startTime endTime
availabilityViewInterval requests method url headers dependsOn organizer isCancelled extensions
inputIds sourceIdType targetIdType toRecipients
"""
_CANONICAL = {name.lower(): name for name in _KNOWN.split()}
"""Property names in Graph's spelling, by lower case."""


class Response:
    """An answer: status, headers and bytes."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        self.status = status
        self.headers = headers if headers is not None else {}
        self.body = body

    def json(self) -> Any:
        """Return the body as plain values; None when there is none."""
        return decode_json(self.body) if self.body else None


class ConnectionDropped(Exception):
    """The connection ended without an answer; whether the request was carried out stays unknown to the caller."""


class GraphError(Exception):
    """An answer other than success, with Graph's code (Graph docs: errors)."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        headers: dict[str, str] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}
        self.extra = extra or {}


@lru_cache(1024)
def _parse_query(raw: str) -> tuple[tuple[str, str], ...]:
    return tuple((name.lower(), value) for name, value in parse_qsl(raw, keep_blank_values=True))


@lru_cache(1024)
def _parse_preferences(raw: str) -> tuple[tuple[str, str], ...]:
    parts = (part.strip().partition("=") for part in raw.split(","))
    return tuple((name.strip().lower(), value.strip().strip('"')) for name, _, value in parts if name)


class Request:
    """One request, taken apart only as far as somebody asks."""

    __slots__ = ("_json", "_query", "base", "body", "headers", "method", "path", "raw_query", "segments")

    def __init__(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> None:
        self.method = method.upper()
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.body = body
        self.base, rest = self._split_host(url)
        self.path, _, self.raw_query = rest.partition("?")
        self.segments = [unquote(part) if "%" in part else part for part in self.path.split("/")[1:]]
        self._query: dict[str, str] | None = None
        self._json: Any = None

    def _split_host(self, url: str) -> tuple[str, str]:
        if url.startswith("/"):
            return f"http://{self.headers.get('host', 'graph.microsoft.com')}", url
        scheme, _, rest = url.partition("://")
        host, slash, path = rest.partition("/")
        return f"{scheme}://{host}", slash + path

    @property
    def query(self) -> dict[str, str]:
        """Query parameters by lower-case name, decoded once."""
        if self._query is None:
            self._query = dict(_parse_query(self.raw_query))
        return self._query

    @property
    def json(self) -> dict[str, Any]:
        """The body as an object with canonical property names; raises GraphError 400."""
        if self._json is None:
            try:
                self._json = canonical(decode_json(self.body)) if self.body.strip() else {}
            except (msgspec.DecodeError, RecursionError) as error:
                raise bad_request("Unable to read JSON request payload.", code="BadRequest") from error
            if not isinstance(self._json, dict):
                raise bad_request("Unable to read JSON request payload.", code="BadRequest")
        found: dict[str, Any] = self._json
        return found

    @property
    def preferences(self) -> dict[str, str]:
        """The `Prefer` header's parts by lower-case name, without quotes."""
        return dict(_parse_preferences(self.headers.get("prefer", "")))

    @property
    def wants_immutable_ids(self) -> bool:
        """Whether `Prefer: IdType="ImmutableId"` came along (Graph docs: outlook-immutable-id)."""
        return self.preferences.get("idtype", "").lower() == "immutableid" if "prefer" in self.headers else False


def canonical(value: Any) -> Any:
    """Return *value* with every known property name in Graph's spelling; annotations such as @odata.type go away."""
    if isinstance(value, dict):
        kept = (item for item in value.items() if not item[0].lower().endswith("@odata.type"))
        return {_CANONICAL.get(name.lower(), name): canonical(item) for name, item in kept}
    return [canonical(item) for item in value] if isinstance(value, list) else value


def json_response(status: int, value: Any, headers: dict[str, str] | None = None) -> Response:
    """Return *value* as a JSON answer."""
    named = {"Content-Type": "application/json; charset=utf-8", "OData-Version": "4.0"}
    if headers:
        named.update(headers)
    return Response(status, named, encode_json(value))


def error_response(error: GraphError, *, request_id: str, client_request_id: str, date: str) -> Response:
    """Return *error* in Graph's shape (Graph docs: errors)."""
    inner = {"date": date, "request-id": request_id, "client-request-id": client_request_id}
    body = {"error": {"code": error.code, "message": error.message, **error.extra, "innerError": inner}}
    return json_response(error.status, body, error.headers)


def bad_request(message: str, *, code: str = "ErrorInvalidRequest") -> GraphError:
    """Return a 400."""
    return GraphError(400, code, message)


def unreadable() -> GraphError:
    """Return the 400 for a body whose parts have the wrong shape."""
    return bad_request("A property of the request body could not be read.", code="RequestBodyRead")


def item_not_found() -> GraphError:
    """Return the 404 of an event that is gone, or is another mailbox's (observed by developers)."""
    return GraphError(404, "ErrorItemNotFound", "The specified object was not found in the store.")


def parse_count(request: Request, name: str, default: int, *, low: int, high: int) -> int:
    """Return the query parameter *name* as a whole number; raises GraphError 400 outside low..high."""
    text = request.query.get(name)
    if text is None:
        return default
    if not text.isdigit() or not low <= int(text) <= high:
        raise bad_request(f"Invalid value '{text}' for {name} query option.", code="ErrorInvalidUrlQuery")
    return int(text)
