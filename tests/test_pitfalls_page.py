"""docs/pitfalls.md says what is so: every pitfall once, each with tests that exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "pitfalls.md").read_text()
ROWS = re.findall(r"^\| P(\d+) \|(.*)\|$", PAGE, re.MULTILINE)
TEST = re.compile(r"`([\w/]+\.py)((?:::\w+)+)`")


@cache
def names_in(module: str) -> frozenset[str]:
    """Return the tests of a module, as `::Class::test` or `::test`; none when there is no such module."""
    path = TESTS / module
    if not path.is_file():
        return frozenset()
    found: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef):
            found |= {f"::{node.name}::{item.name}" for item in node.body if _is_test(item)}
        elif _is_test(node):
            found.add(f"::{node.name}")
    return frozenset(found)


def _is_test(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")


def test_every_pitfall_is_told_once() -> None:
    """P1 to P70, none left out, none twice."""
    assert sorted(int(number) for number, _ in ROWS) == list(range(1, 71))


@pytest.mark.parametrize(("number", "row"), ROWS)
def test_a_pitfall_has_tests_that_exist(number: str, row: str) -> None:
    """Each row says what goes wrong, how it is avoided, and which tests would notice."""
    pitfall, remedy, tests = (cell.strip() for cell in row.split("|"))
    named = TEST.findall(tests)

    assert pitfall
    assert remedy
    assert named, f"P{number} names no test"
    assert [module + name for module, name in named if name not in names_in(module)] == []
    assert TEST.sub("", tests).strip(", ") == "", f"P{number} names something that is no test"
