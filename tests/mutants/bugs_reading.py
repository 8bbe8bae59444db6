"""Bugs in how the engine follows what happens: notifications, pages, the mirror, the queue."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from engine.database.inbox import contents
from engine.database.inbox.gatherings import Gatherings
from engine.database.inbox.subscriptions import SubscriptionStore
from engine.database.mirror import mirror
from engine.database.mirror.mirror import Mirror
from engine.database.rooms import copies
from engine.database.rooms.book import RoomCache
from engine.database.sync import ledger
from engine.database.sync.ledger import SyncLedger
from engine.database.work import meeting_marks
from engine.database.work.queue import WorkQueue
from engine.worker.answers import AnswerClock
from engine.worker.loop import Loop
from engine.worker.rooms import RoomPass
from tests.mutants.table import bug, replace_in


@bug(
    "Goes by the list of rooms as this process read it seconds ago, whatever another one has imported since.",
    tests="tests/simulation/test_rivals.py",
)
def knows_rooms_from_before() -> None:
    replace_in(RoomCache, "catch_up", lambda _old: lambda self: None)


@bug("Saves the token of a page before what the page says.", story="meeting: is made")
def saves_the_token_first() -> None:
    def make(save_page: Any) -> Any:
        def early(self: Any, reading: Any, page: Any, **named: Any) -> Any:
            with self._write() as transaction:
                self._save_progress(transaction, reading, page, changed=0)
            return save_page(self, reading, page, **named)

        return early

    replace_in(SyncLedger, "save_page", make)


@bug(
    "Believes @removed: the meeting is over, without asking for it.",
    story="meeting: outlook moves out of what is followed",
)
def believes_removed() -> None:
    def make(save: Any) -> Any:
        def gone(self: Any, transaction: Any, room_id: Any, news: Any, **named: Any) -> None:
            save(self, transaction, room_id, news, **named)
            transaction.connection.execute(
                text("UPDATE room_copy SET gone = true, live = false, doubt = false WHERE room_id = :room AND doubt"),
                {"room": room_id},
            )

        return gone

    replace_in(Mirror, "_save_news", make)


@bug(
    "Does not look for what a whole reading no longer shows.",
    story="meeting: outlook cancels where cancelled copies go and tokens are lost",
)
def resyncs_without_tombstones() -> None:
    replace_in(Mirror, "doubt_unseen", lambda _old: lambda *args, **named: [])


@bug(
    "Takes what a whole reading does not show for gone, without asking.",
    tests="tests/simulation/test_unseen_copies.py",
)
def takes_absence_for_evidence() -> None:
    def make(doubt_unseen: Any) -> Any:
        def gone(self: Any, transaction: Any, room_id: Any, **named: Any) -> Any:
            uids = doubt_unseen(self, transaction, room_id, **named)
            transaction.connection.execute(
                text("UPDATE room_copy SET gone = true, live = false, doubt = false WHERE room_id = :room AND doubt"),
                {"room": room_id},
            )
            return uids

        return gone

    replace_in(Mirror, "doubt_unseen", make)


@bug("Takes cancelled and declined copies for living ones.", story="meeting: outlook cancels")
def takes_dead_copies_for_living() -> None:
    for module in (copies, contents):
        replace_in(module, "is_live", lambda _old: lambda copy: not copy.is_draft)


@bug("Stores notifications and looks at nothing for them.", story="meeting: is made")
def forgets_notifications() -> None:
    replace_in(Gatherings, "mark", lambda _old: lambda *args: None)


@bug(
    "Does not read a room once it is subscribed: what happened just before goes unheard.",
    story="meeting: desk moves | outlook moves before the new subscription is made",
)
def leaves_a_gap_before_the_subscription() -> None:
    def make(finish: Any) -> Any:
        def silent(self: Any, room_id: Any, *, remote_id: str, expires_at: Any, **_refused: Any) -> None:
            with self._database.write() as transaction:
                self._confirm(transaction, room_id, remote_id=remote_id, expires_at=expires_at)

        return silent

    replace_in(SubscriptionStore, "finish_creation", make)
    replace_in(SubscriptionStore, "clear", lambda _old: _clear_silently)


def _clear_silently(self: Any, room_id: Any, *, remote_id: str) -> None:
    from engine.database.inbox.subscriptions import clear_subscription

    with self._database.write() as transaction:
        clear_subscription(transaction, room_id, remote_id=remote_id)


@bug("Forgets a mark that was made while its key was being looked at.", story="loan: is made")
def forgets_marks_of_running_keys() -> None:
    def make(end: Any) -> Any:
        def forgetful(self: Any, claim: Any, transaction: Any) -> Any:
            _ready_at, is_ours = end(self, claim, transaction)
            transaction.connection.execute(
                text("UPDATE work SET ready_at = NULL WHERE kind = :kind AND key = :key AND lease_owner IS NULL"),
                {"kind": claim.kind, "key": claim.key},
            )
            return None, is_ours

        return forgetful

    replace_in(WorkQueue, "_end", make)


@bug(
    "Calls a pass done that has failed for the moment.",
    story="loan: desk moves while Graph is busy",
)
def gives_up_after_one_try() -> None:
    def make(_after: Any) -> Any:
        def done(self: Any, claim: Any, _error: Any) -> str:
            self._ended.append(claim)
            return "done"

        return done

    replace_in(Loop, "_after_transient", make)


@bug("Takes a key off the queue before its pass, not after it.", story="loan: is made")
def takes_keys_off_too_early() -> None:
    def make(claim_some: Any) -> Any:
        def early(self: Any, transaction: Any, *args: Any) -> Any:
            claims = claim_some(self, transaction, *args)
            for claim in claims:
                transaction.connection.execute(
                    text("UPDATE work SET ready_at = NULL, lease_until = NULL WHERE kind = :kind AND key = :key"),
                    {"kind": claim.kind, "key": claim.key},
                )
            return claims

        return early

    replace_in(WorkQueue, "_claim_some", make)
    replace_in(WorkQueue, "renew", lambda _old: lambda self, claims: list(claims))
    replace_in(WorkQueue, "release_others", lambda _old: lambda self: None)


@bug("Releases nothing when a loan ends: its room stays taken.", story="loan: desk cancels and books again")
def releases_occupancy_late() -> None:
    from engine.database.loans import desk
    from engine.database.sync import settle

    for module in (desk, settle):
        if hasattr(module, "let_go"):
            replace_in(module, "let_go", lambda _old: lambda transaction, numbers: set())


@bug("Never settles dates of series that are in doubt.", story="outlook series: outlook cuts")
def leaves_series_in_doubt() -> None:
    async def nothing(self: Any, _room: Any, _unsettled: Any) -> None:
        return None

    replace_in(RoomPass, "_settle_series", lambda _old: nothing)


@bug(
    "Does not read the organizer's copy again when answers are missing.",
    tests="tests/simulation/test_app_to_outlook.py",
)
def never_checks_answers() -> None:
    replace_in(AnswerClock, "check", lambda _old: lambda self, booking: None)


@bug(
    "Does not look at a loan whose event came and went in a room between two readings.",
    tests="tests/simulation/test_promptness.py",
)
def overlooks_what_came_and_went() -> None:
    replace_in(mirror, "ask_about_unshown", lambda _old: lambda *args, **named: None)


@bug(
    "Hears a meeting it has withdrawn in a room's calendar, and takes it for a new one.",
    tests="tests/simulation/test_request_counts.py",
)
def takes_its_echo_for_news() -> None:
    for module in (ledger, meeting_marks):
        replace_in(module, "ENDED", lambda _old: "nothing at all")


@bug(
    "Looks at no other meeting when a room becomes free.",
    tests="tests/simulation/test_outlook_to_app.py",
)
def wakes_nobody() -> None:
    from engine.database.loans import desk
    from engine.database.sync import settle

    for module in (desk, settle):
        if hasattr(module, "wake_waiting"):
            replace_in(module, "wake_waiting", lambda _old: lambda *args: None)


@bug(
    "Believes what a notification brings of an event of which a later one cannot be opened.",
    tests="tests/simulation/test_contents.py",
)
def believes_what_can_be_opened() -> None:
    def make(_old: Any) -> Any:
        return lambda news: [content for _told, content in news if content is not None]

    replace_in(contents, "told_in_full", make)
