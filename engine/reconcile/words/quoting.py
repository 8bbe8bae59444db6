"""What another service, or the way to it, said went wrong: in French first, then as it was said.

What is quoted is the message of an error of `errors.py`, in English, as `graph/errors.py` writes it:
`what was attempted: status code: Graph's sentence (advice)`. Histories, cases and rooms keep it as a text; how it is
classified was decided long before. English readers get it as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

_ANSWERED = re.compile(r": (?P<status>[2-5]\d\d)(?: (?P<code>[A-Za-z_]+))?(?=$|[ :;,)])")

_BY_CODE: Mapping[str, str] = MappingProxyType(
    {
        "erroraccessdenied": "l'application n'a pas accès à cette boîte aux lettres",
        "errorquotaexceeded": "la boîte aux lettres est pleine",
        "erroritemnotfound": "l'événement n'existe pas, ou plus",
        "mailboxnotenabledforrestapi": "cette boîte aux lettres n'existe pas ou n'est pas ouverte à Microsoft Graph",
        "mailboxnotsupportedforrestapi": "cette boîte aux lettres n'existe pas ou n'est pas ouverte à Microsoft Graph",
        "errorinvaliduser": "cette boîte aux lettres n'existe pas",
        "errornonexistentmailbox": "cette boîte aux lettres n'existe pas",
        "request_resourcenotfound": "cette boîte aux lettres n'existe pas",
        "resourcenotfound": "cette boîte aux lettres n'existe pas",
        "errorduplicatetransactionid": "un autre événement a déjà été créé sous ce numéro",
    }
)
"""Graph's codes, in lower case (see `graph/errors.py`), that say more than their status."""

_BY_STATUS: Mapping[int, str] = MappingProxyType(
    {
        400: "la demande est refusée comme mal formée",
        401: "notre identité n'est pas acceptée",
        403: "l'accès est refusé",
        404: "ce qui est demandé n'existe pas, ou plus",
        409: "quelqu'un d'autre a écrit en même temps",
        412: "quelqu'un d'autre a modifié l'événement entre-temps",
        429: "le service demande d'attendre",
        507: "la boîte aux lettres est pleine",
        509: "le service demande d'attendre",
        **dict.fromkeys((405, 406, 410, 413, 415, 418, 422, 423, 424, 425), "la demande est refusée"),
        **dict.fromkeys((408, 500, 502, 503, 504), "le service est en panne"),
    }
)
"""Of HTTP alone: what mail servers answer (550, 421 ...) is quoted as it is."""

_BY_WORDS: tuple[tuple[str, str], ...] = (
    ("asked us to wait", "le service demande d'attendre"),
    ("ask for a token", "l'annuaire ne nous donne pas de jeton"),
    ("no connection", "pas de connexion"),
    ("no whole answer", "la réponse n'est pas arrivée entière"),
    ("the answer was cut short", "la réponse n'est pas arrivée entière"),
    ("was cut off", "la réponse est trop longue"),
    ("a web page came back", "une page web est venue à la place d'une réponse ; un proxy est peut-être entre les deux"),
    ("makes no sense", "la réponse est incompréhensible"),
)
"""What our own messages say where no status came back."""

_OURS: Mapping[str, str] = MappingProxyType(
    {
        "the organizer's calendar cannot be reached": "l'agenda de l'organisateur est hors d'atteinte",
        "the series was deleted while it was being made": "la série a été supprimée pendant sa création",
        "no answer": "pas de réponse",
    }
)
"""Messages of ours that quote nobody."""

STAND_IN = "; or choose a default user, loans.default_user, to stand in"
"""What is added to the message where nobody here has the mailbox."""


def quote_error(text: str, language: str) -> str:
    """Return an error message for readers of *language*, without a full stop; in French *text* is in parentheses."""
    text = text.rstrip(".")
    if language == "fr" and text in _OURS:
        return _OURS[text]
    said = _say_in_french(text) if language == "fr" else ""
    if not said:
        return text
    quoted = text.removesuffix(STAND_IN)
    advice = " ; un utilisateur par défaut, loans.default_user, peut la remplacer" if quoted != text else ""
    return f"{said}{advice} ({quoted})"


def _say_in_french(text: str) -> str:
    """Return what happened; empty where neither a code, nor a status, nor our own words tell it."""
    answered = _ANSWERED.search(text)
    if answered is not None:
        status = int(answered["status"])
        return _BY_CODE.get((answered["code"] or "").lower()) or _BY_STATUS.get(status, "")
    return next((said for words, said in _BY_WORDS if words in text), "")
