"""How texts are compared with what somebody types to find them: without accents, in small letters."""

from __future__ import annotations

import re
from unicodedata import normalize

ACCENTS = "[\u0300-\u036f]"
"""A regular expression for what stands over, under or through a letter once it was taken apart."""
SINGLE = {"ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "đ": "d", "Đ": "d", "ı": "i", "ς": "σ", "’": "'"}
"""What is not a letter with an accent to Unicode, but is typed as one; and the apostrophe that Outlook makes."""
DOUBLE = {"œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae", "ß": "ss"}

_ACCENTS = re.compile(ACCENTS)
_LETTERS = str.maketrans(SINGLE | DOUBLE)


def fold_text(text: str) -> str:
    """Return *text* in the one form in which texts are searched: `École` and `ECOLE` both become `ecole`."""
    if text.isascii():
        return text.lower()
    return _ACCENTS.sub("", normalize("NFKD", text)).lower().translate(_LETTERS)


def holds_words(text: str, words: str) -> bool:
    """Tell whether *text* holds each of *words*, in any order."""
    folded = fold_text(text)
    return all(word in folded for word in fold_text(words).split())
