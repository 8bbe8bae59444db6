"""Every decision has a sentence, in English and in French, and every sentence has its values (D2)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from string import Formatter
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.loans.status import LoanAction
from engine.reconcile.words.reasons import LANGUAGES, REASONS, explain
from engine.reconcile.words.sentences import TABLES as TABLES_OF_SENTENCES
from engine.rooms.listing import WarningCode

ENGINE = Path(__file__).parents[3] / "engine"
CODE_AT = {"Note": 0, "RuleBreach": 0, "TimeFault": 0, "Entry": 1}
"""What carries a reason code, and at which place."""

TABLES = {"roomless_code", "_ANSWER_NOTES", "answer_cases", "_merge_interval", "CODES", "_CODES"}
"""Functions and tables that give codes to those."""

RESOLVED = {"item_id": "item"}
"""Facts that name a thing by number: its name is added when the decision is stored."""


class Use(NamedTuple):
    """One place in the engine that gives a reason: with the names of its facts, None where they are not spelled out."""

    code: str
    where: str
    facts: frozenset[str] | None


def _constants(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            yield inner.value


def _results(node: ast.AST) -> Iterator[str]:
    """The strings an expression may come out as."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=body, orelse=orelse):
            yield from _results(body)
            yield from _results(orelse)


def _facts(call: ast.Call) -> frozenset[str] | None:
    place = CODE_AT[_name(call)] + 1
    given = [keyword.value for keyword in call.keywords if keyword.arg == "facts"] or call.args[place : place + 1]
    if not given:
        return frozenset()
    match given[0]:
        case ast.Dict(keys=keys) if all(isinstance(key, ast.Constant) for key in keys):
            return frozenset(str(key.value) for key in keys if isinstance(key, ast.Constant))
    return None


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


@cache
def uses() -> tuple[Use, ...]:
    """Every reason the engine gives, read from its source."""
    found = []
    for path in sorted(ENGINE.rglob("*.py")):
        if any(path.is_relative_to(ENGINE / other) for other in ("simulator", "web/pages")):  # Entry is no reason there
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and _name(node) in CODE_AT:
                where = f"{path.relative_to(ENGINE)}:{node.lineno}"
                for argument in node.args[CODE_AT[_name(node)] :][:1]:
                    found += [Use(code, where, _facts(node)) for code in _results(argument)]
    return tuple(found)


def codes_given_by_tables() -> set[str]:
    """Codes that reach a note by way of a function or a table."""
    found: set[str] = set()
    for path in (*(ENGINE / "reconcile").glob("*.py"), ENGINE / "database" / "loans" / "desk.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = {getattr(node, "name", "")} | {
                target.id for target in _targets(node) if isinstance(target, ast.Name)
            }
            if names & TABLES:
                found |= {text for text in _constants(node) if re.fullmatch(r"[a-z]+(_[a-z]+)+", text)}
    return found - {"item_id"}


def _targets(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, ast.AnnAssign) else []


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


