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
        "erroraccessdenied": "l’application n’a pas accès à cette boîte aux lettres",
        "errorquotaexceeded": "la boîte aux lettres est pleine",
        "erroritemnotfound": "l’événement n’existe pas, ou plus",
        "mailboxnotenabledforrestapi": "cette boîte aux lettres n’existe pas ou n’est pas ouverte à Microsoft Graph",
        "mailboxnotsupportedforrestapi": "cette boîte aux lettres n’existe pas ou n’est pas ouverte à Microsoft Graph",
        "errorinvaliduser": "cette boîte aux lettres n’existe pas",
        "errornonexistentmailbox": "cette boîte aux lettres n’existe pas",
        "request_resourcenotfound": "cette boîte aux lettres n’existe pas",
        "resourcenotfound": "cette boîte aux lettres n’existe pas",
        "errorduplicatetransactionid": "un autre événement a déjà été créé sous ce numéro",
    }
)
"""Graph's codes, in lower case (see `graph/errors.py`), that say more than their status."""

_BY_STATUS: Mapping[int, str] = MappingProxyType(
    {
        400: "la demande est refusée comme mal formée",
        401: "notre identité n’est pas acceptée",
        403: "l’accès est refusé",
        404: "ce qui est demandé n’existe pas, ou plus",
        409: "quelqu’un d’autre a écrit en même temps",
        412: "quelqu’un d’autre a modifié l’événement entre-temps",
        429: "le service demande d’attendre",
        507: "la boîte aux lettres est pleine",
        509: "le service demande d’attendre",
        **dict.fromkeys((405, 406, 410, 413, 415, 418, 422, 423, 424, 425), "la demande est refusée"),
        **dict.fromkeys((408, 500, 502, 503, 504), "le service est en panne"),
    }
)
"""Of HTTP alone: what mail servers answer (550, 421 ...) is quoted as it is."""

_BY_WORDS: tuple[tuple[str, str], ...] = (
    ("asked us to wait", "le service demande d’attendre"),
    ("ask for a token", "l’annuaire ne nous donne pas de jeton"),
    ("no connection", "pas de connexion"),
    ("no whole answer", "la réponse n’est pas arrivée entière"),
    ("the answer was cut short", "la réponse n’est pas arrivée entière"),
    ("was cut off", "la réponse est trop longue"),
    ("a web page came back", "une page web est venue à la place d’une réponse ; un proxy est peut-être entre les deux"),
    ("makes no sense", "la réponse est incompréhensible"),
)
"""What our own messages say where no status came back."""

_OURS: Mapping[str, str] = MappingProxyType(
    {
        "the organizer’s calendar cannot be reached": "le calendrier de l’organisateur est hors d’atteinte",
        "the series was deleted while it was being made": "la série a été supprimée pendant sa création",
        "no answer": "pas de réponse",
    }
)
"""Messages of ours that quote nobody."""

