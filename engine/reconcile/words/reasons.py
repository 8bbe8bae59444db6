"""Reasons as people read them: the sentence of a code, with its facts filled in, in English or French (D2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from engine.ids import BookableId
from engine.interval import Interval
from engine.reconcile.words.quoting import quote_error
from engine.reconcile.words.sentences import TABLES

LANGUAGES = ("en", "fr")

_LOANS = {"en": " Loans: {loans}.", "fr": " Prêts : {loans}."}
"""What follows the sentence of a case that names loans."""

_ROOM_ORGANIZES = (
    "It was made in a room’s own calendar: nobody organizes it, and there is no default user.",
    "Créée dans le calendrier d’une salle, personne ne l’organise, et il n’y a pas d’utilisateur par défaut.",
)
"""What `organizer_unknown` says where there is no organizer to name."""

_NOT_SYNCED = {"en": "Not synced: ", "fr": "Non synchronisé : "}

REASONS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {code: texts for table in TABLES for code, texts in table.items()}
)
"""Every code with its sentence, in the order of `LANGUAGES`."""


_ITEMS = MappingProxyType({"item": "item_id", "kept": "kept_items", "lost": "lost_items"})
"""Facts that name items, and those that number them: one, or a list."""


def unnamed_items(facts: Mapping[str, object]) -> dict[str, list[BookableId]]:
    """Return what *facts* number without naming it: name of the fact -> items."""
    found = {name: facts[numbers] for name, numbers in _ITEMS.items() if numbers in facts and name not in facts}
    each = {name: value if isinstance(value, list) else [value] for name, value in found.items()}
    return {name: [BookableId(item) for item in value if isinstance(item, int)] for name, value in each.items()}


def name_items(facts: Mapping[str, object], name_of: Callable[[BookableId], str]) -> dict[str, object]:
    """Return *facts* with the names of the items they number."""
    named = {name: ", ".join(map(name_of, items)) or "-" for name, items in unnamed_items(facts).items()}
    return {**facts, **named}


def _explain_each(would: object, language: str) -> object:
    """Return the sentences of the decisions in a list of `[code, facts]`; anything else as it is."""
    if not isinstance(would, list):
        return would
    notes = [note for note in would if isinstance(note, list) and len(note) == 2 and isinstance(note[1], dict)]
    return " ".join(explain(str(code), {**facts, "would": "?"}, language) for code, facts in notes)


_WORDS: Mapping[str, Mapping[object, tuple[str, str]]] = MappingProxyType(
    {
        "field": {
            "interval": ("the times", "les horaires"),
            "requester": ("the requester", "le demandeur"),
            "rooms": ("the rooms", "les salles"),
        },
        "hours": {"closed": ("closed", "fermé")},
        "winner": {"outlook": ("Outlook", "Outlook"), "app": ("the desk", "le guichet")},
    }
)
"""Facts that are words of the code, and what people call them."""


_CHANGED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "start": ("start", "début"),
        "end": ("end", "fin"),
        "requester": ("requester", "demandeur"),
        "items": ("items", "salles et matériel"),
        "title": ("title", "titre"),
        "notes": ("notes", "notes"),
        "private": ("private", "privé"),
    }
)
"""What the desk can change of a loan, and what people call it."""

_QUOTED = ("error", "reason")
"""Facts that quote the message of an error."""

_YES_NO: Mapping[object, tuple[str, str]] = MappingProxyType({"yes": ("yes", "oui"), "no": ("no", "non")})


class _Facts(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "?"


def explain(code: str, facts: Mapping[str, object], language: str = "en") -> str:
    """Return the sentence of *code*, its facts filled in, in *language* (`en`, `fr`; anything else reads as `en`)."""
    index = LANGUAGES.index(language) if language in LANGUAGES else 0
    reason = facts.get("reason") if code == "not_synced" else None
    if isinstance(reason, str) and reason != code and reason in REASONS:
        return _NOT_SYNCED[LANGUAGES[index]] + explain(reason, facts, language)
    texts = REASONS.get(code)
    if texts is None:
        return code
    if code == "organizer_unknown" and facts.get("organizer") == "":
        return _ROOM_ORGANIZES[index]
    if "would" in facts:
        facts = {**facts, "would": _explain_each(facts["would"], language)}
    fields = facts.get("fields")
    if code == "changed_in_app" and isinstance(fields, Mapping):
        facts = {**facts, "changes": _say_changes(fields, index)}
    if code == "both_changed" and facts.get("field") == "interval":
        facts = {**facts, **{side: f"{facts[side]} UTC" for side in ("kept", "lost") if facts.get(side)}}
    shown = {key: _show(key, value, index) for key, value in facts.items()}
    shown |= {key: quote_error(str(facts[key]), language) for key in _QUOTED if facts.get(key)}
    text = texts[index] + (_LOANS[LANGUAGES[index]] if facts.get("loans") else "")
    return text.format_map(_Facts(shown))


def without_loans(facts: Mapping[str, object]) -> dict[str, object]:
    """Return *facts* without the loans they name, for who lists those beside the sentence."""
    return {name: value for name, value in facts.items() if name != "loans"}


def _say_changes(fields: Mapping[str, object], index: int) -> str:
    """Return the old and new values of *fields* (name -> `old`, `new`), under what people call them; times in UTC."""
    colon, between = ((":", "; "), (" :", " ; "))[index]
    said = []
    for field, values in fields.items():
        if not isinstance(values, Mapping):
            continue
        name = _CHANGED[field][index] if field in _CHANGED else field
        unit = " UTC" if field in ("start", "end") else ""
        old, new = (values.get(side) or "-" for side in ("old", "new"))
        if field == "private":
            old, new = (_YES_NO.get(value, (value, value))[index] for value in (old, new))
        said.append(f"{name}{colon} {old}{unit} → {new}{unit}")
    return between.join(said)


def _show(key: str, value: object, index: int) -> object:
    """Return one fact as its sentence shows it."""
    if isinstance(value, list | tuple):
        value = ", ".join(map(str, value))
    if value is None or value == "":
        return "-"
    words = _WORDS.get(key, {}).get(value) if isinstance(value, str) else None
    return words[index] if words is not None else value


def say_instant(instant: datetime) -> str:
    """Return an instant, given in any zone, as sentences show it: in UTC."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M}"


def say_interval(interval: Interval) -> str:
    """Return a stretch of time as sentences show it, in UTC."""
    return f"{say_instant(interval.start)} - {say_instant(interval.end)}"
