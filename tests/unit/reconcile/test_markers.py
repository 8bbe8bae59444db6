"""Markers are read from events, where others could have written them."""

from __future__ import annotations

import pytest

from engine.reconcile.markers import make_marker, parse_marker


def test_says_whose_event_it_is() -> None:
    found = parse_marker("bd234ea5", make_marker("bd234ea5", 12, 3, "", "0123abcd"))

    assert found is not None
    assert (found.number, found.generation) == (12, 3)


@pytest.mark.parametrize("number", ["9" * 5000, "9" * 19, "٣", "-1", ""])
def test_names_no_loan_that_cannot_be(number: str) -> None:
    assert parse_marker("bd234ea5", f"accord-bd234ea5-{number}-g1-0123abcd") is None