class TestEveryReason:
    def test_is_read_from_the_source(self) -> None:
        """The reader of the source finds what it should: dozens of places, in many files."""
        assert len(uses()) > 40
        assert len({use.where.partition(":")[0] for use in uses()}) > 8
        assert {"all_rooms_released", "room_declined", "zero_length"} <= codes_given_by_tables()

    @pytest.mark.parametrize("use", uses(), ids=lambda use: f"{use.where}-{use.code}")
    def test_the_engine_gives_has_a_sentence(self, use: Use) -> None:
        """For anything that was or was not done a person can read why."""
        assert use.code in REASONS

    def test_given_by_way_of_a_table_has_a_sentence(self) -> None:
        """Ends of bookings, answers of rooms, steps at the desk."""
        assert codes_given_by_tables() <= set(REASONS)

    def test_of_the_validation_has_a_sentence(self) -> None:
        """Whatever makes an event invalid stands as a case."""
        tree = ast.parse((ENGINE / "reconcile" / "validate.py").read_text("utf-8"))
        given = {
            str(call.args[0].value)
            for call in ast.walk(tree)
            if isinstance(call, ast.Call) and _name(call) == "Invalid" and isinstance(call.args[0], ast.Constant)
        }

        assert len(given) > 6
        assert given <= set(REASONS)

    def test_of_the_desk_the_clock_and_the_directory_has_a_sentence(self) -> None:
        """Steps of a loan's life, and what becomes of rooms."""
        steps = {"approved", "refused", "checked_out", "closed", "cancelled_in_app", "became_overdue", "no_show"}
        rooms = {f"room_{what}" for what in ("added", "changed", "excluded", "included", "missing", "found")}

        assert len(steps) == len(LoanAction)
        assert steps | rooms <= set(REASONS)
        assert {WarningCode.LISTING_EMPTY.value, WarningCode.PLACE_TWICE.value} <= set(REASONS)

    @pytest.mark.parametrize(
        "use", [use for use in uses() if use.facts is not None], ids=lambda use: f"{use.where}-{use.code}"
    )
    def test_comes_with_the_values_of_its_sentence(self, use: Use) -> None:
        """A sentence names the values; a `?` where one belongs tells nobody anything."""
        assert use.facts is not None
        given = use.facts | {RESOLVED[name] for name in use.facts & RESOLVED.keys()}

        assert placeholders(REASONS[use.code][0]) <= given

    @pytest.mark.parametrize(("code", "facts"), [("listing_empty", set()), ("place_twice", {"places"})])
    def test_of_an_import_comes_with_the_values_of_its_sentence(self, code: str, facts: set[str]) -> None:
        """A warning about places names them all in one case."""
        assert placeholders(REASONS[code][0]) <= facts


class TestEverySentence:
    def test_is_told_once(self) -> None:
        """No table takes another one's code."""
        assert sum(map(len, TABLES_OF_SENTENCES)) == len(REASONS)

    @pytest.mark.parametrize("code", REASONS)
    def test_is_there_in_both_languages(self, code: str) -> None:
        """French and English, and not the one for the other."""
        english, french = REASONS[code]

        assert len(REASONS[code]) == len(LANGUAGES)
        assert english.strip() == english != ""
        assert french.strip() == french != ""
        assert english != french

    @pytest.mark.parametrize("code", REASONS)
    def test_names_the_same_values_in_both(self, code: str) -> None:
        """Whoever reads French learns as much."""
        english, french = REASONS[code]

        assert placeholders(english) == placeholders(french)

    @pytest.mark.parametrize("code", REASONS)
    def test_names_its_values_by_plain_words(self, code: str) -> None:
        """No attribute, no index, no format: a fact of any kind can be shown."""
        for text in REASONS[code]:
            for _, name, form, conversion in Formatter().parse(text):
                assert name is None or re.fullmatch(r"[a-z_]+", name)
                assert not form
                assert conversion is None

    @pytest.mark.parametrize("code", REASONS)
    def test_is_a_sentence(self, code: str) -> None:
        """It begins like one and ends like one, or with the words of somebody else."""
        for text in REASONS[code]:
            assert text[0].isupper() or text[0] == "{"
            assert text[-1] in ".?}"

    @pytest.mark.parametrize("code", REASONS)
    def test_is_named_by_a_plain_code(self, code: str) -> None:
        """Codes are stored for years: lower case, words joined by underscores."""
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", code)


FACTS: dict[str, Any] = {"item": "Room 1", "start": "09:00", "end": "10:00", "loan": 77}


