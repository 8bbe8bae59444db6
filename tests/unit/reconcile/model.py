"""
A pure model of both sides: what becomes of a meeting and a loan when a plan is carried out.

It keeps to what a person could check by hand: Outlook holds what was written to it, the desk holds what the plan says,
and the base is what the plan promised. Rooms that are asked anew have not answered yet.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import chain

from engine.ids import Address, BookableId, ICalUid, LoanNumber, StoreId, fold_address
from engine.interval import Interval
from engine.loans.loan import Home, ItemKind, Loan, Requester
from engine.loans.status import BLOCKING_STATES, ItemState, LoanAction, LoanStatus, next_status
from engine.reconcile.actions import (
    ChangeEvent,
    CreateEvent,
    DeleteEvent,
    LoanEdit,
    NewLoan,
    OutlookWrite,
    Plan,
    Situation,
)
from engine.reconcile.plan import plan
from engine.reconcile.validate import PeopleRule
from engine.reconcile.views import Base, MeetingView, Presence
from engine.rooms.event import Mailbox
from tests.unit.reconcile.building import (
    DESK,
    GONE,
    NAMES,
    NOW,
    OURS_AND_DESK,
    clashing,
    person,
    room_item,
)


@dataclass(frozen=True)
class World:
    """
    Both sides of one booking, and what both agreed on last.

    `clashing` rooms are held by somebody else's loan at any time, those of `taken` at that time only.
    """

    meeting: MeetingView
    loan: Loan | None
    base: Base | None
    people: PeopleRule = OURS_AND_DESK
    clashing: frozenset[BookableId] = frozenset()
    taken: frozenset[tuple[BookableId, Interval]] = frozenset()
    may_write: bool = True
    linked: bool = True

    @property
    def situation(self) -> Situation:
        """What a pass would look at: of a link that has ended, nothing is heard any more."""
        return Situation(
            meeting=self.meeting if self.linked else MeetingView(Presence.NOT_YET),
            loan=self.loan,
            base=self.base if self.linked else None,
            people=self.people,
            now=NOW,
            clashes=clashing(self.taken_at(self.meeting.interval)),
            clashes_here=clashing(self.taken_at(self.loan.interval)) if self.loan is not None else None,
            seen_at=NOW - timedelta(hours=1),
            may_write=self.may_write,
        )

    def taken_at(self, interval: Interval | None) -> frozenset[BookableId]:
        """The rooms that somebody else's loan holds at that time."""
        return self.clashing | {room for room, time in self.taken if time == interval}

    def plan(self) -> Plan:
        return plan(self.situation)

    @property
    def rests(self) -> bool:
        """Whether another pass would do nothing: closing what is closed already is nothing."""
        made = self.plan()
        return replace(made, end_link=made.end_link and self.linked).is_rest

    # --- what people do

    def edit_loan(
        self,
        *,
        interval: Interval | None = None,
        rooms: Iterable[BookableId] | None = None,
        requester: Address | None = None,
    ) -> World:
        """Edit the loan as the desk does: rooms held are asked again for another time or another person."""
        loan = self.loan
        assert loan is not None
        moved = interval is not None and interval != loan.interval
        renamed = requester is not None and requester != loan.requester.address
        wanted = frozenset(rooms) if rooms is not None else frozenset(item.id for item in loan.rooms)
        items = []
        for item in loan.items:
            if item.kind is ItemKind.ASSET:
                items.append(item)
            elif item.id not in wanted:
                items.append(replace(item, state=ItemState.CANCELLED))
            elif item.state is ItemState.CANCELLED or ((moved or renamed) and item.state in BLOCKING_STATES):
                items.append(replace(item, state=ItemState.REQUESTED))
            else:
                items.append(item)
        known = {item.id for item in loan.items}
        items += [room_item(room, ItemState.REQUESTED) for room in sorted(wanted - known)]
        return replace(
            self,
            loan=replace(
                loan,
                interval=interval or loan.interval,
                requester=Requester(requester, NAMES[requester]) if renamed and requester else loan.requester,
                items=tuple(items),
            ),
        )

    def edit_meeting(
        self,
        *,
        interval: Interval | None = None,
        rooms: Iterable[BookableId] | None = None,
        organizer: Address | None = None,
    ) -> World:
        """Edit the meeting in Outlook; its rooms accept at once."""
        meeting = self.meeting
        wanted = frozenset(rooms) if rooms is not None else frozenset(meeting.answers)
        return replace(
            self,
            meeting=replace(
                meeting,
                interval=interval or meeting.interval,
                organizer=person(organizer) if organizer else meeting.organizer,
                answers={
                    room: meeting.answers.get(room, ItemState.ACCEPTED) if interval is None else ItemState.ACCEPTED
                    for room in wanted
                },
            ),
        )

    def answer(self, state: ItemState = ItemState.ACCEPTED) -> World:
        """Let every room that has not answered do so."""
        answers = {
            room: state if before is ItemState.REQUESTED else before for room, before in self.meeting.answers.items()
        }
        return replace(self, meeting=replace(self.meeting, answers=answers))

    # --- what the engine does

    def save(self, made: Plan) -> World:
        """Carry out the first step of a plan: the loan's side, and the base as far as both agree."""
        loan = self.loan
        match made.loan:
            case NewLoan():
                loan = _new_loan(made.loan)
            case LoanEdit():
                assert loan is not None
                loan = apply_edit(loan, made.loan)
        return replace(
            self, loan=loan, base=made.base or self.base, linked=self.linked and not (made.end_link and not made.writes)
        )

    def write(self, made: Plan, one: OutlookWrite) -> World:
        """Carry out one write; the base both agree on then is the one that was promised."""
        loan = self.loan
        assert loan is not None
        match one:
            case DeleteEvent():
                return replace(self, meeting=GONE, linked=not made.end_link)
            case CreateEvent():
                assert made.base_after is not None
                organizer = self.mailbox_for(loan)
                outlook = replace(made.base_after.outlook, requester=fold_address(organizer.address))
                meeting = MeetingView(
                    Presence.LIVE,
                    ICalUid("uid-2"),
                    interval=loan.interval,
                    organizer=organizer,
                    answers={item.id: ItemState.REQUESTED for item in loan.rooms},
                )
                return replace(self, meeting=meeting, base=replace(made.base_after, outlook=outlook), linked=True)
            case ChangeEvent():
                meeting = apply_change(self.meeting, one)
                return replace(self, meeting=meeting, base=made.base_after, linked=not made.end_link)

    def carry_out(self, made: Plan) -> World:
        """Carry out a whole plan."""
        world = self.save(made)
        for one in made.writes:
            world = world.write(made, one)
        return world

    def mailbox_for(self, loan: Loan) -> Mailbox:
        ours = loan.requester.address.rpartition("@")[2] in self.people.domains
        return person(loan.requester.address) if ours else Mailbox(DESK.address, DESK.name)


