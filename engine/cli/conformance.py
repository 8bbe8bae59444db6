"""`conformance`: does a tenant behave as the simulated one is believed to?"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from engine.cli.doors import Doors
from engine.cli.failures import Exit
from engine.cli.output import Format, Output, note, show_json, show_table

if TYPE_CHECKING:
    from engine.conformance.check import Check
    from engine.conformance.run import Result
    from engine.conformance.stage import Stage
    from engine.conformance.tenant import Target

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def register(app: typer.Typer) -> None:
    """Add the command to *app*."""
    app.command()(conformance)


def conformance(
    ctx: typer.Context,
    base_url: Annotated[
        str, typer.Option(help="The Graph to ask, such as https://graph.microsoft.com/v1.0; else a simulated one.")
    ] = "",
    person: Annotated[str, typer.Option(help="A mailbox that is there to be tried on.", metavar="ADDRESS")] = "",
    room: Annotated[
        list[str] | None, typer.Option(help="A room that is there to be tried on; two are better.", metavar="ADDRESS")
    ] = None,
    yes_write: Annotated[
        bool, typer.Option("--yes-write", help="Yes, make and delete events in these mailboxes of a real tenant.")
    ] = False,
    token: Annotated[
        str,
        typer.Option(envvar="ACCORD_CONFORMANCE_TOKEN", help="A bearer token; else the credential in the settings."),
    ] = "",
    listen: Annotated[str, typer.Option(help="HOST:PORT where notifications arrive.")] = "",
    public_url: Annotated[str, typer.Option(help="The https address under which Graph reaches that port.")] = "",
    only: Annotated[list[str] | None, typer.Option(help="Groups, or checks with this in their name.")] = None,
    lists: Annotated[bool, typer.Option("--list", help="Only tell the checks.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Make every check of a tenant, and clean up after each (docs/conformance.md).

    Without --base-url a simulated tenant is started and checked. A check makes events in the two kinds of mailboxes
    that are named and touches nothing else. Ends with 1 when anything differs.
    """
    checks = _selected(only or [])
    if lists:
        _show_checks(checks, output)
        return
    target = _target(ctx.obj, base_url, person, room or [], token, listen, public_url, yes_write=yes_write)
    results = asyncio.run(_make(checks, target))
    _show(results, output)
    if any(result.is_different for result in results):
        raise typer.Exit(Exit.REFUSED)


def _selected(only: list[str]) -> list[Check]:
    from engine.conformance.check import load_checks

    found = [
        each for each in load_checks() if not only or any(part == each.group or part in each.name for part in only)
    ]
    if not found:
        raise typer.BadParameter(f"no check is named {' or '.join(only)}; --list tells all")
    return found


def _target(
    doors: Doors,
    base_url: str,
    person: str,
    rooms: list[str],
    token: str,
    listen: str,
    public_url: str,
    *,
    yes_write: bool,
) -> Target | None:
    """Return the tenant to ask; None for a simulated one. Refuses what may write where nobody said so."""
    if not base_url:
        if person or rooms or yes_write:
            raise typer.BadParameter("--person, --room and --yes-write are of a tenant: name it with --base-url")
        return None
    if not person or not rooms:
        raise typer.BadParameter("name mailboxes that are there to be tried on, with --person and --room")
    is_real = urlsplit(base_url).hostname not in LOOPBACK
    if is_real and not yes_write:
        raise typer.BadParameter(
            f"{base_url} is a real tenant: checks make, move and delete meetings of {person} with {', '.join(rooms)}, "
            "and their mails are sent. Say --yes-write if that is wanted"
        )
    if is_real and bool(listen) != bool(public_url):
        raise typer.BadParameter("--listen and --public-url go together")
    from engine.conformance.tenant import Target

    host, _, port = (listen or ("" if is_real else "127.0.0.1:0")).rpartition(":")
    if port and not port.isdigit():
        raise typer.BadParameter(f"--listen is HOST:PORT, not {listen!r}")
    return Target(
        base_url.rstrip("/"), person, tuple(rooms), doors.settings, token, host, int(port or 0), public_url,
        is_real=is_real,
    )  # fmt: skip


async def _make(checks: list[Check], target: Target | None) -> list[Result]:
    from engine.conformance.run import run
    from engine.conformance.simulated import open_simulated
    from engine.conformance.tenant import open_tenant

    results = []
    async with AsyncExitStack() as stack:
        stage: Stage = await stack.enter_async_context(open_simulated() if target is None else open_tenant(target))
        left = await stage.sweep()
        if left:
            note(f"{left} events of an earlier run were deleted")
        async for result in run(stage, checks, is_other=target is not None):
            results.append(result)
            note(f"{len(results):3}/{len(checks)} {result.verdict:16} {result.check.group}/{result.check.name}")
    return results


def _show_checks(checks: list[Check], output: Format) -> None:
    rows = [(each.group, each.name, each.row, each.source, each.asks) for each in checks]
    names = ("group", "check", "row", "source", "asks")
    if output is Format.JSON:
        show_json([dict(zip(names, row, strict=True)) for row in rows])
    else:
        show_table(names, rows)


def _show(results: list[Result], output: Format) -> None:
    if output is Format.JSON:
        show_json([result.as_mapping() for result in results])
        return
    show_table(
        ("group", "check", "row", "result", "why"),
        [(each.check.group, each.check.name, each.check.row, each.verdict, each.why) for each in results],
    )
    for result in results:
        if result.diff:
            typer.echo(f"\n{result.check.name}: {result.check.asks}")
            typer.echo("\n".join(result.diff))
    counted = {verdict: sum(each.verdict is verdict for each in results) for verdict in {r.verdict for r in results}}
    typer.echo(
        f"\n{len(results)} checks: " + ", ".join(f"{count} {verdict}" for verdict, count in sorted(counted.items()))
    )
