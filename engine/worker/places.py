"""The pass over the list of rooms, key `places:all`: read all of it, compare, apply."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from typing import Generic, Protocol, TypeVar

from engine.rooms.listing import ImportPlan, plan_import
from engine.rooms.room import Place, Room

log = logging.getLogger(__name__)

ReportT_co = TypeVar("ReportT_co", covariant=True)
ReportT = TypeVar("ReportT")


class PlaceSource(Protocol):
    """The part of `RoomCalendar` that lists rooms."""

    def fetch_places(self) -> AsyncIterator[tuple[Place, ...]]: ...


class Directory(Protocol[ReportT_co]):
    """Where rooms are kept; `apply_import` is one transaction and says what it did."""

    def load_rooms(self) -> tuple[Room, ...]: ...

    def apply_import(self, plan: ImportPlan, *, default_store: str) -> ReportT_co: ...


class PlacesPass(Generic[ReportT]):
    """
    Imports rooms.

    Args:
        source, directory: the two sides.
        ignored_tags, default_store: the settings, asked for in each pass, after the list was read: a change made
            meanwhile counts.
    """

    def __init__(
        self,
        source: PlaceSource,
        directory: Directory[ReportT],
        *,
        ignored_tags: Callable[[], frozenset[str]],
        default_store: Callable[[], str],
    ) -> None:
        self._source = source
        self._directory = directory
        self._ignored_tags = ignored_tags
        self._default_store = default_store

    async def import_places(self) -> ReportT:
        """
        Make our rooms agree with the directory's list (H14-H18, H25-H28) and return what was done.

        Raises: whatever reading any page raises; half a list would make rooms "missing", so nothing is applied then.
        """
        listed = await fetch_all(self._source)
        plan = plan_import(listed, self._directory.load_rooms(), ignored_tags=self._ignored_tags())
        for warning in plan.warnings:
            log.warning("odd in the list of rooms", extra={"code": warning.code.value, "address": warning.address})
        report = self._directory.apply_import(plan, default_store=self._default_store())
        told = {"listed": len(listed), "changes": len(plan.changes), "left_out": len(plan.skipped)}
        log.info("rooms imported", extra=told)
        return report


async def fetch_all(source: PlaceSource) -> tuple[Place, ...]:
    """Read every page of the list."""
    places: list[Place] = []
    async for page in source.fetch_places():
        places += page
    return tuple(places)
