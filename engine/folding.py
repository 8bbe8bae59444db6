"""How texts are compared with what somebody types to find them: without accents, in small letters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from unicodedata import normalize

_ACCENTS = re.compile("[\u0300-\u036f]")
"""What stands over, under or through a letter once it was taken apart."""
_SINGLE = {"ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "đ": "d", "Đ": "d", "ı": "i", "ς": "σ", "’": "'"}
"""What is not a letter with an accent to Unicode, but is typed as one; and the apostrophe that Outlook makes."""
_DOUBLE = {"œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae", "ß": "ss"}
_MARKS = r"[\u0300-\u036f]*"
_LETTERS = str.maketrans(_SINGLE | _DOUBLE)


def fold_text(text: str) -> str:
    """Return *text* in the one form in which texts are searched: `École` and `ECOLE` both become `ecole`."""
    if text.isascii():
        return text.lower()
    return _ACCENTS.sub("", normalize("NFKD", text)).lower().translate(_LETTERS)


def holds_words(text: str, words: str) -> bool:
    """Tell whether *text* holds each of *words*, in any order."""
    folded = fold_text(text)
    return all(word in folded for word in fold_text(words).split())


def unfolded(word: str) -> str:
    """
    Return a regular expression of PostgreSQL that fits what `fold_text` makes *word* of, in any locale.

    It costs a database a fraction of folding each of its texts.
    """
    folded, parts, place = fold_text(word), [], 0
    while place < len(folded):
        both = folded[place : place + 2]
        signs = "".join(_sign(each) for each, letters in _DOUBLE.items() if letters == both)
        if signs:
            parts.append(f"(?:{_any_of(both[0])}{_any_of(both[1])}|[{signs}]{_MARKS})")
            place += 2
        else:
            parts.append(_any_of(both[0]))
            place += 1
    return "".join(parts)


def _any_of(letter: str) -> str:
    return f"[{_forms().get(letter, _sign(letter))}]{_MARKS}"


@cache
def _forms() -> Mapping[str, str]:
    """Return, for each Latin, Greek and Cyrillic letter, all that becomes it, as a bracket expression holds them."""
    forms: dict[str, str] = {}
    for number in range(1, 0x2500):
        folded = fold_text(chr(number))
        if len(folded) == 1:
            forms[folded] = forms.get(folded, "") + _sign(chr(number))
    return forms


def _sign(letter: str) -> str:
    return f"\\U{ord(letter):08x}"
