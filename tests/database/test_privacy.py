"""Taking people out of what is kept: because it is old, or because somebody asks. Nothing that names them is left."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.calendars.book import FeedKind, FeedOrder
from engine.calendars.mailing import MailLevel, MailPreference
from engine.database.access.sessions import SessionStore
from engine.database.calendars.feeds import FeedStore
from engine.database.calendars.invitations import MailPreferences
from engine.database.calendars.own import OwnCalendarStore
from engine.database.calendars.sealing import Sealer
from engine.database.outbox.messages import write_letters
from engine.database.people.anonymise import NOBODY, Retention
from engine.database.people.outsiders import load_outsiders
from engine.database.people.personal import Personal, scrub
from engine.database.people.search import People
from engine.database.rooms.book import RoomCache
from engine.database.series.desk import SeriesDesk
from engine.database.sql.connection import Database
from engine.database.sql.transaction import Transaction
from engine.database.stores.keepers import Keepers
from engine.database.tables import metadata
from engine.errors import NotAllowed, NotFound
from engine.ids import Address, LoanNumber, StoreId
from engine.loans.details import ContactDetails
from engine.loans.loan import Requester
from engine.loans.recurrence import Repeat, recur
from engine.loans.register import LoanChange
from engine.loans.status import LoanAction
from engine.outbox.changes import ERASURE, RETENTION
from engine.outbox.message import Letter
from engine.reconcile.series.book import SeriesOrder
from tests.database.building import (
    ALEX,
    BY,
    MONDAY,
    SAM,
    Building,
    StandingClock,
    hours,
    insert,
    order,
    room,
    rows,
    update,
)

TWO_YEARS = timedelta(days=730)
ZOE = Requester(Address("Zoe.Nandu@example.org"), "Zoé Ñandú")
DETAILS = ContactDetails(phone="+34 600 100 200", birth_date="1990-05-17", company="Avestruz", town="Ñorquín")


def book(building: Building, start: float = 1, *, requester: Requester = ZOE, title: str = "Salary talk") -> LoanNumber:
    wanted = order(hours(start, start + 1), room(1), requester=requester, title=title)
    return building.desk.book(wanted, actor=BY).number


def finish(building: Building, number: LoanNumber) -> None:
    for action in (LoanAction.CHECK_OUT, LoanAction.CLOSE):
        building.desk.act(number, action, actor=f"app:{ZOE.address}")


def everything(database: Database) -> str:
    """Return all that the database holds, as text."""
    return "\n".join(str(rows(database, name)) for name in sorted(metadata.tables))


def changes(database: Database) -> list[tuple[int, str]]:
    """Have every later change of a loan noted, with its reason."""
    seen: list[tuple[int, str]] = []

    def note(transaction: Transaction) -> None:
        seen.extend((change.number, change.reason) for change in transaction.changes)

    database.announcers["test"] = note
    return seen


class TestWhatIsOld:
    def test_becomes_nobodys(self, building: Building, clock: StandingClock) -> None:
        """Rooms and times stay, whom it was for and what about does not; others are told why."""
        number = book(building, requester=replace(ZOE, details=DETAILS))
        finish(building, number)
        insert(building.database, "case", subject=f"loan:{number}", code="x", facts={"who": ZOE.name}, state="closed",
               standing=True, opened_at=MONDAY, closed_at=MONDAY, loan_number=number)  # fmt: skip
        seen = changes(building.database)
        clock.now = MONDAY + TWO_YEARS + timedelta(days=1)

        assert Retention(building.database).run(clock.now - TWO_YEARS) == 1

        loan = building.desk.find(number)
        assert (loan.requester, loan.title, loan.notes) == (NOBODY, "", "")
        assert loan.interval == hours(1, 2)
        assert [item.name for item in loan.items] == ["Room 1"]
        assert [decision.code for decision in building.desk.history(number)] == ["anonymised"]
        assert seen == [(number, RETENTION)]
        assert "Zo" not in everything(building.database)
        assert "Salary" not in everything(building.database)
        assert rows(building.database, "person_details") == []

    def test_forgets_details_of_whose_loans_went_to_others(self, building: Building, clock: StandingClock) -> None:
        number = book(building, requester=replace(ZOE, details=DETAILS))
        building.desk.change(number, LoanChange(requester=replace(SAM, details=DETAILS)), actor=BY)
        clock.now = MONDAY + TWO_YEARS - timedelta(days=1)
        Retention(building.database).run(clock.now - TWO_YEARS)
        assert len(rows(building.database, "person_details")) == 2

        clock.now = MONDAY + TWO_YEARS + timedelta(days=1)
        Retention(building.database).run(clock.now - TWO_YEARS)

        (left,) = rows(building.database, "person_details")
        assert left.person_id == next(row.id for row in rows(building.database, "person") if row.name == SAM.name)

    def test_is_done_once(self, building: Building, clock: StandingClock) -> None:
        finish(building, book(building))
        clock.now = MONDAY + TWO_YEARS + timedelta(days=1)
        retention = Retention(building.database)
        retention.run(clock.now - TWO_YEARS)
        seen = changes(building.database)

        assert retention.run(clock.now - TWO_YEARS) == 0
        assert seen == []

    def test_is_done_in_small_steps(self, building: Building, clock: StandingClock) -> None:
        for number in range(5):
            finish(building, book(building, number))
        clock.now = MONDAY + 2 * TWO_YEARS

        assert Retention(building.database).run(clock.now - TWO_YEARS, at_once=2) == 5

    def test_leaves_what_is_younger_or_still_out(self, building: Building, clock: StandingClock) -> None:
        """A thing that was never given back is somebody's to answer for, however long ago."""
        out, young = book(building), book(building, 48)
        building.desk.act(out, LoanAction.CHECK_OUT, actor=BY)
        finish(building, young)
        clock.now = MONDAY + TWO_YEARS + timedelta(days=1)

        assert Retention(building.database).run(clock.now - TWO_YEARS) == 0
        assert building.desk.find(out).requester == ZOE
        assert building.desk.find(young).title == "Salary talk"

    def test_series_forgets_its_title_with_its_last_date(self, building: Building, clock: StandingClock) -> None:
        database = building.database
        cache = RoomCache(database, time_zone="Europe/Paris")
        start = MONDAY + timedelta(hours=2)
        pattern = recur(Repeat.WEEKLY, start, start + timedelta(hours=1), "Europe/Paris", count=3)
        made = SeriesDesk(database, building.desk, cache, lambda: building.options)
        made.book(SeriesOrder(ZOE, pattern, (room(1),), title="Salary talks"), actor=BY)
        update(database, "loan", status="completed")
        update(database, "series", title="Salary talks")
        clock.now = MONDAY + timedelta(days=20)

        Retention(database).run(MONDAY + timedelta(days=10))
        assert [row.title for row in rows(database, "series")] == ["Salary talks"]
        Retention(database).run(MONDAY + timedelta(days=20))

        assert [row.title for row in rows(database, "series")] == [""]
        assert "Salary" not in str(rows(database, "loan"))

    def test_nobody_is_neither_offered_nor_exported_as_a_contact(
        self, building: Building, clock: StandingClock
    ) -> None:
        finish(building, book(building))
        clock.now = MONDAY + 2 * TWO_YEARS
        Retention(building.database).run(clock.now - TWO_YEARS)

        assert People(building.database).find("a", limit=10) == []
        assert load_outsiders(building.database, (), instance="abc") == []


