"""From copies to one view of a meeting: what each room said, when it takes place, whose it is, whether it lives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations, product
from zoneinfo import ZoneInfo

import pytest

from engine.ids import Address, BookableId, EventId
from engine.interval import Interval
from engine.loans.status import ItemState
from engine.reconcile.observe import (
    Known,
    needs_organizer,
    needs_own_date,
    resolve_interval,
    shows_other_rooms,
    unshown_rooms,
    view_meeting,
)
from engine.reconcile.views import Base, MeetingView, Presence, RoomCopy
from engine.rooms.event import Answer, Attendee, EventCopy, EventType, Mailbox, Privacy, TimeFault
from engine.rooms.room import RoomBook, RoomState
from tests.unit.reconcile.building import (
    AFTERNOON,
    BOB,
    BOOK,
    FOUR,
    MORNING,
    NOON,
    ONE,
    THREE,
    TWO,
    invite,
    make_base,
    make_copy,
    make_event,
    make_room,
    person,
    room_address,
)

S, A = ItemState, Answer
ROOMS = (ONE, TWO, THREE)
WRITTEN_AT = datetime(2026, 11, 23, 12, tzinfo=UTC)


def view(
    *copies: RoomCopy,
    base: Base | None = None,
    organizer: EventCopy | None = None,
    read: bool | None = None,
    written: bool = False,
    before: dict[BookableId, ItemState] | None = None,
    book: RoomBook = BOOK,
) -> MeetingView:
    known = Known(
        copies,
        base=base,
        organizer_read=organizer is not None if read is None else read,
        organizer_copy=organizer,
        organizer_interval=organizer.interval if organizer else None,
        written_at=WRITTEN_AT if written else None,
        answers_before=before or {},
    )
    return view_meeting(known, book)


def organizer_copy(*attendees: Attendee, interval: Interval = MORNING, **fields: object) -> EventCopy:
    """What Anna's own calendar shows."""
    return make_event(
        event_id=EventId("hers"),
        attendees=attendees,
        interval=interval,
        is_organizer=True,
        answer=A.ORGANIZER,
        **fields,
    )


def is_read(*copies: RoomCopy, base: Base | None = None, written: bool = False, check_answers: bool = False) -> bool:
    return needs_organizer(
        Known(copies, base=base, written_at=WRITTEN_AT if written else None), check_answers=check_answers
    )


# What a room's own calendar shows of the meeting, at the meeting's present times.
COPIES = {
    "no copy": None,
    "asked": make_copy(ONE, answer=A.NONE),
    "tentative": make_copy(ONE, answer=A.TENTATIVE),
    "accepted": make_copy(ONE, answer=A.ACCEPTED),
    "its own event": make_copy(ONE, answer=A.ORGANIZER),
    "accepted, in doubt": make_copy(ONE, answer=A.ACCEPTED, doubt=True),
    "declined": make_copy(ONE, answer=A.DECLINED),
    "cancelled": make_copy(ONE, is_cancelled=True),
    "gone": make_copy(ONE, gone=True),
}
TOLD = {A.NONE: S.REQUESTED, A.TENTATIVE: S.TENTATIVE, A.ACCEPTED: S.ACCEPTED, A.DECLINED: S.DECLINED}
GIVEN_BACK = {**TOLD, A.TENTATIVE: S.RELEASED, A.ACCEPTED: S.RELEASED}
ASKED_AGAIN = {A.NONE: S.REQUESTED, A.TENTATIVE: S.REQUESTED, A.ACCEPTED: S.REQUESTED, A.DECLINED: S.DECLINED}

# the room's copy -> by what the organizer's copy tells of the room: the state of the item
SAME_TIMES: dict[str, dict[Answer, ItemState]] = {
    "no copy": TOLD,
    "asked": dict.fromkeys(TOLD, S.REQUESTED),
    "tentative": dict.fromkeys(TOLD, S.TENTATIVE),
    "accepted": dict.fromkeys(TOLD, S.ACCEPTED),
    "its own event": dict.fromkeys(TOLD, S.ACCEPTED),
    "accepted, in doubt": dict.fromkeys(TOLD, S.ACCEPTED),
    "declined": TOLD,
    "cancelled": TOLD,
    "gone": GIVEN_BACK,
}
OTHER_TIMES = {
    name: TOLD if states is TOLD or states is GIVEN_BACK else ASKED_AGAIN for name, states in SAME_TIMES.items()
}
OTHER_TIMES["gone"] = GIVEN_BACK


class TestWhatARoomSaid:
    @pytest.mark.parametrize(("shown", "told"), tuple(product(COPIES, TOLD)))
    def test_is_first_what_its_own_calendar_shows(self, shown: str, told: Answer) -> None:
        """
        A live copy at the meeting's times is the answer, for it is what blocks the room.

        Without one the organizer's list tells, except that a yes whose copy is gone means that Exchange gave it back.
        """
        copy = COPIES[shown]

        meeting = view(*([copy] if copy else []), base=make_base(), organizer=organizer_copy(invite(ONE, told)))

        assert meeting.answers == {ONE: SAME_TIMES[shown][told]}

    @pytest.mark.parametrize(("shown", "told"), tuple(product(COPIES, TOLD)))
    def test_to_other_times_is_no_answer_to_these(self, shown: str, told: Answer) -> None:
        """While a room's copy still shows other times, it has not answered yet; a no that arrived is believed."""
        copy = COPIES[shown]

        moved = organizer_copy(invite(ONE, told), interval=NOON)
        meeting = view(*([copy] if copy else []), base=make_base(), organizer=moved)

        assert meeting.answers == {ONE: OTHER_TIMES[shown][told]}
        assert meeting.interval == NOON

    @pytest.mark.parametrize("before", [S.REQUESTED, S.TENTATIVE, S.ACCEPTED, S.DECLINED])
    def test_stands_while_nothing_newer_is_known(self, before: ItemState) -> None:
        """The organizer's copy was not read and the room shows nothing: what was known before still stands."""
        other = make_copy(TWO, attendees=(invite(ONE), invite(TWO)))

        meeting = view(other, base=make_base(rooms=(ONE, TWO)), before={ONE: before})

        assert meeting.answers == {ONE: before, TWO: S.ACCEPTED}

    def test_is_believed_without_the_organizer_when_it_is_no(self) -> None:
        """
        A room's copy at the meeting's times that says declined is a no, whether or not the organizer can be asked.

        With an organizer from outside nobody can be asked, and a loan kept a room that had said no to it.
        """
        declined = make_copy(ONE, answer=A.DECLINED)
        other = make_copy(TWO, attendees=(invite(ONE), invite(TWO)))

        meeting = view(declined, other, base=make_base(rooms=(ONE, TWO)), before={ONE: S.ACCEPTED})

        assert meeting.answers == {ONE: S.DECLINED, TWO: S.ACCEPTED}

    def test_to_former_times_is_not_believed_when_it_is_no(self) -> None:
        """A no to the times before the move says nothing of the times after it."""
        declined = make_copy(ONE, answer=A.DECLINED)
        other = make_copy(TWO, interval=NOON, attendees=(invite(ONE), invite(TWO)))

        meeting = view(declined, other, base=make_base(rooms=(ONE, TWO)), before={ONE: S.REQUESTED})

        assert meeting.answers == {ONE: S.REQUESTED, TWO: S.ACCEPTED}


