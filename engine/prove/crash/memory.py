"""What people wanted of their bookings, in the order in which they said so, and whether both sides say it in the end.

A value that somebody gave last must stand. When both sides gave one, whichever came first to the engine may have lost
to the other, but then a case tells so. Who cancels has the last word.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from engine.ids import LoanNumber
from engine.interval import Interval
from engine.loans.loan import Loan
from engine.loans.status import ItemState
from engine.prove.crash.mortal import MortalWorld
from engine.prove.people.people import parse_instant
from engine.rooms.series import lone_key

TIMES, ROOMS, PERSON, TITLE = "times", "rooms", "person", "title"


class Wrong(AssertionError):
    """The end is not what people wanted."""


@dataclass
class Wish:
    """One value somebody gave a field, and on which side."""

    side: str
    value: Any
    seen: Any = None
    """What was there when it was given, where that is known."""

    def stands_in(self, rooms: Any) -> bool:
        """Tell whether *rooms* have what this wish brought and not what it took out, whatever became of the others."""
        return self.seen is not None and self.value - self.seen <= rooms and not (self.seen - self.value) & rooms


@dataclass
class Booking:
    """One booking, or one date of a series: the loan's number when born at the desk, the meeting's uid otherwise."""

    number: int | None = None
    uid: str | None = None
    event_id: str | None = None
    guests: frozenset[str] = frozenset()
    """People whom the organizer invited: nobody may uninvite them."""
    wishes: dict[str, list[Wish]] = field(default_factory=dict)
    cancelled: list[str] = field(default_factory=list)
    """Who cancelled it: `app`, `outlook`."""
    uncertain: bool = False
    """Its event was cancelled before the answer to its creation was heard: a repetition cannot know of the first."""

    def want(self, side: str, *, seen_rooms: frozenset[str] | None = None, **fields: Any) -> None:
        for name, value in fields.items():
            seen = seen_rooms if name == ROOMS else None
            self.wishes.setdefault(name, []).append(Wish(side, value, seen))

    def last(self, name: str) -> Any:
        return self.wishes[name][-1].value

    @property
    def is_over(self) -> bool:
        """Whether nobody wants it any more: it was cancelled, or its last room taken out of it."""
        return bool(self.cancelled) or not self.last(ROOMS)

    @property
    def may_be_over(self) -> bool:
        """Whether its last room was taken out of it, and rooms were given to it by the other side, or to an event of
        the desk's own, which goes when its loan has ended: then a case has to tell of those rooms."""
        is_left = any(not wish.value for wish in self.wishes[ROOMS])
        return is_left and (self.number is not None or len({wish.side for wish in self.wishes[ROOMS][1:]}) > 1)


@dataclass
class Memory:
    """What everybody remembers of one story."""

    bookings: list[Booking] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    """What people were refused although they had every right to it."""
    log: list[str] = field(default_factory=list)


def judge(world: MortalWorld, memory: Memory) -> None:
    """Raise Wrong unless both sides are equal, and as they were wanted."""
    if memory.complaints:
        raise Wrong(f"refused: {memory.complaints}")
    events = {event["iCalUId"]: event for event in world.all_events() if not event["isCancelled"]}
    loans, links = {loan.number: loan for loan in world.loans}, world.links()
    live = {number: loan for number, loan in loans.items() if loan.blocks}
    for number, loan in live.items():
        event = events.get(links.get(number) or "")
        if event is None:
            raise Wrong(f"loan {number} is alive and has no event: {world.tell(loan)}")
        _compare(world, loan, event)
    numbers = {uid: loan.number for loan in live.values() if (uid := links.get(loan.number))}
    alone = [uid for uid in events if uid not in numbers and _rooms_held(events[uid]) and not world.is_explained(uid)]
    if alone:
        raise Wrong(f"meetings without a loan: {[(uid, events[uid]['subject']) for uid in alone]}")
    for booking in memory.bookings:
        known = LoanNumber(booking.number) if booking.number is not None else numbers.get(booking.uid or "")
        event = events.get(links.get(known) or "" if known is not None else booking.uid or "")
        loan_now = live.get(known) if known is not None else None
        _check_end(booking, event, loan_now)
        _check_wishes(world, booking, loan_now)
        if loan_now is not None:
            _check_guests(booking, events[links[loan_now.number] or ""])
    _check_cases(world, memory)
    untold = world.find_untold(others_deleted=any("outlook" in booking.cancelled for booking in memory.bookings))
    if untold:
        raise Wrong(f"histories do not tell what was done: {untold}")
    wanted = [each for each in memory.bookings if not each.is_over or each.uncertain or each.may_be_over]
    if len(live) > len(wanted):
        raise Wrong(f"{len(live)} loans are alive, {len(wanted)} are wanted")


def _check_cases(world: MortalWorld, memory: Memory) -> None:
    """No case tells of a disagreement where nobody disagreed: an invented one is as bad as a hidden one (I12)."""
    sides = {wish.side for booking in memory.bookings for each in booking.wishes.values() for wish in each[1:]}
    if len(sides) < 2 and not any(booking.cancelled or booking.may_be_over for booking in memory.bookings):
        told = [case for loan in world.loans for case in world.cases_of(loan.number) if case == "both_changed"]
        if told:
            raise Wrong(f"only {sides} changed anything, and a case says both did: {world.all_case_facts()}")