TAKEN_STRETCH = r"(\d{4}-\d\d-\d\d \d\d:\d\d)(?:-(\d\d:\d\d)| - (\d{4}-\d\d-\d\d \d\d:\d\d)) UTC"
"""How the desk's refusals tell when an item is taken (`errors.Clash.stretch`)."""
_TAKEN = rf"(?P<item>[^;]+) is taken (?P<when>{TAKEN_STRETCH})"
_OURS_WITH_VALUES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), said)
    for pattern, said in (
        # the desk: `errors.Unavailable`, `database/loans/desk.py`, `database/settling/settlements.py`
        (rf"{_TAKEN} by loan (?P<loan>\d+)", "{item} : pris {when} par le prêt {loan}"),
        (rf"{_TAKEN} by a meeting in Outlook", "{item} : pris {when} par une réunion Outlook"),
        (r"an item is taken", "une salle ou un matériel est déjà pris"),
        (r"no equivalent room is free at that time", "aucune salle équivalente n’est libre à ce moment"),
        (r"loan (?P<loan>\d+) is \w+: .+", "l’état du prêt {loan} ne le permet pas"),
        (r"case (?P<case>\d+) was closed already, by .+", "le cas {case} est déjà clos"),
        (
            r"case (?P<case>\d+) cannot be settled by (?P<way>\w+) now, only by (?P<ways>.+)",
            "le cas {case} ne peut pas être réglé maintenant par {way}, seulement par {ways}",
        ),
        # senders: `mail/smtp.py`, `mail/compose.py`, `webhooks/answer.py`, `senders/webhook.py`
        (r"the mail server said (?P<quoted>.+)", "le serveur de courriel a répondu {quoted}"),
        (r"the mail server did not take it: (?P<quoted>.+)", "le serveur de courriel ne l’a pas pris {quoted}"),
        (r"'(?P<address>.+)' is no address that a mail can carry", "aucun courriel ne peut aller à {address}"),
        (r"HTTP (?P<status>\d+): a redirect, .+", "HTTP {status} : une redirection, qui n’est pas suivie"),
        (r"HTTP (?P<status>\d+) with a web page: .+", "HTTP {status} avec une page web, qui n’est pas du destinataire"),
        (r"HTTP (?P<status>\d+)", "le destinataire a répondu HTTP {status}"),
        (r"no whole answer within (?P<seconds>\S+) s", "pas de réponse entière en {seconds} s"),
        (
            r"not sent: (?P<address>\S+) is not a public address.*",
            "pas envoyé : {address} n’est pas une adresse publique",
        ),
        (r"not sent: over the internet only https is spoken", "pas envoyé : sur Internet, seul https est parlé"),
        (r"no address is known for (?P<host>\S+)", "aucune adresse connue pour {host}"),
        (r"no trusted encryption with (?P<host>[^:]+)(: .*)?", "pas de chiffrement de confiance avec {host}"),
        (r"no connection to (?P<host>\S+)", "pas de connexion à {host}"),
        (r"the connection was closed without an answer", "la connexion a été fermée sans réponse"),
        (r"the endpoint is gone or switched off", "le webhook est supprimé ou désactivé"),
    )
)
"""Messages of ours with what they name; only *quoted* is of somebody else."""

STAND_IN = "; or choose a default user, loans.default_user, to stand in"
"""What is added to the message where nobody here has the mailbox."""


def quote_error(text: str, language: str) -> str:
    """Return an error message for readers of *language*, without a full stop. In French our own messages are French;
    those of others come after what happened, in parentheses, or in quotation marks where nothing more is known."""
    text = text.rstrip(".")
    if language != "fr":
        return text
    if ours := say_ours_in_french(text):
        return ours
    said = _say_in_french(text)
    if not said:
        return _in_marks(text)
    quoted = text.removesuffix(STAND_IN)
    advice = " ; un utilisateur par défaut, loans.default_user, peut la remplacer" if quoted != text else ""
    return f"{said}{advice} ({quoted})"


def say_ours_in_french(text: str) -> str:
    """Return a message of ours, or several in one, in French; empty where any of them is not ours alone."""
    if known := _OURS.get(text.replace("'", "’")):
        return known
    for pattern, said in _OURS_WITH_VALUES:
        if found := pattern.fullmatch(text):
            values = found.groupdict()
            return said.format_map(
                {name: _in_marks(value) if name == "quoted" else value for name, value in values.items()}
            )
    parts = text.split("; ")
    each = [say_ours_in_french(part) for part in parts] if len(parts) > 1 else [""]
    return " ; ".join(each) if all(each) else ""


def _in_marks(text: str) -> str:
    return f"«\u00a0{text}\u00a0»" if text.strip("?") else text


def _say_in_french(text: str) -> str:
    """Return what happened; empty where neither a code, nor a status, nor our own words tell it."""
    answered = _ANSWERED.search(text)
    if answered is not None:
        status = int(answered["status"])
        return _BY_CODE.get((answered["code"] or "").lower()) or _BY_STATUS.get(status, "")
    return next((said for words, said in _BY_WORDS if words in text), "")
