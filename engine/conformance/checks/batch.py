"""$batch, and the limit on requests at once."""

from __future__ import annotations

import asyncio
from typing import Any

from engine.conformance.check import check, holds, same
from engine.conformance.checks.errors import stranger
from engine.conformance.client import Answer
from engine.conformance.stage import Stage

BATCH, LIMITS = "Graph: json-batching", "Graph: throttling-limits"


def part(stage: Stage, number: int, **more: Any) -> dict[str, Any]:
    return {"id": str(number), "method": "GET", "url": f"/users/{stage.room}/calendar", **more}


async def batch(stage: Stage, parts: list[dict[str, Any]]) -> Answer:
    return await stage.ask("POST", "/$batch", {"requests": parts})


def statuses(answer: Answer) -> dict[str, int]:
    return {each["id"]: each["status"] for each in answer.expect(200)["responses"]}


@check(BATCH)
async def parts_are_answered_one_by_one(stage: Stage) -> None:
    """200 outside, whatever became of the parts; each has its own id, status and body."""
    answer = await batch(stage, [part(stage, 1), part(stage, 2, url=f"/users/{stranger(stage)}/calendar")])
    same("statuses", statuses(answer), {"1": 200, "2": 404})
    bodies = {each["id"]: each["body"] for each in answer.body["responses"]}
    same("owner", bodies["1"]["owner"]["address"].lower(), stage.room.lower())
    holds("an error", bodies["2"]["error"]["code"])


@check(BATCH)
async def what_depends_on_a_failure_is_not_tried(stage: Stage) -> None:
    """A part that depends on a failed one: 424."""
    failing = part(stage, 1, url=f"/users/{stranger(stage)}/calendar")
    answer = await batch(stage, [failing, part(stage, 2, dependsOn=["1"])])
    same("statuses", statuses(answer), {"1": 404, "2": 424})


@check(BATCH)
async def a_part_may_write(stage: Stage) -> None:
    """A part with a body creates an event: 201."""
    start, end = await stage.slot()
    headers = {"Content-Type": "application/json"}
    event = await stage.make(stage.body(start, end))
    url = stage.path(stage.person, event["id"])
    body = {"subject": "Changed in a batch"}
    answer = await batch(stage, [part(stage, 1, method="PATCH", url=url, headers=headers, body=body)])
    same("statuses", statuses(answer), {"1": 200})
    same("subject", (await stage.get(stage.person, event["id"]))["subject"], "Changed in a batch")


@check(BATCH)
async def twenty_parts_at_most(stage: Stage) -> None:
    """Twenty-one parts: the whole batch is refused with 400."""
    (await batch(stage, [part(stage, number) for number in range(21)])).expect(400)


@check(BATCH)
async def parts_have_ids_of_their_own(stage: Stage) -> None:
    """Two parts with one id: the whole batch is refused with 400."""
    (await batch(stage, [part(stage, 1), part(stage, 1)])).expect(400)


@check(LIMITS, "B47")
async def one_batch_alone_is_not_throttled(stage: Stage) -> None:
    """Twenty parts on one mailbox: at most four are under way at once, so all are answered."""
    answer = await batch(stage, [part(stage, number) for number in range(20)])
    same("statuses", set(statuses(answer).values()), {200})


@check(LIMITS, "B47")
async def more_than_four_at_once_are_throttled(stage: Stage) -> None:
    """Four batches at once on one mailbox: some parts are 429 with a `Retry-After` of their own, the rest succeed."""
    parts = [part(stage, number) for number in range(20)]
    answers = await asyncio.gather(*(batch(stage, parts) for _ in range(4)))
    every = [each for answer in answers for each in answer.expect(200)["responses"]]
    same("statuses", {each["status"] for each in every}, {200, 429})
    refused = [each for each in every if each["status"] == 429]
    waits = [{name.lower(): text for name, text in each["headers"].items()}.get("retry-after") for each in refused]
    holds("every 429 says when to come back", all(waits))
