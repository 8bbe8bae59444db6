"""Settings that may be changed at run time, as the pages see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from engine.loans.loan import Decision


class SettingKey(StrEnum):
    """What an administrator may change while the engine runs; each is a key of settings.toml too."""

    MODE = "sync.mode"
    IGNORED_TAGS = "rooms.ignored_tags"
    DEFAULT_USER = "loans.default_user"
    DOMAINS = "loans.domains"
    DEFAULT_STORE = "loans.default_store"
    TEXT_LEVEL = "loans.text_level"
    HORIZON = "sync.horizon_days"


@dataclass(frozen=True, slots=True)
class SettingView:
    """One setting: what counts, what file and environment say, and who changed it since; None: nobody did."""

    key: SettingKey
    value: object
    configured: object
    changed_at: datetime | None = None
    changed_by: str | None = None

    @property
    def is_changed(self) -> bool:
        return self.changed_at is not None


class MailboxAnswer(StrEnum):
    """Whether an address has a mailbox that the engine may use."""

    THERE = "there"
    MISSING = "missing"
    UNKNOWN = "unknown"
    """Nobody could be asked just now."""


class SettingsDesk(Protocol):
    """Where they are read and changed."""

    def list_settings(self) -> Sequence[SettingView]: ...

    def list_fixed(self) -> Sequence[tuple[str, str]]:
        """Return every other setting and its value, secrets hidden: these need a restart."""
        ...

    def set_value(self, key: SettingKey, value: str, *, actor: str) -> MailboxAnswer:
        """
        Set a value as a person typed it. Raises Invalid, and changes nothing then.

        Returns whether an address that was given could be looked up; THERE for everything else.
        """
        ...

    def reset(self, key: SettingKey, *, actor: str) -> None:
        """Go back to what file and environment say."""
        ...

    def follow_rename(self, before: str, after: str, *, actor: str) -> None:
        """Name the default store as it is called now, if it is the one that was renamed."""
        ...

    def history(self) -> Sequence[Decision]:
        """Return what administrators changed, the newest first."""
        ...
