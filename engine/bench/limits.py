"""What the engine makes of a mailbox's limits: how much of what it may send is of use (performance goal G14)."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

from engine.bench.report import Figure
from engine.bench.world import VirtualWorld
from engine.loans.register import LoanFilter

ROOMS = 10
HOURS_A_DAY = 20


def measure_limits(*, meetings: int) -> list[Figure]:
    """
    Let one person book so many *meetings* (500 at most) that their mailbox refuses the engine, which reads each there.

    The person's own requests leave a third as much of the quota. Graph's own quota is 10,000 requests in ten minutes,
    which would take as long to simulate as to use up.
    """
    with VirtualWorld(rooms=ROOMS, people=1, tenant={"quota": meetings * 4 // 3}) as world:
        person = world.person(0)
        for number in range(meetings):
            room, hour = number % ROOMS, number // ROOMS
            start = world.at(hour % HOURS_A_DAY, days=2 + hour // HOURS_A_DAY)
            world.run(person.book(start, start + timedelta(minutes=45), rooms=[world.rooms[room]]))
        began = world.loop.now()
        while len(world.office.desk.list_loans(LoanFilter(limit=meetings))) < meetings:
            world.wait(10.0)
        took = world.loop.now() - began
        mailbox = f"/users/{quote(world.people[0], safe='')}/"
        asked = zip(world.transport.requests, world.transport.sent_at, strict=True)
        sent = [at for (_, url), at in asked if mailbox in url]
        refused = [each for each in world.transport.refusals if mailbox in each.url]
    early = sum(each.at < at < each.at + timedelta(seconds=each.retry_after) for each in refused for at in sent)
    useful = 100.0 * (1.0 - len(refused) / len(sent))
    minutes = took.total_seconds() / 60
    note = f"{len(sent)} requests, {len(refused)} of them refused; the last loan after {minutes:.0f} min"
    return [
        Figure("G14", "useful requests in a mailbox that throttles", useful, "%", 90.0, at_least=True, note=note),
        Figure("G14", "requests sent there before Retry-After was over", early, "requests", 0.0),
    ]
