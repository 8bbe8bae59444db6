"""A room's light: the worst that can be said of it, and nothing that the way rooms are followed makes meaningless."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from engine.rooms.health import LIGHTS, FollowRule, HealthCode, RoomHealth, judge

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
RULE = FollowRule(push=True, stale_after=timedelta(hours=12))

WELL = RoomHealth(
    room_id=1,
    name="Fern",
    state="active",
    state_since=NOW - timedelta(days=9),
    state_detail=None,
    subscribed=True,
    expires_at=NOW + timedelta(days=2),
    renewed_at=NOW,
    notified_at=NOW,
    signalled_at=NOW,
    read_at=NOW - timedelta(hours=12),
    contacted=True,
    changed_unsignalled=0,
    deaf=False,
)


def test_all_is_well_up_to_the_last_moment() -> None:
    """A reading may be as old as the rule says, that instant included."""
    assert judge(WELL, RULE, now=NOW) is HealthCode.FOLLOWED
    assert judge(WELL, RULE, now=NOW + timedelta(seconds=1)) is HealthCode.STALE


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"state": "excluded", "contacted": False}, HealthCode.EXCLUDED),
        ({"state": "suspended", "deaf": True}, HealthCode.SUSPENDED),
        ({"state": "missing", "subscribed": False}, HealthCode.MISSING),
        ({"contacted": False, "read_at": None, "subscribed": False}, HealthCode.UNREAD),
        ({"deaf": True, "read_at": None}, HealthCode.DEAF),
        ({"subscribed": False, "read_at": None}, HealthCode.UNSUBSCRIBED),
        ({"read_at": None}, HealthCode.STALE),
    ],
)
def test_the_worst_is_said(change: dict[str, object], code: HealthCode) -> None:
    assert judge(replace(WELL, **change), RULE, now=NOW) is code  # type: ignore[arg-type]


def test_without_notifications_subscriptions_mean_nothing() -> None:
    polled = replace(RULE, push=False)

    assert judge(replace(WELL, subscribed=False, deaf=True), polled, now=NOW) is HealthCode.FOLLOWED


def test_every_reason_has_a_light() -> None:
    assert set(LIGHTS) == set(HealthCode)
