"""Following a calendar: calendarView/delta."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from engine.conformance.check import check, holds, same
from engine.conformance.checks.series import WEEK, weekly
from engine.conformance.client import Differs
from engine.conformance.stage import Stage, when, window

DELTA, OVERVIEW = "Graph: event-delta", "Graph: delta-query-overview"
PAGES_MAX = 400


@dataclass
class Chain:
    """One caller who follows a window of a mailbox."""

    stage: Stage
    mailbox: str
    start: datetime
    end: datetime
    link: str = ""
    pages: int = 0
    seen: list[dict[str, Any]] = field(default_factory=list)
    """Everything told since it was last emptied."""

    async def round(self, size: int = 50) -> list[dict[str, Any]]:
        """Read on to the next deltaLink; return what the pages held. Raises Differs for a page with both links."""
        link = self.link or self.stage.path(self.mailbox, tail=f"/calendarView/delta?{window(self.start, self.end)}")
        found: list[dict[str, Any]] = []
        for self.pages in range(1, PAGES_MAX):
            answer = await self.stage.ask("GET", link, Prefer=f"odata.maxpagesize={size}")
            answer.expect(200)
            found += answer.value
            following, last = answer.body.get("@odata.nextLink"), answer.body.get("@odata.deltaLink")
            if bool(following) == bool(last):
                raise Differs(f"{answer} has {'both links' if last else 'neither link'}")
            link = following or last
            if last:
                self.link = last
                self.seen += found
                return found
        raise Differs(f"{PAGES_MAX} pages and no deltaLink")

    async def told(self, event_id: str, *, gone: bool = False) -> dict[str, Any]:
        """Return what a following round says of an event."""

        async def look() -> dict[str, Any] | None:
            for each in await self.round():
                if each["id"] == event_id and ("@removed" in each) is gone:
                    return each
            return None

        found = await self.stage.until(f"delta tells {'the end of ' if gone else ''}an event", look)
        assert found is not None
        return found


async def follow(stage: Stage, hours: int = 1) -> tuple[Chain, datetime, datetime]:
    """Begin to follow the person's calendar in a slot of its own; the first round is done."""
    start, end = await stage.slot(hours)
    chain = Chain(stage, stage.person, start, end)
    await chain.round()
    return chain, start, end


@check(DELTA, "B42")
async def a_first_round_shows_the_window(stage: Stage) -> None:
    """The first round shows what is in the window, in full, and ends with a deltaLink."""
    start, end = await stage.slot()
    event = await stage.make(stage.body(start, end))
    chain = Chain(stage, stage.person, start, end)
    (found,) = [each for each in await chain.round() if each["id"] == event["id"]]
    same("subject", found["subject"], event["subject"])
    holds("it has an etag", found.get("@odata.etag"))


@check("Graph: paging", "B42")
async def pages_hold_no_more_than_asked(stage: Stage) -> None:
    """`Prefer: odata.maxpagesize=1` makes several pages of several events, each with one link."""
    start, end = await stage.slot(3)
    made = [await stage.make(stage.body(start + timedelta(hours=n), end)) for n in range(3)]
    chain = Chain(stage, stage.person, start, end)
    found = {each["id"] for each in await chain.round(size=1)}
    same("events left out", sorted({each["id"] for each in made} - found), [])
    holds("more than one page", chain.pages > 1)


@check(DELTA, "B42")
async def nothing_changed_is_an_empty_round(stage: Stage) -> None:
    """A round in which nothing changed shows nothing of the event, and a deltaLink."""
    start, end = await stage.slot()
    event = await stage.make(stage.body(start, end))
    chain = Chain(stage, stage.person, start, end)
    await chain.told(event["id"])
    await stage.settle()
    await chain.round()
    same("told again", [each["id"] for each in await chain.round()], [])


@check(DELTA, "B42")
async def a_new_event_is_told(stage: Stage) -> None:
    """An event that is made in the window comes in a following round."""
    chain, start, end = await follow(stage)
    event = await stage.make(stage.body(start, end))
    same("subject", (await chain.told(event["id"]))["subject"], event["subject"])


@check(DELTA, "B42")
async def a_change_is_told(stage: Stage) -> None:
    """A changed event comes again, with its new version."""
    chain, start, end = await follow(stage)
    event = await stage.make(stage.body(start, end))
    await chain.told(event["id"])
    changed = (await stage.ask("PATCH", stage.path(stage.person, event["id"]), {"subject": "Renamed"})).expect(200)

    async def look() -> bool:
        return any(each.get("@odata.etag") == changed["@odata.etag"] for each in await chain.round())

    await stage.until("delta tells the change", look)


