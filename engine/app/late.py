"""Something that is being made while others go on already."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

Made = TypeVar("Made")


class Late(Generic[Made]):
    """One value that comes later: whoever asks waits for it. Of the event loop that runs when it is announced."""

    def __init__(self) -> None:
        self._made: asyncio.Future[Made] = asyncio.get_running_loop().create_future()

    def give(self, made: Made) -> None:
        """Hand it over, once."""
        self._made.set_result(made)

    async def get(self) -> Made:
        """Return it, as soon as it is there."""
        return await asyncio.shield(self._made)
