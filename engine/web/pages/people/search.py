"""`/people`: looking people up while somebody types, and reading whom they wrote. For staff, who book for others."""

from __future__ import annotations

import re

from fastapi import APIRouter
from starlette.responses import JSONResponse

from engine.errors import Fault, Invalid
from engine.folding import fold_text, holds_words
from engine.ids import Address, fold_address
from engine.loans.loan import Requester
from engine.web.pages.page import Page, StaffPage

router = APIRouter()

FOUND_MAX = 20

_NAMED = re.compile(r"\s*(.*?)\s*<([^<>]+)>\s*", re.DOTALL)


@router.get("/people")
def show_people(page: StaffPage, q: str = "") -> JSONResponse:
    """Return at most 20 people whose name or address holds each word of *q*."""
    return JSONResponse({"people": [{"name": p.name, "address": p.address} for p in find_people(page, q)]})


def find_people(page: Page, words: str) -> list[Requester]:
    """Return at most 20 people whose name or address holds each of *words*."""
    part = words.strip()[:100]
    found = {fold_address(p.address): p for p in page.parts.people.find(part, limit=FOUND_MAX)} if part else {}
    for person in page.parts.development or ():
        if part and holds_words(f"{person.name} {person.address}", part):
            found.setdefault(fold_address(person.address), person)
    return list(found.values())[:FOUND_MAX]


def read_person(page: Page, words: str) -> Requester:
    """Return whom *words* mean: `Name <address>`, an address, or a name that one person has. Raises Invalid."""
    if named := _NAMED.fullmatch(words):
        address = named[2].strip()
        return Requester(Address(address), named[1] or address)
    found = find_people(page, words)
    if "@" in words:
        known = [person for person in found if fold_address(person.address) == fold_address(words.strip())]
        return known[0] if known else Requester(Address(words.strip()), words.strip())
    exact = [person for person in found if fold_text(person.name) == fold_text(words.strip())]
    if len(found) == 1 or len(exact) == 1:
        return (exact or found)[0]
    if found:
        raise Invalid(Fault("who", "requester_ambiguous", "several people are called so: choose one of the list"))
    raise Invalid(Fault("who", "requester_unknown", "nobody of that name is known: write their address"))
