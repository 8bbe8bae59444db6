"""`connect`: what a tenant must permit, how to limit it, and whether it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.doors import Doors
from engine.cli.failures import Exit
from engine.cli.output import Format, Lang, Language, Output, note, show_json, show_lines, show_table

if TYPE_CHECKING:
    from engine.rooms.connection import Connection, Expiry
    from engine.settings import Settings
    from engine.web.pages.parts.trials import Trial
    from engine.web.translations import Say


def register(app: typer.Typer) -> None:
    """Add the command to *app*."""
    app.command()(connect)


def connect(
    ctx: typer.Context,
    tries: Annotated[
        bool, typer.Option("--try", help="Try each permission; ends with 1 when one does not hold.")
    ] = False,
    closed: Annotated[
        str, typer.Option(help="A mailbox that must not be readable; else graph.closed_mailbox.", metavar="ADDRESS")
    ] = "",
    lang: Lang = Language.EN,
    output: Output = Format.TABLE,
) -> None:
    """Show what the tenant must permit: permissions, the address of consent, commands that limit it.

    With --try each is tried by one harmless call, and one mailbox that must not be readable. Nothing is left behind.
    """
    import asyncio

    doors: Doors = ctx.obj
    settings = _with_closed(doors.settings, closed)
    say = _speak(lang)
    if tries:
        _show_trials(asyncio.run(doors.engine().try_permissions(settings)), say, output)
    else:
        _show_connection(doors.engine().describe_connection(settings), _redirect(settings), say, output)


def _with_closed(settings: Settings, closed: str) -> Settings:
    if not closed:
        return settings
    from engine.settings import parse_value

    try:
        address = parse_value("graph", "closed_mailbox", closed)
    except ValueError as error:
        raise typer.BadParameter(f"--closed {error}") from error
    return settings.model_copy(update={"graph": settings.graph.model_copy(update={"closed_mailbox": address})})


def _speak(language: Language) -> Say:
    from engine.web.translations import speak

    return speak(language.value)


def _redirect(settings: Settings) -> str:
    from engine.web.pages.administration.welcome import CONSENTED_PATH

    return settings.web.public_url_for(settings.web.port) + CONSENTED_PATH


def _show_connection(connection: Connection, redirect: str, say: Say, output: Format) -> None:
    from datetime import UTC

    from engine.clock import utc_now
    from engine.rooms.connection import expiry_of
    from engine.web.pages.parts.trials import PROOFS, PURPOSES

    expiry = expiry_of(connection, utc_now().astimezone(UTC).date())
    consent = connection.consent_address(redirect)
    if output is Format.JSON:
        show_json(
            {
                "tenant": connection.tenant,
                "client": connection.client,
                "credential": connection.credential,
                "expires_on": expiry.on.isoformat() if expiry else None,
                "days_left": expiry.days if expiry else None,
                "permissions": [
                    {"name": each.name, "id": each.id, "grant_in": each.where.value} for each in connection.permissions
                ],
                "redirect_address": redirect,
                "consent_address": consent,
                "scoping_commands": list(connection.scoping_commands()),
                "closed_mailbox": connection.closed_mailbox,
            }
        )
        return
    rows = [
        (say("directory"), connection.tenant or say("not known yet: graph.tenant_id")),
        (say("application"), connection.client or say("not known yet: graph.client_id")),
        (say("proof"), say(PROOFS[connection.credential])),
    ]
    if connection.credential in ("secret", "certificate"):
        ends = say("not known; set graph.credential_expires")
        if expiry is not None:
            ends = say("%(day)s; days left: %(days)s", day=expiry.on, days=expiry.days)
        rows.append((say("ends on"), ends))
    show_table((say("what"), say("value")), rows)
    typer.echo("\n" + say("Application permissions of Microsoft Graph, and no others:"))
    show_table(
        (say("permission"), say("grant it in"), say("what for")),
        [(each.name, each.where.value, say(PURPOSES[each.name])) for each in connection.permissions],
    )
    address = say(
        "Consent, by an administrator, with %(address)s among the redirect addresses (platform Web):", address=redirect
    )
    typer.echo("\n" + address)
    typer.echo(consent or "  " + say("an address stands here once graph.tenant_id and graph.client_id are set"))
    typer.echo("\n" + say("In Exchange Online PowerShell, so that no other mailbox is open to it:"))
    for line in connection.scoping_commands():
        typer.echo(f"  {line}")
    if expiry is not None and expiry.step is not None:
        note(_ending(expiry, say))
    note(say("connect --try tries each of them"))


def _ending(expiry: Expiry, say: Say) -> str:
    if expiry.days < 0:
        return say("the secret or certificate ended on %(day)s: make a new one", day=expiry.on)
    when = {"day": expiry.on, "days": expiry.days}
    return say("the secret or certificate ends on %(day)s, days left: %(days)s; make a new one", **when)


def _show_trials(trials: Sequence[Trial], say: Say, output: Format) -> None:
    from engine.web.pages.parts.trials import OUTCOMES, WANTED, WHY_NOT_TRIED, Needed, Outcome

    if output is Format.JSON:
        show_json([{"needed": t.needed.value, "outcome": t.outcome.value, "detail": t.detail} for t in trials])
    else:
        signs = {Outcome.OK: "+", Outcome.FAILED: "-", Outcome.NOT_TRIED: "~"}
        advice: Mapping[Outcome, Mapping[Needed, str]] = {
            Outcome.OK: {},
            Outcome.FAILED: {needed: wanted[1] for needed, wanted in WANTED.items()},
            Outcome.NOT_TRIED: WHY_NOT_TRIED,
        }
        rows = []
        for trial in trials:
            more = None if trial.is_moot else advice[trial.outcome].get(trial.needed)
            told = "; ".join(part for part in (trial.detail, say(more) if more else "") if part)
            rows.append(
                (signs[trial.outcome], f"{say(WANTED[trial.needed][0])} · {say(OUTCOMES[trial.outcome])}", told)
            )
        show_lines(rows, output, nothing=say("nothing to try"))
    if any(trial.outcome is Outcome.FAILED for trial in trials):
        raise typer.Exit(Exit.REFUSED)
