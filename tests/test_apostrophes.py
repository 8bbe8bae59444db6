"""
What people read has the typographic apostrophe, in French and in English: `’`, never `'`.

That is what pages, mails, calendars and histories say, and the API of a problem. What is typed, and what is written for
those who run the engine, keeps the keyboard's: the command line's help, logs, documents, the API's own descriptions.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from engine.web.translations import CATALOGUES
from tests.web.texts import find_texts

ENGINE = Path(__file__).parents[1] / "engine"
STRAIGHT = re.compile(r"(?<=[\w})])'(?=[\w{%])|(?<=[^\W\d_]s)'(?= \w)")
"""Between letters or values (`l'{item}`), and after the s of many; not a mark around what is quoted."""

SPOKEN = ("reconcile", "loans", "rooms", "calendars", "mail", "outbox")
"""Packages that have texts for people, and no others with an apostrophe."""


def texts_in(source: str) -> Iterator[str]:
    """Yield every text of Python's *source* but docstrings and notes to a constant."""
    tree = ast.parse(source)
    notes = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in notes:
            yield node.value


def straight_in(texts: Iterator[str]) -> list[str]:
    return [text for text in texts if STRAIGHT.search(text)]


def forms(text: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


@pytest.mark.parametrize("package", SPOKEN)
def test_what_the_house_says(package: str) -> None:
    paths = sorted((ENGINE / package).rglob("*.py"))

    assert straight_in(text for path in paths for text in texts_in(path.read_text(encoding="utf-8"))) == []


def test_what_pages_say_in_english() -> None:
    assert straight_in(form for _, text in find_texts() for form in forms(text)) == []


@pytest.mark.parametrize("path", sorted(CATALOGUES.glob("*/*.po")), ids=lambda path: path.stem)
def test_what_pages_say_in_french(path: Path) -> None:
    with path.open("rb") as source:
        catalogue = read_po(source, locale=path.parent.name)

    assert straight_in(form for message in catalogue for form in forms(message.string)) == []


@pytest.mark.parametrize("text", ["l'accord", "d'{item}", "{name}'s", "d'%(day)s", "rooms' answers"])
def test_a_straight_one_is_found(text: str) -> None:
    assert straight_in(iter([text])) == [text]


@pytest.mark.parametrize("text", ["l’accord", "must be 'tls'", "{item}’s"])
def test_others_are_left_alone(text: str) -> None:
    assert straight_in(iter([text])) == []
