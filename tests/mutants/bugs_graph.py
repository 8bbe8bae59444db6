"""Bugs in how the engine speaks to Graph."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

from engine.errors import MailboxClosed, OutcomeUnknown, Transient, Unreachable
from engine.graph import calendar, errors, parse, render
from engine.graph.calendar import GraphCalendar
from engine.graph.pauses import Pauses
from engine.rooms.calendar import ChangesPage
from engine.rooms.event import Answer, EventRemoved
from tests.mutants.table import bug, replace_in


@bug("Sends each try of a creation under a new transaction id.", story="loan: is made")
def forgets_transaction_id() -> None:
    def make(render_draft: Any) -> Any:
        return lambda draft: {**render_draft(draft), "transactionId": secrets.token_hex(8)}

    replace_in(calendar, "render_draft", make)


@bug("Changes and deletes events without If-Match.", story="loan: outlook moves while the desk's move is on its way")
def ignores_if_match() -> None:
    def make(on_event: Any) -> Any:
        def without(self: Any, *args: Any, **named: Any) -> Any:
            return on_event(self, *args, **{**named, "if_match": None})

        return without

    replace_in(GraphCalendar, "_on_event", make)


@bug(
    "Takes a page of changes that could not be had for an empty last one.",
    tests="tests/unit/graph/test_calendar.py",
)
def takes_a_failed_page_for_an_empty_one() -> None:
    def make(fetch: Any) -> Any:
        async def fetch_changes(self: Any, room: str, *, link: str | None, **named: Any) -> Any:
            try:
                return await fetch(self, room, link=link, **named)
            except Transient:
                if link is None:
                    raise
                return ChangesPage((), None, link)

        return fetch_changes

    replace_in(GraphCalendar, "fetch_changes", make)


@bug(
    "Reads the first page of changes only, and takes its nextLink for the deltaLink.",
    tests="tests/contract/test_graph_calendar.py",
)
def reads_the_first_page_only() -> None:
    def make(fetch: Any) -> Any:
        async def fetch_changes(self: Any, *args: Any, **named: Any) -> Any:
            page = await fetch(self, *args, **named)
            return page if page.next_link is None else replace(page, next_link=None, delta_link=page.next_link)

        return fetch_changes

    replace_in(GraphCalendar, "fetch_changes", make)


@bug(
    "Overlooks @removed in a page of changes.",
    story="meeting: outlook cancels where cancelled copies go",
)
def drops_removed() -> None:
    def make(fetch: Any) -> Any:
        async def fetch_changes(self: Any, *args: Any, **named: Any) -> Any:
            page = await fetch(self, *args, **named)
            return replace(page, changes=tuple(each for each in page.changes if not isinstance(each, EventRemoved)))

        return fetch_changes

    replace_in(GraphCalendar, "fetch_changes", make)


@bug(
    "Goes on with a page's link when the token is lost, as if nothing had changed.",
    story="meeting: is made | tokens are lost, outlook cancels",
)
def ignores_a_lost_token() -> None:
    def make(fetch: Any) -> Any:
        from engine.errors import ResyncRequired

        async def fetch_changes(self: Any, room: str, *, link: str | None, **named: Any) -> Any:
            try:
                return await fetch(self, room, link=link, **named)
            except ResyncRequired:
                return ChangesPage((), None, link)

        return fetch_changes

    replace_in(GraphCalendar, "fetch_changes", make)


@bug(
    "Takes a busy Graph for an answer: what it could not read is gone.",
    tests="tests/unit/graph/test_calendar.py",
)
def takes_unreachable_for_gone() -> None:
    def make(fetch: Any) -> Any:
        async def fetch_event(self: Any, *args: Any) -> Any:
            try:
                return await fetch(self, *args)
            except (Unreachable, MailboxClosed):
                return None

        return fetch_event

    replace_in(GraphCalendar, "fetch_event", make)


@bug(
    "Asks Graph once only: whatever is busy parks the key.",
    tests="tests/unit/graph/test_errors.py",
)
def takes_busy_for_refused() -> None:
    from engine.errors import Malformed

    def make(translate: Any) -> Any:
        def refused(*args: Any, **named: Any) -> Any:
            error = translate(*args, **named)
            return Malformed(str(error)) if isinstance(error, Unreachable | OutcomeUnknown) else error

        return refused

    replace_in(errors, "translate", make)
    from engine.graph import gateway

    replace_in(gateway, "translate", lambda _old: errors.translate)


@bug(
    "Reads times as if every zone were UTC.",
    tests="tests/unit/graph/test_parse.py",
)
def reads_times_without_their_zone() -> None:
    def make(parse_when: Any) -> Any:
        return lambda when: parse_when(type(when)(when.date_time, "UTC"))

    replace_in(parse, "parse_when", make)


@bug("Swaps start and end when it writes times.", story="loan: is made")
def writes_the_end_as_start() -> None:
    def make(render_interval: Any) -> Any:
        def swapped(interval: Any) -> Any:
            body = render_interval(interval)
            return {**body, "start": body["end"]}

        return swapped

    replace_in(render, "_render_interval", make)


@bug("Writes the list of attendees anew, with rooms alone: people are uninvited.", story="meeting: desk rerooms")
def rebuilds_attendees() -> None:
    def make(amended: Any) -> Any:
        return lambda copy, patch: [each for each in amended(copy, patch) if each["type"] == "resource"]

    replace_in(render, "_amended_attendees", make)


@bug(
    "Takes a tentative room for one that has accepted.",
    tests="tests/unit/graph/test_parse.py",
)
def takes_maybe_for_yes() -> None:
    def make(parse_event: Any) -> Any:
        def eager(item: Any) -> Any:
            copy = parse_event(item)
            return replace(copy, answer=Answer.ACCEPTED) if copy.answer is Answer.TENTATIVE else copy

        return eager

    replace_in(parse, "parse_event", make)
    replace_in(calendar, "parse_event", lambda _old: parse.parse_event)


@bug("Goes on sending to a mailbox that asked for a wait.", tests="tests/unit/graph/test_gateway.py")
def heeds_no_wait() -> None:
    replace_in(Pauses, "check", lambda _check: lambda _self, _mailbox: None)
