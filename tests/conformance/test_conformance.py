"""The checks of a tenant: all of them hold in the simulated one, a difference is told, and nothing is left behind."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from typer.testing import CliRunner

from engine.cli.doors import Doors
from engine.cli.main import make_app
from engine.conformance.check import Check, load_checks
from engine.conformance.client import Client, Differs
from engine.conformance.run import Result, Verdict, run
from engine.conformance.simulated import PERSON, ROOMS, open_simulated
from engine.conformance.stage import Stage
from engine.conformance.tenant import Target, open_tenant
from engine.settings import Settings
from engine.simulator import DEMO_TOKEN, TenantOptions
from engine.simulator.people import Person
from engine.simulator.server import SimulatorServer

ROOT = Path(__file__).parents[2]
CHECKS = {check.name: check for check in load_checks()}
SECONDS = 240


def test_the_table_is_long_and_says_what_each_check_rests_on() -> None:
    """Each has a name of its own, a sentence, a source, and a row of docs/simulator.md if it names one."""
    rows = set(re.findall(r"^\| (B\d+) \|", (ROOT / "docs/simulator.md").read_text(encoding="utf-8"), re.MULTILINE))

    assert len(CHECKS) == len(load_checks()) >= 60
    assert all(check.asks.endswith(".") and check.source for check in CHECKS.values())
    assert {check.row for check in CHECKS.values() if check.row} <= rows


def test_the_simulated_tenant_passes_every_check() -> None:
    """Over real HTTP, in this process; and not one event or subscription is left."""
    results, left = asyncio.run(asyncio.wait_for(_check_everything(), SECONDS))

    assert [f"{each.check.name}: {each.why}" for each in results if each.verdict is not Verdict.PASS] == []
    assert len(results) == len(CHECKS)
    assert left == []


async def _check_everything() -> tuple[list[Result], list[Any]]:
    async with open_simulated() as stage:
        results = [each async for each in run(stage, CHECKS.values(), is_other=False)]
        left = []
        for mailbox in (PERSON, *ROOMS):
            left += (await stage.ask("GET", stage.path(mailbox, tail="/events"))).value
        return results, left + (await stage.ask("GET", "/subscriptions")).value


@asynccontextmanager
async def another_tenant(*, rooms: int = 2, **options: Any) -> AsyncIterator[tuple[SimulatorServer, Stage]]:
    """Yield a tenant that behaves otherwise, and a stage in it as `--base-url` would make one."""
    quick = {"attendant_delay": (0.0, 0.01), "notification_delay": (0.0, 0.01), **options}
    server = SimulatorServer(TenantOptions(**quick))
    await server.start()
    try:
        for address in ROOMS:
            server.tenant.office.add_room(address, address.partition("@")[0])
        server.tenant.office.add_person(PERSON, "Alex Doe")
        target = Target(
            server.base_url, PERSON, ROOMS[:rooms], Settings(), DEMO_TOKEN, "127.0.0.1", 0, "", is_real=False
        )  # fmt: skip
        async with open_tenant(target) as stage:
            stage.quiet = 0.1
            yield server, stage
    finally:
        await server.stop()


def ask(check: Check, **options: Any) -> Result:
    """Return what one check says of a tenant with these options."""

    async def one() -> Result:
        async with another_tenant(**options) as (_, stage):
            (found,) = [each async for each in run(stage, [check], is_other=True)]
            return found

    return asyncio.run(asyncio.wait_for(one(), SECONDS))


def test_a_difference_is_told_with_both_answers() -> None:
    """A tenant that takes a second subscription for the same: 201 here, 409 in the simulated one."""
    found = ask(CHECKS["a_second_one_for_the_same_is_refused"], duplicate_subscriptions_allowed=True)

    assert found.verdict is Verdict.DIFFERS
    assert "expected 409" in found.why
    assert "-POST /v1.0/subscriptions -> 409" in found.diff
    assert "+POST /v1.0/subscriptions -> 201" in found.diff


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("every_date_has_a_uid", {"occurrences_share_ical_uid": True}),
        ("a_request_without_a_token_is_refused", {"require_token": False}),
        ("the_end_must_not_be_too_far", {"subscription_minutes_max": 50_000}),
        ("more_than_four_at_once_are_throttled", {"concurrent_max": 1000, "latency": (0.002, 0.004)}),
    ],
)
def test_other_tenants_differ(name: str, options: dict[str, Any]) -> None:
    """Each of these behaves otherwise than Microsoft's pages say, and the check sees it."""
    assert ask(CHECKS[name], **options).verdict is Verdict.DIFFERS


