"""The plan of one booking: values in, values out. The only clever part of the engine.

A plan is carried out in three steps, each safe to repeat: (1) one transaction saves the loan's
side, the base as far as both agree now, and an intent per write; (2) the writes go to Outlook;
(3) one transaction saves the base both agree on then.
"""

from __future__ import annotations

from dataclasses import replace

from engine.ids import Address, BookableId, fold_address
from engine.loans.loan import Home, Loan
from engine.loans.status import BLOCKING_STATUSES, WITHDRAWN_STATUSES, ItemState, LoanAction
from engine.reconcile.actions import (
    CreateEvent,
    DeleteEvent,
    LoanEdit,
    NewLoan,
    Note,
    Plan,
    Situation,
)
from engine.reconcile.answers import gap_of
from engine.reconcile.brake import plan_kept
from engine.reconcile.dates import Outside
from engine.reconcile.decide import EndVerdict, LoanEnd, MeetingEnd, decide_end
from engine.reconcile.merge import plan_merge
from engine.reconcile.notes import answer_cases, roomless_code
from engine.reconcile.shadow import withhold_writes
from engine.reconcile.validate import Invalid, Valid, clash_facts, validate
from engine.reconcile.views import Base, Face, MeetingView, Presence, loan_face
from engine.reconcile.words.reasons import say_instant
from engine.rooms.event import EventType

REFUSED_SECONDS = 6 * 3600.0
"""When to look again at a meeting that every room declined: no room hears of it any more when it is called off."""

LEFT_OUT = "left_out_of_view"
"""Why a loan gets no event that the settings leave out."""

SAID_ONCE = (LEFT_OUT, *(where.value for where in Outside))
"""Why a loan has no event, or none yet: not said again at each look."""

ANSWER_GRACE_SECONDS = 3.0
"""How long a new meeting whose rooms have not said anything waits before it becomes a loan. Rooms answer in
seconds (observed by developers); waiting saves a loan number for every meeting that is declined at once."""


def plan(situation: Situation) -> Plan:
    """Say what one booking needs."""
    if situation.loan is None:
        return _plan_unknown_meeting(situation)
    made = _plan_known(situation, situation.loan)
    return made if situation.may_write else withhold_writes(made)


# --- a meeting without a loan


def _plan_unknown_meeting(situation: Situation) -> Plan:
    meeting = situation.meeting
    if meeting.presence is not Presence.LIVE or situation.listed:
        return Plan()
    if meeting.interval is not None and (where := situation.dates.outside(meeting.interval, situation.now)):
        return Plan(notes=(Note("not_synced", {"reason": where.value, **situation.dates.facts(where)}),))
    verdict = validate(meeting, people=situation.people, clashes=situation.clashes, told=situation.told)
    if isinstance(verdict, Invalid):
        if verdict.reason == "draft":
            return Plan()
        if verdict.reason == "all_rooms_declined":
            return _plan_refused(situation)
        return _plan_unfit(situation, verdict)
    if situation.dates_max is not None:
        facts: dict[str, object] = {"series": situation.series, "dates": situation.dates_max}
        return Plan(
            notes=(Note("not_synced", {"reason": "series_too_long", **facts}),), cases=(Note("series_too_long", facts),)
        )
    wait = _grace_left(situation)
    if meeting.unanswered and wait > 0:
        return Plan(look_again_seconds=wait)
    return _plan_import(situation, verdict)


def _plan_unfit(situation: Situation, verdict: Invalid) -> Plan:
    """Plan for a meeting that may not become a loan: a case says why.

    A room that is taken and has not answered yet will most likely decline, of which its calendar shows nothing, and
    leave the other rooms to the meeting: so that is looked into again.
    """
    meeting = situation.meeting
    owing = {room for room, state in meeting.answers.items() if state is ItemState.REQUESTED}
    awaited = verdict.reason == "item_unavailable" and bool(owing & situation.clashes.keys())
    if awaited and (wait := _grace_left(situation)) > 0:
        return Plan(look_again_seconds=wait)
    return Plan(
        notes=(Note("not_synced", {"reason": verdict.reason, **verdict.facts}),),
        cases=(Note(verdict.reason, verdict.facts),),
        look_again_seconds=gap_of(situation.seen_at, situation.now).total_seconds() if awaited else None,
    )


def _plan_refused(situation: Situation) -> Plan:
    """Plan for a meeting that no room takes: people have none, and a case says so until it is called off or over."""
    interval = situation.meeting.interval
    if interval is None or interval.end <= situation.now:
        return Plan()
    left = (interval.end - situation.now).total_seconds()
    return Plan(
        notes=(Note("not_synced", {"reason": "all_rooms_declined"}),),
        cases=(Note("all_rooms_declined"),),
        look_again_seconds=min(REFUSED_SECONDS, left),
    )


