"""The outbox: written with the change, in order, tried for eight days, parked, replayed."""

from datetime import timedelta

import pytest

from engine.database.outbox.messages import Outbox, drop_receiver, write_letters
from engine.database.sql.connection import Database
from engine.database.sql.transaction import Transaction
from engine.errors import NotFound
from engine.outbox.message import Letter, Message, MessageFilter, MessageState, Receipt
from tests.database.building import StandingClock, marked, rows

DOWN = Receipt(10_000, error="no answer within 10 s")
TAKEN = Receipt(12, 200, "ok")


def letter(lane: str = "loan:1", body: str = "{}", receiver: str = "1") -> Letter:
    return Letter("webhook", receiver, lane, "loan.updated", body, loan_number=1)


@pytest.fixture
def outbox(database: Database) -> Outbox:
    return Outbox(database)


def write(database: Database, *letters: Letter) -> None:
    with database.write() as transaction:
        write_letters(transaction, letters)


def write_and_fail(transaction: Transaction) -> None:
    write_letters(transaction, [letter()])
    raise NotFound("something else went wrong")


def take(outbox: Outbox, limit: int = 10) -> list[Message]:
    return list(outbox.take_due("webhook", "1", limit).messages)


class TestWriting:
    def test_belongs_to_the_transaction(self, database: Database, outbox: Outbox) -> None:
        """What is rolled back is never sent, and marks nothing."""
        with pytest.raises(NotFound), database.write() as transaction:
            write_and_fail(transaction)

        assert outbox.list_messages(MessageFilter()) == []
        assert marked(database) == set()

    def test_marks_the_receiver(self, database: Database) -> None:
        write(database, letter(), letter("loan:2"), letter(receiver="2"))

        assert marked(database) == {"outbox:webhook:1", "outbox:webhook:2"}


class TestOrder:
    def test_of_each_lane_only_the_first_is_due(self, database: Database, outbox: Outbox) -> None:
        """Ten changes of one loan go out one after the other, whatever other loans do."""
        write(database, *(letter(body=f"{n}") for n in range(10)), letter("loan:2", "other"))

        assert [message.letter.body for message in take(outbox)] == ["0", "other"]

    def test_the_next_follows_once_the_first_is_taken(self, database: Database, outbox: Outbox) -> None:
        write(database, letter(body="a"), letter(body="b"))
        sent = []
        while due := take(outbox):
            outbox.record(due[0], TAKEN)
            sent.append(due[0].letter.body)

        assert sent == ["a", "b"]

    def test_a_failing_message_holds_its_lane_and_no_other(self, database: Database, outbox: Outbox) -> None:
        write(database, letter(body="a"), letter(body="b"), letter("loan:2", "other"))
        outbox.record(take(outbox)[0], DOWN)

        assert [message.letter.body for message in take(outbox)] == ["other"]


class TestTrying:
    def test_a_receiver_down_for_days_gets_twenty_tries_in_eight(
        self, database: Database, outbox: Outbox, clock: StandingClock
    ) -> None:
        """After the last one the message is parked, with its error; each try is kept."""
        write(database, letter())
        began = clock.now
        while outbox.find(1).state is MessageState.WAITING:
            due_at = outbox.find(1).due_at
            assert due_at is not None
            clock.now = max(clock.now, due_at)
            outbox.record(take(outbox)[0], DOWN)

        found = outbox.find(1)
        assert (found.state, found.tries, found.last_error) == (MessageState.PARKED, 20, DOWN.error)
        assert clock.now - began == timedelta(days=8)
        assert len(outbox.attempts(1)) == 20

    def test_what_is_parked_is_told_by_one_case_until_it_is_sent_again(
        self, database: Database, outbox: Outbox
    ) -> None:
        write(database, letter(), letter("loan:2"))
        for message in take(outbox):
            outbox.record(message, Receipt(5, 404, "", "HTTP 404", final=True))

        (case,) = rows(database, "case")
        assert (case.code, case.state, case.facts["receiver"]) == ("message_parked", "open", "1")
        outbox.replay(1)
        assert rows(database, "case")[0].state == "open"
        outbox.replay(2)
        assert rows(database, "case")[0].state == "closed"

    def test_a_refusal_for_good_is_parked_at_once(self, database: Database, outbox: Outbox) -> None:
        write(database, letter())
        outbox.record(take(outbox)[0], Receipt(5, 550, "no such mailbox", "refused for good", final=True))

        assert outbox.find(1).state is MessageState.PARKED

    def test_a_receiver_that_is_down_is_tried_with_one_message(self, database: Database, outbox: Outbox) -> None:
        write(database, *(letter(f"loan:{n}") for n in range(6)))
        for message in take(outbox, 3):
            outbox.record(message, DOWN)

        due = outbox.take_due("webhook", "1", 10)

        assert due.is_down
        assert len(due.messages) == 1

    def test_all_that_waits_is_due_once_it_takes_one(
        self, database: Database, outbox: Outbox, clock: StandingClock
    ) -> None:
        """Nobody waits 44 hours for a receiver that has come back."""
        write(database, *(letter(f"loan:{n}") for n in range(4)))
        for _ in range(12):
            for message in take(outbox):
                outbox.record(message, DOWN)
            clock.advance(hours=1)
        clock.advance(days=1)
        (probe,) = take(outbox)
        outbox.record(probe, TAKEN)

        assert len(take(outbox)) == 3
        (health,) = outbox.health()
        assert (health.failures, health.waiting, health.sent) == (0, 3, 1)

    def test_what_was_asked_for_is_waited_for(self, database: Database, outbox: Outbox, clock: StandingClock) -> None:
        write(database, letter())
        outbox.record(take(outbox)[0], Receipt(5, 503, "", "HTTP 503", retry_after=3600.0))

        assert outbox.find(1).due_at == clock.now + timedelta(hours=1)

    def test_a_crash_between_send_and_record_sends_it_again(self, database: Database, outbox: Outbox) -> None:
        """At least once: what was not recorded is still due, under the same number and with the same body."""
        write(database, letter(body="once"))
        first = take(outbox)  # sent, and then the process dies

        assert take(Outbox(database)) == first