class TestWhichRoomsAreInvited:
    @pytest.mark.parametrize("type", ["resource", "required", "optional", ""])
    def test_is_told_by_address_whatever_the_attendee_type(self, type: str) -> None:
        """People invite rooms as required attendees too; a room is known by its address."""
        assert set(view(organizer=organizer_copy(invite(ONE, type=type))).answers) == {ONE}

    @pytest.mark.parametrize(
        "written", ["room-1@example.org", "ROOM-1@Example.org", "board@example.org", "Board@EXAMPLE.ORG"]
    )
    def test_is_told_by_any_address_however_it_is_written(self, written: str) -> None:
        """An alias names the same room, and case never matters."""
        book = RoomBook((make_room(ONE, aliases=("board@example.org",)), make_room(TWO)))
        attendee = Attendee(Address(written), "Board", "required", A.ACCEPTED)

        meeting = view(organizer=organizer_copy(attendee), book=book)

        assert meeting.answers == {ONE: S.ACCEPTED}

    def test_twice_under_two_addresses_is_one_room(self) -> None:
        """Address and alias on one list are one invitation."""
        book = RoomBook((make_room(ONE, aliases=("board@example.org",)),))
        alias = Attendee(Address("board@example.org"), "Board", "required", A.ACCEPTED)

        assert set(view(organizer=organizer_copy(invite(ONE), alias), book=book).answers) == {ONE}

    def test_leaves_people_out(self) -> None:
        """Persons among the attendees are nobody's rooms."""
        bob = Attendee(BOB, "Bob", "required", A.ACCEPTED)

        assert set(view(organizer=organizer_copy(bob, invite(TWO))).answers) == {TWO}

    @pytest.mark.parametrize("name", ["Room 1", "ROOM 1", "Bob"])
    def test_takes_in_a_room_that_is_invited_as_a_person_of_its_name(self, name: str) -> None:
        """What is forwarded to a room invites it as a person, maybe by an address that it has no more."""
        shown = make_copy(ONE, attendees=(invite(TWO),))
        somebody = Attendee(Address("former@example.org"), name, "required", A.ACCEPTED)

        meeting = view(shown, organizer=organizer_copy(somebody, invite(TWO)))

        assert (ONE in meeting.answers) is (name != "Bob")

    @pytest.mark.parametrize("state", RoomState)
    def test_counts_only_rooms_that_take_part(self, state: RoomState) -> None:
        """An excluded room is not synced; one that is missing or suspended still is."""
        book = RoomBook((make_room(ONE, state=state), make_room(TWO)))

        meeting = view(organizer=organizer_copy(invite(ONE), invite(TWO)), book=book)

        assert set(meeting.answers) == ({TWO} if state is RoomState.EXCLUDED else {ONE, TWO})

    def test_of_an_excluded_room_counts_no_old_copy(self) -> None:
        """With or without the organizer's copy, an excluded room does not become part of a new booking."""
        book = RoomBook((make_room(ONE, state=RoomState.EXCLUDED), make_room(TWO)))
        copies = (make_copy(ONE), make_copy(TWO))

        assert set(view(*copies, book=book).answers) == {TWO}

    @pytest.mark.parametrize("read", [True, False], ids=["organizer read", "room copies only"])
    def test_keeps_an_excluded_room_in_the_bookings_it_already_has(self, read: bool) -> None:
        """
        Excluding a room loses no loan: bookings it was part of keep it.

        The room vanished from the view as soon as the organizer's copy was read, and with it the item of its loan.
        """
        book = RoomBook((make_room(ONE, state=RoomState.EXCLUDED),))

        meeting = view(
            make_copy(ONE), base=make_base(), organizer=organizer_copy(invite(ONE)) if read else None, book=book
        )

        assert meeting.answers == {ONE: S.ACCEPTED}

    def test_is_read_from_the_copies_of_rooms_together(self) -> None:
        """Each live copy lists the attendees, so one room tells of the others."""
        copy = make_copy(ONE, attendees=(invite(ONE), invite(TWO), invite(THREE)))

        assert set(view(copy).answers) == {ONE, TWO, THREE}

    def test_is_known_of_rooms_that_hide_each_other(self) -> None:
        """With hidden attendees each copy lists nobody: every room with a live copy is invited all the same."""
        assert set(view(make_copy(ONE), make_copy(TWO)).answers) == {ONE, TWO}

    def test_leaves_out_a_room_whose_copy_was_called_off(self) -> None:
        """A list in another room's copy may be older than the room's own end."""
        other = make_copy(TWO, attendees=(invite(ONE), invite(TWO)))

        meeting = view(make_copy(ONE, is_cancelled=True), other, base=make_base(rooms=(ONE, TWO)))

        assert set(meeting.answers) == {TWO}

    @pytest.mark.parametrize("shown", [True, False])
    def test_takes_in_a_room_again_that_a_move_names(self, shown: bool) -> None:
        """
        A list that comes with a move is newer than an end at the times before: a series that moves takes back what was
        said of one of its dates, the rooms taken out among them.

        The date followed the move and left the room out for good, where its organizer's mailbox closed right after.
        """
        ended = make_copy(ONE, is_cancelled=True, gone=not shown)
        other = make_copy(TWO, attendees=(invite(ONE), invite(TWO)), interval=NOON)

        assert set(view(ended, other, base=make_base(rooms=(TWO,))).answers) == {ONE, TWO}

    def test_leaves_out_a_room_that_had_moved_before_its_end(self) -> None:
        """The move and its list are older than the end, whenever the other room tells of them."""
        ended = make_copy(ONE, is_cancelled=True, interval=NOON)
        other = make_copy(TWO, attendees=(invite(ONE), invite(TWO)), interval=NOON)

        assert set(view(ended, other, base=make_base(rooms=(ONE, TWO))).answers) == {TWO}

    def test_leaves_out_a_room_of_another_zone_whose_whole_day_ended(self) -> None:
        """The day begins at another instant there, and has not moved for that."""
        day = (date(2026, 11, 24), date(2026, 11, 25))
        ended = make_copy(ONE, is_cancelled=True, interval=None, all_day=day)
        other = make_copy(TWO, attendees=(invite(ONE), invite(TWO)), interval=None, all_day=day)

        meeting = view(ended, replace(other, interval=NOON), base=make_base(rooms=(ONE, TWO)))

        assert set(meeting.answers) == {TWO}

    @pytest.mark.parametrize("base", [None, make_base(rooms=(ONE, TWO))])
    def test_keeps_a_room_whose_copy_is_gone_and_that_others_list(self, base: Base | None) -> None:
        """
        It has given the meeting back, or was taken out: only the organizer's copy tells which. Until somebody can read
        it the room holds nothing, and stays one of the meeting's.

        It was taken for removed: where the organizer's mailbox was closed for a moment, its event named the room for
        ever, and the loan did not.
        """
        other = make_copy(TWO, attendees=(invite(ONE), invite(TWO)))
        before = {ONE: S.ACCEPTED, TWO: S.ACCEPTED}

        meeting = view(make_copy(ONE, gone=True), other, base=base, before=before)

        assert meeting.answers == {ONE: S.RELEASED, TWO: S.ACCEPTED}

    def test_leaves_out_a_room_whose_copy_is_gone_and_that_nobody_lists(self) -> None:
        """Its own list named the other room: guests see each other, and it was taken off the other's list since."""
        left = make_copy(ONE, attendees=(invite(ONE), invite(TWO)), gone=True)
        other = make_copy(TWO, attendees=(invite(TWO),))

        meeting = view(left, other, base=make_base(rooms=(ONE, TWO)))

        assert set(meeting.answers) == {TWO}

    @pytest.mark.parametrize(
        "named",
        [(invite(ONE),), (Attendee(Address("salon@example.org"), "Room 1", "resource", A.NONE), invite(TWO))],
        ids=["guests who do not see each other", "an address not heard of yet"],
    )
    @pytest.mark.parametrize(
        ("ended", "said"),
        [({"gone": True}, S.RELEASED), ({"answer": A.DECLINED}, S.DECLINED), ({"is_cancelled": True}, None)],
        ids=["given back", "declined", "called off"],
    )
    def test_keeps_a_room_that_no_list_ever_named(
        self, named: tuple[Attendee, ...], ended: dict[str, bool | Answer], said: ItemState | None
    ) -> None:
        """
        That the other room does not list it is no news, be it told ever so late. Only its own copy can say that it was
        taken out.

        It was told as taken out where the organizer could not be asked; its event named it for ever.
        """
        left = make_copy(ONE, attendees=named, **ended)
        other = make_copy(TWO, attendees=(invite(TWO),))

        meeting = view(left, other, base=make_base(rooms=(ONE, TWO)), before={ONE: S.ACCEPTED, TWO: S.ACCEPTED})

        assert meeting.answers.get(ONE) is said

    def test_leaves_out_a_room_in_whose_place_another_was_invited(self) -> None:
        """Its own list is older than the other room's invitation, and says nothing about who sees whom."""
        left = make_copy(ONE, attendees=(invite(ONE),), gone=True)
        other = make_copy(TWO, attendees=(invite(TWO),))

        meeting = view(left, other, base=make_base(rooms=(ONE,)))

        assert set(meeting.answers) == {TWO}

    def test_is_told_by_the_organizers_list_once_it_is_read(self) -> None:
        """The organizer's list is the newest there is: a room taken off it is out, live copy or not."""
        meeting = view(
            make_copy(ONE, attendees=(invite(ONE), invite(TWO))),
            make_copy(TWO, attendees=(invite(ONE), invite(TWO))),
            base=make_base(rooms=(ONE, TWO)),
            organizer=organizer_copy(invite(TWO, A.ACCEPTED)),
        )

        assert meeting.answers == {TWO: S.ACCEPTED}

    def test_includes_the_room_that_organizes(self) -> None:
        """An event written straight into a room's calendar has no attendees, and holds the room."""
        copy = make_copy(ONE, organizer=Mailbox(room_address(ONE), "Room 1"), answer=A.ORGANIZER, is_organizer=True)

        assert view(copy).answers == {ONE: S.ACCEPTED}
        assert view(copy, organizer=copy.event).answers == {ONE: S.ACCEPTED}


