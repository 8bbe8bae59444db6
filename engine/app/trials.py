"""Trying a tenant: one harmless call for each thing the engine needs there."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from concurrent.futures import TimeoutError as TooLate
from datetime import timedelta
from typing import TYPE_CHECKING

from engine.app.late import Late
from engine.app.office import Office
from engine.errors import AccessDenied, CredentialsRevoked, DirectorySilent, EngineError, Unreachable
from engine.ids import Address, ICalUid
from engine.interval import Interval, ceil_to_grid
from engine.reconcile.contacts import ContactBook
from engine.rooms.calendar import EventDraft, RoomCalendar
from engine.rooms.room import Place
from engine.settings.sections import ContactsSettings
from engine.web.pages.parts.trials import Needed, Outcome, Trial, TryTenant

if TYPE_CHECKING:
    from engine.app.engine import Engine

TRIAL_SECONDS = 60.0
LOOKING = ICalUid("accord-looks-around")
"""The uid of no event: asking for it shows whether a calendar may be read."""
SUBJECT = "Accord: trying whether it may write here"
NO_ROOM = "the list of rooms is empty: the tenant has no room mailbox, or one that is hidden or only hours old"
"""Said of an empty list: it was answered, so no permission is lacking."""


def try_through(engine: Late[Engine], loop: asyncio.AbstractEventLoop) -> TryTenant:
    """Return a function for other threads that tries everything, one after the other."""

    async def ask() -> Sequence[Trial]:
        made = await engine.get()
        return await try_tenant(made.office, made.calendar, made.contacts)

    def try_all() -> Sequence[Trial]:
        trying = asyncio.run_coroutine_threadsafe(ask(), loop)
        try:
            return trying.result(TRIAL_SECONDS)
        except TooLate:
            trying.cancel()
            return [Trial(Needed.IDENTITY, Outcome.FAILED, f"no answer within {TRIAL_SECONDS:.0f} seconds")]

    return try_all


async def try_tenant(office: Office, calendar: RoomCalendar, contacts: ContactBook | None = None) -> list[Trial]:
    """
    Try what the engine needs, and that it can do no more than that.

    Only a default user's calendar is written to: one event without guests, taken back.
    """
    try:
        places, listed = await _try_places(calendar)
    except (CredentialsRevoked, DirectorySilent) as error:
        return _end_with(Trial(Needed.IDENTITY, Outcome.FAILED, str(error)))
    except Unreachable as error:
        return [Trial(Needed.IDENTITY, Outcome.OK), *_end_with(_failed(Needed.PLACES, error))]
    rules = office.rules.sync()
    return [
        Trial(Needed.IDENTITY, Outcome.OK),
        places,
        await _try_room(calendar, listed),
        await _try_writing(office, calendar, rules.default_user if rules.mode == "two_way" else None),
        await _try_closed(calendar, office.connection.closed_mailbox),
        *await _try_contacts(contacts, office.settings.contacts),
        _look_at_subscriptions(office),
    ]


def _failed(needed: Needed, error: EngineError) -> Trial:
    """Return a trial that did not work. Where nobody answered, that tells nothing of what is permitted."""
    return Trial(needed, Outcome.FAILED, str(error), is_moot=isinstance(error, Unreachable))


def _end_with(failed: Trial) -> list[Trial]:
    """Return a trial without which all that come after it would fail for the same reason, and those, not tried."""
    order = list(Needed)
    later = order[order.index(failed.needed) + 1 :]
    return [failed, *(Trial(needed, Outcome.NOT_TRIED, is_moot=True) for needed in later)]


async def _try_places(calendar: RoomCalendar) -> tuple[Trial, tuple[Place, ...]]:
    """Raise CredentialsRevoked when the directory refuses us, Unreachable when it or Graph does not answer."""
    found: list[Place] = []
    try:
        async for page in calendar.fetch_places():
            found += page
    except (CredentialsRevoked, Unreachable):
        raise
    except EngineError as error:
        return _failed(Needed.PLACES, error), ()
    if not found:
        return Trial(Needed.PLACES, Outcome.FAILED, NO_ROOM, is_moot=True), ()
    return Trial(Needed.PLACES, Outcome.OK, str(len(found))), tuple(found)


async def _try_room(calendar: RoomCalendar, places: tuple[Place, ...]) -> Trial:
    place = next((place for place in places if place.address), None)
    if place is None:
        return Trial(Needed.ROOM_CALENDARS, Outcome.NOT_TRIED)
    try:
        await calendar.find_event(place.address, LOOKING)
    except EngineError as error:
        return _failed(Needed.ROOM_CALENDARS, error)
    return Trial(Needed.ROOM_CALENDARS, Outcome.OK, place.name)


async def _try_writing(office: Office, calendar: RoomCalendar, mailbox: Address | None) -> Trial:
    if mailbox is None:
        return Trial(Needed.WRITING, Outcome.NOT_TRIED)
    start = ceil_to_grid(office.now()) + timedelta(days=1)
    name = f"accord-trial-{secrets.token_hex(8)}"
    draft = EventDraft(SUBJECT, "", Interval(start, start + timedelta(minutes=15)), (), name, name)
    try:
        made = await calendar.create_event(mailbox, draft)
        await calendar.delete_event(mailbox, made.event_id)
    except EngineError as error:
        return _failed(Needed.WRITING, error)
    return Trial(Needed.WRITING, Outcome.OK, mailbox)


async def _try_closed(calendar: RoomCalendar, mailbox: Address | None) -> Trial:
    """Try to read a mailbox that must not be readable. Only a clear refusal proves it: a mailbox that is not there
    could not have been read either."""
    if mailbox is None:
        return Trial(Needed.CLOSED, Outcome.NOT_TRIED)
    try:
        await calendar.find_event(mailbox, LOOKING)
    except AccessDenied:
        return Trial(Needed.CLOSED, Outcome.OK, mailbox)
    except EngineError as error:
        return _failed(Needed.CLOSED, error)
    return Trial(Needed.CLOSED, Outcome.FAILED, f"{mailbox} could be read")


async def _try_contacts(contacts: ContactBook | None, wish: ContactsSettings) -> list[Trial]:
    """Look for the folder of contacts, where one is wanted."""
    if contacts is None or not wish.mailbox:
        return []
    try:
        await contacts.find_folder(wish.mailbox, wish.folder)
    except EngineError as error:
        return [_failed(Needed.CONTACTS, error)]
    return [Trial(Needed.CONTACTS, Outcome.OK, wish.mailbox)]


def _look_at_subscriptions(office: Office) -> Trial:
    followed = [room for room in office.status.rooms() if room.state == "active"]
    if office.settings.sync.delivery != "push" or not followed:
        return Trial(Needed.NOTIFICATIONS, Outcome.NOT_TRIED)
    subscribed = sum(room.subscribed for room in followed)
    outcome = Outcome.OK if subscribed == len(followed) else Outcome.FAILED
    return Trial(Needed.NOTIFICATIONS, outcome, f"{subscribed}/{len(followed)}")
