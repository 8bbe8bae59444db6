"""Moving on the board: what was looked at decides, not a version that a room's answer gave the loan since."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.web.visitors import MONDAY, House, open_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as found:
        found.book(hour=10)
        yield found


def answer_of_the_room(house: House) -> None:
    with house.office.database.write() as transaction:
        transaction.connection.exec_driver_sql("UPDATE loan SET version = version + 1")
        transaction.connection.exec_driver_sql("UPDATE loan_item SET state = 'accepted'")


def move(house: House, **wish: Any) -> int:
    """Move the loan, seen at version 1 from ten to eleven in Fern, to two in the afternoon."""
    seen = {"day": f"{MONDAY:%Y-%m-%d}", "room": house.room("Fern"), "version": 1, "seen_start": 600, "seen_end": 660}
    answer = house.signed_in("staff").post("/board/loans/1/move", json={**seen, "start": 840, "end": 900, **wish})
    return int(answer.status_code)


def test_a_room_that_answered_meanwhile_is_in_nobodys_way(house: House) -> None:
    answer_of_the_room(house)

    assert move(house) == 200


@pytest.mark.parametrize("seen", [{"seen_start": 615}, {"seen_end": 675}, {"seen_start": None, "seen_end": None}])
def test_another_time_than_was_seen_is_a_change(house: House, seen: dict[str, Any]) -> None:
    """Or nothing said of what was seen: then the version decides."""
    answer_of_the_room(house)

    assert move(house, **seen) == 409


def test_another_room_than_was_seen_is_a_change(house: House) -> None:
    answer_of_the_room(house)

    assert move(house, room=house.room("Moss"), to_room=house.room("Oak")) == 409