class TestAMoveThatSpreadsFromRoomToRoom:
    @pytest.mark.parametrize("order", list(permutations(ROOMS)))
    def test_counts_from_the_first_room_on(self, order: tuple[BookableId, ...]) -> None:
        """The first copy with new times tells the move; rooms still at the old times have not answered to it."""
        base = make_base(rooms=ROOMS)
        for moved in range(len(ROOMS) + 1):
            there = order[:moved]
            copies = [make_copy(room, interval=NOON if room in there else MORNING) for room in ROOMS]

            meeting = view(*copies, base=base)

            assert meeting.interval == (NOON if there else MORNING)
            assert {room for room, state in meeting.answers.items() if state is S.REQUESTED} == (
                set(ROOMS) - set(there) if there else set()
            )

    @pytest.mark.parametrize(
        "copies", list(permutations((make_copy(ONE, interval=NOON), make_copy(TWO, interval=AFTERNOON))))
    )
    def test_in_two_directions_asks_the_organizer_and_never_depends_on_order(
        self, copies: tuple[RoomCopy, ...]
    ) -> None:
        """Two new times at once: the organizer's copy tells; where it cannot be read, the earlier one stands."""
        base = make_base(rooms=(ONE, TWO))

        assert is_read(*copies, base=base)
        assert view(*copies, base=base).interval == NOON
        shown = view(*copies, base=base, organizer=organizer_copy(invite(ONE), invite(TWO), interval=AFTERNOON))
        assert shown.interval == AFTERNOON

    @pytest.mark.parametrize("whole_days_first", [True, False])
    @pytest.mark.parametrize("hours", [0, 1])
    def test_is_not_undone_by_a_room_that_tells_nothing_any_more(self, hours: int, whole_days_first: bool) -> None:
        """Of two rooms that show other times, the one that showed them before may be of an address that is gone. The
        organizer tells, also where whole days last *hours* longer than in that one room."""
        day = (date(2026, 11, 23), date(2026, 11, 24))
        whole = make_copy(ONE, interval=None, all_day=day)
        whole = replace(whole, interval=resolve_interval(whole.event, UTC), seen_at=WRITTEN_AT)
        timed = replace(make_copy(TWO, interval=MORNING), seen_at=WRITTEN_AT)
        assert whole.interval is not None
        of_all_rooms = Interval(whole.interval.start - timedelta(hours=hours), whole.interval.end)
        agreed = MORNING if whole_days_first else of_all_rooms
        later = WRITTEN_AT + timedelta(seconds=1)
        copies = (whole, replace(timed, seen_at=later)) if whole_days_first else (timed, replace(whole, seen_at=later))

        base = make_base(rooms=(ONE, TWO), interval=agreed)
        assert is_read(*copies, base=base)
        assert view(*copies, base=base).interval == copies[1].interval, "also where the organizer cannot be asked"
        assert not is_read(whole, base=make_base(rooms=(ONE,), interval=of_all_rooms))