def apply_edit(loan: Loan, edit: LoanEdit) -> Loan:
    """The loan after *edit*."""
    status = loan.status
    if edit.action is not None:
        status = next_status(status, edit.action) or LoanStatus.CANCELLED
    items = {item.id: item for item in loan.items}
    for room, state in edit.states.items():
        items[room] = replace(items[room], state=state) if room in items else room_item(room, state)
    return replace(
        loan,
        status=status,
        interval=edit.interval or loan.interval,
        requester=edit.requester or loan.requester,
        items=tuple(items.values()),
        title=loan.title if edit.title is None else edit.title,
        private=loan.private if edit.private is None else edit.private,
    )


def apply_change(meeting: MeetingView, change: ChangeEvent) -> MeetingView:
    """The meeting after *change*: a new time asks every room again."""
    kept = frozenset(meeting.answers) - change.drop_rooms
    answers = {
        room: ItemState.REQUESTED if change.interval or room not in meeting.answers else meeting.answers[room]
        for room in chain(sorted(kept), sorted(change.add_rooms))
    }
    return replace(meeting, interval=change.interval or meeting.interval, answers=answers)


def _new_loan(new: NewLoan) -> Loan:
    return Loan(
        number=LoanNumber(4711),
        status=LoanStatus.NEW,
        home=Home.OUTLOOK,
        requester=new.requester,
        interval=new.interval,
        items=tuple(room_item(room, state) for room, state in sorted(new.rooms.items())),
        store_id=StoreId(1),
        store="Main desk",
        version=1,
        title="" if new.private else new.title,
        private=new.private,
    )


def ends(made: Plan) -> bool:
    """Whether the plan ends the loan, or finds that it has ended."""
    return made.end_link or (isinstance(made.loan, LoanEdit) and made.loan.action in tuple(LoanAction))
