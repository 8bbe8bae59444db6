"""What one page of a room's changes tells beside what the mirror holds: what is to be written, and whom it concerns."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.database.series.dates import SeriesPage
from engine.ids import EventId
from engine.reconcile.contents import overtakes
from engine.rooms.event import Change, EventCopy, EventRemoved, EventStub


@dataclass(slots=True)
class PageNews:
    """The changes of a page, sorted by what becomes of them. `add` each of them, then the dates that follow."""

    series: SeriesPage
    """The series that the page touches: it makes the rows."""
    rows: list[dict[str, Any]] = field(default_factory=list)
    """Copies to be written."""
    seen: list[EventId] = field(default_factory=list)
    """Shown, and held just so (`mirror.load_others` leaves most of these out); or overtaken by what a notification has
    brought meanwhile."""
    confirmed: list[EventId] = field(default_factory=list)
    """Shown just as notifications alone have told so far."""
    doubts: list[EventId] = field(default_factory=list)
    """Said to be removed: to be asked for."""
    removed: set[str] = field(default_factory=set)
    """Meetings of these; dates of series are left out."""
    lost_masters: set[EventId] = field(default_factory=set)
    """Masters among these: all their dates are in doubt."""
    has_unknown_removed: bool = False
    """Something was said to be removed that the mirror never held."""
    left: set[str] = field(default_factory=set)
    """Meetings and dates of which a copy that was held is said to be removed."""
    changed: list[str | None] = field(default_factory=list)
    """Of every copy that changed the uid of its meeting, where it has one."""
    kept: set[str] = field(default_factory=set)
    """Dates of changed series that are shown just as they were."""
    uids: set[str] = field(default_factory=set)
    """Meetings whose booking is to be looked at."""

    def add(self, event_id: EventId, change: Change, before: Any) -> None:
        """Sort *change* in. *before*: what the mirror holds of this item (`mirror.load_known`), None for nothing."""
        if isinstance(change, EventRemoved):
            self._add_removed(event_id, before)
        elif before is None or not self._is_passed_over(change, before):
            self._add_changed(change, before)

    def add_dates(self, rows: list[dict[str, Any]], uids: set[str]) -> None:
        """Add the dates that follow from their series, and those among them to be looked at (`SeriesPage.follow`)."""
        self.rows += rows
        self.uids |= uids
        self.changed += [row["ical_uid"] for row in self.rows]

    def listed(self, now: datetime) -> set[str]:
        """Return the meetings that are shown, or said to be cancelled, and count as there before us, unless they are
        known to be over."""
        shown = (row for row in self.rows if row["listed"] and row["ical_uid"])
        return {row["ical_uid"] for row in shown if row["end_at"] is None or row["end_at"] > now}

    def take_in(self, uids: Collection[str]) -> None:
        """Count *uids* of what is shown as news, though it was there before us, and look at their bookings."""
        for row in self.rows:
            if row["ical_uid"] in uids:
                row["listed"] = False
        self.uids.update(uids)

    def _add_removed(self, event_id: EventId, before: Any) -> None:
        if before is None:
            self.has_unknown_removed = True
            return
        if before.gone:
            return
        uid = before.ical_uid
        self.doubts.append(event_id)
        self.changed.append(uid)
        if uid:
            self.left.add(uid)
        if before.series_master == event_id:
            self.lost_masters.add(event_id)
        elif before.series_master is None and uid:
            self.removed.add(uid)
            self.uids.add(uid)  # dates of a series are settled together

    def _is_passed_over(self, change: EventCopy | EventStub, before: Any) -> bool:
        """Tell whether the mirror holds *change*, or something newer, and note so."""
        is_known = before.etag == change.etag and not before.doubt and not before.gone
        if not _is_overtaken(change, before) and (not is_known or self.series.has_news_for(change)):
            return False
        self.seen.append(change.event_id)
        if is_known and before.unconfirmed:
            self.confirmed.append(change.event_id)
        return True

    def _add_changed(self, change: EventCopy | EventStub, before: Any) -> None:
        row = self.series.make_row(change, before)
        if before is not None and not before.live and before.ical_uid and row["live"]:
            row["doubt"] = True  # ended before: only asking by id may revive it, never a late page
        self.rows.append(row)
        is_settled_later = row["series_master"] and row["doubt"]
        if not row["ical_uid"] or row["listed"] or is_settled_later:
            return
        if not self.series.says_nothing_new(row):
            self.uids.add(row["ical_uid"])
        elif row["live"]:
            self.kept.add(row["ical_uid"])


def _is_overtaken(change: EventCopy | EventStub, before: Any) -> bool:
    return isinstance(change, EventCopy) and overtakes(
        change, known_modified_at=before.modified_at, unconfirmed=before.unconfirmed
    )
