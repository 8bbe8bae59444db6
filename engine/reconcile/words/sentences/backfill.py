"""What became of meetings from before the connection."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

BACKFILL: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
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
            "C’est le prêt {loan} : mêmes demandeur, salles et horaires.",
        ),
        "backfill_link_likely": (
            "Is probably loan {loan} ({times} UTC, {rooms}), which becomes {new_times} UTC, {new_rooms}.",
            "C’est sans doute le prêt {loan} ({times} UTC, {rooms}), qui devient {new_times} UTC, {new_rooms}.",
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
        "backfill_gone": (
            "It is no longer in a room’s calendar.",
            "Elle n’est plus dans le calendrier d’aucune salle.",
        ),
        "backfill_changed": (
            "Somebody changed it since the connection: it is treated like any new meeting.",
            "Elle a été modifiée depuis la connexion : elle est traitée comme toute nouvelle réunion.",
        ),
        "backfill_left_lost": ("Left: the loan is not there any more.", "Laissé : le prêt n’existe plus."),
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
    }
)
