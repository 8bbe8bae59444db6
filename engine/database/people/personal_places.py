"""Where people are named: every table and column, by what becomes of it when somebody is read out or erased.

A test holds it complete: a new column that can hold words finds its place here, or the tests fail. What goes with a
loan is taken out of it by `anonymise`, for erasure and retention alike.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, and_, cast, func, null, or_
from sqlalchemy.types import Text

from engine.database.tables import metadata

_t = metadata.tables


@dataclass(frozen=True, slots=True)
class Known:
    """Who somebody is: all their addresses, folded, and their name."""

    person_id: int | None
    addresses: tuple[str, ...]
    name: str
    loans: tuple[int, ...]

    @property
    def actors(self) -> tuple[str, ...]:
        """How histories name them."""
        return tuple(f"app:{address}" for address in self.addresses)


Place = Callable[[Known], ColumnElement[bool]]


def text_names(column: ColumnElement[str], who: Known) -> ColumnElement[bool]:
    """Return whether a text names an address of theirs."""
    return or_(*(func.lower(column).contains(address, autoescape=True) for address in who.addresses))


def json_names(column: ColumnElement[Any], who: Known) -> ColumnElement[bool]:
    """Return whether JSON names an address of theirs, or their name as a whole value."""
    text = cast(column, Text)
    patterns = [func.lower(text).like(f"%{_escaped(address)}%", escape="\\") for address in who.addresses]
    if who.name:  # SQLite keeps JSON with its letters escaped, PostgreSQL without
        names = {json.dumps(who.name), json.dumps(who.name, ensure_ascii=False)}
        patterns += [text.like(f"%{_quoted(name)}%", escape="\\") for name in sorted(names)]
    return or_(*patterns)


def _escaped(text: str) -> str:
    """Return *text* for LIKE, as JSON writes it."""
    return _quoted(json.dumps(text)[1:-1])


def _quoted(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)


PERSON = ("person", "person_alias", "person_details")
"""Who they are: forgotten once no loan is for them any more."""

OWN: Mapping[str, Place] = MappingProxyType(
    {
        "session": lambda who: _t["session"].c.address_folded.in_(who.addresses),
        "store_keeper": lambda who: _t["store_keeper"].c.address_folded.in_(who.addresses),
        "feed": lambda who: or_(_t["feed"].c.owner_folded.in_(who.addresses), _t["feed"].c.address.in_(who.addresses)),
        "invitation": lambda who: _t["invitation"].c.address_folded.in_(who.addresses),
        "own_calendar": lambda who: _t["own_calendar"].c.address_folded.in_(who.addresses),
        "own_calendar_entry": lambda who: _t["own_calendar_entry"].c.address_folded.in_(who.addresses),
        "once": lambda who: text_names(_t["once"].c.body, who),
        "mail_preference": lambda who: _t["mail_preference"].c.address_folded.in_(who.addresses),
    }
)
"""Rows that are about one person alone: read out, and deleted with them."""

OF_LOANS: Mapping[str, str] = MappingProxyType(
    {
        "loan": "number",
        "loan_item": "loan_number",
        "decision": "loan_number",
        "case": "loan_number",
        "link": "loan_number",
    }
)
"""Rows about their loans, by the column that names the loan: read out; of past loans they are anonymised."""

WITH_LOANS = ("series",)
"""Tables whose rows are told by those of the loans, and are anonymised with the last of them."""

MESSAGES = ("outbox", "outbox_try", "outbox_receiver")
"""What goes out: messages to them, about their loans or naming them are forgotten with all tries."""

DONE_BY = (
    ("decision", "actor"),
    ("case", "closed_by"),
    ("setting", "changed_by"),
    ("feed", "created_by"),
    ("webhook", "created_by"),
    ("backfill", "created_by"),
    ("backfill", "ordered_by"),
)
"""Columns that say who did something: read out, and overwritten."""

MENTIONS = (("decision", "id", "facts"), ("case", "id", "facts"))
"""Values of sentences, which may name people in others' histories: read out, and overwritten where they do."""


@dataclass(frozen=True, slots=True)
class Blank:
    """Rows of others that hold what is theirs: read out, and these values are written over it."""

    place: Place
    values: Mapping[str, Any]


def _former_links(who: Known) -> ColumnElement[bool]:
    """The events that a loan had before it was given to somebody else; who has it now has another."""
    link = _t["link"]
    theirs = or_(func.lower(link.c.organizer_mailbox).in_(who.addresses), json_names(link.c.base, who))
    return and_(theirs, link.c.state == "ended", link.c.loan_number.not_in(who.loans))


def _undone_cases(who: Known) -> ColumnElement[bool]:
    case = _t["case"]
    of_others = or_(case.c.loan_number.is_(None), case.c.loan_number.not_in(who.loans))
    return and_(json_names(case.c.undo, who), of_others)


BLANKED: Mapping[str, Blank] = MappingProxyType(
    {
        "backfill_meeting": Blank(
            lambda who: or_(
                func.lower(_t["backfill_meeting"].c.organizer).in_(who.addresses),
                json_names(_t["backfill_meeting"].c.facts, who),
                json_names(_t["backfill_meeting"].c.before, who),
                json_names(_t["backfill_meeting"].c.outcome_facts, who),
            ),
            {"organizer": "", "facts": {}, "before": {}, "outcome_facts": {}},
        ),
        "link": Blank(
            _former_links, {"organizer_mailbox": None, "organizer_event_id": None, "web_link": None, "base": {}}
        ),
        "case": Blank(_undone_cases, {"undo": null()}),
    }
)

FADING: Mapping[str, str] = MappingProxyType(
    {
        "intent": "until it is written to Outlook; meanwhile nothing is erased",
        "series_write": "until it is written to Outlook; meanwhile nothing is erased",
        "notification": "seven days",
        "work": "until the next pass; the keys of those who are erased go at once",
        "job": "until its next run",
        "room_copy": "what Exchange shows of the rooms’ own calendars; retention removes what is old",
    }
)
"""Tables that hold people for a while, and why they are not looked through."""

IMPERSONAL: Mapping[str, str] = MappingProxyType(
    {
        "asset": "name description rules",
        "backfill": "rooms unread cursor_key",
        "backfill_meeting": "key rooms step code state outcome",
        "bookable": "kind",
        "content_key": "id certificate private_key",
        "leader": "name owner",
        "room": "address address_folded directory_id place_id aliases name state state_detail building floor tags "
        "features postal_address time_zone rules delta_link next_link",
        "setting": "key value",
        "store": "name rules text_level policy",
        "subscription": "remote_id client_state certificate content_refusal",
        "token": "name role digest",
        "version": "name",
        "webhook": "name url models header secrets",
    }
)
"""Columns that name nobody: of rooms, things, machines, and of how this is set up."""
