"""Why a room is booked at a moment, or is not."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

WHY: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "why_held_accepted": (
            "{item} is booked {start} - {end} UTC by loan {loan}; the room has accepted.",
            "{item} est réservée le {start} - {end} UTC par le prêt {loan} ; la salle a accepté.",
        ),
        "why_held_tentative": (
            "{item} is kept {start} - {end} UTC for loan {loan}; the room accepted for now, a delegate decides.",
            "{item} est gardée le {start} - {end} UTC pour le prêt {loan} ; accord provisoire, un délégué décide.",
        ),
        "why_held_requested": (
            "{item} is kept {start} - {end} UTC for loan {loan}; the room has not answered yet.",
            "{item} est gardée le {start} - {end} UTC pour le prêt {loan} ; la salle n’a pas encore répondu.",
        ),
        "why_held_unasked": (
            "{item} is kept {start} - {end} UTC for loan {loan}; the room has not been asked in Outlook.",
            "{item} est gardée le {start} - {end} UTC pour le prêt {loan} ; la salle n’a pas été invitée dans Outlook.",
        ),
        "why_cancelled": (
            "Loan {loan} had {item} {start} - {end} UTC; it was cancelled.",
            "Le prêt {loan} avait {item} le {start} - {end} UTC ; il a été annulé.",
        ),
        "why_refused": (
            "Loan {loan} asked for {item} {start} - {end} UTC; it was refused.",
            "Le prêt {loan} demandait {item} le {start} - {end} UTC ; il a été refusé.",
        ),
        "why_suspended": (
            "Loan {loan} had {item} {start} - {end} UTC; nobody came.",
            "Le prêt {loan} avait {item} le {start} - {end} UTC ; personne n’est venu.",
        ),
        "why_completed": (
            "Loan {loan} had {item} {start} - {end} UTC; it is over.",
            "Le prêt {loan} avait {item} le {start} - {end} UTC ; il est terminé.",
        ),
        "why_item_declined": (
            "Loan {loan} asked for {item} {start} - {end} UTC; the room declined.",
            "Le prêt {loan} demandait {item} le {start} - {end} UTC ; la salle a refusé.",
        ),
        "why_item_released": (
            "Loan {loan} had {item} {start} - {end} UTC; Exchange released the room.",
            "Le prêt {loan} avait {item} le {start} - {end} UTC ; Exchange a libéré la salle.",
        ),
        "why_item_cancelled": (
            "Loan {loan} lives on without {item} {start} - {end} UTC: the room left it.",
            "Le prêt {loan} continue sans {item} le {start} - {end} UTC : la salle l’a quitté.",
        ),
        "why_decided": ("Decided {at} UTC by {actor}.", "Décidé le {at} UTC par {actor}."),
        "why_meeting_gone": (
            "A meeting in {item} {start} - {end} UTC was cancelled or declined in Outlook.",
            "Une réunion dans {item} le {start} - {end} UTC a été annulée ou refusée dans Outlook.",
        ),
        "why_meeting_rejected": (
            "A meeting is in the calendar of {item} {start} - {end} UTC, and is no loan.",
            "Une réunion est au calendrier de {item} le {start} - {end} UTC, et n’est pas un prêt.",
        ),
        "why_meeting_listed": (
            "A meeting in {item} {start} - {end} UTC was there before the connection; a backfill would import it.",
            "Une réunion dans {item} le {start} - {end} UTC précède la connexion ; une reprise l’importerait.",
        ),
        "why_meeting_waits": (
            "A meeting in {item} {start} - {end} UTC was seen and is being compared.",
            "Une réunion dans {item} le {start} - {end} UTC a été vue et est en cours de comparaison.",
        ),
        "why_room_excluded": (
            "{item} is excluded from the sync.",
            "{item} est exclue de la synchronisation.",
        ),
        "why_room_suspended": (
            "{item} is suspended: its mailbox refuses to be read.",
            "{item} est suspendue : sa boîte refuse la lecture.",
        ),
        "why_room_missing": (
            "{item} is no longer listed by the directory.",
            "{item} n’est plus dans l’annuaire.",
        ),
        "why_room_not_read": (
            "The calendar of {item} has not been read as a whole yet.",
            "Le calendrier de {item} n’a pas encore été lu en entier.",
        ),
        "why_beyond_horizon": (
            "Calendars are followed until {end} UTC only.",
            "Les calendriers ne sont suivis que jusqu’au {end} UTC.",
        ),
        "why_before_window": (
            "Calendars are followed from {start} UTC on only.",
            "Les calendriers ne sont suivis qu’à partir du {start} UTC.",
        ),
        "why_nothing_known": (
            "Nothing is known of {item} at {at} UTC: no loan, and no meeting in its calendar.",
            "Rien n’est connu de {item} le {at} UTC : aucun prêt, et aucune réunion à son calendrier.",
        ),
        "why_read_subscribed": (
            "The calendar of {item} was last read {read} UTC; Outlook notifies us of changes (last: {signalled} UTC).",
            "Le calendrier de {item} a été lu le {read} UTC ; Outlook signale les changements "
            "(dernier : {signalled} UTC).",
        ),
        "why_read_quiet": (
            "The calendar of {item} was last read {read} UTC; Outlook notifies us of changes, and there was none yet.",
            "Le calendrier de {item} a été lu le {read} UTC ; Outlook signale les changements, il n’y en a pas "
            "encore eu.",
        ),
        "why_never_read": (
            "The calendar of {item} was never read.",
            "Le calendrier de {item} n’a jamais été lu.",
        ),
        "why_read_unsubscribed": (
            "The calendar of {item} was last read {read} UTC; Outlook does not notify us of it at present.",
            "Le calendrier de {item} a été lu le {read} UTC ; Outlook ne le signale pas en ce moment.",
        ),
    }
)
