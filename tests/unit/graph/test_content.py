"""What notifications bring of their event: opened as Graph sealed it, or not at all."""

from __future__ import annotations

import json
import random
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from engine.graph.certificate import make_certificate
from engine.graph.content import open_content, parse_content
from engine.prove.world.contents import Keyring
from engine.simulator.notices.content import encrypt

EVENT = {
    "id": "e1",
    "@odata.etag": 'W/"k1"',
    "changeKey": "k1",
    "iCalUId": "u1",
    "type": "singleInstance",
    "seriesMasterId": None,
    "start": {"dateTime": "2026-11-23T09:00:00.0000000", "timeZone": "UTC"},
    "end": {"dateTime": "2026-11-23T10:00:00.0000000", "timeZone": "UTC"},
    "isAllDay": False,
    "isCancelled": False,
    "isDraft": False,
    "isOrganizer": False,
    "sensitivity": "normal",
    "showAs": "busy",
    "organizer": {"emailAddress": {"name": "Kim", "address": "kim@example.org"}},
    "attendees": [],
    "responseStatus": {"response": "accepted"},
    "lastModifiedDateTime": "2026-11-22T08:00:00.5Z",
}


@cache
def made() -> tuple[str, str]:
    return make_certificate(datetime(2026, 1, 1, tzinfo=UTC), timedelta(days=365))


@cache
def private_key() -> Any:
    return load_pem_private_key(made()[1].encode(), None)


def seal() -> dict[str, str]:
    return encrypt(EVENT, made()[0], "mine", random.Random(1))


def spoil(text: str) -> str:
    data = bytearray(b64decode(text))
    data[-1] ^= 1
    return b64encode(bytes(data)).decode()


class TestOpening:
    def test_gives_back_what_was_sealed(self) -> None:
        content = open_content(seal(), private_key())
        assert content is not None
        assert json.loads(content) == EVENT

    @pytest.mark.parametrize("name", ["data", "dataKey", "dataSignature"])
    @pytest.mark.parametrize("how", ["spoilt", "missing", "no base64", "no text", "empty"])
    def test_nothing_that_is_not_as_it_was_sent(self, name: str, how: str) -> None:
        sealed: dict[str, Any] = dict(seal())
        found = {"spoilt": spoil(sealed[name]), "missing": None, "no base64": "%", "no text": 7, "empty": ""}
        assert open_content({**sealed, name: found[how]}, private_key()) is None

    def test_nothing_for_another_certificate(self) -> None:
        other = make_certificate(datetime(2026, 1, 1, tzinfo=UTC), timedelta(days=365))
        assert open_content(encrypt(EVENT, other[0], "other", random.Random(1)), private_key()) is None

    def test_only_for_whom_a_keyring_has_wrapped_it(self) -> None:
        """What worlds remember instead of unwrapping it opens no more than the key itself."""
        keyring = Keyring()
        ours, theirs = (
            keyring.load(made()[1]),
            keyring.load(make_certificate(datetime(2026, 1, 1, tzinfo=UTC), timedelta(days=365))[1]),
        )
        sealed = encrypt(EVENT, made()[0], "mine", random.Random(1), wrap=keyring.wrap)
        for each in (sealed, seal()):
            assert json.loads(open_content(each, ours) or b"") == EVENT
            assert open_content(each, theirs) is None
        assert open_content({**sealed, "dataKey": spoil(sealed["dataKey"])}, ours) is None


class TestReading:
    def test_a_single_event(self) -> None:
        copy = parse_content(json.dumps(EVENT).encode(), "e1")
        assert copy is not None
        assert (copy.etag, copy.ical_uid, copy.answer) == ('W/"k1"', "u1", "accepted")
        assert copy.modified_at == datetime(2026, 11, 22, 8, 0, 0, 500_000, UTC)

    @pytest.mark.parametrize("kind", ["seriesMaster", "occurrence", "exception", "somethingNew", None])
    def test_nothing_else(self, kind: str | None) -> None:
        assert parse_content(json.dumps({**EVENT, "type": kind}).encode(), "e1") is None

    def test_no_other_event(self) -> None:
        assert parse_content(json.dumps(EVENT).encode(), "e2") is None

    @pytest.mark.parametrize("name", sorted(set(EVENT) - {"@odata.etag", "seriesMasterId", "id"}))
    def test_nothing_that_says_less_than_a_reading(self, name: str) -> None:
        less = {key: value for key, value in EVENT.items() if key != name}
        assert parse_content(json.dumps(less).encode(), "e1") is None

    @pytest.mark.parametrize("text", [b"", b"no json", b"[]", b'{"id": 7}', b"\xff"])
    def test_nothing_that_is_no_event(self, text: bytes) -> None:
        assert parse_content(text, "e1") is None
