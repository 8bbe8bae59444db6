"""docs/conflicts.md is held to the code: every case it names is one, every way out is the table's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.reconcile.cases.ways import WAYS, Way
from engine.reconcile.words.reasons import REASONS

PAGE = (Path(__file__).parent.parent / "docs" / "conflicts.md").read_text("utf-8")
NAMED = re.compile(r"`([a-z]+(?:_[a-z]+)+)`")
NOT_REASONS = frozenset({"two_way", "read_only"} | {way.value for way in Way})


def rows(heading: str) -> list[list[str]]:
    """Return the rows of the first table under *heading*, its head apart."""
    _, _, rest = PAGE.partition(f"## {heading}\n")
    table = re.search(r"(?:^\|.*\n)+", rest, re.MULTILINE)
    assert table is not None
    return [[cell.strip() for cell in row.strip("|\n").split("|")] for row in table[0].splitlines()[2:]]


@pytest.mark.parametrize("code", sorted({*NAMED.findall(PAGE)} - NOT_REASONS))
def test_every_reason_and_case_it_names_has_a_sentence(code: str) -> None:
    assert code in REASONS


def test_the_ways_out_are_those_of_the_table() -> None:
    told = {}
    for cases, ways in rows("Cases and the ways out"):
        for case in NAMED.findall(cases):
            told[case] = tuple(Way(word) for word in re.findall(r"`([a-z_]+)`", ways))
    assert told == dict(WAYS)
