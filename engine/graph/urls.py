"""
Every address the engine asks for, spelled by msgraph-sdk's own request builders.

Only the builders are used, never their `get`/`post` methods nor their models: the first model that is deserialised
imports more than a thousand generated modules. Three traps are closed here, once: a builder shares its dict of path
parameters with every request made from it, so each expansion gets a copy; expanding a template costs some 100 µs, and
a millisecond for the changes of a calendar, so that is done once, with a placeholder for the mailbox; an empty id would
silently name the collection.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

import httpx
from kiota_abstractions.authentication import AnonymousAuthenticationProvider
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from msgraph import GraphServiceClient
from msgraph.generated.places.graph_room.graph_room_request_builder import GraphRoomRequestBuilder
from msgraph.generated.users.item.calendar_view.delta.delta_request_builder import DeltaRequestBuilder
from msgraph.generated.users.item.events.events_request_builder import EventsRequestBuilder
from msgraph.generated.users.item.events.item.event_item_request_builder import EventItemRequestBuilder
from msgraph.generated.users.item.events.item.instances.instances_request_builder import InstancesRequestBuilder
from msgraph.graph_request_adapter import GraphRequestAdapter

from engine.errors import Malformed
from engine.graph.payloads import EVENT_FIELDS
from engine.graph.render import render_instant

PLACES_PER_PAGE = 100
"""The default of the list, asked for by name (Graph docs: place-list)."""

DATES_PER_PAGE = 500
"""Dates of a series asked for at once: most series fit (Graph docs: a page of a calendar view holds up to 1000)."""

_CONDITION = "CONDITION"
"""Stands for the condition while a search's address is expanded."""

_MAILBOX = "MAILBOX"
"""Stands for the mailbox while an address is expanded."""

_START, _END = "START", "END"
"""Stand for the ends of a window while an address is expanded."""

_UNSAFE = re.compile(r"[^\x21-\x7e]|\\")
"""What no URL may hold: white space, control characters, anything beyond ASCII, and the backslash."""

_CONTROL = re.compile(r"[\x00-\x1f]")

_DEFAULT_PORTS = {"https": 443, "http": 80}


class _Builder(Protocol):
    url_template: str
    path_parameters: dict[str, Any]


