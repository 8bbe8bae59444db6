"""What a booking is not synced for, and how cases were settled."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CASES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        # cases that were settled (D5)
        "settled_keep_outlook": (
            "Case {case} settled: what Outlook says is kept.",
            "Cas {case} réglé : ce que dit Outlook est gardé.",
        ),
        "settled_keep_loan": (
            "Case {case} settled: what the loan says is kept.",
            "Cas {case} réglé : ce que dit le prêt est gardé.",
        ),
        "settled_move_room": (
            "Case {case} settled: {new} instead of {old}.",
            "Cas {case} réglé : {new} à la place de {old}.",
        ),
        "settled_drop_room": (
            "Case {case} settled: the loan does without {old}.",
            "Cas {case} réglé : le prêt se passe de {old}.",
        ),
        "settled_confirm": (
            "Case {case} settled: {count} loans may be cancelled.",
            "Cas {case} réglé : {count} prêts peuvent être annulés.",
        ),
        "settled_reject": (
            "Case {case} settled: {count} loans stay, whatever became of their meetings.",
            "Cas {case} réglé : {count} prêts restent, quoi qu’il soit advenu de leurs réunions.",
        ),
        "settled_ignore": ("Case {case} settled: left as it is.", "Cas {case} réglé : laissé en l’état."),
        "settled_by_hand": ("Case {case} settled: {words}", "Cas {case} réglé : {words}"),
        "settlement_undone": (
            "The settlement of case {case} was undone; it is open again.",
            "Le règlement du cas {case} a été annulé ; il est de nouveau ouvert.",
        ),
        "no_undo_open": ("It is open: there is nothing to undo.", "Il est ouvert : il n’y a rien à annuler."),
        "no_undo_answered": (
            "Cancellations that were answered stay answered: what is cancelled does not come back, book it anew.",
            "Des annulations tranchées le restent : ce qui est annulé ne revient pas, réservez-le de nouveau.",
        ),
        "no_undo_nothing_changed": (
            "Nothing was changed when it was closed.",
            "Rien n’a été modifié à sa clôture.",
        ),
        "no_undo_loan_over": ("Its loan is over.", "Son prêt est terminé."),
        "no_undo_changed_since": (
            "Loan {loan} has been changed since.",
            "Le prêt {loan} a été modifié depuis.",
        ),
        "no_undo_taken": (
            "Loan {other} has {item} then by now: move or cancel that one first, or give this loan another room.",
            "Le prêt {other} a {item} à ce moment-là : déplacez-le ou annulez-le d’abord, ou donnez à ce prêt "
            "une autre salle.",
        ),
        "no_undo_taken_in_outlook": (
            "A meeting in Outlook has {item} then by now: it has to go first, or give this loan another room.",
            "Une réunion d’Outlook a {item} à ce moment-là : elle doit d’abord libérer la place, ou donnez à ce prêt "
            "une autre salle.",
        ),
        "policy_failed": (
            "Case {case} could not be settled as the store has set: {error}",
            "Le cas {case} n’a pas pu être réglé comme le magasin l’a prévu : {error}",
        ),
        "policy_set": (
            "Store {store} settles by itself: {policy}.",
            "Le magasin {store} règle de lui-même : {policy}.",
        ),
        # the brake (D4)
        "mass_cancel_held": (
            "{item}: Outlook would have {count} of {total} coming loans cancelled at once (more than {limit}, or than "
            "{percent} %). They were not: that is for a person to decide.",
            "{item} : Outlook ferait annuler d’un coup {count} des {total} prêts à venir (plus de {limit}, ou de "
            "{percent} %). Ils ne le sont pas : à quelqu’un d’en décider.",
        ),
        "cancellation_held": (
            "Gone from Outlook together with many others: the cancellation waits for a person.",
            "Disparu d’Outlook avec beaucoup d’autres : l’annulation attend quelqu’un.",
        ),
        "cancellation_not_needed": (
            "Back in Outlook: it need not be cancelled any more.",
            "De retour dans Outlook : plus besoin de l’annuler.",
        ),
        "kept_against_outlook": (
            "Kept, although its meeting is gone from Outlook: its cancellation was rejected.",
            "Conservé, bien que sa réunion ait disparu d’Outlook : son annulation a été rejetée.",
        ),
        # why an event is not a loan (H36-H39)
        "draft": ("It is a draft.", "C’est un brouillon."),
        "series_too_long": (
            "{dates} dates to come of series {series} are loans already; no more are taken at a time.",
            "{dates} dates à venir de la série {series} sont déjà des prêts ; pas davantage à la fois.",
        ),
        "dates_invalid": ("Its dates cannot be read: {text}", "Ses dates sont illisibles : {text}"),
        "zone_unknown": ("Its time zone is unknown: {text}", "Son fuseau horaire est inconnu : {text}"),
        "zero_length": (
            "It starts and ends at the same instant: it blocks nothing.",
            "Début et fin identiques : rien n’est bloqué.",
        ),
        "organizer_unknown": (
            "Its organizer {organizer} is not of our domains and there is no default user.",
            "Son organisateur {organizer} n’est pas de nos domaines et il n’y a pas d’utilisateur par défaut.",
        ),
        "no_synced_room": ("No synced room is invited.", "Aucune salle synchronisée n’est invitée."),
        "item_unavailable": (
            "{item} is taken {start} - {end} UTC (loan {loan}).",
            "{item} est pris le {start} - {end} UTC (prêt {loan}).",
        ),
        # booking rules (H60-H62)
        "outside_opening_hours": (
            "{start} - {end} is outside the opening hours ({hours}).",
            "Hors des heures d’ouverture ({hours}) : {start} - {end}.",
        ),
        "beyond_booking_window": (
            "It ends {end}, more than {window_days} days ahead.",
            "Fin le {end}, à plus de {window_days} jours.",
        ),
        "longer_than_maximum": (
            "It lasts {minutes} minutes; at most {minutes_max} are allowed.",
            "Durée de {minutes} minutes ; {minutes_max} au maximum.",
        ),
    }
)
