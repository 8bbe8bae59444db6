"""What the API says about rooms, assets, stores and their rules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from engine.loans.loan import Asset, Store, TextLevel
from engine.loans.rules import BookingRules, OpeningHours
from engine.rooms.room import Room, RoomState
from engine.web.access import Role
from engine.web.api import wire
from engine.web.api.wire import STORABLE, WHOLE, Incoming, Name, Outgoing, Page, Spoken
from engine.web.translations import N_

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def _check_clock(value: str) -> str:
    if not _CLOCK.fullmatch(value):
        raise PydanticCustomError("clock_malformed", N_("must be a time of day such as 08:30"))
    return value


def _check_hours(value: tuple[str, str]) -> tuple[str, str]:
    opens, closes = value
    if closes != "00:00" and closes <= opens:
        raise PydanticCustomError("hours_backwards", N_("must close after it opens (00:00 closes at midnight)"))
    return value


Clock = Annotated[str, AfterValidator(_check_clock), Field(json_schema_extra={"pattern": f"^{_CLOCK.pattern}$"})]
Hours = Annotated[tuple[Clock, Clock], AfterValidator(_check_hours)]
Weekday = Literal["1", "2", "3", "4", "5", "6", "7"]


class RulesIn(Incoming):
    """The whole set of rules. What is left out or null follows the store (for a store: is not limited).

    `opening_hours` maps ISO weekdays (1 Monday ... 7 Sunday) to [opens, closes] in local time.
    A day left out is closed.
    """

    opening_hours: dict[Weekday, Hours] | None = None
    window_days: Annotated[int, Field(ge=0, le=3650), WHOLE] | None = None
    duration_minutes_max: Annotated[int, Field(ge=15, le=525_600), WHOLE] | None = None
    automatic_check_out: bool | None = None
    automatic_closing: bool | None = None

    def parse(self) -> BookingRules:
        return BookingRules(
            _parse_hours(self.opening_hours),
            self.window_days,
            self.duration_minutes_max,
            self.automatic_check_out,
            self.automatic_closing,
        )


def _parse_hours(days: Mapping[Weekday, tuple[str, str]] | None) -> OpeningHours | None:
    if days is None:
        return None
    return OpeningHours(
        {int(day): (time.fromisoformat(opens), time.fromisoformat(closes)) for day, (opens, closes) in days.items()}
    )


class RulesOut(Outgoing):
    opening_hours: dict[str, tuple[str, str]] | None
    window_days: int | None
    duration_minutes_max: int | None
    automatic_check_out: bool | None
    automatic_closing: bool | None


def render_rules(rules: BookingRules) -> RulesOut:
    hours = rules.opening_hours
    return RulesOut(
        opening_hours=None
        if hours is None
        else {str(day): (f"{opens:%H:%M}", f"{closes:%H:%M}") for day, (opens, closes) in sorted(hours.days.items())},
        window_days=rules.window_days,
        duration_minutes_max=rules.duration_minutes_max,
        automatic_check_out=rules.automatic_check_out,
        automatic_closing=rules.automatic_closing,
    )


class RoomQuery(Spoken):
    state: RoomState | SkipJsonSchema[None] = None
    after: Annotated[int, Field(ge=0, le=wire.ID_MAX), WHOLE] = 0
    limit: Page = 500


class RoomOut(Outgoing):
    id: int
    address: str
    name: str
    state: RoomState
    store: str
    capacity: int | None
    building: str | None
    floor: str | None
    tags: list[str]
    features: list[str]
    aliases: list[str]
    time_zone: str | None


def render_room(room: Room, stores: Mapping[int, str]) -> RoomOut:
    """Return *room* as callers read it; *stores* names the stores."""
    return RoomOut(
        id=room.id,
        address=room.address,
        name=room.name,
        state=room.state,
        store=stores.get(room.store_id, ""),
        capacity=room.capacity,
        building=room.building,
        floor=room.floor,
        tags=list(room.tags),
        features=list(room.features),
        aliases=list(room.aliases),
        time_zone=room.time_zone,
    )


class AssetIn(Incoming):
    """A thing to lend. Without a store it belongs to the default one."""

    name: Name
    store: Name | None = None
    description: Annotated[str, Field(max_length=2000), STORABLE] = ""


class PageQuery(Spoken):
    after: Annotated[int, Field(ge=0, le=wire.ID_MAX), WHOLE] = 0
    limit: Page = 500


class AssetOut(Outgoing):
    id: int
    name: str
    store: str
    description: str
    retired: bool
    rules: RulesOut


def render_asset(asset: Asset) -> AssetOut:
    return AssetOut(
        id=asset.id,
        name=asset.name,
        store=asset.store,
        description=asset.description,
        retired=asset.retired,
        rules=render_rules(asset.rules),
    )


class StoreOut(Outgoing):
    id: int
    name: str
    approval: bool
    text_level: TextLevel | None
    rules: RulesOut


def render_store(store: Store) -> StoreOut:
    return StoreOut(
        id=store.id,
        name=store.name,
        approval=store.approval,
        text_level=store.text_level,
        rules=render_rules(store.rules),
    )


class TokenIn(Incoming):
    """Whom the token is for; histories name the holder."""

    name: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    role: Literal[Role.VIEWER, Role.STAFF, Role.ADMIN]


class TokenOut(Outgoing):
    """A new token. `token` is shown this once and kept nowhere."""

    name: str
    role: Role
    token: str


class ImportOut(Outgoing):
    status: Literal["enqueued"] = "enqueued"
