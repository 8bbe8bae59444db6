"""Every text of the pages exists in both languages, and both say it with the same values."""

from __future__ import annotations

import re
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from engine.web.translations import CATALOGUES, Formats, keep_marks, load_translations
from tests.web.texts import find_texts

FILES = sorted(CATALOGUES.glob("*/*.po"))
PLACES = re.compile(r"%\((\w+)\)s|\{(\w+)\}")

SAME_IN_BOTH = {
    "Description",
    "Actions",
    "Notes",
    "{room}, {when}",
    "application",
    "%(first)s – %(last)s",
    "Webhooks",
    "Webhook %(number)s",
    "Menu",
    "Message",
    "Message %(number)s",
    "Secret",
    "Secrets",
}
"""Texts that French writes as English does."""


def messages() -> list[tuple[str, Message]]:
    found = []
    for path in FILES:
        with path.open("rb") as source:
            found += [(path.name, message) for message in read_po(source, locale=path.parent.name) if message.id]
    return found


def forms(text: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def values_of(text: str) -> set[str]:
    return {one or other for one, other in PLACES.findall(text)}


class TestFrench:
    def test_knows_every_text(self) -> None:
        """What a template or a page says in English has its line in a catalogue; this lists what has none."""
        known = {forms(message.id)[0] for _, message in messages()}

        missing = {f"{place}: {text!r}" for place, text in find_texts() if forms(text)[0] not in known}

        assert not missing, "\n".join(sorted(missing))

    def test_has_nothing_that_nobody_says(self) -> None:
        """A line whose text is gone goes too."""
        said = {forms(text)[0] for _, text in find_texts()}

        idle = {f"{name}: {message.id!r}" for name, message in messages() if forms(message.id)[0] not in said}

        assert not idle, "\n".join(sorted(idle))

    def test_leaves_nothing_empty_unsure_or_untranslated(self) -> None:
        for name, message in messages():
            assert all(forms(message.string)), (name, message.id)
            assert not message.fuzzy, (name, message.id)
            if message.id not in SAME_IN_BOTH:
                assert forms(message.string) != forms(message.id), (name, message.id)

    def test_uses_the_values_of_the_english(self) -> None:
        for name, message in messages():
            wanted = values_of(forms(message.id)[-1])
            assert all(values_of(text) == wanted for text in forms(message.string)), (name, message.id)

    def test_is_said_in_one_way(self) -> None:
        """One text, one line: the same English in two files would make one of them win by its name."""
        ids = [forms(message.id)[0] for _, message in messages()]

        assert sorted(ids) == sorted(set(ids))


@pytest.mark.parametrize(("language", "said"), [("en", "Board"), ("fr", "Planning")])
def test_catalogues_are_read_from_their_files(language: str, said: str) -> None:
    assert load_translations(language).gettext("Board") == said


def test_no_line_of_french_begins_with_a_mark() -> None:
    """The space before it does not break; one that no mark follows, or within a word, stays as it was."""
    assert (
        keep_marks("Quoi ? « Oui » : 30 % de a:b, %(num)s")
        == "Quoi\u00a0? «\u00a0Oui\u00a0»\u00a0: 30\u00a0% de a:b, %(num)s"
    )
    assert load_translations("fr").gettext("Last fault: %(what)s.").count("\u00a0:") == 1


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (date(2026, 12, 1), ("mar. 1er déc. 2026", "mardi 1er décembre 2026", "mar. 1er")),
        (date(2026, 12, 11), ("ven. 11 déc. 2026", "vendredi 11 décembre 2026", "ven. 11")),
    ],
)
def test_the_first_of_a_month_is_an_ordinal_in_french(day: date, said: tuple[str, ...]) -> None:
    french = Formats("fr", ZoneInfo("Europe/Paris"))

    assert (french.day(day), french.long_day(day), french.short_day(day)) == said
    assert Formats("en", ZoneInfo("Europe/Paris")).long_day(date(2026, 12, 1)) == "Tuesday 1 December 2026"
