"""Moving on the board: what was looked at decides, not the version that an answer gave since; what is over rests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.database.tables import metadata
from engine.ids import LoanNumber
from tests.web.visitors import MATHIEU, MONDAY, NOW, ZONE, House, open_house


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


def test_what_is_over_stays_where_it_is(house: House) -> None:
    """The page may have been open since before the end."""
    before = NOW - timedelta(hours=2)
    with house.office.database.write() as transaction:
        transaction.connection.execute(metadata.tables["loan"].update().values(start_at=before, end_at=NOW))
    local = before.astimezone(ZONE)
    start = local.hour * 60
    seen = {"day": f"{local:%Y-%m-%d}", "seen_start": start, "seen_end": start + 120}

    assert move(house, **seen, start=start + 300, end=start + 420) == 409
    assert house.office.desk.find(LoanNumber(1)).interval.end == NOW


@pytest.mark.parametrize("who", ["dupuis", "Mathieu Dupuis <mathieu.dupuis@example.org>", "mathieu.dupuis@example.org"])
def test_a_booking_is_for_whom_a_name_or_an_address_means(house: House, who: str) -> None:
    """As in the booking form, though the list of people has not come yet, or shows nobody."""
    order = {"day": f"{MONDAY:%Y-%m-%d}", "room": house.room("Moss"), "start": 840, "end": 900, "who": who}

    made = house.signed_in("staff").post("/board/loans", json=order)

    assert made.status_code == 201
    assert house.office.desk.find(LoanNumber(made.json()["number"])).requester == MATHIEU
    ask_anew = {**order, "start": 960, "end": 1020}
    assert house.signed_in("requester").post("/board/loans", json=ask_anew).status_code == 422
    assert house.signed_in("staff").post("/board/loans", json={**ask_anew, "who": "an"}).status_code == 422
