"""Calendar mails of real bookings: who is sent what, in which order, and what their calendar shows in the end."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar
from icalendar import Event as Entry

from engine.app.entries import Entries
from engine.app.mail import CHANNEL, Mailing
from engine.calendars.invitation import Party
from engine.calendars.mailing import MailLevel, MailPreference
from engine.database.calendars.invitations import MailPreferences
from engine.database.calendars.own import OwnCalendarStore
from engine.database.calendars.sealing import Sealer
from engine.database.outbox.messages import Outbox
from engine.database.rooms.book import RoomCache
from engine.database.series.desk import SeriesDesk
from engine.database.sql.connection import Database
from engine.errors import EngineError
from engine.ids import Address, LoanNumber
from engine.loans.loan import Loan, Requester, TextLevel
from engine.loans.recurrence import Repeat, recur
from engine.loans.register import LoanChange
from engine.loans.status import ItemState, LoanAction
from engine.mail.compose import Mail, load_mail
from engine.mail.smtp import MailSender
from engine.outbox.changes import LOAN, Event
from engine.outbox.message import MessageFilter, MessageState
from engine.reconcile.ledger import SyncRules
from engine.reconcile.series.book import Scope, SeriesOrder
from engine.worker.outbox import OutboxPass
from tests.database.building import ALEX, BY, MONDAY, Building, StandingClock, asset, hours, order, room, update
from tests.templates import put_database
from tests.unit.mail.server import Postman, run, running

ZOE = Requester(Address("zoe@elsewhere.org"), "Zoé Ñandú")
BEN = Requester(Address("ben@elsewhere.org"), "Ben")


class Post:
    """A building that mails, and what people find in their mailboxes."""

    def __init__(self, building: Building) -> None:
        self.building, self.database = building, building.database
        self.rules = SyncRules(domains=frozenset({"example.org"}), link_base="https://accord.example.org")
        rooms = RoomCache(self.database, time_zone="Europe/Paris")
        self.cache = rooms
        entries = Entries(rooms, instance="abc", zone="Europe/Paris", rules=lambda: self.rules)
        desk = Party("desk@example.org", "Accord")
        self.mailing = Mailing(entries, rules=lambda: self.rules, instance="abc", sender=desk, language="en")
        self.database.announcers[CHANNEL] = self.mailing
        self.preferences = MailPreferences(self.database)
        self.outbox = Outbox(self.database)

    def book(self, *what: Any, requester: Requester = ZOE, actor: str = BY, **fields: Any) -> int:
        return self.building.desk.book(order(*what, requester=requester, **fields), actor=actor).number

    def change(self, number: int, **what: Any) -> None:
        self.building.desk.change(number, LoanChange(**what), actor=BY)

    def mails(self) -> list[Mail]:
        """Return every mail so far, the oldest first."""
        found = self.outbox.list_messages(MessageFilter(channel=CHANNEL, limit=1000))
        return [load_mail(message.letter.body) for message in reversed(found)]

    def told(self) -> list[tuple[str, str, int]]:
        """Return method, receiver's name and sequence of each mail so far."""
        return [(mail.method, mail.to_name, sequence_of(mail)) for mail in self.mails()]

    def prefer(self, level: MailLevel, language: str | None = None) -> None:
        self.preferences.set_preference(Address("ZOE@elsewhere.org"), MailPreference(level, language))


def sequence_of(mail: Mail) -> int:
    return int(Calendar.from_ical(mail.calendar).events[0].sequence)


@pytest.fixture
def migrated_url(tmp_path: Path) -> str:
    """SQLite alone: what databases do differently is tried in `test_invitations.py`."""
    return put_database(tmp_path / "accord.db")


@pytest.fixture
def post(building: Building) -> Post:
    return Post(building)