def _compare(world: MortalWorld, loan: Loan, event: dict[str, Any]) -> None:
    times = Interval(parse_instant(event["start"]), parse_instant(event["end"]))
    if times != loan.interval:
        raise Wrong(f"its event says {times}: {world.tell(loan)}")
    organizer = event["organizer"]["emailAddress"]["address"]
    if organizer.casefold() != loan.requester.address.casefold():
        raise Wrong(f"its event is of {organizer}: {world.tell(loan)}")
    held = {str(item.address): item.state for item in loan.rooms if item.state is not ItemState.CANCELLED}
    said = _answers(world, loan, event)
    agreed = {room: answer for room, answer in said.items() if answer != "declined"}
    if set(agreed) != {room for room, state in held.items() if state is not ItemState.DECLINED}:
        raise Wrong(f"its event has {said}: {world.tell(loan)}")
    waiting = [room for room in agreed if agreed[room] == "accepted" and held[room] is not ItemState.ACCEPTED]
    if waiting:
        raise Wrong(f"its rooms {waiting} have accepted: {world.tell(loan)}")


def _answers(world: MortalWorld, loan: Loan, event: dict[str, Any]) -> dict[str, str]:
    said = {
        attendee["emailAddress"]["address"]: attendee["status"]["response"]
        for attendee in event["attendees"]
        if attendee["emailAddress"]["address"] in world.room_addresses
    }
    if loan.series is not None:
        shown = world.room_answers().get(lone_key(event["iCalUId"]) or event["iCalUId"], {})
        said |= {world.room_addresses[room - 1]: answer for room, answer in shown.items()}
    return said


def _check_end(booking: Booking, event: dict[str, Any] | None, loan: Loan | None) -> None:
    """What was cancelled holds no room any more."""
    is_over = bool(booking.cancelled) or (booking.is_over and loan is None)  # where it is alive, its wishes are judged
    if is_over and not booking.uncertain and event is not None and _rooms_held(event):
        raise Wrong(f"cancelled by {booking.cancelled}, and its event is still in {_rooms_held(event)}")


def _rooms_held(event: dict[str, Any]) -> list[str]:
    """Return the rooms that have accepted an event."""
    said = {each["emailAddress"]["address"]: each for each in event["attendees"] if each["type"] == "resource"}
    return [address for address, each in said.items() if each["status"]["response"] == "accepted"]


def _check_guests(booking: Booking, event: dict[str, Any]) -> None:
    lost = booking.guests - {attendee["emailAddress"]["address"] for attendee in event["attendees"]}
    if lost:
        raise Wrong(f"{sorted(lost)} are no longer invited to {event['subject']}")


def _check_wishes(world: MortalWorld, booking: Booking, loan: Loan | None) -> None:
    if booking.cancelled:
        if loan is not None and not booking.uncertain:
            raise Wrong(f"cancelled by {booking.cancelled}, and alive: {world.tell(loan)}")
        return
    if loan is None and (booking.may_be_over or booking.is_over):
        has_lost_rooms = booking.last(ROOMS) - booking.wishes[ROOMS][0].value
        if has_lost_rooms and not _tells_of_rooms(world, booking):
            raise Wrong(f"its rooms lost, and no case tells so: {booking} {[world.tell(each) for each in world.loans]}")
        return
    if loan is None:
        raise Wrong(f"lost: {booking} {[world.tell(each) for each in world.loans]}")
    if booking.uncertain and booking.is_over:
        return
    held = {str(item.address) for item in loan.held_items}
    is_value = {TIMES: loan.interval, ROOMS: held, PERSON: str(loan.requester.address), TITLE: loan.title}
    for name, wishes in booking.wishes.items():
        if is_value[name] != wishes[-1].value and not _has_lost(world, loan, wishes, is_value[name]):
            raise Wrong(f"{name} wanted {[(w.side, w.value) for w in wishes]}: {world.tell(loan)}")


def _tells_of_rooms(world: MortalWorld, booking: Booking) -> bool:
    """Tell whether a case tells of the rooms that were wanted last and lost, of whichever loan it was."""
    numbers = {number for number, uid in world.links().items() if number == booking.number or uid == booking.uid}
    cases = (case for case in world.all_cases() if case.loan_number in numbers and case.code == "both_changed")
    return any(case.facts.get("field") == "rooms" for case in cases)


def _has_lost(world: MortalWorld, loan: Loan, wishes: list[Wish], value: Any) -> bool:
    """Tell whether the last wish lost to one of the other side, and a case says so. Where all that it changed of the
    rooms it saw stands, it has not lost, and there is nothing to say."""
    others = [wish.value for wish in wishes if wish.side != wishes[-1].side]
    if value not in others:
        return False
    return bool(world.cases_of(loan.number)) or wishes[-1].stands_in(value)
