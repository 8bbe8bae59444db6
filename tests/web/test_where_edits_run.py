"""In which thread an edit of a loan is done."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

import pytest


@pytest.mark.parametrize("embedded", [True, False])
def test_only_an_embedded_database_is_worked_on_from_the_loop(office, embedded):
    """A server may keep an edit waiting, and then the loop would answer nobody else."""
    parts = replace(office.parts, embedded=embedded)

    ran_in = asyncio.run(parts.edit(threading.get_ident))

    assert (ran_in == threading.get_ident()) is embedded


def test_what_an_edit_raises_reaches_its_caller(office):
    parts = replace(office.parts, embedded=True)

    with pytest.raises(ZeroDivisionError):
        asyncio.run(parts.edit(divmod, 1, 0))
