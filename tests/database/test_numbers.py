"""A number that is remembered when its row is gone names no other one, on SQLite as on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.calendars.book import FeedKind, FeedOrder
from engine.database.access.sessions import KEPT, LIFETIME, SessionStore
from engine.database.calendars.feeds import FeedStore
from engine.database.cases.records import open_cases
from engine.database.links.bookings import load_intents
from engine.database.links.codec import render_base, render_draft
from engine.database.people.outsiders import load_outsiders
from engine.database.people.personal import Personal
from engine.database.reports.board import Board
from engine.database.rooms.book import RoomCache
from engine.database.series.dates import find_series, keep_series
from engine.database.series.desk import SeriesDesk
from engine.database.series.ledger import AppSeriesLedger
from engine.database.series.own import give_uid
from engine.database.series.rows import add_write
from engine.database.settling.settlements import Settlements
from engine.database.sync.ledger import SyncLedger
from engine.database.tables import metadata
from engine.errors import NotFound
from engine.ids import Address, ICalUid, LoanNumber
from engine.loans.loan import Requester
from engine.loans.recurrence import Repeat, recur
from engine.loans.status import LoanAction
from engine.reconcile.actions import Note
from engine.reconcile.cases.ways import Way
from engine.reconcile.ledger import Draft, Intent, SyncRules
from engine.reconcile.series.book import SeriesOrder
from engine.reconcile.series.writes import SeriesDraft, SeriesWrite, SeriesWriteKind
from engine.reconcile.views import Base, Face
from tests.database.building import ALEX, BY, MONDAY, SAM, Building, hours, insert, order, room, rows

ZOE = Requester(Address("zoe@elsewhere.example"), "Zoe Roe")
KIM = Requester(Address("kim@elsewhere.example"), "Kim Poe")
NOTE = Note("default_mailbox_used", {"mailbox": ALEX.address}, actor="engine")
MAILBOX = str(ALEX.address)

KEPT_ROWS = {"bookable", "store", "token"}
"""Their rows never go."""
UNNAMED = {"link", "loan_item", "notification", "outbox_try"}
"""Nothing that outlives a transaction knows their rows by number."""


def book(building: Building, requester: Requester, start: float = 1) -> LoanNumber:
    return building.desk.book(order(hours(start, start + 1), room(1), requester=requester), actor=BY).number


def lend(building: Building, requester: Requester) -> LoanNumber:
    """Make a loan that is over."""
    number = book(building, requester)
    for action in (LoanAction.CHECK_OUT, LoanAction.CLOSE):
        building.desk.act(number, action, actor=BY)
    return number


def erase(building: Building, requester: Requester) -> None:
    Personal(building.database).erase(requester.address, actor=BY)


def test_every_table_gives_a_number_once_or_nobody_could_tell() -> None:
    counted = {table.name: table for table in metadata.sorted_tables if table.autoincrement_column is not None}
    once = {name for name, table in counted.items() if table.dialect_options["sqlite"]["autoincrement"]}

    assert counted.keys() - once == KEPT_ROWS | UNNAMED


class TestADecision:
    def test_is_told_to_the_board_after_others_were_erased(self, building: Building) -> None:
        """The board goes by the last decision it has seen."""
        lend(building, ZOE)
        board = Board(building.database)
        seen = board.changes(None)
        erase(building, ZOE)

        number = book(building, SAM)

        assert number in board.changes(seen.cursor).numbers
        assert number in board.changed_since(seen.cursor)

    def test_is_news_for_a_feed_after_others_were_erased(self, building: Building) -> None:
        """A feed is the same as long as the last decision is."""
        lend(building, ZOE)
        feeds = FeedStore(building.database)
        before = feeds.newest_decision()
        erase(building, ZOE)

        book(building, SAM)

        assert feeds.newest_decision() > before


class TestACase:
    def test_is_not_settled_for_another(self, building: Building) -> None:
        """A page shows a case of somebody who is erased before it is settled there."""
        number = lend(building, ZOE)
        shown = file_case(building, number)
        erase(building, ZOE)
        other = file_case(building, book(building, SAM))

        with pytest.raises(NotFound):
            Settlements(building.database, building.desk).settle(shown, Way.IGNORE, room_id=None, actor=BY)

        assert [(row.id, row.state) for row in rows(building.database, "case")] == [(other, "open")]


def file_case(building: Building, number: LoanNumber) -> int:
    with building.database.write() as transaction:
        notes = [Note("room_declined", {"item_id": 1}, room_id=1)]
        open_cases(transaction, f"loan:{number}", notes, standing=False, loan_number=number)
    return max(row.id for row in rows(building.database, "case"))


class TestAPerson:
    def test_gets_no_card_of_somebody_who_was_erased(self, building: Building) -> None:
        """What people wrote on the card of somebody in Outlook would become another's."""
        lend(building, SAM)
        erase(building, SAM)
        lend(building, ZOE)
        (before,) = load_outsiders(building.database, {"example.org"}, instance="here")
        erase(building, ZOE)

        book(building, KIM)

        (after,) = load_outsiders(building.database, {"example.org"}, instance="here")
        assert (before.name, after.name) == (ZOE.name, KIM.name)
        assert before.key != after.key


