"""Loans as entries of calendars: told as their store's text level wants it, in their first room's zone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from engine.calendars.entry import CalendarEntry
from engine.database.rooms.book import RoomCache
from engine.loans.loan import Loan, TextLevel
from engine.loans.status import BLOCKING_STATES, LoanStatus
from engine.reconcile.ledger import SyncRules
from engine.reconcile.telling.texts import render_plain


class Entries:
    """
    Makes entries.

    Args:
        instance: the name of this database; uids carry it.
        zone: the building's.
        rules: the settings as they are now, with where people open a loan.
    """

    def __init__(self, rooms: RoomCache, *, instance: str, zone: str, rules: Callable[[], SyncRules]) -> None:
        self._rooms = rooms
        self._instance = instance
        self._zone = zone
        self._rules = rules

    def level_of(self, loan: Loan) -> TextLevel:
        """Return how much may be told of a loan outside."""
        return self._rooms.text_level(loan.store_id) or self._rules().text_level

    def make(self, loan: Loan, summary: str, *, level: TextLevel, sequence: int, changed_at: datetime) -> CalendarEntry:
        """Return a loan as an entry called *summary*, which tells no more than *level*."""
        link = self.link_to(loan)
        return CalendarEntry(
            uid=f"accord-{self._instance}-{loan.number}",
            sequence=sequence,
            summary=summary,
            description=render_plain(loan, level, link),
            location=", ".join(item.name for item in loan.rooms if item.state in BLOCKING_STATES),
            link=link,
            interval=loan.interval,
            zone=self.zone_of(loan),
            changed_at=changed_at,
            is_tentative=loan.status is LoanStatus.PENDING_APPROVAL,
            is_private=loan.private,
        )

    def link_to(self, loan: Loan) -> str:
        """Return where a loan is opened by who is signed in."""
        return f"{self._rules().link_base}/loans/{loan.number}"

    def zone_of(self, loan: Loan) -> str:
        """Return the zone of a loan's first room, else the building's."""
        zone = self._rooms.zone_of(loan.rooms[0].id) if loan.rooms else None
        return zone.key if isinstance(zone, ZoneInfo) else self._zone
