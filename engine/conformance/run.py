"""One run over the table, and what a difference looks like."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from enum import StrEnum
from typing import Any
from urllib.parse import quote, urlsplit

from engine.conformance.check import Check
from engine.conformance.client import Answer, Differs
from engine.conformance.simulated import open_simulated
from engine.conformance.stage import NotPossible, Stage

_FLEETING = frozenset({
    "id", "iCalUId", "changeKey", "@odata.etag", "webLink", "seriesMasterId", "transactionId", "dateTime", "time",
    "createdDateTime", "lastModifiedDateTime", "date", "request-id", "client-request-id", "requestId",
    "clientRequestId", "clientId", "access_token", "expirationDateTime", "applicationId", "creatorId",
    "originalStart", "placeId", "startDate", "endDate", "timestamp", "trace_id", "correlation_id",
    "@odata.nextLink", "@odata.deltaLink", "@odata.context", "notificationUrl", "lifecycleNotificationUrl",
    "resource",
})  # fmt: skip
"""Values that differ from one run to the next and say nothing."""
_LONG = re.compile(r"[A-Za-z0-9_=+%-]{40,}|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|\d{4}-\d\d-\d\dT[\d:.%A-Z]+")


class Verdict(StrEnum):
    """What came of a check."""

    PASS = "pass"
    DIFFERS = "differs"
    NOT_POSSIBLE = "not possible here"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one check; *why* is empty when it passed."""

    check: Check
    verdict: Verdict
    why: str = ""
    diff: tuple[str, ...] = ()
    """What the simulated tenant says (-) and what this one says (+), line by line."""

    @property
    def is_different(self) -> bool:
        return self.verdict is Verdict.DIFFERS

    def as_mapping(self) -> dict[str, Any]:
        """Return everything, for scripts."""
        check = self.check
        told = {"group": check.group, "check": check.name, "asks": check.asks, "source": check.source, "row": check.row}
        return {**told, "result": self.verdict, "why": self.why, "diff": list(self.diff)}


async def run(stage: Stage, checks: Iterable[Check], *, is_other: bool) -> AsyncIterator[Result]:
    """Make each check and clean up behind it; of a tenant that *is_other* say how the simulated one differs."""
    for check in checks:
        verdict, why, said = await _make(stage, check)
        diff: tuple[str, ...] = ()
        if verdict is Verdict.DIFFERS and is_other:
            async with open_simulated() as simulated:
                _, _, believed = await _make(simulated, check)
                diff = compare(transcript(simulated, believed), transcript(stage, said))
        yield Result(check, verdict, why, diff)


async def _make(stage: Stage, check: Check) -> tuple[Verdict, str, Sequence[Answer]]:
    stage.client.said.clear()
    try:
        await check.act(stage)
    except NotPossible as error:
        return Verdict.NOT_POSSIBLE, str(error), ()
    except Differs as error:
        return Verdict.DIFFERS, str(error), tuple(stage.client.said)
    except (LookupError, TypeError, ValueError) as error:
        return Verdict.DIFFERS, f"an answer has another shape: {error!r}", tuple(stage.client.said)
    else:
        return Verdict.PASS, "", tuple(stage.client.said)
    finally:
        await stage.clean()


def transcript(stage: Stage, said: Iterable[Answer]) -> list[str]:
    """Return what was said, without what differs from run to run."""
    names = {stage.person: "<person>", **{room: f"<room {number}>" for number, room in enumerate(stage.rooms, 1)}}
    lines: list[str] = []
    for answer in said:
        head = f"{answer.method} {_plain(urlsplit(answer.url)._replace(scheme='', netloc='').geturl(), names)}"
        body = json.dumps(_settled(answer.body, names), indent=2, ensure_ascii=False, sort_keys=True)
        lines += [f"{head} -> {answer.status}", *body.splitlines()]
    return lines


def compare(believed: Sequence[str], found: Sequence[str]) -> tuple[str, ...]:
    """Return the differing lines with two of those around them."""
    return tuple(unified_diff(believed, found, "simulated", "this tenant", lineterm="", n=2))


def _settled(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            key: f"<{key}>" if key in _FLEETING and inner is not None else _settled(inner, names)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_settled(item, names) for item in value]
    return _plain(value, names) if isinstance(value, str) else value


def _plain(text: str, names: dict[str, str]) -> str:
    for address, name in names.items():
        text = text.replace(address, name).replace(quote(address, safe="@"), name)
    return _LONG.sub("<...>", text)
