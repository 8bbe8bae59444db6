"""What the first page asks of the tenant: may we do there what we need to?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from engine.web.translations import N_


class Needed(StrEnum):
    """What the engine needs of a tenant, in the order in which it is tried."""

    IDENTITY = "identity"
    PLACES = "places"
    ROOM_CALENDARS = "room_calendars"
    WRITING = "writing"
    CLOSED = "closed"
    """The one thing that must not work: reading a mailbox that is none of our business."""
    CONTACTS = "contacts"
    """Only where an export of contacts is wanted."""
    NOTIFICATIONS = "notifications"


class Outcome(StrEnum):
    """What came of one try. NOT_TRIED: nothing to try it on, or an earlier one failed."""

    OK = "ok"
    FAILED = "failed"
    NOT_TRIED = "not_tried"


@dataclass(frozen=True, slots=True)
class Trial:
    """
    One thing tried, or not.

    Attributes:
        detail: what was met: a name or a number when it worked, else what Graph said.
        is_moot: tells nothing of what is needed, so no advice is given: an earlier one failed, on which all others
            rest; or nobody answered.
    """

    needed: Needed
    outcome: Outcome
    detail: str = ""
    is_moot: bool = False


TryTenant = Callable[[], Sequence[Trial]]

WANTED: Mapping[Needed, tuple[str, str]] = MappingProxyType(
    {
        Needed.IDENTITY: (
            N_("The application may sign in"),
            N_("Tenant id, client id and the secret or certificate; and that the directory can be reached from here."),
        ),
        Needed.PLACES: (
            N_("It may read the list of rooms"),
            N_("Application permission Place.Read.All, with admin consent."),
        ),
        Needed.ROOM_CALENDARS: (
            N_("It may read a room’s calendar"),
            N_("Calendars.ReadWrite: in Entra, or limited by a management scope; changes take up to two hours."),
        ),
        Needed.WRITING: (
            N_("It may write in the default user’s calendar"),
            N_(
                "Calendars.ReadWrite, and the default user within the scope. "
                "One event without guests is made and taken back."
            ),
        ),
        Needed.CLOSED: (
            N_("It may not read a mailbox that is none of its business"),
            N_(
                "Take Calendars.ReadWrite out of Entra, where it opens every mailbox, and grant it in Exchange, scoped."
            ),
        ),
        Needed.CONTACTS: (
            N_("It may keep contacts in the mailbox named for them"),
            N_("Contacts.ReadWrite: in Entra, or limited by a management scope that holds this mailbox."),
        ),
        Needed.NOTIFICATIONS: (
            N_("Rooms tell us of changes"),
            N_("The public address must be reachable by Microsoft over https; only /graph/ has to be let in."),
        ),
    }
)
"""What each trial shows, and what to do when it fails; in English."""

WHY_NOT_TRIED: Mapping[Needed, str] = MappingProxyType(
    {
        Needed.WRITING: N_("There is no default user, or the mode does not write."),
        Needed.CLOSED: N_("Name such a mailbox: graph.closed_mailbox in the settings."),
        Needed.NOTIFICATIONS: N_("No room is followed yet, or rooms are asked in turn."),
    }
)
"""What to think of a trial that was not made; in English."""

OUTCOMES: Mapping[Outcome, str] = MappingProxyType(
    {Outcome.OK: N_("works"), Outcome.FAILED: N_("does not work"), Outcome.NOT_TRIED: N_("not tried")}
)

PURPOSES: Mapping[str, str] = MappingProxyType(
    {
        "Place.Read.All": N_("The list of rooms, with seats and tags"),
        "Calendars.ReadWrite": N_(
            "Reading rooms’ calendars, and writing bookings into requesters’ calendars. "
            "Better limited, see the next step."
        ),
        "Contacts.ReadWrite": N_(
            "A folder of contacts with requesters from outside. Better limited, see the next step."
        ),
    }
)
"""What each permission is for; in English."""

PROOFS: Mapping[str, str] = MappingProxyType(
    {
        "simulated": N_("none: the simulated tenant lets everybody in"),
        "secret": N_("a client secret"),
        "certificate": N_("a certificate"),
        "managed_identity": N_("the identity of this Azure machine"),
        "static_token": N_("a fixed token, for a simulated tenant"),
    }
)
"""How we prove who we are, by `Connection.credential`; in English."""
