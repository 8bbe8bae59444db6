"""What the commands ask of the rest of the house, and how they find it."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from engine.cli.outlook import Ask, ask_over_http

if TYPE_CHECKING:
    from datetime import datetime

    from engine.calendars.book import FeedBook
    from engine.ids import BookableId, StoreId
    from engine.loans.register import LoanRegister
    from engine.outbox.message import OutboxBook
    from engine.reconcile.backfill_book import Backfill, BackfillBook
    from engine.reconcile.contacts import ContactReport
    from engine.reconcile.series_book import SeriesBook
    from engine.reconcile.ways import CaseView, Way
    from engine.reconcile.why import Answer
    from engine.rooms.connection import Connection
    from engine.rooms.room import Room
    from engine.settings import Settings
    from engine.web.pages.welcome_parts import Trial
    from engine.webhooks.endpoint import WebhookBook


class RoomShelf(Protocol):
    def load_rooms(self) -> Sequence[Room]: ...


class CaseDesk(Protocol):
    """What can be done about cases; the desk lists them."""

    def find(self, case_id: int) -> CaseView: ...

    def settle(self, case_id: int, way: Way, *, room_id: BookableId | None, actor: str) -> CaseView: ...

    def undo(self, case_id: int, *, actor: str) -> CaseView: ...

    def policy_of(self, store_id: StoreId) -> Mapping[str, Way]: ...

    def set_policy(self, store_id: StoreId, policy: Mapping[str, Way], *, actor: str) -> None: ...


class WhyDesk(Protocol):
    def ask(self, room_id: BookableId, at: datetime) -> Answer: ...


class TokenDrawer(Protocol):
    """The bearer tokens of machines. A listed token is shown as a mapping, without its secret."""

    def create(self, name: str, role: str) -> str: ...

    def list_tokens(self) -> Sequence[Mapping[str, object]]: ...

    def revoke(self, name: str) -> None:
        """End a token. Raises NotFound."""
        ...


class Office(Protocol):
    """The engine without a network: works on the database whether the service runs or not."""

    @property
    def desk(self) -> LoanRegister: ...

    @property
    def series(self) -> SeriesBook: ...

    @property
    def cases(self) -> CaseDesk: ...

    @property
    def why(self) -> WhyDesk: ...

    @property
    def rooms(self) -> RoomShelf: ...

    @property
    def tokens(self) -> TokenDrawer: ...

    @property
    def instance(self) -> str: ...

    @property
    def outbox(self) -> OutboxBook: ...

    @property
    def webhooks(self) -> WebhookBook: ...

    @property
    def backfills(self) -> BackfillBook: ...

    @property
    def feeds(self) -> FeedBook: ...

    def enqueue(self, kind: str, key: str) -> None: ...

    def read_status(self) -> Mapping[str, object]:
        """Return what `GET /api/status` shows."""
        ...

    def list_subscriptions(self) -> Sequence[Mapping[str, object]]:
        """Return one mapping per followed room, ready to be shown."""
        ...


class PlanLine(Protocol):
    """One thing that was, or would be, done: `sign` is `+`, `~` or `-`, `what` it touches, `why` in a sentence."""

    @property
    def sign(self) -> str: ...

    @property
    def what(self) -> str: ...

    @property
    def why(self) -> str: ...


class Engine(Protocol):
    """What the composition root offers; the module `engine.app` is one."""

    def open_office(self, settings: Settings) -> AbstractContextManager[Office]: ...

    def run_service(self, settings: Settings, roles: Collection[str] = ()) -> None:
        """Run until told to stop: everything, or only the *roles* named (`web`, `worker`, `scheduler`)."""
        ...

    def plan_sync(
        self, settings: Settings, room: Room | None, apply: bool, language: str
    ) -> Coroutine[Any, Any, Sequence[PlanLine]]:
        """Compare one room, or all, with Outlook; act on it only when *apply* says so."""
        ...

    def describe_connection(self, settings: Settings) -> Connection:
        """Return how the tenant knows us."""
        ...

    def try_permissions(self, settings: Settings) -> Coroutine[Any, Any, Sequence[Trial]]:
        """Try each thing the engine needs of the tenant, and the one that must not work."""
        ...

    def export_contacts(
        self, settings: Settings, told: Callable[[ContactReport], None], *, dry: bool
    ) -> Coroutine[Any, Any, ContactReport]:
        """Export requesters from outside to the folder of contacts; with *dry* only say what that would do."""
