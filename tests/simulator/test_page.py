"""docs/simulator.md says what is so: every behaviour, fault and option is in it, with tests that exist and name it."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from pathlib import Path

import pytest

from engine.simulator.answering.processing import CalendarProcessing
from engine.simulator.weather.faults import EFFECTS

HERE = Path(__file__).parent
PAGE = (HERE.parents[1] / "docs" / "simulator.md").read_text()
SIMULATOR = HERE.parents[1] / "engine" / "simulator"
ROWS = {found[1]: found[0] for found in re.finditer(r"^\| (B\d+) \|.*$", PAGE, re.MULTILINE)}
TEST = re.compile(r"`(test_\w+)::(\w+)`")


def source_of(module: str, name: str) -> str:
    """Return the text of a test class or function; empty when there is none."""
    path = HERE / f"{module}.py"
    text = path.read_text() if path.exists() else ""
    found = [node for node in ast.parse(text).body if getattr(node, "name", "") == name]
    return (ast.get_source_segment(text, found[0]) or "") if found else ""


def test_all_rows_are_there() -> None:
    """B1 to B66, none left out."""
    assert list(ROWS) == [f"B{number}" for number in range(1, 67)]


@pytest.mark.parametrize("row", ROWS)
def test_a_row_has_tests_that_name_it(row: str) -> None:
    """Each test exists and says which row it is about; each module exists."""
    tests = TEST.findall(ROWS[row])
    modules = ROWS[row].split("|")[3].split(",")

    assert tests
    for module, name in tests:
        assert names(source_of(module, name), int(row[1:])), f"{module}::{name} does not speak of {row}"
    assert all((SIMULATOR / f"{module.strip()}.py").exists() for module in modules)


def names(source: str, row: int) -> bool:
    """Tell whether *source* speaks of *row*, alone or in a stretch such as B31ToB37."""
    stretches = re.findall(r"[Bb](\d+)(?:ToB(\d+))?(?!\d)", source)
    return any(int(first) <= row <= int(last or first) for first, last in stretches)


def test_all_tests_named_anywhere_exist() -> None:
    """No test was renamed behind the page's back."""
    assert [f"{module}::{name}" for module, name in TEST.findall(PAGE) if not source_of(module, name)] == []


def test_all_effects_are_told() -> None:
    """Every effect has a line with a test, and no line speaks of an effect that is none."""
    section = PAGE.partition("## Faults")[2].partition("What is no rule but a state")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    told = {name for line in lines for name in re.findall(r"`(\w+)`", line.split("|")[1])}

    assert told == EFFECTS
    for line in lines:
        sources = "".join(source_of(module, name) for module, name in TEST.findall(line))
        for effect in re.findall(r"`(\w+)`", line.split("|")[1]):
            assert f'"{effect}"' in sources, f"no test named in its line tries {effect}"


def test_all_options_are_told() -> None:
    """Every CalendarProcessing option, in PowerShell's spelling."""
    section = PAGE.partition("## Options of rooms")[2].partition("## Faults")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    told = {name.lower() for line in lines for name in re.findall(r"`(\w+)`", line.split("|")[1])}

    assert told == {field.name.replace("_", "") for field in fields(CalendarProcessing)}
