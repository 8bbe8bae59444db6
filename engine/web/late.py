"""Applications that are loaded when they are wanted, so that what starts before them starts sooner: the pages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from engine.web.pages.parts.page_parts import PageParts


class LateApp:
    """Loads an application in a thread, once: when somebody first asks for something, or by `load` before that.

    Args:
        make: loads and returns it; called in a thread. What it raises is raised to all who ask.
    """

    def __init__(self, make: Callable[[], ASGIApp]) -> None:
        self._make = make
        self._loading: asyncio.Future[ASGIApp] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = await self.load()
        await app(scope, receive, send)

    async def load(self) -> ASGIApp:
        """Return the application as soon as it is loaded."""
        if self._loading is None:
            self._loading = asyncio.ensure_future(asyncio.to_thread(self._make))
        return await asyncio.shield(self._loading)  # whoever goes away meanwhile leaves it to the others


def load_pages(parts: PageParts) -> ASGIApp:
    """Load everything that pages need, a quarter of all that the service loads, and return them over *parts*."""
    from engine.web.pages.app import create_pages

    return create_pages(parts)
