"""
What every room calendar must do, whichever service is behind it.

A module that has an implementation subclasses `RoomCalendarSuite` and gives it a `stage`: the calendar, a person and
two rooms that answer by themselves, and a way to let things happen.
"""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol

import pytest

from engine.errors import MailboxClosed, Malformed, ResyncRequired, Stale, Unmatched
from engine.ids import EventId, ICalUid, fold_address
from engine.interval import Interval
from engine.rooms.calendar import ChangesPage, EventDraft, EventPatch, RoomCalendar
from engine.rooms.event import Answer, Change, EventCopy, EventRemoved, Mailbox, read_change


class Stage(Protocol):
    """Where a calendar is put through its paces."""

    calendar: RoomCalendar
    person: str
    room: Mailbox
    other_room: Mailbox

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run *coroutine* to its end."""
        ...

    def settle(self) -> None:
        """Let the rooms answer and every change arrive."""
        ...

    def now(self) -> datetime:
        """The present instant, aware."""
        ...


class RoomCalendarSuite:
    """One class for all; the stage is fresh for every test."""

    # --- what the tests say ------------------------------------------------------------------------------------

    @staticmethod
    def hour(stage: Stage, hours: int = 24) -> Interval:
        start = stage.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=hours)
        return Interval(start, start + timedelta(hours=1))

    def draft(self, stage: Stage, **fields: Any) -> EventDraft:
        given: dict[str, Any] = {
            "subject": "#1 Alex Doe",
            "body_html": "<p>Aula</p>",
            "interval": self.hour(stage),
            "rooms": (stage.room,),
            "transaction_id": "loan-1-g1",
            "loan_ref": "1:g1",
        }
        return EventDraft(**{**given, **fields})

    def book(self, stage: Stage, **fields: Any) -> EventCopy:
        """Create an event, let the rooms answer, and return the organizer's copy as it is then."""
        made = stage.run(stage.calendar.create_event(stage.person, self.draft(stage, **fields)))
        stage.settle()
        found: EventCopy = stage.run(stage.calendar.fetch_event(stage.person, made.event_id))
        return found

    def window(self, stage: Stage) -> Interval:
        return Interval(stage.now() - timedelta(days=2), stage.now() + timedelta(days=30))

    def read_round(self, stage: Stage, link: str | None = None, page_size: int = 200) -> tuple[list[Change], str]:
        """Follow one round of changes of the room to its end."""
        changes: list[Change] = []
        window = self.window(stage) if link is None else None
        while True:
            page: ChangesPage = stage.run(
                stage.calendar.fetch_changes(stage.room.address, link=link, window=window, page_size=page_size)
            )
            assert (page.next_link is None) != (page.delta_link is None), "exactly one link"
            changes += map(read_change, page.changes)
            if page.delta_link is not None:
                return changes, page.delta_link
            link, window = page.next_link, None

    @staticmethod
    def answer_of(copy: EventCopy, room: Mailbox) -> Answer:
        return next(one.answer for one in copy.attendees if fold_address(one.address) == fold_address(room.address))

    # --- places ------------------------------------------------------------------------------------------------

    def test_places_are_listed(self, stage: Stage) -> None:
        """Every room shows up once, with the address it is booked by."""

        async def drain() -> list[str]:
            return [place.address async for page in stage.calendar.fetch_places() for place in page]

        listed = stage.run(drain())

        assert {stage.room.address, stage.other_room.address} <= set(listed)
        assert len(listed) == len(set(listed))

    # --- creating ----------------------------------------------------------------------------------------------

    def test_a_new_event_is_the_organizers_and_nobody_has_answered(self, stage: Stage) -> None:
        """What comes back is the organizer's copy; the rooms have yet to answer."""
        made = stage.run(stage.calendar.create_event(stage.person, self.draft(stage)))

        assert made.organizer is not None
        assert fold_address(made.organizer.address) == fold_address(stage.person)
        assert (made.interval, made.subject, made.is_organizer) == (self.hour(stage), "#1 Alex Doe", True)
        assert self.answer_of(made, stage.room) is Answer.NONE

    def test_creating_twice_gives_the_first_one_back(self, stage: Stage) -> None:
        """One transaction id names one event, however often it is sent."""
        first = stage.run(stage.calendar.create_event(stage.person, self.draft(stage)))
        again = stage.run(stage.calendar.create_event(stage.person, self.draft(stage)))

        assert again.event_id == first.event_id

    def test_creating_otherwise_under_the_same_transaction_id_gives_the_first_one_back(self, stage: Stage) -> None:
        """The marker tells which event was meant; nothing is changed in it."""
        first = stage.run(stage.calendar.create_event(stage.person, self.draft(stage)))
        again = stage.run(stage.calendar.create_event(stage.person, self.draft(stage, subject="other")))

        assert (again.event_id, again.subject) == (first.event_id, "#1 Alex Doe")

    def test_rooms_answer_by_themselves(self, stage: Stage) -> None:
        """A free room accepts, a taken one declines; the organizer's copy tells both."""
        self.book(stage)
        copy = self.book(stage, rooms=(stage.room, stage.other_room), transaction_id="loan-2-g1", loan_ref="2:g1")

        assert self.answer_of(copy, stage.room) is Answer.DECLINED
        assert self.answer_of(copy, stage.other_room) is Answer.ACCEPTED

    def test_exact_times_survive(self, stage: Stage) -> None:
        """Nothing is rounded on the way out or back."""
        start = self.hour(stage).start + timedelta(minutes=7)
        interval = Interval(start, start + timedelta(minutes=23))

        assert self.book(stage, interval=interval).interval == interval

    def test_nobody_creates_in_a_mailbox_that_is_not_there(self, stage: Stage) -> None:
        """Then the mailbox is closed, and nothing was made."""
        with pytest.raises(MailboxClosed):
            stage.run(stage.calendar.create_event("nobody@example.org", self.draft(stage)))

    # --- finding -----------------------------------------------------------------------------------------------

    def test_copies_share_the_uid_and_nothing_else(self, stage: Stage) -> None:
        """The room's copy is found by uid, has its own id, and tells the room's own answer."""
        copy = self.book(stage)

        found = stage.run(stage.calendar.find_event(stage.room.address, copy.ical_uid))

        assert found is not None
        assert found.ical_uid == copy.ical_uid
        assert found.event_id != copy.event_id
        assert (found.answer, found.is_organizer, found.interval) == (Answer.ACCEPTED, False, copy.interval)
        assert stage.run(stage.calendar.find_event(stage.other_room.address, copy.ical_uid)) is None
        assert stage.run(stage.calendar.find_event(stage.room.address, ICalUid("it's nobody's"))) is None

    def test_the_marker_finds_the_copy_we_own(self, stage: Stage) -> None:
        """By the whole reference: `1:g1` is not `1:g10`."""
        copy = self.book(stage)

        found = stage.run(stage.calendar.find_marked_event(stage.person, "1:g1"))

        assert found is not None
        assert found.event_id == copy.event_id
        assert stage.run(stage.calendar.find_marked_event(stage.person, "1:g10")) is None
        assert stage.run(stage.calendar.find_marked_event(stage.person, "1:g")) is None

    def test_reading_again_reads_the_same(self, stage: Stage) -> None:
        """A copy nobody touched has the same etag and the same content."""
        copy = self.book(stage)

        assert stage.run(stage.calendar.fetch_event(stage.person, copy.event_id)) == copy

    def test_a_deleted_copy_reads_as_none(self, stage: Stage) -> None:
        """Gone is an answer, not an error."""
        copy = self.book(stage)
        stage.run(stage.calendar.delete_event(stage.person, copy.event_id))

        assert stage.run(stage.calendar.fetch_event(stage.person, copy.event_id)) is None

    def test_a_mailbox_that_is_not_there_is_never_an_absence(self, stage: Stage) -> None:
        """Nothing is concluded about an event from a mailbox that cannot be read."""
        copy = self.book(stage)

        with pytest.raises(MailboxClosed):
            stage.run(stage.calendar.fetch_event("nobody@example.org", copy.event_id))
        with pytest.raises(MailboxClosed):
            stage.run(stage.calendar.find_event("nobody@example.org", copy.ical_uid))

    @pytest.mark.parametrize("event_id", ["", " ", ".", ".."])
    def test_an_id_that_is_none_is_refused(self, stage: Stage, event_id: str) -> None:
        """It would name something else."""
        with pytest.raises(Malformed):
            stage.run(stage.calendar.delete_event(stage.person, EventId(event_id)))

    # --- changing ----------------------------------------------------------------------------------------------

    def test_only_what_is_named_changes(self, stage: Stage) -> None:
        """The rest of the event is as it was."""
        copy = self.book(stage)

        changed = stage.run(stage.calendar.change_event(stage.person, copy, EventPatch(subject="#1 Kim Ito")))

        assert changed.etag != copy.etag
        assert replace(changed, subject=copy.subject, etag=copy.etag) == copy

    def test_a_moved_event_moves_in_the_room(self, stage: Stage) -> None:
        """The room's copy follows, and the room answers for the new time."""
        copy = self.book(stage)
        later = self.hour(stage, 48)

        stage.run(stage.calendar.change_event(stage.person, copy, EventPatch(interval=later)))
        stage.settle()

        found = stage.run(stage.calendar.find_event(stage.room.address, copy.ical_uid))
        assert (found.interval, found.answer) == (later, Answer.ACCEPTED)

    def test_rooms_are_added_and_dropped_and_people_stay(self, stage: Stage) -> None:
        """The dropped room's copy is cancelled or gone; the new one has its own."""
        copy = self.book(stage)
        patch = EventPatch(attendees=(stage.other_room,), drop_rooms=(stage.room.address,))

        stage.run(stage.calendar.change_event(stage.person, copy, patch))
        stage.settle()

        changed = stage.run(stage.calendar.fetch_event(stage.person, copy.event_id))
        assert [one.address for one in changed.attendees] == [stage.other_room.address]
        assert self.answer_of(changed, stage.other_room) is Answer.ACCEPTED
        left = stage.run(stage.calendar.find_event(stage.room.address, copy.ical_uid))
        assert left is None or left.is_cancelled

    def test_what_changed_meanwhile_is_not_overwritten(self, stage: Stage) -> None:
        """An old etag is Stale, and the newer change stays."""
        copy = self.book(stage)
        stage.run(stage.calendar.change_event(stage.person, copy, EventPatch(subject="first")))

        with pytest.raises(Stale):
            stage.run(stage.calendar.change_event(stage.person, copy, EventPatch(subject="second")))

        assert stage.run(stage.calendar.fetch_event(stage.person, copy.event_id)).subject == "first"

    def test_what_is_gone_cannot_be_changed(self, stage: Stage) -> None:
        """Unmatched: the caller decides what that means."""
        copy = self.book(stage)
        stage.run(stage.calendar.delete_event(stage.person, copy.event_id))

        with pytest.raises(Unmatched):
            stage.run(stage.calendar.change_event(stage.person, copy, EventPatch(subject="x")))

    # --- ending ------------------------------------------------------------------------------------------------

    def test_deleting_cancels_for_everybody_and_may_be_repeated(self, stage: Stage) -> None:
        """True, then False; the room's copy is cancelled or gone."""
        copy = self.book(stage)

        assert stage.run(stage.calendar.delete_event(stage.person, copy.event_id)) is True
        stage.settle()

        assert stage.run(stage.calendar.delete_event(stage.person, copy.event_id)) is False
        left = stage.run(stage.calendar.find_event(stage.room.address, copy.ical_uid))
        assert left is None or left.is_cancelled

    def test_what_changed_meanwhile_is_deleted_only_when_no_version_is_named(self, stage: Stage) -> None:
        """An old etag is Stale, and the event stays; without one, it goes whatever it says."""
        copy = self.book(stage)
        stage.run(stage.calendar.change_event(stage.person, copy, EventPatch(subject="first")))

        with pytest.raises(Stale):
            stage.run(stage.calendar.delete_event(stage.person, copy.event_id, etag=copy.etag))
        assert stage.run(stage.calendar.fetch_event(stage.person, copy.event_id)).subject == "first"

        assert stage.run(stage.calendar.delete_event(stage.person, copy.event_id)) is True

    def test_a_room_that_declines_tells_the_organizer(self, stage: Stage) -> None:
        """The organizer's copy lives on, with that room's refusal in it."""
        copy = self.book(stage)
        in_room = stage.run(stage.calendar.find_event(stage.room.address, copy.ical_uid))

        assert (
            stage.run(stage.calendar.decline_event(stage.room.address, in_room.event_id, "Needed for an exam")) is True
        )
        stage.settle()

        after = stage.run(stage.calendar.fetch_event(stage.person, copy.event_id))
        assert self.answer_of(after, stage.room) is Answer.DECLINED

    def test_declining_what_is_gone(self, stage: Stage) -> None:
        """False: there is nothing left to decline."""
        copy = self.book(stage)
        in_room = stage.run(stage.calendar.find_event(stage.room.address, copy.ical_uid))
        stage.run(stage.calendar.delete_event(stage.room.address, in_room.event_id))

        assert stage.run(stage.calendar.decline_event(stage.room.address, in_room.event_id, "")) is False

    # --- changes -----------------------------------------------------------------------------------------------

    def test_a_round_shows_what_is_there_and_the_next_what_changed(self, stage: Stage) -> None:
        """After a round without changes there is nothing to tell."""
        copy = self.book(stage)

        changes, link = self.read_round(stage)
        quiet, link = self.read_round(stage, link)
        stage.run(stage.calendar.change_event(stage.person, copy, EventPatch(interval=self.hour(stage, 30))))
        stage.settle()
        moved, _ = self.read_round(stage, link)

        assert copy.ical_uid in {change.ical_uid for change in changes if isinstance(change, EventCopy)}
        assert quiet == []
        assert {change.interval for change in moved if isinstance(change, EventCopy)} == {self.hour(stage, 30)}

    def test_small_pages_show_the_same(self, stage: Stage) -> None:
        """The page size changes the number of pages, nothing else."""
        for number in range(5):
            self.book(
                stage,
                interval=self.hour(stage, 24 + number),
                transaction_id=f"loan-{number}-g1",
                loan_ref=f"{number}:g1",
            )

        by_two = {change.event_id for change in self.read_round(stage, page_size=2)[0]}

        assert by_two == {change.event_id for change in self.read_round(stage)[0]}
        assert len(by_two) == 5

    def test_a_cancelled_meeting_shows_up(self, stage: Stage) -> None:
        """As a cancelled copy or as removed; which of the two depends on the room."""
        copy = self.book(stage)
        _, link = self.read_round(stage)

        stage.run(stage.calendar.delete_event(stage.person, copy.event_id))
        stage.settle()

        changes, _ = self.read_round(stage, link)
        assert changes
        assert all(isinstance(change, EventRemoved) or getattr(change, "is_cancelled", False) for change in changes)

    def test_a_link_nobody_knows_asks_for_a_new_round(self, stage: Stage) -> None:
        """The token is no longer known: everything must be read anew."""
        _, link = self.read_round(stage)
        broken = link.partition("deltatoken=")[0] + "deltatoken=none"

        with pytest.raises(ResyncRequired):
            stage.run(stage.calendar.fetch_changes(stage.room.address, link=broken, window=None))

    def test_a_room_that_is_not_there_has_no_changes_to_tell(self, stage: Stage) -> None:
        """An error, never an empty page."""
        with pytest.raises(MailboxClosed):
            stage.run(stage.calendar.fetch_changes("nobody@example.org", link=None, window=self.window(stage)))

    # --- subscriptions -----------------------------------------------------------------------------------------

    def subscribe(self, stage: Stage, *, days: int = 2, secret: str = "secret-1") -> Any:
        return stage.run(
            stage.calendar.create_subscription(
                stage.room.address,
                notification_url="https://sync.example.org/graph/notifications",
                lifecycle_url="https://sync.example.org/graph/lifecycle",
                client_state=secret,
                expires_at=stage.now() + timedelta(days=days),
            )
        )

    def test_a_subscription_is_listed_renewed_and_deleted(self, stage: Stage) -> None:
        """Its whole life."""
        made = self.subscribe(stage)
        until = (stage.now() + timedelta(days=3)).replace(microsecond=0)

        renewed = stage.run(stage.calendar.renew_subscription(made.id, expires_at=until))
        listed = stage.run(stage.calendar.fetch_subscriptions())
        stage.run(stage.calendar.delete_subscription(made.id))
        stage.run(stage.calendar.delete_subscription(made.id))

        assert renewed.expires_at == until
        assert [(one.id, one.expires_at) for one in listed] == [(made.id, until)]
        assert stage.run(stage.calendar.fetch_subscriptions()) == ()
        assert stage.run(stage.calendar.renew_subscription(made.id, expires_at=until)) is None

    def test_subscribing_again_replaces_the_first(self, stage: Stage) -> None:
        """There is one per room, and it carries the newest secret."""
        first = self.subscribe(stage)
        second = self.subscribe(stage, secret="secret-2")

        assert second.id != first.id
        assert [one.id for one in stage.run(stage.calendar.fetch_subscriptions())] == [second.id]
