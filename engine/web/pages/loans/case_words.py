"""What kinds of cases are called on the pages. What each one says is told by `reconcile.words.reasons`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from engine.reconcile.cases.listing import Topic
from engine.web.translations import N_

TOPIC_WORDS: Mapping[Topic, str] = MappingProxyType(
    {
        Topic.BOTH: N_("Both sides differ"),
        Topic.REJECTED: N_("Not taken over"),
        Topic.ROOM: N_("A room said no"),
        Topic.MASS: N_("Many cancellations"),
        Topic.RULES: N_("Outside the rules"),
        Topic.ENGINE: N_("Technical"),
    }
)

TITLES: Mapping[str, str] = MappingProxyType(
    {
        "both_changed": N_("Changed on both sides"),
        "organizer_cannot_change": N_("The organizer cannot be changed"),
        "past_loan_frozen": N_("Moved after it was over"),
        "item_unavailable": N_("The room is taken"),
        "organizer_unknown": N_("The organizer is unknown here"),
        "no_synced_room": N_("No room of ours"),
        "all_rooms_declined": N_("Every room declined"),
        "dates_invalid": N_("Dates that cannot be read"),
        "zone_unknown": N_("Unknown time zone"),
        "zero_length": N_("It has no length"),
        "series_too_long": N_("The series has too many dates"),
        "room_declined": N_("The room declined"),
        "room_released": N_("The room was given back"),
        "room_does_not_answer": N_("The room does not answer"),
        "mass_cancel_held": N_("Many cancellations at once"),
        "outside_opening_hours": N_("Outside the opening hours"),
        "beyond_booking_window": N_("Too far ahead"),
        "longer_than_maximum": N_("Too long"),
        "key_parked": N_("Given up for now"),
        "write_refused": N_("Outlook refused a change"),
        "event_missing": N_("The organizer no longer has the event"),
        "write_withheld": N_("Not written to Outlook"),
        "shadowed": N_("Shadow mode"),
        "identity_refused": N_("Microsoft refuses our identity"),
        "room_suspended": N_("The room’s mailbox is closed to us"),
        "listing_empty": N_("The directory listed no rooms"),
        "place_twice": N_("Listed twice in the directory"),
        "message_parked": N_("Others could not be told"),
    }
)
"""Kind of case -> its title, in English."""

CHANGED: Mapping[object, str] = MappingProxyType(
    {
        "interval": N_("The times were changed on both sides"),
        "requester": N_("The requester was changed on both sides"),
        "rooms": N_("The rooms were changed on both sides"),
    }
)
"""Title of a conflict, by what both sides changed."""

LACKS: Mapping[str, str] = MappingProxyType(
    {
        "store": N_("another store"),
        "seats": N_("seats unknown"),
        "building": N_("another building"),
        "floor": N_("another floor"),
        "features": N_("fewer features"),
    }
)
"""What a room that stands in for another one lacks (`rooms.ranking`)."""

NAMES_PEOPLE = frozenset({"requester"})
"""Fields of a conflict whose values are people: nobody else's business when the booking is private."""
