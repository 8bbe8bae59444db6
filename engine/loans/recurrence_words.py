"""A recurrence in words, English and French: "every 2 weeks on Monday and Thursday, 13:00–14:00, 12 times"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType

from engine.loans.recurrence import WEEKDAYS, Recurrence, Repeat, Week

_DAYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
        "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    }
)
_MONTHS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
               "November", "December"),
        "fr": ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre",
               "novembre", "décembre"),
    }
)  # fmt: skip
_WEEKS: Mapping[str, Mapping[Week, str]] = MappingProxyType(
    {
        "en": {week: week.value for week in Week},
        "fr": {
            Week.FIRST: "premier",
            Week.SECOND: "deuxième",
            Week.THIRD: "troisième",
            Week.FOURTH: "quatrième",
            Week.LAST: "dernier",
        },
    }
)
_UNITS: Mapping[str, Mapping[Repeat, tuple[str, str]]] = MappingProxyType(
    {
        "en": {
            Repeat.DAILY: ("every day", "every {} days"),
            Repeat.WEEKLY: ("every week", "every {} weeks"),
            Repeat.MONTHLY: ("every month", "every {} months"),
            Repeat.MONTHLY_BY_WEEKDAY: ("every month", "every {} months"),
            Repeat.YEARLY: ("every year", "every {} years"),
            Repeat.YEARLY_BY_WEEKDAY: ("every year", "every {} years"),
        },
        "fr": {
            Repeat.DAILY: ("chaque jour", "tous les {} jours"),
            Repeat.WEEKLY: ("chaque semaine", "toutes les {} semaines"),
            Repeat.MONTHLY: ("chaque mois", "tous les {} mois"),
            Repeat.MONTHLY_BY_WEEKDAY: ("chaque mois", "tous les {} mois"),
            Repeat.YEARLY: ("chaque année", "tous les {} ans"),
            Repeat.YEARLY_BY_WEEKDAY: ("chaque année", "tous les {} ans"),
        },
    }
)


def say_recurrence(wanted: Recurrence, language: str = "en") -> str:
    """Return *wanted* in words; *language* is `en` or `fr`."""
    once, several = _UNITS[language][wanted.repeat]
    unit = once if wanted.every == 1 else several.format(wanted.every)
    on = _say_days(wanted, language)
    ends = datetime.combine(wanted.first, wanted.start) + wanted.length
    hours = f"{wanted.start:%H:%M}–{ends:%H:%M}"
    return f"{unit}{' ' + on if on else ''}, {hours}, {_say_end(wanted, language)}"


def _say_days(wanted: Recurrence, language: str) -> str:
    names = [_DAYS[language][WEEKDAYS.index(day)] for day in wanted.weekdays]
    month = _MONTHS[language][wanted.first.month - 1]
    is_french = language == "fr"
    match wanted.repeat:
        case Repeat.DAILY:
            return ""
        case Repeat.WEEKLY:
            return _join([f"le {name}" for name in names], "et") if is_french else f"on {_join(names, 'and')}"
        case Repeat.MONTHLY:
            return f"le {_say_number(wanted.month_day)}" if is_french else f"on day {wanted.month_day}"
        case Repeat.YEARLY:
            return f"le {_say_number(wanted.month_day)} {month}" if is_french else f"on {wanted.month_day} {month}"
        case Repeat.MONTHLY_BY_WEEKDAY | Repeat.YEARLY_BY_WEEKDAY:
            assert wanted.week is not None, "a pattern by weekday names the week"
            week = _WEEKS[language][wanted.week]
            days = _join(names, "ou" if is_french else "or")
            said = f"le {week} {days}" if is_french else f"on the {week} {days}"
            if wanted.repeat is Repeat.MONTHLY_BY_WEEKDAY:
                return said
            return f"{said} {_of(month) if is_french else f'of {month}'}"


def _say_end(wanted: Recurrence, language: str) -> str:
    if wanted.count is not None:
        times = "time" if wanted.count == 1 else "times"
        return f"{wanted.count} fois" if language == "fr" else f"{wanted.count} {times}"
    assert wanted.until is not None, "a series made in the app ends"
    return f"{'jusqu’au' if language == 'fr' else 'until'} {say_day(wanted.until, language)}"


def say_day(day: date, language: str) -> str:
    """Return a day in words: "1 February 2027", "1er février 2027"."""
    month = _MONTHS[language][day.month - 1]
    number = _say_number(day.day) if language == "fr" else str(day.day)
    return f"{number} {month} {day.year}"


def _of(month: str) -> str:
    return f"d’{month}" if month[0] in "ao" else f"de {month}"


def _say_number(day: int | None) -> str:
    return "1er" if day == 1 else str(day)


def _join(words: Sequence[str], last: str) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"