class TestExplaining:
    @pytest.mark.parametrize(("code", "language"), tuple(product(REASONS, LANGUAGES)))
    def test_never_fails_for_want_of_a_value(self, code: str, language: str) -> None:
        """A value that is missing shows as a question mark; the sentence is there all the same."""
        text = explain(code, {}, language)

        assert ("?" in text) == bool(placeholders(REASONS[code][LANGUAGES.index(language)]))

    def test_fills_in_the_values(self) -> None:
        """In the language that is asked for."""
        assert explain("item_unavailable", FACTS) == "Room 1 is taken 09:00 - 10:00 UTC (loan 77)."
        assert explain("item_unavailable", FACTS, "fr") == "Room 1 est pris le 09:00 - 10:00 UTC (prêt 77)."

    @pytest.mark.parametrize("nothing", [None, ""])
    def test_shows_nothing_as_a_dash(self, nothing: object) -> None:
        """Known to be nothing is not the same as not known."""
        assert explain("item_unavailable", {**FACTS, "loan": nothing}).endswith("(loan -).")

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_names_no_organizer_where_a_room_is_it(self, language: str) -> None:
        """A dash in place of a name told nobody what to do."""
        said = explain("organizer_unknown", {"organizer": ""}, language)

        assert ("own calendar" if language == "en" else "calendrier d’une salle") in said
        assert " - " not in said
        assert explain("not_synced", {"reason": "organizer_unknown", "organizer": ""}, language).endswith(said)
        assert "a@b.org" in explain("organizer_unknown", {"organizer": "a@b.org"}, language)

    @pytest.mark.parametrize("language", ["de", "", "EN", "fr-CA"])
    def test_in_a_language_we_do_not_speak_is_english(self, language: str) -> None:
        """Anything else reads as English."""
        assert explain("approved", {}, language) == "Approved."

    def test_of_a_code_nobody_knows_is_the_code(self) -> None:
        """A row written by a newer version is shown as it is."""
        assert explain("something_new", {"a": 1}) == "something_new"

    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize("code", ["item_unavailable", "all_rooms_declined", "draft"])
    def test_why_a_meeting_is_not_synced_says_the_reason(self, code: str, language: str) -> None:
        """Not synced, because: the sentence of the reason, with its values."""
        text = explain("not_synced", {"reason": code, **FACTS}, language)

        assert text.startswith(("Not synced: ", "Non synchronisé : "))
        assert text.endswith(explain(code, FACTS, language))

    @pytest.mark.parametrize("reason", ["not_synced", "nonsense", "", None, 7, ["draft"]])
    def test_why_a_meeting_is_not_synced_survives_a_reason_that_is_none(self, reason: object) -> None:
        """Whatever was stored, there is a sentence; one that named itself as its reason never came to an end."""
        assert explain("not_synced", {"reason": reason}) == "Not synced."

    def test_what_the_desk_changed_is_named_in_the_language_and_its_times_are_in_utc(self) -> None:
        fields = {"start": {"old": "2026-11-29 09:00", "new": "2026-11-29 14:00"}, "title": {"old": "", "new": "Tea"}}

        said = [
            explain("changed_in_app", {"changes": "as stored", "fields": fields}, language) for language in LANGUAGES
        ]

        assert said == [
            "Changed in the app: start: 2026-11-29 09:00 UTC → 2026-11-29 14:00 UTC; title: - → Tea.",
            "Modifié dans l’application : début : 2026-11-29 09:00 UTC → 2026-11-29 14:00 UTC ; titre : - → Tea.",
        ]

    @pytest.mark.parametrize(("language", "told"), [("en", "private: no → yes."), ("fr", "privé : non → oui.")])
    def test_that_something_became_private_is_told_in_words(self, language: str, told: str) -> None:
        facts = {"changes": "as stored", "fields": {"private": {"old": "no", "new": "yes"}}}

        assert explain("changed_in_app", facts, language).endswith(told)

    def test_what_the_desk_changed_before_fields_were_kept_is_shown_as_it_was_stored(self) -> None:
        assert explain("changed_in_app", {"changes": "title: a → b"}) == "Changed in the app: title: a → b."

    def test_times_that_lost_are_in_utc_and_other_values_have_no_unit(self) -> None:
        kept, lost = "2026-11-29 09:00 - 2026-11-29 10:00", "2026-11-29 12:00 - 2026-11-29 13:00"
        times = {"field": "interval", "winner": "app", "kept": kept, "lost": lost}
        rooms = {"field": "rooms", "winner": "app", "kept": "Tilleul", "lost": "Platane"}

        assert explain("both_changed", times).endswith(f"wins with {kept} UTC; lost: {lost} UTC.")
        assert explain("both_changed", rooms).endswith("wins with Tilleul; lost: Platane.")

    @given(
        st.sampled_from([*REASONS, "unknown"]),
        st.dictionaries(
            st.sampled_from(["item", "start", "reason", "old", "self", "key"]),
            st.one_of(
                st.none(), st.text(max_size=8), st.integers(), st.sampled_from(["{", "{0}", "{item.x}", "not_synced"])
            ),
        ),
        st.sampled_from(["en", "fr", "xx"]),
    )
    @settings(max_examples=300, derandomize=True, deadline=None)
    def test_never_raises(self, code: str, facts: dict[str, Any], language: str) -> None:
        """Values are shown, never interpreted."""
        assert explain(code, facts, language)
