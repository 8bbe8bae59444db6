"""The route that says why a room is booked, or is not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from engine.errors import Fault, Invalid, NotFound
from engine.reconcile.telling.why import Answer
from engine.rooms.room import match_rooms
from engine.web.access import Viewer
from engine.web.api.models import Explain
from engine.web.api.wire import STORABLE, Instant, Outgoing, Spoken
from engine.web.language import Language
from engine.web.parts import Parts

router = APIRouter(tags=["why"])


class WhyQuery(Spoken):
    """The room, by number, name or address, and the instant."""

    room: Annotated[str, Field(min_length=1, max_length=320), STORABLE]
    at: Instant


class WhyNoteOut(Outgoing):
    code: str
    text: str
    facts: dict[str, object]


class WhyOut(Outgoing):
    """The answer: sentences, what matters most first; the last one says how fresh the knowledge is."""

    room_id: int
    room: str
    at: datetime
    answers: list[WhyNoteOut]


@router.get("/why")
def ask_why(parts: Parts, caller: Viewer, language: Language, wanted: Annotated[WhyQuery, Query()]) -> WhyOut:
    """Say why a room is booked, or is not, at an instant."""
    found = match_rooms(parts.rooms.load_rooms(), wanted.room)
    if not found:
        raise NotFound(f"there is no room {wanted.room!r}")
    if len(found) > 1:
        raise Invalid(Fault("room", "room_ambiguous", f"several rooms are called {wanted.room!r}: give the number"))
    answer = parts.why.ask(found[0].id, wanted.at)
    return render_answer(answer, lambda code, facts: parts.explain(code, facts, language))


def render_answer(answer: Answer, explain: Explain) -> WhyOut:
    """Return *answer* in words."""
    notes = [
        WhyNoteOut(code=note.code, text=explain(note.code, note.facts), facts=dict(note.facts)) for note in answer.notes
    ]
    return WhyOut(room_id=answer.room.id, room=answer.room.name, at=answer.at.astimezone(UTC), answers=notes)
