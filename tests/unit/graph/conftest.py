"""A desk with a scripted Graph on the other side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.graph.scripted import Desk, MakeDesk


@pytest.fixture
def make_desk() -> Iterator[MakeDesk]:
    made: list[Desk] = []

    def make(**options: Any) -> Desk:
        made.append(Desk(**options))
        return made[-1]

    yield make
    for desk in made:
        desk.close()


@pytest.fixture
def desk(make_desk: MakeDesk) -> Desk:
    return make_desk()
