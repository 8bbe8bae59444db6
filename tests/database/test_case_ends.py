"""Which cases the clock closes, on both databases. How they come about, and stay closed: `tests/simulation`."""

from contextlib import closing
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from engine.database.cases.records import keep_standing_cases, open_cases
from engine.database.loans.desk import Desk
from engine.database.migrations import migrate
from engine.database.sql.connection import Database
from engine.database.work.wakes import wake_waiting
from engine.ids import LoanNumber
from engine.loans.status import LoanAction
from engine.reconcile.actions import Note
from tests.database.building import BY, MONDAY, Building, hours, insert, order, room, rows

ONE = LoanNumber(1)


@pytest.fixture
def desk(building: Building) -> Desk:
    """A desk with loan 1, of room 1 from 9:00 to 10:00; it is 8:00."""
    building.desk.book(order(hours(1, 2), room(1)), actor=BY)
    return building.desk


def file_case(
    building: Building,
    code: str,
    *,
    subject: str = "loan:1",
    loan: int | None = 1,
    uid: str | None = None,
    standing: bool = False,
) -> None:
    with building.database.write() as transaction:
        open_cases(transaction, subject, [Note(code)], standing=standing, loan_number=loan, ical_uid=uid)


def show(building: Building, event_id: str, end: datetime | None, *, live: bool = True) -> None:
    """Let the calendar of room 1 show a meeting, or have shown it."""
    insert(
        building.database,
        "room_copy",
        room_id=1, event_id=event_id, ical_uid="uid-1", hydrated=False, etag="1", payload="{}", live=live, gone=False,
        doubt=False, listed=False, reading=1, observed_at=MONDAY, end_at=end,
        start_at=end - timedelta(hours=1) if end else None,
    )  # fmt: skip


def open_codes(building: Building) -> set[str]:
    return {row.code for row in rows(building.database, "case") if row.state == "open"}


class TestALoanThatIsOver:
    def test_has_no_case_a_day_after_its_end(self, building: Building, desk: Desk) -> None:
        """Not before: the morning after, somebody may want to know."""
        file_case(building, "both_changed")
        building.clock.advance(days=1, hours=1)
        desk.run_clock()
        assert open_codes(building) == {"both_changed"}

        building.clock.advance(hours=2)

        assert desk.run_clock() == 1
        (case,) = rows(building.database, "case")
        assert (case.state, case.closed_by, case.settlement) == ("closed", "engine", "over")
        assert case.closed_at == building.clock.now
        assert desk.run_clock() == 0

    def test_keeps_it_while_a_room_shows_its_meeting_later(self, building: Building, desk: Desk) -> None:
        """The meeting was moved out of the past: its organizer counts on a room that nobody lent."""
        file_case(building, "past_loan_frozen", uid="uid-1")
        show(building, "first", MONDAY + timedelta(days=5))
        building.clock.advance(days=5.5)
        desk.run_clock()
        assert open_codes(building) == {"past_loan_frozen"}

        building.clock.advance(days=1)
        desk.run_clock()

        assert open_codes(building) == set()


class TestAMeetingThatIsNoLoan:
    def test_has_no_case_a_day_after_its_end(self, building: Building) -> None:
        file_case(building, "organizer_unknown", subject="meeting:uid-1", loan=None, uid="uid-1", standing=True)
        show(building, "first", MONDAY + timedelta(hours=1))
        building.clock.advance(days=1)
        assert building.desk.run_clock() == 0

        building.clock.advance(hours=2)

        assert building.desk.run_clock() == 1

    def test_keeps_it_while_its_times_cannot_be_read(self, building: Building) -> None:
        """Nobody knows whether it is over."""
        file_case(building, "dates_invalid", subject="meeting:uid-1", loan=None, uid="uid-1", standing=True)
        show(building, "first", None)
        show(building, "second", MONDAY + timedelta(hours=1), live=False)
        building.clock.advance(days=30)

        assert building.desk.run_clock() == 0

    def test_counts_a_room_that_declined(self, building: Building) -> None:
        """It is in no calendar of ours any more, and its people still have no room."""
        file_case(building, "all_rooms_declined", subject="meeting:uid-1", loan=None, uid="uid-1", standing=True)
        show(building, "first", MONDAY + timedelta(days=5), live=False)
        building.clock.advance(days=4)

        assert building.desk.run_clock() == 0


