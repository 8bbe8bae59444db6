"""No table and no column that can name somebody is forgotten by reading out and erasing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from sqlalchemy import BigInteger, Boolean, Integer

from engine.database.people.personal_places import (
    BLANKED,
    DONE_BY,
    FADING,
    IMPERSONAL,
    MENTIONS,
    MESSAGES,
    OF_LOANS,
    OWN,
    PERSON,
    WITH_LOANS,
)
from engine.database.tables import metadata
from engine.database.tables.types import Instant

WHOLE = (*PERSON, *OWN, *OF_LOANS, *WITH_LOANS, *MESSAGES, *FADING)
"""Tables that are dealt with row by row, whatever their columns are."""

WORDLESS = (Integer, BigInteger, Boolean, Instant)
"""What numbers, instants and yes or no are kept as: they name nobody. A day does: somebody may be born on it."""


def speaking() -> Iterator[tuple[str, str]]:
    """Yield table and column of everything that can hold words or a day."""
    for table in metadata.tables.values():
        for column in table.columns:
            if not isinstance(column.type, WORDLESS):
                yield table.name, column.name


def impersonal() -> set[tuple[str, str]]:
    return {(table, column) for table, columns in IMPERSONAL.items() for column in columns.split()}


def test_every_column_that_can_hold_words_has_its_place() -> None:
    """
    A new column or table stops here. Does it name people, or what they wrote, or what is known of them?

    Then rows about one person go into OWN, rows of a loan into OF_LOANS (and into `anonymise_loans`), who did something
    into DONE_BY, values of others' rows into MENTIONS or BLANKED. If it says nothing of people: IMPERSONAL.
    """
    overwritten = {*DONE_BY, *((table, column) for table, _, column in MENTIONS)}
    overwritten |= {(table, column) for table, blank in BLANKED.items() for column in blank.values}

    homeless = {each for each in speaking() if each[0] not in WHOLE} - overwritten - impersonal()

    assert not homeless


def test_nothing_has_two_places_or_is_not_there() -> None:
    assert [name for name, count in Counter((*WHOLE, *IMPERSONAL)).items() if count > 1] == []
    assert impersonal() <= set(speaking())
    assert not impersonal() & {*DONE_BY, *((table, column) for table, _, column in MENTIONS)}
    assert set(WHOLE) <= set(metadata.tables)


@pytest.mark.parametrize(("table", "column"), DONE_BY)
def test_who_did_something_is_known_by_a_column_that_is_there(table: str, column: str) -> None:
    assert column in metadata.tables[table].c
