"""What the pages are handed, beyond what the API is: again protocols and callables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Protocol
from zoneinfo import ZoneInfo

from fastapi import Depends, Request

from engine.calendars.book import FeedBook
from engine.calendars.mailing import MailBook
from engine.ids import Address, BookableId, StoreId
from engine.loans.board import BoardShelf
from engine.loans.loan import Asset, Decision, Requester, Store, TextLevel
from engine.loans.own import OwnShelf
from engine.loans.rules import BookingRules
from engine.loans.search import SearchShelf
from engine.loans.sides import SideShelf
from engine.outbox.message import OutboxBook
from engine.reconcile.actions import Note
from engine.reconcile.backfill.book import BackfillBook
from engine.reconcile.cases.listing import CaseShelves
from engine.reconcile.ledger import SyncRules
from engine.reconcile.names import UnknownName
from engine.reconcile.telling.activity import ActivityBoard, Traffic
from engine.rooms.connection import Connection
from engine.rooms.health import FollowRule, ImportState, RoomHealth
from engine.web.pages.live import Live
from engine.web.pages.parts.outlook import OutlookPlayer
from engine.web.pages.parts.own_calendars import OwnCalendarDesk
from engine.web.pages.parts.settings import SettingsDesk
from engine.web.pages.parts.trials import TryTenant
from engine.web.parts import WebParts
from engine.web.provider import IdentityProvider
from engine.webhooks.endpoint import WebhookBook


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

    def list_all(self, *, limit: int) -> Sequence[Session]:
        """Return at most *limit* live sessions of everybody, the newest first."""
        ...

    def list_of(self, address: str) -> Sequence[Session]:
        """Return the live sessions of one person, the newest first."""
        ...

    def revoke(self, session_id: int, *, address: str | None) -> None:
        """End one session: of the person of *address*, or with None of anybody. Raises NotFound."""
        ...


class KeeperBook(Protocol):
    """Who keeps which store."""

    def stores_of_others(self, address: str) -> frozenset[StoreId]:
        """Return the stores that name keepers, and not the person of *address*."""
        ...

    def load_keepers(self) -> Mapping[StoreId, Sequence[Address]]:
        """Return the keepers of the stores that name any."""
        ...

    def set_keepers(self, store_id: StoreId, keepers: Sequence[Address], *, actor: str) -> None:
        """Let a store be kept by *keepers* alone, or with none by all staff. Raises NotFound."""
        ...


class PeopleShelf(Protocol):
    """Where people are looked up."""

    def find(self, part: str, *, limit: int) -> Sequence[Requester]:
        """Return people whose name or address contains *part*, by name."""
        ...


class RoomBoard(Protocol):
    """How the rooms do."""

    def all_rooms(self) -> Sequence[RoomHealth]: ...

    def last_import(self) -> ImportState: ...

    def room_history(self, room_id: int) -> Sequence[Decision]:
        """Return what was decided about a room or an asset itself, the newest first."""
        ...


class Inventory(Protocol):
    """Stores and assets, for those who look after them. Each raises NotFound, and Invalid."""

    def add_store(self, name: str, *, actor: str) -> Store: ...

    def change_store(
        self, store_id: StoreId, *, name: str, approval: bool, text_level: TextLevel | None, actor: str
    ) -> None: ...

    def change_asset(
        self, asset_id: BookableId, *, name: str, description: str, store_id: StoreId, actor: str
    ) -> None: ...

    def retire_asset(self, asset_id: BookableId, *, actor: str) -> None: ...

    def revive_asset(self, asset_id: BookableId, *, actor: str) -> None: ...

    def move_room(self, room_id: BookableId, store_id: StoreId, *, actor: str) -> None: ...

    def rules_of(self, item_id: BookableId) -> BookingRules:
        """Return a room's or an asset's own rules."""
        ...

    def find_asset(self, asset_id: BookableId) -> Asset: ...


@dataclass(frozen=True, slots=True)
class PageParts:
    """Everything the pages need from the rest of the house.

    Args:
        web: what the API has: the desk, the rooms, the queue, the clock, the sentences of reasons.
        mails: which mails people want; None: no mail is sent.
        rules: the settings the sync follows, as they are now.
        follow: what a room's light is judged by.
        compare_rooms: marks every room to be compared whole, as is done every night.
        read_traffic: what was asked of Graph since the start.
        zone: the building's time zone, in which pages show and take times.
        provider: who vouches for people; None: nobody does.
        outlook: who plays Outlook in the simulated tenant; None with a real one.
        try_tenant: tries what the engine needs of its tenant; None where there is nobody to ask.
        own_calendars: where people connect their own calendar; None where nobody is offered it.
        connection: how the tenant knows us.
        development: whom the development sign-in offers; None: there is none.
        secure: whether people reach us over https, so that cookies may insist on it.
        simulated: whether Outlook is played by the simulated tenant.
        approval: whether every booking waits for approval, whatever its store says.
    """

    web: WebParts
    sessions: SessionBook
    board: BoardShelf
    own: OwnShelf
    search: SearchShelf
    people: PeopleShelf
    cases: CaseShelves
    activity: ActivityBoard
    backfills: BackfillBook
    feeds: FeedBook
    mails: MailBook | None
    outbox: OutboxBook
    webhooks: WebhookBook
    compare_rooms: Callable[[], object]
    read_traffic: Callable[[], Traffic]
    room_board: RoomBoard
    inventory: Inventory
    settings: SettingsDesk
    keepers: KeeperBook
    sides: SideShelf
    live: Live
    rules: Callable[[], SyncRules]
    follow: FollowRule
    zone: ZoneInfo
    provider: IdentityProvider | None = None
    outlook: OutlookPlayer | None = None
    try_tenant: TryTenant | None = None
    own_calendars: OwnCalendarDesk | None = None
    connection: Connection = field(default_factory=Connection)
    unknown_names: Callable[[], Sequence[UnknownName]] = tuple
    without_content: Note | None = None
    """Why notifications bring no events; None: they do, where Graph lets them."""
    development: Sequence[Requester] | None = None
    secure: bool = False
    simulated: bool = False
    approval: bool = False


async def find_page_parts(request: Request) -> PageParts:
    """Return the parts of the app that answers *request*."""
    parts: PageParts = request.app.state.parts
    return parts


Parts = Annotated[PageParts, Depends(find_page_parts)]
