"""Series at the keyboard, before the real desk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.app.office import Office
from engine.cli.doors import Doors
from engine.cli.main import make_app
from engine.cli.repeat import Rule, parse_rule
from engine.errors import Invalid
from engine.ids import Address
from engine.loans.recurrence import Repeat, Week, Weekday
from engine.rooms.listing import plan_import
from engine.rooms.room import Place
from engine.settings import DatabaseSettings, Settings
from tests.web.fakes import NOW

BOOK = ("loans", "book", "--requester", "Alex Doe <alex@example.org>", "--start", "2026-11-23 10:00", "--end", "11:00")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("daily 5 times", Rule(Repeat.DAILY, 1, (), None, None, 5)),
        ("every 2 days until 2027-02-01", Rule(Repeat.DAILY, 2, (), None, date(2027, 2, 1), None)),
        (
            "weekly on mon,wed until 2027-02-01",
            Rule(Repeat.WEEKLY, 1, (Weekday.MONDAY, Weekday.WEDNESDAY), None, date(2027, 2, 1), None),
        ),
        (
            "Every 2 weeks on Thursday and fr 10 times",
            Rule(Repeat.WEEKLY, 2, (Weekday.THURSDAY, Weekday.FRIDAY), None, None, 10),
        ),
        ("monthly 6 times", Rule(Repeat.MONTHLY, 1, (), None, None, 6)),
        (
            "monthly on the last friday 6 times",
            Rule(Repeat.MONTHLY_BY_WEEKDAY, 1, (Weekday.FRIDAY,), Week.LAST, None, 6),
        ),
        ("yearly 3 times", Rule(Repeat.YEARLY, 1, (), None, None, 3)),
    ],
)
def test_a_rule_is_understood(text: str, rule: Rule) -> None:
    assert parse_rule(text) == rule


@pytest.mark.parametrize("text", ["", "weekly", "weekly on xyz 3 times", "daily on mon 3 times", "weekly on t 3 times"])
def test_what_is_no_rule_is_said(text: str) -> None:
    with pytest.raises(Invalid):
        parse_rule(text)


@pytest.fixture
def office(tmp_path: Any) -> Iterator[Office]:
    settings = Settings(
        database=DatabaseSettings(url=f"sqlite:///{tmp_path}/desk.db"), rooms={"time_zone": "Europe/Paris"}
    )
    with Office(settings, now=lambda: NOW) as made:
        places = tuple(
            Place(f"dir-{name}", Address(f"{name.lower()}@example.org"), name, capacity=8) for name in ("Fern", "Moss")
        )
        made.rooms.apply_import(plan_import(places, (), ignored_tags=frozenset()), default_store="Main desk")
        yield made


@pytest.fixture
def run(office: Office) -> Any:
    class Engine:
        @contextmanager
        def open_office(self, settings: Settings) -> Iterator[Office]:
            yield office

    def type_in(*words: str) -> Any:
        doors = Doors(engine=Engine, read=lambda _path: office.settings)  # type: ignore[arg-type]
        return CliRunner().invoke(make_app(), words, obj=doors)

    return type_in


def booked(office: Office) -> list[str]:
    from engine.loans.register import LoanFilter

    return [f"{loan.interval.start:%m-%d %H:%M}" for loan in office.desk.list_loans(LoanFilter())]


class TestASeries:
    def test_is_shown_and_booked(self, run: Any, office: Office) -> None:
        done = run(*BOOK, "--room", "Fern", "--repeat", "weekly 3 times")

        assert done.exit_code == 0
        assert "every week on Monday, 10:00–11:00, 3 times (Europe/Paris)" in done.stderr
        assert "2026-11-30" in done.stdout
        assert booked(office) == ["11-23 09:00", "11-30 09:00", "12-07 09:00"]

    def test_can_be_looked_at_only(self, run: Any, office: Office) -> None:
        assert run(*BOOK, "--room", "Fern", "--repeat", "weekly 3 times", "--preview").exit_code == 0
        assert booked(office) == []

    def test_with_a_date_in_the_way_is_not_booked(self, run: Any, office: Office) -> None:
        """Exit code 1; the table says who is in the way and what is free."""
        run("loans", "book", "--requester", "bo@example.org", "--start", "2026-11-30 10:30", "--end", "12:00",
            "--room", "Fern")  # fmt: skip

        done = run(*BOOK, "--room", "Fern", "--repeat", "weekly 3 times")

        assert done.exit_code == 1
        assert "Fern is taken by loan 1; free: Moss" in " ".join(done.stdout.split())
        assert booked(office) == ["11-30 09:30"]

        choices = ("--skip", "2026-12-07", "--instead", "2026-11-30=Moss")
        made = run(*BOOK, "--room", "Fern", "--repeat", "weekly 3 times", *choices, "-o", "json")

        assert [loan["items"][0]["name"] for loan in json.loads(made.stdout)["loans"]] == ["Fern", "Moss"]

    def test_is_moved_and_cancelled_by_scope(self, run: Any, office: Office) -> None:
        run(*BOOK, "--room", "Fern", "--repeat", "weekly 3 times")

        assert run("loans", "move", "2", "--start", "14:00", "--scope", "following").exit_code == 0
        assert booked(office) == ["11-23 09:00", "11-30 13:00", "12-07 13:00"]
        assert run("loans", "cancel", "1", "--scope", "all").exit_code == 0
        assert json.loads(run("loans", "list", "--status", "cancelled", "-o", "json").stdout)[2]["number"] == 3

    def test_choices_without_one_are_refused(self, run: Any) -> None:
        assert run(*BOOK, "--room", "Fern", "--skip", "2026-11-30").exit_code != 0
