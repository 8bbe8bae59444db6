"""Frozen values made in a mould."""

import pickle
from dataclasses import FrozenInstanceError, dataclass, field, replace

import pytest

from engine.rooms.event import EventCopy, EventType
from engine.rooms.moulds import mould_for

GIVEN = {"event_id": "1", "etag": "a", "ical_uid": "u", "type": EventType.SINGLE, "organizer": None, "interval": None}


def test_a_mould_makes_the_very_value() -> None:
    """Its class, its defaults, its equality: nobody can tell how it was made."""
    made = mould_for(EventCopy)(**GIVEN, is_draft=True)

    assert type(made) is EventCopy
    assert made == EventCopy(**GIVEN, is_draft=True)
    assert hash(made) == hash(EventCopy(**GIVEN, is_draft=True))
    assert pickle.loads(pickle.dumps(made)) == made
    assert replace(made, is_draft=False) == EventCopy(**GIVEN)


def test_what_was_made_is_frozen() -> None:
    made = mould_for(EventCopy)(**GIVEN)

    with pytest.raises(FrozenInstanceError):
        made.etag = "b"  # type: ignore[misc]


def test_a_missing_field_is_missed() -> None:
    with pytest.raises(TypeError, match="interval"):
        mould_for(EventCopy)(**{name: value for name, value in GIVEN.items() if name != "interval"})


def test_each_value_gets_a_default_of_its_own() -> None:
    @dataclass(frozen=True, slots=True)
    class Shelf:
        books: list[str] = field(default_factory=list)

    make = mould_for(Shelf)

    make().books.append("Emma")
    assert make().books == []
