"""
Stage one of what happens to a request: the calendar attendant puts it on the calendar of the invited mailbox.

A request for a series carries the pattern, what is cancelled of it and its exceptions; one for a single date of a
series becomes an exception of the series that is there, or else an item by itself.
"""

from __future__ import annotations

from engine.simulator.calendars.records import NEVER, Attendee, Event, Mailbox
from engine.simulator.calendars.series import copied
from engine.simulator.world import World


class Placing:
    """Places requests on calendars."""

    def __init__(self, world: World) -> None:
        self._world = world

    def is_invited(self, owner: Mailbox, meeting: Event) -> bool:
        """Tell whether *meeting* lists the owner."""
        return self.answer(owner, meeting) is not None

    def answer(self, owner: Mailbox, meeting: Event) -> str | None:
        """Return what the organizer knows of the owner's answer; None when the owner is not invited."""
        addresses = self._world.addresses_of(owner)
        return next((item.response for item in meeting.attendees if item.address.lower() in addresses), None)

    def place(self, owner: Mailbox, meeting: Event) -> Event:
        """Put the organizer's words on the calendar; a new time takes the old answer back."""
        if meeting.recurrence is not None:
            self._absorb_dates(owner, meeting)
        copy = self._world.calendars[owner.id].by_ical(meeting.ical_uid) or self._restored(owner, meeting)
        return self._put(owner, meeting, copy or self._blank_copy(owner, meeting), is_new=copy is None)

    def _put(self, owner: Mailbox, meeting: Event, copy: Event, *, is_new: bool) -> Event:
        moved = is_new or copy.is_cancelled or _stands_elsewhere(copy, meeting)
        self._copy_content(owner, meeting, copy)
        if not copy.series:
            self._copy_series(meeting, copy, moved=moved)
        if moved:
            copy.response, copy.responded_at = "notResponded", NEVER
            copy.show_as = "free" if meeting.show_as == "free" else "tentative"
        elif copy.response == "accepted":
            copy.show_as = meeting.show_as
        self.set_own_status(copy)
        self._world.write(copy, "created" if is_new else "updated")
        if copy.recurrence is not None:
            if moved:
                self._place_exceptions(owner, meeting, copy)
            else:
                self._take_back_dates(owner, meeting, copy)
        return copy

    def set_own_status(self, copy: Event) -> None:
        """Show the owner's own answer in the attendee list; others' answers are not kept up (Graph: responseStatus)."""
        owner = self._world.addresses_of(self._world.mailboxes[copy.mailbox])
        shown = "none" if copy.response == "notResponded" else copy.response
        for attendee in copy.attendees:
            if attendee.address.lower() in owner:
                attendee.response, attendee.responded_at = shown, copy.responded_at

    def _blank_copy(self, owner: Mailbox, meeting: Event) -> Event:
        world = self._world
        now = world.now()
        return Event(
            key=world.new_key(), mailbox=owner.id, ical_uid=meeting.ical_uid, number=world.next_number(),
            created_at=now, modified_at=now, start=meeting.start, end=meeting.end, is_organizer=False,
            response="notResponded", show_as="tentative",
        )  # fmt: skip

    def _copy_content(self, owner: Mailbox, meeting: Event, copy: Event) -> None:
        copy.subject, copy.body, copy.body_type = meeting.subject, meeting.body, meeting.body_type
        copy.start, copy.end, copy.is_all_day = meeting.start, meeting.end, meeting.is_all_day
        copy.start_zone, copy.end_zone = meeting.start_zone, meeting.end_zone
        copy.sensitivity, copy.intended_show_as = meeting.sensitivity, meeting.show_as
        copy.organizer_name, copy.organizer_address = meeting.organizer_name, meeting.organizer_address
        copy.organizer_mailbox, copy.sequence, copy.is_cancelled = meeting.mailbox, meeting.sequence, False
        copy.location, copy.locations = copied(meeting.location), copied(meeting.locations)
        copy.hide_attendees, copy.has_attachments = meeting.hide_attendees, meeting.has_attachments
        copy.extras = {**meeting.extras, "isReminderOn": False}
        addresses = self._world.addresses_of(owner)
        copy.attendees = [
            Attendee(address=item.address, name=item.name, type=item.type)
            for item in meeting.attendees
            if not meeting.hide_attendees or item.address.lower() in addresses
        ]

    # -- series

    def _restored(self, owner: Mailbox, meeting: Event) -> Event | None:
        """Return the occurrence that was taken out of the owner's copy of the series and is asked for again."""
        series = self._world.calendars[owner.id].series_by_ical(meeting.ical_uid)
        if series is None or meeting.slot is None:
            return None
        occurrence = series.restore(meeting.slot)
        occurrence.sequence = -1
        return occurrence

    def _absorb_dates(self, owner: Mailbox, meeting: Event) -> None:
        """A series takes the place of the single dates of it that the owner was invited to before."""
        for item in self._world.calendars[owner.id].loose_dates(meeting.ical_uid):
            self._world.erase(item)

    def _copy_series(self, meeting: Event, copy: Event, *, moved: bool) -> None:
        """Take the pattern over, and what is cancelled; a new time takes back what this copy had declined of it."""
        if moved:
            copy.recurrence = meeting.recurrence
            series = self._world.calendars[copy.mailbox].series.get(copy.key)
            if series is not None:
                self._world.drop_exceptions(series)
            copy.cancelled_dates = []
        copy.cancelled_dates = sorted({*copy.cancelled_dates, *meeting.cancelled_dates})

    def _place_exceptions(self, owner: Mailbox, meeting: Event, copy: Event) -> None:
        """A series' request carries its exceptions; dates the owner is not invited to, or declined, are left out."""
        source = self._world.calendars[meeting.mailbox].series[meeting.key]
        series = self._world.calendars[owner.id].series[copy.key]
        for day, item in sorted(source.exceptions.items()):
            occurrence = series.at(day)
            if occurrence is None:
                continue
            if self.answer(owner, item) in (None, "declined"):
                self._world.erase(occurrence)
            elif source.is_modified(item):
                self._put(owner, item, occurrence, is_new=False)
            if copy.key not in self._world.calendars[owner.id].series:
                return  # not one date is left

    def _take_back_dates(self, owner: Mailbox, meeting: Event, copy: Event) -> None:
        """Place the dates again that were called off for the owner alone, where the series invites to them again."""
        source = self._world.calendars[meeting.mailbox].series[meeting.key]
        series = self._world.calendars[owner.id].series[copy.key]
        for day, item in sorted(series.exceptions.items()):
            asked = source.at(day) if item.is_cancelled else None
            if asked is not None and not asked.is_cancelled and self.is_invited(owner, asked):
                self._put(owner, asked, item, is_new=False)


def _stands_elsewhere(copy: Event, meeting: Event) -> bool:
    """Tell whether *meeting* asks for other times than *copy* has: a series says so by its sequence."""
    if meeting.recurrence is not None or copy.recurrence is not None:
        return copy.sequence != meeting.sequence
    return (copy.start, copy.end) != (meeting.start, meeting.end) or copy.sequence < 0
