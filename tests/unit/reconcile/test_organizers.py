"""How the organizer's copy of a meeting is found, and what the answer adds: every way, and every answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import timedelta
from itertools import product

import pytest

from engine.reconcile.observe import Known
from engine.reconcile.organizers import Asking, Way, choose_way, is_moved, is_returned, learn, order_by_news
from engine.reconcile.views import RoomCopy
from tests.unit.reconcile.building import MORNING, ONE, TWO, invite, make_base, make_copy, make_event

ID, UID = {"is_id_known": True, "is_uid_known": True}, {"is_uid_known": True}
DATE = {"is_date": True, **UID}
FAR_AHEAD = {**DATE, "is_listed": False}


def all_askings() -> Iterator[Asking]:
    names = [each.name for each in fields(Asking)]
    for values in product((False, True), repeat=len(names)):
        yield Asking(**dict(zip(names, values, strict=True)))


@pytest.mark.parametrize(
    ("facts", "way"),
    [
        # single meetings
        ({}, None),
        (UID, Way.MEETING),
        (ID, Way.EVENT),
        ({**ID, "is_agreed": True, "is_over": True}, Way.EVENT),
        ({**ID, "is_agreed": True, "is_handed_over": True}, Way.MEETING),
        ({**ID, "is_agreed": True, "is_for_write": True}, Way.EVENT),
        # dates of series
        (DATE, Way.SHARED),
        ({**DATE, "is_apart": True}, Way.DATE),
        ({**DATE, "is_agreed": True}, Way.DATE),
        ({**DATE, "is_agreed": True, "is_ordered": True}, Way.SHARED),
        ({**DATE, "is_agreed": True, "is_ordered": True, "is_apart": True}, Way.DATE),
        ({**DATE, "is_agreed": True, "is_ordered": True, **ID}, Way.DATE),
        ({**DATE, "is_for_write": True}, Way.DATE_NOW),
        ({**DATE, "is_for_write": True, **ID}, Way.EVENT),
        ({**DATE, "is_for_write": True, "is_handed_over": True, **ID}, Way.MEETING),
        # far ahead
        (FAR_AHEAD, None),
        ({**FAR_AHEAD, "is_agreed": True}, None),
        ({**FAR_AHEAD, "is_over": True}, None),
        ({**FAR_AHEAD, "is_agreed": True, "is_over": True}, Way.DATE_NOW),
        ({**FAR_AHEAD, "is_for_write": True}, Way.DATE_NOW),
        ({**FAR_AHEAD, "is_agreed": True, "is_near": True}, Way.DATE_NOW),
    ],
)
def test_way_to_the_organizers_copy(facts: dict[str, bool], way: Way | None) -> None:
    assert choose_way(Asking(**facts)) is way


class TestWhateverElseIsTrue:
    def test_what_is_to_be_changed_is_read_as_it_is_now(self) -> None:
        kept = {Way.SHARED, Way.DATE}

        assert not [each for each in all_askings() if each.is_for_write and choose_way(each) in kept]

    def test_the_former_organizers_id_is_of_no_use_with_another(self) -> None:
        assert not [each for each in all_askings() if each.is_handed_over and choose_way(each) is Way.EVENT]

    def test_single_meetings_are_never_looked_for_among_dates(self) -> None:
        ways = {choose_way(each) for each in all_askings() if not each.is_date}

        assert ways == {Way.EVENT, Way.MEETING, None}

    def test_a_date_apart_from_its_series_is_read_itself(self) -> None:
        assert not [each for each in all_askings() if each.is_apart and choose_way(each) is Way.SHARED]

    def test_a_single_meeting_with_a_name_is_always_asked_for(self) -> None:
        named = [each for each in all_askings() if not each.is_date and each.is_uid_known]

        assert None not in {choose_way(each) for each in named}


# --- what the answer adds

FREE = make_event(attendees=())
HELD = make_copy(ONE)


def known(*copies: RoomCopy, agreed: bool = True) -> Known:
    return Known(copies=copies, base=make_base() if agreed else None)


class TestTheAnswer:
    def test_is_the_organizers_copy(self) -> None:
        copy = make_event(attendees=(invite(ONE), invite(TWO)))

        learned = learn(known(HELD), copy, Asking(is_agreed=True))

        assert learned.organizer_read
        assert learned.organizer_copy is copy

    def test_that_there_is_none_counts_where_it_was_agreed_on(self) -> None:
        learned = learn(known(HELD), None, Asking(is_agreed=True))

        assert learned.organizer_read
        assert learned.organizer_copy is None

    @pytest.mark.parametrize("is_over", [False, True])
    @pytest.mark.parametrize(("is_agreed", "is_handed_over"), [(False, False), (True, True), (False, True)])
    def test_that_there_is_none_tells_nothing_where_another_may_have_it(
        self, is_agreed: bool, is_handed_over: bool, is_over: bool
    ) -> None:
        before = known(HELD, agreed=is_agreed)

        learned = learn(before, None, Asking(is_agreed=is_agreed, is_handed_over=is_handed_over, is_over=is_over))

        assert learned == replace(before, organizer_lost=is_handed_over and is_over)

    @pytest.mark.parametrize(("is_over", "is_near"), [(False, False), (True, False), (False, True), (True, True)])
    def test_that_a_date_far_ahead_is_not_there_counts_at_its_end_or_where_it_was_moved_near(
        self, is_over: bool, is_near: bool
    ) -> None:
        asking = Asking(is_date=True, is_listed=False, is_agreed=True, is_over=is_over, is_near=is_near)

        assert learn(known(), None, asking).organizer_read is (is_over or is_near)

    def test_that_nobody_is_invited_is_no_word_about_rooms_that_hold_it(self) -> None:
        learned = learn(known(HELD), FREE, Asking(is_agreed=True))

        assert learned.organizer_read
        assert learned.organizer_copy is None

    def test_is_no_organizers_where_it_is_the_rooms_own_copy(self) -> None:
        """Written straight into the room's calendar, by an address of the room that the list of rooms has not told."""
        before = known(HELD)

        assert learn(before, HELD.event, Asking(is_agreed=True)) == replace(before, organizer_closed=True)

    def test_that_nobody_is_invited_counts_once_no_room_holds_it(self) -> None:
        learned = learn(known(replace(HELD, live=False)), FREE, Asking(is_agreed=True, is_over=True))

        assert learned.organizer_copy is FREE


