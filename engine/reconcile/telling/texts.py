"""What Outlook is told about a loan: title `#<number> <name>` (H52), body with items and link (H53).

How much is told is the store's text level (R15); a private loan is never told in full.
"""

from __future__ import annotations

import html
import re

from engine.loans.loan import Loan, TextLevel
from engine.loans.status import ItemState
from engine.reconcile.field_map import FieldMap, fill, is_told, loan_values

DEFAULT = FieldMap()


def render_subject(loan: Loan, level: TextLevel, fields: FieldMap = DEFAULT) -> str:
    """Return the title of the loan's event."""
    return render_title(loan, str(loan.number), level, fields)


def render_series_subject(loan: Loan, first: int, last: int, level: TextLevel, fields: FieldMap = DEFAULT) -> str:
    """Return the title of the event of a series, whose loans are *first* to *last*; *loan* is one of them."""
    return render_title(loan, f"{first}-{last}", level, fields)


def render_title(loan: Loan, number: str, level: TextLevel, fields: FieldMap) -> str:
    """Return the title by its template, *number* in the place of the loan's own; the number alone where no more may be
    told, or the template says nothing."""
    told = fill(fields.title, loan, number=number) if is_told(loan, level) else ""
    return told or f"#{number}"


def narrow_series_subject(subject: str, first: int, last: int) -> str:
    """Return the title of a series that keeps only the loans *first* to *last*; a title of somebody else stays."""
    return re.sub(r"^#\d+-\d+(?!\S)", f"#{first}-{last}" if first != last else f"#{first}", subject)


def without_link(body: str) -> str:
    """Return a body of ours without its link: an engine that moved to another address rewrites no event for it."""
    return re.sub(r"<a [^>]*>.*?</a>", "", body)


def render_body(loan: Loan, level: TextLevel, link: str, fields: FieldMap = DEFAULT) -> str:
    """Return the body of the loan's event, as HTML: unless the map says otherwise its items and a link to view it."""
    anchor = f'<a href="{html.escape(link, quote=True)}">{html.escape(link)}</a>'
    if level is TextLevel.LINK_ONLY:
        return f"<p>{anchor}</p>"
    if level is TextLevel.NUMBER_ONLY or loan.private:
        return f"<p>#{loan.number}</p><p>{anchor}</p>"
    lines = "".join(f"<li>{html.escape(name)}</li>" for name in _item_names(loan))
    values = loan_values(loan)
    paragraphs = {name: f"<p>{html.escape(text)}</p>" for name, text in values.items() if text}
    parts = {**paragraphs, "items": f"<ul>{lines}</ul>", "link": f"<p>{anchor}</p>"}
    return "".join(parts.get(part, "") for part in fields.body)


def render_plain_parts(loan: Loan, level: TextLevel, link: str, fields: FieldMap = DEFAULT) -> list[str]:
    """Return the lines of the body that `render_body` makes."""
    items = re.sub(r"</(li|p)>", "\n", render_body(loan, level, link, fields))
    return [html.unescape(line) for line in re.sub(r"<[^>]+>", "", items).split("\n") if line]


def render_own_subject(loan: Loan, level: TextLevel) -> str:
    """Return the title of a loan for its requester, who knows their own name: what it is about, or what is booked."""
    if level is not TextLevel.FULL or loan.private:
        return f"#{loan.number}"
    return f"#{loan.number} {loan.title or ', '.join(_item_names(loan))}".rstrip()


def render_plain(loan: Loan, level: TextLevel, link: str) -> str:
    """Return what is told of a loan outside of Outlook, as plain text: what it is about, its items, and a link."""
    if level is TextLevel.LINK_ONLY:
        return link
    if level is TextLevel.NUMBER_ONLY or loan.private:
        return f"#{loan.number}\n{link}"
    return "\n".join((*((loan.title,) if loan.title else ()), *_item_names(loan), link))


def _item_names(loan: Loan) -> list[str]:
    return [item.name for item in loan.items if item.state is not ItemState.CANCELLED]