def _grace_left(situation: Situation) -> float:
    if situation.seen_at is None:
        return ANSWER_GRACE_SECONDS
    return ANSWER_GRACE_SECONDS - (situation.now - situation.seen_at).total_seconds()


def _plan_import(situation: Situation, valid: Valid) -> Plan:
    meeting, left = situation.meeting, situation.left
    things = frozenset(item.id for item in left.assets) if left is not None else frozenset[BookableId]()
    taken = sorted(things & situation.clashes.keys())
    new = NewLoan(
        requester=valid.requester,
        interval=valid.interval,
        rooms=meeting.answers,
        title=meeting.subject or "",
        private=meeting.private,
        series=situation.series,
        things=things.difference(taken),
    )
    rooms = frozenset(meeting.answers)
    base = Base(
        outlook=Face(valid.interval, _organizer_address(situation), rooms),
        loan=Face(valid.interval, fold_address(valid.requester.address), rooms),
    )
    notes = [Note("imported", {"start": say_instant(valid.interval.start), "end": say_instant(valid.interval.end)})]
    if situation.series is not None:
        notes.append(Note("date_of_series", {"series": situation.series, "day": f"{situation.day}"}))
    if situation.former is not None:
        notes.append(Note("date_brought_back", {"loan": situation.former}))
    if left is not None and new.things:
        notes.append(Note("things_come_along", {"loan": left.number}, actor="engine"))
    lost = {thing: clash_facts(situation.clashes[thing]) for thing in taken}
    notes += [Note("item_dropped", facts, actor="engine", room_id=thing) for thing, facts in lost.items()]
    if meeting.organizer is not None and fold_address(meeting.organizer.address) != base.loan.requester:
        notes.append(Note("default_user_stands_in", {"organizer": meeting.organizer.address}))
    flags = tuple(Note(breach.code, breach.facts) for breach in situation.breaches)
    return Plan(
        loan=new,
        base=base,
        notes=(*notes, *flags),
        cases=(*flags, *answer_cases(meeting)),
        conflicts=tuple(
            Note("item_unavailable", facts, actor="engine", room_id=thing) for thing, facts in lost.items()
        ),
    )


def _organizer_address(situation: Situation) -> Address:
    organizer = situation.meeting.organizer
    if organizer is not None:
        return fold_address(organizer.address)
    return situation.base.outlook.requester if situation.base else fold_address("")


# --- a loan, with or without its meeting


def _plan_known(situation: Situation, loan: Loan) -> Plan:
    meeting, base = situation.meeting, situation.base
    if base is None or meeting.presence is Presence.NOT_YET:
        return _plan_first_write(situation, loan)
    meeting_end = _meeting_end(meeting, loan, base)
    loan_end = _loan_end(loan)
    if loan_end is LoanEnd.ALIVE and (frozen := _plan_begun_date(situation, loan, base)) is not None:
        return frozen
    is_closed = loan_end is LoanEnd.FINISHED and meeting_end is MeetingEnd.ALIVE and situation.series is None
    if (loan_end is LoanEnd.ALIVE or is_closed) and loan.interval.end <= situation.now:
        return _plan_frozen(situation, loan, base)
    if situation.is_kept and loan_end is LoanEnd.ALIVE and meeting_end is not MeetingEnd.ALIVE:
        return plan_kept(situation, loan, gone=meeting_end is MeetingEnd.GONE)
    if loan_end is LoanEnd.ALIVE and _is_given_up(meeting, meeting_end, loan, base):
        return Plan(notes=(Note("rooms_given_up", actor="engine"),), end_link=True)
    match decide_end(meeting_end, loan_end, loan.home):
        case EndVerdict.REST:
            return Plan()
        case EndVerdict.FORGET:
            return Plan(end_link=True, lets_go=meeting_end is MeetingEnd.ROOMLESS)
        case EndVerdict.CANCEL_LOAN:
            if meeting_end is MeetingEnd.GONE:
                return Plan(
                    loan=LoanEdit(action=LoanAction.CANCEL), notes=(Note("cancelled_in_outlook"),), end_link=True
                )
            edit = LoanEdit(states=_last_states(meeting, loan), action=LoanAction.CANCEL)
            return Plan(loan=edit, notes=(Note(roomless_code(meeting)),), end_link=True)
        case EndVerdict.REFUSE_LOAN_AND_DELETE_EVENT:
            return Plan(
                loan=LoanEdit(states=_last_states(meeting, loan), action=LoanAction.REFUSE),
                writes=(DeleteEvent(),),
                notes=(Note(roomless_code(meeting)),),
                cases=answer_cases(meeting),
                end_link=True,
            )
        case EndVerdict.DELETE_EVENT:
            return Plan(writes=(DeleteEvent(),), end_link=True)
        case EndVerdict.COMPARE:
            return plan_merge(situation, loan, base)


