"""Whether what runs may still act: a worker that slept past its lease has been replaced, and must not.

Whoever touches the world on behalf of a pass asks `check_lease` right before: each request, each commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from engine.errors import Stale

_check: ContextVar[Callable[[], None] | None] = ContextVar("lease", default=None)


class LeaseLost(Stale):
    """The lease of a pass has ended: somebody else may be at work on its key, so what it found out is dropped."""


@contextmanager
def acting_under(check: Callable[[], None]) -> Iterator[None]:
    """Have *check* asked before everything that is done within. It raises LeaseLost."""
    before = _check.set(check)
    try:
        yield
    finally:
        _check.reset(before)


def check_lease() -> None:
    """Raise LeaseLost when this is done in a pass whose lease has ended; outside of passes nothing is asked."""
    check = _check.get()
    if check is not None:
        check()
