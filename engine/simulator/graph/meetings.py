"""
What owners do with the copies in their own mailbox: create, change, cancel, delete, answer.

The organizer's acts are mailed to the others; an attendee's changes stay on that copy, and the next update of the
organizer overwrites them (Graph docs: event-update, event-delete, event-cancel; Exchange SDK aa493898).
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from engine.simulator.answering.attendant import Attendant
from engine.simulator.answering.processing import Verdict
from engine.simulator.calendars.patterns import Times, check_neighbours, keeps_exceptions, times_of
from engine.simulator.calendars.records import NEVER, Attendee, Event, Mailbox
from engine.simulator.calendars.recurrence import dates_of
from engine.simulator.graph.intake import LOCAL_ONLY, apply_body, fingerprint, read_attendees
from engine.simulator.wire import GraphError, bad_request
from engine.simulator.world import World, render_id


class Meetings:
    """The verbs of one's own calendar."""

    def __init__(self, world: World, attendant: Attendant) -> None:
        self._world = world
        self._attendant = attendant

    # -- create

    def create(self, owner: Mailbox, body: dict[str, Any]) -> Event:
        """
        Create an event in *owner*'s calendar and invite its attendees.

        A repeated transactionId with the same content returns the event that exists; with other content it is refused
        (Graph docs: event; observed by developers for code and status). In a room's own calendar nothing is checked:
        no request is delivered, so no attendant looks at it (Support KB 3191287).
        """
        transaction = body.get("transactionId")
        mark = fingerprint(body) if transaction else ""
        if transaction:
            existing = self._existing(owner, str(transaction), mark)
            if existing is not None:
                return existing
        event = self._new(owner, body)
        event.transaction_id, event.fingerprint = (str(transaction) if transaction else None), mark
        self._world.write(event, "created")
        if not event.is_draft:
            self._invite(event, event.attendees)
        return event

    def _existing(self, owner: Mailbox, transaction: str, mark: str) -> Event | None:
        calendar = self._world.calendars[owner.id]
        key = calendar.transactions.get(transaction)
        if key is None:
            return None
        event = calendar.events[key]
        if event.fingerprint != mark:
            message = "The TransactionId specified in the request has already been used to create a different event."
            extra = {"@event.existingEventId": render_id(event.key, immutable=False)}
            raise GraphError(400, "ErrorDuplicateTransactionId", message, extra=extra)
        return event

    def _new(self, owner: Mailbox, body: dict[str, Any]) -> Event:
        if not body.get("start") or not body.get("end"):
            raise bad_request("Start and end are required.", code="ErrorPropertyValidationFailure")
        world = self._world
        now = world.now()
        event = Event(
            key=world.new_key(), mailbox=owner.id, ical_uid=world.new_ical_uid(), number=world.next_number(),
            created_at=now, modified_at=now, start=now, end=now,
            organizer_name=owner.display_name, organizer_address=owner.address, organizer_mailbox=owner.id,
        )  # fmt: skip
        apply_body(event, body)
        event.attendees = self._named(read_attendees(body))
        event.response = "organizer" if event.attendees else "none"
        return event

    # -- change

    def update(self, event: Event, body: dict[str, Any]) -> Event:
        """
        Change *event* and mail whom it concerns.

        Only `attendees` in the body: only those who come or go hear of it. Anything else: everybody does, equal values
        included (Graph docs: event-update; observed by developers, msgraph-sdk-dotnet issue 1996).
        """
        trial = deepcopy(event)  # a refused change must change nothing
        apply_body(trial, body)
        read_attendees(body)
        calendar = self._world.calendars[event.mailbox]
        if event.series and (trial.start, trial.end) != (event.start, event.end):
            check_neighbours(calendar.series[event.series], trial)
        before = times_of(event)
        was_draft = event.is_draft
        apply_body(event, body)
        gone, come = self._replace_attendees(event, body) if "attendees" in body else ([], [])
        if not event.is_organizer:
            return self._world.write(event, "updated")
        # A request names its sender as the directory does now; items that are not touched keep the old name.
        event.organizer_name = self._world.mailboxes[event.mailbox].display_name
        if before != times_of(event):
            self._take_answers_back(event)
            self._keep_or_drop_exceptions(event, before)
        event.response = "organizer" if event.attendees else event.response
        self._world.write(event, "updated")
        if event.is_draft:
            return event
        for attendee in gone:
            self._attendant.uninvite(event, attendee.address)
        self._invite(event, event.attendees if was_draft else self._concerned(event, body, come))
        self._tell_exceptions(event, body, come)
        return event

    def _keep_or_drop_exceptions(self, event: Event, before: Times) -> None:
        """
        End every exception with other times or another pattern, and those past another end.

        Who was invited to that date alone hears of it.
        """
        series = self._world.calendars[event.mailbox].series.get(event.key)
        if series is None:
            return
        keeps = keeps_exceptions(before, times_of(event))
        for day, item in series.exceptions.items():
            if keeps and event.recurrence is not None and day in dates_of(event.recurrence):
                self._take_answers_back(item)
                continue
            self._tell_guests_of(item, event)
        if not keeps:
            self._world.drop_exceptions(series)

    def _tell_guests_of(self, item: Event, master: Event) -> None:
        """Tell those who were invited to this one date of the series alone that it is off."""
        invited = {guest.address.lower() for guest in master.attendees}
        for attendee in item.attendees:
            if attendee.address.lower() not in invited:
                self._attendant.uninvite(item, attendee.address)

    def _tell_exceptions(self, event: Event, body: dict[str, Any], come: list[Attendee]) -> None:
        """Mail each exception to come too, to all or to those who joined (event-update; MS-OXOCAL 3.1.4.7.3.5)."""
        series = self._world.calendars[event.mailbox].series.get(event.key)
        told = set(body) - LOCAL_ONLY
        if series is None or not told:
            return
        joined = {attendee.address.lower() for attendee in come}
        for item in series.exceptions.values():
            if item.start > self._world.now() and series.is_modified(item):
                is_for_all = told != {"attendees"}
                self._invite(item, [a for a in item.attendees if is_for_all or a.address.lower() in joined])

    def _concerned(self, event: Event, body: dict[str, Any], come: list[Attendee]) -> list[Attendee]:
        told = set(body) - LOCAL_ONLY
        if not told:
            return []
        return come if told == {"attendees"} else event.attendees

    def _replace_attendees(self, event: Event, body: dict[str, Any]) -> tuple[list[Attendee], list[Attendee]]:
        """Put the list in *body* in place of the old one; who stays keeps the answer (Graph docs: event-update)."""
        old = {item.address.lower(): item for item in event.attendees}
        listed = self._named(read_attendees(body))
        for item in listed:
            kept = old.get(item.address.lower())
            if kept is not None:
                item.response, item.responded_at = kept.response, kept.responded_at
        new = {item.address.lower() for item in listed}
        event.attendees = listed
        gone = [item for address, item in old.items() if address not in new]
        return gone, [item for item in listed if item.address.lower() not in old]

    def _named(self, attendees: list[Attendee]) -> list[Attendee]:
        """Fill in the directory's name where the caller gave none."""
        for item in attendees:
            known = self._world.find_mailbox(item.address) if item.name == item.address else None
            item.name = known.display_name if known else item.name
        return attendees

    def _take_answers_back(self, event: Event) -> None:
        event.sequence += 1
        for attendee in event.attendees:
            attendee.response, attendee.responded_at = "none", NEVER

    def _invite(self, event: Event, attendees: list[Attendee]) -> None:
        for attendee in attendees:
            self._attendant.invite(event, attendee.address)

    # -- end

    def delete(self, event: Event) -> None:
        """Delete this copy; the organizer's deletion cancels the meeting for all (Graph docs: event-delete)."""
        calendar = self._world.calendars[event.mailbox]
        if event.slot is not None and calendar.series[event.series].holds_nothing_but(event.slot):
            event = calendar.series[event.series].master
        told = [(event, attendee.address) for attendee in event.attendees]
        series = calendar.series.get(event.key)
        known = {address.lower() for _, address in told}
        for item in series.exceptions.values() if series else ():
            told += [(item, guest.address) for guest in item.attendees if guest.address.lower() not in known]
        calendar = self._world.calendars[event.mailbox]
        whole = calendar.series.get(event.series)
        self._world.erase(event)
        if whole is not None and whole.master.key not in calendar.events:  # it ended with its last date
            told = [(whole.master, attendee.address) for attendee in whole.master.attendees] + told
        if event.is_organizer and not event.is_draft:
            for item, address in told:
                self._attendant.uninvite(item, address)

    def cancel(self, event: Event) -> None:
        """Cancel as the organizer; others are refused (Graph docs: event-cancel)."""
        if not event.is_organizer:
            raise bad_request("You need to be an organizer to cancel a meeting.")
        self.delete(event)

    # -- answer

    def respond(self, event: Event, verdict: Verdict, *, send: bool) -> None:
        """
        Answer a request in the name of the copy's owner.

        A declined copy leaves the calendar. Without a sent response the organizer hears nothing (Graph docs:
        event-decline; observed by developers, docs-contrib issue 2624).
        """
        if event.is_organizer:
            raise bad_request("Your request can't be completed. You can't respond to this meeting because you're the "
                              "meeting organizer.")  # fmt: skip
        self._attendant.answer_for(event, verdict, send=send)