def _is_given_up(meeting: MeetingView, end: MeetingEnd, loan: Loan, base: Base) -> bool:
    """Tell whether the desk took the last room out of somebody's own meeting: what else is on loan stays so."""
    if loan.home is not Home.OUTLOOK or loan.rooms or not loan.held_items:
        return False
    return end is MeetingEnd.ROOMLESS or (not base.outlook.rooms and not meeting.holding)


def _plan_first_write(situation: Situation, loan: Loan) -> Plan:
    """Plan the event of a loan that has none. Loans without rooms are none of Outlook's business (H35)."""
    if not loan.blocks or not loan.rooms or loan.interval.end <= situation.now:
        return Plan(end_link=not loan.blocks)
    if not situation.in_view:
        return Plan(notes=(Note(LEFT_OUT, actor="engine"),))
    if (where := situation.dates.outside(loan.interval, situation.now)) is not None:
        return Plan(notes=(Note(where.value, situation.dates.facts(where), actor="engine"),))
    face = loan_face(loan)
    return Plan(writes=(CreateEvent(),), base_after=Base(outlook=face, loan=face))


def _loan_end(loan: Loan) -> LoanEnd:
    if loan.status in BLOCKING_STATUSES:
        return LoanEnd.ALIVE
    return LoanEnd.WITHDRAWN if loan.status in WITHDRAWN_STATUSES else LoanEnd.FINISHED


def _meeting_end(meeting: MeetingView, loan: Loan, base: Base) -> MeetingEnd:
    """Tell whether the meeting still holds a room for the loan. An edit not yet sent may still find one."""
    if meeting.presence is Presence.GONE:
        return MeetingEnd.GONE
    here = loan_face(loan)
    untouched = here.rooms <= base.loan.rooms and here.interval in (base.loan.interval, meeting.interval)
    if not meeting.holding and untouched:
        return MeetingEnd.ROOMLESS
    return MeetingEnd.ALIVE


def _last_states(meeting: MeetingView, loan: Loan) -> dict[BookableId, ItemState]:
    """Return what became of each room of a loan that ends without any: what it said, or that it was taken out."""
    return {item.id: meeting.answers.get(item.id, ItemState.CANCELLED) for item in loan.rooms}


def _plan_begun_date(situation: Situation, loan: Loan, base: Base) -> Plan | None:
    """
    Leave a date of a series that has begun as it is when its series changes, and write down what became of it (P53).

    An edit of that very date while it runs is followed as any other meeting's is: somebody meant it.
    """
    meeting = situation.meeting
    if situation.series is None or loan.interval.start > situation.now or loan_face(loan) != base.loan:
        return None
    is_over = loan.interval.end <= situation.now
    if meeting.presence is Presence.GONE:
        return Plan(notes=(Note("begun_date_cancelled"),), end_link=True)
    if meeting.presence is not Presence.LIVE or (meeting.type is EventType.EXCEPTION and not is_over):
        return None
    face = base.outlook
    notes = []
    if meeting.interval is not None and meeting.interval != face.interval:
        facts = {"start": say_instant(meeting.interval.start), "end": say_instant(meeting.interval.end)}
        notes.append(Note("begun_date_moved", facts))
        face = replace(face, interval=meeting.interval)
    if frozenset(meeting.answers) != face.rooms:
        notes.append(Note("begun_date_rooms_changed"))
        face = replace(face, rooms=frozenset(meeting.answers))
    if not notes:
        return None
    return Plan(base=replace(base, outlook=face), notes=tuple(notes))


def _plan_frozen(situation: Situation, loan: Loan, base: Base) -> Plan:
    """
    Leave a loan whose time is over as it is, whether or not the clock has closed it yet; a meeting moved out of the
    past is told as a case. One that still has what both agreed on, while the desk's last edit is unsent, was not moved.
    """
    interval, known = situation.meeting.interval, {loan.interval, base.outlook.interval}
    if interval is not None and interval not in known and interval.end > situation.now:
        return Plan(
            cases=(Note("past_loan_frozen", {"start": say_instant(interval.start), "end": say_instant(interval.end)}),)
        )
    return Plan()
