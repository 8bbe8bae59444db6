"""
Which fields of a loan go to which fields of its event, and back: checked templates, filled and read. Pure.

The defaults are what events always said: title `#<number> <name>` (H52), a body of items and link (H53), the rooms as
location. How much may be told is the text level's to say: what is private, or of a level below full, fills no template.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from engine.loans.loan import ItemKind, Loan, TextLevel
from engine.loans.status import ItemState, LoanStatus
from engine.reconcile.dates import ANY_DATE, Dates
from engine.reconcile.names import fold
from engine.rooms.calendar import EventFields

LOAN_FIELDS = ("number", "requester", "address", "title", "notes", "store", "status", "rooms", "things", "items")
"""What a template may name, in braces."""

BODY_PARTS = ("items", "link", "title", "notes", "requester", "address", "store", "rooms", "things")
"""What a body may be made of, each a paragraph or list of its own."""

SHOW_AS = ("busy", "tentative", "oof")
"""How the requester's calendar may show it. As `free` or `workingElsewhere` Outlook books no room by it (B40)."""

CATEGORIES_MAX, CUSTOM_MAX = 10, 10

_NAMED = re.compile(r"\{([^{}]*)\}")
_CUSTOM_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,49}")


@dataclass(frozen=True, slots=True)
class FieldMap:
    """
    The table.

    Args:
        title: a template.
        title_back: whether a title that somebody changes in Outlook, in an event of a loan of the app, becomes the
            loan's; the template must hold `{title}` once then.
        body: names out of `BODY_PARTS`, in their order.
        location: a template; "" for the rooms.
        categories: templates; what is empty in the end is left out.
        show_as: one of `SHOW_AS`.
        custom: names and templates of single-value extended properties.
    """

    title: str = "#{number} {requester}"
    title_back: bool = False
    body: tuple[str, ...] = ("items", "link")
    location: str = ""
    categories: tuple[str, ...] = ()
    show_as: str = "busy"
    custom: tuple[tuple[str, str], ...] = ()

    def faults(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong: the name of an argument, and what is wanted there."""
        known = "{" + "}, {".join(LOAN_FIELDS) + "}"
        named = {"title": (self.title,), "location": (self.location,), "categories": self.categories}
        named["custom"] = tuple(template for _, template in self.custom)
        for name, templates in named.items():
            if any(not _is_template(template) for template in templates):
                yield name, f"may name {known} and nothing else in braces"
        if not self.title.strip():
            yield "title", "must say something"
        if self.title_back and (self.title.count("{title}") != 1 or "{notes}" in self.title):
            yield "title_back", "needs a title with {title} in it, once, and without {notes}"
        if not self.body or set(self.body) - set(BODY_PARTS) or len(set(self.body)) < len(self.body):
            yield "body", f"must name some of {', '.join(BODY_PARTS)}, each once"
        if self.show_as not in SHOW_AS:
            yield "show_as", f"must be one of {', '.join(SHOW_AS)}"
        if len(self.categories) > CATEGORIES_MAX or any("," in each or ";" in each for each in self.categories):
            yield "categories", f"are at most {CATEGORIES_MAX}, without commas and semicolons"
        names = [name for name, _ in self.custom]
        is_bad = any(not _CUSTOM_NAME.fullmatch(name) or name == "AccordLoan" for name in names)
        if is_bad or len(names) > CUSTOM_MAX or len(set(names)) < len(names):
            yield "custom", f"has at most {CUSTOM_MAX} names of letters and digits; AccordLoan is taken"

    @property
    def names_more(self) -> bool:
        """Whether the title is another than always was, so that it is looked after like the body."""
        return self.title != FieldMap().title


def _is_template(text: str) -> bool:
    left = _NAMED.sub("", text)
    return set(_NAMED.findall(text)) <= set(LOAN_FIELDS) and "{" not in left and "}" not in left and text.isprintable()


# --- from the loan to the event


def fill(template: str, loan: Loan, *, number: str | None = None) -> str:
    """Return *template* with the loan's values; white space that an empty value leaves behind goes. *number*: what
    stands for several loans, else the loan's own."""
    values = loan_values(loan) | ({"number": number} if number is not None else {})
    return " ".join(_NAMED.sub(lambda found: values[found[1]], template).split())


def loan_values(loan: Loan) -> dict[str, str]:
    """Return every field of `LOAN_FIELDS` as text."""
    items = [item for item in loan.items if item.state is not ItemState.CANCELLED]
    return {
        "number": str(loan.number),
        "requester": loan.requester.name,
        "address": loan.requester.address,
        "title": loan.title,
        "notes": loan.notes,
        "store": loan.store,
        "status": loan.status.value,
        "rooms": ", ".join(item.name for item in items if item.kind is ItemKind.ROOM),
        "things": ", ".join(item.name for item in items if item.kind is not ItemKind.ROOM),
        "items": ", ".join(item.name for item in items),
    }


def is_told(loan: Loan, level: TextLevel) -> bool:
    """Tell whether an event may say more of the loan than its number."""
    return level is TextLevel.FULL and not loan.private


def map_fields(fields: FieldMap, loan: Loan, level: TextLevel) -> EventFields:
    """Return what the event says beside title, body, times and rooms. What may not be told is empty, not absent: an
    event that said it before is cleared."""
    told = is_told(loan, level)
    return EventFields(
        categories=tuple(text for each in fields.categories if told and (text := fill(each, loan))),
        show_as=fields.show_as,
        location=fill(fields.location, loan) if told else "",
        custom=tuple((name, fill(template, loan) if told else "") for name, template in fields.custom),
    )


def changed_fields(written: EventFields, wanted: EventFields) -> EventFields | None:
    """Return what has to be written so that an event that says *written* says *wanted*; None for nothing."""
    if written == wanted:
        return None
    before = dict(written.custom)
    custom = [(name, value) for name, value in wanted.custom if before.get(name) != value]
    gone = [(name, "") for name in before if name not in dict(wanted.custom) and before[name]]
    return EventFields(
        categories=wanted.categories if wanted.categories != written.categories else None,
        show_as=wanted.show_as if wanted.show_as != written.show_as else None,
        location=wanted.location if wanted.location != written.location else None,
        custom=(*custom, *gone),
    )


# --- and back


@dataclass(frozen=True, slots=True)
class TitleView:
    """What both sides say of a loan's title, where it travels both ways."""

    there: str
    """As the event's title says it now."""
    base: str
    """As both said it last."""
    agreed: str
    """The event's title once the loan follows: what we would write then."""


def view_title(fields: FieldMap, loan: Loan, level: TextLevel, *, written: str, shown: str | None) -> TitleView | None:
    """
    Return what the event says of the loan's title; None where it does not come back, or cannot be read.

    Args:
        written: the event's title as we wrote it last.
        shown: the same as it stands now; None when nobody has looked.
    """
    if not fields.title_back or shown is None or not is_told(loan, level):
        return None
    there, base = read_title(fields, loan, shown), read_title(fields, loan, written)
    if there is None or base is None:
        return None
    return TitleView(there, base, agreed=fill(fields.title, replace(loan, title=there)))


def read_title(fields: FieldMap, loan: Loan, subject: str) -> str | None:
    """Return the loan's title that *subject* says by the template; None when the rest of it is not as the template has
    it: somebody wrote a title of their own."""
    before, found, after = fields.title.partition("{title}")
    if not found:
        return None
    head, tail, text = fill(before, loan), fill(after, loan), " ".join(subject.split())
    if not text.startswith(head) or not text.endswith(tail) or len(text) < len(head) + len(tail):
        return None
    return text[len(head) : len(text) - len(tail)].strip()


# --- what is synchronised at all


@dataclass(frozen=True, slots=True)
class View:
    """Which loans of the app get an event in Outlook; an empty set holds everything. `dates` holds for both sides."""

    stores: frozenset[str] = frozenset()
    """Names, folded."""
    statuses: frozenset[LoanStatus] = frozenset()
    rooms: frozenset[str] = frozenset()
    """Names, folded. One of them is enough: an event invites all rooms of its loan, and none is booked twice."""
    dates: Dates = ANY_DATE

    def holds(self, loan: Loan) -> bool:
        """Tell whether a loan like this one gets an event at all, now or once its dates are near enough."""
        return (
            (not self.stores or fold(loan.store) in self.stores)
            and (not self.statuses or loan.status in self.statuses)
            and (not self.rooms or any(fold(room.name) in self.rooms for room in loan.rooms))
        )
