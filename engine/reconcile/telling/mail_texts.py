"""What mails say about bookings, in English and in French. How much is the store's text level (R15)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

from engine.interval import Interval
from engine.loans.loan import Loan, TextLevel
from engine.loans.recurrence_words import say_day
from engine.reconcile.telling.texts import render_own_subject, render_plain

Pair = tuple[str, str]
"""English, French."""

HAPPENED: Mapping[str, Pair] = MappingProxyType(
    {
        "booked": ("Booked", "Réservé"),
        "changed": ("Changed", "Modifié"),
        "cancelled": ("Cancelled", "Annulé"),
        "moved_on": ("No longer yours", "Ne vous concerne plus"),
        "in_outlook": ("Now in Outlook", "Désormais dans Outlook"),
    }
)
"""Titles of mails, by what happened."""

EXPLAINED: Mapping[str, Pair] = MappingProxyType(
    {
        "booked": ("This is booked for you.", "Ceci est réservé pour vous."),
        "changed": ("Your booking has changed. This is how it is now.", "Votre réservation a changé. La voici."),
        "cancelled": ("Your booking is cancelled.", "Votre réservation est annulée."),
        "moved_on": (
            "This booking is somebody else’s now, and leaves your calendar.",
            "Cette réservation est désormais au nom d’une autre personne, et quitte votre agenda.",
        ),
        "in_outlook": (
            "Outlook shows you this booking by itself now; the entry that came by mail leaves your calendar.",
            "Outlook vous montre désormais cette réservation de lui-même ; l’entrée reçue par courriel quitte votre "
            "agenda.",
        ),
        "series": (
            "Several dates of a series: open the attached file to put them into your calendar.",
            "Plusieurs dates d’une série : ouvrez le fichier joint pour les mettre dans votre agenda.",
        ),
    }
)

SERIES: Mapping[str, Pair] = MappingProxyType(
    {
        "booked": ("{count} dates booked", "{count} dates réservées"),
        "changed": ("{count} dates changed", "{count} dates modifiées"),
        "cancelled": ("{count} dates cancelled", "{count} dates annulées"),
        "moved_on": ("{count} dates no longer yours", "{count} dates qui ne vous concernent plus"),
        "in_outlook": ("{count} dates now in Outlook", "{count} dates désormais dans Outlook"),
    }
)

FOOTER: Pair = (
    "Your calendar program takes this in by itself, or from the attached file.",
    "Votre agenda l’enregistre de lui-même, ou depuis le fichier joint.",
)

CHOICE: Pair = ("Which mails you get: {link}", "Les courriels que vous recevez\N{NO-BREAK SPACE}: {link}")
"""For who can sign in, and choose."""

TRIAL: tuple[Pair, Pair] = (
    ("Mails from Accord arrive", "Les courriels d’Accord arrivent"),
    (
        "This mail was sent to see whether mails arrive. Nothing has to be done.\n",
        "Ce courriel a été envoyé pour voir si les courriels arrivent. Il n’y a rien à faire.\n",
    ),
)

COLON: Pair = (": ", "\N{NO-BREAK SPACE}: ")

_DAYS = (
    ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."),
)


def index_of(language: str) -> int:
    """Return the place of a language in a pair."""
    return 1 if language == "fr" else 0


def render_title(kind: str, loan: Loan, level: TextLevel, language: str) -> str:
    """Return the subject of a mail about one loan."""
    at = index_of(language)
    return f"{HAPPENED[kind][at]}{COLON[at]}{render_own_subject(loan, level)}"


def render_series_title(kind: str, count: int, language: str) -> str:
    """Return the subject of a mail about several dates of a series."""
    return SERIES[kind][index_of(language)].format(count=count)


def render_paragraph(loan: Loan, level: TextLevel, link: str, zone: str, language: str) -> str:
    """Return when a loan is and, as far as the level allows, what; its last line is the link."""
    return f"{render_when(loan.interval, zone, language)}\n{render_plain(loan, level, link)}"


def render_when(interval: Interval, zone: str, language: str) -> str:
    """Return a stretch of time as *zone*'s clocks show it, such as "Tue 24 November 2026, 10:00 - 11:00"."""
    start, end = (moment.astimezone(ZoneInfo(zone)) for moment in (interval.start, interval.end))
    later = f"{end:%H:%M}" if end.date() == start.date() else f"{_day(end, language)}, {end:%H:%M}"
    return f"{_day(start, language)}, {start:%H:%M} \N{EN DASH} {later} ({zone})"


def _day(moment: datetime, language: str) -> str:
    return f"{_DAYS[index_of(language)][moment.weekday()]} {say_day(moment.date(), language)}"
