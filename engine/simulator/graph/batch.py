"""
$batch: up to twenty requests in one, at most four on the way at once.

Sources: Graph docs, json-batching and throttling-limits. The outer answer is 200 whatever became of the parts.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable
from typing import Any

from engine.simulator.wire import Request, Response, bad_request, encode_json, json_response

PARTS_MAX = 20
FLYING_MAX = 4
Serve = Callable[[Request], Awaitable[Response]]


async def answer_batch(request: Request, serve: Serve) -> Response:
    """Carry out the parts: in order when any depends on another, otherwise four at a time."""
    parts = _read_parts(request)
    answers: dict[str, dict[str, Any]] = {}
    if any(part.get("dependsOn") for part in parts):
        for part in parts:
            answers[str(part["id"])] = await _one(part, request, serve, answers)
    else:
        gate = asyncio.Semaphore(FLYING_MAX)

        async def guarded(part: dict[str, Any]) -> None:
            async with gate:
                answers[str(part["id"])] = await _one(part, request, serve, {})

        await asyncio.gather(*(guarded(part) for part in parts))
    return json_response(200, {"responses": list(answers.values())})


def _read_parts(request: Request) -> list[dict[str, Any]]:
    parts = request.json.get("requests")
    if not isinstance(parts, list) or not 1 <= len(parts) <= PARTS_MAX:
        raise bad_request(f"A batch takes 1 to {PARTS_MAX} requests.", code="BadRequest")
    if not all(isinstance(part, dict) and _is_read(part) for part in parts):
        raise bad_request("A request of the batch could not be read.", code="BadRequest")
    ids = [str(part.get("id", "")).lower() for part in parts]
    if "" in ids or len(set(ids)) < len(ids):
        raise bad_request("Every request needs an id of its own.", code="BadRequest")
    return parts


def _is_read(part: dict[str, Any]) -> bool:
    headers, before = part.get("headers") or {}, part.get("dependsOn") or []
    return isinstance(headers, dict) and all(map(_is_text, headers.values())) and isinstance(before, list)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


async def _one(
    part: dict[str, Any], request: Request, serve: Serve, before: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """Carry out one part; what depends on a failed one is not tried: 424."""
    if any(before.get(str(name), {"status": 424})["status"] >= 400 for name in part.get("dependsOn") or ()):
        error = {"code": "FailedDependency", "message": "A request this one depends on failed."}
        return {"id": part["id"], "status": 424, "headers": {}, "body": {"error": error}}
    headers = {**{"authorization": request.headers.get("authorization", "")}, **(part.get("headers") or {})}
    body = encode_json(part["body"]) if part.get("body") is not None else b""
    url = "/" + str(part.get("url", "")).lstrip("/")
    answer = await serve(Request(str(part.get("method", "GET")), f"{request.base}/v1.0{url}", headers, body))
    shown: dict[str, Any] = {"id": part["id"], "status": answer.status, "headers": answer.headers}
    if answer.body:
        shown["body"] = _shown_body(answer)
    return shown


def _shown_body(answer: Response) -> Any:
    if "json" in answer.headers.get("Content-Type", ""):
        return answer.json()
    return b64encode(answer.body).decode()
