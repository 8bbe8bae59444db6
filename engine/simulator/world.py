"""
The tenant's state and the few verbs that change it: everything else is rules on top.

`write` and `erase` are the only ways a calendar changes. Each bumps the change key, logs the change for delta and
tells the listeners (change notifications), so no rule can forget to.
"""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import msgspec

from engine.simulator.calendars.mailbox import Calendar
from engine.simulator.calendars.records import NEVER, Event, Mailbox, Place, Tombstone
from engine.simulator.calendars.series import Series, clean_uid
from engine.simulator.letters import Letter
from engine.simulator.options import TenantOptions
from engine.simulator.store import Store

DEFAULT_ID = "AAMkAD"
IMMUTABLE_ID = "AAkALg"
"""The two id formats differ by prefix here; both are opaque to callers (Graph docs: outlook-immutable-id)."""
_MALFORMED_BELOW = 8
LETTERS_MAX = 500

Listener = Callable[[Mailbox, str, Event], None]


class World:
    """Directory, calendars, counters and chance of one tenant."""

    def __init__(
        self,
        options: TenantOptions,
        store: Store,
        *,
        now: Callable[[], datetime],
        call_later: Callable[[float, Callable[[], None]], Any],
        seed: int,
    ) -> None:
        self.options = options
        self.store = store
        self.now = now
        self.call_later = call_later
        self.rng = Random(seed)
        self.mailboxes: dict[str, Mailbox] = {}
        self.calendars: dict[str, Calendar] = {}
        self.places: dict[str, Place] = {}
        self.listeners: list[Listener] = []
        self.sequence = 0
        self.mails = 0
        """Messages sent to people and rooms: requests, cancellations, answers, notices."""
        self.letters: deque[Letter] = deque(maxlen=LETTERS_MAX)
        """The last of them, for the control room; not kept over a restart."""
        self._by_address: dict[str, str] = {}
        self._place_by_mailbox: dict[str, Place] = {}
        self._restart()

    def post(self, letter: Letter) -> None:
        """Count a message and keep it for those who want to read it."""
        self.mails += 1
        self.letters.append(letter)

    # -- chance and counters

    def guid(self) -> str:
        """Return a new directory-style id."""
        return str(UUID(int=self.rng.getrandbits(128), version=4))

    def next_number(self) -> int:
        """Return the next value of the one counter behind versions and creation order."""
        self.sequence += 1
        return self.sequence

    def between(self, range_: tuple[float, float]) -> float:
        """Draw evenly from *range_*; an empty range costs no chance."""
        low, high = range_
        return low if low == high else self.rng.uniform(low, high)

    def new_key(self) -> str:
        """Return the id part of a new event: opaque, case-sensitive, with `-`, `_` and `=`."""
        raw = self.rng.randbytes(37)
        return (b64encode(raw) if self.options.standard_base64_ids else urlsafe_b64encode(raw)).decode()

    def new_ical_uid(self) -> str:
        """Return a global object id as Outlook writes it (MS-OXOCAL 2.2.1.27)."""
        return clean_uid("040000008200E00074C5B7101A82E008" + self.rng.randbytes(24).hex().upper())

    # -- directory

    def add_mailbox(self, mailbox: Mailbox) -> Mailbox:
        """Register a mailbox under its id, address and aliases."""
        self.mailboxes[mailbox.id] = mailbox
        self.calendars[mailbox.id] = Calendar(mailbox.id)
        for address in (mailbox.address, *mailbox.aliases):
            self._by_address[address.lower()] = mailbox.id
        self.save_mailbox(mailbox)
        return mailbox

    def save_mailbox(self, mailbox: Mailbox) -> None:
        """Mark *mailbox* as changed."""
        self.store.put(f"mailbox/{mailbox.id}", mailbox)

    def readdress(self, mailbox: Mailbox, address: str, *, keep_alias: bool) -> None:
        """Give *mailbox* a new primary address; the old one stays an alias or stops existing."""
        old = mailbox.address
        mailbox.address = address
        self._by_address[address.lower()] = mailbox.id
        if keep_alias:
            mailbox.aliases.append(old)
        else:
            self._by_address.pop(old.lower(), None)
        self.save_mailbox(mailbox)

    def retire(self, mailbox: Mailbox) -> None:
        """Remove *mailbox* from the directory; its addresses are free again."""
        mailbox.state = "removed"
        for address in (mailbox.address, *mailbox.aliases):
            if self._by_address.get(address.lower()) == mailbox.id:
                del self._by_address[address.lower()]
        self.save_mailbox(mailbox)

    def find_mailbox(self, key: str) -> Mailbox | None:
        """Return the mailbox with that id, address or alias; addresses ignore case."""
        found = self.mailboxes.get(key)
        if found is None:
            lowered = key.lower()
            found = self.mailboxes.get(self._by_address.get(lowered, lowered))
        return found

    def addresses_of(self, mailbox: Mailbox) -> frozenset[str]:
        """Return all addresses of *mailbox*, in lower case."""
        return frozenset(address.lower() for address in (mailbox.address, *mailbox.aliases))

    def is_same_address(self, one: str, other: str) -> bool:
        """Tell whether two addresses reach the same mailbox."""
        if one.lower() == other.lower():
            return True
        found = self._by_address.get(one.lower())
        return found is not None and found == self._by_address.get(other.lower())

    def place_of(self, mailbox: Mailbox) -> Place | None:
        """Return the Places entry of a room's mailbox."""
        return self._place_by_mailbox.get(mailbox.id)

    def save_place(self, place: Place) -> None:
        """Mark *place* as changed."""
        self.places[place.id] = place
        self._place_by_mailbox[place.mailbox] = place
        self.store.put(f"place/{place.number}", place)

    def drop_place(self, place: Place) -> None:
        """Forget *place*."""
        self.places.pop(place.id, None)
        self._place_by_mailbox.pop(place.mailbox, None)
        self.store.drop(f"place/{place.number}")

    # -- calendars

    def write(self, event: Event, change: str) -> Event:
        """
        Keep *event* as it is now: new change key, a line in the log, listeners told.

        An occurrence that is written becomes an exception. Whatever happens in a series is told of its master alone
        (observed by developers, graph-docs issue 5520 and msgraph-sdk-dotnet issue 2822).
        """
        calendar = self.calendars[event.mailbox]
        before = event.modified_at if event.key in calendar.events else NEVER
        event.modified_at = max(self.now(), before + timedelta(microseconds=1))  # no two changes at the same time
        if event.series:
            series = calendar.series[event.series]
            self._except(series, event)
            self.write(series.master, "updated")
            return event
        event.version = self.next_number()
        if event.key not in calendar.events:
            calendar.add(event)
        self._forget(calendar.touch(event))
        self.store.put(f"event/{event.number}", event)
        if event.key in calendar.series:
            for item in calendar.series[event.key].exceptions.values():
                self.store.put(f"event/{item.number}", item)
        self._tell(event, change)
        return event

    def _except(self, series: Series, event: Event) -> None:
        assert event.slot is not None
        if event.slot not in series.exceptions:
            event.type, event.number = "exception", self.next_number()
            series.exceptions[event.slot] = event

    def master_of(self, event: Event) -> Event:
        """Return the master of an occurrence or exception, and any other event itself."""
        return self.calendars[event.mailbox].series[event.series].master if event.series else event

    def drop_exceptions(self, series: Series) -> None:
        """Take all exceptions and cancelled dates of *series* back; the caller writes its master."""
        self._forget(list(series.exceptions.values()))
        series.exceptions.clear()
        series.master.cancelled_dates = []

    def _forget(self, exceptions: list[Event]) -> None:
        for item in exceptions:
            self.store.drop(f"event/{item.number}")

    def erase(self, event: Event) -> None:
        """Take *event* out of its calendar; delta will say `@removed`. A series ends with its last occurrence."""
        calendar = self.calendars[event.mailbox]
        if event.series:
            assert event.slot is not None
            series = calendar.series[event.series]
            if not series.holds_nothing_but(event.slot):
                gone = series.cancel(event.slot)
                self._forget([gone] if gone else [])
                self.write(series.master, "updated")
                return
            event = series.master
        ended = calendar.series.get(event.key)
        former = [*event.former, *([ended.close(self.sequence + 1)] if ended else [])]
        self._forget(calendar.remove(event))
        stone = Tombstone(event.key, event.mailbox, self.next_number(), former)
        calendar.former[event.key] = former
        calendar.log(event.key, stone.version)
        self.store.drop(f"event/{event.number}")
        self.store.put(f"gone/{event.number}", stone)
        self._tell(event, "deleted")

    def _tell(self, event: Event, change: str) -> None:
        mailbox = self.mailboxes[event.mailbox]
        for listener in self.listeners:
            listener(mailbox, change, event)

    # -- restart

    def _restart(self) -> None:
        """Read everything back; chance goes on from a new place so that no id is drawn twice."""
        for raw in self.store.load("mailbox"):
            mailbox = msgspec.json.decode(raw, type=Mailbox)
            self.mailboxes[mailbox.id] = mailbox
            self.calendars[mailbox.id] = Calendar(mailbox.id)
        for mailbox in sorted(self.mailboxes.values(), key=lambda item: item.number):
            self.sequence = max(self.sequence, mailbox.number)
            if mailbox.state != "removed":
                for address in (*mailbox.aliases, mailbox.address):
                    self._by_address[address.lower()] = mailbox.id
        self._restore_events()
        for raw in self.store.load("place"):
            place = msgspec.json.decode(raw, type=Place)
            self.places[place.id] = place
            self._place_by_mailbox[place.mailbox] = place
            self.sequence = max(self.sequence, place.number)
        if self.sequence:
            self.rng.seed(f"{self.options.seed}/{self.sequence}")

    def _restore_events(self) -> None:
        events: dict[str, list[Event]] = {}
        stones: dict[str, list[Tombstone]] = {}
        for raw in self.store.load("event"):
            event = msgspec.json.decode(raw, type=Event)
            events.setdefault(event.mailbox, []).append(event)
            self.sequence = max(self.sequence, event.version)
        for raw in self.store.load("gone"):
            stone = msgspec.json.decode(raw, type=Tombstone)
            stones.setdefault(stone.mailbox, []).append(stone)
            self.sequence = max(self.sequence, stone.version)
        for mailbox, calendar in self.calendars.items():
            calendar.restore(events.get(mailbox, ()), stones.get(mailbox, ()))


def render_id(key: str, *, immutable: bool) -> str:
    """Return the event id that callers see, in the format they asked for."""
    return (IMMUTABLE_ID if immutable else DEFAULT_ID) + key


def parse_id(text: str) -> str | None:
    """Return the key inside an event id of either format, or None when the text cannot be an id."""
    if len(text) < _MALFORMED_BELOW or not text.startswith((DEFAULT_ID, IMMUTABLE_ID)):
        return None
    return text[len(DEFAULT_ID) :]


def change_key(event: Event) -> str:
    """Return the change key of this version of this copy: opaque, new on every change (Graph docs: event)."""
    return b64encode(b"\x09\x00\x00\x00\x16\x00\x00" + event.version.to_bytes(9, "big")).decode()


def etag(event: Event) -> str:
    """Return `W/"<changeKey>"` (Graph docs: event)."""
    return f'W/"{change_key(event)}"'
