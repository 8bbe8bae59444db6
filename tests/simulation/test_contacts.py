"""Requesters from outside in an Outlook folder: exported on demand, again, after lost answers; never anybody else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine.app.engine import Engine
from engine.app.trials import try_tenant
from engine.errors import Refused
from engine.ids import Address
from engine.interval import Interval
from engine.loans.details import ContactDetails
from engine.loans.loan import Requester
from engine.loans.register import LoanChange, LoanOrder
from engine.prove.world.world import World
from engine.reconcile.contacts import CONTACTS, ContactReport
from engine.web.pages.parts.trials import Needed

DESK = "person-1@example.org"
FOLDER = "Accord requesters"
SETTINGS = {
    "ENGINE_CONTACTS__MAILBOX": DESK,
    "ENGINE_CONTACTS__COLUMNS": "email, stores, loans, phone, birth_date, company, job_title, street, postcode, town",
    "ENGINE_LOANS__DOMAINS": "example.org",
}
ADA = ContactDetails(
    phone="+44 20 7946 0", birth_date="1915-12-10", company="Engines", job_title="Countess",
    street="12 St James's Square", postcode="SW1Y", town="London",
)  # fmt: skip


@pytest.fixture
def world() -> Iterator[World]:
    made = World(rooms=2, people=2, settings=SETTINGS).open()
    yield made
    made.close()


def borrow(world: World, name: str, address: str, hour: float = 10) -> int:
    """Book for somebody; who is not of ours is served through the default user's mailbox."""
    order = LoanOrder(Requester(Address(address), name), Interval(world.at(hour), world.at(hour + 1)), (world.item(1),))
    return int(world.office.desk.book(order, actor="app:test").number)


def export(world: World, *, dry: bool = False, told: list[ContactReport] | None = None) -> ContactReport:
    engine = world.engine
    assert isinstance(engine, Engine)
    assert engine.contacts_pass is not None
    found: ContactReport = world.run(
        engine.contacts_pass.export(dry=dry, tell=(told if told is not None else []).append)
    )
    return found


def cards(world: World) -> list[dict[str, Any]]:
    """Return what the folder holds, as the desk's Outlook shows it."""
    person = world.person(1)
    folders = {each["displayName"]: each["id"] for each in world.run(person.call("GET", "/contactFolders"))["value"]}
    if FOLDER not in folders:
        return []
    answer = world.run(person.call("GET", f"/contactFolders/{folders[FOLDER]}/contacts?$top=1000"))
    return sorted(answer["value"], key=lambda each: str(each["displayName"]))


class TestExporting:
    def test_brings_outsiders_and_nobody_else(self, world: World) -> None:
        """G9, G15: a named folder, made when it is missing; our own people have an address book."""
        borrow(world, "Ada Lovelace", "ada@elsewhere.example")
        world.book(1, 14, 15, 1)
        world.settle()

        report = export(world)

        (ada,) = cards(world)
        assert (ada["givenName"], ada["surname"]) == ("Ada", "Lovelace")
        assert [each["address"] for each in ada["emailAddresses"]] == ["ada@elsewhere.example"]
        assert ada["categories"] == ["Main desk"]
        assert ada["personalNotes"].startswith("Created: 2026-")
        assert ada["personalNotes"].endswith("Loans: 1")
        assert report.text == "1 created, 0 changed, 0 removed, 0 as they were"

    def test_brings_every_column_that_is_chosen_and_known(self, world: World) -> None:
        """G9, the optional columns; what is forgotten here is emptied there, and an export twice writes once."""
        borrow(world, "Ada Lovelace", "ada@elsewhere.example")
        world.office.people.set_details("ADA@elsewhere.example", ADA)

        export(world)
        (ada,) = cards(world)
        assert (ada["businessPhones"], ada["companyName"], ada["jobTitle"]) == (
            ["+44 20 7946 0"],
            "Engines",
            "Countess",
        )
        assert ada["birthday"].startswith("1915-12-10T")
        assert ada["businessAddress"] == {"street": "12 St James's Square", "postalCode": "SW1Y", "city": "London"}
        writes = contact_writes(world)
        assert export(world).planned.same == 1
        assert contact_writes(world) == writes

        world.office.people.set_details(
            "ada@elsewhere.example", ContactDetails(phone="", birth_date="", town="Marylebone")
        )
        assert export(world).text == "0 created, 1 changed, 0 removed, 0 as they were"
        (ada,) = cards(world)
        assert (ada["businessPhones"], ada["birthday"], ada["companyName"]) == ([], None, "Engines")
        assert ada["businessAddress"]["city"] == "Marylebone"

    @pytest.mark.parametrize(
        "body",
        [
            {"birthday": "1915-12-10"},
            {"businessPhones": "+44"},
            {"businessAddress": {"town": "London"}},
            {"companyName": 5},
            {"town": "London"},
        ],
    )
    def test_is_held_to_the_types_of_graph(self, world: World, body: dict[str, Any]) -> None:
        """What the simulated tenant takes, Graph takes: each property by its type."""
        borrow(world, "Ada Lovelace", "ada@elsewhere.example")
        export(world)
        folder = world.run(world.person(1).call("GET", "/contactFolders"))["value"][0]["id"]

        with pytest.raises(Exception, match="400"):
            world.run(world.person(1).call("POST", f"/contactFolders/{folder}/contacts", body))

    def test_again_writes_nothing(self, world: World) -> None:
        borrow(world, "Ada Lovelace", "ada@elsewhere.example")
        export(world)
        writes = contact_writes(world)

        assert export(world).planned.same == 1
        assert contact_writes(world) == writes

    def test_follows_changes_and_takes_away_who_is_gone(self, world: World) -> None:
        """A loan that goes to one of ours leaves an outsider without any."""
        number = borrow(world, "Ada Lovelace", "ada@elsewhere.example")
        borrow(world, "Bea Bell", "bea@elsewhere.example", 12)
        export(world)
        world.change(number, LoanChange(requester=world.requester(1)))
        borrow(world, "Bea Bell", "bea@elsewhere.example", 14)

        assert export(world).text == "0 created, 1 changed, 1 removed, 0 as they were"
        assert [each["personalNotes"].rpartition("\n")[2] for each in cards(world)] == ["Loans: 2"]

    def test_a_dry_run_says_it_and_does_nothing(self, world: World) -> None:
        borrow(world, "Ada Lovelace", "ada@elsewhere.example")
        assert export(world, dry=True).text == "would be: 1 created, 0 changed, 0 removed, 0 as they were"
        assert cards(world) == []

    def test_leaves_what_people_put_there(self, world: World) -> None:
        borrow(world, "Ada Lovelace", "ada@elsewhere.example")
        export(world)
        folder = world.run(world.person(1).call("GET", "/contactFolders"))["value"][0]["id"]
        world.run(world.person(1).call("POST", f"/contactFolders/{folder}/contacts", {"displayName": "Own card"}))

        assert export(world).planned.others == 1
        assert [each["displayName"] for each in cards(world)] == ["Ada Lovelace", "Own card"]

    def test_reads_every_page_and_tells_how_far_it_is(self, world: World) -> None:
        for number in range(45):
            borrow(world, f"Guest {number:02}", f"guest-{number}@elsewhere.example", 8 + number * 24)
        told: list[ContactReport] = []
        export(world, told=told)
        assert [each.done for each in told] == [20, 40]
        assert len(cards(world)) == 45
        assert export(world).planned.same == 45


