"""What a newcomer has after `python -m engine run` and nothing else: a building, its people, and both sides moving."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.system.harness import House, check_start, eventually, find_event, find_loan, only

README = Path(__file__).parents[2] / "README.md"


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

    def test_the_readme_books_on_each_side(self, demo_house: House) -> None:
        """A newcomer's first two commands, as they are printed: no meeting of the building is in their way."""
        house, ((to_outlook, meeting), (to_desk, order)) = demo_house, printed_orders()

        house.outlook.call("POST", to_outlook, meeting)
        made = house.desk.call("POST", to_desk, order)

        find_loan(house, meeting["subject"])
        find_event(house, order["requester"]["address"], made["number"])


def printed_orders() -> Iterator[tuple[str, Any]]:
    """Read the paths and bodies that the README sends, on the day it would take today."""
    text = README.read_text(encoding="utf-8")
    (ahead,) = re.findall(r"date -d '\+(\d+) days'", text)
    day = datetime.now(UTC).date() + timedelta(days=int(ahead))
    for path, body in re.findall(r"http://127\.0\.0\.1:\d+(\S+) -d '(\{.*?\})'(?!\$)", text, re.DOTALL):
        yield path, json.loads(body.replace("'$DAY'", f"{day}"))
