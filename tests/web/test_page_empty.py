"""The pages before the first room is known: each says what to wait for, and to administrators what to do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.web.visitors import House, open_house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("empty")) as found:
        with found.office.database.write() as transaction:
            transaction.connection.exec_driver_sql("UPDATE room SET state = 'excluded'")
        yield found


@pytest.mark.parametrize("path", ["/board?view=day", "/board?view=week", "/board?view=list", "/book", "/find"])
def test_says_that_there_are_no_rooms_yet(house: House, path: str) -> None:
    shown = house.signed_in("admin").get(path).text

    assert "No rooms yet" in shown
    assert "Ask for" not in shown  # nothing that one may ask for would help


@pytest.mark.parametrize(("role", "is_led"), [("admin", True), ("requester", False)])
def test_leads_administrators_to_the_first_steps(house: House, role: str, is_led: bool) -> None:
    assert ('class="button" href="/welcome"' in house.signed_in(role).get("/book").text) is is_led
