"""What becomes of rooms, stores, things, settings and the engine itself."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

HOUSE: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        # rooms
        "room_added": ("Room added from the directory.", "Salle ajoutée depuis l’annuaire."),
        "room_changed": ("Room changed in the directory: {changes}.", "Salle modifiée dans l’annuaire : {changes}."),
        "room_excluded": ("Room excluded: it carries the tag {tag}.", "Salle exclue : elle porte l’étiquette {tag}."),
        "room_included": ("Room included again.", "Salle de nouveau incluse."),
        "room_missing": ("Room no longer listed by the directory.", "Salle absente de l’annuaire."),
        "room_found": ("Room listed again.", "Salle de nouveau dans l’annuaire."),
        "room_suspended": ("Room suspended: {reason}.", "Salle suspendue : {reason}."),
        "room_resumed": ("Room resumed.", "Salle reprise."),
        "listing_empty": (
            "The directory listed no rooms at all; nothing was changed. Check Place.Read.All and the Places settings.",
            "L’annuaire n’a listé aucune salle ; rien n’a été changé. Vérifiez Place.Read.All et les réglages Places.",
        ),
        "place_twice": (
            "The directory lists these more than once, the first entry counts: {places}.",
            "L’annuaire liste plusieurs fois, la première entrée compte : {places}.",
        ),
        "drift_found": (
            "Only the nightly comparison found this of {item}: changes in Outlook: {copies}, bookings out of step: "
            "{bookings}. They are being repaired. If it happens again: is its subscription deaf?",
            "Seule la comparaison nocturne a trouvé ceci pour {item} : modifications dans Outlook : {copies}, "
            "réservations décalées : {bookings}. La correction est en cours. Si cela se répète : son abonnement est-il "
            "sourd ?",
        ),
        # why notifications bring no events
        "content_not_wanted": ("The setting sync.content is off.", "Le réglage sync.content est désactivé."),
        "content_needs_push": (
            "The setting sync.delivery is poll: rooms are asked in turn, and nothing notifies us.",
            "Le réglage sync.delivery vaut poll : les salles sont interrogées à tour de rôle, et rien ne nous notifie.",
        ),
        "content_needs_client_id": (
            "The setting graph.client_id is {value}, not the id of the app registration.",
            "Le réglage graph.client_id vaut {value}, ce qui n’est pas l’identifiant de l’inscription d’application.",
        ),
        "content_needs_tenant_id": (
            "The setting graph.tenant_id is {value}, not the directory’s id (a domain will not do).",
            "Le réglage graph.tenant_id vaut {value}, ce qui n’est pas l’identifiant de l’annuaire "
            "(un domaine ne convient pas).",
        ),
        # stores, things, settings
        "store_added": ("Store {name} added.", "Magasin {name} ajouté."),
        "store_changed": ("Store {name} changed: {changes}.", "Magasin {name} modifié : {changes}."),
        "store_keepers_named": ("Store {name} is kept by {keepers}.", "Le magasin {name} est tenu par {keepers}."),
        "store_keepers_freed": ("Store {name} is kept by all staff.", "Le magasin {name} est tenu par toute l’équipe."),
        "asset_added": ("{name} added.", "{name} ajouté."),
        "asset_changed": ("{name} changed: {changes}.", "{name} modifié : {changes}."),
        "asset_retired": ("{name} taken out of service.", "{name} retiré du service."),
        "asset_revived": ("{name} back in service.", "{name} remis en service."),
        "room_moved_to_store": ("{name} belongs to store {store} now.", "{name} dépend désormais du magasin {store}."),
        "setting_changed": (
            "Setting {key} changed from {old} to {new}.",
            "Réglage {key} passé de {old} à {new}.",
        ),
        "rules_changed": ("Rules of {name} changed: {changes}.", "Règles de {name} modifiées : {changes}."),
        # what others are told
        "webhook_added": ("Webhook {webhook} added: {url}.", "Webhook {webhook} ajouté : {url}."),
        "webhook_changed": ("Webhook {webhook} changed: {changes}.", "Webhook {webhook} modifié : {changes}."),
        "webhook_removed": ("Webhook {webhook} removed: {url}.", "Webhook {webhook} supprimé : {url}."),
        "webhook_secret_added": (
            "Webhook {webhook} has a second secret; both are live.",
            "Le webhook {webhook} a un second secret ; les deux sont valables.",
        ),
        "webhook_secret_retired": (
            "The older secret of webhook {webhook} was retired.",
            "L’ancien secret du webhook {webhook} a été retiré.",
        ),
        "message_parked": (
            "Messages to {channel} {receiver} were given up: {error}. Send them again once it is mended.",
            "Des messages à {channel} {receiver} ont été abandonnés : {error}. Renvoyez-les une fois la panne réparée.",
        ),
        "feed_created": ("Calendar feed {feed} of {name} made.", "Flux d’agenda {feed} de {name} créé."),
        "feed_rotated": (
            "Calendar feed {feed} of {name} got another address.",
            "Le flux d’agenda {feed} de {name} a changé d’adresse.",
        ),
        "feed_revoked": ("Calendar feed {feed} of {name} ended.", "Flux d’agenda {feed} de {name} terminé."),
        # the engine
        "anonymised": (
            "Who it was for, its title, its notes and its history were removed.",
            "Son bénéficiaire, son titre, ses notes et son historique ont été supprimés.",
        ),
        "identity_refused": (
            "Microsoft Graph refuses our identity: {error}. Renew the secret or certificate.",
            "Microsoft Graph refuse notre identité : {error}. Renouvelez le secret ou le certificat.",
        ),
        "key_parked": ("Given up for now: {error}.", "Abandonné pour l’instant : {error}."),
    }
)
