"""The promises, judged from both sides' state and from people's memory (docs/architecture.md: the promises)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from engine.ids import LoanNumber
from engine.interval import Interval
from engine.loans.loan import Loan, LoanItem
from engine.loans.status import BLOCKING_STATES, ItemState
from engine.prove.people import begun
from engine.prove.people.contests import find_wrong
from engine.prove.people.meetings import SECRET
from engine.prove.people.memory import Contest, Remembered
from engine.prove.people.people import Crowd, parse_instant
from engine.prove.weather import DEAD_ROOM
from engine.prove.world import garble
from engine.prove.world.glance import find_text
from engine.prove.world.world import World
from engine.rooms.room import RoomBook, RoomState

LOSING = frozenset({"drop_after", "error_after", "html_after"})
"""The faults that carry a request out and lose its answer."""

TAKEN = frozenset({"item_dropped", "item_unavailable"})
"""The cases of a thing that a loan lost because another has it by then."""

WITHOUT_ROOM = frozenset({"no_room_left", "all_rooms_declined", "all_rooms_released"})
"""What histories say of loans that ended because no room was left."""

SAID_IN_OUTLOOK = frozenset({"event_created", "event_replaced", "event_adopted", "event_changed", "moved_in_outlook"})
"""What histories say where both sides have come to the same times."""

BEGUN_DATES = frozenset({"begun_date_cancelled", "begun_date_moved", "begun_date_rooms_changed"})
"""What histories say of dates that had begun when their series changed."""


FOLLOWED = frozenset({"moved_in_outlook", "room_added_in_outlook", "room_removed_in_outlook"})
"""What histories say of loans that followed their event."""

ALIKE_MAX = 3
"""How often a loan may follow its event from the same to the same: people repeat themselves, and so does a restart."""


class Broken(AssertionError):
    """A promise was broken."""


def check_always(world: World, withdrawn: set[int]) -> None:
    """I1 no double booking; I5 no duplicate; I6 nothing is resurrected."""
    seen = world.look()
    overlap = seen.find_overlap()
    if overlap is not None:
        raise Broken("I1: item {} is held by loans {} and {}".format(*overlap))
    for number, blocks in seen.blocks.items():
        if blocks and number in withdrawn:
            raise Broken(f"I6: loan {number} came back")
        if not blocks:
            withdrawn.add(number)
    if seen.doubly_linked:
        raise Broken(f"I5: meetings with two loans: {list(seen.doubly_linked)}")
    refs = Counter(world.creations())
    doubled = [ref for ref, count in refs.items() if count > 1]
    if doubled:
        raise Broken(f"I5: loans with two events: {doubled}")


def check_lives(world: World) -> None:
    """I19: at most one engine acts: none does anything in a pass whose key another has taken over."""
    late = Counter(deed for life in world.all_lives for deed in life.late)
    if late:
        raise Broken(f"I19: engines acted although others had taken over: {dict(late)}")


def check_quiet(world: World, crowd: Crowd) -> None:
    """I3 nothing lost; I4 no edit lost; I7 both sides equal; what is over stays as it was (P53)."""
    if crowd.is_begun:
        begun.note_what_is_over(crowd)
        if (changed := begun.find_changed(crowd)) is not None:
            raise Broken(changed)
    events = {event["iCalUId"]: event for event in world.all_events() if not event["isCancelled"]}
    loans: dict[int, Loan] = {loan.number: loan for loan in world.loans}
    links, answers, book = world.links(), world.room_answers(), world.office.rooms.room_book()
    linked = {uid: loans[number] for number, uid in links.items() if uid and loans[number].blocks}
    for loan in loans.values():
        is_over = loan.interval.end <= max(world.loop.now(), world.now())  # by its own clock, too: what is over stays
        if loan.blocks and not is_over and not world.is_beyond(loan.interval.start):
            _check_loan(world, book, loan, links.get(loan.number), events, answers)
    _check_meetings(world, events, linked, answers)
    _check_secrets(world)
    _check_writes(world, crowd, loans.values())
    _check_histories(world)
    for booking in crowd.bookings:
        _check_memory(world, book, booking, loans, linked)
    for contest in crowd.contests:
        _check_contest(world, contest, loans, linked)


def _check_secrets(world: World) -> None:
    """Privacy: no title of a private meeting is kept anywhere."""
    leaks = find_text(world.database, SECRET)
    if leaks:
        raise Broken(f"privacy: the title of a private meeting is kept in {leaks}")


def _check_writes(world: World, crowd: Crowd, loans: Iterable[Loan]) -> None:
    """
    I10: writes have causes. An event is changed at most as often as something else was decided about its loan, or a
    room got another name, of which histories tell nothing but the write; all in all no more is written than histories
    tell, engines died or overslept, and answers to writes were lost.

    Of a series the histories tell each date, not each write: there people's edits are the bound.
    """
    for number, (written, others) in world.count_changes().items():
        if written > others + crowd.renamed:
            raise Broken(f"I10: loan {number} was written {written} times for {others} other decisions")
    lost = sum(count for (kind, fault), count in world.struck.items() if fault in LOSING and not kind.startswith("GET"))
    causes = world.count_told_writes() + world.crashes.total() + world.sleeps + lost
    if any(loan.series is not None for loan in loans):
        causes += crowd.acted.total()
    written = world.count_known_writes()
    if written > causes:
        raise Broken(f"I10: {written} writes, for {causes} that are told, deaths and lost answers")


def _check_histories(world: World) -> None:
    """I10: decisions have causes. A loan that goes to and fro between two states goes on so, however it ends."""
    for (number, code, facts), count in world.count_alike().items():
        if code in FOLLOWED and count > ALIKE_MAX:
            raise Broken(f"I10: loan {number} was told {count} times: {code} {facts}")


def _check_loan(
    world: World,
    book: RoomBook,
    loan: Loan,
    uid: str | None,
    events: dict[str, Any],
    answers: dict[str, dict[int, str]],
) -> None:
    if not _is_followed(book, loan) or _is_left_as_it_began(world, loan):
        return
    event, shown_in_rooms = events.get(uid or ""), answers.get(uid or "", {})
    if event is None and world.is_kept(loan.number):
        return  # staff decided so, and a person's own meeting is not made anew
    if not _shown(world, loan, shown_in_rooms) and world.is_held_alone(loan.number):
        return
    if event is None:
        raise Broken(f"I7: loan {loan.number} ({loan.home}) is alive and has no event")
    untold = {room for room in world.invited(event) if room not in shown_in_rooms and world.is_untold(room, uid or "")}
    shown = world.times_of(event, shown_in_rooms, untold)
    is_odd = uid in world.garble.of and bool(garble.CODES & world.cases_of(loan.number))  # it keeps the times it had
    if shown != loan.interval and not is_odd and not (shown is None and "zero_length" in world.cases_of(loan.number)):
        raise Broken(f"I7: loan {loan.number} {loan.interval} but its event {shown}")
    organizer = event["organizer"]["emailAddress"]["address"].casefold()
    requester = loan.requester.address.casefold()
    default = world.people[0]  # who asks for those that are none of ours, and whose mailbox is that of those without
    stands_in = requester in world.untold.closed and organizer == default
    is_stood_in_for = organizer not in world.people and requester == default
    if organizer != requester and not stands_in and not is_stood_in_for:
        raise Broken(f"I7: loan {loan.number} of {loan.requester.address} but its event of {organizer}")
    is_outside = world.is_outside(organizer)
    said = dict(shown_in_rooms) if is_outside else world.invited(event)  # nobody can ask an organizer elsewhere
    if loan.series is not None or organizer in world.untold.closed:
        said |= shown_in_rooms  # each date has an answer of its own (P52); what a closed mailbox is told is lost (B52)
    mine = {_number(world, item): item for item in loan.rooms}
    extra = {room for room, answer in said.items() if answer != "declined"} - set(mine)
    unheard = _by_unheard_addresses(world, book, event)
    if organizer in world.untold.closed:  # a no that its mailbox was told is lost, and the room shows nothing
        unheard |= {room for room, answer in said.items() if answer == "none"}
    extra = {
        room for room in extra if room in shown_in_rooms or not (room in unheard or world.is_untold(room, uid or ""))
    }
    # A room that has declined may be uninvited without any room hearing of it, and one may be invited whose calendar
    # is deleted before it was read: the nightly comparison's to find.
    held = {room for room, item in mine.items() if item.state in BLOCKING_STATES}
    if is_outside:  # what a room that shows nothing has answered
        held -= {room for room, item in mine.items() if item.state is ItemState.REQUESTED}
    if held - set(said) or (extra and "item_unavailable" not in world.cases_of(loan.number)):
        raise Broken(f"I7: loan {loan.number} has rooms {sorted(mine)} but its event {sorted(said)}")
    for number, item in mine.items():
        yes = {said.get(number), shown_in_rooms.get(number)}  # of a delegate's silent yes only the room's copy tells
        if item.state is ItemState.ACCEPTED and "accepted" not in yes:
            raise Broken(f"I7: loan {loan.number} thinks {item.name} accepted, it said {said.get(number)}")
        if item.state is ItemState.ACCEPTED and number not in shown_in_rooms:
            raise Broken(f"I7: loan {loan.number} thinks {item.name} accepted, which does not show it")
        is_asked = shown_in_rooms.get(number) == "notResponded"  # anew, by what is forwarded to it: its own copy counts
        if item.state is ItemState.REQUESTED and said.get(number) in ("accepted", "declined") and not is_asked:
            raise Broken(f"I7: loan {loan.number} has not heard {item.name} say {said.get(number)}")


def _by_unheard_addresses(world: World, book: RoomBook, event: dict[str, Any]) -> set[int]:
    """Return the rooms that an event names by an address which the list of rooms never told: what does not show the
    event any more is known by nothing else."""
    named = [attendee["emailAddress"]["address"] for attendee in event["attendees"]]
    rooms = (world.room_number(address) for address in named if book.by_address(address) is None)
    return {room for room in rooms if room is not None}


def _shown(world: World, loan: Loan, shown_in_rooms: dict[int, str]) -> set[int]:
    """Return which of a loan's rooms show its meeting, by their numbers."""
    return {_number(world, item) for item in loan.rooms} & {
        room for room, answer in shown_in_rooms.items() if answer != "declined"
    }