class TestALoanFromOutside:
    def test_is_mailed_changed_and_cancelled_under_one_uid(self, post: Post) -> None:
        number = post.book(hours(26, 27), room(1), asset(11), title="Tea")
        post.change(number, start=MONDAY + timedelta(hours=28), end=MONDAY + timedelta(hours=29))
        post.building.desk.act(number, LoanAction.CANCEL, actor=BY)

        assert post.told() == [("REQUEST", ZOE.name, 0), ("REQUEST", ZOE.name, 1), ("CANCEL", ZOE.name, 2)]
        events = [Calendar.from_ical(mail.calendar).events[0] for mail in post.mails()]
        assert {str(event["UID"]) for event in events} == {f"accord-abc-{number}"}
        assert events[1].start == MONDAY + timedelta(hours=28)
        assert str(events[2]["STATUS"]) == "CANCELLED"
        first = post.mails()[0]
        assert first.subject == f"Booked: #{number} Tea"
        assert "Tue 3 March 2026, 11:00 – 12:00 (Europe/Paris)\nTea\nRoom 1\nAsset 11\n" in first.text
        assert f"https://accord.example.org/loans/{number}" in first.text
        assert len({mail.message_id for mail in post.mails()}) == 3
        assert "/calendars" not in first.text  # who cannot sign in can choose nothing there

    def test_is_not_mailed_again_for_what_its_entry_does_not_tell(self, post: Post, database: Database) -> None:
        """A room that answers, notes of the desk, handing over: the entry stays as it is."""
        number = post.book(hours(26, 27), asset(11))
        post.change(number, notes="bring a cable")
        post.building.desk.act(number, LoanAction.CHECK_OUT, actor=BY)

        assert post.told() == [("REQUEST", ZOE.name, 0)]

    def test_goes_to_its_new_requester_and_leaves_the_old(self, post: Post) -> None:
        number = post.book(hours(26, 27), asset(11))
        post.change(number, requester=BEN)
        post.change(number, requester=ZOE)

        assert post.told() == [
            ("REQUEST", ZOE.name, 0),
            ("CANCEL", ZOE.name, 1),
            ("REQUEST", BEN.name, 0),
            ("CANCEL", BEN.name, 1),
            ("REQUEST", ZOE.name, 2),
        ]
        assert post.mails()[1].subject.startswith("No longer yours: ")

    def test_that_is_over_is_not_written_about(self, post: Post, clock: StandingClock) -> None:
        number = post.book(hours(1, 2), asset(11))
        clock.advance(hours=3)
        post.change(number, title="late")

        assert len(post.mails()) == 1


class TestWhoHasItInOutlook:
    def test_gets_no_second_entry(self, post: Post) -> None:
        """Alex has a mailbox in the tenant: rooms come by Outlook, things alone do not."""
        post.book(hours(26, 27), room(1), requester=ALEX)
        assert post.mails() == []

        post.book(hours(28, 29), asset(11), requester=ALEX)
        assert post.told() == [("REQUEST", ALEX.name, 0)]
        assert "https://accord.example.org/calendars" in post.mails()[0].text

    def test_hands_the_entry_over_when_a_room_joins_and_gets_it_back_when_it_leaves(self, post: Post) -> None:
        number = post.book(hours(26, 27), asset(11), requester=ALEX)
        post.change(number, items=(asset(11), room(1)))
        post.change(number, items=(asset(11),))

        assert [(method, sequence) for method, _, sequence in post.told()] == [
            ("REQUEST", 0), ("CANCEL", 1), ("REQUEST", 2),
        ]  # fmt: skip
        assert post.mails()[1].subject.startswith("Now in Outlook: ")


class TestAnOwnCalendar:
    """Who let us write into a calendar of their own has their things there, and gets no mail about them."""

    def test_takes_over_what_was_mailed_and_gives_it_back(self, post: Post) -> None:
        calendars = OwnCalendarStore(post.database, lambda: Sealer("test"), on_change=post.mailing.catch_up)
        held = post.book(hours(26, 27), asset(11), requester=ALEX)
        post.book(hours(26, 27), asset(12), requester=BEN)

        calendars.connect(ALEX.address, ALEX.address, "token")
        post.book(hours(28, 29), asset(11), requester=ALEX)
        post.change(held, title="another")
        assert post.told()[2:] == [("CANCEL", ALEX.name, 1)]
        assert post.mails()[-1].subject.startswith("Now in Outlook: ")

        calendars.disconnect(ALEX.address)
        assert post.told()[3:] == [("REQUEST", ALEX.name, 2), ("REQUEST", ALEX.name, 0)]


