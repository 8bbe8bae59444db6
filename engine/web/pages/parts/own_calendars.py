"""What the page of one's own Outlook calendar asks of the rest of the house."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

from engine.reconcile.own_calendar import OwnCalendar
from engine.web.provider import Journey


class Answer(StrEnum):
    """How somebody came back from the consent page."""

    CONNECTED = "connected"
    DECLINED = "declined"
    """They said no, or the directory did for them."""
    OTHER_ACCOUNT = "other-account"
    """They signed in as somebody else than here."""
    REFUSED = "refused"
    """The directory gave no lasting permission."""
    STRANGE = "strange"
    """The answer does not belong to a question of this browser's."""


class OwnCalendarDesk(Protocol):
    """Where people connect their own calendar."""

    def find(self, address: str) -> OwnCalendar | None: ...

    def begin(self, address: str) -> tuple[str, Journey]:
        """Return where to send somebody, and what to remember."""
        ...

    def finish(self, journey: Journey, answer: Mapping[str, str], address: str) -> Answer:
        """Connect the calendar of whoever came back. Raises Unreachable."""
        ...

    def disconnect(self, address: str) -> None:
        """Take our entries out again. Raises NotFound."""
        ...