def _is_left_as_it_began(world: World, loan: Loan) -> bool:
    """Tell whether a date of a series had begun, by the engine's clock, when Outlook changed or cancelled it, and its
    history says that it stays as it was (P53)."""
    has_begun = loan.series is not None and loan.interval.start <= world.now()
    return has_begun and not BEGUN_DATES.isdisjoint(world.history(loan.number))


def _is_followed(book: RoomBook, loan: Loan) -> bool:
    """Tell whether all rooms of *loan* are there still: of one that is no more nothing is heard, nor of a dead one."""
    rooms = [room for item in loan.rooms if (room := book.by_id(item.id)) is not None and room.address != DEAD_ROOM]
    if len(rooms) < len(loan.rooms):
        return False
    return bool(rooms) and all(room.state is RoomState.ACTIVE for room in rooms)


def _number(world: World, item: LoanItem) -> int:
    number = world.room_number(str(item.address))
    assert number is not None, f"nobody ever had the address {item.address}"
    return number


def _check_meetings(
    world: World, events: dict[str, Any], linked: dict[str, Loan], answers: dict[str, dict[int, str]]
) -> None:
    """I3: a meeting that one of our rooms has accepted, and shows, is a loan, or a case says why not."""
    for uid, event in events.items():
        if event["isDraft"]:
            if uid in linked:
                raise Broken(f"I3: a draft is loan {linked[uid].number}: {event['subject']} {event['start']}")
            continue
        accepted = {room for room, answer in world.invited(event).items() if answer == "accepted"}
        if not accepted & set(answers.get(uid, {})) or uid in linked or world.is_beyond(parse_instant(event["start"])):
            continue
        if parse_instant(event["end"]) <= world.loop.now():
            continue  # history: it was a loan if it was heard of in time
        is_outside = world.is_outside(event["organizer"]["emailAddress"]["address"])
        if not world.is_explained(uid, is_from_outside=is_outside):
            raise Broken(
                f"I3: a meeting in {sorted(accepted)} has no loan and no case: {event['subject']} {event['start']}"
            )


