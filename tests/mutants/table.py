"""What a planted bug is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from typing import Any, TypeVar

Act = TypeVar("Act", bound=Callable[[], None])


@dataclass(frozen=True)
class Bug:
    """A planted bug: *plant* puts it into this process, for good."""

    name: str
    what: str
    """What the engine does wrong with it, in words."""
    plant: Callable[[], None]
    story: str
    """The story whose crash sweep is expected to notice it; or else"""
    tests: str
    """the file of tests that is."""


BUGS: dict[str, Bug] = {}


def bug(what: str, *, story: str = "", tests: str = "") -> Callable[[Act], Act]:
    """Enter a function into the table under its own name, with the story or the file of tests that should notice it."""
    assert bool(story) != bool(tests), "either a story or tests"

    def enter(plant: Act) -> Act:
        BUGS[plant.__name__] = Bug(plant.__name__, what, plant, story, tests)
        return plant

    return enter


def replace_in(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """
    Replace the function *name* of a module or class by what *make* makes of it.

    Raises AttributeError when there is none, TypeError when the new one cannot be called like it: such a bug would be
    noticed by whoever calls it, whatever it does.
    """
    former = getattr(owner, name)
    replacement = make(former)
    if callable(former):
        _check_calls(former, replacement)
    setattr(owner, name, replacement)


def _check_calls(former: Callable[..., Any], replacement: Callable[..., Any]) -> None:
    """See that all the arguments of *former*, and those it must have, are taken by *replacement*."""
    parameters = signature(former).parameters.values()
    given = [each for each in parameters if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
    for some in (given, [each for each in given if each.default is each.empty]):
        options = {each.name: None for each in some if each.kind is each.KEYWORD_ONLY}
        signature(replacement).bind(*([None] * (len(some) - len(options))), **options)


def load_bugs() -> dict[str, Bug]:
    """Return the whole table, by name."""
    from tests.mutants import bugs_deciding, bugs_graph, bugs_reading, bugs_writing

    assert all((bugs_deciding, bugs_graph, bugs_reading, bugs_writing))
    return dict(BUGS)
