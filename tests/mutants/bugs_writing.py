"""Bugs in how the engine writes, and in what it remembers of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import text

from engine.database.inbox import notifications
from engine.database.links.bookings import change_link
from engine.database.links.codec import render_base
from engine.database.loans.desk import Desk
from engine.database.sync import intent_ledger
from engine.database.sync.ledger import SyncLedger
from engine.database.work.meeting_marks import ENDED
from engine.reconcile.ledger import IntentKind
from engine.worker import writes
from engine.worker.series_writes import SeriesPass
from engine.worker.writes import Writes
from tests.mutants.table import bug, replace_in


@bug("Keeps no intents: a write that a crash cut off is forgotten.", story="meeting: desk moves")
def keeps_no_intents() -> None:
    def make(save_plan: Any) -> Any:
        def forgetful(self: Any, *args: Any) -> Any:
            intents = save_plan(self, *args)
            with self._write() as transaction:
                for intent in intents:
                    transaction.connection.execute(text("DELETE FROM intent WHERE id = :id"), {"id": intent.id})
            return intents

        return forgetful

    replace_in(SyncLedger, "save_plan", make)
    replace_in(intent_ledger, "_drop", lambda _old: lambda transaction, intent: True)


@bug("Tells the history of a write in a transaction after the one that ends its intent.", story="loan: is made")
def tells_too_late() -> None:
    def make(finish: Any) -> Any:
        def late(self: Any, intent: Any, copy: Any, *, told: str | None = None) -> None:
            finish(self, replace(intent, told=""), copy, told=told)
            with self._write() as transaction:
                intent_ledger._tell(transaction, intent, intent.told, copy)

        return late

    replace_in(SyncLedger, "finish_intent", make)


@bug("Takes the base as agreed before the write was made, and keeps no intent of it.", story="meeting: desk moves")
def agrees_before_it_writes() -> None:
    def make(save_plan: Any) -> Any:
        def early(self: Any, *args: Any) -> Any:
            intents = save_plan(self, *args)
            with self._write() as transaction:
                for intent in intents:
                    if intent.kind is IntentKind.CHANGE:
                        base = render_base(intent.base)
                        change_link(transaction, intent.loan_number, intent.generation, base=base)
                        transaction.connection.execute(text("DELETE FROM intent WHERE id = :id"), {"id": intent.id})
            return intents

        return early

    replace_in(SyncLedger, "save_plan", make)


@bug("Takes what came back for the base, not what was sent.", story="loan: is made | outlook moves")
def takes_the_answer_for_the_base() -> None:
    def make(finish_change: Any) -> Any:
        def answered(transaction: Any, intent: Any, copy: Any) -> None:
            base = intent.base
            if base is not None and copy.interval is not None:
                base = replace(base, outlook=replace(base.outlook, interval=copy.interval))
            finish_change(transaction, replace(intent, base=base), copy)

        return answered

    replace_in(intent_ledger, "finish_change", make)


@bug(
    "Repeats a creation with what the loan says now, under the old transaction id.", story="loan: is made | desk moves"
)
def sends_new_words_under_an_old_key() -> None:
    def make(carry_out: Any) -> Any:
        async def anew(self: Any, booking: Any, intents: Any, *, resumed: bool, **named: Any) -> None:
            if resumed and booking.loan is not None:
                intents = tuple(_with_times(each, booking.loan.interval) for each in intents)
            await carry_out(self, booking, intents, resumed=resumed, **named)

        return anew

    replace_in(Writes, "carry_out", make)


def _with_times(intent: Any, times: Any) -> Any:
    if intent.kind is not IntentKind.CREATE:
        return intent
    faces = {side: replace(getattr(intent.base, side), interval=times) for side in ("outlook", "loan")}
    return replace(intent, draft=replace(intent.draft, interval=times), base=replace(intent.base, **faces))


@bug(
    "Writes over an event that was changed since it was read.",
    story="loan: outlook moves while the desk's move is on its way",
)
def overwrites_a_newer_event() -> None:
    def make(change: Any) -> Any:
        async def blind(self: Any, booking: Any, intent: Any, copy: Any, *, resumed: bool) -> None:
            fresh = await self._calendar.fetch_event(intent.mailbox, intent.event_id)
            etag = fresh.etag if fresh is not None else intent.etag
            await change(self, booking, replace(intent, etag=etag), fresh, resumed=resumed)

        return blind

    replace_in(Writes, "_change", make)


@bug(
    "Drops a write that came too late, and does not look again.",
    story="wide loan: desk drops a room while its organizer sorts it",
)
def drops_a_write_without_a_look() -> None:
    def make(_old: Any) -> Any:
        def drop(self: Any, intent: Any, *, told: str | None = None) -> None:
            with self._write() as transaction:
                intent_ledger._drop(transaction, intent)

        return drop

    replace_in(SyncLedger, "drop_intent", make)


@bug(
    "Does not tell what was done to an event that was about to be replaced.",
    story="loan: desk gives away | outlook rerooms",
)
def loses_a_late_edit() -> None:
    async def silent(self: Any, *args: Any) -> None:
        return None

    replace_in(Writes, "_tell_of_late_edit", lambda _old: silent)


@bug("Does not delete the old event of a loan that got another requester.", story="loan: desk gives away")
def leaves_the_replaced_event() -> None:
    async def leave(self: Any, booking: Any, intent: Any, *, resumed: bool, etag: str = "") -> None:
        self._ledger.finish_intent(intent, None)

    replace_in(Writes, "_delete", lambda _old: leave)


@bug(
    "Ends a write with any answer, also one that belongs to another.",
    tests="tests/simulation/test_app_to_outlook.py",
)
def ends_any_write() -> None:
    replace_in(intent_ledger, "_drop", lambda _old: _drop_of_loan)


def _drop_of_loan(transaction: Any, intent: Any) -> bool:
    statement = text("DELETE FROM intent WHERE loan_number = :number")
    transaction.connection.execute(statement, {"number": intent.loan_number})
    return True


@bug(
    "Does not look for answers after a write.",
    tests="tests/simulation/test_app_to_outlook.py",
)
def looks_for_no_answers_after_a_write() -> None:
    def make(finish: Any) -> Any:
        def silent(self: Any, transaction: Any, intent: Any, copy: Any, *, told: str) -> None:
            if intent_ledger._drop(transaction, intent) and intent.kind is not IntentKind.DELETE:
                intent_ledger.finish_change(transaction, intent, copy)

        return silent

    replace_in(SyncLedger, "_finish", make)


@bug("Adds the rooms of a loan and drops none.", story="loan: desk rerooms")
def drops_no_rooms() -> None:
    def make(event_patch: Any) -> Any:
        return lambda draft: replace(event_patch(draft), drop_rooms=())

    replace_in(writes, "_event_patch", make)


@bug(
    "Sends the times with every change, also when only rooms change.",
    tests="tests/simulation/test_app_to_outlook.py",
)
def sends_times_unasked() -> None:
    def make(change: Any) -> Any:
        async def more(self: Any, booking: Any, intent: Any, copy: Any, *, resumed: bool) -> None:
            times = intent.draft.interval or (booking.loan.interval if booking.loan is not None else None)
            await change(
                self, booking, replace(intent, draft=replace(intent.draft, interval=times)), copy, resumed=resumed
            )

        return more

    replace_in(Writes, "_change", make)


@bug("Changes a loan at the desk and marks nothing.", story="loan: desk moves")
def marks_no_changed_loan() -> None:
    def make(change: Any) -> Any:
        def silent(self: Any, number: Any, *args: Any, **named: Any) -> Any:
            found = change(self, number, *args, **named)
            with self._database.write() as transaction:
                transaction.connection.execute(
                    text("UPDATE work SET ready_at = NULL WHERE kind = 'loan' AND key = :key AND lease_owner IS NULL"),
                    {"key": str(number)},
                )
            return found

        return silent

    replace_in(Desk, "change", make)


@bug("Does not end a series at its new last date.", story="app series: desk cancels following")
def ends_no_series() -> None:
    async def nothing(self: Any, write: Any) -> None:
        self._ledger.finish_end(write)

    replace_in(SeriesPass, "_end", lambda _old: nothing)


@bug(
    "Forgets the part of a series' change that Outlook made since.",
    story="app series: desk moves all, outlook cancels one",
)
def changes_a_series_unread() -> None:
    async def begin(self: Any, write: Any, event_id: Any) -> bool:
        self._ledger.begin(write)
        return True

    replace_in(SeriesPass, "_is_as_agreed", lambda _old: begin)


@bug(
    "Drops a create whose loan was changed, whether or not it may have been sent: its event stays in Outlook.",
    tests="tests/simulation/test_app_to_outlook.py",
)
def drops_what_may_have_been_sent() -> None:
    def make(judge: Any) -> Any:
        return lambda *, now, **known: judge(now=now, **{**known, "unsent_since": now})

    replace_in(intent_ledger, "judge_create", make)


@bug(
    "Passes over how a room lets go of an event while the loan's next one waits for that.",
    tests="tests/simulation/test_request_counts.py",
)
def passes_over_what_is_waited_for() -> None:
    def make(is_seen: Any) -> Any:
        return lambda notice, copy: (
            (copy is not None and copy.link_state == ENDED and copy.series_master is None) or is_seen(notice, copy)
        )

    replace_in(notifications, "_is_seen", make)
