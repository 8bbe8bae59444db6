"""What administrators do to rooms and settings: other names and addresses, rooms hidden or made anew, tags, modes."""

from __future__ import annotations

from engine.loans.status import BLOCKING_STATES
from engine.prove.people.people import Crowd
from engine.prove.world.world import World
from engine.web.pages.parts.settings import SettingKey

IGNORED = "no sync"
"""The tag of rooms that are left alone while it is among the ignored ones."""
MODES = ("shadow", "read_only", "two_way", "two_way")


def rename_room(crowd: Crowd) -> None:
    """Give a room another name."""
    room = crowd.draw_room()
    name = f"Room {room} {crowd.random.choice(['East', 'West', 'North'])}"
    crowd.tell(f"room {room} is called {name}")
    crowd.world.tenant.office.rename(crowd.world.room_addresses[room - 1], name)
    crowd.renamed += 1
    hear_of_rooms(crowd)


def readdress_room(crowd: Crowd) -> None:
    """Give a room another address; meetings that exist keep the old one, which still reaches it."""
    room = crowd.draw_room()
    address = f"room-{room}-{crowd.random.randint(10, 99)}@example.org"
    if address in crowd.world.room_addresses:
        return
    crowd.tell(f"room {room} has the address {address}")
    crowd.world.readdress(room, address)
    hear_of_rooms(crowd)


def set_up_room(crowd: Crowd) -> None:
    """Set up a room more, which anybody may book from now on: some do before the list of rooms tells of it."""
    room = crowd.world.set_up_room()
    crowd.tell(f"room {room} is set up")
    hear_of_rooms(crowd)


def recreate_room(crowd: Crowd) -> None:
    """Delete a room and set it up again under its address: its calendar is empty."""
    room = crowd.draw_room()
    address, office = crowd.world.room_addresses[room - 1], crowd.world.tenant.office
    crowd.tell(f"room {room} is deleted and set up anew")
    asked = {event["iCalUId"] for event in crowd.world.all_events() if room in crowd.world.invited(event)}
    for ical_uid in asked | set(crowd.world.answers_of(room)):
        crowd.world.untold.emptied[room, ical_uid] = crowd.world.now()
    office.remove_room(address)
    office.add_room(address, f"Room {room}", capacity=10 * room)
    crowd.renamed += 1  # where it was renamed before, it has its first name again
    hear_of_rooms(crowd)


def renew_place(crowd: Crowd) -> None:
    """Let the directory give a room another id of its place, under the same address."""
    room = crowd.draw_room()
    crowd.tell(f"the place of room {room} has another id")
    crowd.world.tenant.office.renew_place_id(crowd.world.room_addresses[room - 1])
    hear_of_rooms(crowd)


def hide_room(crowd: Crowd) -> None:
    """Take a room out of the list of rooms, or put it back."""
    room = crowd.draw_room()
    hidden = crowd.random.random() < 0.5
    crowd.tell(f"room {room} is {'hidden' if hidden else 'listed'}")
    crowd.world.tenant.office.change_place(crowd.world.room_addresses[room - 1], hidden=hidden)
    hear_of_rooms(crowd)


def tag_room(crowd: Crowd) -> None:
    """Give a room the tag of those that may be ignored, or take it off."""
    room = crowd.draw_room()
    tags = crowd.random.choice([[], [IGNORED]])
    crowd.tell(f"room {room} has the tags {tags}")
    crowd.world.tenant.office.change_place(crowd.world.room_addresses[room - 1], tags=tags)
    hear_of_rooms(crowd)


def ignore_tag(crowd: Crowd) -> None:
    """Let an administrator have tagged rooms ignored, or followed again."""
    tags = crowd.random.choice([None, IGNORED])
    crowd.tell(f"ignored tags are {tags}")
    crowd.world.override(SettingKey.IGNORED_TAGS, tags)
    hear_of_rooms(crowd)


def set_mode(crowd: Crowd) -> None:
    """Let an administrator hold writes back, or let them go."""
    mode = crowd.random.choice(MODES)
    crowd.tell(f"the mode is {mode}")
    crowd.world.override(SettingKey.MODE, mode)


def close_mailbox(crowd: Crowd) -> None:
    """Let somebody leave, or come back: their meetings go on, and their calendar answers nobody meanwhile."""
    person = crowd.draw_person()
    if person == 1:
        return  # whose mailbox stands in for those who have none
    state = crowd.random.choice(["disabled", "denied", "active"])
    crowd.tell(f"the mailbox of person {person} is {state}")
    if state != "active":
        _note_unasked(crowd.world, crowd.world.people[person - 1])
    crowd.world.set_mailbox(person, state)


def _note_unasked(world: World, organizer: str) -> None:
    """Note what has just left a room that no other room's copy names, while its loan still holds that room: whether it
    was given back or taken out of the meeting, only *organizer* could tell, who cannot be asked any more."""
    theirs = {
        event["iCalUId"]
        for event in world.all_events()
        if event["organizer"]["emailAddress"]["address"].casefold() == organizer
    }
    names = world.links()
    for loan in world.loans:
        name = names.get(loan.number)
        if name not in theirs:
            continue
        held = {world.room_number(str(item.address)) for item in loan.rooms if item.state in BLOCKING_STATES}
        world.untold.dropped_unasked.update(
            (room, name)
            for room, emptied in world.untold.emptied
            if emptied == name and room in held and name not in world.answers_of(room)
        )


def hear_of_rooms(crowd: Crowd) -> None:
    """Let the list of rooms be read now, at times; else when the timer would."""
    if crowd.random.random() < 0.6:
        crowd.world.office.enqueue("places", "all")


def put_in_order(world: World) -> None:
    """Undo what keeps rooms from being followed, mailboxes from being read and writes from being made."""
    for address in world.room_addresses:
        world.tenant.office.change_place(address, hidden=False, tags=[])
    for person in range(1, len(world.people) + 1):
        world.tenant.office.set_state(world.people[person - 1], "active")
    world.override(SettingKey.IGNORED_TAGS, None)
    world.override(SettingKey.MODE, None)
    world.office.enqueue("places", "all")