class TestOurOwnEcho:
    def test_makes_the_organizers_copy_be_read(self) -> None:
        """Once we wrote the meeting, other times in a room's copy may be the ones before our write."""
        late = make_copy(ONE, interval=NOON)

        assert is_read(late, base=make_base(), written=True)
        assert not is_read(late, base=make_base(), written=False)

    def test_may_show_rooms_of_before_our_write(self) -> None:
        """We took it from the first room to the second; the first one still shows it."""
        late = Known((make_copy(ONE),), base=make_base(rooms=(TWO,)), written_at=WRITTEN_AT)
        same = replace(late, base=make_base(rooms=(ONE,)))

        assert shows_other_rooms(late, BOOK)
        assert not shows_other_rooms(same, BOOK)
        assert not shows_other_rooms(replace(late, copies=()), BOOK), "silence is not evidence"

    def test_is_not_the_only_reason_why_a_room_may_be_missing_in_a_list(self) -> None:
        """The second room has never shown a copy: it may have been invited after the first one's list was made. Had it
        lost its copy, it would be out of the meeting."""
        unseen = Known((make_copy(ONE),), base=make_base(rooms=(ONE, TWO)))
        lost = make_copy(TWO, live=False, gone=True)

        assert shows_other_rooms(unseen, BOOK)
        assert not shows_other_rooms(replace(unseen, copies=(make_copy(ONE), lost)), BOOK)

    def test_is_asked_about_where_a_room_lists_one_that_was_taken_out(self) -> None:
        """Whoever takes a room out need not tell those that stay: the first one lists the second for ever."""
        old = make_copy(ONE, attendees=(invite(ONE), invite(TWO)))
        known = Known((old,), base=make_base(rooms=(ONE,)))
        out = replace(known, taken_out=frozenset({TWO}))

        assert not shows_other_rooms(known, BOOK), "a room that was never there may have been invited"
        assert shows_other_rooms(out, BOOK)
        assert not shows_other_rooms(replace(out, copies=(old, make_copy(TWO))), BOOK), "it is there again"
        assert not shows_other_rooms(replace(out, base=make_base(rooms=(ONE, TWO))), BOOK), "it was taken when it came"

    def test_is_not_taken_for_a_move(self) -> None:
        """We moved it from noon to morning; the room still shows noon, the organizer's copy morning: nothing moved."""
        late = make_copy(ONE, interval=NOON)

        meeting = view(late, base=make_base(), organizer=organizer_copy(invite(ONE, A.ACCEPTED)), written=True)

        assert meeting.interval == MORNING
        assert meeting.answers == {ONE: S.REQUESTED}

    @pytest.mark.parametrize("minutes", [-1, 1], ids=["before our write", "after it"])
    def test_is_told_by_when_a_room_said_it_where_the_organizer_cannot_be_asked(self, minutes: int) -> None:
        """We moved it from noon to morning, and then its organizer's mailbox was closed: a room that has told nothing
        since says nothing of it, one that shows noon again afterwards was asked for that."""
        seen_at = WRITTEN_AT + timedelta(minutes=minutes)
        copy = replace(make_copy(ONE, interval=NOON), seen_at=seen_at)
        known = Known((copy,), base=make_base(), written_at=WRITTEN_AT, organizer_closed=True)

        meeting = view_meeting(known, BOOK)

        said = (MORNING, S.REQUESTED) if minutes < 0 else (NOON, S.ACCEPTED)
        assert (meeting.presence, meeting.interval, meeting.answers[ONE]) == (Presence.LIVE, *said)

    def test_of_rooms_is_told_so_too(self) -> None:
        """We took it from the first room to the second, which has shown nothing yet."""
        copy = replace(make_copy(ONE), seen_at=WRITTEN_AT - timedelta(minutes=1))
        known = Known((copy,), base=make_base(rooms=(TWO,)), written_at=WRITTEN_AT, organizer_closed=True)

        assert view_meeting(known, BOOK).answers == {TWO: S.REQUESTED}

    def test_of_rooms_is_not_told_by_a_list_that_hides_one_which_shows_the_meeting(self) -> None:
        """Guests are hidden from each other: the copy read before says nothing else than the one read after."""
        before, after = (WRITTEN_AT + timedelta(minutes=minutes) for minutes in (-1, 1))
        copies = (replace(make_copy(ONE), seen_at=after), replace(make_copy(TWO), seen_at=before))
        known = Known(copies, base=make_base(rooms=(ONE, TWO)), written_at=WRITTEN_AT, organizer_closed=True)

        assert view_meeting(known, BOOK).answers == {ONE: S.ACCEPTED, TWO: S.ACCEPTED}

    def test_of_rooms_is_told_by_a_list_that_leaves_out_one_which_shows_nothing(self) -> None:
        """We took the first room as well, of which nothing is known yet."""
        copy = replace(make_copy(TWO), seen_at=WRITTEN_AT - timedelta(minutes=1))
        known = Known((copy,), base=make_base(rooms=(ONE, TWO)), written_at=WRITTEN_AT, organizer_closed=True)

        assert set(view_meeting(known, BOOK).answers) == {ONE, TWO}

    @pytest.mark.parametrize(
        ("ended", "said"),
        [
            (make_copy(TWO, gone=True), {ONE: S.ACCEPTED, TWO: S.RELEASED}),
            (make_copy(TWO, answer=A.DECLINED), {ONE: S.ACCEPTED, TWO: S.DECLINED}),
            (make_copy(TWO, is_cancelled=True), {ONE: S.ACCEPTED}),
            (make_copy(TWO, is_cancelled=True, interval=NOON), {ONE: S.ACCEPTED, TWO: S.ACCEPTED}),
        ],
        ids=["given back", "declined", "called off", "called off at other times"],
    )
    def test_is_no_end_that_a_room_has_told_since(self, ended: RoomCopy, said: Mapping[BookableId, ItemState]) -> None:
        """
        The first room's list says otherwise than what was agreed on, and is older; the second room has left since.

        It was told as accepted for good, for no room counted as one that has shown anything.
        """
        before, after = (WRITTEN_AT + timedelta(minutes=minutes) for minutes in (-1, 1))
        copies = (replace(make_copy(ONE), seen_at=before), replace(ended, seen_at=after))
        known = Known(
            copies,
            base=make_base(rooms=(ONE, TWO)),
            written_at=WRITTEN_AT,
            answers_before={ONE: S.ACCEPTED, TWO: S.ACCEPTED},
            organizer_closed=True,
        )

        assert view_meeting(known, BOOK).answers == said

    def test_of_rooms_does_not_lose_one_that_has_told_nothing_since(self) -> None:
        """
        Guests are hidden from each other; the second room has left since, and the third has told something.

        Only the third stayed part of the meeting, although the first one holds it still.
        """
        before, after = (WRITTEN_AT + timedelta(minutes=minutes) for minutes in (-1, 1))
        left = replace(make_copy(TWO, gone=True), seen_at=after)
        copies = (replace(make_copy(ONE), seen_at=before), left, replace(make_copy(THREE), seen_at=after))
        known = Known(
            copies,
            base=make_base(rooms=ROOMS),
            written_at=WRITTEN_AT,
            answers_before=dict.fromkeys(ROOMS, S.ACCEPTED),
            organizer_closed=True,
        )

        assert view_meeting(known, BOOK).answers == {ONE: S.ACCEPTED, TWO: S.RELEASED, THREE: S.ACCEPTED}

    @pytest.mark.parametrize(
        ("before", "is_closed", "said"),
        [
            (S.RELEASED, True, {ONE: S.ACCEPTED, TWO: S.RELEASED}),
            (S.RELEASED, False, {ONE: S.ACCEPTED}),
            (S.ACCEPTED, True, {ONE: S.ACCEPTED}),
        ],
        ids=["closed since it was given back", "to be asked", "closed before"],
    )
    def test_which_names_no_room_that_gave_it_back_may_be_older(
        self, before: ItemState, is_closed: bool, said: Mapping[BookableId, ItemState]
    ) -> None:
        """The organizer's named it after that, and cannot be asked again; the first room was told of no other guest."""
        known = Known(
            (
                make_copy(ONE, attendees=(invite(ONE),)),
                make_copy(TWO, gone=True, attendees=(invite(ONE), invite(TWO))),
            ),
            base=make_base(rooms=(ONE, TWO)),
            answers_before={ONE: S.ACCEPTED, TWO: before},
            organizer_closed=is_closed,
        )

        assert view_meeting(known, BOOK).answers == said

    def test_may_be_an_end_from_before_we_asked_a_room_anew(self) -> None:
        """Both copies are older than what was agreed on."""
        before = WRITTEN_AT - timedelta(minutes=1)
        copies = (replace(make_copy(ONE), seen_at=before), replace(make_copy(TWO, gone=True), seen_at=before))
        known = Known(
            copies,
            base=make_base(rooms=(ONE, TWO)),
            written_at=WRITTEN_AT,
            answers_before={ONE: S.ACCEPTED, TWO: S.REQUESTED},
            organizer_closed=True,
        )

        assert view_meeting(known, BOOK).answers == {ONE: S.ACCEPTED, TWO: S.REQUESTED}

    def test_of_a_creation_no_room_has_shown_yet_is_what_we_wrote(self) -> None:
        """A fresh event lives by our own word until a room shows something: silence is not evidence."""
        meeting = view(base=make_base(rooms=(ONE, TWO)), written=True, before={ONE: S.ACCEPTED})

        assert meeting.presence is Presence.LIVE
        assert meeting.interval == MORNING
        assert meeting.answers == {ONE: S.ACCEPTED, TWO: S.REQUESTED}