def _check_memory(
    world: World, book: RoomBook, booking: Remembered, loans: dict[int, Loan], linked: dict[str, Loan]
) -> None:
    if booking.over is not None:
        return  # judged by what it was when its time was over
    loan = loans.get(booking.number or 0) if booking.side == "app" else linked.get(booking.ical_uid or "")
    if loan is not None and loan.rooms and not _is_followed(book, loan):
        return
    if loan is not None and loan.blocks and world.loop.now() < loan.interval.end <= world.now():
        return  # over by its own clock, which is ahead: what is over stays as it was
    if loan is not None and _is_left_as_it_began(world, loan):
        return
    if loan is not None and loan.blocks and world.is_beyond(loan.interval.start):
        return  # of what becomes of it in Outlook nothing is heard yet
    if booking.cancelled:
        if booking.uncertain:
            return  # its event was deleted before the answer to its creation: a repetition cannot know of the first
        is_another = loan is not None and _had_no_room(world, loan, loans)
        if loan is not None and loan.blocks and not is_another and not world.is_kept(loan.number):
            raise Broken(f"I6: {booking} was cancelled and loan {loan.number} is alive")
        return
    if booking.uncertain:
        return
    if loan is not None and not loan.blocks and world.is_out_of_sight(loan):
        return
    if booking.side == "app" and (loan is None or not (loan.blocks or world.is_told(loan))):
        raise Broken(f"I3: {booking} was lost: nobody cancelled it, and no case tells of it")
    if loan is None or not loan.blocks or booking.interval is None:
        return
    lent = {int(item.id) for item in loan.held_items}
    lacks = booking.things - lent
    if lacks and not TAKEN & world.cases_of(loan.number) and lacks - _lost_with_a_case(world, booking):
        raise Broken(f"I4: loan {loan.number}: things {sorted(booking.things)} were lent, it has {sorted(lent)}")
    may_refuse = loan.series is not None or world.untold.closed or booking.side in ("outside", "room")
    refused = world.cases_of(loan.number) | world.cases_of_meeting(booking.ical_uid or "")
    if may_refuse and "write_refused" in refused:
        return  # nobody's mailbox, or a date beyond its neighbours (B57): the loan went back, and a case says so
    if booking.ical_uid in world.garble.of and garble.CODES & world.cases_of(loan.number):
        return
    if _is_of_an_ended_loan(world, booking, loan, loans):
        return
    if loan.interval == booking.interval or _was_back_unheard(world, loan, booking.interval):
        return
    if world.is_said_unheard(loan.number, booking.interval):
        return
    if not _is_lost_in_a_case(world, booking.interval):
        raise Broken(f"I4: loan {loan.number}: the last edit said {booking.interval}, it has {loan.interval}")


