"""What the pages are handed, beyond what the API is: again protocols and callables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Protocol
from zoneinfo import ZoneInfo

from fastapi import Depends, Request

from engine.ids import Address
from engine.loans.board import BoardShelf
from engine.loans.loan import Requester
from engine.reconcile.case_list import CaseShelves
from engine.reconcile.ledger import SyncRules
from engine.web.pages.live import Live
from engine.web.parts import WebParts


class Session(Protocol):
    """Somebody signed in, on one browser."""

    @property
    def id(self) -> int: ...

    @property
    def name(self) -> str: ...

    @property
    def address(self) -> Address: ...

    @property
    def role(self) -> str: ...

    @property
    def provider(self) -> str: ...

    @property
    def agent(self) -> str: ...

    @property
    def created_at(self) -> datetime: ...

    @property
    def seen_at(self) -> datetime: ...


class SessionBook(Protocol):
    """Who is signed in."""

    def create(self, person: Requester, role: str, *, provider: str, agent: str) -> str:
        """Sign somebody in and return the secret for their browser."""
        ...

    def find(self, plain: str) -> Session | None:
        """Return whose session a secret opens; None when it opens none."""
        ...

    def list_of(self, address: str) -> Sequence[Session]:
        """Return the live sessions of one person, the newest first."""
        ...

    def revoke(self, session_id: int, *, address: str) -> None:
        """End one session of one person. Raises NotFound."""
        ...


class PeopleShelf(Protocol):
    """Where people are looked up."""

    def find(self, part: str, *, limit: int) -> Sequence[Requester]:
        """Return people whose name or address contains *part*, by name."""
        ...


@dataclass(frozen=True, slots=True)
class PageParts:
    """Everything the pages need from the rest of the house.

    Args:
        web: what the API has: the desk, the rooms, the queue, the clock, the sentences of reasons.
        rules: the settings the sync follows, as they are now.
        zone: the building's time zone, in which pages show and take times.
        development: whom the development sign-in offers; None: there is none.
        secure: whether people reach us over https, so that cookies may insist on it.
        simulated: whether Outlook is played by the simulated tenant.
    """

    web: WebParts
    sessions: SessionBook
    board: BoardShelf
    people: PeopleShelf
    cases: CaseShelves
    live: Live
    rules: Callable[[], SyncRules]
    zone: ZoneInfo
    development: Sequence[Requester] | None = None
    secure: bool = False
    simulated: bool = False


async def find_page_parts(request: Request) -> PageParts:
    """Return the parts of the app that answers *request*."""
    parts: PageParts = request.app.state.parts
    return parts


Parts = Annotated[PageParts, Depends(find_page_parts)]
