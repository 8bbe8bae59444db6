"""Whole stories through the doors: a meeting from birth to end, a loan from birth to end."""

from __future__ import annotations

from datetime import timedelta

from tests.system.harness import (
    LIVE,
    House,
    check_start,
    eventually,
    find_event,
    find_loan,
    only,
    person,
    rooms_of,
    when,
)


class TestMeetingOfOutlook:
    def test_becomes_a_loan_and_is_followed_to_its_end(self, house: House) -> None:
        """A meeting becomes a loan, which follows its times, its rooms, its organizer's name and its end (H40-H48)."""
        who, (start, end) = house.people[1], house.hour()

        event = house.outlook.book(who, start, end, house.rooms[0], subject="Followed")

        loan = find_loan(house, "Followed")
        assert (loan["status"], loan["home"]) == ("new", "outlook")
        assert (when(loan, "start"), when(loan, "end")) == (start, end)
        assert loan["requester"]["address"] == who
        assert [item["address"] for item in loan["items"]] == [house.rooms[0]]
        number = loan["number"]

        house.outlook.move(who, event["id"], start + timedelta(hours=2), end + timedelta(hours=2))

        def has_moved() -> None:
            loan = house.desk.loan(number)
            assert when(loan, "start") == start + timedelta(hours=2)
            assert [item["state"] for item in loan["items"]] == ["accepted"]

        eventually(has_moved)
        house.outlook.set_rooms(who, event["id"], house.rooms[1])

        def has_other_room() -> None:
            states = {item["address"]: item["state"] for item in house.desk.loan(number)["items"]}
            assert states == {house.rooms[0]: "cancelled", house.rooms[1]: "accepted"}

        eventually(has_other_room)
        house.outlook.sim(f"people/{who}/rename", name="Somebody Else")
        house.outlook.move(who, event["id"], start + timedelta(hours=3), end + timedelta(hours=3))
        eventually(lambda: check_start(house, number, start + timedelta(hours=3)))
        house.outlook.cancel(who, event["id"])

        def is_cancelled() -> None:
            loan = house.desk.loan(number)
            assert loan["status"] == "cancelled"

        eventually(is_cancelled)
        assert len(house.desk.titled("Followed")) == 1

    def test_follows_an_organizer_who_is_renamed(self, house: House) -> None:
        """The same address under another name is the same requester, who is called by the new name (H46)."""
        who, (start, end) = house.people[2], house.hour()
        former = next(one["name"] for one in house.outlook.sim("people", "GET") if one["address"] == who)
        house.outlook.book(who, start, end, house.rooms[0], subject="Before the wedding")
        assert find_loan(house, "Before the wedding")["requester"]["name"] == former

        house.outlook.sim(f"people/{who}/rename", name="Sam Newname")
        house.outlook.book(who, start + timedelta(hours=2), end + timedelta(hours=2), house.rooms[0], subject="After")

        assert find_loan(house, "After")["requester"] == {"name": "Sam Newname", "address": who}

    def test_in_several_rooms_is_one_loan(self, house: House) -> None:
        """A meeting in three rooms is one loan with three items."""
        who, (start, end) = house.people[1], house.hour()

        house.outlook.book(who, start, end, *house.rooms, subject="All together")

        def look() -> None:
            loan = only(house.desk.titled("All together"))
            assert {item["address"]: item["state"] for item in loan["items"]} == dict.fromkeys(house.rooms, "accepted")

        eventually(look)

    def test_that_the_desk_moves_is_moved_in_outlook(self, house: House) -> None:
        """Staff may move a meeting: the organizer's own event follows, and the room accepts the new time (H30)."""
        who, (start, end) = house.people[1], house.hour()
        house.outlook.book(who, start, end, house.rooms[0], subject="Moved by the desk")
        number = find_loan(house, "Moved by the desk")["number"]

        later = start + timedelta(hours=4)
        house.desk.change(number, start=later.isoformat(), end=(later + timedelta(hours=1)).isoformat())

        def look() -> None:
            event = only([one for one in house.outlook.events(who) if one["subject"] == "Moved by the desk"])
            assert when(event, "start") == later
            assert set(rooms_of(event).values()) == {"accepted"}
            assert [item["state"] for item in house.desk.loan(number)["items"]] == ["accepted"]

        eventually(look)

    def test_in_a_taken_room_is_no_loan_and_a_case_says_why(self, house: House) -> None:
        """An item that is taken makes a new meeting invalid (H39): no loan, but a case that names the reason."""
        who, (start, end) = house.people[1], house.hour()
        first = house.desk.book(house.people[0], start, end, house.room(1), house.room(2))
        find_event(house, house.people[0], first["number"])

        house.outlook.sim(f"rooms/{house.rooms[0]}/processing", AllowConflicts=True)
        house.outlook.book(who, start, end, house.rooms[0], subject="Too late")

        def look() -> None:
            codes = {case["code"] for case in house.desk.cases() if case["facts"].get("loan") == first["number"]}
            assert codes == {"item_unavailable"}

        eventually(look)
        house.outlook.sim(f"rooms/{house.rooms[0]}/processing", AllowConflicts=False)
        assert house.desk.titled("Too late") == []


