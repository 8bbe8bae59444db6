"""A tenant on paper: as many rooms as one likes, and a calendar side that answers from arithmetic, without HTTP.

It takes the place of tenant, network and Graph client where those would be measured and not the engine. What room
*r* holds after *v* changes is known without keeping it: `stored` meetings from before, and one more per change.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

from engine.bench.children import next_monday
from engine.ids import Address, EventId, ICalUid
from engine.interval import Interval
from engine.rooms.calendar import Certificate, ChangesPage, RemoteSubscription
from engine.rooms.event import Answer, Attendee, EventCopy, EventType, Mailbox
from engine.rooms.room import Place

PLACES_PER_PAGE = 100
PEOPLE = 500
DOMAIN = "example.org"
NOWHERE = "http://127.0.0.1:1"
"""Where no Graph answers."""

LINK = f"{NOWHERE}/changes?after="
"""What links say where to go on begin with. The service can follow them, and finds that nobody answers."""


class PaperTenant:
    """
    Answers what the engine asks while rooms change.

    Args:
        rooms: how many there are.
        stored: meetings per room from before the first change.
        changes: how many changes each room has had; None: `versions` tells, room by room.
    """

    def __init__(self, rooms: int, *, stored: int, changes: int | None = None) -> None:
        self.rooms = rooms
        self.versions: Counter[int] = Counter()
        self.requests = 0
        self._stored = stored
        self._changes = changes
        self._first = next_monday()

    def address(self, number: int) -> Address:
        return Address(f"room-{number}@{DOMAIN}")

    def event_id(self, number: int, version: int) -> str:
        """Return the id that the meeting of a change has in its room."""
        return f"paper-{number}-{version}"

    async def fetch_places(self) -> AsyncIterator[tuple[Place, ...]]:
        for start in range(0, self.rooms, PLACES_PER_PAGE):
            self.requests += 1
            numbers = range(start, min(self.rooms, start + PLACES_PER_PAGE))
            yield tuple(Place(f"place-{number}", self.address(number), f"Room {number}") for number in numbers)

    async def fetch_changes(
        self, room: str, *, link: str | None, window: Interval | None, page_size: int = 200
    ) -> ChangesPage:
        self.requests += 1
        await asyncio.sleep(0)
        number = int(room.partition("@")[0].rpartition("-")[2])
        now = self.versions[number] if self._changes is None else self._changes
        if link is None:
            before = tuple(self._copy(number, -1 - index) for index in range(self._stored))
            return ChangesPage(before, None, f"{LINK}0")
        seen = int(link.removeprefix(LINK))
        new = tuple(self._copy(number, version) for version in range(seen + 1, now + 1))
        return ChangesPage(new, None, f"{LINK}{now}")

    async def find_event(self, mailbox: str, ical_uid: ICalUid) -> EventCopy | None:
        self.requests += 1
        await asyncio.sleep(0)
        _, number, version = ical_uid.split("/")
        return self._copy(int(number), int(version), organizers=True)

    async def fetch_event(self, mailbox: str, event_id: EventId) -> EventCopy | None:
        raise NotImplementedError("on paper nothing is in doubt")

    async def create_subscription(
        self,
        room: str,
        *,
        notification_url: str,
        lifecycle_url: str,
        client_state: str,
        expires_at: datetime,
        has_other_name: bool = False,
        certificate: Certificate | None = None,
    ) -> RemoteSubscription:
        self.requests += 1
        number = int(room.partition("@")[0].rpartition("-")[2])
        return RemoteSubscription(f"s-{number}", room, notification_url, lifecycle_url, expires_at)

    async def fetch_subscriptions(self) -> Sequence[RemoteSubscription]:
        return ()

    def _copy(self, number: int, version: int, *, organizers: bool = False) -> EventCopy:
        start = self._first + timedelta(hours=abs(version), weeks=0 if version >= 0 else 26)
        room = self.address(number)
        organizer = Mailbox(Address(f"person-{(number + version) % PEOPLE}@{DOMAIN}"), "Person")
        own = self.event_id(number, version)
        return EventCopy(
            event_id=EventId(f"organizers-{own}" if organizers else own),
            etag=f'W/"{own}"',
            ical_uid=ICalUid(f"uid/{number}/{version}"),
            type=EventType.SINGLE,
            organizer=organizer,
            interval=Interval(start, start + timedelta(minutes=50)),
            subject="Meeting",
            attendees=(Attendee(room, "Room", "resource", Answer.ACCEPTED),),
            answer=Answer.ORGANIZER if organizers else Answer.ACCEPTED,
            is_organizer=organizers,
            modified_at=_long_ago(start) if version < 0 else None,
        )


def _long_ago(start: datetime) -> datetime:
    return start - timedelta(days=365)
