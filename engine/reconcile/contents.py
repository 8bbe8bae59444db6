"""When what a notification brings of its event may stand in for a reading of its room (decision 0029).

Content is a room's copy of an event as it was at `modified_at`: what a delta page holds, but of one event, on its way
for who knows how long, and in no order (Graph docs: change-notifications-overview). So it counts where it can only be
newer than what is known, and where no other event has a part in it. Anywhere else the room is read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from engine.ids import EventId, domain_of, fold_address
from engine.interval import Interval
from engine.reconcile.gathering import Told
from engine.rooms.event import EventCopy, EventType
from engine.rooms.series import lone_key


@dataclass(frozen=True, slots=True)
class KnownCopy:
    """What is known of the copy that a notification brings anew."""

    live: bool
    certain: bool
    """Neither gone nor in doubt: nobody has said or found that it is no more."""
    alone: bool
    """No date of a series."""
    modified_at: datetime | None


def is_usable(
    content: EventCopy, known: KnownCopy | None, *, domains: Collection[str], read_at: datetime | None
) -> bool:
    """
    Tell whether *content* may be saved as if its room had been read.

    - Of what is known, only a living copy beyond doubt is changed, and only by a later version: what ended may be
      revived by nothing but asking for it.
    - Of what is not known, only a living meeting of somebody in *domains* that was changed since its room was last read
      to the end (*read_at*), which would have shown it: it may have gone since. And before it becomes a loan, the
      organizer's calendar is asked for it, so that one that is over by now is found out.
    - Dates of series, drafts and what cannot be read are left to a reading.
    """
    if content.type is not EventType.SINGLE or content.series_master_id is not None or content.is_draft:
        return False
    if not content.ical_uid or lone_key(content.ical_uid) is not None or not content.etag:
        return False
    if content.modified_at is None or content.time_fault is not None or content.instant is not None:
        return False
    if known is None:
        is_news = read_at is not None and content.modified_at > read_at
        return is_news and not content.is_cancelled and content.organizer is not None and _is_ours(content, domains)
    if known.modified_at is None or not (known.live and known.certain and known.alone):
        return False
    return content.modified_at > known.modified_at


def _is_ours(content: EventCopy, domains: Collection[str]) -> bool:
    assert content.organizer is not None
    return fold_address(domain_of(content.organizer.address)) in domains


def told_in_full(news: Iterable[tuple[Told, EventCopy | None]]) -> list[EventCopy]:
    """
    Return the contents that *news* of one room bring: notices, each with its content, None where it brings none of use.

    An event of which any notice comes without is left out altogether: that notice may tell of a later version than
    those that bring one, so the room is read for it.
    """
    listed = list(news)
    without = {told.event_id for told, content in listed if content is None}
    return [content for told, content in listed if content is not None and told.event_id not in without]


def newest_of(contents: Iterable[EventCopy]) -> dict[EventId, EventCopy]:
    """Return the newest of *contents* of each event. Of two versions of the same time nobody knows which is newer: such
    an event is left out."""
    by_event: dict[EventId, list[EventCopy]] = {}
    for content in contents:
        if content.modified_at is not None:
            by_event.setdefault(content.event_id, []).append(content)
    found = {}
    for event_id, versions in by_event.items():
        last = max(content.modified_at for content in versions if content.modified_at is not None)
        newest = [content for content in versions if content.modified_at == last]
        if len({content.etag for content in newest}) == 1:
            found[event_id] = newest[0]
    return found


def overtakes(shown: EventCopy, *, known_modified_at: datetime | None, unconfirmed: bool) -> bool:
    """Tell whether what is known of an event overtakes what a page shows: a notification brought it while the page was
    on its way. Where both were read, the page read last counts, as it always did."""
    if not unconfirmed or known_modified_at is None or shown.modified_at is None:
        return False
    return shown.modified_at < known_modified_at


def seen_at(content: EventCopy, now: datetime) -> datetime:
    """Return as of when *content* tells of its room: when it was changed, however late it comes."""
    return min(content.modified_at or now, now)


def is_alone(interval: Interval, others: Collection[Interval]) -> bool:
    """Tell whether nothing else is in the room then. Where something is, one of both may have moved away unheard."""
    blocked = interval.blocked()
    return not any(blocked.overlaps(other.blocked()) for other in others)