def test_a_view_limits_whom_it_is_about_and_takes_away_who_does_not_fit() -> None:
    """G10. A loan to come is no longer ago than any."""
    world = World(rooms=2, people=2, settings={**SETTINGS, "ENGINE_CONTACTS__KEPT_DAYS": "2"}).open()
    try:
        borrow(world, "Ada Lovelace", "ada@elsewhere.example")
        borrow(world, "Bea Bell", "bea@elsewhere.example", 12 + 24 * 2)
        assert export(world).text == "2 created, 0 changed, 0 removed, 0 as they were"

        world.wait(4 * 86400)

        assert export(world).text == "0 created, 0 changed, 1 removed, 1 as they were"
        assert [each["displayName"] for each in cards(world)] == ["Bea Bell"]
    finally:
        world.close()


class TestTrouble:
    def test_a_lost_answer_makes_no_second_contact(self, world: World) -> None:
        """A contact has no transaction id: the folder is read again before anything is repeated."""
        borrow(world, "Ada Lovelace", "ada@elsewhere.example")
        world.tenant.faults.add(effect="drop_after", method="POST", path="/contacts$", times=1)

        world.office.enqueue(*CONTACTS)
        world.settle()

        assert [each["displayName"] for each in cards(world)] == ["Ada Lovelace"]

    def test_one_refused_card_does_not_stop_the_others(self, world: World) -> None:
        borrow(world, "Ada Lovelace", "ada@elsewhere.example")
        borrow(world, "Bea Bell", "bea@elsewhere.example", 12)
        world.tenant.faults.add(effect="error", status=400, method="POST", path="/contacts$", times=1)

        report = export(world)

        assert list(report.failed) == ["Ada Lovelace"]
        assert [each["displayName"] for each in cards(world)] == ["Bea Bell"]

    def test_a_missing_permission_parks_the_key(self, world: World) -> None:
        borrow(world, "Ada Lovelace", "ada@elsewhere.example")
        world.tenant.permissions.set(["Place.Read.All", "Calendars.ReadWrite"])

        world.office.enqueue(*CONTACTS)
        world.settle()

        assert world.office.queue.depth().parked == 1

    def test_a_trial_tells_whether_it_is_permitted(self, world: World) -> None:
        """Read and write come as one permission; the folder is looked for, and not made."""
        assert tried(world) == "ok"
        world.tenant.permissions.set(["Place.Read.All", "Calendars.ReadWrite"])
        assert tried(world) == "failed"
        assert cards(world) == []

    def test_nobody_is_exported_while_it_is_not_known_who_is_ours(self, world: World) -> None:
        world.office.rules = type("Rules", (), {"sync": lambda self: type("R", (), {"domains": frozenset()})()})()
        with pytest.raises(Refused, match="domains"):
            export(world)


def test_the_queue_exports_and_remembers_the_report(world: World) -> None:
    borrow(world, "Ada Lovelace", "ada@elsewhere.example")

    world.office.enqueue(*CONTACTS)
    world.settle()

    assert len(cards(world)) == 1
    assert world.office.status.jobs()["export_contacts"]["last_result"] == (
        "1 created, 0 changed, 0 removed, 0 as they were"
    )


def tried(world: World) -> str:
    engine = world.engine
    assert engine is not None
    found = world.run(try_tenant(world.office, engine.calendar, engine.contacts))
    return next(trial.outcome.value for trial in found if trial.needed is Needed.CONTACTS)


def contact_writes(world: World) -> int:
    return sum(
        count for (method, kind, _), count in world.tenant.requests.items() if "contact" in kind and method != "GET"
    )
