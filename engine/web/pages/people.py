"""`/people`: looking people up while somebody types a name. For staff, who book for others."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse

from engine.ids import fold_address
from engine.web.pages.page import StaffPage

router = APIRouter()

FOUND_MAX = 20


@router.get("/people")
def find_people(page: StaffPage, q: str = "") -> JSONResponse:
    """Return at most 20 people whose name or address contains *q*."""
    part = q.strip()[:100]
    found = {fold_address(p.address): p for p in page.parts.people.find(part, limit=FOUND_MAX)} if part else {}
    for person in page.parts.development or ():
        if part and part.casefold() in f"{person.name} {person.address}".casefold():
            found.setdefault(fold_address(person.address), person)
    people = [{"name": person.name, "address": person.address} for person in found.values()][:FOUND_MAX]
    return JSONResponse({"people": people})
