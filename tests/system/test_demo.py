"""What a newcomer has after `python -m engine run` and nothing else: a building, its people, and both sides moving."""

from __future__ import annotations

from datetime import timedelta

from tests.system.harness import House, check_start, eventually, find_event, find_loan, only


class TestWithTheTenantItStartsItself:
    def test_the_week_of_the_building_is_there(self, demo_house: House) -> None:
        """Meetings that the simulated tenant has from the start become loans, unlike those of a real one."""

        def look() -> None:
            assert len(demo_house.desk.loans()) > 20

        eventually(look)
        assert set(demo_house.rooms) <= set(demo_house.desk.room_ids())

    def test_a_meeting_becomes_a_loan_and_is_followed(self, demo_house: House) -> None:
        house, who, (start, end) = demo_house, demo_house.people[1], demo_house.hour()
        event = house.outlook.book(who, start, end, house.rooms[0], subject="First try")
        number = find_loan(house, "First try")["number"]

        house.outlook.move(who, event["id"], start + timedelta(hours=2), end + timedelta(hours=2))
        eventually(lambda: check_start(house, number, start + timedelta(hours=2)))
        house.outlook.cancel(who, event["id"])

        def is_cancelled() -> None:
            assert only(house.desk.titled("First try"))["status"] == "cancelled"

        eventually(is_cancelled)

    def test_a_loan_becomes_an_event_and_goes_with_it(self, demo_house: House) -> None:
        house, who, (start, end) = demo_house, demo_house.people[2], demo_house.hour()
        number = house.desk.book(who, start, end, house.room(2))["number"]
        find_event(house, who, number)

        house.desk.act(number, "cancel")

        def is_gone() -> None:
            assert house.outlook.of_loan(who, number) == []

        eventually(is_gone)
