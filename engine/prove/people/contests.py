"""Both sides give one booking other times in the same instant: who wins, and what becomes of the loser (I11, I12)."""

from __future__ import annotations

from engine.loans.loan import Home, Loan
from engine.loans.register import LoanChange
from engine.prove.people.memory import Contest
from engine.prove.people.people import Crowd, name_of, say
from engine.prove.world.world import World
from engine.reconcile.words.reasons import say_interval
from engine.simulator.series_calls import times_in

TOLD_OTHERWISE = frozenset({"write_refused", "item_unavailable", "organizer_cannot_change", "zero_length"})
"""Cases that say why the winner's value could not be had."""


def move_at_once(crowd: Crowd) -> None:
    """Let the desk and an organizer move a booking on which both sides agree, one right after the other."""
    booking = crowd.pick(crowd.random.choice(["outlook", "app"]))
    event = crowd.find_single(booking) if booking is not None else None
    number = crowd.number_of(booking) if booking is not None else None
    if booking is None or event is None or number is None or event["isAllDay"] or event["isDraft"]:
        return
    world, loan = crowd.world, crowd.world.loan(number)
    at_desk, in_outlook = crowd.draw_interval(odd=False), crowd.draw_interval()
    desk_first = crowd.random.random() < 0.5
    agreed = world.times_of(event)
    if not loan.blocks or agreed != loan.interval or len({agreed, at_desk, in_outlook}) < 3:
        return
    crowd.tell(
        f"desk moves {name_of(booking)} to {say(at_desk)}, person {booking.person} to {say(in_outlook)}, "
        f"the {'desk' if desk_first else 'person'} first"
    )
    change = LoanChange(start=at_desk.start, end=at_desk.end)
    if desk_first:
        world.change(number, change)
        booking.interval = at_desk
    world.run(world.person(booking.person).change(event["id"], **times_in(in_outlook.start, in_outlook.end, "UTC")))
    booking.interval, booking.edits = in_outlook, booking.edits + 1
    if not desk_first:
        world.change(number, change)
    winner, loser = (at_desk, in_outlook) if loan.home is Home.APP else (in_outlook, at_desk)
    booking.interval = winner
    crowd.contests.append(Contest(booking, number, winner, loser))


def find_wrong(world: World, contest: Contest, loan: Loan) -> str | None:
    """Say how a contest ended otherwise than it has to; None when it did not, or when something else came later."""
    cases = [case for case in world.all_cases() if case.loan_number in (contest.number, loan.number)]
    if contest.booking.interval != contest.winner or any(case.code in TOLD_OTHERWISE for case in cases):
        return None
    if loan.interval != contest.winner:
        return f"I11: loan {loan.number} ({loan.home}) has {loan.interval}, and {contest.winner} wins"
    lost, kept = say_interval(contest.loser), say_interval(contest.winner)
    wanted = ("both_changed", lost, kept)  # the same value may have lost another contest before
    told = [case for case in cases if (case.code, case.facts.get("lost"), case.facts.get("kept")) == wanted]
    if len(told) != 1:
        return f"I12: loan {loan.number} lost {lost}, and {len(told)} cases tell of it"
    return None
