"""`feeds`, `people` and `mail`, typed into the real command line over a database of their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from engine.app.office import Office
from engine.calendars.mailing import MailLevel, MailPreference
from engine.cli.doors import Doors
from engine.cli.failures import Exit
from engine.cli.main import make_app
from engine.clock import utc_now
from engine.database.tables import metadata
from engine.ids import Address
from engine.interval import Interval
from engine.loans.loan import ItemKind, Requester
from engine.loans.register import ItemRef, LoanOrder
from engine.settings import DatabaseSettings, Settings
from tests.templates import put_database

ZOE = Requester(Address("zoe@elsewhere.org"), "Zoé Ñandú")
Typing = Callable[..., Result]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A database with a projector that Zoé has booked."""
    found = Settings(database=DatabaseSettings(url=put_database(tmp_path / "accord.db")))
    start = datetime.now(UTC).replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(days=2)
    with Office(found, now=utc_now) as office:
        store = office.inventory.add_store("Annex", actor="app:test")
        projector = office.desk.add_asset("Projector", store=store.name, description="", actor="app:test")
        items = (ItemRef(ItemKind.ASSET, projector.id),)
        wanted = LoanOrder(ZOE, Interval(start, start + timedelta(hours=1)), items, title="Tea")
        office.desk.book(wanted, actor="app:test")
    return found


@pytest.fixture
def run(settings: Settings) -> Typing:
    def type_in(*words: str) -> Result:
        return CliRunner().invoke(make_app(), list(words), obj=Doors(read=lambda _path: settings))

    return type_in


def test_a_feed_is_made_given_another_address_and_ended(run: Typing) -> None:
    made = run("feeds", "create", "person", ZOE.address, "--language", "fr")
    assert made.exit_code == Exit.OK
    assert made.stdout.startswith("http://127.0.0.1:8420/feeds/")
    assert made.stdout.strip().endswith(".ics")

    rotated = json.loads(run("feeds", "rotate", "1", "-o", "json").stdout)
    assert rotated["url"] != made.stdout.strip()
    assert run("feeds", "create", "store", "Annex").exit_code == Exit.OK
    assert run("feeds", "create", "store", "Attic").exit_code == Exit.NOT_FOUND

    assert run("feeds", "revoke", "1").exit_code == Exit.OK
    assert run("feeds", "revoke", "1").exit_code == Exit.NOT_FOUND
    listed = json.loads(run("feeds", "list", "-o", "json").stdout)
    assert [(feed["of"], feed["revoked_at"] is None) for feed in listed] == [(1, True), (ZOE.address, False)]


def test_a_person_is_read_out_and_erased_once_nothing_is_in_the_way(run: Typing, settings: Settings) -> None:
    found = json.loads(run("people", "export", ZOE.address).stdout)
    assert (found["person"][0]["name"], found["loan"][0]["title"]) == (ZOE.name, "Tea")

    refused = run("people", "erase", ZOE.address, "--apply")
    assert (refused.exit_code, "#1" in refused.stderr) == (Exit.REFUSED, True)
    run("loans", "cancel", "1")
    planned = run("people", "erase", ZOE.address)
    assert "1 past loans would become nobody's" in planned.stdout
    assert "--apply" in planned.stderr
    assert run("people", "export", ZOE.address).exit_code == Exit.OK

    assert run("people", "erase", ZOE.address, "--apply").exit_code == Exit.OK
    assert run("people", "export", ZOE.address).exit_code == Exit.NOT_FOUND
    with Office(settings, now=utc_now) as office, office.database.read() as transaction:
        everything = [transaction.connection.execute(table.select()).all() for table in metadata.tables.values()]
    assert ZOE.address not in str(everything)


def test_details_of_a_requester_are_shown_and_set(run: Typing) -> None:
    assert run("people", "details", ZOE.address, "--phone", "+34 1", "--birth-date", "1990-05-17").exit_code == Exit.OK
    run("people", "details", ZOE.address, "--phone", "", "--town", "Vigo")

    shown = json.loads(run("people", "details", ZOE.address, "-o", "json").stdout)
    assert {name: text for name, text in shown.items() if text} == {"birth_date": "1990-05-17", "town": "Vigo"}
    assert "Vigo" in run("people", "details", ZOE.address).stdout
    assert run("people", "details", ZOE.address, "--birth-date", "soon").exit_code == Exit.USAGE
    assert run("people", "details", "nobody@example.org").exit_code == Exit.NOT_FOUND


def test_staff_say_which_mails_somebody_gets(run: Typing, settings: Settings) -> None:
    assert run("mail", "preference", ZOE.address, "soon", "--language", "fr").exit_code == Exit.OK

    with Office(settings, now=utc_now) as office:
        assert office.mails.preference_of(ZOE.address) == MailPreference(MailLevel.SOON, "fr")


def test_a_mail_needs_a_server(run: Typing) -> None:
    tried = run("mail", "test", ZOE.address)

    assert tried.exit_code == Exit.USAGE
    assert "ENGINE_MAIL__HOST" in tried.stderr
