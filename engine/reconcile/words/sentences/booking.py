"""What becomes of a booking, on either side."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

BOOKING: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        # the desk
        "booked_in_app": ("Booked in the app.", "Réservé dans l’application."),
        "changed_in_app": ("Changed in the app: {changes}.", "Modifié dans l’application : {changes}."),
        "approved": ("Approved.", "Approuvé."),
        "refused": ("Refused.", "Refusé."),
        "checked_out": ("Handed over.", "Remis."),
        "closed": ("Closed.", "Clôturé."),
        "cancelled_in_app": ("Cancelled in the app.", "Annulé dans l’application."),
        "became_overdue": (
            "Overdue: not closed 15 minutes after its end.",
            "En retard : non clôturé 15 minutes après la fin.",
        ),
        "no_show": ("Nobody came.", "Personne ne s’est présenté."),
        # from Outlook to the loan
        "imported": (
            "Created from a meeting in Outlook, {start} - {end} UTC.",
            "Créé depuis une réunion Outlook, {start} - {end} UTC.",
        ),
        "date_of_series": ("The date {day} of series {series}.", "La date du {day} de la série {series}."),
        "date_brought_back": (
            "This date was loan {loan}, which has ended. The organizer’s calendar shows it again, as it does once a "
            "whole series is moved.",
            "Cette date était le prêt {loan}, qui a pris fin. Le calendrier de l’organisateur la montre de nouveau, "
            "comme après le déplacement de toute une série.",
        ),
        "things_come_along": (
            "This meeting was loan {loan} until it held no room any more: what was lent with it comes along.",
            "Cette réunion était le prêt {loan} tant qu’elle tenait une salle : ce qui était prêté avec la suit.",
        ),
        "series_goes_on": (
            "In Outlook its series has ended before this date, which goes on as a date of series {series}.",
            "Dans Outlook, sa série s’est terminée avant cette date, qui continue dans la série {series}.",
        ),
        "begun_date_moved": (
            "Its series was moved after this date had begun, there to {start} - {end} UTC: the loan stays as it was.",
            "Sa série a été déplacée après le début de cette date, là au {start} - {end} UTC : le prêt reste tel quel.",
        ),
        "begun_date_cancelled": (
            "Its series no longer has this date, which had begun: the loan stays as it was.",
            "Sa série n’a plus cette date, déjà commencée : le prêt reste tel quel.",
        ),
        "begun_date_rooms_changed": (
            "The rooms of its series changed after this date had begun: the loan stays as it was.",
            "Les salles de sa série ont changé après le début de cette date : le prêt reste tel quel.",
        ),
        "not_synced": ("Not synced.", "Non synchronisé."),
        "default_user_stands_in": (
            "The organizer {organizer} is not of our domains: the default user stands in.",
            "L’organisateur {organizer} n’est pas de nos domaines : l’utilisateur par défaut le remplace.",
        ),
        "moved_in_outlook": (
            "Moved in Outlook from {old} to {new} UTC.",
            "Déplacé dans Outlook du {old} au {new} UTC.",
        ),
        "title_changed_in_outlook": (
            "The title was changed in Outlook from “{old}” to “{new}”.",
            "Le titre a été changé dans Outlook, de « {old} » en « {new} ».",
        ),
        "title_kept": (
            "The title was changed on both sides: “{kept}” was kept, “{lost}” in Outlook was not.",
            "Le titre a été changé des deux côtés : « {kept} » est gardé, « {lost} » dans Outlook ne l’est pas.",
        ),
        "left_out_of_view": (
            "Outlook is not told: the settings leave bookings of this store, these rooms or this status out.",
            "Outlook n’est pas informé : les réglages écartent ce magasin, ces salles ou cet état.",
        ),
        "beyond_view": (
            "Outside the view’s dates: it begins more than {days} days ahead. It is synchronised once it is nearer.",
            "Hors des dates de la vue : elle commence dans plus de {days} jours. Elle sera synchronisée plus près.",
        ),
        "before_view": (
            "Outside the view’s dates: it ended more than {days} days ago.",
            "Hors des dates de la vue : elle s’est terminée il y a plus de {days} jours.",
        ),
        "room_added_in_outlook": ("Room {item} was added in Outlook.", "La salle {item} a été ajoutée dans Outlook."),
        "room_removed_in_outlook": (
            "Room {item} was removed in Outlook.",
            "La salle {item} a été retirée dans Outlook.",
        ),
        "organizer_changed": (
            "The organizer changed from {old} to {new}.",
            "L’organisateur est passé de {old} à {new}.",
        ),
        "organizer_renamed": (
            "The organizer is now called {new} (was {old}).",
            "L’organisateur s’appelle désormais {new} (avant : {old}).",
        ),
        "item_dropped": (
            "{item} left the loan: it is taken {start} - {end} UTC (loan {loan}).",
            "{item} a quitté le prêt : déjà pris le {start} - {end} UTC (prêt {loan}).",
        ),
        "no_room_left": ("No room of the loan is free any more.", "Plus aucune salle du prêt n’est libre."),
        "of_rooms": ("Rooms: {rooms}.", "Salles : {rooms}."),
        "loan_follows": ("The loan follows its meeting in Outlook.", "Le prêt suit sa réunion dans Outlook."),
        "rooms_given_up": (
            "The loan goes on without a room; its meeting is left to its organizer.",
            "Le prêt continue sans salle ; sa réunion est laissée à son organisateur.",
        ),
        "cancelled_in_outlook": ("Cancelled in Outlook.", "Annulé dans Outlook."),
        "all_rooms_declined": ("Every room declined.", "Toutes les salles ont refusé."),
        "all_rooms_removed": (
            "No room of ours is in the meeting any more.",
            "Plus aucune de nos salles n’est dans la réunion.",
        ),
        "all_rooms_released": ("Exchange released every room.", "Exchange a libéré toutes les salles."),
        # answers of rooms
        "room_accepted": ("Room {item} accepted.", "La salle {item} a accepté."),
        "room_tentative": ("Room {item} accepted tentatively.", "La salle {item} a accepté provisoirement."),
        "room_declined": ("Room {item} declined.", "La salle {item} a refusé."),
        "room_released": ("Exchange released room {item}.", "Exchange a libéré la salle {item}."),
        "room_does_not_answer": (
            "Room {item} has not answered for {minutes} minutes. Check that its mailbox accepts automatically.",
            "La salle {item} ne répond pas depuis {minutes} minutes. Vérifiez l’acceptation automatique de sa boîte.",
        ),
        # from the loan to Outlook
        "event_created": ("Event created in Outlook.", "Événement créé dans Outlook."),
        "event_changed": ("Event changed in Outlook.", "Événement modifié dans Outlook."),
        "event_deleted": ("Event deleted in Outlook.", "Événement supprimé dans Outlook."),
        "former_event_deleted": (
            "Former event deleted in Outlook, to make room for a new one.",
            "Ancien événement supprimé dans Outlook, pour faire place à un nouveau.",
        ),
        "event_replaced": (
            "Event created anew in Outlook, in the place of the former one.",
            "Événement recréé dans Outlook, à la place de l’ancien.",
        ),
        "event_gone_already": (
            "The event to be deleted was gone from Outlook already.",
            "L’événement à supprimer avait déjà disparu d’Outlook.",
        ),
        "event_change_unknown": (
            "Somebody changed or deleted the event meanwhile: it is not known whether our change of it had arrived.",
            "L’événement a été modifié ou supprimé entre-temps : on ignore si notre modification y était arrivée.",
        ),
        "event_adopted": ("Our event was found again in Outlook.", "Notre événement a été retrouvé dans Outlook."),
        "declined_for_room": (
            "The organizer’s calendar may not be written: declined on behalf of the room.",
            "Le calendrier de l’organisateur n’est pas modifiable : refusé au nom de la salle.",
        ),
        "default_mailbox_used": (
            "{mailbox} cannot hold events: the default user’s mailbox is used.",
            "{mailbox} ne peut pas contenir d’événements : la boîte de l’utilisateur par défaut est utilisée.",
        ),
        "write_withheld": (
            "Not written to Outlook: the engine does not write in its present mode. The history would say: {would}",
            "Non écrit dans Outlook : le moteur n’écrit pas dans son mode actuel. L’historique dirait : {would}",
        ),
        "shadowed": (
            "Shadow mode: nothing was changed on either side. The history would say: {would}",
            "Mode fantôme : rien n’a été changé d’aucun côté. L’historique dirait : {would}",
        ),
        "event_missing": (
            "Room {item} shows an event that its organizer’s calendar has no more: what was changed here cannot be"
            " written. Remove the event from the room’s calendar, or take the change back.",
            "La salle {item} affiche un événement que le calendrier de son organisateur n’a plus : ce qui a été modifié"
            " ici ne peut pas être écrit. Retirez l’événement du calendrier de la salle, ou annulez la modification.",
        ),
        "write_refused": ("Outlook refused the change: {error}.", "Outlook a refusé la modification : {error}."),
        # both
        "both_changed": (
            "Both sides changed {field}: {winner} wins with {kept}; lost: {lost}.",
            "Les deux côtés ont modifié {field} : {winner} l’emporte avec {kept} ; perdu : {lost}.",
        ),
        "organizer_cannot_change": (
            "A meeting made in Outlook keeps its organizer {kept}; {lost} was not taken over.",
            "Une réunion créée dans Outlook garde son organisateur {kept} ; {lost} n’a pas été repris.",
        ),
        "past_loan_frozen": (
            "The meeting of a loan that is over was moved to {start} - {end} UTC; the loan stays as it was.",
            "La réunion d’un prêt terminé a été déplacée au {start} - {end} UTC ; le prêt reste tel quel.",
        ),
    }
)
