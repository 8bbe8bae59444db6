"""When a room's window is opened anew: after it has slid far, or when people want to look further ahead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from engine.worker.rooms import WINDOW_MARGIN, WindowRule

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def rule(horizon: int) -> WindowRule:
    return WindowRule(timedelta(days=30), lambda: timedelta(days=horizon))


def test_it_slides_a_while_before_it_is_opened_anew() -> None:
    window = rule(400).window(NOW)

    assert not rule(400).is_stale(window, NOW + WINDOW_MARGIN - timedelta(days=1))
    assert rule(400).is_stale(window, NOW + WINDOW_MARGIN + timedelta(days=1))


def test_a_longer_horizon_opens_it_at_once_and_a_shorter_one_does_not() -> None:
    """What lies further ahead must be read; what was read already does no harm."""
    window = rule(400).window(NOW)

    assert rule(401).is_stale(window, NOW)
    assert rule(401).is_stale(window, NOW + timedelta(days=10))
    assert not rule(399).is_stale(window, NOW)