def _check_contest(world: World, contest: Contest, loans: dict[int, Loan], linked: dict[str, Loan]) -> None:
    """I11: the same side wins whatever was heard of first; I12: exactly one case tells what the other lost."""
    booking = contest.booking
    loan = loans.get(booking.number or 0) if booking.side == "app" else linked.get(booking.ical_uid or "")
    if loan is None or not loan.blocks or booking.cancelled or booking.uncertain:
        return
    if booking.ical_uid in world.garble.of and garble.CODES & world.cases_of(loan.number):
        return  # what its organizer wrote cannot be read, and a case says so
    if world.is_said_unheard(contest.number, contest.loser):
        return
    wrong = find_wrong(world, contest, loan)
    if wrong is not None:
        raise Broken(wrong)


def _had_no_room(world: World, now: Loan, loans: dict[int, Loan]) -> bool:
    """Tell whether the desk cancelled another loan of this meeting, whose end the brake held back since it had lost its
    rooms: there was nothing to end in Outlook, and the meeting has a room again, and is another loan."""
    return any(
        not each.blocks
        and each.number != now.number
        and (each.interval, each.requester.address) == (now.interval, now.requester.address)
        and {"cancelled_in_app", "cancellation_not_needed"} <= set(world.history(each.number))
        for each in loans.values()
    )


def _lost_with_a_case(world: World, booking: Remembered) -> set[int]:
    """Return the things that a former loan of the same meeting had lost, of which a case of it tells, and had gone on
    without when it lost its last room as well: the new loan never had them. What it still had then comes along."""
    lost: set[int] = set()
    for number in world.loans_of_meeting(booking.ical_uid or ""):
        history = world.office.desk.history(LoanNumber(number))
        over_at = max((line.at for line in history if line.code in WITHOUT_ROOM), default=None)
        if over_at is not None and TAKEN & world.cases_of(number):
            lost |= {int(line.room_id or 0) for line in history if line.code == "item_dropped" and line.at < over_at}
    return lost


def _is_of_an_ended_loan(world: World, booking: Remembered, now: Loan, loans: dict[int, Loan]) -> bool:
    """Tell whether what was wanted last is what another loan of the same meeting had when it lost its last room, or
    when its rooms had lost it and nobody could be asked: its history tells that, and the meeting has become a new
    loan since."""
    former = set(world.loans_of_meeting(booking.ical_uid or ""))
    return any(
        not each.blocks
        and each.number != now.number
        and each.interval == booking.interval
        and (each.number in former or (each.series is not None and each.series == now.series))
        and (not WITHOUT_ROOM.isdisjoint(world.history(each.number)) or world.is_out_of_sight(each))
        for each in loans.values()
    )


def _was_back_unheard(world: World, loan: Loan, wanted: Interval) -> bool:
    """Tell whether the desk had moved the loan away and back to *wanted* before Outlook was told of either: measured by
    what both sides had agreed on it changed nothing, and the organizer's own move meanwhile holds."""
    decisions = world.office.desk.history(loan.number)
    moves = [at for at, each in enumerate(decisions) if each.code == "moved_in_outlook"]
    if not moves or decisions[moves[-1]].facts["old"] != _say(wanted):
        return False
    starts = []
    for each in reversed(decisions[: moves[-1]]):
        if each.code in SAID_IN_OUTLOOK:
            break
        fields: Any = each.facts.get("fields", {})
        if "start" in fields:
            starts.append(fields["start"]["old"])
    return f"{wanted.start:%Y-%m-%d %H:%M}" in starts


def _say(interval: Interval) -> str:
    return f"{interval.start:%Y-%m-%d %H:%M} - {interval.end:%Y-%m-%d %H:%M}"


def _is_lost_in_a_case(world: World, interval: Interval) -> bool:
    """Tell whether a case holds the value, of this loan or of one the same meeting had before: it lost, or somebody
    settled the case the other way."""
    wanted = _say(interval)
    return any(wanted in (facts.get("lost"), facts.get("kept")) for facts in world.all_case_facts())
