"""Own calendars without a directory, for the pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from engine.reconcile.own_calendar import OwnCalendar
from engine.web.pages.parts.own_calendars import Answer
from engine.web.provider import Journey


@dataclass
class MemoryDesk:
    """Somebody who asks no directory."""

    said: Answer = Answer.CONNECTED
    calendar: OwnCalendar | None = None
    came: list[tuple[str, str, str]] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def find(self, address: str) -> OwnCalendar | None:
        return self.calendar

    def begin(self, address: str) -> tuple[str, Journey]:
        return f"https://login.example/authorize?login_hint={quote(address)}", Journey("state", "nonce", "verifier")

    def finish(self, journey: Journey, answer: Mapping[str, str], address: str) -> Answer:
        self.came.append((journey.verifier, answer.get("code", ""), address))
        return self.said

    def disconnect(self, address: str) -> None:
        self.left.append(address)