class TestReadingTheOrganizersCopy:
    """A request is spent only where the copies of rooms, which come for free, cannot tell."""

    @pytest.mark.parametrize(
        ("what", "copies", "read"),
        [
            ("a live copy", [make_copy(ONE)], True),
            ("a copy in every room that is gone", [make_copy(ONE, gone=True), make_copy(TWO, gone=True)], True),
            ("a cancelled copy", [make_copy(ONE, is_cancelled=True)], False),
            ("a copy from before us that is gone", [make_copy(ONE, gone=True, listed=True)], False),
        ],
    )
    def test_of_an_unknown_meeting_happens(self, what: str, copies: list[RoomCopy], read: bool) -> None:
        """Title and privacy of a new booking come from the organizer's copy, and whether it was called off or refused
        when it left its rooms: of a refusal they keep no trace."""
        assert is_read(*copies) == read

    @pytest.mark.parametrize("check", [True, False])
    def test_of_an_unknown_meeting_without_copies_is_pointless(self, check: bool) -> None:
        """Nothing known, nothing asked."""
        assert not is_read(check_answers=check)

    @pytest.mark.parametrize("shown", ["asked", "tentative", "accepted", "its own event", "accepted, in doubt"])
    @pytest.mark.parametrize("written", [True, False])
    def test_is_spared_while_all_is_as_agreed(self, shown: str, written: bool) -> None:
        """A room's yes shows in its own calendar."""
        copy = COPIES[shown]
        assert copy is not None

        assert not is_read(copy, base=make_base(), written=written)

    @pytest.mark.parametrize("shown", ["declined", "cancelled", "gone"])
    @pytest.mark.parametrize("written", [True, False])
    def test_happens_before_an_only_room_is_believed_to_be_out(self, shown: str, written: bool) -> None:
        """Declined, given back, cancelled, or swapped for a room not yet seen: only the organizer's copy tells."""
        copy = COPIES[shown]
        assert copy is not None

        assert is_read(copy, base=make_base(), written=written)

    @pytest.mark.parametrize(("shown", "read"), [("declined", True), ("gone", True), ("cancelled", False)])
    def test_tells_a_refusal_from_a_removal(self, shown: str, read: bool) -> None:
        """Beside another live room, a cancelled copy means removed from the list; a vanished one may mean anything."""
        copy = COPIES[shown]
        assert copy is not None

        assert is_read(copy, make_copy(TWO), base=make_base(rooms=(ONE, TWO))) == read

    def test_tells_whether_a_room_that_called_off_other_times_is_out(self) -> None:
        """What was called off may be what was before: a date that came back with its series is invited anew."""
        old = make_copy(ONE, is_cancelled=True, interval=NOON)

        assert is_read(old, make_copy(TWO), base=make_base(rooms=(ONE, TWO)))

    def test_is_not_spared_by_what_a_vanished_copy_called_off(self) -> None:
        """It may have been alive again in between, and have left the room then."""
        old = make_copy(ONE, is_cancelled=True, gone=True)

        assert is_read(old, make_copy(TWO), base=make_base(rooms=(ONE, TWO)))

    @pytest.mark.parametrize("check", [True, False])
    def test_is_due_for_a_silent_room_only_now_and_then(self, check: bool) -> None:
        """A decline may leave no trace in the room's calendar, so the organizer's copy is asked when it is due."""
        assert is_read(make_copy(ONE), base=make_base(rooms=(ONE, TWO)), check_answers=check) == check
        assert is_read(base=make_base(), written=True, check_answers=check) == check

    def test_does_not_care_about_rooms_that_are_no_part_of_the_booking(self) -> None:
        """An ended copy in a room that was never agreed on changes nothing."""
        assert not is_read(make_copy(ONE), make_copy(FOUR, gone=True), base=make_base())


