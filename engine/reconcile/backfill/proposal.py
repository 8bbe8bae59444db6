"""Backfill: what to do with one meeting that was there before us. Pure: facts in, a proposal out.

A meeting that is merely listed (decision 0004) is a loan to be created, the other face of a loan the desk holds
already, nothing for us, or in somebody's way. `classify` says which, and how sure it is. The same function is asked
twice: for the preview, and again in the very transaction that carries a step out, so that what changed since the
preview is noticed and nothing is done that was not shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from engine.ids import Address, BookableId, LoanNumber, fold_address
from engine.interval import Interval
from engine.loans.loan import Loan
from engine.reconcile.validate import Invalid, PeopleRule, Valid, validate
from engine.reconcile.views import Base, Face, MeetingView, Presence
from engine.reconcile.words.reasons import say_interval


class Step(StrEnum):
    """What a backfill does with one meeting."""

    CREATE = "create"
    LINK = "link"
    SKIP = "skip"
    CONFLICT = "conflict"


class Certainty(StrEnum):
    """How sure we are that a loan and a meeting are the same booking."""

    CERTAIN = "certain"
    """Same requester, same rooms, same exact times."""
    LIKELY = "likely"
    """Same requester, at least one room in common, times that overlap: the loan takes the meeting's values."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A loan that shares a room and a moment with the meeting."""

    loan: Loan
    linked: bool
    """Whether it has a meeting of its own already."""
    held: frozenset[BookableId]
    """Those of its rooms that the database's guard watches now; none for a loan that is over."""


