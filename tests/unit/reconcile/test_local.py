"""Sentences in the zone of whoever reads them; what is on the room's own clock stays there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from engine.errors import Clash, Unavailable
from engine.reconcile.words.local import PlainTimes, say_fact, say_here
from engine.reconcile.words.reasons import explain
from engine.web.translations import Formats

PARIS = ZoneInfo("Europe/Paris")


def say(code: str, **facts: object) -> str:
    return say_here(explain, code, facts, "en", PlainTimes(PARIS))


class TestHere:
    def test_a_stretch_has_its_day_once_and_no_utc(self) -> None:
        said = say("imported", start="2026-11-23 09:00", end="2026-11-23 10:00")
        assert said == "Created from a meeting in Outlook, 2026-11-23 10:00 - 11:00."

    def test_a_stretch_over_midnight_has_both_days(self) -> None:
        said = say("imported", start="2026-11-23 22:30", end="2026-11-23 23:30")
        assert said == "Created from a meeting in Outlook, 2026-11-23 23:30 - 2026-11-24 00:30."

    def test_what_the_desk_changed_is_local_too(self) -> None:
        said = say("changed_in_app", fields={"start": {"old": "2026-07-01 08:00", "new": "2026-11-23 09:00"}})
        assert said == "Changed in the app: start: 2026-07-01 10:00 → 2026-11-23 10:00."

    @pytest.mark.parametrize(
        ("hours", "language", "said"),
        [
            (1, "en", "Oak is taken 2026-11-23 22:30 - 23:30 by loan 7; Elm is taken 2026-11-23 22:30 - 23:30 by"),
            (1, "fr", "Oak : pris 2026-11-23 22:30 - 23:30 par le prêt 7 ; Elm : pris 2026-11-23 22:30 - 23:30 par"),
            (2, "en", "Oak is taken 2026-11-23 22:30 - 2026-11-24 00:30 by loan 7; Elm is"),
            (49, "fr", "Oak : pris 2026-11-23 22:30 - 2026-11-25 23:30 par le prêt 7 ; Elm :"),
        ],
    )
    def test_so_are_the_times_in_a_refusal_of_the_desk(self, hours: int, language: str, said: str) -> None:
        """What a policy could not do is quoted: the desk speaks UTC. A day of its own for an end on another day."""
        start = datetime(2026, 11, 23, 21, 30, tzinfo=UTC)
        end = start + timedelta(hours=hours)
        refusal = Unavailable(Clash(1, "Oak", start, end, 7), Clash(2, "Elm", start, end))

        sentence = say_here(explain, "policy_failed", {"case": 3, "error": str(refusal)}, language, PlainTimes(PARIS))

        assert said in sentence
        assert "UTC" not in sentence

    def test_so_is_what_only_would_be_done(self) -> None:
        would = [["moved_in_outlook", {"old": "2026-11-23 09:00 - 2026-11-23 10:00", "new": "2026-11-24 09:00"}]]
        assert "from 2026-11-23 10:00 - 11:00 to 2026-11-24 10:00." in say("write_withheld", would=would)

    @pytest.mark.parametrize("times", [PlainTimes(PARIS), Formats("en", PARIS)])
    def test_opening_hours_and_the_times_held_against_them_are_by_the_room(self, times: PlainTimes | Formats) -> None:
        """They come as the room's wall clock shows them: moving them once more would refuse 08:00 as 09:00."""
        facts = {"start": "2026-11-23 05:00", "end": "2026-11-23 06:30", "hours": "08:00-20:00"}
        said = say_here(explain, "outside_opening_hours", facts, "en", times)
        hours = f"08:00{times.dash.strip()}20:00"
        assert f"05:00{times.dash}06:30 is outside the opening hours ({hours})" in said

    @pytest.mark.parametrize(
        ("times", "day"), [(PlainTimes(PARIS), "2026-11-01"), (Formats("fr", PARIS), "dim. 1er nov. 2026")]
    )
    def test_a_day_reads_as_all_days_do(self, times: PlainTimes | Formats, day: str) -> None:
        """By itself, and in what only would be done."""
        facts = {"day": "2026-11-01", "series": 3}
        said = f"La date du {day} de la série 3."
        assert say_here(explain, "date_of_series", facts, "fr", times) == said
        would = {"would": [["date_of_series", facts]]}
        assert say_here(explain, "write_withheld", would, "fr", times).endswith(said)

    def test_a_day_without_opening_hours_is_closed_in_french_too(self) -> None:
        facts = {"start": "2026-11-22 09:00", "end": "2026-11-22 10:00", "hours": "closed"}
        assert explain("outside_opening_hours", facts, "fr").startswith("Hors des heures d’ouverture (fermé) : ")

    def test_the_end_of_the_booking_window_is_by_the_room(self) -> None:
        said = say("beyond_booking_window", end="2026-12-23 09:00", window_days=30)
        assert said.startswith("It ends 2026-12-23 09:00,")

    @pytest.mark.parametrize(
        ("fact", "shown"),
        [
            ("2026-11-23 09:00 - 2026-11-23 10:00", "2026-11-23 10:00 - 11:00"),
            ("2026-11-23 09:00", "2026-11-23 10:00"),
            ("Tea at 09:00", "Tea at 09:00"),
            (7, "7"),
        ],
    )
    def test_one_fact_by_itself(self, fact: object, shown: str) -> None:
        assert say_fact(fact, PlainTimes(PARIS)) == shown
