"""calendarView: what touches a stretch of time."""

from __future__ import annotations

from datetime import timedelta

from engine.conformance.check import check, holds, same
from engine.conformance.stage import Stage, window

VIEW = "Graph: calendar-list-calendarview"


@check(VIEW)
async def a_view_needs_a_window(stage: Stage) -> None:
    """calendarView without its two parameters: 400."""
    (await stage.ask("GET", stage.path(stage.person, tail="/calendarView"))).refuse(400)


@check(VIEW)
async def a_window_must_not_end_before_it_begins(stage: Stage) -> None:
    """calendarView with the end before the start: 400."""
    start, end = await stage.slot()
    (await stage.ask("GET", stage.path(stage.person, tail=f"/calendarView?{window(end, start)}"))).refuse(400)


@check(VIEW)
async def a_view_shows_what_overlaps_an_edge(stage: Stage) -> None:
    """An event that only overlaps an edge of the window is shown; one that ends where it begins is not."""
    start, end = await stage.slot()
    event = await stage.make(stage.body(start, end))
    half = start + timedelta(minutes=30)
    same("half inside", [each["id"] for each in await stage.view(stage.person, half, end)], [event["id"]])
    same("touching", await stage.view(stage.person, end, end + timedelta(minutes=30)), [])


@check(VIEW)
async def offsets_in_the_window_are_honoured(stage: Stage) -> None:
    """A window given with an offset means that instant; without one it is UTC."""
    start, end = await stage.slot()
    event = await stage.make(stage.body(start, end))
    east = timedelta(hours=5)
    query = f"startDateTime={start + east:%Y-%m-%dT%H:%M:%S}%2B05:00&endDateTime={end + east:%Y-%m-%dT%H:%M:%S}%2B05:00"
    plain = f"startDateTime={start:%Y-%m-%dT%H:%M:%S}&endDateTime={end:%Y-%m-%dT%H:%M:%S}"
    for text in (query, plain):
        answer = await stage.ask("GET", stage.path(stage.person, tail=f"/calendarView?{text}"))
        answer.expect(200)
        same(f"events in {text}", [each["id"] for each in answer.value], [event["id"]])


@check(VIEW)
async def a_zone_asked_for_does_not_move_the_window(stage: Stage) -> None:
    """`Prefer: outlook.timezone` changes how times are shown, not what the window means."""
    start, end = await stage.slot()
    event = await stage.make(stage.body(start, end))
    path = stage.path(stage.person, tail=f"/calendarView?{window(start, end)}")
    answer = await stage.ask("GET", path, Prefer='outlook.timezone="Tokyo Standard Time"')
    answer.expect(200)
    same("events", [each["id"] for each in answer.value], [event["id"]])
    same("zone", answer.value[0]["start"]["timeZone"], "Tokyo Standard Time")


@check("Graph: paging")
async def a_view_comes_by_pages(stage: Stage) -> None:
    """`$top=1` gives one event and a link; the links give each event once and end."""
    start, end = await stage.slot(3)
    made = [await stage.make(stage.body(start + timedelta(hours=n), end)) for n in range(3)]
    link, found = stage.path(stage.person, tail=f"/calendarView?{window(start, end)}&$top=1"), list[str]()
    for _ in range(6):
        answer = await stage.ask("GET", link)
        answer.expect(200)
        holds("one event on a page", len(answer.value) <= 1)
        found += [each["id"] for each in answer.value]
        link = answer.body.get("@odata.nextLink", "")
        if not link:
            break
    same("events", sorted(found), sorted(each["id"] for each in made))
    same("a link after the last page", link, "")


@check(VIEW)
async def top_has_limits(stage: Stage) -> None:
    """`$top=0` and `$top=1001` are refused: 400."""
    start, end = await stage.slot()
    for count in (0, 1001):
        path = stage.path(stage.person, tail=f"/calendarView?{window(start, end)}&$top={count}")
        (await stage.ask("GET", path)).refuse(400)


@check("Graph: query-parameters")
async def events_are_filtered_by_time(stage: Stage) -> None:
    """`$filter=start/dateTime ge ...` on `/events` finds by start."""
    start, end = await stage.slot()
    event = await stage.make(stage.body(start, end))
    condition = f"start/dateTime ge '{start:%Y-%m-%dT%H:%M}' and start/dateTime lt '{end:%Y-%m-%dT%H:%M}'"
    query = "$filter=" + condition.replace(" ", "%20")
    answer = await stage.ask("GET", stage.path(stage.person, tail=f"/events?{query}"))
    answer.expect(200)
    holds("the event is found", event["id"] in {each["id"] for each in answer.value})
