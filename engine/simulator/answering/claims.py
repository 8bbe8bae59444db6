"""
Auto-release: a room nobody checks in to is given back, and the organizer's copy does not hear of it.

Source: Set-CalendarProcessing (EnableAutoRelease, PostReservationMaxClaimTimeInMinutes). Checking in is no application
permission in Graph (Graph docs: place-post-checkins), so it is done in the control room.
"""

from __future__ import annotations

from datetime import timedelta

from engine.simulator.answering.processing import CalendarProcessing
from engine.simulator.answering.steps import CLAIM, Steps
from engine.simulator.calendars.records import Event
from engine.simulator.letters import Letter
from engine.simulator.world import World


class Claims:
    """Who has still to check in."""

    def __init__(self, world: World, steps: Steps) -> None:
        self._world = world
        self._steps = steps
        steps.on(CLAIM, self._end)

    def watch(self, copy: Event, options: CalendarProcessing) -> None:
        """Give *copy* back unless somebody checks in; a meeting that has been moved is watched anew."""
        until = copy.start + timedelta(minutes=options.post_reservation_max_claim_time_in_minutes)
        wait = (until - self._world.now()).total_seconds()
        if options.enable_auto_release and wait > 0:
            self._steps.cancel(CLAIM, mailbox=copy.mailbox, key=copy.key)
            self._steps.schedule(CLAIM, wait, mailbox=copy.mailbox, key=copy.key, sequence=copy.sequence)

    def check_in(self, copy: Event) -> bool:
        """Note that somebody is there; tell whether that was waited for."""
        return self._steps.cancel(CLAIM, mailbox=copy.mailbox, key=copy.key)

    def _end(self, mailbox: str, key: str, sequence: int) -> None:
        copy = self._world.calendars[mailbox].find(key)
        if copy is None or copy.is_cancelled or copy.sequence != sequence:
            return
        address = self._world.mailboxes[mailbox].address
        self._world.post(Letter(self._world.now(), "notice", address, copy.organizer_address, copy.subject,
                                "Nobody checked in: the room is free again."))  # fmt: skip
        self._world.erase(copy)
