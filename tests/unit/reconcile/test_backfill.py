"""What a backfill does with one meeting: every combination of what can be true of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from types import MappingProxyType

import pytest

from engine.ids import Address, BookableId, LoanNumber, StoreId
from engine.interval import Interval
from engine.loans.loan import Home, ItemKind, Loan, LoanItem, Requester
from engine.loans.status import ItemState, LoanStatus
from engine.reconcile.backfill.proposal import (
    Candidate,
    Proposal,
    Rival,
    Since,
    Step,
    classify,
    faces_now,
    linked_base,
    why_left,
)
from engine.reconcile.validate import PeopleRule
from engine.reconcile.views import Base, Face, MeetingView, Presence
from engine.reconcile.words.reasons import LANGUAGES, explain
from engine.rooms.event import Mailbox

ROOM, OTHER = BookableId(1), BookableId(2)
NAMES = {ROOM: "Fern", OTHER: "Moss"}
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
AT = Interval(START, START + timedelta(hours=1))
NEARBY = Interval(START + timedelta(minutes=30), START + timedelta(hours=2))
PEOPLE = PeopleRule(frozenset({"example.org"}))
ALEX, SAM = Address("alex@example.org"), Address("sam@example.org")

MEETING = MeetingView(
    Presence.LIVE,
    interval=AT,
    organizer=Mailbox(ALEX, "Alex Doe"),
    answers=MappingProxyType({ROOM: ItemState.ACCEPTED}),
)


def loan(number: int, who: Address = ALEX, when: Interval = AT, *rooms: BookableId, over: bool = False) -> Loan:
    items = tuple(LoanItem(ItemKind.ROOM, room, NAMES[room], ItemState.ACCEPTED) for room in rooms or (ROOM,))
    status = LoanStatus.COMPLETED if over else LoanStatus.NEW
    requester = Requester(who, who.partition("@")[0])
    return Loan(LoanNumber(number), status, Home.APP, requester, when, items, StoreId(1), "Main desk", 1)


def candidate(of: Loan, *, linked: bool = False) -> Candidate:
    return Candidate(of, linked, frozenset(item.id for item in of.held_items))


SAME = candidate(loan(11))
NEAR = candidate(loan(12, ALEX, NEARBY))
MORE_ROOMS = candidate(loan(13, ALEX, AT, ROOM, OTHER))
LINKED = candidate(loan(14), linked=True)
STRANGER = candidate(loan(15, SAM))
OVER = candidate(loan(16, over=True))
STRANGER_OVER = candidate(loan(17, SAM, over=True))
RIVAL = Rival("earlier", NEARBY, frozenset({ROOM}))
ELSEWHERE = Rival("elsewhere", NEARBY, frozenset({OTHER}))
LATER = Rival("later", Interval(AT.end, AT.end + timedelta(hours=1)), frozenset({ROOM}))


def propose(
    meeting: MeetingView = MEETING, *candidates: Candidate, listed: bool = True, loaned: bool = False, rivals=()
) -> Proposal:
    return classify(
        meeting, listed=listed, has_loan=loaned, people=PEOPLE, candidates=candidates, rivals=rivals, names=NAMES
    )


class TestAMeetingAlone:
    @pytest.mark.parametrize(("loaned", "presence", "listed"), list(product((True, False), Presence, (True, False))))
    def test_becomes_a_loan_only_as_it_was_found(self, loaned: bool, presence: Presence, listed: bool) -> None:
        """A loan it has, its end, and an edit since each keep it from being touched, in this order."""
        found = propose(replace(MEETING, presence=presence), listed=listed, loaned=loaned)

        if loaned:
            assert (found.step, found.code) == (Step.SKIP, "backfill_has_loan")
        elif presence is not Presence.LIVE:
            assert (found.step, found.code) == (Step.SKIP, "backfill_gone")
        elif not listed:
            assert (found.step, found.code) == (Step.SKIP, "backfill_changed")
        else:
            assert (found.step, found.code) == (Step.CREATE, "backfill_create")

    @pytest.mark.parametrize(
        ("meeting", "code"),
        [
            (replace(MEETING, organizer=None), "organizer_unknown"),
            (replace(MEETING, organizer=Mailbox(Address("x@elsewhere.net"), "X")), "organizer_unknown"),
            (replace(MEETING, interval=None), "dates_invalid"),
            (replace(MEETING, interval=None, zero_length=True), "zero_length"),
            (replace(MEETING, answers=MappingProxyType({})), "no_synced_room"),
            (replace(MEETING, answers=MappingProxyType({ROOM: ItemState.DECLINED})), "all_rooms_declined"),
            (replace(MEETING, is_draft=True), "draft"),
        ],
    )
    def test_is_skipped_for_the_reason_that_keeps_any_meeting_out(self, meeting: MeetingView, code: str) -> None:
        """The checks are those of every import (H36-H38)."""
        found = propose(meeting)

        assert (found.step, found.code) == (Step.SKIP, code)


class TestAmongLoans:
    @pytest.mark.parametrize(
        ("around", "step", "number"),
        [
            ((), Step.CREATE, None),
            ((SAME,), Step.LINK, 11),
            ((NEAR,), Step.LINK, 12),
            ((MORE_ROOMS,), Step.LINK, 13),
            ((LINKED,), Step.CONFLICT, 14),
            ((STRANGER,), Step.CONFLICT, 15),
            ((OVER,), Step.LINK, 16),
            ((STRANGER_OVER,), Step.CREATE, None),
            ((SAME, STRANGER), Step.CONFLICT, 15),
            ((SAME, STRANGER_OVER), Step.LINK, 11),
            ((NEAR, MORE_ROOMS), Step.CONFLICT, 12),
            ((SAME, OVER), Step.LINK, 11),
        ],
    )
    def test_says_whose_it_is(self, around: tuple[Candidate, ...], step: Step, number: int | None) -> None:
        """The same person's loan without a meeting is this one; anybody else's that holds the room is in the way."""
        found = propose(MEETING, *around)

        assert (found.step, found.loan_number) == (step, number)

    def test_says_how_sure_it_is(self) -> None:
        """Everything the same: certain. A room and a moment in common: likely, with both values."""
        assert propose(MEETING, SAME).code == "backfill_link_certain"
        likely = propose(MEETING, NEAR)
        assert likely.code == "backfill_link_likely"
        assert "2026-11-23 09:30 - 2026-11-23 11:00" in explain(likely.code, likely.facts)
        assert "2026-11-23 09:00 - 2026-11-23 10:00" in explain(likely.code, likely.facts)

    def test_two_that_are_merely_likely_are_left_to_a_person(self) -> None:
        """Nobody can tell which of two is meant, so neither is linked."""
        assert propose(MEETING, NEAR, MORE_ROOMS).step is Step.CONFLICT


class TestAmongMeetings:
    @pytest.mark.parametrize(
        ("rivals", "step"),
        [
            ((RIVAL,), Step.CONFLICT),
            ((ELSEWHERE,), Step.CREATE),
            ((LATER,), Step.CREATE),
            ((LATER, RIVAL), Step.CONFLICT),
        ],
    )
    def test_the_first_of_two_that_overlap_is_made(self, rivals: tuple[Rival, ...], step: Step) -> None:
        """Exchange may hold overlaps, loans never do: the second of two meetings in one room is a conflict."""
        found = propose(MEETING, rivals=rivals)

        assert found.step is step
        if step is Step.CONFLICT:
            assert found.facts["key"] == "earlier"

    def test_a_loan_of_its_own_goes_before_a_rival(self) -> None:
        assert propose(MEETING, SAME, rivals=(RIVAL,)).step is Step.LINK


class TestTheWords:
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_every_proposal_speaks(self, language: str) -> None:
        """No sentence lacks a value, in either language."""
        proposals = [propose(MEETING, *around) for around in ((), (SAME,), (NEAR,), (STRANGER,))]
        proposals.append(propose(MEETING, rivals=(RIVAL,)))

        for found in proposals:
            said = explain(found.code, found.facts, language)
            assert said != found.code
            assert "?" not in said


class TestTheBaseOfALink:
    def test_lets_the_loan_follow_and_writes_nothing(self) -> None:
        """Both faces say what the loan says: only the meeting can have "changed since"."""
        base = linked_base(NEAR.loan, SAM)

        assert base.loan == Face(NEARBY, ALEX, frozenset({ROOM}))
        assert base.outlook == replace(base.loan, requester=SAM)


class TestTakingBack:
    FACE = Face(AT, ALEX, frozenset({ROOM}))
    MOVED = Face(NEARBY, ALEX, frozenset({ROOM}))

    @pytest.mark.parametrize(
        ("exists", "touched", "withdrawn", "linked", "same"), list(product((True, False), repeat=5))
    )
    def test_only_what_nobody_touched(
        self, exists: bool, touched: bool, withdrawn: bool, linked: bool, same: bool
    ) -> None:
        """A loan is taken back when it is there, alive, linked, and as it was made on both sides."""
        outlook = self.FACE if same else self.MOVED
        since = Since(exists, withdrawn, touched, linked, expected=(self.FACE,), outlook=(outlook,))

        takes_back = exists and not touched and not withdrawn and linked and same
        assert (why_left(since) is None) is takes_back

    @pytest.mark.parametrize(
        "edited",
        [
            replace(MEETING, interval=NEARBY),
            replace(MEETING, organizer=Mailbox(SAM, "Sam Roe")),
            replace(MEETING, answers=MappingProxyType({ROOM: ItemState.ACCEPTED, OTHER: ItemState.REQUESTED})),
        ],
        ids=["times", "organizer", "rooms"],
    )
    def test_not_what_its_rooms_show_edited(self, edited: MeetingView) -> None:
        """An edit that the rooms show counts, though the loan has not followed it yet."""
        assert why_left(self.since(edited)) == "backfill_left_changed_in_outlook"

    @pytest.mark.parametrize(
        "shown",
        [
            MEETING,
            replace(MEETING, organizer=None),
            replace(MEETING, interval=None),
            replace(MEETING, answers=MappingProxyType({ROOM: ItemState.DECLINED})),
            MeetingView(Presence.GONE),
        ],
        ids=["same", "no organizer", "times that nobody can read", "answered anew", "gone"],
    )
    def test_what_its_rooms_show_unedited(self, shown: MeetingView) -> None:
        """What nobody edited is taken back; of an end the rooms cannot tell alone."""
        assert why_left(self.since(shown)) is None

    def since(self, shown: MeetingView) -> Since:
        """What became of a loan that agreed with its meeting when both were looked at last, and its rooms show now."""
        outlook = faces_now(Base(self.FACE, self.FACE), shown)
        return Since(True, False, False, True, expected=(self.FACE,), outlook=outlook)