class TestLoanOfTheDesk:
    def test_becomes_an_event_and_is_followed_to_its_end(self, house: House) -> None:
        """A loan becomes an event in its requester's calendar, which is moved with it and goes with it (H49-H56)."""
        who, (start, end) = house.people[1], house.hour()

        number = house.desk.book(who, start, end, house.room(1))["number"]

        event = find_event(house, who, number)
        assert event["subject"] == f"#{number} {house.desk.loan(number)['requester']['name']}"
        assert (when(event, "start"), when(event, "end")) == (start, end)
        assert set(rooms_of(event)) == {house.rooms[0]}
        assert f"/loans/{number}" in event["body"]["content"]

        later = start + timedelta(hours=2)
        house.desk.change(
            number,
            start=later.isoformat(),
            end=(later + timedelta(hours=1)).isoformat(),
            items=[{"kind": "room", "id": house.room(2)}],
        )

        def has_moved() -> None:
            event = find_event(house, who, number)
            assert (when(event, "start"), set(rooms_of(event))) == (later, {house.rooms[1]})

        eventually(has_moved)
        house.desk.act(number, "cancel")

        def is_gone() -> None:
            assert house.outlook.of_loan(who, number) == []
            assert [one for one in house.outlook.events(house.rooms[1]) if when(one, "start") == later] == []

        eventually(is_gone)
        assert house.desk.loan(number)["status"] == "cancelled"

    def test_given_to_somebody_else_has_one_event_in_the_other_calendar(self, house: House) -> None:
        """A new requester is a new organizer: the old event goes, and exactly one new one comes (H55)."""
        first, second = house.people[0], house.people[1]
        start, end = house.hour()
        number = house.desk.book(first, start, end, house.room(3))["number"]
        find_event(house, first, number)

        house.desk.change(number, requester=person(second))

        event = find_event(house, second, number)
        assert event["subject"] == f"#{number} {house.desk.loan(number)['requester']['name']}"
        assert house.outlook.of_loan(first, number) == []
        house.service.wait_idle()
        copies = [one for one in house.outlook.events(house.rooms[2]) if when(one, "start") == start]
        assert len(copies) == 1
        assert house.desk.loan(number)["status"] in LIVE

    def test_refused_has_no_event_any_more(self, house: House) -> None:
        """A refused loan deletes its event (H56)."""
        who, (start, end) = house.people[0], house.hour()
        number = house.desk.book(who, start, end, house.room(1))["number"]
        find_event(house, who, number)

        house.desk.act(number, "refuse")

        def is_gone() -> None:
            assert house.outlook.of_loan(who, number) == []

        eventually(is_gone)
        assert house.desk.loan(number)["status"] == "refused"

    def test_learns_that_its_room_declined(self, house: House) -> None:
        """All its rooms declined: the loan is refused, its event goes, and the history tells why."""
        who, (start, end) = house.people[0], house.hour()
        house.outlook.sim(f"rooms/{house.rooms[2]}/processing", MaximumDurationInMinutes=30)
        number = house.desk.book(who, start, end, house.room(3))["number"]

        def is_refused() -> None:
            assert house.desk.loan(number)["status"] == "refused"
            assert house.outlook.of_loan(who, number) == []

        eventually(is_refused)
        house.outlook.sim(f"rooms/{house.rooms[2]}/processing", MaximumDurationInMinutes=1440)
        assert "all_rooms_declined" in house.desk.history(number)

    def test_moved_and_cancelled_in_outlook_follows(self, house: House) -> None:
        """The event of a loan is an event like any other: whoever moves or cancels it does so to the loan (H29)."""
        who, (start, end) = house.people[2], house.hour()
        number = house.desk.book(who, start, end, house.room(1))["number"]
        event = find_event(house, who, number)

        house.outlook.move(who, event["id"], start + timedelta(hours=1), end + timedelta(hours=1))
        eventually(lambda: check_start(house, number, start + timedelta(hours=1)))
        house.outlook.cancel(who, event["id"])

        def is_cancelled() -> None:
            assert house.desk.loan(number)["status"] == "cancelled"

        eventually(is_cancelled)
