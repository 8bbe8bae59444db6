"""What the commands ask of the rest of the house, and how they find it."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from engine.cli.asking import Ask, ask_over_http
from engine.cli.output import Format, note

if TYPE_CHECKING:
    from datetime import datetime

    from engine.calendars.book import FeedBook
    from engine.calendars.mailing import MailBook
    from engine.ids import BookableId
    from engine.loans.personal import PersonalBook
    from engine.loans.register import LoanRegister
    from engine.outbox.message import OutboxBook
    from engine.reconcile.backfill.book import Backfill, BackfillBook
    from engine.reconcile.cases.ways import CaseDesk
    from engine.reconcile.contacts import ContactReport
    from engine.reconcile.series.book import SeriesBook
    from engine.reconcile.telling.why import Answer
    from engine.reconcile.words.local import PlainTimes
    from engine.rooms.connection import Connection
    from engine.rooms.room import Room
    from engine.settings import Settings
    from engine.web.pages.parts.trials import Trial
    from engine.webhooks.endpoint import WebhookBook


class RoomShelf(Protocol):
    def load_rooms(self) -> Sequence[Room]: ...


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
    def personal(self) -> PersonalBook: ...

    @property
    def mails(self) -> MailBook: ...

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

    def send_trial_mail(self, settings: Settings, address: str) -> Coroutine[Any, Any, str]:
        """Send one mail and return what the server said."""
        ...

    def export_contacts(
        self, settings: Settings, told: Callable[[ContactReport], None], *, dry: bool
    ) -> Coroutine[Any, Any, ContactReport]:
        """Export requesters from outside to the folder of contacts; with *dry* only say what that would do."""
        ...

    def import_rooms(self, settings: Settings) -> Coroutine[Any, Any, Sequence[PlanLine]]:
        """Read the directory's rooms and bring ours in line."""
        ...

    def carry_on_backfill(
        self, settings: Settings, number: int, told: Callable[[Backfill], None]
    ) -> Coroutine[Any, Any, Backfill]:
        """Carry on with a backfill until what was ordered is done, telling after each step."""
        ...


def find_engine() -> Engine:
    """Return the composition root, imported only now."""
    return cast("Engine", import_module("engine.app"))


def read_settings(path: Path | None) -> Settings:
    """Return the settings of this run. Raises BadSettings."""
    from engine.settings import load_settings

    return load_settings(path, os.environ)


@dataclass
class Doors:
    """How one run of the command line reaches everything; a test hands over its own."""

    path: Path | None = None
    engine: Callable[[], Engine] = find_engine
    read: Callable[[Path | None], Settings] = read_settings
    ask: Ask = ask_over_http
    _settings: list[Settings] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        if not self._settings:
            self._settings.append(self.read(self.path))
        return self._settings[0]

    @contextmanager
    def office(self) -> Iterator[Office]:
        """Open the office for the time of a command; say so where that makes a new database."""
        file = Path(self.settings.database.url.removeprefix("sqlite:///")).absolute()
        is_new = self.settings.database.url.startswith("sqlite:///") and not file.exists()
        with self.engine().open_office(self.settings) as office:
            if is_new and file.exists():
                note(f"{file} was not there: an empty database was made; another one is named in ENGINE_DATABASE__URL")
            yield office

    @property
    def times(self) -> PlainTimes:
        """How times are shown to whoever types: in the zone of the settings, as they are typed."""
        from zoneinfo import ZoneInfo

        from engine.reconcile.words.local import PlainTimes

        return PlainTimes(ZoneInfo(self.settings.rooms.time_zone))

    def explainer(self, language: str, output: Format = Format.TABLE) -> Callable[[str, Mapping[str, object]], str]:
        """Return what makes sentences of reasons: local times for whoever types, UTC for scripts, as in the API."""
        from engine.reconcile.words.local import say_here
        from engine.reconcile.words.reasons import explain

        if output is Format.JSON:
            return lambda code, facts: explain(code, facts, language)
        times = self.times
        return lambda code, facts: say_here(explain, code, facts, language, times)

    @property
    def actor(self) -> str:
        """How histories name whoever types."""
        import getpass

        try:
            return f"app:{getpass.getuser()}"
        except (OSError, KeyError):  # a container may have no name for its user
            return "app:operator"
