"""`connect`: what it shows, and how a trial ends."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from engine.app import describe_connection
from engine.cli.doors import Doors
from engine.cli.main import make_app
from engine.settings import Settings, load_settings
from engine.web.pages.parts.trials import Needed, Outcome, Trial

ENVIRON = {
    "ENGINE_GRAPH__CREDENTIAL": "secret",
    "ENGINE_GRAPH__TENANT_ID": "contoso.example",
    "ENGINE_GRAPH__CLIENT_ID": "0e4b-6a4c",
    "ENGINE_GRAPH__CLIENT_SECRET": "hunter2",
    "ENGINE_WEB__PUBLIC_URL": "https://accord.example.org",
}


def connect(
    *words: str,
    trials: Sequence[Trial] = (),
    seen: list[Settings] | None = None,
    more: Mapping[str, str] | None = None,
) -> Result:
    async def try_permissions(settings: Settings) -> Sequence[Trial]:
        (seen if seen is not None else []).append(settings)
        return trials

    engine: Any = SimpleNamespace(describe_connection=describe_connection, try_permissions=try_permissions)
    doors = Doors(engine=lambda: engine, read=lambda _path: load_settings(None, {**ENVIRON, **(more or {})}))
    return CliRunner().invoke(make_app(), ["connect", *words], obj=doors)


def test_shows_permissions_consent_and_commands_without_the_secret() -> None:
    done = connect()

    assert done.exit_code == 0
    assert "Calendars.ReadWrite" in done.stdout
    assert "https://login.microsoftonline.com/contoso.example/adminconsent?client_id=0e4b-6a4c&" in done.stdout
    assert "New-ManagementRoleAssignment -App 0e4b-6a4c" in done.stdout
    assert "hunter2" not in done.stdout


def test_speaks_french_throughout() -> None:
    """All but names of settings, permissions and commands."""
    done = connect("--lang", "fr")

    heads = [line for line in done.stdout.splitlines() if not line.startswith(("  ", "https:"))]
    assert "Autorisations d’application de Microsoft Graph, et aucune autre" in done.stdout
    assert "un secret client" in done.stdout
    assert "connect --try les essaie une à une" in done.stderr
    english = re.compile(r"\b(the|of|and|what|not|value|permission|proof|directory|consent)\b")
    assert [line for line in heads if english.search(line)] == []


def test_says_the_same_to_scripts() -> None:
    found = json.loads(connect("-o", "json", "--closed", "boss@example.org").stdout)

    assert [each["name"] for each in found["permissions"]] == ["Place.Read.All", "Calendars.ReadWrite"]
    assert found["redirect_address"] == "https://accord.example.org/welcome/consented"
    assert found["closed_mailbox"] == "boss@example.org"
    assert found["days_left"] is None


@pytest.mark.parametrize(("outcome", "code"), [(Outcome.OK, 0), (Outcome.NOT_TRIED, 0), (Outcome.FAILED, 1)])
def test_a_trial_ends_with_1_when_anything_does_not_hold(outcome: Outcome, code: int) -> None:
    trials = [Trial(Needed.IDENTITY, Outcome.OK), Trial(Needed.PLACES, outcome, "403: no")]

    assert connect("--try", trials=trials).exit_code == code


def test_a_trial_says_what_to_do_in_both_languages() -> None:
    trials = [Trial(Needed.PLACES, Outcome.FAILED, "403: no"), Trial(Needed.CLOSED, Outcome.NOT_TRIED)]

    english, french = connect("--try", trials=trials), connect("--try", "--lang", "fr", trials=trials)

    assert "- It may read the list of rooms · does not work   403: no; Application permission Place" in english.stdout
    assert "graph.closed_mailbox" in english.stdout
    assert "Autorisation d’application Place.Read.All" in french.stdout


def test_what_an_earlier_trial_kept_from_being_made_is_not_said_to_lack_anything() -> None:
    """It told to name a mailbox, though one was named."""
    trials = [Trial(Needed.IDENTITY, Outcome.FAILED), Trial(Needed.CLOSED, Outcome.NOT_TRIED, is_moot=True)]

    assert "graph.closed_mailbox" not in connect("--try", trials=trials).stdout


def test_a_trial_that_nobody_answered_says_only_that() -> None:
    """It told to grant a permission, after the true cause."""
    trials = [Trial(Needed.IDENTITY, Outcome.OK), Trial(Needed.PLACES, Outcome.FAILED, "no connection", is_moot=True)]

    assert connect("--try", trials=trials).stdout.rstrip().endswith("no connection")


@pytest.mark.parametrize(("days", "said"), [(30, "ends on {day}, days left: 30;"), (-2, "ended on {day}:")])
def test_says_when_the_secret_ends(days: int, said: str) -> None:
    day = datetime.now(UTC).date() + timedelta(days=days)

    done = connect(more={"ENGINE_GRAPH__CREDENTIAL_EXPIRES": day.isoformat()})

    assert f"the secret or certificate {said.format(day=day)} make a new one" in done.stderr


def test_the_mailbox_that_must_stay_closed_may_be_named_here() -> None:
    seen: list[Settings] = []

    connect("--try", "--closed", "boss@example.org", seen=seen)

    assert seen[0].graph.closed_mailbox == "boss@example.org"
    assert connect("--try", "--closed", "boss").exit_code == 2
    assert connect("--lang", "de").exit_code == 2
