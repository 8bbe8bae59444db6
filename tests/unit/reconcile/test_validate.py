"""Which events may become loans (H36-H39), one check after the other."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, combinations
from typing import Any

import pytest

from engine.errors import Clash
from engine.ids import Address
from engine.loans.loan import Requester
from engine.loans.status import ItemState
from engine.reconcile.observe import Known, view_meeting
from engine.reconcile.validate import Invalid, PeopleRule, Valid, resolve_requester, validate
from engine.reconcile.views import MeetingView
from engine.rooms.event import EventType, Mailbox, TimeFault
from tests.unit.reconcile.building import (
    ANNA,
    BOOK,
    DESK,
    GUEST,
    MORNING,
    ONE,
    OURS,
    OURS_AND_DESK,
    THREE,
    TWO,
    clash,
    clashing,
    make_copy,
    make_meeting,
    person,
    room_address,
)

ANSWERS = {ONE: ItemState.ACCEPTED, TWO: ItemState.DECLINED}
SOUND = make_meeting(answers=ANSWERS)

# Each fault with its reason, in the documented order: draft, organizer, dates, rooms, availability.
FAULTS: tuple[tuple[str, dict[str, Any], dict[str, object]], ...] = (
    ("draft", {"is_draft": True}, {}),
    ("organizer_unknown", {"organizer": person(GUEST)}, {"organizer": GUEST}),
    (
        "dates_invalid",
        {"interval": None, "time_fault": TimeFault("dates_invalid", "31 February")},
        {"text": "31 February"},
    ),
    ("zone_unknown", {"interval": None, "time_fault": TimeFault("zone_unknown", "Mars/North")}, {"text": "Mars/North"}),
    ("zero_length", {"interval": None, "zero_length": True}, {"text": ""}),
    ("no_synced_room", {"answers": {}}, {}),
    ("all_rooms_declined", {"answers": dict.fromkeys((ONE, TWO), ItemState.DECLINED)}, {}),
)
ORDER = [reason for reason, _, _ in FAULTS]


def check(
    meeting: MeetingView = SOUND,
    *,
    people: PeopleRule = OURS,
    taken: tuple[Any, ...] = (),
    told: Clash | None = None,
) -> Valid | Invalid:
    return validate(meeting, people=people, clashes=clashing(taken), told=told)


def with_faults(*fields: dict[str, Any]) -> MeetingView:
    meeting = SOUND
    for one in fields:
        meeting = replace(meeting, **one)
    return meeting


class TestASoundMeeting:
    def test_is_valid_with_its_organizer_times_and_rooms(self) -> None:
        """The requester is the organizer, times are exact, and the rooms are those that have not declined."""
        assert check() == Valid(Requester(ANNA, "Anna"), MORNING, frozenset({ONE}))

    @pytest.mark.parametrize("state", [ItemState.REQUESTED, ItemState.TENTATIVE, ItemState.ACCEPTED])
    def test_needs_no_yes_only_the_absence_of_a_no(self, state: ItemState) -> None:
        """A room that has not declined is enough (H38)."""
        assert isinstance(check(make_meeting(answers={ONE: state})), Valid)

    def test_does_not_mind_a_declined_room_that_is_taken(self) -> None:
        """Only rooms the loan would hold must be free."""
        assert isinstance(check(taken=(TWO,)), Valid)

    def test_does_not_mind_what_holds_other_rooms(self) -> None:
        """A clash on a room the meeting does not invite is none of its business."""
        assert isinstance(check(taken=(THREE,)), Valid)


class TestOneThingWrong:
    @pytest.mark.parametrize(("reason", "fields", "facts"), [fault for fault in FAULTS if fault[0] != "zero_length"])
    def test_is_named_with_its_values(self, reason: str, fields: dict[str, Any], facts: dict[str, object]) -> None:
        """Every check has one reason code, and the values its sentence needs."""
        assert check(with_faults(fields)) == Invalid(reason, facts)

    def test_a_meeting_without_length_blocks_nothing(self) -> None:
        """A zero-length event blocks nothing, so it makes no loan."""
        assert check(make_meeting(interval=None, zero_length=True)) == Invalid("zero_length", {})

    def test_a_meeting_without_times_is_not_guessed_at(self) -> None:
        """No times and no known fault: still invalid, never a crash."""
        assert check(make_meeting(interval=None)) == Invalid("dates_invalid", {"text": ""})

    @pytest.mark.parametrize("type", [EventType.OCCURRENCE, EventType.EXCEPTION])
    def test_a_date_of_a_series_is_a_meeting_like_any_other(self, type: EventType) -> None:
        """Each date is a booking of its own."""
        assert isinstance(check(make_meeting(type=type)), Valid)

    def test_one_taken_room_makes_the_whole_event_invalid(self) -> None:
        """At creation a single unavailable item is enough (H39); the reason tells which, when and by whom."""
        verdict = check(make_meeting(answers=(ONE, TWO, THREE)), taken=(TWO,))

        assert verdict == Invalid(
            "item_unavailable",
            {"item_id": TWO, "item": "Room 2", "loan": 77, "start": "2026-11-23 09:00", "end": "2026-11-23 10:00"},
        )

    def test_of_several_taken_rooms_the_first_is_told(self) -> None:
        """The same world gives the same reason, whatever the order of the rooms."""
        one_way = check(make_meeting(answers=(ONE, TWO, THREE)), taken=(TWO, THREE))
        other_way = check(make_meeting(answers=(THREE, TWO, ONE)), taken=(THREE, TWO))

        assert one_way == other_way
        assert isinstance(one_way, Invalid)
        assert one_way.facts["item_id"] == TWO

    def test_what_was_told_is_told_again_while_it_is_in_the_way(self) -> None:
        """Whatever else has taken this room or another since: a person who reads why reads the same."""
        verdict = check(make_meeting(answers=(ONE, TWO)), taken=(ONE, TWO), told=clash(TWO, by=5))

        assert isinstance(verdict, Invalid)
        assert (verdict.facts["item_id"], verdict.facts["loan"]) == (TWO, 5)

    def test_what_was_told_of_a_room_that_declined_is_told_no_more(self) -> None:
        """Only rooms the loan would hold are in its way."""
        verdict = check(SOUND, taken=(ONE,), told=clash(TWO, by=5))

        assert isinstance(verdict, Invalid)
        assert verdict.facts["item_id"] == ONE

    @pytest.mark.parametrize(
        "states", [(ItemState.DECLINED,), (ItemState.RELEASED,), (ItemState.DECLINED, ItemState.RELEASED)]
    )
    def test_rooms_that_all_said_no_hold_nothing(self, states: tuple[ItemState, ...]) -> None:
        """Declined or given back by Exchange: either way no room is left (H38)."""
        answers = dict(zip((ONE, TWO), states, strict=False))

        assert check(make_meeting(answers=answers)) == Invalid("all_rooms_declined", {})


class TestSeveralThingsWrong:
    @pytest.mark.parametrize(
        "wrong",
        [pair for size in (2, 3) for pair in combinations(FAULTS, size)],
        ids=lambda w: "+".join(f[0] for f in w),
    )
    def test_the_first_in_the_documented_order_is_told(self, wrong: tuple[Any, ...]) -> None:
        """Draft, series, organizer, dates, rooms, availability: the first failed check is the reason."""
        later_first = chain.from_iterable([fault[1]] for fault in reversed(wrong))

        verdict = check(with_faults(*later_first), taken=(ONE,))

        assert isinstance(verdict, Invalid)
        assert verdict.reason == min((fault[0] for fault in wrong), key=ORDER.index)

    @pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault[0])
    def test_availability_is_looked_at_last(self, fault: tuple[str, dict[str, Any], object]) -> None:
        """Who holds the room matters only for an event that is sound in itself."""
        verdict = check(with_faults(fault[1]), taken=(ONE,))

        assert isinstance(verdict, Invalid)
        assert verdict.reason == fault[0]


class TestTheOrganizer:
    @pytest.mark.parametrize("address", ["anna@example.org", "Anna@Example.ORG", " anna@EXAMPLE.org "])
    def test_of_our_domain_is_the_requester_however_it_is_written(self, address: str) -> None:
        """Domains are compared whatever the case; the address itself is kept as it is written (H36, H41)."""
        requester = resolve_requester(Mailbox(Address(address), "Anna"), OURS_AND_DESK)

        assert requester == Requester(Address(address), "Anna")

    def test_without_a_name_goes_by_the_address(self) -> None:
        """A requester always has something to be called by."""
        assert resolve_requester(Mailbox(ANNA, ""), OURS) == Requester(ANNA, ANNA)

    @pytest.mark.parametrize(
        "address", [GUEST, "anna@sub.example.org", "anna@example.org.elsewhere.net", "example.org", "", "/O=X/CN=ANNA"]
    )
    def test_from_elsewhere_is_not_ours(self, address: str) -> None:
        """Only the very domain counts: not a part of it, not one that merely ends or begins alike."""
        assert resolve_requester(Mailbox(Address(address), "Guest"), OURS) is None

    def test_from_elsewhere_is_stood_in_for_by_the_default_user(self) -> None:
        """An outside organizer falls back on the default user (H36)."""
        verdict = check(make_meeting(organizer=GUEST), people=OURS_AND_DESK)

        assert isinstance(verdict, Valid)
        assert verdict.requester == DESK

    def test_from_elsewhere_without_a_default_user_is_unknown(self) -> None:
        """With nobody to fall back on, the event is invalid, and its organizer is named."""
        assert check(make_meeting(organizer=GUEST)) == Invalid("organizer_unknown", {"organizer": GUEST})

    @pytest.mark.parametrize("people", [OURS, OURS_AND_DESK], ids=["nobody stands in", "default user"])
    def test_that_is_a_room_asked_nobody(self, people: PeopleRule) -> None:
        """An event written straight into a room's calendar has the room as organizer: nobody of ours asked for it."""
        copy = make_copy(ONE, organizer=Mailbox(room_address(ONE), "Room 1"), is_organizer=True)

        verdict = check(view_meeting(Known((copy,)), BOOK), people=people)

        if people.default_user is None:
            assert verdict == Invalid("organizer_unknown", {"organizer": ""})
        else:
            assert isinstance(verdict, Valid)
            assert verdict.requester == DESK

    @pytest.mark.parametrize("people", [OURS, OURS_AND_DESK])
    def test_that_is_missing_is_like_one_from_elsewhere(self, people: PeopleRule) -> None:
        """No organizer at all: the default user, or nobody."""
        assert resolve_requester(None, people) == people.default_user