class TestALoanThatWasCancelled:
    def test_has_no_value_that_lost(self, building: Building, desk: Desk) -> None:
        """Whatever lost before that is nobody's wish any more; what tells of the end itself stays for a week."""
        file_case(building, "both_changed", subject="loan:1:interval:1")
        building.clock.advance(minutes=5)
        desk.act(ONE, LoanAction.CANCEL, actor=BY)
        file_case(building, "write_refused")

        assert desk.run_clock() == 1

        assert open_codes(building) == {"write_refused"}

    def test_is_told_for_a_week(self, building: Building) -> None:
        """A case that stood before stands for what it tells now: the last of the rooms declined as well."""
        building.desk.book(order(hours(24 * 30, 24 * 30 + 1), room(1)), actor=BY)
        file_case(building, "room_declined", standing=True)
        file_case(building, "write_withheld", standing=True)
        building.clock.advance(minutes=5)
        building.desk.act(ONE, LoanAction.REFUSE, actor=BY)
        building.clock.advance(days=6.9)
        assert building.desk.run_clock() == 0

        building.clock.advance(hours=3)

        assert building.desk.run_clock() == 1
        assert open_codes(building) == {"write_withheld"}  # that is still to be done


class TestWhatTimeDoesNotMend:
    @pytest.mark.parametrize("code", ["mass_cancel_held", "room_suspended", "drift_found", "key_parked"])
    def test_stays(self, building: Building, desk: Desk, code: str) -> None:
        """Cases of rooms, and of keys that were given up, though it be a loan's."""
        subject = "loan:1" if code == "key_parked" else "room:1"
        file_case(building, code, subject=subject, loan=None, standing=True)
        building.clock.advance(days=30)
        desk.run_clock()

        assert open_codes(building) == {code}


class TestManyCases:
    def test_are_done_in_batches(self, building: Building, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        """More than one transaction holds are all done in one run."""
        monkeypatch.setattr("engine.database.cases.ends.BATCH", 3)
        for number in range(8):
            file_case(building, "both_changed", subject=f"loan:1:interval:{number}")
        building.clock.advance(days=3)
        desk.run_clock()

        assert open_codes(building) == set()


def test_cases_are_opened_however_many_there_were_before(building: Building, desk: Desk) -> None:
    """PostgreSQL plans a statement anew for each run at first, and then once for all: that plan knows no values."""
    for number in range(20):
        file_case(building, "room_declined", subject=f"meeting:{number}", loan=None, uid=f"uid-{number}")

    assert len(rows(building.database, "case")) == 20


def test_closed_cases_are_not_walked_through_when_a_room_becomes_free(sqlite_url: str) -> None:
    """They are kept for years, and what waits for a room is asked for at each change that frees one."""
    with closing(Database(sqlite_url)) as database:
        migrate(database)
        with database.read() as transaction:
            driver = transaction.connection.connection.dbapi_connection
            asked: list[str] = []
            driver.set_trace_callback(asked.append)
            wake_waiting(transaction, [1])
            driver.set_trace_callback(None)
            (waiting,) = (sql for sql in asked if 'FROM "case"' in sql)
            ((*_, plan),) = driver.execute(f"EXPLAIN QUERY PLAN {waiting}").fetchall()
    assert plan == "SEARCH case USING INDEX ix_case_state (state=?)"


class TestACaseThatStandsTwice:
    """One was ignored, its cause came back, and somebody asks for the ignored one again."""

    @pytest.fixture
    def building(self, building: Building) -> Building:
        for number in (1, 2):
            file_case(building, "listing_empty", subject="places:all", loan=None, standing=True)
            if number == 1:
                with building.database.write() as transaction:
                    transaction.connection.execute(text("UPDATE \"case\" SET state = 'ignored'"))
        return building

    def keep(self, building: Building, *codes: str) -> list[str]:
        with building.database.write() as transaction:
            keep_standing_cases(transaction, "places:all", [Note(code) for code in codes])
        return [row.state for row in sorted(rows(building.database, "case"), key=lambda row: row.id)]

    def test_is_open_once_while_its_cause_stays(self, building: Building) -> None:
        assert self.keep(building, "listing_empty") == ["closed", "open"]

    def test_closes_whole_when_its_cause_goes(self, building: Building) -> None:
        assert self.keep(building) == ["closed", "closed"]