class TestOnePerson:
    def test_reads_all_that_is_kept_of_them(self, building: Building) -> None:
        number = book(building)
        book(building, 5, requester=SAM)
        FeedStore(building.database).create(
            FeedOrder(FeedKind.PERSON, address=ZOE.address, owner=ZOE.address), actor=f"app:{ZOE.address}"
        )

        found = Personal(building.database).export("ZOE.nandu@example.org")

        assert [row["name"] for row in found["person"]] == [ZOE.name]
        assert [(row["number"], row["title"]) for row in found["loan"]] == [(number, "Salary talk")]
        assert found["decision"]
        assert "digest" not in found["feed"][0]
        assert SAM.name not in str(found)

    def test_reads_what_is_known_of_them_for_their_contact(self, building: Building) -> None:
        book(building, requester=replace(ZOE, details=DETAILS))

        (found,) = Personal(building.database).export(ZOE.address)["person_details"]

        assert (found["phone"], found["birth_date"], found["job_title"]) == ("+34 600 100 200", "1990-05-17", "")

    def test_who_is_unknown_is_not_found(self, building: Building) -> None:
        personal = Personal(building.database)

        for ask in (personal.export, personal.plan_erasure):
            with pytest.raises(NotFound):
                ask("nobody@example.org")
            with pytest.raises(NotFound):
                ask(NOBODY.address)

    def test_is_erased_everywhere(self, building: Building) -> None:
        """After it, no table holds their name or address any more, and a dry run has told the size of it."""
        database = building.database
        number, others = book(building), book(building, 5, requester=SAM, title="")
        finish(building, number)
        building.desk.change(others, LoanChange(requester=ZOE), actor=BY)
        building.desk.change(others, LoanChange(requester=SAM), actor=f"app:{ZOE.address}")
        leave_traces(database)
        seen, personal = changes(database), Personal(database)

        plan = personal.plan_erasure(ZOE.address)
        assert ZOE.name in everything(database)
        done = personal.erase(ZOE.address, actor=f"app:{ZOE.address}")

        assert done == plan
        assert (plan.loans, plan.in_the_way) == ((number,), ())
        assert set(plan.rows) == {
            "session", "store_keeper", "feed", "own_calendar", "own_calendar_entry", "mail_preference", "once",
            "outbox", "done_by_them", "mentioned_in", "link", "case", "backfill_meeting",
        }  # fmt: skip
        left = everything(database).casefold()
        assert "zoe.nandu" not in left
        assert "ñandú" not in left
        assert not any(text.casefold() in left for text in DETAILS.known().values())
        assert seen == [(number, ERASURE)]
        links = {
            link.generation: link.organizer_mailbox for link in rows(database, "link") if link.loan_number == others
        }
        assert links == {1: None, 2: SAM.address}
        assert building.desk.find(others).requester == SAM
        with pytest.raises(NotFound):
            personal.plan_erasure(ZOE.address)

    def test_is_not_erased_while_they_have_something(self, building: Building) -> None:
        number = book(building)
        personal = Personal(building.database)

        assert personal.plan_erasure(ZOE.address).in_the_way == (number,)
        with pytest.raises(NotAllowed, match=f"#{number}"):
            personal.erase(ZOE.address, actor=BY)
        assert building.desk.find(number).requester == ZOE

    def test_is_not_erased_before_outlook_has_let_go(self, building: Building) -> None:
        """A cancelled booking whose event is still there: erased now, nobody would delete it."""
        number = book(building)
        insert(building.database, "link", loan_number=number, generation=1, state="linked", base={})
        building.desk.act(number, LoanAction.CANCEL, actor=BY)

        assert Personal(building.database).plan_erasure(ZOE.address).in_the_way == (number,)

    def test_message_on_its_way_is_emptied(self, building: Building) -> None:
        number = book(building)
        finish(building, number)
        with building.database.write() as transaction:
            letter = Letter("webhook", "1", f"loan:{number}", "loan.updated", f"of {ZOE.name}", number)
            write_letters(transaction, [letter])

        Personal(building.database).erase(ZOE.address, actor=BY)

        (message,) = rows(building.database, "outbox")
        assert (message.state, message.body) == ("dropped", "")


