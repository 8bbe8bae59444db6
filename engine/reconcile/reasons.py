"""Every reason code with its sentence, in English and French (D2). One table; the tests hold it complete.

A sentence names the rule and the values, so that a person can read why something was, or was not,
synced. Values come from the facts stored with the decision; one that is missing shows as `?`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from engine.ids import BookableId
from engine.interval import Interval
from engine.reconcile.why_texts import WHY_REASONS

LANGUAGES = ("en", "fr")

_NOT_SYNCED = {"en": "Not synced: ", "fr": "Non synchronisé : "}

REASONS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        **WHY_REASONS,
        # the desk
        "booked_in_app": ("Booked in the app.", "Réservé dans l'application."),
        "changed_in_app": ("Changed in the app: {changes}.", "Modifié dans l'application : {changes}."),
        "approved": ("Approved.", "Approuvé."),
        "refused": ("Refused.", "Refusé."),
        "checked_out": ("Checked out.", "Sorti."),
        "closed": ("Closed.", "Clôturé."),
        "cancelled_in_app": ("Cancelled in the app.", "Annulé dans l'application."),
        "became_overdue": (
            "Overdue: not closed 15 minutes after its end.",
            "En retard : non clôturé 15 minutes après la fin.",
        ),
        "no_show": ("Nobody came.", "Personne ne s'est présenté."),
        # from Outlook to the loan
        "imported": (
            "Created from a meeting in Outlook, {start} - {end} UTC.",
            "Créé depuis une réunion Outlook, {start} - {end} UTC.",
        ),
        "date_of_series": ("The date {day} of series {series}.", "La date {day} de la série {series}."),
        "date_brought_back": (
            "This date was loan {loan}, which has ended. The organizer's calendar shows it again, as it does once a "
            "whole series is moved.",
            "Cette date était le prêt {loan}, qui a pris fin. L'agenda de l'organisateur la montre de nouveau, comme "
            "après le déplacement de toute une série.",
        ),
        "things_come_along": (
            "This meeting was loan {loan} until it held no room any more: what was lent with it comes along.",
            "Cette réunion était le prêt {loan} tant qu'elle tenait une salle : ce qui était prêté avec la suit.",
        ),
        "series_goes_on": (
            "In Outlook its series has ended before this date, which goes on as a date of series {series}.",
            "Dans Outlook, sa série s'est terminée avant cette date, qui continue dans la série {series}.",
        ),
        "begun_date_moved": (
            "Its series was moved after this date had begun, there to {start} - {end} UTC: the loan stays as it was.",
            "Sa série a été déplacée après le début de cette date, là au {start} - {end} UTC : le prêt reste tel quel.",
        ),
        "begun_date_cancelled": (
            "Its series no longer has this date, which had begun: the loan stays as it was.",
            "Sa série n'a plus cette date, déjà commencée : le prêt reste tel quel.",
        ),
        "begun_date_rooms_changed": (
            "The rooms of its series changed after this date had begun: the loan stays as it was.",
            "Les salles de sa série ont changé après le début de cette date : le prêt reste tel quel.",
        ),
        "not_synced": ("Not synced.", "Non synchronisé."),
        "default_user_stands_in": (
            "The organizer {organizer} is not of our domains: the default user stands in.",
            "L'organisateur {organizer} n'est pas de nos domaines : l'utilisateur par défaut le remplace.",
        ),
        "moved_in_outlook": ("Moved in Outlook from {old} to {new} UTC.", "Déplacé dans Outlook de {old} à {new} UTC."),
        "title_changed_in_outlook": (
            "The title was changed in Outlook from “{old}” to “{new}”.",
            "Le titre a été changé dans Outlook, de « {old} » en « {new} ».",
        ),
        "title_kept": (
            "The title was changed on both sides: “{kept}” was kept, “{lost}” in Outlook was not.",
            "Le titre a été changé des deux côtés : « {kept} » est gardé, « {lost} » dans Outlook ne l'est pas.",
        ),
        "left_out_of_view": (
            "Outlook is not told: the settings leave bookings of this store, these rooms or this status out.",
            "Outlook n'est pas informé : les réglages écartent ce magasin, ces salles ou cet état.",
        ),
        "beyond_view": (
            "Outside the view's dates: it begins more than {days} days ahead. It is synchronised once it is nearer.",
            "Hors des dates de la vue : elle commence dans plus de {days} jours. Elle sera synchronisée plus près.",
        ),
        "before_view": (
            "Outside the view's dates: it ended more than {days} days ago.",
            "Hors des dates de la vue : elle s'est terminée il y a plus de {days} jours.",
        ),
        "room_added_in_outlook": ("Room {item} was added in Outlook.", "La salle {item} a été ajoutée dans Outlook."),
        "room_removed_in_outlook": (
            "Room {item} was removed in Outlook.",
            "La salle {item} a été retirée dans Outlook.",
        ),
        "organizer_changed": (
            "The organizer changed from {old} to {new}.",
            "L'organisateur est passé de {old} à {new}.",
        ),
        "organizer_renamed": (
            "The organizer is now called {new} (was {old}).",
            "L'organisateur s'appelle désormais {new} (avant : {old}).",
        ),
        "item_dropped": (
            "{item} left the loan: it is taken {start} - {end} UTC (loan {loan}).",
            "{item} a quitté le prêt : déjà pris {start} - {end} UTC (prêt {loan}).",
        ),
        "no_room_left": ("No room of the loan is free any more.", "Plus aucune salle du prêt n'est libre."),
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
            "Plus aucune de nos salles n'est dans la réunion.",
        ),
        "all_rooms_released": ("Exchange released every room.", "Exchange a libéré toutes les salles."),
        # answers of rooms
        "room_accepted": ("Room {item} accepted.", "La salle {item} a accepté."),
        "room_tentative": ("Room {item} accepted tentatively.", "La salle {item} a accepté provisoirement."),
        "room_declined": ("Room {item} declined.", "La salle {item} a refusé."),
        "room_released": ("Exchange released room {item}.", "Exchange a libéré la salle {item}."),
        "room_does_not_answer": (
            "Room {item} has not answered for {minutes} minutes. Check that its mailbox accepts automatically.",
            "La salle {item} ne répond pas depuis {minutes} minutes. Vérifiez l'acceptation automatique de sa boîte.",
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
            "Événement recréé dans Outlook, à la place de l'ancien.",
        ),
        "event_gone_already": (
            "The event to be deleted was gone from Outlook already.",
            "L'événement à supprimer avait déjà disparu d'Outlook.",
        ),
        "event_change_unknown": (
            "Somebody changed or deleted the event meanwhile: it is not known whether our change of it had arrived.",
            "L'événement a été modifié ou supprimé entre-temps : on ignore si notre modification y était arrivée.",
        ),
        "event_adopted": ("Our event was found again in Outlook.", "Notre événement a été retrouvé dans Outlook."),
        "declined_for_room": (
            "The organizer's calendar may not be written: declined on behalf of the room.",
            "Le calendrier de l'organisateur n'est pas modifiable : refusé au nom de la salle.",
        ),
        "default_mailbox_used": (
            "{mailbox} cannot hold events: the default user's mailbox is used.",
            "{mailbox} ne peut pas contenir d'événements : la boîte de l'utilisateur par défaut est utilisée.",
        ),
        "write_withheld": (
            "Not written to Outlook: the engine does not write in its present mode. The history would say: {would}",
            "Non écrit dans Outlook : le moteur n'écrit pas dans son mode actuel. L'historique dirait : {would}",
        ),
        "shadowed": (
            "Shadow mode: nothing was changed on either side. The history would say: {would}",
            "Mode fantôme : rien n'a été changé d'aucun côté. L'historique dirait : {would}",
        ),
        "write_refused": ("Outlook refused the change: {error}", "Outlook a refusé la modification : {error}"),
        # both
        "both_changed": (
            "Both sides changed {field}: {winner} wins with {kept}; lost: {lost}.",
            "Les deux côtés ont modifié {field} : {winner} l'emporte avec {kept} ; perdu : {lost}.",
        ),
        "organizer_cannot_change": (
            "A meeting made in Outlook keeps its organizer {kept}; {lost} was not taken over.",
            "Une réunion créée dans Outlook garde son organisateur {kept} ; {lost} n'a pas été repris.",
        ),
        "past_loan_frozen": (
            "The meeting of a loan that is over was moved to {start} - {end} UTC; the loan stays as it was.",
            "La réunion d'un prêt terminé a été déplacée au {start} - {end} UTC ; le prêt reste tel quel.",
        ),
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
            "Cas {case} réglé : {count} prêts restent, quoi qu'il soit advenu de leurs réunions.",
        ),
        "settled_ignore": ("Case {case} settled: left as it is.", "Cas {case} réglé : laissé en l'état."),
        "settled_by_hand": ("Case {case} settled: {words}", "Cas {case} réglé : {words}"),
        "settlement_undone": (
            "The settlement of case {case} was undone; it is open again.",
            "Le règlement du cas {case} a été annulé ; il est de nouveau ouvert.",
        ),
        "no_undo_open": ("It is open: there is nothing to undo.", "Il est ouvert : il n'y a rien à annuler."),
        "no_undo_answered": (
            "Cancellations that were answered stay answered: what is cancelled does not come back, book it anew.",
            "Des annulations tranchées le restent : ce qui est annulé ne revient pas, réservez-le de nouveau.",
        ),
        "no_undo_nothing_changed": (
            "Nothing was changed when it was closed.",
            "Rien n'a été modifié à sa clôture.",
        ),
        "no_undo_loan_over": ("Its loan is over.", "Son prêt est terminé."),
        "no_undo_changed_since": (
            "Loan {loan} has been changed since.",
            "Le prêt {loan} a été modifié depuis.",
        ),
        "no_undo_taken": (
            "Loan {other} has {item} then by now: move or cancel that one first, or give this loan another room.",
            "Le prêt {other} a {item} à ce moment-là : déplacez-le ou annulez-le d'abord, ou donnez à ce prêt "
            "une autre salle.",
        ),
        "no_undo_taken_in_outlook": (
            "A meeting in Outlook has {item} then by now: it has to go first, or give this loan another room.",
            "Une réunion d'Outlook a {item} à ce moment-là : elle doit d'abord libérer la place, ou donnez à ce prêt "
            "une autre salle.",
        ),
        "policy_failed": (
            "Case {case} could not be settled as the store has set: {error}",
            "Le cas {case} n'a pas pu être réglé comme le magasin l'a prévu : {error}",
        ),
        "policy_set": (
            "Store {store} settles by itself: {policy}.",
            "Le magasin {store} règle de lui-même : {policy}.",
        ),
        # the brake (D4)
        "mass_cancel_held": (
            "{item}: Outlook would have {count} of {total} coming loans cancelled at once (more than {limit}, or than "
            "{percent} %). They were not; confirm or reject it. Loans: {loans}.",
            "{item} : Outlook ferait annuler d'un coup {count} des {total} prêts à venir (plus de {limit}, ou de "
            "{percent} %). Ils ne le sont pas ; confirmez ou rejetez. Prêts : {loans}.",
        ),
        "cancellation_held": (
            "Gone from Outlook together with many others: the cancellation waits for a person.",
            "Disparu d'Outlook avec beaucoup d'autres : l'annulation attend quelqu'un.",
        ),
        "cancellation_not_needed": (
            "Back in Outlook: it need not be cancelled any more.",
            "De retour dans Outlook : plus besoin de l'annuler.",
        ),
        "kept_against_outlook": (
            "Kept, although its meeting is gone from Outlook: its cancellation was rejected.",
            "Conservé, bien que sa réunion ait disparu d'Outlook : son annulation a été rejetée.",
        ),
        # why an event is not a loan (H36-H39)
        "draft": ("It is a draft.", "C'est un brouillon."),
        "series_too_long": (
            "{dates} dates to come of series {series} are loans already; no more are taken at a time.",
            "{dates} dates à venir de la série {series} sont déjà des prêts ; pas davantage à la fois.",
        ),
        "dates_invalid": ("Its dates cannot be read: {text}", "Ses dates sont illisibles : {text}"),
        "zone_unknown": ("Its time zone is unknown: {text}", "Son fuseau horaire est inconnu : {text}"),
        "zero_length": (
            "It starts and ends at the same instant: it blocks nothing.",
            "Début et fin identiques : rien n'est bloqué.",
        ),
        "organizer_unknown": (
            "Its organizer {organizer} is not of our domains and there is no default user.",
            "Son organisateur {organizer} n'est pas de nos domaines et il n'y a pas d'utilisateur par défaut.",
        ),
        "no_synced_room": ("No synced room is invited.", "Aucune salle synchronisée n'est invitée."),
        "item_unavailable": (
            "{item} is taken {start} - {end} UTC (loan {loan}).",
            "{item} est pris {start} - {end} UTC (prêt {loan}).",
        ),
        # booking rules (H60-H62)
        "outside_opening_hours": (
            "{start} - {end} is outside the opening hours ({hours}).",
            "{start} - {end} est hors des heures d'ouverture ({hours}).",
        ),
        "beyond_booking_window": (
            "It ends {end}, more than {window_days} days ahead.",
            "Fin le {end}, à plus de {window_days} jours.",
        ),
        "longer_than_maximum": (
            "It lasts {minutes} minutes; at most {minutes_max} are allowed.",
            "Durée de {minutes} minutes ; {minutes_max} au maximum.",
        ),
        # backfill (D1)
        "backfilled": (
            "Imported by backfill {backfill}: the meeting was there before the connection.",
            "Importé par la reprise {backfill} : la réunion existait avant la connexion.",
        ),
        "backfill_linked": (
            "Tied to its meeting in Outlook by backfill {backfill}.",
            "Rattaché à sa réunion Outlook par la reprise {backfill}.",
        ),
        "backfill_undone": (
            "Backfill {backfill} was undone: loan {loan} was taken back.",
            "La reprise {backfill} a été annulée : le prêt {loan} a été repris.",
        ),
        "backfill_create": ("Becomes a loan of {rooms}.", "Devient un prêt de {rooms}."),
        "backfill_link_certain": (
            "Is loan {loan}: same requester, rooms and times.",
            "C'est le prêt {loan} : mêmes demandeur, salles et horaires.",
        ),
        "backfill_link_likely": (
            "Is probably loan {loan} ({times} UTC, {rooms}), which becomes {new_times} UTC, {new_rooms}.",
            "C'est sans doute le prêt {loan} ({times} UTC, {rooms}), qui devient {new_times} UTC, {new_rooms}.",
        ),
        "backfill_loan_in_the_way": (
            "Loan {loan} of {requester} has {rooms} then: {times} UTC.",
            "Le prêt {loan} de {requester} occupe {rooms} : {times} UTC.",
        ),
        "backfill_meeting_in_the_way": (
            "Another meeting of this plan has {rooms} then: {times} UTC.",
            "Une autre réunion de ce plan occupe {rooms} : {times} UTC.",
        ),
        "backfill_taken": (
            "A room was taken in the meantime.",
            "Une salle a été prise entre-temps.",
        ),
        "backfill_has_loan": ("It has a loan already.", "Elle a déjà un prêt."),
        "backfill_gone": ("It is no longer in a room's calendar.", "Elle n'est plus dans l'agenda d'aucune salle."),
        "backfill_changed": (
            "Somebody changed it since the connection: it is treated like any new meeting.",
            "Elle a été modifiée depuis la connexion : elle est traitée comme toute nouvelle réunion.",
        ),
        "backfill_left_lost": ("Left: the loan is not there any more.", "Laissé : le prêt n'existe plus."),
        "backfill_left_changed_here": (
            "Left: somebody changed the loan here since.",
            "Laissé : le prêt a été modifié ici depuis.",
        ),
        "backfill_left_changed_in_outlook": (
            "Left: somebody changed the meeting in Outlook since.",
            "Laissé : la réunion a été modifiée dans Outlook depuis.",
        ),
        "backfill_left_ended": (
            "Left: the loan was cancelled or ended since.",
            "Laissé : le prêt a été annulé ou terminé depuis.",
        ),
        "backfill_left_taken": (
            "Left as it is: its former times are taken by now.",
            "Laissé tel quel : ses anciens horaires sont pris désormais.",
        ),
        # rooms
        "room_added": ("Room added from the directory.", "Salle ajoutée depuis l'annuaire."),
        "room_changed": ("Room changed in the directory: {changes}.", "Salle modifiée dans l'annuaire : {changes}."),
        "room_excluded": ("Room excluded: it carries the tag {tag}.", "Salle exclue : elle porte l'étiquette {tag}."),
        "room_included": ("Room included again.", "Salle de nouveau incluse."),
        "room_missing": ("Room no longer listed by the directory.", "Salle absente de l'annuaire."),
        "room_found": ("Room listed again.", "Salle de nouveau dans l'annuaire."),
        "room_suspended": ("Room suspended: {reason}", "Salle suspendue : {reason}"),
        "room_resumed": ("Room resumed.", "Salle reprise."),
        "listing_empty": (
            "The directory listed no rooms at all; nothing was changed. Check Place.Read.All and the Places settings.",
            "L'annuaire n'a listé aucune salle ; rien n'a été changé. Vérifiez Place.Read.All et les réglages Places.",
        ),
        "place_twice": (
            "The directory lists these more than once, the first entry counts: {places}.",
            "L'annuaire liste plusieurs fois, la première entrée compte : {places}.",
        ),
        "setting_changed": (
            "Setting {key} changed from {old} to {new}.",
            "Réglage {key} passé de {old} à {new}.",
        ),
        "drift_found": (
            "Only the nightly comparison found {copies} changes of {item} in Outlook and {bookings} bookings out of "
            "step; they are being repaired. If it happens again: is its subscription deaf?",
            "Seule la comparaison nocturne a trouvé {copies} modifications de {item} dans Outlook et {bookings} "
            "réservations décalées, en cours de correction. Si cela se répète : son abonnement est-il sourd ?",
        ),
        "rules_changed": ("Rules of {name} changed: {changes}.", "Règles de {name} modifiées : {changes}."),
        # webhooks
        "webhook_added": ("Webhook {webhook} added: {url}.", "Webhook {webhook} ajouté : {url}."),
        "webhook_changed": ("Webhook {webhook} changed: {changes}.", "Webhook {webhook} modifié : {changes}."),
        "webhook_removed": ("Webhook {webhook} removed: {url}.", "Webhook {webhook} supprimé : {url}."),
        "webhook_secret_added": (
            "Webhook {webhook} has a second secret; both are live.",
            "Le webhook {webhook} a un second secret ; les deux sont valables.",
        ),
        "webhook_secret_retired": (
            "The older secret of webhook {webhook} was retired.",
            "L'ancien secret du webhook {webhook} a été retiré.",
        ),
        "store_added": ("Store {name} added.", "Magasin {name} ajouté."),
        "store_changed": ("Store {name} changed: {changes}.", "Magasin {name} modifié : {changes}."),
        "store_keepers_named": ("Store {name} is kept by {keepers}.", "Le magasin {name} est tenu par {keepers}."),
        "store_keepers_freed": ("Store {name} is kept by all staff.", "Le magasin {name} est tenu par toute l'équipe."),
        "anonymised": (
            "Who it was for, its title, its notes and its history were removed.",
            "Son bénéficiaire, son titre, ses notes et son historique ont été supprimés.",
        ),
        "feed_created": ("Calendar feed {feed} of {name} made.", "Flux d'agenda {feed} de {name} créé."),
        "feed_rotated": (
            "Calendar feed {feed} of {name} got another address.",
            "Le flux d'agenda {feed} de {name} a changé d'adresse.",
        ),
        "feed_revoked": ("Calendar feed {feed} of {name} ended.", "Flux d'agenda {feed} de {name} terminé."),
        "asset_added": ("{name} added.", "{name} ajouté."),
        "asset_changed": ("{name} changed: {changes}.", "{name} modifié : {changes}."),
        "asset_retired": ("{name} taken out of service.", "{name} retiré du service."),
        "asset_revived": ("{name} back in service.", "{name} remis en service."),
        "room_moved_to_store": ("{name} belongs to store {store} now.", "{name} dépend désormais du magasin {store}."),
        "identity_refused": (
            "Microsoft Graph refuses our identity: {error} Renew the secret or certificate.",
            "Microsoft Graph refuse notre identité : {error} Renouvelez le secret ou le certificat.",
        ),
        "message_parked": (
            "Messages to {channel} {receiver} were given up: {error} Send them again once it is mended.",
            "Des messages à {channel} {receiver} ont été abandonnés : {error} Renvoyez-les une fois la panne réparée.",
        ),
        "key_parked": ("Given up for now: {error}", "Abandonné pour l'instant : {error}"),
    }
)


_ITEMS = MappingProxyType({"item": "item_id", "kept": "kept_items", "lost": "lost_items"})
"""Facts that name items, and those that number them: one, or a list."""


def unnamed_items(facts: Mapping[str, object]) -> dict[str, list[BookableId]]:
    """Return what *facts* number without naming it: name of the fact -> items."""
    found = {name: facts[numbers] for name, numbers in _ITEMS.items() if numbers in facts and name not in facts}
    each = {name: value if isinstance(value, list) else [value] for name, value in found.items()}
    return {name: [BookableId(item) for item in value if isinstance(item, int)] for name, value in each.items()}


def name_items(facts: Mapping[str, object], name_of: Callable[[BookableId], str]) -> dict[str, object]:
    """Return *facts* with the names of the items they number."""
    named = {name: ", ".join(map(name_of, items)) or "-" for name, items in unnamed_items(facts).items()}
    return {**facts, **named}


def _explain_each(would: object, language: str) -> object:
    """Return the sentences of the decisions in a list of `[code, facts]`; anything else as it is."""
    if not isinstance(would, list):
        return would
    notes = [note for note in would if isinstance(note, list) and len(note) == 2 and isinstance(note[1], dict)]
    return " ".join(explain(str(code), {**facts, "would": "?"}, language) for code, facts in notes)


_WORDS: Mapping[str, Mapping[object, tuple[str, str]]] = MappingProxyType(
    {
        "field": {
            "interval": ("the times", "les horaires"),
            "requester": ("the requester", "le demandeur"),
            "rooms": ("the rooms", "les salles"),
        },
        "winner": {"outlook": ("Outlook", "Outlook"), "app": ("the desk", "le guichet")},
    }
)
"""Facts that are words of the code, and what people call them."""


_CHANGED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "start": ("start", "début"),
        "end": ("end", "fin"),
        "requester": ("requester", "demandeur"),
        "items": ("items", "salles et matériel"),
        "title": ("title", "titre"),
        "notes": ("notes", "notes"),
        "private": ("private", "privé"),
    }
)
"""What the desk can change of a loan, and what people call it."""

_YES_NO: Mapping[object, tuple[str, str]] = MappingProxyType({"yes": ("yes", "oui"), "no": ("no", "non")})


class _Facts(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "?"


def explain(code: str, facts: Mapping[str, object], language: str = "en") -> str:
    """Return the sentence of *code*, its facts filled in, in *language* (`en`, `fr`; anything else reads as `en`)."""
    index = LANGUAGES.index(language) if language in LANGUAGES else 0
    reason = facts.get("reason") if code == "not_synced" else None
    if isinstance(reason, str) and reason != code and reason in REASONS:
        return _NOT_SYNCED[LANGUAGES[index]] + explain(reason, facts, language)
    texts = REASONS.get(code)
    if texts is None:
        return code
    if "would" in facts:
        facts = {**facts, "would": _explain_each(facts["would"], language)}
    fields = facts.get("fields")
    if code == "changed_in_app" and isinstance(fields, Mapping):
        facts = {**facts, "changes": _say_changes(fields, index)}
    if code == "both_changed" and facts.get("field") == "interval":
        facts = {**facts, **{side: f"{facts[side]} UTC" for side in ("kept", "lost") if facts.get(side)}}
    shown = {key: _show(key, value, index) for key, value in facts.items()}
    return texts[index].format_map(_Facts(shown))


def _say_changes(fields: Mapping[str, object], index: int) -> str:
    """Return the old and new values of *fields* (name -> `old`, `new`), under what people call them; times in UTC."""
    colon, between = ((":", "; "), (" :", " ; "))[index]
    said = []
    for field, values in fields.items():
        if not isinstance(values, Mapping):
            continue
        name = _CHANGED[field][index] if field in _CHANGED else field
        unit = " UTC" if field in ("start", "end") else ""
        old, new = (values.get(side) or "-" for side in ("old", "new"))
        if field == "private":
            old, new = (_YES_NO.get(value, (value, value))[index] for value in (old, new))
        said.append(f"{name}{colon} {old}{unit} → {new}{unit}")
    return between.join(said)


def _show(key: str, value: object, index: int) -> object:
    """Return one fact as its sentence shows it."""
    if isinstance(value, list | tuple):
        value = ", ".join(map(str, value))
    if value is None or value == "":
        return "-"
    words = _WORDS.get(key, {}).get(value) if isinstance(value, str) else None
    return words[index] if words is not None else value


def say_instant(instant: datetime) -> str:
    """Return an instant, given in any zone, as sentences show it: in UTC."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M}"


def say_interval(interval: Interval) -> str:
    """Return a stretch of time as sentences show it, in UTC."""
    return f"{say_instant(interval.start)} - {say_instant(interval.end)}"
