"""
What administrators and delegates do to the tenant, none of it through Graph: rooms and people come, change and go.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from engine.simulator.answering.attendant import Attendant
from engine.simulator.answering.processing import CalendarProcessing, Verdict
from engine.simulator.calendars.records import Attendee, Event, Mailbox, Place
from engine.simulator.calendars.recurrence import parse_recurrence
from engine.simulator.calendars.series import occurrence_key
from engine.simulator.graph.meetings import Meetings
from engine.simulator.times import find_zone, parse_when
from engine.simulator.world import World

STATES = ("active", "disabled", "removed", "denied")


class Unknown(LookupError):
    """Nobody and nothing here has that name."""


class Office:
    """Administration of one tenant."""

    def __init__(self, world: World, attendant: Attendant, meetings: Meetings) -> None:
        self._world = world
        self._attendant = attendant
        self._meetings = meetings

    # -- people

    def add_person(self, address: str, name: str, *, zone: str = "UTC", aliases: tuple[str, ...] = ()) -> Mailbox:
        """Hire somebody with a mailbox."""
        return self._new_mailbox(address, name, kind="user", zone=zone, aliases=aliases)

    def add_outsider(self, address: str, name: str) -> Mailbox:
        """Know somebody of another organisation; Graph does not show them, but they can send requests."""
        return self._new_mailbox(address, name, kind="external", zone="UTC", aliases=())

    def rename(self, key: str, name: str) -> Mailbox:
        """Give a person or room a new display name; items that exist keep the old one (AskCody: renaming a room)."""
        mailbox = self.find(key)
        mailbox.display_name = name
        self._world.save_mailbox(mailbox)
        place = self._world.place_of(mailbox)
        if place is not None:
            place.display_name = name
            self._world.save_place(place)
        return mailbox

    def set_state(self, key: str, state: str, *, after: float = 0.0) -> Mailbox:
        """
        Make a mailbox active, disabled, removed or denied; copies of its meetings elsewhere stay as they are.

        *after* so many seconds: a change of access policies takes more than an hour (Graph docs:
        auth-limit-mailbox-access). It is forgotten if the tenant ends before.
        """
        if state not in STATES:
            raise ValueError(f"a mailbox is one of {', '.join(STATES)}, not {state!r}")
        mailbox = self.find(key)
        if after > 0:
            self._world.call_later(after, partial(self._change_state, mailbox, state))
        else:
            self._change_state(mailbox, state)
        return mailbox

    def _change_state(self, mailbox: Mailbox, state: str) -> None:
        if state == "removed":
            self._world.retire(mailbox)
        mailbox.state = state
        self._world.save_mailbox(mailbox)

    def set_zone(self, key: str, zone: str, *, custom: bool = False) -> Mailbox:
        """Put a mailbox into *zone*; *custom*: its settings show rules instead of a name (Graph: customTimeZone)."""
        find_zone(zone)
        mailbox = self.find(key)
        mailbox.zone, mailbox.custom_zone = zone, custom
        self._world.save_mailbox(mailbox)
        return mailbox

    # -- rooms

    def add_room(
        self, address: str, name: str, *, zone: str = "UTC", capacity: int | None = None, kind: str = "room",
        aliases: tuple[str, ...] = (), **attributes: Any,
    ) -> Place:  # fmt: skip
        """
        Set up a room, equipment or workspace: a mailbox with an attendant, and its entry in Places.

        *attributes* use Graph's names.
        """
        mailbox = self._new_mailbox(address, name, kind=kind, zone=zone, aliases=aliases)
        place = Place(
            id=self._world.guid(), place_id=self._world.guid(), number=self._world.next_number(), mailbox=mailbox.id,
            address=address, display_name=name, attributes={**attributes, "capacity": capacity},
            kind="workspace" if kind == "workspace" else "room",
        )  # fmt: skip
        self._world.save_place(place)
        return place

    def add_room_list(self, address: str, name: str, rooms: tuple[str, ...]) -> Place:
        """Set up a room list that names rooms by address."""
        place = Place(
            id=self._world.guid(), place_id=self._world.guid(), number=self._world.next_number(), address=address,
            display_name=name, kind="roomList", members=list(rooms),
        )  # fmt: skip
        self._world.save_place(place)
        return place

    def readdress(self, key: str, address: str, *, keep_alias: bool = True) -> Mailbox:
        """Change a primary address; meetings that exist keep the old one (AskCody: renaming a room)."""
        mailbox = self.find(key)
        self._world.readdress(mailbox, address, keep_alias=keep_alias)
        place = self._world.place_of(mailbox)
        if place is not None:
            place.address = address
            self._world.save_place(place)
        return mailbox

    def remove_room(self, key: str) -> None:
        """Delete a room with its mailbox; made again under the same address it is another, empty one."""
        mailbox = self.find(key)
        place = self._world.place_of(mailbox)
        if place is not None:
            self._world.drop_place(place)
        self._world.retire(mailbox)

    def change_place(self, key: str, **attributes: Any) -> Place:
        """Change a room's attributes (tags, capacity, ...); `hidden` takes it out of the listing."""
        place = self.find_place(key)
        if "hidden" in attributes:
            place.hidden = bool(attributes.pop("hidden"))
        place.attributes.update(attributes)
        self._world.save_place(place)
        return place

    def renew_place_id(self, key: str) -> Place:
        """Give a room a new place id under the same address: ids are not immutable (Graph docs: place)."""
        place = self.find_place(key)
        self._world.places.pop(place.id)
        place.id = self._world.guid()
        self._world.save_place(place)
        return place

    def set_processing(self, key: str, **options: Any) -> CalendarProcessing:
        """Set-CalendarProcessing: change some of a mailbox's options, in either spelling."""
        return self._attendant.configure(self.find(key), options)

    # -- what happens to single items

    def pending(self, key: str) -> list[Event]:
        """Return the requests that wait for a delegate in a room."""
        calendar = self._world.calendars[self.find(key).id]
        return [
            item for item in calendar.everything() if item.response == "tentativelyAccepted" and item.pending_reason
        ]

    def settle(self, key: str, ical_uid: str, *, approve: bool, by: str = "", send: bool = True) -> None:
        """
        Approve or reject a waiting request as a delegate, conflicts or not.

        Args:
            by: who does it; a delegate of the room, if it has any. Empty: one of them.
            send: False: the organizer hears nothing (a shared mailbox as delegate; Support:
                cannot-accept-meeting-invitation-for-room-mailbox).

        Raises:
            ValueError: *by* is no delegate of the room.
        """
        copy = self._copy(key, ical_uid)
        delegates = self._attendant.options_of(self.find(key)).resource_delegates
        if by and by.lower() not in delegates:
            raise ValueError(f"{by} is no delegate of {key}; there are {', '.join(delegates) or 'none'}")
        self._attendant.answer_for(copy, Verdict.ACCEPT if approve else Verdict.DECLINE, send=send)

    def check_in(self, key: str, ical_uid: str) -> bool:
        """Check in to a room; tell whether it waited for that."""
        return self._attendant.claims.check_in(self._copy(key, ical_uid))

    def touch(self, key: str, ical_uid: str) -> None:
        """Let a background assistant save a copy again: new change key, nothing else (Support: diagnostic logs)."""
        self._world.write(self._world.master_of(self._copy(key, ical_uid)), "updated")

    def disguise(
        self, key: str, ical_uid: str, *, start: str | None = None, end: str | None = None,
        start_zone: str | None = None, end_zone: str | None = None,
    ) -> Event:  # fmt: skip
        """Give a copy the odd times and zone names that old clients leave behind (closeio sync-engine: parse)."""
        copy = self._copy(key, ical_uid)
        if copy.is_all_day:
            raise ValueError("an all-day event is counted out in its zone: its times and zone cannot be disguised")
        copy.start = copy.start if start is None else parse_when(start)
        copy.end = copy.end if end is None else parse_when(end)
        copy.start_zone = copy.start_zone if start_zone is None else start_zone
        copy.end_zone = copy.end_zone if end_zone is None else end_zone
        return self._world.write(copy, "updated")

    def release(self, key: str, ical_uid: str) -> None:
        """Take a room's copy away without the organizer hearing of it (auto-release, clean-up by an admin)."""
        self._world.erase(self._copy(key, ical_uid))

    def lose_delta(self, key: str, *, gone: bool = True) -> None:
        """Make every delta token of a mailbox useless: 410 when *gone*, else 400 SyncStateNotFound."""
        mailbox = self.find(key)
        mailbox.delta_epoch += 1 if mailbox.delta_epoch % 2 != gone else 2
        self._world.save_mailbox(mailbox)

    def change_organizer(self, key: str, ical_uid: str, new: str) -> None:
        """
        Hand a meeting to another organizer: copies are updated silently (Invoke-ChangeMeetingOrganizer).

        A series goes as a whole; the cmdlet would leave its past with the old organizer. An heir who was invited has
        the meeting once, as its organizer.
        """
        meeting, heir = self._copy(key, ical_uid), self.find(new)
        for mailbox_id, calendar in self._world.calendars.items():
            copy = calendar.by_ical(ical_uid)
            if copy is None or mailbox_id == meeting.mailbox:
                continue
            if mailbox_id == heir.id:
                self._world.erase(copy)
                continue
            copy.organizer_name, copy.organizer_address = heir.display_name, heir.address
            copy.organizer_mailbox = heir.id
            self._world.write(copy, "updated")
        series = self._world.calendars[meeting.mailbox].series.get(meeting.key)
        exceptions = sorted(series.exceptions.items()) if series else []
        self._world.erase(meeting)
        now, known_as = self._world.now(), self._world.addresses_of(heir)
        meeting.key, meeting.number, meeting.mailbox = self._world.new_key(), self._world.next_number(), heir.id
        meeting.created_at, meeting.transaction_id, meeting.former = now, None, []
        for item in (meeting, *(item for _, item in exceptions)):
            item.organizer_name, item.organizer_address = heir.display_name, heir.address
            item.mailbox = item.organizer_mailbox = heir.id
            item.attendees = [each for each in item.attendees if each.address.lower() not in known_as]
        self._world.write(meeting, "created")
        for day, item in exceptions:
            item.key, item.series = occurrence_key(meeting.key, day), meeting.key
            self._world.write(item, "updated")

    def request_from_outside(self, sender: str, name: str, body: dict[str, Any]) -> Event:
        """Let somebody outside send a meeting request; *body* is that of a Graph event."""
        outsider = self._world.find_mailbox(sender) or self.add_outsider(sender, name)
        return self._meetings.create(outsider, body)

    def change_from_outside(self, sender: str, ical_uid: str, body: dict[str, Any]) -> Event:
        """Let somebody outside change a meeting of theirs; *body* is that of a PATCH of a Graph event."""
        return self._meetings.update(self._copy(sender, ical_uid), body)

    def cancel_from_outside(self, sender: str, ical_uid: str) -> None:
        """Let somebody outside call a meeting of theirs off."""
        self._meetings.cancel(self._copy(sender, ical_uid))

    def place_accepted(
        self, room: str, organizer: str, *, subject: str, start: datetime, end: datetime, zone: str = "UTC",
        recurrence: dict[str, Any] | None = None,
    ) -> Event:  # fmt: skip
        """Put a meeting or series into both calendars as if accepted long ago; nothing is checked or mailed."""
        room_box, person = self.find(room), self.find(organizer)
        now, world = self._world.now(), self._world
        ical = world.new_ical_uid()
        attendee = Attendee(address=room_box.address, name=room_box.display_name, type="resource",
                            response="accepted", responded_at=now)  # fmt: skip
        location = {"displayName": room_box.display_name, "locationType": "default",
                    "uniqueId": room_box.display_name, "uniqueIdType": "private"}  # fmt: skip

        def copy(mailbox: Mailbox, *, is_organizer: bool) -> Event:
            answer = "organizer" if is_organizer else "accepted"
            shown = subject if is_organizer else person.display_name
            return world.write(Event(
                key=world.new_key(), mailbox=mailbox.id, ical_uid=ical, number=world.next_number(), created_at=now,
                modified_at=now, subject=shown, start=start, end=end, start_zone=zone, end_zone=zone,
                is_organizer=is_organizer, organizer_name=person.display_name, organizer_address=person.address,
                organizer_mailbox=person.id, response=answer, responded_at=now,
                attendees=[Attendee(attendee.address, attendee.name, "resource", "accepted", now)],
                location=location, locations=[location],
                recurrence=parse_recurrence(recurrence, zone) if recurrence else None,
            ), "created")  # fmt: skip

        meeting = copy(person, is_organizer=True)
        copy(room_box, is_organizer=False)
        return meeting

    # -- finding

    def find(self, key: str) -> Mailbox:
        """Return the mailbox called *key*; raises Unknown."""
        mailbox = self._world.find_mailbox(key)
        if mailbox is None:
            raise Unknown(f"no mailbox is called {key!r}")
        return mailbox

    def find_place(self, key: str) -> Place:
        """Return the Places entry of the room called *key*; raises Unknown."""
        place = self._world.places.get(key) or self._world.place_of(self.find(key))
        if place is None:
            raise Unknown(f"no place is called {key!r}")
        return place

    def _copy(self, key: str, ical_uid: str) -> Event:
        copy = self._world.calendars[self.find(key).id].by_ical(ical_uid)
        if copy is None:
            raise Unknown(f"{key!r} has no copy of {ical_uid!r}")
        return copy

    def _new_mailbox(self, address: str, name: str, *, kind: str, zone: str, aliases: tuple[str, ...]) -> Mailbox:
        taken = self._world.find_mailbox(address)
        if taken is not None and taken.state != "removed":
            raise ValueError(f"{address} belongs to {taken.display_name}")
        return self._world.add_mailbox(Mailbox(
            id=self._world.guid(), number=self._world.next_number(), address=address, display_name=name, kind=kind,
            zone=zone, aliases=list(aliases),
        ))  # fmt: skip