class TestTheEndOfAMeeting:
    @pytest.mark.parametrize("shown", ["cancelled", "gone"])
    def test_is_believed_of_the_copies_of_all_its_rooms(self, shown: str) -> None:
        """Cancelled, or gone by its very id, in every room: that is evidence."""
        copy = COPIES[shown]
        assert copy is not None

        assert view(copy, base=make_base()).presence is Presence.GONE
        assert view(copy).presence is Presence.GONE

    def test_is_believed_where_the_others_said_no_to_the_organizer(self) -> None:
        """A room that has declined holds nothing, though it never showed a copy whose end it could show."""
        base, ended = make_base(rooms=(ONE, TWO)), make_copy(ONE, is_cancelled=True)
        said = {ONE: S.ACCEPTED, TWO: S.DECLINED}

        assert view(ended, base=base, before=said).presence is Presence.GONE
        assert view(ended, base=base, before=said | {TWO: S.REQUESTED}).presence is Presence.LIVE
        assert (
            view(make_copy(FOUR, gone=True), base=base, before=dict.fromkeys(said, S.DECLINED)).presence
            is Presence.LIVE
        )

    def test_before_it_was_a_loan_is_what_its_rooms_say(self) -> None:
        """A meeting that left every room: the organizer's list tells a refusal, and makes no booking of it again."""
        gone = make_copy(ONE, gone=True)

        assert view(gone, organizer=organizer_copy(invite(ONE, A.DECLINED))).answers == {ONE: S.DECLINED}
        assert view(gone, organizer=organizer_copy(invite(ONE))).presence is Presence.GONE
        assert view(gone, organizer=organizer_copy()).presence is Presence.GONE
        assert view(make_copy(ONE, answer=A.DECLINED)).answers == {ONE: S.DECLINED}

    def test_is_not_believed_of_some_of_its_rooms(self) -> None:
        """One room may have been removed; the other holds the meeting still."""
        assert (
            view(make_copy(ONE, gone=True), make_copy(TWO), base=make_base(rooms=(ONE, TWO))).presence is Presence.LIVE
        )
        assert view(make_copy(ONE, gone=True), base=make_base(rooms=(ONE, TWO))).presence is Presence.LIVE

    def test_is_believed_of_the_organizers_copy(self) -> None:
        """Asked for and not there, or there and cancelled, with no room holding it: gone."""
        assert view(base=make_base(), read=True).presence is Presence.GONE
        assert view(base=make_base(), organizer=organizer_copy(is_cancelled=True)).presence is Presence.GONE

    def test_is_never_concluded_from_silence(self) -> None:
        """No copy and no organizer asked: a booking we hold lives on, one we do not hold is not there yet."""
        assert view(base=make_base()).presence is Presence.LIVE
        assert view().presence is Presence.NOT_YET

    def test_is_not_there_while_a_room_is_in_doubt(self) -> None:
        """Removed from a delta is no evidence by itself: in doubt is still live."""
        assert view(make_copy(ONE, doubt=True), base=make_base()).presence is Presence.LIVE

    def test_waits_for_the_rooms_when_the_organizer_has_cancelled(self) -> None:
        """A room whose copy lives still holds the time: the end is believed when the room shows it."""
        meeting = view(make_copy(ONE), base=make_base(), organizer=organizer_copy(invite(ONE), is_cancelled=True))

        assert meeting.presence is Presence.LIVE

    def test_leaves_a_meeting_whose_rooms_are_all_out_to_its_organizer(self) -> None:
        """The organizer's copy lives and lists a room that declined: alive, but without a room that holds."""
        declined = make_copy(ONE, answer=A.DECLINED)

        meeting = view(declined, base=make_base(), organizer=organizer_copy(invite(ONE, A.DECLINED)))

        assert meeting.presence is Presence.LIVE
        assert meeting.holding == frozenset()


