"""Which rooms suit a wish: those free at its time, and those free a little earlier or later. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.ids import BookableId
from engine.loans.openings import Opening
from engine.rooms.ranking import RankedRoom, RoomWish, rank_rooms
from engine.rooms.room import Room


@dataclass(frozen=True, slots=True)
class Finding:
    """One room that will do. `without` are the features asked for that it has not; `is_best`: nothing is missing."""

    room: Room
    opening: Opening
    without: tuple[str, ...]
    is_seats_unknown: bool

    @property
    def is_best(self) -> bool:
        return not self.without and not self.is_seats_unknown


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found, each part the best first. `too_small` counts the rooms left out for their size."""

    free: tuple[Finding, ...]
    nearby: tuple[Finding, ...]
    too_small: int


def find_rooms(
    openings: Iterable[Opening], rooms: Mapping[BookableId, Room], *, people: int, features: Sequence[str]
) -> Findings:
    """
    Return the rooms that will do.

    Args:
        openings: what each room says to the wish.
        rooms: by number.
        people: how many will come; 0: nobody said.
        features: what the room should have; one that lacks some comes after those that have them all.
    """
    judged = {opening.item.id: opening for opening in openings if opening.item.id in rooms}
    wish = RoomWish(people or None, features=frozenset(features))
    ranked = rank_rooms(wish, [rooms[number] for number in judged])
    found = [_finding(each, judged[each.room.id], features) for each in ranked]
    return Findings(
        free=tuple(one for one in found if one.opening.is_open),
        nearby=tuple(one for one in found if not one.opening.is_open and one.opening.shifts),
        too_small=sum(1 for opening in judged.values() if (opening.item.capacity or people) < people),
    )


def _finding(ranked: RankedRoom, opening: Opening, features: Sequence[str]) -> Finding:
    has = {word.casefold() for word in (*ranked.room.tags, *ranked.room.features)}
    without = tuple(word for word in features if word.casefold() not in has)
    return Finding(ranked.room, opening, without, "seats" in ranked.lacks)
