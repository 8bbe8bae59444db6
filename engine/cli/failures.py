"""How commands fail: one line on stderr, and an exit code that scripts can read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from engine.errors import (
    BadSettings,
    CredentialsRevoked,
    DatabaseUnusable,
    DeskError,
    EngineError,
    Invalid,
    NotFound,
    Transient,
    Unavailable,
    Unmatched,
)

if TYPE_CHECKING:
    from engine.reconcile.words.local import Times


class Exit(IntEnum):
    """What a command's end tells. Documented in the help of the whole."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    UNREACHABLE = 3
    NOT_FOUND = 4


EXIT_HELP = (
    "Exit codes: 0 done, 1 refused or in conflict, 2 bad usage or settings, 3 not reachable, 4 no such thing. "
    "Results go to stdout, progress and messages to stderr."
)

_CODES: Mapping[type[EngineError], Exit] = MappingProxyType(
    {
        NotFound: Exit.NOT_FOUND,
        Unmatched: Exit.NOT_FOUND,
        Invalid: Exit.USAGE,
        BadSettings: Exit.USAGE,
        DeskError: Exit.REFUSED,
        Transient: Exit.UNREACHABLE,
        DatabaseUnusable: Exit.UNREACHABLE,
        CredentialsRevoked: Exit.UNREACHABLE,
    }
)


def exit_code(error: EngineError) -> Exit:
    """Return the code of the nearest class that has one."""
    return next((_CODES[kind] for kind in type(error).__mro__ if kind in _CODES), Exit.REFUSED)


def tell(error: EngineError, times: Times | None = None) -> None:
    """Say on stderr what went wrong, one line per fault; a clash by *times*, where they are known."""
    said = _say_clashes(error, times) if isinstance(error, Unavailable) and times is not None else str(error)
    for line in said.splitlines() or [type(error).__name__]:
        typer.echo(f"error: {line}", err=True)


def _say_clashes(error: Unavailable, times: Times) -> str:
    return "\n".join(
        f"{clash.item_name} is taken {times.stretch(clash.start, clash.end)} "
        + (f"by loan {clash.loan_number}" if clash.loan_number else "by a meeting in Outlook")
        for clash in error.clashes
    )


_FOUND_BY_PYDANTIC: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"Value error, (.+)", re.DOTALL), r"\1"),
    (re.compile(r"Input should be a valid integer\b.*", re.DOTALL), "must be a whole number"),
    (re.compile(r"Input should be a valid number\b.*", re.DOTALL), "must be a number"),
    (re.compile(r"Input should be greater than or equal to (.+)"), r"must be at least \1"),
    (re.compile(r"Input should be less than or equal to (.+)"), r"must be at most \1"),
)
"""What Typer hands on of pydantic's findings about an argument, in words for people."""


def say_plainly(found: str) -> str:
    """Return what is wrong with an argument; *found* as it is, where it is not pydantic's."""
    for pattern, said in _FOUND_BY_PYDANTIC:
        if match := pattern.fullmatch(found):
            return match.expand(said)
    return found


class Group(TyperGroup):
    """Commands whose engine errors are told in one line, without a traceback, and whose help fills the terminal."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command. Its help is written in lines of ours, which would be broken again in a narrow terminal."""
        found = super().get_command(ctx, cmd_name)
        if found is not None and found.help:
            found.help = "\n\n".join(" ".join(part.split()) for part in found.help.split("\n\n"))
        return found

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = say_plainly(error.message)
            raise
        except EngineError as error:
            tell(error, ctx.obj.times if isinstance(error, Unavailable) and ctx.obj is not None else None)
            raise typer.Exit(exit_code(error)) from None
