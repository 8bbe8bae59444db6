"""What is wrong with one field of what a person sent, said in their language: for pages and API."""

from __future__ import annotations

from engine.loans.wishes import DAYS_MAX
from engine.web.translations import Say
from engine.webhooks.endpoint import NAME_CHARACTERS_MAX, SECRET_CHARACTERS_MIN, SECRET_PREFIX


def describe_fault(say: Say, code: str, message: str) -> str:
    """Return what is wrong with one field in the reader's language; the desk's own English when we have no better."""
    known = {
        "in_the_past": say("The end must lie in the future."),
        "lasts_too_long": say("A loan lasts %(count)s days (five years) at most.", count=DAYS_MAX),
        "before_start": say("The end must come after the start."),
        "end_not_after_start": say("The end must come after the start."),
        "nothing_chosen": say("Choose a room or a thing."),
        "one_of": say("Say until when, or how many times."),
        "out_of_range": say("A number or a day lies out of range."),
        "too_many": say("At most 500 are possible."),
        "overlaps": say("A date must end before the next one begins."),
        "nothing_left": say("At least one date must be booked."),
        "off_grid": say("Times lie on quarters of an hour."),
        "not_bookable": say("This cannot be booked any more."),
        "implausible": say("An address reads like name@example.org."),
        "is_room": say("This is a room: choose the person it is for."),
        "missing": say("Something needed was left empty."),
        "too_long": say("A text is too long."),
        "requester_unknown": say("Choose a person, or write their address."),
        "requester_ambiguous": say("Several people are called so: choose one, or write the address."),
        "said_in_outlook": say("Whether it is private, its organizer says in Outlook."),
        "outlook_refused": say("Outlook refuses: %(why)s", why=message),
        "choice_unknown": say("Choose one of those offered."),
        "domain_malformed": say("A domain reads like example.org."),
        "days_out_of_range": say("A whole number of days from 1 to 1400."),
        "mailbox_missing": say("This address has no mailbox here, or the application may not use it."),
        "taken": say("Another one has this name."),
        "store_unknown": say("There is no such store. Choose one, or make it under Stores and things first."),
        "clock_malformed": say("Opening hours read like 08:30."),
        "hours_backwards": say("A day must close after it opens."),
        "address_not_public": say(
            "This does not lead to a public address. The setting webhooks.allowed_networks allows networks of your own."
        ),
        "not_https": say("Over the internet only https is spoken."),
        "birth_date_malformed": say("A date of birth is a day in the past."),
        "phone_malformed": say("A telephone number has digits."),
        "unknown": say("Something that was chosen is not there any more."),
        "unstorable": say("A text holds a character that cannot be stored."),
        "url_malformed": say("This is no web address that messages can be sent to."),
        "name_malformed": say("A name has 1 to %(count)s printable characters.", count=NAME_CHARACTERS_MAX),
        "model_unknown": say("Choose what it is to hear of."),
        "header_malformed": say("The name of a header has letters, digits and hyphens."),
        "secret_weak": say("A secret has at least %(count)s characters, and no space.", count=SECRET_CHARACTERS_MIN),
        "secret_malformed": say("What follows %(prefix)s in a secret must be base64.", prefix=SECRET_PREFIX),
        "doubled": say("Something is named twice."),
        "not_a_way": say("A case of this kind is not settled this way."),
        "not_wanted": say("No room goes with this way."),
        "nothing_to_change": say("Name at least one field to change."),
        "room_ambiguous": say("Several rooms are called so: give the number."),
        "room_unknown": say("There is no such room."),
        "step_unknown": say("Only what is to be created or linked is carried out."),
        "unknown_meeting": say("A meeting that was named is not in the plan."),
        "zone_missing": say("A time needs its offset from UTC."),
        "number_out_of_range": say("A number is too small, too large, or no whole number."),
    }
    return known.get(code, message)
