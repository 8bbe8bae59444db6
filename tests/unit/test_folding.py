"""What is typed finds what was written, with accents or without."""

import re

import pytest

from engine.folding import fold_text, holds_words, unfolded


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Room 12", "room 12"),
        ("École d’été", "ecole d'ete"),
        ("E\u0301COLE", "ecole"),
        ("Œuvre, cœur", "oeuvre, coeur"),
        ("Łódź, Straße, Ærø", "lodz, strasse, aero"),
        ("Ёлка", "елка"),
    ],
)
def test_accents_go_and_letters_are_small(text: str, folded: str) -> None:
    assert fold_text(text) == fold_text(folded) == folded


def test_each_word_has_to_be_there_in_any_order() -> None:
    assert holds_words("Hervé Blanc, herve.blanc@example.org", "blanc herve")
    assert holds_words("Hervé Blanc", "")
    assert not holds_words("Hervé Blanc", "herve noir")


@pytest.mark.parametrize(
    ("word", "fits", "fits_not"),
    [
        ("ecole", ["École", "ECOLE", "e\u0301cole"], ["colle"]),
        ("Cœur", ["coeur", "CŒUR", "cœur", "cœ\u0301ur"], ["cour"]),
        ("l'[1].*", ["l’[1].*"], ["l'1"]),
        ("ёлка", ["Ёлка", "елка"], ["ел"]),
    ],
)
def test_a_pattern_fits_what_folding_finds(word: str, fits: list[str], fits_not: list[str]) -> None:
    pattern = re.compile(unfolded(word))

    assert all(pattern.search(f"A {text}.") and holds_words(text, word) for text in fits)
    assert not any(pattern.search(text) or holds_words(text, word) for text in fits_not)