@dataclass(frozen=True, slots=True)
class Rival:
    """Another listed meeting that goes before this one: the same plan makes a loan of it."""

    key: str
    interval: Interval
    rooms: frozenset[BookableId]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What one meeting needs, and why: a reason code with the values of its sentence."""

    step: Step
    code: str
    facts: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    loan_number: LoanNumber | None = None
    """Link: which loan. Conflict: the loan in the way, None when a meeting is."""
    valid: Valid | None = None
    """Create and link: requester, times and rooms, as validation found them."""

    def does_as(self, other: Proposal) -> bool:
        """Tell whether both do the same thing, whatever they say about it."""
        return self.step is other.step and self.loan_number == other.loan_number


def classify(
    meeting: MeetingView,
    *,
    listed: bool,
    has_loan: bool,
    people: PeopleRule,
    candidates: Sequence[Candidate],
    rivals: Sequence[Rival],
    names: Mapping[BookableId, str],
) -> Proposal:
    """
    Say what a backfill does with *meeting*.

    Args:
        meeting: as the rooms' copies show it.
        listed: whether it is still as it was at first contact.
        has_loan: whether it has a loan, or had one that ended here.
        people: our domains and the default user.
        candidates: loans that share a room and a blocked moment with it.
        rivals: meetings of which this plan makes loans before its turn.
        names: of the rooms, for the sentences.
    """
    if has_loan:
        return Proposal(Step.SKIP, "backfill_has_loan")
    if meeting.presence is not Presence.LIVE:
        return Proposal(Step.SKIP, "backfill_gone")
    if not listed:
        return Proposal(Step.SKIP, "backfill_changed")
    verdict = validate(meeting, people=people, clashes={})
    if isinstance(verdict, Invalid):
        return Proposal(Step.SKIP, verdict.reason, verdict.facts)
    twin = _find_twin(verdict, candidates)
    in_the_way = [each for each in candidates if each is not twin and each.held & verdict.rooms]
    if in_the_way:
        return _conflict_with_loan(verdict, in_the_way[0], names)
    if twin is not None:
        return _link(verdict, twin, names)
    rival = next((each for each in rivals if _collide(verdict, each)), None)
    if rival is not None:
        return _conflict_with_meeting(verdict, rival, names)
    return Proposal(Step.CREATE, "backfill_create", {"rooms": _say(verdict.rooms, names)}, valid=verdict)


def _collide(valid: Valid, rival: Rival) -> bool:
    return bool(rival.rooms & valid.rooms) and rival.interval.blocked().overlaps(valid.interval.blocked())


def _find_twin(valid: Valid, candidates: Sequence[Candidate]) -> Candidate | None:
    """Return the loan that is this very meeting, entered by hand; the surest one, None when there is none.

    Two that are merely likely leave it open which is meant, and a person must say so.
    """
    free = [each for each in candidates if not each.linked and _is_same_person(valid, each.loan)]
    certain = [each for each in free if certainty_of(valid, each.loan) is Certainty.CERTAIN]
    if certain:
        return certain[0]
    return free[0] if len(free) == 1 else None


def _is_same_person(valid: Valid, loan: Loan) -> bool:
    return fold_address(valid.requester.address) == fold_address(loan.requester.address)


def certainty_of(valid: Valid, loan: Loan) -> Certainty:
    """Say how sure it is that *loan* and the meeting, which share requester, room and moment, are one booking."""
    same_rooms = frozenset(item.id for item in loan.rooms) == valid.rooms
    return Certainty.CERTAIN if same_rooms and loan.interval == valid.interval else Certainty.LIKELY


def _link(valid: Valid, twin: Candidate, names: Mapping[BookableId, str]) -> Proposal:
    loan, certainty = twin.loan, certainty_of(valid, twin.loan)
    facts: dict[str, object] = {"loan": loan.number, "certainty": certainty.value}
    if certainty is Certainty.LIKELY:
        mine = frozenset(item.id for item in loan.rooms)
        facts |= {
            "times": say_interval(loan.interval),
            "rooms": _say(mine, {item.id: item.name for item in loan.rooms}),
            "new_times": say_interval(valid.interval),
            "new_rooms": _say(valid.rooms, names),
        }
    return Proposal(Step.LINK, f"backfill_link_{certainty.value}", facts, loan_number=loan.number, valid=valid)


def _conflict_with_loan(valid: Valid, other: Candidate, names: Mapping[BookableId, str]) -> Proposal:
    loan = other.loan
    facts = {
        "loan": loan.number,
        "requester": loan.requester.name,
        "rooms": _say(other.held & valid.rooms, names),
        "times": say_interval(loan.interval),
    }
    return Proposal(Step.CONFLICT, "backfill_loan_in_the_way", facts, loan_number=loan.number)


def _conflict_with_meeting(valid: Valid, rival: Rival, names: Mapping[BookableId, str]) -> Proposal:
    facts = {
        "key": rival.key,
        "rooms": _say(rival.rooms & valid.rooms, names),
        "times": say_interval(rival.interval),
    }
    return Proposal(Step.CONFLICT, "backfill_meeting_in_the_way", facts)


def _say(rooms: frozenset[BookableId], names: Mapping[BookableId, str]) -> str:
    return ", ".join(names.get(room, f"room {room}") for room in sorted(rooms))


def linked_base(loan: Loan, organizer: Address) -> Base:
    """Return the base of a loan that is tied to its meeting: what the loan says, on both faces.

    Where the meeting says otherwise, it has "changed since", so that the next pass lets the loan follow. Nothing of
    the loan has, so that nothing is ever written to Outlook because of the link.
    """
    face = Face(loan.interval, fold_address(loan.requester.address), frozenset(item.id for item in loan.rooms))
    return Base(outlook=replace(face, requester=fold_address(organizer)), loan=face)


# --- taking it back


@dataclass(frozen=True, slots=True)
class Since:
    """What became of a loan since a backfill made or linked it."""

    exists: bool
    is_withdrawn: bool
    """Cancelled, refused or a no-show."""
    touched: bool
    """Whether anybody at the desk changed it."""
    still_linked: bool
    expected: tuple[Face, ...]
    """What its meeting said then: the Outlook side of the base, as it may read if nobody touched the meeting."""
    outlook: tuple[Face, ...]
    """What Outlook says now: as was agreed on last, and as the rooms show it, whether or not the loan has followed."""


def why_left(since: Since) -> str | None:
    """Return why a loan stays as it is when the backfill is undone, as a reason code; None: it can be taken back.

    Whatever a person did since, on either side, stays. What the engine and the clock did by themselves does not count.
    """
    if not since.exists:
        return "backfill_left_lost"
    if since.touched:
        return "backfill_left_changed_here"
    if since.is_withdrawn or not since.still_linked:
        return "backfill_left_ended"
    if any(face not in since.expected for face in since.outlook):
        return "backfill_left_changed_in_outlook"
    return None


def faces_now(base: Base, meeting: MeetingView) -> tuple[Face, ...]:
    """Return what Outlook says of a loan's meeting: what was agreed on last, and what its rooms show, if any does."""
    if meeting.presence is not Presence.LIVE:
        return (base.outlook,)
    interval = meeting.interval or base.outlook.interval  # times that nobody can read move nothing
    organizer = fold_address(meeting.organizer.address) if meeting.organizer else base.outlook.requester
    return base.outlook, Face(interval, organizer, frozenset(meeting.answers))