def leave_traces(database: Database) -> None:
    """Leave everything of Zoé that people leave."""
    SessionStore(database).create(ZOE, "staff", provider="test", agent="")
    Keepers(database).set_keepers(StoreId(1), [ZOE.address, ALEX.address], actor=f"app:{ZOE.address}")
    FeedStore(database).create(FeedOrder(FeedKind.PERSON, address=ZOE.address, owner=ZOE.address), actor=BY)
    MailPreferences(database).set_preference(ZOE.address, MailPreference(MailLevel.NONE))
    with database.write() as transaction:
        folded = ZOE.address.casefold()
        letters = [
            Letter("mail", folded, "loan:1", "loan.booked", f"to {ZOE.name}", None),
            Letter("webhook", "1", "loan:2", "loan.updated", f"of {ZOE.name} <{ZOE.address}>", 2),
        ]
        write_letters(transaction, letters)
        transaction.connection.exec_driver_sql("UPDATE outbox SET state = 'sent', due_at = NULL")
    People(database).set_details(ZOE.address, DETAILS)
    calendars = OwnCalendarStore(database, lambda: Sealer("test"))
    calendars.connect(ZOE.address, ZOE.address, "a refresh token")
    calendars.begin_entry(folded, 1)
    insert(database, "outbox_receiver", channel="mail", receiver=folded, failures=0)
    answer = '{"requester":{"address":"' + ZOE.address + '"}}'
    base = {"outlook": {"requester": folded}, "loan": {"requester": folded}}
    insert(database, "link", loan_number=2, generation=1, state="ended", organizer_mailbox=ZOE.address, base=base)
    insert(database, "link", loan_number=2, generation=2, state="linked", organizer_mailbox=SAM.address, base={})
    undo = {"before": {"requester": [ZOE.address, ZOE.name]}, "after": {"requester": [SAM.address, SAM.name]}}
    insert(
        database, "case", subject="loan:2", code="both_changed", facts={}, state="closed", standing=False,
        opened_at=MONDAY, closed_at=MONDAY, loan_number=2, undo=undo,
    )  # fmt: skip
    stretch = {"from_at": MONDAY, "to_at": MONDAY, "rooms": [], "unread": [], "cursor_key": "", "size": 1}
    insert(database, "backfill", number=1, created_at=MONDAY, created_by=BY, **stretch)
    line = {"key": "uid", "rooms": [], "step": "skip", "code": "item_unavailable", "state": "planned", "before": {}}
    facts = {"organizer": f"{ZOE.name} <{ZOE.address}>"}
    insert(
        database, "backfill_meeting", backfill_number=1, position=1, organizer=ZOE.address, facts=facts,
        seen_decision=0, outcome_facts={}, **line,
    )  # fmt: skip
    insert(database, "once", digest="d", fingerprint="f", created_at=MONDAY, status=201, headers={}, body=answer)


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ("Ann Roe <ann@example.org>", "Anonymous <nobody@anonymous.invalid>"),
        ("ANN@example.org.", "nobody@anonymous.invalid."),
        ("joann@example.org, ann@example.organic", "joann@example.org, ann@example.organic"),
        ({"a": ["Ann Roe", 3, None], "b": "Ann Roerich"}, {"a": ["Anonymous", 3, None], "b": "Ann Roerich"}),
    ],
)
def test_scrubbing_takes_out_the_person_and_nobody_else(value: object, left: object) -> None:
    assert scrub(value, ["ann@example.org"], "Ann Roe") == left