class TestWhoseRoomIsBelieved:
    SEEN_LAST = replace(HELD, room_id=TWO, seen_at=MORNING.start)
    SEEN_FIRST = replace(HELD, seen_at=MORNING.start - timedelta(hours=1))

    @pytest.mark.parametrize("life", [{}, {"live": False}, {"live": False, "gone": True}, {"doubt": True}])
    def test_is_that_which_was_seen_last(self, life: dict[str, bool]) -> None:
        first, last = replace(self.SEEN_FIRST, **life), replace(self.SEEN_LAST, **life)
        never = replace(first, seen_at=None)

        assert order_by_news([never, first, last]) == [last, first, never]
        assert order_by_news([last, never, first]) == [last, first, never]

    def test_is_one_that_holds_it_before_one_that_shows_its_end(self) -> None:
        ended = replace(self.SEEN_LAST, live=False)

        assert order_by_news([ended, self.SEEN_FIRST]) == [self.SEEN_FIRST, ended]

    @pytest.mark.parametrize("life", [{"gone": True}, {"doubt": True}])
    def test_is_one_that_shows_its_end_before_one_that_only_left(self, life: dict[str, bool]) -> None:
        ended, left = replace(self.SEEN_FIRST, live=False), replace(self.SEEN_LAST, live=False, **life)

        assert order_by_news([left, ended]) == [ended, left]

    def test_is_one_in_doubt_after_one_that_holds_it(self) -> None:
        doubtful = replace(self.SEEN_LAST, doubt=True)

        assert order_by_news([doubtful, self.SEEN_FIRST]) == [self.SEEN_FIRST, doubtful]


class TestASecondQuestion:
    def test_goes_by_the_uid_where_rooms_hold_what_its_id_does_not_find(self) -> None:
        ended = replace(HELD, live=False)

        assert is_moved(None, known(HELD))
        assert not is_moved(None, known(ended))
        assert not is_moved(make_event(), known(HELD))

    @pytest.mark.parametrize(
        ("is_handed_over", "is_over"), [(False, False), (False, True), (True, False), (True, True)]
    )
    def test_goes_to_the_former_organizer_where_it_may_have_been_given_back(
        self, is_handed_over: bool, is_over: bool
    ) -> None:
        asking = Asking(is_handed_over=is_handed_over, is_over=is_over)

        assert is_returned(None, asking) is (is_handed_over and is_over)
        assert not is_returned(make_event(), asking)
