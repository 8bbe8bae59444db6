"""Locks by name that all engines of one world see, as PostgreSQL keeps them: they end with who holds them."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.prove.world.life import Life


@dataclass
class Latch:
    """Who holds what."""

    holders: dict[str, Life] = field(default_factory=dict)

    def seen_by(self, life: Life) -> Seen:
        return Seen(self.holders, life)


@dataclass
class Seen:
    """The latches as one engine takes them. Its process takes each at most once at a time."""

    _holders: dict[str, Life]
    _life: Life

    def try_take(self, name: str) -> bool:
        """Take *name* unless another engine that lives holds it."""
        holder = self._holders.get(name)
        if holder is not None and holder is not self._life and not holder.is_over:
            return False
        self._holders[name] = self._life
        return True

    def give_back(self, name: str) -> None:
        """Let go of *name*."""
        if self._holders.get(name) is self._life:
            del self._holders[name]
