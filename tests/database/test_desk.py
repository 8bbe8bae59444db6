"""The loan desk: booking, changing, stepping through a loan's life, and everything that is refused."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import product
from typing import Any

import pytest
from sqlalchemy import text

from engine.database.loans.desk import CODES, Desk, DeskOptions
from engine.database.reports.board import Board
from engine.database.reports.why import WhyDesk
from engine.database.stores.catalogue import load_items
from engine.errors import Invalid, NotAllowed, NotFound, Occupied, Outdated, RuleBroken, Stale, Unavailable
from engine.ids import Address, BookableId, LoanNumber, StoreId
from engine.interval import Interval
from engine.loans.board import BoardMeeting
from engine.loans.loan import CaseState, Home, Loan, Requester
from engine.loans.register import LoanChange, LoanFilter
from engine.loans.rules import BookingRules, OpeningHours
from engine.loans.status import BLOCKING_STATUSES, TRANSITIONS, LoanAction, LoanStatus
from engine.loans.wishes import find_order_faults
from tests.database.building import (
    ALEX,
    BY,
    MONDAY,
    SAM,
    Building,
    add_meeting,
    asset,
    forget_marks,
    hours,
    insert,
    marked,
    order,
    room,
    rows,
    update,
)


@pytest.fixture
def desk(building: Building) -> Desk:
    return building.desk


def book(desk: Desk, start: float = 1, end: float = 2, *items: Any, **fields: Any) -> Loan:
    return desk.book(order(hours(start, end), *(items or (room(1),)), **fields), actor=BY)


def states(loan: Loan) -> dict[int, str]:
    return {item.id: item.state.value for item in loan.items}


def faults(error: pytest.ExceptionInfo[Invalid]) -> set[tuple[str, str]]:
    return {(fault.field, fault.code) for fault in error.value.faults}


def held(building: Building) -> list[int]:
    return sorted(row.bookable_id for row in rows(building.database, "loan_item") if row.holds)


def test_items_come_in_one_order_wherever_their_rows_are(building: Building) -> None:
    """PostgreSQL puts a row that was changed behind the others, and people read the names in the history."""
    with building.database.write() as transaction:
        transaction.connection.execute(text("UPDATE room SET floor = '2' WHERE id = 1"))
        found = load_items(transaction.connection, [12, 3, 11, 1, 2])
    assert list(found) == [1, 2, 3, 11, 12]


class TestBooking:
    def test_makes_a_loan(self, desk: Desk) -> None:
        """It is new, of the app, of the store of its first item; rooms have yet to answer, assets are given."""
        loan = book(desk, 1, 2, room(1), asset(11), title="Review", notes="Bring cables")

        assert (loan.number, loan.status, loan.home, loan.version) == (1, LoanStatus.NEW, Home.APP, 1)
        assert (loan.requester, loan.interval, loan.store) == (ALEX, hours(1, 2), "Main desk")
        assert states(loan) == {1: "requested", 11: "accepted"}
        assert (loan.title, loan.notes) == ("Review", "Bring cables")
        assert desk.find(loan.number) == loan

    def test_writes_history_and_marks_the_loan(self, building: Building, desk: Desk) -> None:
        """In the same transaction: an edit that was answered is never forgotten."""
        loan = book(desk)

        (decision,) = desk.history(loan.number)
        assert (decision.code, decision.actor, decision.at) == ("booked_in_app", BY, MONDAY)
        assert marked(building.database) == {"loan:1"}

    def test_waits_for_approval_where_asked_for(self, building: Building, desk: Desk) -> None:
        """By the settings, or by the store of any item; meanwhile it blocks."""
        building.options = DeskOptions(approval=True)
        first = book(desk)
        building.options = DeskOptions()
        update(building.database, "store", approval=True)
        second = book(desk, 3, 4)

        assert first.status is second.status is LoanStatus.PENDING_APPROVAL
        with pytest.raises(Unavailable):
            book(desk)

    def test_knows_people_by_any_of_their_addresses(self, building: Building, desk: Desk) -> None:
        """One person, however the address is written."""
        book(desk)
        insert(building.database, "person_alias", address_folded="alexandra@example.org", person_id=1)
        book(desk, 3, 4, requester=Requester(Address(" ALEX@Example.ORG".strip()), "Alex Doe"))
        loan = book(desk, 5, 6, requester=Requester(Address("Alexandra@example.org"), "Alexandra Doe"))

        assert len(rows(building.database, "person")) == 1
        assert loan.requester == Requester(Address("alex@example.org"), "Alex Doe")
        assert desk.find(LoanNumber(1)).requester.name == "Alex Doe"

    def test_may_touch_another_loan(self, desk: Desk) -> None:
        """Back to back is no overlap."""
        book(desk, 1, 2)

        assert book(desk, 2, 3).number == 2


class TestTheNameOfWhoeverIsBookedFor:
    """Whoever books for somebody says who it is by the address; a slip in the name renamed them everywhere."""

    def test_is_the_one_that_is_known(self, building: Building, desk: Desk) -> None:
        book(desk, requester=ALEX)

        loan = book(desk, 3, 4, requester=replace(ALEX, name="Somebody Else"))

        assert loan.requester.name == ALEX.name
        assert [row.name for row in rows(building.database, "person") if row.address == ALEX.address] == [ALEX.name]

    def test_is_taken_where_there_was_none(self, desk: Desk) -> None:
        book(desk, requester=Requester(ALEX.address, ALEX.address))

        assert book(desk, 3, 4, requester=ALEX).requester.name == ALEX.name

    def test_is_kept_when_a_loan_is_given_to_them(self, desk: Desk) -> None:
        book(desk, requester=SAM)
        mine = book(desk, 3, 4, requester=ALEX)

        given = desk.change(mine.number, LoanChange(requester=replace(SAM, name="Somebody Else")), actor=BY)

        assert given.requester == SAM
        (told,) = [each for each in desk.history(mine.number) if each.code == "changed_in_app"]
        assert "Sam Roe <sam@example.org>" in told.facts["changes"]
        assert "Somebody Else" not in told.facts["changes"]

    def test_is_another_one_when_a_loan_says_so(self, desk: Desk) -> None:
        """Changing the name in a loan, and not the address, puts the name right."""
        loan = book(desk, requester=ALEX)

        put_right = desk.change(loan.number, LoanChange(requester=replace(ALEX, name="Alexandra")), actor=BY)

        assert put_right.requester.name == "Alexandra"


class TestAWishWithFaults:
    @pytest.mark.parametrize(
        ("interval", "expected"),
        [
            (hours(0.9, 2), ("start", "off_grid")),
            (hours(1, 2.1), ("end", "off_grid")),
            (hours(-2, -1), ("end", "in_the_past")),
            (hours(-1, 0), ("end", "in_the_past")),
            (Interval(MONDAY, datetime(9999, 12, 31, 23, 59, tzinfo=UTC)), ("end", "out_of_range")),
            (Interval(datetime(1, 1, 1, tzinfo=UTC), MONDAY + timedelta(hours=1)), ("start", "out_of_range")),
        ],
    )
    def test_in_its_time_is_refused(self, interval: Interval, expected: tuple[str, str]) -> None:
        """The app offers grid times only, and nothing that has ended; a running hour may still be booked."""
        found = find_order_faults(order(interval, room(1)), now=MONDAY)

        assert expected in {(fault.field, fault.code) for fault in found}

    @pytest.mark.parametrize(
        ("address", "name", "expected"),
        [
            ("", "Alex", ("requester.address", "implausible")),
            ("alex", "Alex", ("requester.address", "implausible")),
            ("alex@", "Alex", ("requester.address", "implausible")),
            ("a@b@c", "Alex", ("requester.address", "implausible")),
            ("a lex@example.org", "Alex", ("requester.address", "implausible")),
            ("alex\n@example.org", "Alex", ("requester.address", "implausible")),
            ("a" * 310 + "@example.org", "Alex", ("requester.address", "too_long")),
            ("alex@example.org", "  ", ("requester.name", "missing")),
            ("alex@example.org", "A" * 256, ("requester.name", "too_long")),
            ("alex@example.org", "A\0", ("requester.name", "unstorable")),
            ("alex@example.org", "A\ud800", ("requester.name", "unstorable")),
        ],
    )
    def test_in_its_requester_is_refused(self, address: str, name: str, expected: tuple[str, str]) -> None:
        """One `@`, no blanks, lengths that mail systems know, nothing a database cannot keep."""
        wish = order(hours(1, 2), room(1), requester=Requester(Address(address), name))

        assert expected in {(fault.field, fault.code) for fault in find_order_faults(wish, now=MONDAY)}

    def test_tells_all_of_them_at_once(self, desk: Desk) -> None:
        """A person corrects everything in one go."""
        with pytest.raises(Invalid) as refused:
            desk.book(order(hours(1.1, 2), title="x" * 256, notes="y" * 10_001), actor=BY)

        assert faults(refused) == {
            ("start", "off_grid"),
            ("items", "missing"),
            ("title", "too_long"),
            ("notes", "too_long"),
        }

    def test_a_room_borrows_nothing(self, building: Building, desk: Desk) -> None:
        """Its event would stand in the room's own calendar, where it is nobody's to change."""
        address = next(row.address for row in rows(building.database, "room"))
        tilia = Requester(Address(address.upper()), "A room")
        with pytest.raises(Invalid) as refused:
            desk.book(order(hours(1, 2), room(1), requester=tilia), actor=BY)
        assert faults(refused) == {("requester.address", "is_room")}

        loan = book(desk, 1, 2, room(1))
        with pytest.raises(Invalid) as refused:
            desk.change(loan.number, LoanChange(requester=tilia), actor=BY)
        assert faults(refused) == {("requester.address", "is_room")}

    def test_in_its_items_is_refused(self, building: Building, desk: Desk) -> None:
        """Unknown, of the other kind, named twice, excluded or retired: each is named by its place in the list."""
        with pytest.raises(Invalid) as refused:
            book(desk, 1, 2, room(1), room(99), asset(2), room(2**40), room(-1))
        assert faults(refused) == {(f"items.{place}", "unknown") for place in (1, 2, 3, 4)}

        with pytest.raises(Invalid) as refused:
            book(desk, 1, 2, room(1), room(2), room(1))
        assert faults(refused) == {("items.2", "doubled")}

        update(building.database, "room", state="excluded")
        update(building.database, "asset", retired=True)
        with pytest.raises(Invalid) as refused:
            book(desk, 1, 2, room(1), asset(11))
        assert faults(refused) == {("items.0", "not_bookable"), ("items.1", "not_bookable")}

    def test_of_more_than_500_items_is_refused(self, desk: Desk) -> None:
        """No meeting has more attendees."""
        with pytest.raises(Invalid, match="at most 500"):
            book(desk, 1, 2, *(room(number) for number in range(1, 502)))

    def test_leaves_nothing_behind(self, building: Building, desk: Desk) -> None:
        """A refusal changes nothing at all."""
        with pytest.raises(Invalid):
            book(desk, 1, 2, room(1), room(99))

        assert [rows(building.database, table) for table in ("loan", "person", "work", "decision")] == [[]] * 4

    def test_for_ever_is_refused(self, desk: Desk) -> None:
        """A year that was mistyped held a room for ten; Exchange takes no event of more than five either."""
        with pytest.raises(Invalid, match=r"1826 days .* at most, not 3651") as error:
            book(desk, 1, 1 + 24 * 3651)

        assert faults(error) == {("end", "lasts_too_long")}
        assert book(desk, 1, 1 + 24 * 1826).interval.length == timedelta(days=1826)


class TestAnItemThatIsTaken:
    def test_by_a_loan_is_refused_with_its_number(self, desk: Desk) -> None:
        """The answer names each item in the way, when, and by which loan."""
        book(desk, 1, 3, room(1), asset(11))

        with pytest.raises(Unavailable) as refused:
            book(desk, 2, 4, room(1), room(2), asset(11))

        found = {(clash.item_name, clash.loan_number, clash.start) for clash in refused.value.clashes}
        assert found == {("Room 1", 1, MONDAY + timedelta(hours=1)), ("Asset 11", 1, MONDAY + timedelta(hours=1))}

    def test_by_a_meeting_is_refused_without_a_number(self, building: Building, desk: Desk) -> None:
        """What only Outlook knows blocks too, from the quarter of an hour it begins in to the one it ends in."""
        add_meeting(building.database, 1, hours(1.1, 1.9), uid="theirs")

        with pytest.raises(Unavailable, match="by a meeting in Outlook") as refused:
            book(desk, 0.5, 1.25)
        assert refused.value.clashes[0].loan_number is None
        assert book(desk, 0, 1).number
        assert book(desk, 2, 3).number

    def test_by_a_meeting_that_is_over_or_ours_is_free(self, building: Building, desk: Desk) -> None:
        """A cancelled meeting blocks nothing, and one linked to a loan is that loan."""
        add_meeting(building.database, 1, hours(1, 2), uid="cancelled", live=False)
        first = book(desk, 1, 2, room(2))
        add_meeting(building.database, 2, hours(1, 2), uid="ours")
        insert(
            building.database, "link", loan_number=first.number, generation=1, state="linked", ical_uid="ours", base={}
        )

        assert book(desk, 1, 2).number
        moved = desk.change(first.number, LoanChange(end=MONDAY + timedelta(hours=3)), actor=BY)
        assert moved.interval == hours(1, 3)

    def test_by_a_meeting_of_a_loan_that_has_not_heard_of_the_room_is_refused(
        self, building: Building, desk: Desk
    ) -> None:
        """Its organizer has just given it a second room: that one shows it, and its loan will. Its own loan may."""
        theirs = book(desk, 1, 2, room(2))
        for number in (1, 2):
            add_meeting(building.database, number, hours(1, 2), uid="theirs")
        known = {"loan_number": theirs.number, "generation": 1, "state": "linked", "ical_uid": "theirs", "base": {}}
        insert(building.database, "link", **known)

        with pytest.raises(Unavailable, match="by a meeting in Outlook"):
            book(desk, 1, 2)
        board, why = Board(building.database), WhyDesk(building.database)
        assert board.meetings(hours(0, 24)) == [BoardMeeting(BookableId(1), hours(1, 2))]
        assert why.ask(BookableId(1), hours(1, 2).start).notes[0].code == "why_meeting_waits"
        assert desk.change(theirs.number, LoanChange(items=(room(1), room(2))), actor=BY).number
        desk.change(theirs.number, LoanChange(items=(room(2),)), actor=BY)
        assert board.meetings(hours(0, 24)) == []
        assert book(desk, 1, 2).number, "the desk took the room out, and Outlook has not heard of it yet"

    def test_at_the_last_moment_is_still_refused(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        """Should the look fail to see it, the guard does not."""
        book(desk)
        monkeypatch.setattr("engine.database.loans.desk.find_clashes", lambda *_, **__: [])

        with pytest.raises(Unavailable) as refused:
            book(desk)
        assert isinstance(refused.value.__cause__, Occupied)

    def test_is_looked_at_again_after_a_race(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        """Somebody who wrote the same person a moment earlier is no reason to refuse."""
        from engine.database.loans import edits

        real, calls = edits.keep_person, []

        def lose_once(*arguments: Any, **named: Any) -> int:
            calls.append(arguments)
            if len(calls) == 1:
                raise Stale("somebody wrote the same row first")
            return real(*arguments, **named)

        monkeypatch.setattr(edits, "keep_person", lose_once)

        assert book(desk).number
        assert len(calls) == 2


class TestARule:
    def test_of_the_store_or_the_item_is_kept(self, desk: Desk) -> None:
        """The refusal names the item, the rule and its value; an item's own rule goes before its store's."""
        desk.set_rules(BookingRules(duration_minutes_max=60), store_id=StoreId(1), item_id=None, actor=BY)
        with pytest.raises(RuleBroken) as refused:
            book(desk, 1, 2.5)
        assert (refused.value.code, refused.value.facts["minutes_max"]) == ("longer_than_maximum", 60)
        assert "Room 1" in str(refused.value)

        desk.set_rules(BookingRules(duration_minutes_max=120), store_id=None, item_id=BookableId(1), actor=BY)
        assert book(desk, 1, 2.5).number

    def test_about_hours_is_read_in_the_rooms_zone(self, building: Building, desk: Desk) -> None:
        """8:00 in UTC is 9:00 in Paris: opening hours are those on the clock in the room."""
        opening = OpeningHours({1: (time(9), time(12))})
        desk.set_rules(BookingRules(opening_hours=opening), store_id=StoreId(1), item_id=None, actor=BY)

        with pytest.raises(RuleBroken):
            book(desk, 0, 1)
        update(building.database, "room", time_zone="Europe/Paris")
        assert book(desk, 0, 1).number

    def test_is_set_for_one_thing_that_exists(self, desk: Desk) -> None:
        """Either a store or an item, and one we know."""
        for ids in ((None, None), (StoreId(1), BookableId(1))):
            with pytest.raises(Invalid):
                desk.set_rules(BookingRules(), store_id=ids[0], item_id=ids[1], actor=BY)
        with pytest.raises(NotFound):
            desk.set_rules(BookingRules(), store_id=StoreId(9), item_id=None, actor=BY)
        with pytest.raises(NotFound):
            desk.set_rules(BookingRules(), store_id=None, item_id=BookableId(2**40), actor=BY)


class TestChanging:
    def test_the_time_asks_the_rooms_again(self, building: Building, desk: Desk) -> None:
        """Rooms that had accepted are asked anew and stay held; one that declined stays declined; assets stay given."""
        book(desk, 1, 2, room(1), room(2), asset(11))
        update(building.database, "loan_item", state="accepted")
        with building.database.write() as transaction:
            transaction.connection.exec_driver_sql(
                "UPDATE loan_item SET state = 'declined', holds = false WHERE bookable_id = 2"
            )

        loan = desk.change(LoanNumber(1), LoanChange(end=MONDAY + timedelta(hours=3)), actor=BY)

        assert states(loan) == {1: "requested", 2: "declined", 11: "accepted"}
        assert (loan.interval, loan.version, held(building)) == (hours(1, 3), 2, [1, 11])

    def test_to_another_person_asks_the_rooms_again(self, building: Building, desk: Desk) -> None:
        """A new requester is a new organizer, so a new meeting."""
        book(desk)
        update(building.database, "loan_item", state="accepted")

        loan = desk.change(LoanNumber(1), LoanChange(requester=SAM), actor=BY)

        assert (loan.requester, states(loan), held(building)) == (SAM, {1: "requested"}, [1])

    def test_items_keeps_the_answers_of_those_that_stay(self, building: Building, desk: Desk) -> None:
        """New rooms are asked, removed ones leave and are free at once, and may come back."""
        book(desk, 1, 2, room(1), room(2))
        update(building.database, "loan_item", state="accepted")

        loan = desk.change(LoanNumber(1), LoanChange(items=(room(2), room(3))), actor=BY)
        assert states(loan) == {1: "cancelled", 2: "accepted", 3: "requested"}
        assert held(building) == [2, 3]

        loan = desk.change(LoanNumber(1), LoanChange(items=(room(1), room(2))), actor=BY)
        assert states(loan) == {1: "requested", 2: "accepted", 3: "cancelled"}

    def test_may_overlap_its_own_old_time(self, desk: Desk) -> None:
        """A loan is not in its own way."""
        book(desk, 1, 3)

        loan = desk.change(
            LoanNumber(1),
            LoanChange(start=MONDAY + timedelta(hours=2), end=MONDAY + timedelta(hours=4)),
            actor=BY,
        )

        assert loan.interval == hours(2, 4)

    def test_to_private_and_back_is_told_without_saying_what_it_is_about(self, desk: Desk) -> None:
        book(desk, title="Secret")

        assert desk.change(LoanNumber(1), LoanChange(private=True), actor=BY).private
        assert not desk.change(LoanNumber(1), LoanChange(private=False), actor=BY).private

        assert [line.facts["fields"] for line in desk.history(LoanNumber(1))[1:]] == [
            {"private": {"old": "no", "new": "yes"}},
            {"private": {"old": "yes", "new": "no"}},
        ]

    def test_is_told_in_the_history(self, building: Building, desk: Desk) -> None:
        """Each field with its old and new value."""
        book(desk)
        forget_marks(building.database)

        desk.change(LoanNumber(1), LoanChange(title="Review", items=(room(2),)), actor="app:sam")

        decision = desk.history(LoanNumber(1))[-1]
        assert (decision.code, decision.actor) == ("changed_in_app", "app:sam")
        assert decision.facts["fields"] == {
            "title": {"old": "", "new": "Review"},
            "items": {"old": "Room 1", "new": "Room 2"},
        }
        assert marked(building.database) == {"loan:1"}

    def test_nothing_is_no_change(self, building: Building, desk: Desk) -> None:
        """Saving a form as it was writes nothing: no version, no history, no mark."""
        loan = book(desk, 1, 2, room(1), title="x")
        forget_marks(building.database)

        same = LoanChange(1, hours(1, 2).start, hours(1, 2).end, ALEX, (room(1),), "x", "")

        assert desk.change(loan.number, same, actor=BY) == loan
        assert (len(desk.history(loan.number)), marked(building.database)) == (1, set())

    def test_of_an_older_version_is_refused(self, desk: Desk) -> None:
        """Two people edit one loan: the second is told, with the version to look at."""
        book(desk)
        desk.change(LoanNumber(1), LoanChange(seen_version=1, title="mine"), actor=BY)

        with pytest.raises(Outdated) as refused:
            desk.change(LoanNumber(1), LoanChange(seen_version=1, title="yours"), actor=BY)

        assert refused.value.version == 2
        assert desk.find(LoanNumber(1)).title == "mine"

    def test_of_a_loan_that_has_ended_is_refused(self, desk: Desk) -> None:
        """What no longer blocks is history."""
        book(desk)
        desk.act(LoanNumber(1), LoanAction.CANCEL, actor=BY)

        with pytest.raises(NotAllowed, match="cancelled"):
            desk.change(LoanNumber(1), LoanChange(title="x"), actor=BY)

    def test_into_somebody_elses_time_is_refused(self, building: Building, desk: Desk) -> None:
        """The loan stays as it was."""
        book(desk, 1, 2)
        book(desk, 3, 4)

        with pytest.raises(Unavailable, match="loan 1"):
            desk.change(LoanNumber(2), LoanChange(start=MONDAY + timedelta(hours=1)), actor=BY)

        assert desk.find(LoanNumber(2)).interval == hours(3, 4)

    def test_judges_only_what_is_changed(self, building: Building, desk: Desk) -> None:
        """A meeting of 9:07 from Outlook may get a new title, or a new end on the grid, without a new start."""
        book(desk)
        with building.database.write() as transaction:
            transaction.connection.exec_driver_sql("UPDATE loan SET home = 'outlook'")
        update(building.database, "loan", start_at=MONDAY + timedelta(minutes=67))

        loan = desk.change(LoanNumber(1), LoanChange(title="x", end=MONDAY + timedelta(hours=3)), actor=BY)

        assert loan.interval.start == MONDAY + timedelta(minutes=67)

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            (LoanChange(start=MONDAY + timedelta(hours=5)), ("end", "before_start")),
            (LoanChange(end=MONDAY + timedelta(minutes=61)), ("end", "off_grid")),
            (LoanChange(items=()), ("items", "missing")),
            (LoanChange(items=(room(77),)), ("items.0", "unknown")),
            (LoanChange(title="x" * 256), ("title", "too_long")),
            (LoanChange(requester=replace(ALEX, name="")), ("requester.name", "missing")),
        ],
    )
    def test_with_faults_is_refused(self, desk: Desk, change: LoanChange, expected: tuple[str, str]) -> None:
        """As a booking would be."""
        book(desk)

        with pytest.raises(Invalid) as refused:
            desk.change(LoanNumber(1), change, actor=BY)

        assert expected in faults(refused)


class TestALoansLife:
    def test_follows_the_table(self, building: Building, desk: Desk) -> None:
        """Each step that the table allows is taken and told; each other one is refused with what would be possible."""
        for status, action in product(LoanStatus, LoanAction):
            number = book(desk).number
            update(building.database, "loan", status=status.value)
            update(building.database, "loan_item", holds=False)
            with building.database.write() as transaction:
                held_now = {"holds": status in BLOCKING_STATUSES, "number": number}
                transaction.connection.execute(
                    text("UPDATE loan_item SET holds = :holds WHERE loan_number = :number"), held_now
                )
            self._step(building, number, status, action)
            update(building.database, "loan_item", holds=False)

    def _step(self, building: Building, number: LoanNumber, status: LoanStatus, action: LoanAction) -> None:
        desk, target = building.desk, TRANSITIONS.get((status, action))
        if target is None:
            left = [step for before, step in TRANSITIONS if before is status]
            with pytest.raises(NotAllowed, match="only" if left else "can no longer be changed"):
                desk.act(number, action, actor=BY)
            assert desk.find(number).version == 1
            return

        loan = desk.act(number, action, actor=BY, reason="because")

        decision = desk.history(number)[-1]
        assert (loan.status, loan.version) == (target, 2)
        assert (decision.code, decision.facts) == (CODES[action], {"reason": "because"})
        assert held(building) == ([1] if target in BLOCKING_STATUSES else [])

    def test_wakes_what_waited_for_its_items(self, building: Building, desk: Desk) -> None:
        """Meetings that could not be imported because of an item are looked at again when it is free."""
        for number, (item, state) in enumerate([(1, "open"), (2, "open"), (1, "closed")]):
            insert(
                building.database,
                "case",
                subject=f"meeting:uid:{number}",
                code="item_unavailable",
                facts={"item_id": item},
                state=state,
                standing=True,
                opened_at=MONDAY,
            )
        book(desk)
        forget_marks(building.database)

        desk.act(LoanNumber(1), LoanAction.CANCEL, actor=BY)

        assert marked(building.database) == {"loan:1", "meeting:uid:0"}

    @pytest.mark.parametrize("number", [0, -1, 7, 2**31, 2**70])
    def test_of_no_loan_is_not_found(self, desk: Desk, number: int) -> None:
        """Whatever number is asked for."""
        unknown = LoanNumber(number)
        for ask in (
            lambda: desk.find(unknown),
            lambda: desk.history(unknown),
            lambda: desk.act(unknown, LoanAction.CANCEL, actor=BY),
            lambda: desk.change(unknown, LoanChange(title="x"), actor=BY),
        ):
            with pytest.raises(NotFound):
                ask()


class TestLists:
    def test_of_loans_are_filtered_and_paged(self, desk: Desk) -> None:
        """By overlap, item, status and number, ascending."""
        book(desk, 1, 2)
        book(desk, 2, 3, room(2))
        book(desk, 3, 4, room(1), room(2))
        desk.act(LoanNumber(2), LoanAction.CANCEL, actor=BY)

        def numbers(**wanted: Any) -> list[int]:
            return [loan.number for loan in desk.list_loans(LoanFilter(**wanted))]

        assert numbers() == [1, 2, 3]
        assert numbers(starts_before=MONDAY + timedelta(hours=3), ends_after=MONDAY + timedelta(hours=2)) == [2]
        assert numbers(item_id=2) == [2, 3]
        assert numbers(statuses=(LoanStatus.CANCELLED,)) == [2]
        assert numbers(after=1, limit=1) == [2]
        assert numbers(after=2**70) == numbers(item_id=2**70) == numbers(limit=0) == []

    def test_of_availability_show_who_holds_what(self, building: Building, desk: Desk) -> None:
        """Rooms first, then assets; what is taken by its loan, or as a meeting; too small ones left out."""
        book(desk, 1, 2, room(2), asset(11))
        add_meeting(building.database, 3, hours(1.1, 1.2), uid="theirs")

        found = desk.availability(hours(1, 4), people=8)

        assert [(entry.name, entry.free) for entry in found] == [
            ("Room 2", False),
            ("Room 3", False),
            ("Asset 11", False),
            ("Asset 12", True),
        ]
        assert [(busy.loan_number, busy.interval) for busy in found[0].busy] == [(1, hours(1, 2))]
        assert [(busy.loan_number, busy.interval) for busy in found[1].busy] == [(None, hours(1, 1.25))]

    def test_of_assets_and_stores_grow(self, desk: Desk) -> None:
        """A new asset goes to the store named, made when missing, else to the default store; names are unique."""
        printer = desk.add_asset(" Printer ", store="Annex", description="colour", actor=BY)
        camera = desk.add_asset("Camera", store=None, description="", actor=BY)

        assert (printer.name, printer.store, camera.store) == ("Printer", "Annex", "Main desk")
        assert [store.name for store in desk.list_stores()] == ["Main desk", "Annex"]
        assert printer in desk.list_assets()
        for name in ("printer", " ", "x" * 256):
            with pytest.raises(Invalid):
                desk.add_asset(name, store=None, description="", actor=BY)


class TestACase:
    def test_is_settled_once(self, building: Building, desk: Desk) -> None:
        """Closing by hand is recorded, has its subject looked at again, and cannot be done twice."""
        insert(
            building.database,
            "case",
            subject="loan:12",
            code="conflict",
            facts={"field": "time"},
            state="open",
            standing=False,
            opened_at=MONDAY,
            room_id=1,
        )

        case = desk.settle_case(1, settlement="keep_loan", actor=BY)

        assert (case.state, case.closed_by, case.settlement, case.room) == (CaseState.CLOSED, BY, "keep_loan", "Room 1")
        assert marked(building.database) == {"loan:12"}
        assert desk.list_cases(state=CaseState.OPEN, after=None, limit=10) == []
        assert desk.list_cases(state=None, after=0, limit=10) == [case]
        with pytest.raises(NotAllowed, match="already"):
            desk.settle_case(1, settlement="keep_loan", actor=BY)
        with pytest.raises(NotFound):
            desk.settle_case(2**70, settlement="keep_loan", actor=BY)