class TestWhoOrganizes:
    def test_is_read_from_the_newest_copy(self) -> None:
        """An organizer who changed shows on the organizer's copy first."""
        meeting = view(make_copy(ONE), base=make_base(), organizer=organizer_copy(invite(ONE), organizer=person(BOB)))

        assert meeting.organizer == person(BOB)

    def test_is_read_from_a_room_otherwise(self) -> None:
        """Room copies carry the organizer too."""
        assert view(make_copy(ONE, organizer=person(BOB)), base=make_base()).organizer == person(BOB)

    @pytest.mark.parametrize("address", [room_address(ONE), "ROOM-2@example.org", "board@example.org"])
    def test_is_nobody_when_it_is_a_room(self, address: str) -> None:
        """A room asks for nothing, under whichever of its addresses."""
        book = RoomBook((make_room(ONE, aliases=("board@example.org",)), make_room(TWO)))

        assert view(make_copy(ONE, organizer=Mailbox(Address(address), "")), book=book).organizer is None

    def test_may_be_missing(self) -> None:
        """A copy without an organizer is viewed like any other."""
        assert view(make_copy(ONE, organizer=None)).organizer is None


class TestWhatElseIsSeen:
    def test_is_title_and_ids_from_the_organizers_copy_only(self) -> None:
        """Exchange rewrites the copies of rooms: their subject says nothing."""
        room = make_copy(ONE, subject="Anna ", transaction_id="theirs", web_link="room link")
        hers = organizer_copy(invite(ONE), subject="Board", transaction_id="ours", web_link="link")

        rooms_only, with_hers = view(room), view(room, organizer=hers)

        assert (rooms_only.subject, rooms_only.organizer_event_id, rooms_only.transaction_id) == (None, None, None)
        assert (with_hers.subject, with_hers.web_link, with_hers.transaction_id) == ("Board", "link", "ours")
        assert (with_hers.organizer_event_id, with_hers.organizer_etag) == ("hers", "W/1")

    @pytest.mark.parametrize("privacy", Privacy)
    def test_is_whether_it_is_private(self, privacy: Privacy) -> None:
        """Everything but normal is private."""
        assert view(organizer=organizer_copy(invite(ONE), privacy=privacy)).private == (privacy is not Privacy.NORMAL)

    def test_is_a_time_that_cannot_be_read(self) -> None:
        """A fault of the times is carried along, for the reason to name it."""
        fault = TimeFault("zone_unknown", "Mars/North")

        meeting = view(make_copy(ONE, interval=None, time_fault=fault))

        assert (meeting.interval, meeting.time_fault) == (None, fault)

    def test_is_a_meeting_without_length(self) -> None:
        """Start and end at one instant."""
        assert view(make_copy(ONE, interval=None, instant=MORNING.start)).zero_length


DAYS = [
    # zone, first day, day after the last, start and end in UTC
    ("UTC", (2026, 11, 23), 1, (2026, 11, 23, 0), (2026, 11, 24, 0)),
    ("Europe/Paris", (2026, 11, 23), 1, (2026, 11, 22, 23), (2026, 11, 23, 23)),
    ("Europe/Paris", (2026, 3, 29), 1, (2026, 3, 28, 23), (2026, 3, 29, 22)),
    ("Europe/Paris", (2026, 10, 25), 1, (2026, 10, 24, 22), (2026, 10, 25, 23)),
    ("Europe/Paris", (2026, 10, 24), 3, (2026, 10, 23, 22), (2026, 10, 26, 23)),
    ("America/New_York", (2026, 3, 8), 1, (2026, 3, 8, 5), (2026, 3, 9, 4)),
    ("America/New_York", (2026, 11, 1), 1, (2026, 11, 1, 4), (2026, 11, 2, 5)),
    ("Africa/Cairo", (2026, 4, 24), 1, (2026, 4, 23, 22), (2026, 4, 24, 21)),
    ("Pacific/Kiritimati", (2026, 11, 23), 1, (2026, 11, 22, 10), (2026, 11, 23, 10)),
]