def test_what_cannot_be_asked_is_said() -> None:
    """With one room, and without a secret, some checks are not possible; that is no difference."""
    for name, missing in (("each_room_decides_alone", "a second --room"), ("a_wrong_secret_is_refused", "secret")):
        found = ask(CHECKS[name], rooms=1)
        assert (found.verdict, found.diff) == (Verdict.NOT_POSSIBLE, ())
        assert missing in found.why


def test_only_what_carries_the_mark_is_swept() -> None:
    """An event that a broken-off run left is deleted; the person's own meeting stays."""
    assert asyncio.run(asyncio.wait_for(_sweep(), SECONDS)) == (1, ["Choir"])


async def _sweep() -> tuple[int, list[str]]:
    async with another_tenant() as (server, stage):
        start, end = await stage.slot()
        await Person(server.tenant, PERSON).book(start, end, subject="Choir")
        await stage.make(stage.body(start, end))
        stage._made.clear()  # the run that made it is no more
        swept = await stage.sweep()
        return swept, [event["subject"] for event in await Person(server.tenant, PERSON).events()]


def test_the_token_goes_to_one_host() -> None:
    """A link to another host is a difference, not a request."""

    async def lead_away() -> None:
        async with aiohttp.ClientSession() as session:

            async def header() -> str:
                raise AssertionError("nobody else is told the token")

            client = Client("https://graph.example.org/v1.0", session, header)
            with pytest.raises(Differs, match="another host"):
                await client.ask("GET", "https://elsewhere.example.org/v1.0/users")

    asyncio.run(lead_away())


def command(*arguments: str) -> Any:
    """Run the command line; a secret of the environment is no part of it."""
    doors = Doors(read=lambda _path: Settings())
    return CliRunner().invoke(make_app(), ["conformance", *arguments], obj=doors)


REAL = ("--base-url", "https://graph.microsoft.com/v1.0")
NAMED = ("--person", "trial@example.org", "--room", "trial-room@example.org")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((*REAL, *NAMED), "--yes-write"),
        ((*REAL, "--yes-write"), "--person and"),
        ((*REAL, "--yes-write", "--person", "trial@example.org"), "--person and"),
        ((*REAL, *NAMED, "--yes-write", "--listen", "0.0.0.0:8443"), "go together"),
        (("--person", "trial@example.org"), "--base-url"),
        (("--only", "nothing-of-this-name"), "--list"),
    ],
)
def test_it_refuses_to_write_where_nobody_said_so(arguments: tuple[str, ...], says: str) -> None:
    """Bad usage ends with 2 before anything is asked."""
    found = command(*arguments)

    assert found.exit_code == 2
    assert says in " ".join(found.output.replace("│", " ").split())


def test_the_command_checks_a_simulated_tenant() -> None:
    """Some checks by name: a line each, JSON on request, status 0."""
    found = command("--only", "versions", "-o", "json")

    assert found.exit_code == 0, found.output
    assert '"result": "pass"' in found.stdout
    assert "6/6" in found.output


def test_the_command_ends_with_one_for_a_difference() -> None:
    """`--base-url` of a simulated tenant elsewhere that differs: status 1, and the diff is printed."""

    async def elsewhere() -> Any:
        async with another_tenant(require_token=False) as (server, _):
            where = ("--base-url", server.base_url, "--person", PERSON, "--room", ROOMS[0], "--token", DEMO_TOKEN)
            return await asyncio.to_thread(command, *where, "--only", "a_request_without_a_token_is_refused")

    found = asyncio.run(asyncio.wait_for(elsewhere(), SECONDS))

    assert found.exit_code == 1, found.output
    assert "--- simulated" in found.output


def test_the_list_tells_everything() -> None:
    found = command("--list", "-o", "json")

    assert found.exit_code == 0
    assert all(f'"{name}"' in found.stdout for name in CHECKS)