class TestReplaying:
    def test_sends_the_very_same_again(self, database: Database, outbox: Outbox) -> None:
        write(database, letter(body="same"))
        outbox.record(take(outbox)[0], TAKEN)

        outbox.replay(1)

        (again,) = take(outbox)
        assert (again.id, again.letter.body, again.tries) == (1, "same", 0)

    def test_of_all_that_was_given_up_touches_nothing_else(self, database: Database, outbox: Outbox) -> None:
        write(database, letter(), letter("loan:2"), letter("loan:3", receiver="2"))
        outbox.record(take(outbox)[0], Receipt(1, 404, "", "gone", final=True))
        outbox.record(take(outbox)[0], TAKEN)

        assert outbox.replay_all(MessageFilter(receiver="1")) == 1
        assert outbox.counts() == {MessageState.WAITING: 2, MessageState.SENT: 1}

    def test_of_what_is_not_there_is_refused(self, outbox: Outbox) -> None:
        with pytest.raises(NotFound, match="no message 7"):
            outbox.replay(7)


class TestLookingAfter:
    def test_lists_the_newest_first_page_by_page(self, database: Database, outbox: Outbox) -> None:
        write(database, *(letter(f"loan:{n}") for n in range(5)))

        assert [m.id for m in outbox.list_messages(MessageFilter(limit=2))] == [5, 4]
        assert [m.id for m in outbox.list_messages(MessageFilter(after=4, limit=2))] == [3, 2]
        assert [m.id for m in outbox.list_messages(MessageFilter(lane="loan:3"))] == [4]

    def test_forgets_what_was_sent_long_ago(self, database: Database, outbox: Outbox, clock: StandingClock) -> None:
        """What is owed, or was given up, stays for somebody to look at."""
        write(database, letter(), letter("loan:2"))
        outbox.record(take(outbox)[0], TAKEN)
        clock.advance(days=31)

        assert outbox.prune(clock.now - timedelta(days=30)) == 1
        assert [m.id for m in outbox.list_messages(MessageFilter())] == [2]
        assert rows(database, "outbox_try") == []

    def test_a_receiver_that_is_gone_is_sent_nothing(self, database: Database, outbox: Outbox) -> None:
        write(database, letter())
        with database.write() as transaction:
            drop_receiver(transaction, "webhook", "1")

        assert take(outbox) == []
        assert outbox.find(1).state is MessageState.DROPPED

    def test_the_next_look_is_when_the_next_message_is_due(
        self, database: Database, outbox: Outbox, clock: StandingClock
    ) -> None:
        write(database, letter())
        outbox.record(take(outbox)[0], Receipt(5, 503, "", "HTTP 503", retry_after=60.0))
        with database.write() as transaction:
            transaction.connection.exec_driver_sql("UPDATE work SET ready_at = NULL")

        outbox.mark_next("webhook", "1")

        (row,) = rows(database, "work")
        assert row.ready_at == clock.now + timedelta(minutes=1)
