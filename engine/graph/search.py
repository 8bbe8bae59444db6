"""A search in one mailbox, and what may be concluded from its answer."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing

from engine.errors import Malformed
from engine.graph.gateway import Call, Gateway
from engine.graph.parse import parse_event
from engine.graph.payloads import EventItem
from engine.rooms.event import EventCopy


async def search(gateway: Gateway, call: Call, is_wanted: Callable[[EventItem], bool]) -> EventCopy | None:
    """
    Return the best event that *call* finds and that is wanted: a living one before a cancelled one, the organizer's
    before a copy. None when the mailbox has none: only an answer that holds nothing says so.

    Raises Malformed when nothing but other events comes back, or some that cannot be read. Where the condition was
    passed over, nobody knows whether the one that was asked for is there.
    """
    async with aclosing(gateway.pages(call, EventItem)) as pages:
        async for page in pages:
            found = [parse_event(item) for item in page.items if item.id and is_wanted(item)]
            if found:
                return min(found, key=lambda copy: (copy.is_cancelled, not copy.is_organizer))
            if page.items or page.unreadable:
                raise Malformed(f"{call.what}: other events came back than were asked for; it may be there or not")
    return None
