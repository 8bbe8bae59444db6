"""Content lines: what a parser that is not ours reads is what was written."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Event

from engine.calendars.lines import OCTETS_MAX, escape, fold, text_line, time_lines
from engine.interval import Interval

PARIS = ZoneInfo("Europe/Paris")

TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n"), max_size=300)


def read(line: str) -> Event:
    return Event.from_ical(f"BEGIN:VEVENT\r\n{line}\r\nEND:VEVENT\r\n")


class TestText:
    @given(TEXTS)
    def test_is_read_as_it_was_written(self, text: str) -> None:
        """Commas, semicolons, backslashes, line ends, and letters of several octets at every place of a line."""
        assert str(read(text_line("SUMMARY", text))["SUMMARY"]) == text

    @given(TEXTS)
    def test_lines_are_short_and_never_cut_a_letter(self, text: str) -> None:
        for line in text_line("DESCRIPTION", text).split("\r\n"):
            assert len(line.encode()) <= OCTETS_MAX

    def test_cannot_break_out_of_its_line(self) -> None:
        """A title is somebody else's text: it adds no line of its own."""
        line = text_line("SUMMARY", "Tea\r\nATTENDEE:mailto:eve@example.org\rX:1\x00\x0b")

        assert line == "SUMMARY:Tea\\nATTENDEE:mailto:eve@example.org\\nX:1"

    def test_short_lines_stay_whole(self) -> None:
        assert fold("UID:accord-1") == "UID:accord-1"
        assert escape("a,b;c\\d") == "a\\,b\\;c\\\\d"


class TestTimes:
    def test_are_on_the_wall_of_their_zone(self) -> None:
        interval = Interval(datetime(2026, 11, 23, 9, tzinfo=UTC), datetime(2026, 11, 23, 10, tzinfo=UTC))

        assert time_lines(interval, PARIS) == (
            "DTSTART;TZID=Europe/Paris:20261123T100000",
            "DTEND;TZID=Europe/Paris:20261123T110000",
        )
        assert time_lines(interval, ZoneInfo("UTC")) == ("DTSTART:20261123T090000Z", "DTEND:20261123T100000Z")

    def test_of_whole_days_are_days(self) -> None:
        """The last one ends on the day after it; a day with a clock change is one too."""
        interval = Interval(datetime(2026, 10, 24, tzinfo=PARIS), datetime(2026, 10, 26, tzinfo=PARIS))

        assert time_lines(interval, PARIS) == ("DTSTART;VALUE=DATE:20261024", "DTEND;VALUE=DATE:20261026")
        assert read("\r\n".join(time_lines(interval, PARIS))).decoded("DTEND") == date(2026, 10, 26)

    @pytest.mark.parametrize("hour", [0, 1])
    def test_of_the_repeated_hour_are_told_apart(self, hour: int) -> None:
        """On October 25th 2026 it is 2:30 in Paris twice, at 0:30 and at 1:30 UTC."""
        start = datetime(2026, 10, 25, hour, 30, tzinfo=UTC)
        line, _ = time_lines(Interval(start, start.replace(hour=hour + 2)), PARIS)

        assert read(line).decoded("DTSTART").astimezone(UTC) == start
