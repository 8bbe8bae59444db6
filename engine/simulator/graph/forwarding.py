"""
Forwarding an invitation: who gets it is invited like anybody else, and joins the organizer's list.

Source: Graph docs, event-forward: within Microsoft 365 the organizer is told by mail and the recipient is added to the
organizer's copy.
"""

from __future__ import annotations

from typing import Any

from engine.simulator.answering.attendant import Attendant
from engine.simulator.answering.steps import Steps
from engine.simulator.calendars.records import Attendee, Event
from engine.simulator.graph.intake import read_attendees
from engine.simulator.letters import Letter
from engine.simulator.wire import bad_request
from engine.simulator.world import World


class Forwarding:
    """Forwards of one tenant."""

    def __init__(self, world: World, steps: Steps, attendant: Attendant) -> None:
        self._world = world
        self._steps = steps
        self._attendant = attendant
        steps.on("forward", self._joined)

    def forward(self, copy: Event, body: dict[str, Any]) -> None:
        """Forward the meeting of *copy* to `toRecipients`; raises GraphError 400 without any."""
        recipients = read_attendees({"attendees": body.get("toRecipients")})
        if not recipients:
            raise bad_request("At least one recipient is required.", code="ErrorInvalidRecipients")
        low, high = self._world.options.attendant_delay
        for item in recipients:
            sender = self._world.mailboxes[copy.mailbox].address
            self._world.post(Letter(self._world.now(), "forward", sender, item.address, copy.subject))
            if not copy.is_organizer:
                told = copy.organizer_address
                self._world.post(Letter(self._world.now(), "notice", sender, told, copy.subject, "Forwarded."))
            self._steps.schedule(
                "forward", self._world.between((low, high)), mailbox=copy.organizer_mailbox, ical_uid=copy.ical_uid,
                address=item.address, name=item.name,
            )  # fmt: skip

    def _joined(self, mailbox: str, ical_uid: str, address: str, name: str) -> None:
        """Add the recipient to the organizer's copy and invite it; an organizer who has left cannot be joined."""
        meeting = self._world.calendars[mailbox].by_ical(ical_uid)
        if meeting is None or self._world.mailboxes[mailbox].state != "active":
            return
        if not any(self._world.is_same_address(item.address, address) for item in meeting.attendees):
            known = self._world.find_mailbox(address)
            shown = known.display_name if known is not None and name == address else name
            meeting.attendees.append(Attendee(address=address, name=shown))
            self._world.write(meeting, "updated")
        self._attendant.invite(meeting, address)
