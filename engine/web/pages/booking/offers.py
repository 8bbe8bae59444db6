"""What a booking form offers: rooms and things with what they say to the wish, and what would do instead. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from engine.folding import holds_words
from engine.ids import BookableId
from engine.interval import Interval
from engine.loans.loan import ItemKind
from engine.loans.openings import Opening, common_shifts
from engine.rooms.ranking import RankedRoom, RoomWish, rank_rooms, wish_like
from engine.rooms.room import Room, natural

INSTEAD_MAX = 3
"""How many rooms are offered in the place of one that is taken."""


@dataclass(frozen=True, slots=True)
class Offer:
    """
    One room or thing of the list. `room` is None for things, `about` what is said of them; `is_small`: it seats fewer
    than will come.
    """

    opening: Opening
    room: Room | None
    is_chosen: bool
    is_small: bool
    about: str = ""
    instead: tuple[RankedRoom, ...] = ()
    """Free rooms that can stand in, the best first; only where it is chosen and cannot be had."""

    @property
    def id(self) -> BookableId:
        return self.opening.item.id

    @property
    def name(self) -> str:
        return self.opening.item.name

    @property
    def kind(self) -> ItemKind:
        return self.opening.item.kind


@dataclass(frozen=True, slots=True)
class Offers:
    """The whole list, each part in its order, and the times nearby that suit everything chosen."""

    free: tuple[Offer, ...]
    other: tuple[Offer, ...]
    things: tuple[Offer, ...]
    chosen: tuple[Offer, ...]
    shifts: tuple[Interval, ...]

    @property
    def waits(self) -> bool:
        """Whether a booking of what is chosen waits for approval first."""
        return any(offer.opening.item.approval for offer in self.chosen)

    @property
    def are_open(self) -> bool:
        """Whether everything chosen can be had."""
        return all(offer.opening.is_open for offer in self.chosen)


def make_offers(
    openings: Sequence[Opening],
    rooms: Mapping[BookableId, Room],
    chosen: Sequence[int],
    *,
    people: int,
    words: str = "",
    about: Mapping[BookableId, str] | None = None,
) -> Offers:
    """
    Return what to show.

    Args:
        openings: of every room and thing.
        rooms: by number.
        chosen: numbers in the order they were chosen.
        people: how many will come; 0: nobody said.
        words: leaves out what neither its name nor its place nor its features hold; what is chosen stays.
        about: what is said of things, by number.
    """
    offers = {
        o.item.id: _offer(o, rooms.get(o.item.id), chosen, people, (about or {}).get(o.item.id, "")) for o in openings
    }
    shown = [offer for offer in offers.values() if offer.is_chosen or _holds(offer, words)]
    of_rooms = _in_order([offer for offer in shown if offer.room is not None], people)
    taken = tuple(offers[BookableId(number)] for number in dict.fromkeys(chosen) if number in offers)
    return Offers(
        free=tuple(offer for offer in of_rooms if offer.opening.is_open),
        other=tuple(offer for offer in of_rooms if not offer.opening.is_open),
        things=tuple(offer for offer in shown if offer.kind is ItemKind.ASSET),
        chosen=tuple(replace(offer, instead=_instead(offer, offers.values(), people)) for offer in taken),
        shifts=common_shifts([offer.opening for offer in taken]),
    )


def _offer(opening: Opening, room: Room | None, chosen: Collection[int], people: int, about: str) -> Offer:
    seats = opening.item.capacity
    is_small = opening.item.kind is ItemKind.ROOM and seats is not None and seats < people
    return Offer(opening, room, opening.item.id in chosen, is_small, about)


def _in_order(offers: Sequence[Offer], people: int) -> list[Offer]:
    """Return rooms as they rank for so many people; those that seat fewer come last."""
    ranked = rank_rooms(RoomWish(people or None), [offer.room for offer in offers if offer.room is not None])
    place = {found.room.id: number for number, found in enumerate(ranked)}
    return sorted(offers, key=lambda offer: (place.get(offer.id, len(place)), natural(offer.name), offer.id))


def _instead(offer: Offer, all_offers: Collection[Offer], people: int) -> tuple[RankedRoom, ...]:
    if offer.opening.is_open or offer.room is None:
        return ()
    wish = wish_like(offer.room)
    free = [other.room for other in all_offers if other.room and other.opening.is_open and not other.is_chosen]
    return rank_rooms(replace(wish, people=people or wish.people), free)[:INSTEAD_MAX]


def _holds(offer: Offer, words: str) -> bool:
    room = offer.room
    parts = (offer.name, offer.about, *((room.building or "", *room.tags, *room.features) if room else ()))
    return holds_words(" ".join(parts), words)