class TestAnAllDayEvent:
    @pytest.mark.parametrize(("zone", "first", "days", "start", "end"), DAYS)
    def test_runs_from_midnight_to_midnight_where_the_room_is(
        self, zone: str, first: tuple[int, int, int], days: int, start: tuple[int, ...], end: tuple[int, ...]
    ) -> None:
        """All-day dates float: they are meant in the room's zone, and last 23 or 25 hours when clocks change."""
        day = date(*first)
        event = make_event(interval=None, all_day=(day, day + timedelta(days=days)))

        interval = resolve_interval(event, ZoneInfo(zone))

        assert interval == Interval(datetime(*start, tzinfo=UTC), datetime(*end, tzinfo=UTC))  # type: ignore[misc]
        assert interval is not None
        assert interval.start.tzinfo is UTC

    @pytest.mark.parametrize(
        ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 11, 23), 24)]
    )
    def test_is_as_long_as_its_day(self, day: date, hours: int) -> None:
        """The last Sunday of March is an hour short, that of October an hour long."""
        event = make_event(interval=None, all_day=(day, day + timedelta(days=1)))

        interval = resolve_interval(event, ZoneInfo("Europe/Paris"))

        assert interval is not None
        assert interval.length == timedelta(hours=hours)

    def test_of_other_kinds_keep_their_instants(self) -> None:
        """A meeting with times is an instant everywhere; one that has none has none."""
        assert resolve_interval(make_event(), ZoneInfo("Asia/Kathmandu")) == MORNING
        assert resolve_interval(make_event(interval=None), ZoneInfo("Europe/Paris")) is None


class TestTheSameCopies:
    @pytest.mark.parametrize("organizer", [None, organizer_copy(invite(ONE, A.ACCEPTED), invite(TWO, A.DECLINED))])
    def test_give_the_same_view_in_any_order(self, organizer: EventCopy | None) -> None:
        """What is seen never depends on which room's change came in first."""
        copies = [
            make_copy(ONE, attendees=(invite(ONE), invite(TWO))),
            make_copy(TWO, gone=True, attendees=(invite(ONE), invite(TWO))),
            make_copy(THREE, interval=NOON),
        ]
        views = [view(*order, base=make_base(rooms=ROOMS), organizer=organizer) for order in permutations(copies)]

        assert all(replace(one, ical_uid=None) == replace(views[0], ical_uid=None) for one in views)


class TestAYesThatNoRoomShows:
    """Its organizer's copy tells it, so that the room is to be asked."""

    @pytest.mark.parametrize("ended", ["cancelled", "declined"])
    @pytest.mark.parametrize("dropped", [True, False])
    def test_is_asked_for_in_a_room_whose_copy_has_ended(self, ended: str, dropped: bool) -> None:
        """
        What it shows is what was before: it has been asked anew since, and has not shown the new one or dropped it.

        The yes was believed for ever, although the room was set up anew and had nothing of the meeting.
        """
        copy = COPIES[ended]
        assert copy is not None
        organizer = organizer_copy(invite(ONE, A.ACCEPTED))
        known = Known((copy,), make_base(), True, organizer, organizer.interval)
        assert unshown_rooms(known, BOOK) == {ONE}

        asked = replace(known, missing=frozenset({ONE} if dropped else ()))
        assert unshown_rooms(asked, BOOK) == (set() if dropped else {ONE})
        assert view_meeting(asked, BOOK).answers == {ONE: S.RELEASED if dropped else S.ACCEPTED}

    @pytest.mark.parametrize("shown", ["accepted", "tentative", "gone"])
    def test_is_not_asked_for_where_the_room_tells_itself(self, shown: str) -> None:
        copy = COPIES[shown]
        assert copy is not None
        organizer = organizer_copy(invite(ONE, A.ACCEPTED))

        assert not unshown_rooms(Known((copy,), make_base(), True, organizer, organizer.interval), BOOK)


class TestTheOwnDateOfASeries:
    def test_is_read_when_no_room_shows_it_any_more(self) -> None:
        """The master goes on, and does not tell whether the date was lost or declined by every room."""
        assert needs_own_date(Known((make_copy(ONE, gone=True),), base=make_base()), BOOK)

    @pytest.mark.parametrize(("was_called_off", "read"), [(False, True), (True, False)])
    def test_is_read_when_a_room_had_it_that_the_others_do_not_name(self, was_called_off: bool, read: bool) -> None:
        """One date may invite a room of its own: copies that were there before need not hear of it."""
        left = make_copy(ONE, gone=True, is_cancelled=was_called_off)
        kept = make_copy(TWO, type=EventType.OCCURRENCE, attendees=(invite(TWO, A.ACCEPTED),))

        assert needs_own_date(Known((left, kept)), BOOK) == read

    def test_is_not_read_for_a_date_that_no_room_has_shown_yet(self) -> None:
        """A series of the app that was just made: what all dates share is read once."""
        assert not needs_own_date(Known((), base=make_base()), BOOK)

    def test_is_read_when_no_room_has_shown_it_for_long(self) -> None:
        """We may have deleted it ourselves, and a backup from before that been restored."""
        assert needs_own_date(Known((), base=make_base()), BOOK, is_late=True)
        assert not needs_own_date(Known(()), BOOK, is_late=True)

    @pytest.mark.parametrize(
        ("agreed", "written", "read"), [(NOON, True, True), (NOON, False, False), (MORNING, True, False)]
    )
    def test_is_read_when_a_room_shows_other_times_than_we_wrote(
        self, agreed: Interval, written: bool, read: bool
    ) -> None:
        """Its page may be older than our write: only the organizer's date tells whether somebody has moved it."""
        shown = make_copy(ONE, type=EventType.OCCURRENCE)
        known = Known((shown,), make_base(agreed), written_at=WRITTEN_AT if written else None)

        assert needs_own_date(known, BOOK) == read
