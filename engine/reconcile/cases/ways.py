"""The ways out of a case: one table, read by the API, the command line, the pages and the policies of stores.

What each way does to the loan is carried out by `database/settling/settlements.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from engine.ids import BookableId, LoanNumber, StoreId
from engine.loans.loan import Case, Home, Loan
from engine.reconcile.actions import Note
from engine.reconcile.words.reasons import LANGUAGES
from engine.rooms.ranking import RankedRoom


class Way(StrEnum):
    """A way out of a case."""

    KEEP_OUTLOOK = "keep_outlook"
    KEEP_LOAN = "keep_loan"
    MOVE_ROOM = "move_room"
    """Take an equivalent room that is free instead."""
    DROP_ROOM = "drop_room"
    CONFIRM = "confirm"
    """Cancel what was held back."""
    REJECT = "reject"
    """Keep the loans whose cancellation was held back."""
    IGNORE = "ignore"


_ROOM_WAYS = (Way.MOVE_ROOM, Way.DROP_ROOM, Way.IGNORE)
WAYS: Mapping[str, tuple[Way, ...]] = MappingProxyType(
    {
        "both_changed": (Way.KEEP_OUTLOOK, Way.KEEP_LOAN, Way.IGNORE),
        "item_unavailable": (Way.MOVE_ROOM, Way.KEEP_OUTLOOK, Way.IGNORE),
        "room_declined": _ROOM_WAYS,
        "room_released": _ROOM_WAYS,
        "room_does_not_answer": _ROOM_WAYS,
        "mass_cancel_held": (Way.CONFIRM, Way.REJECT),
    }
)
"""Kind of case -> ways out, the most telling first. Kinds that are not listed can only be ignored."""

_TEXTS: Mapping[Way, tuple[str, str]] = MappingProxyType(
    {
        Way.KEEP_OUTLOOK: ("Keep what Outlook says", "Garder ce que dit Outlook"),
        Way.KEEP_LOAN: ("Keep what the loan says", "Garder ce que dit le prêt"),
        Way.MOVE_ROOM: ("Take a free equivalent room", "Prendre une salle équivalente libre"),
        Way.DROP_ROOM: ("Do without the room", "Se passer de la salle"),
        Way.CONFIRM: ("Cancel these loans", "Annuler ces prêts"),
        Way.REJECT: ("Keep these loans", "Conserver ces prêts"),
        Way.IGNORE: ("Leave it as it is", "Laisser en l’état"),
    }
)


@dataclass(frozen=True, slots=True)
class Choice:
    """A way out that is open now. `rooms` are those to move to, the best first; empty for other ways."""

    way: Way
    rooms: tuple[RankedRoom, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case with what can be done about it. `no_undo` says why its settlement cannot be undone; None: it can."""

    case: Case
    choices: tuple[Choice, ...] = ()
    no_undo: Note | None = None
    loans: tuple[LoanNumber, ...] = ()
    """The loans it is about: the one, or those whose cancellation is held back."""
    loan: Loan | None = None
    """The one loan it can be settled by (`loan_concerned`)."""


class CaseDesk(Protocol):
    """What can be done about cases; the desk lists them."""

    def find(self, case_id: int) -> CaseView: ...

    def settle(self, case_id: int, way: Way, *, room_id: BookableId | None, actor: str) -> CaseView: ...

    def undo(self, case_id: int, *, actor: str) -> CaseView: ...

    def policy_of(self, store_id: StoreId) -> Mapping[str, Way]: ...

    def set_policy(self, store_id: StoreId, policy: Mapping[str, Way], *, actor: str) -> None: ...


def ways_of(code: str) -> tuple[Way, ...]:
    """Return the ways out there may be for a kind of case: those a store's policy may name, too."""
    return WAYS.get(code, (Way.IGNORE,))


def find_ways(case: Case, loan: Loan | None) -> tuple[Way, ...]:
    """
    Return the ways out of *case*, apart from whether a room is free to move to.

    Args:
        case: open.
        loan: the loan it concerns (see `loan_concerned`); None when there is none.
    """
    allowed = ways_of(case.code)
    if case.code == "mass_cancel_held":
        return allowed
    if loan is None or not loan.blocks:
        return (Way.IGNORE,)
    return tuple(way for way in allowed if _is_open(way, case, loan))


def _is_open(way: Way, case: Case, loan: Loan) -> bool:
    match case.code, way:
        case _, Way.IGNORE:
            return True
        case "both_changed", Way.KEEP_LOAN if case.facts.get("field") == "requester" and loan.home is Home.OUTLOOK:
            return False  # a person's own meeting keeps its organizer
        case "both_changed", _:
            return "lost_value" in case.facts
        case "item_unavailable", Way.KEEP_OUTLOOK:
            return case.loan_number is not None
        case "item_unavailable", _:
            return True
        case _, Way.DROP_ROOM:
            return _is_in(case, loan) and bool(_staying(case, loan))
    return _is_in(case, loan)


def _is_in(case: Case, loan: Loan) -> bool:
    return rooms_concerned(case) <= {item.id for item in loan.rooms}


def _staying(case: Case, loan: Loan) -> frozenset[BookableId]:
    return frozenset(item.id for item in loan.held_items) - rooms_concerned(case)


def loan_concerned(case: Case) -> LoanNumber | None:
    """Return the loan a case can be settled by: its own, or for a meeting that is kept out the loan in its way."""
    if case.loan_number is not None or case.code != "item_unavailable":
        return case.loan_number
    number = case.facts.get("loan")
    return LoanNumber(number) if isinstance(number, int) else None


def rooms_concerned(case: Case) -> frozenset[BookableId]:
    """Return the rooms a case names."""
    several = case.facts.get("item_ids")
    ids = several if isinstance(several, list) else [case.facts.get("item_id")]
    return frozenset(BookableId(item) for item in ids if isinstance(item, int))


def say_way(way: Way, language: str = "en") -> str:
    """Return a way out in words, in *language* (`en`, `fr`; anything else reads as `en`)."""
    return _TEXTS[way][LANGUAGES.index(language) if language in LANGUAGES else 0]