class TestPreferences:
    def test_none_brings_nothing_but_leaves_nothing_wrong(self, post: Post) -> None:
        """An entry from before the change of mind is still brought up to date, and taken out."""
        held = post.book(hours(26, 27), asset(11))
        post.prefer(MailLevel.NONE)
        post.book(hours(28, 29), asset(11))
        post.change(held, title="another")
        post.building.desk.act(held, LoanAction.CANCEL, actor=BY)

        assert [(method, sequence) for method, _, sequence in post.told()] == [
            ("REQUEST", 0), ("REQUEST", 1), ("CANCEL", 2),
        ]  # fmt: skip

    def test_others_brings_what_others_do(self, post: Post) -> None:
        post.prefer(MailLevel.OTHERS)
        number = post.book(hours(26, 27), asset(11), actor=f"app:{ZOE.address}")
        assert post.mails() == []

        post.change(number, title="moved by the desk")
        assert post.told() == [("REQUEST", ZOE.name, 0)]

    def test_soon_brings_what_begins_within_a_day(self, post: Post) -> None:
        post.prefer(MailLevel.SOON)
        post.book(hours(23, 24), asset(11))
        post.book(hours(25, 26), asset(11))

        assert len(post.mails()) == 1

    def test_are_written_to_in_their_language(self, post: Post) -> None:
        post.prefer(MailLevel.ALL, "fr")
        post.book(hours(26, 27), asset(11))

        (mail,) = post.mails()
        assert mail.subject.startswith("Réservé\N{NO-BREAK SPACE}: #")
        assert "mar. 3 mars 2026" in mail.text


class TestHowMuchIsTold:
    @pytest.mark.parametrize(("level", "private"), [(TextLevel.NUMBER_ONLY, False), (TextLevel.FULL, True)])
    def test_is_a_number_and_a_link(self, post: Post, level: TextLevel, private: bool) -> None:
        post.rules = SyncRules(domains=post.rules.domains, link_base="https://accord.example.org", text_level=level)
        number = post.book(hours(26, 27), asset(11), title="Salary talk", private=private)

        (mail,) = post.mails()
        assert mail.subject == f"Booked: #{number}"
        assert "Salary" not in mail.text + mail.calendar
        assert "Asset 11" not in mail.text + mail.calendar

    def test_of_a_link_is_a_link(self, post: Post) -> None:
        post.rules = SyncRules(domains=post.rules.domains, link_base="https://a.org", text_level=TextLevel.LINK_ONLY)
        number = post.book(hours(26, 27), room(1), title="Salary talk")

        (mail,) = post.mails()
        assert "Salary" not in mail.text + mail.calendar
        assert str(Calendar.from_ical(mail.calendar).events[0]["DESCRIPTION"]) == f"https://a.org/loans/{number}"


class TestASeries:
    def test_is_one_mail_with_every_date(self, post: Post) -> None:
        """Twelve dates booked, and cancelled, are two mails."""
        series = SeriesDesk(post.database, post.building.desk, post.cache, lambda: post.building.options)
        start = MONDAY + timedelta(days=1)
        pattern = recur(Repeat.WEEKLY, start, start + timedelta(hours=1), "Europe/Paris", count=12)
        series.book(SeriesOrder(ZOE, pattern, (room(1),), title="Choir"), actor=BY)

        (mail,) = post.mails()
        assert mail.method == "PUBLISH"
        assert mail.subject == "12 dates booked"
        events = Calendar.from_ical(mail.calendar).events
        assert len({str(event["UID"]) for event in events}) == 12

        series.cancel(LoanNumber(1), Scope.ALL, actor=BY)
        mail = post.mails()[-1]
        assert (len(post.mails()), mail.method, mail.subject) == (2, "PUBLISH", "12 dates cancelled")
        assert {str(event["STATUS"]) for event in Calendar.from_ical(mail.calendar).events} == {"CANCELLED"}


class TestDelivery:
    def test_is_put_off_refused_and_made_good(self, post: Post, clock: StandingClock) -> None:
        """A greylisting server takes the mail on the second try; one whose mailbox is unknown is parked."""
        postman = Postman(answers=["451 greylisted, come back"])
        with running(postman) as server:
            carrier = OutboxPass(post.outbox, {CHANNEL: MailSender(server)})
            post.book(hours(26, 27), asset(11))
            deliver(carrier)
            assert postman.taken == []
            assert states(post) == [MessageState.WAITING]

            clock.advance(minutes=5)
            deliver(carrier)
            assert states(post) == [MessageState.SENT]

            postman.answers = ["550 no such user"]
            post.book(hours(28, 29), asset(11))
            deliver(carrier)
            assert states(post) == [MessageState.SENT, MessageState.PARKED]

            post.outbox.replay(2)
            deliver(carrier)
        assert states(post) == [MessageState.SENT, MessageState.SENT]
        assert [mail["Subject"].partition(":")[0] for mail in postman.taken] == ["Booked", "Booked"]