@check(DELTA, "B44")
async def a_deletion_is_told(stage: Stage) -> None:
    """A deleted event comes as its id with `@removed`."""
    chain, start, end = await follow(stage)
    event = await stage.make(stage.body(start, end))
    await chain.told(event["id"])
    (await stage.ask("DELETE", stage.path(stage.person, event["id"]))).expect(204)
    found = await chain.told(event["id"], gone=True)
    same("reason", found["@removed"]["reason"], "deleted")


@check(DELTA, "B44")
async def leaving_the_window_looks_like_a_deletion(stage: Stage) -> None:
    """An event moved out of the window comes with `@removed` too, though it is there."""
    chain, start, end = await follow(stage)
    event = await stage.make(stage.body(start, end))
    await chain.told(event["id"])
    later = start + timedelta(days=1)
    body = {"start": when(later), "end": when(later + timedelta(hours=1))}
    (await stage.ask("PATCH", stage.path(stage.person, event["id"]), body)).expect(200)
    await chain.told(event["id"], gone=True)
    same("isCancelled", (await stage.get(stage.person, event["id"]))["isCancelled"], False)


@check("docs-contrib 34, graph-docs 7632", "B43")
async def dates_of_a_series_are_stubs(stage: Stage) -> None:
    """Dates come with id, type, seriesMasterId, start and end only; the master comes in full beside them."""
    master, start, end = await weekly(stage)
    chain = Chain(stage, stage.person, start, end + 2 * WEEK)
    found = await chain.round()
    stubs = [each for each in found if each.get("seriesMasterId") == master["id"]]
    same("dates", len(stubs), 3)
    names = {"@odata.type", "@odata.etag", "id", "type", "seriesMasterId", "start", "end"}
    same("other properties of a date", sorted(set().union(*stubs) - names), [])
    same(
        "subject of the master", [each["subject"] for each in found if each["id"] == master["id"]], [master["subject"]]
    )


@check("Graph: delta-query-events")
async def delta_refuses_query_options(stage: Stage) -> None:
    """`$select`, `$filter` and `$expand` are refused: 400."""
    start, end = await stage.slot()
    for option in ("$select=subject", "$filter=isCancelled%20eq%20false", "$expand=attachments"):
        path = stage.path(stage.person, tail=f"/calendarView/delta?{window(start, end)}&{option}")
        (await stage.ask("GET", path)).refuse(400)


@check("Graph: delta-query-events")
async def delta_needs_a_window(stage: Stage) -> None:
    """Without a window and without a token: 400."""
    (await stage.ask("GET", stage.path(stage.person, tail="/calendarView/delta"))).refuse(400)


@check(OVERVIEW, "B45")
async def a_token_nobody_gave_is_refused(stage: Stage) -> None:
    """A token that is none: a 40x or 410, never an empty list."""
    path = stage.path(stage.person, tail="/calendarView/delta?$deltatoken=nonsense")
    answer = await stage.ask("GET", path)
    holds(f"{answer} refuses", 400 <= answer.status <= 410)
    holds("it has a code", answer.error.get("code"))


@check(OVERVIEW, "B45")
async def a_token_is_good_in_its_own_mailbox_only(stage: Stage) -> None:
    """A token of one mailbox is refused in another: a 40x or 410."""
    chain, _, _ = await follow(stage)
    query = chain.link.partition("?")[2]
    answer = await stage.ask("GET", stage.path(stage.room, tail=f"/calendarView/delta?{query}"))
    holds(f"{answer} refuses", 400 <= answer.status <= 410)


@check(OVERVIEW, "B42")
async def a_token_may_be_used_again(stage: Stage) -> None:
    """An older token tells again what came after it."""
    chain, start, end = await follow(stage)
    old = chain.link
    event = await stage.make(stage.body(start, end))
    await chain.told(event["id"])
    chain.link = old
    same("subject", (await chain.told(event["id"]))["subject"], event["subject"])


@check("msgraph-sdk for Python")
async def the_function_may_be_written_with_brackets(stage: Stage) -> None:
    """`delta()`, as SDKs write it, is the same call."""
    start, end = await stage.slot()
    answer = await stage.ask("GET", stage.path(stage.person, tail=f"/calendarView/delta()?{window(start, end)}"))
    answer.expect(200)
    holds("a link", answer.body.get("@odata.deltaLink") or answer.body.get("@odata.nextLink"))


@check("Graph: outlook-immutable-id", "B60")
async def immutable_ids_are_asked_for_on_every_page(stage: Stage) -> None:
    """With the header delta shows immutable ids; the same link without it shows the others."""
    chain, start, end = await follow(stage)
    event = await stage.make(stage.body(start, end))
    await chain.told(event["id"])
    first = stage.path(stage.person, tail=f"/calendarView/delta?{window(start, end)}")
    answer = await stage.ask("GET", first, Prefer='IdType="ImmutableId"')
    answer.expect(200)
    holds("another id", event["id"] not in {each["id"] for each in answer.value})
