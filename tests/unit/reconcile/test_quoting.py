"""What others said went wrong: French readers get it in French, with what was said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from engine.errors import Clash, NotAllowed, Unavailable
from engine.graph.errors import Target, translate
from engine.reconcile.told import tell_unmade
from engine.reconcile.words.quoting import quote_error
from engine.reconcile.words.reasons import explain

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


def answer(status: int, code: str = "", target: Target = Target.MAILBOX) -> Exception:
    """The engine's error for an answer of Graph's."""
    body = f'{{"error": {{"code": "{code}", "message": "Access is denied. Check credentials."}}}}' if code else "<html>"
    what = "create event in anna@example.org"
    return translate(status, {}, body.encode(), what=what, target=target, is_write=True, now=NOW)


class TestFrench:
    @pytest.mark.parametrize(
        ("error", "said"),
        [
            (answer(403, "ErrorAccessDenied"), "l’application n’a pas accès à cette boîte aux lettres ("),
            (answer(404, "ErrorInvalidUser"), "cette boîte aux lettres n’existe pas ("),
            (answer(404, "ErrorItemNotFound", Target.ITEM), "l’événement n’existe pas, ou plus ("),
            (answer(429, "ApplicationThrottled"), "le service demande d’attendre ("),
            (answer(400, "ErrorPropertyValidationFailure"), "la demande est refusée comme mal formée ("),
            (answer(507), "la boîte aux lettres est pleine ("),
            (answer(503), "le service est en panne ("),
            (answer(418), "la demande est refusée ("),
        ],
        ids=str,
    )
    def test_says_what_graph_answered_and_quotes_it(self, error: Exception, said: str) -> None:
        """By its code, else by its status, as `translate` writes them."""
        shown = quote_error(str(error), "fr")

        assert shown.startswith(said)
        assert shown.endswith(f"({str(error).rstrip('.')})")

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("create event in anna@example.org: no connection for POST: TimeoutError", "pas de connexion ("),
            ("ask for a token: the directory did not answer: x", "l’annuaire ne nous donne pas de jeton ("),
            ("the organizer’s calendar cannot be reached", "le calendrier de l’organisateur est hors d’atteinte"),
            ("the organizer's calendar cannot be reached", "le calendrier de l’organisateur est hors d’atteinte"),
            ("room-403@example.org is strange", "« room-403@example.org is strange »"),
            ("550 no such mailbox", "« 550 no such mailbox »"),
            ("anna@example.org: 550 no such mailbox", "« anna@example.org: 550 no such mailbox »"),
        ],
    )
    def test_says_our_own_words_too(self, text: str, said: str) -> None:
        """What nothing is known of is quoted as it is; a number in a name is no status."""
        assert quote_error(text, "fr").replace("\u00a0", " ").startswith(said)

    @pytest.mark.parametrize(
        ("error", "said"),
        [
            (NotAllowed("no equivalent room is free at that time"), "aucune salle équivalente n’est libre à ce moment"),
            (Unavailable(), "une salle ou un matériel est déjà pris"),
            (
                Unavailable(Clash(1, "Fern", NOW, NOW + HOUR, 7), Clash(2, "Moss", NOW, NOW + HOUR)),
                "Fern : pris 2026-11-23 09:00-10:00 UTC par le prêt 7 ; "
                "Moss : pris 2026-11-23 09:00-10:00 UTC par une réunion Outlook",
            ),
            (NotAllowed("loan 7 is cancelled: it can no longer be changed"), "l’état du prêt 7 ne le permet pas"),
            (
                NotAllowed("case 3 cannot be settled by drop_room now, only by move_room, ignore"),
                "le cas 3 ne peut pas être réglé maintenant par drop_room, seulement par move_room, ignore",
            ),
            ("the mail server said 550 no such mailbox", "le serveur de courriel a répondu « 550 no such mailbox »"),
            (
                "the mail server did not take it: SMTPException: x",
                "le serveur de courriel ne l’a pas pris « SMTPException: x »",
            ),
            ("HTTP 502", "le destinataire a répondu HTTP 502"),
            ("no connection to 10.0.0.7:80", "pas de connexion à 10.0.0.7:80"),
            ("no whole answer within 10 s", "pas de réponse entière en 10 s"),
        ],
        ids=str,
    )
    def test_tells_refusals_of_the_desk_and_failures_of_senders_in_french(
        self, error: Exception | str, said: str
    ) -> None:
        """They stood in English within French sentences; what a mail server said is quoted."""
        assert quote_error(str(error), "fr").replace("\u00a0", " ") == said
        assert quote_error(str(error), "en") == str(error)

    def test_names_the_setting_that_helps(self) -> None:
        """As the English does, for a requester whom no mailbox here belongs to."""
        note = tell_unmade(answer(404, "ErrorInvalidUser"), None)

        shown = explain(note.code, note.facts, "fr")

        assert shown.startswith(
            "Outlook a refusé la modification : cette boîte aux lettres n’existe pas ; un utilisateur par défaut"
        )


def test_english_is_as_it_was_said() -> None:
    error = answer(403, "ErrorAccessDenied")
    assert explain("write_refused", {"error": str(error)}) == f"Outlook refused the change: {error}."


def test_a_sentence_that_goes_on_after_what_is_quoted_has_one_full_stop_between() -> None:
    facts = {"channel": "webhook", "receiver": "3", "error": "the receiver is gone."}
    assert "were given up: the receiver is gone. Send them" in explain("message_parked", facts)
