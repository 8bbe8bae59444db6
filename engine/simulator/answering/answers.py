"""
What an organizer's mailbox makes of the answers that come in, to a meeting, a series or one date of it.

An answer to a single date makes an exception of it, whose attendee then differs from the series (Set-CalendarProcessing
on partial acceptance); one that was given before the last one counts for nothing, whichever comes first.
"""

from __future__ import annotations

from datetime import datetime

from engine.simulator.calendars.records import NEVER, Attendee, Event
from engine.simulator.world import World


class Answers:
    """Takes answers in, for every organizer."""

    def __init__(self, world: World) -> None:
        self._world = world

    def arrive(
        self, mailbox: str, ical_uid: str, attendee: str, response: str, sequence: int, sent: str = NEVER.isoformat()
    ) -> None:
        """Note what *attendee* said; *mailbox* is the organizer's, *sent* when it was said."""
        meeting = self._world.calendars[mailbox].by_ical(ical_uid)
        if meeting is None or not meeting.is_organizer or meeting.sequence != sequence:
            return
        if self._world.mailboxes[mailbox].state in ("disabled", "removed"):
            return  # mail to somebody who has left comes back
        addresses = self._world.addresses_of(self._world.mailboxes[attendee])
        for item in meeting.attendees:
            if item.address.lower() in addresses and not self._is_old_news(meeting, item, response, sent):
                item.response = response
                item.responded_at = max(datetime.fromisoformat(sent), item.responded_at)
                self._world.write(meeting, "updated")

    def _is_old_news(self, meeting: Event, item: Attendee, response: str, sent: str) -> bool:
        """Tell whether a later answer is known, or the answer to the series says the same already."""
        if meeting.type == "occurrence":
            return item.response == response
        return datetime.fromisoformat(sent) < item.responded_at and not self._is_yes_to_the_series(meeting, item)

    def _is_yes_to_the_series(self, meeting: Event, item: Attendee) -> bool:
        """Tell whether a date shows what was said to its series: a later yes to that takes no earlier no back."""
        master = self._world.master_of(meeting)
        if master is meeting or item.response == "declined":
            return False
        answers = {other.address.lower(): other.responded_at for other in master.attendees}
        return answers.get(item.address.lower()) == item.responded_at
