"""What others said went wrong: French readers get it in French, with what was said."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.graph.errors import Target, translate
from engine.reconcile.told import tell_unmade
from engine.reconcile.words.quoting import quote_error
from engine.reconcile.words.reasons import explain

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def answer(status: int, code: str = "", target: Target = Target.MAILBOX) -> Exception:
    """The engine's error for an answer of Graph's."""
    body = f'{{"error": {{"code": "{code}", "message": "Access is denied. Check credentials."}}}}' if code else "<html>"
    what = "create event in anna@example.org"
    return translate(status, {}, body.encode(), what=what, target=target, is_write=True, now=NOW)


class TestFrench:
    @pytest.mark.parametrize(
        ("error", "said"),
        [
            (answer(403, "ErrorAccessDenied"), "l'application n'a pas accès à cette boîte aux lettres ("),
            (answer(404, "ErrorInvalidUser"), "cette boîte aux lettres n'existe pas ("),
            (answer(404, "ErrorItemNotFound", Target.ITEM), "l'événement n'existe pas, ou plus ("),
            (answer(429, "ApplicationThrottled"), "le service demande d'attendre ("),
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
            ("ask for a token: the directory did not answer: x", "l'annuaire ne nous donne pas de jeton ("),
            ("the organizer's calendar cannot be reached", "l'agenda de l'organisateur est hors d'atteinte"),
            ("room-403@example.org is strange", "room-403@example.org is strange"),
            ("550 no such mailbox", "550 no such mailbox"),
            ("anna@example.org: 550 no such mailbox", "anna@example.org: 550 no such mailbox"),
        ],
    )
    def test_says_our_own_words_too(self, text: str, said: str) -> None:
        """What nothing is known of stays as it is; a number in a name is no status."""
        assert quote_error(text, "fr").startswith(said)

    def test_names_the_setting_that_helps(self) -> None:
        """As the English does, for a requester whom no mailbox here belongs to."""
        note = tell_unmade(answer(404, "ErrorInvalidUser"), None)

        shown = explain(note.code, note.facts, "fr")

        assert shown.startswith(
            "Outlook a refusé la modification : cette boîte aux lettres n'existe pas ; un utilisateur par défaut"
        )


def test_english_is_as_it_was_said() -> None:
    error = answer(403, "ErrorAccessDenied")
    assert explain("write_refused", {"error": str(error)}) == f"Outlook refused the change: {error}."


def test_a_sentence_that_goes_on_after_what_is_quoted_has_one_full_stop_between() -> None:
    facts = {"channel": "webhook", "receiver": "3", "error": "the receiver is gone."}
    assert "were given up: the receiver is gone. Send them" in explain("message_parked", facts)