class TestAFeed:
    def test_is_not_ended_for_another(self, building: Building) -> None:
        """An administrator looks at the list while its owner is erased."""
        feeds = FeedStore(building.database)
        listed, _ = feeds.create(FeedOrder(FeedKind.PERSON, address=ZOE.address, owner=ZOE.address), actor=BY)
        lend(building, ZOE)
        erase(building, ZOE)
        feeds.create(FeedOrder(FeedKind.PERSON, address=SAM.address, owner=SAM.address), actor=BY)

        with pytest.raises(NotFound):
            feeds.revoke(listed.id, owner=None, actor=BY)

        assert [feed.revoked_at for feed in feeds.list_feeds()] == [None]


class TestASession:
    def test_is_not_ended_for_another(self, building: Building) -> None:
        sessions = SessionStore(building.database)
        sessions.create(ZOE, "viewer", provider="test", agent="")
        (listed,) = sessions.list_of(ZOE.address)
        building.clock.now += LIFETIME + KEPT + timedelta(hours=1)
        sessions.create(SAM, "viewer", provider="test", agent="")

        with pytest.raises(NotFound):
            sessions.revoke(listed.id, address=None)

        assert len(sessions.list_of(SAM.address)) == 1


class TestASeries:
    def test_is_not_taken_for_one_that_was_another(self, building: Building) -> None:
        """A room shows a series of the app before its creation is answered; people may see that one's number."""
        ours = book_series(building)
        shown = show(building, ICalUid("ours"))
        with building.database.write() as transaction:
            give_uid(transaction, ours, ICalUid("ours"))

        assert show(building, ICalUid("theirs")) != shown


def book_series(building: Building, start: float = 2) -> int:
    times = recur(Repeat.DAILY, hours(start, start + 1).start, hours(start, start + 1).end, "UTC", count=3)
    desk = SeriesDesk(building.database, building.desk, RoomCache(building.database), lambda: building.options)
    return desk.book(SeriesOrder(ALEX, times, (room(1),)), actor=BY).id


def show(building: Building, uid: ICalUid) -> int:
    """Let a room show a series; return the number it gets."""
    with building.database.write() as transaction:
        keep_series(transaction, {uid: "UTC"})
        found = find_series(transaction.connection, f"{uid}@20260302")
    assert found is not None
    return found.id


class TestAWriteOfASeries:
    def test_that_is_done_is_not_begun_again_as_another(self, building: Building) -> None:
        """What a write that was begun finds in Outlook may be its own doing: that must be true of it."""
        ledger = AppSeriesLedger(building.database, RoomCache(building.database), SyncRules)
        done = write_series(building, ledger, book_series(building))
        ledger.finish_end(done)
        other = write_series(building, ledger, book_series(building, 4))

        ledger.begin(done)
        ledger.redirect(done, "office@example.org", NOTE)

        (kept,) = rows(building.database, "series_write")
        assert (kept.is_begun, kept.mailbox) == (False, other.mailbox)

    def test_that_is_done_does_not_end_another_of_its_series(self, building: Building) -> None:
        """Two hear the answer; meanwhile the desk has ended the series once more."""
        ledger = AppSeriesLedger(building.database, RoomCache(building.database), SyncRules)
        number = book_series(building)
        done = write_series(building, ledger, number)
        ledger.finish_end(done)
        other = write_series(building, ledger, number)

        ledger.finish_end(done)

        state = ledger.load(number)
        assert state is not None
        assert state.writes == (other,)


def write_series(building: Building, ledger: AppSeriesLedger, number: int) -> SeriesWrite:
    """Decide a write about a series."""
    draft = SeriesDraft()
    with building.database.write() as transaction:
        add_write(transaction, number, SeriesWriteKind.END, mailbox=MAILBOX, event_id="master", draft=draft)
    state = ledger.load(number)
    assert state is not None
    return state.writes[-1]


class TestAWrite:
    def test_that_is_done_sends_no_other_elsewhere(self, building: Building) -> None:
        """Its event was seen while it was asked for in a mailbox that has closed since."""
        ledger, done, other = follow_on(building)

        assert ledger.redirect_intent(done, "office@example.org", NOTE) is None

        assert intents(building, done.loan_number) == (other,)

    def test_that_is_done_does_not_end_another_of_its_loan(self, building: Building) -> None:
        """Two hear the answer to a change; meanwhile the next one was decided."""
        ledger, done, other = follow_on(building)

        ledger.drop_intent(done)

        assert intents(building, done.loan_number) == (other,)


def follow_on(building: Building) -> tuple[SyncLedger, Intent, Intent]:
    """Let a write of a loan be done and the next one be decided."""
    ledger = SyncLedger(building.database, RoomCache(building.database), SyncRules, instance="here")
    number = book(building, ALEX)
    done = decide(building, number)
    ledger.drop_intent(done)
    return ledger, done, decide(building, number)


def decide(building: Building, number: LoanNumber) -> Intent:
    """Decide to write a loan to Outlook."""
    loan = building.desk.find(number)
    face = Face(loan.interval, loan.requester.address, frozenset(item.id for item in loan.rooms))
    if not any(row.loan_number == number for row in rows(building.database, "link")):
        insert(building.database, "link", loan_number=number, generation=1, state="pending", base={})
    insert(
        building.database,
        "intent",
        loan_number=number,
        generation=1,
        kind="create",
        mailbox=str(loan.requester.address),
        payload=render_draft(Draft(interval=loan.interval)),
        base=render_base(Base(face, replace(face))),
        created_at=MONDAY,
    )
    return intents(building, number)[-1]


def intents(building: Building, number: LoanNumber) -> tuple[Intent, ...]:
    with building.database.read() as transaction:
        return load_intents(transaction.connection, number)