def deliver(carrier: OutboxPass) -> None:
    run(carrier.deliver(f"{CHANNEL}:{ZOE.address}"))


def states(post: Post) -> list[MessageState]:
    return [message.state for message in reversed(post.outbox.list_messages(MessageFilter()))]


def test_a_room_that_answers_is_no_news(post: Post, database: Database) -> None:
    post.book(hours(26, 27), room(1))
    update(database, "loan_item", state="accepted")
    with database.write() as transaction:
        transaction.changes.note(LOAN, 1, Event.UPDATED)

    assert len(post.mails()) == 1


class Mailbox:
    """A calendar program that takes in every mail, in any order: the highest sequence counts (RFC 5546)."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def take(self, mail: Mail) -> None:
        for event in Calendar.from_ical(mail.calendar).events:
            known = self._entries.get(str(event["UID"]))
            if known is None or event.sequence > known.sequence:
                self._entries[str(event["UID"])] = event

    def shown(self) -> dict[int, tuple[datetime, datetime, str]]:
        """Return start, end and title of what stands in the calendar, by the loan's number."""
        return {
            int(uid.rpartition("-")[2]): (event.start, event.end, str(event["SUMMARY"]))
            for uid, event in self._entries.items()
            if str(event["STATUS"]) != "CANCELLED"
        }


@pytest.mark.parametrize("seed", range(6))
def test_every_calendar_is_right_in_the_end(post: Post, seed: int) -> None:
    """People book, move, rename, hand over, add rooms, cancel, and change their minds about mails, forty times.

    Mails arrive in any order. Who never chose to get fewer has exactly their bookings; who did has no wrong one.
    """
    rng = random.Random(seed)
    people, choosy = (ZOE, BEN, ALEX), rng.choice((ZOE, BEN, ALEX))
    loans: list[int] = []
    for step in range(40):
        with suppress(EngineError):  # a wish that the desk refuses changes nothing
            _do_something(post, rng, loans, people, choosy, step)

    mails = post.mails()
    rng.shuffle(mails)
    boxes = {person.address: Mailbox() for person in people}
    for mail in mails:
        boxes[Address(mail.to_address)].take(mail)
    for person in people:
        truth = {
            int(loan.number): (loan.interval.start, loan.interval.end, f"#{loan.number} {loan.title or _names(loan)}")
            for loan in (post.building.desk.find(LoanNumber(number)) for number in loans)
            if loan.blocks and loan.requester == person and not (person is ALEX and loan.rooms)
        }
        shown = boxes[person.address].shown()
        assert {number: truth.get(number) for number in shown} == shown
        if person is not choosy:
            assert shown == truth


def _do_something(
    post: Post, rng: random.Random, loans: list[int], people: Sequence[Requester], choosy: Requester, step: int
) -> None:
    items = tuple(rng.sample([room(1), room(2), asset(11), asset(12)], rng.randint(1, 3)))
    start = MONDAY + timedelta(hours=rng.randint(20, 60))
    verb = rng.choice(("book", "book", "move", "rename", "hand over", "refit", "cancel", "prefer"))
    if verb == "prefer":
        post.preferences.set_preference(choosy.address, MailPreference(rng.choice(list(MailLevel))))
    elif verb == "book" or not loans:
        actor = f"app:{rng.choice(people).address}"
        loans.append(post.book(hours(20 + step, 21 + step), *items, requester=rng.choice(people), actor=actor))
    elif verb == "cancel":
        post.building.desk.act(LoanNumber(rng.choice(loans)), LoanAction.CANCEL, actor=BY)
    elif verb == "move":
        post.change(rng.choice(loans), start=start, end=start + timedelta(hours=1))
    elif verb == "rename":
        post.change(rng.choice(loans), title=f"title {step}")
    elif verb == "hand over":
        post.change(rng.choice(loans), requester=rng.choice(people))
    else:
        post.change(rng.choice(loans), items=items)


def _names(loan: Loan) -> str:
    return ", ".join(item.name for item in loan.items if item.state is not ItemState.CANCELLED)
