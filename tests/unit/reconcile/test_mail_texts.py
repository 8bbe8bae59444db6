"""What mails say: times as people read them, and every kind of news in both languages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from engine.calendars.mailing import MailKind
from engine.interval import Interval
from engine.reconcile.telling.mail_texts import EXPLAINED, HAPPENED, SERIES, render_series_title, render_when

MONDAY = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "language", "said"),
    [
        (1, "en", "Mon 23 November 2026, 10:30 – 11:30 (Europe/Paris)"),
        (1, "fr", "lun. 23 novembre 2026, 10:30 – 11:30 (Europe/Paris)"),
        (192, "en", "Mon 23 November 2026, 10:30 – Tue 1 December 2026, 10:30 (Europe/Paris)"),
        (192, "fr", "lun. 23 novembre 2026, 10:30 – mar. 1er décembre 2026, 10:30 (Europe/Paris)"),
        (24, "en", "Mon 23 November 2026, 10:30 – Tue 24 November 2026, 10:30 (Europe/Paris)"),
    ],
)
def test_a_time_is_told_on_the_wall_of_its_zone(hours: float, language: str, said: str) -> None:
    interval = Interval(MONDAY, MONDAY + timedelta(hours=hours))

    assert render_when(interval, "Europe/Paris", language) == said


def test_every_kind_of_news_has_its_words() -> None:
    for table in (HAPPENED, EXPLAINED, SERIES):
        assert {kind.value for kind in MailKind} <= set(table)
        for english, french in table.values():
            assert english
            assert french
            assert english != french


def test_dates_of_a_series_are_counted() -> None:
    assert render_series_title("cancelled", 12, "fr") == "12 dates annulées"
    assert render_series_title("booked", 3, "en") == "3 dates booked"