class Urls:
    """Builds absolute, percent-encoded URLs below one base URL."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        parts = urlsplit(self.base_url)
        self.origin = f"{parts.scheme}://{parts.netloc}".lower()
        self._origins = {self.origin + "/"}
        if parts.port is None:
            self._origins.add(f"{self.origin}:{_DEFAULT_PORTS[parts.scheme]}/")
        adapter = GraphRequestAdapter(
            AnonymousAuthenticationProvider(), client=httpx.AsyncClient(transport=httpx.MockTransport(_refuse))
        )
        adapter.base_url = self.base_url
        self._client = GraphServiceClient(request_adapter=adapter)
        self._event_query = self._expand_event_query()
        self._users, self._events = self._expand_around(self._user(_MAILBOX).events)
        self._find_query: Callable[[int, str | None], str] = lru_cache(8)(self._expand_find_query)
        self._changes = self._expand_around(self._user(_MAILBOX).calendar_view.delta)[1]
        self._changes_query = self._expand_changes_query()
        self._dates_query = self._expand_dates_query()
        self.places = self._expand(
            self._client.places.graph_room,
            GraphRoomRequestBuilder.GraphRoomRequestBuilderGetQueryParameters(top=PLACES_PER_PAGE),
        )
        self.subscriptions = self._expand(self._client.subscriptions)

    def events(self, mailbox: str) -> str:
        """The events of a mailbox: where new ones are posted."""
        return self._in_mailbox(mailbox, self._events)

    def event(self, mailbox: str, event_id: str) -> str:
        """One event. The collection's address comes from the builder; a test holds the whole to the builder's own."""
        return f"{self.events(mailbox)}/{quote(check_segment(event_id, 'event id'), safe='')}"

    def event_with_fields(self, mailbox: str, event_id: str) -> str:
        """One event, and of it only the fields we read."""
        return self.event(mailbox, event_id) + self._event_query

    def dates(self, mailbox: str, event_id: str, *, start: datetime, end: datetime) -> str:
        """The dates of a series within a window, and of them only the fields we read (Graph docs: list-instances)."""
        return f"{self.event(mailbox, event_id)}/instances{_between(self._dates_query, start, end)}"

    def decline(self, mailbox: str, event_id: str) -> str:
        check_segment(event_id, "event id")
        return self._expand(self._user(mailbox).events.by_event_id(event_id).decline)

    def find_events(self, mailbox: str, condition: str, *, top: int, shows: str | None = None) -> str:
        """The masters and single events that meet *condition*, with the extended property *shows* (Graph docs:
        user-list-events)."""
        return self.events(mailbox) + self._find_query(top, shows).replace(_CONDITION, quote(condition, safe=""))

    def changes(self, room: str, *, start: datetime, end: datetime) -> str:
        """The first page of a delta round; what follows comes by links (Graph docs: event-delta)."""
        return self._in_mailbox(room, self._changes) + _between(self._changes_query, start, end)

    def contact_folders(self, mailbox: str) -> str:
        """The folders of contacts of a mailbox, those directly below its contacts."""
        return self._expand(self._user(mailbox).contact_folders)

    def contacts(self, mailbox: str, folder: str, query: Mapping[str, str] | None = None) -> str:
        """The contacts of one folder."""
        folders = self._user(mailbox).contact_folders
        found = self._expand(folders.by_contact_folder_id(check_segment(folder, "folder id")).contacts)
        return f"{found}?{urlencode(query, quote_via=quote)}" if query else found

    def contact(self, mailbox: str, folder: str, contact_id: str) -> str:
        """One contact."""
        return f"{self.contacts(mailbox, folder)}/{quote(check_segment(contact_id, 'contact id'), safe='')}"

    def subscription(self, subscription_id: str) -> str:
        check_segment(subscription_id, "subscription id")
        return self._expand(self._client.subscriptions.by_subscription_id(subscription_id))

    def check_link(self, link: str) -> str:
        """Return *link*, unchanged, if it stays at the base URL's origin; raises Malformed otherwise.

        A link is followed with our token, so it may only lead where the token belongs.
        """
        lowered = link[:300].lower()
        if not any(lowered.startswith(origin) for origin in self._origins):
            raise Malformed(
                f"a link leads away from {self.origin}: {urlsplit(link).hostname if '://' in link else 'no host'}"
            )
        if _UNSAFE.search(link):
            raise Malformed("a link holds characters that no URL may hold")
        return link

    def _user(self, mailbox: str) -> Any:
        return self._client.users.by_user_id(check_segment(mailbox, "mailbox"))

    def _in_mailbox(self, mailbox: str, rest: str) -> str:
        return f"{self._users}{quote(check_segment(mailbox, 'mailbox'), safe='')}{rest}"

    def _expand_around(self, builder: Any) -> tuple[str, str]:
        """Expand what leads to a mailbox, and what follows it in a builder's address."""
        before, _, after = self._expand(builder).partition("?")[0].rpartition(_MAILBOX)
        return before, after

    def _expand_event_query(self) -> str:
        query = EventItemRequestBuilder.EventItemRequestBuilderGetQueryParameters(select=list(EVENT_FIELDS))
        return "?" + self._expand(self._user("x").events.by_event_id("x"), query).partition("?")[2]

    def _expand_changes_query(self) -> str:
        query = DeltaRequestBuilder.DeltaRequestBuilderGetQueryParameters(start_date_time=_START, end_date_time=_END)
        return "?" + self._expand(self._user("x").calendar_view.delta, query).partition("?")[2]

    def _expand_dates_query(self) -> str:
        query = InstancesRequestBuilder.InstancesRequestBuilderGetQueryParameters(
            start_date_time=_START, end_date_time=_END, select=list(EVENT_FIELDS), top=DATES_PER_PAGE
        )
        return "?" + self._expand(self._user("x").events.by_event_id("x").instances, query).partition("?")[2]

    def _expand_find_query(self, top: int, shows: str | None) -> str:
        """Expand the query of a search once; the condition takes its placeholder's place."""
        query = EventsRequestBuilder.EventsRequestBuilderGetQueryParameters(
            filter=_CONDITION, top=top, select=list(EVENT_FIELDS), expand=[show_property(shows)] if shows else None
        )
        return "?" + self._expand(self._user("x").events, query).partition("?")[2]

    def _expand(self, builder: Any, query: Any = None) -> str:
        """Expand the builder's template with copies of what the builder would share."""
        if query is not None:
            source = builder.to_get_request_information(RequestConfiguration(query_parameters=query))
        else:
            source = RequestInformation(Method.GET, builder.url_template, builder.path_parameters)
        own = RequestInformation(Method.GET, source.url_template, {**source.path_parameters, "baseurl": self.base_url})
        own.query_parameters = dict(source.query_parameters)
        return str(own.url)


def check_segment(value: str, what: str) -> str:
    """Return *value* if it can stand as one segment of a path; raises Malformed otherwise.

    An empty id would name the whole collection, and dots the parent of it.
    """
    if not value or not value.strip() or value in (".", "..") or _CONTROL.search(value):
        raise Malformed(f"{value!r} cannot be a {what}")
    return value


def _between(query: str, start: datetime, end: datetime) -> str:
    """Return *query* with the ends of a window in their places."""
    for place, instant in ((_START, start), (_END, end)):
        query = query.replace(f"={place}", f"={quote(render_instant(instant), safe='')}")
    return query


def quote_text(value: str) -> str:
    """Return *value* as a string literal of an OData filter (OData 4.01: a quote is doubled)."""
    return "'" + value.replace("'", "''") + "'"


def show_property(name: str) -> str:
    """Return what to `$expand` for an extended property to be shown."""
    return f"singleValueExtendedProperties($filter=id eq {quote_text(name)})"


def _refuse(request: httpx.Request) -> httpx.Response:
    raise AssertionError("the builders' adapter never sends anything")
