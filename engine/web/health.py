"""For those who watch the process: is it alive, is it ready, how is it doing?"""

from __future__ import annotations

import logging

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from engine.errors import EngineError
from engine.web.access import Credentials, Refusal, identify
from engine.web.locality import is_local
from engine.web.metrics import CONTENT_TYPE
from engine.web.parts import Check, Parts

log = logging.getLogger(__name__)

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def show_alive() -> dict[str, str]:
    """Answer as long as the process answers at all. Needs no token."""
    return {"status": "alive"}


@router.get("/readyz", responses={503: {"description": "Not ready; the checks say why."}})
def show_ready(request: Request, parts: Parts, credentials: Credentials) -> JSONResponse:
    """
    Tell whether database, queue, subscriptions and first reading are in order.

    Needs no token; but the details, which name rooms and hosts, are for whoever has one, or asks from this machine. A
    token that nobody has tells nothing about the process: whoever sends it is answered like those without one.
    """
    is_detailed = is_local(request) or _is_known(request, parts, credentials)
    try:
        checks = list(parts.read_checks())
    except Exception:
        log.exception("readiness could not be asked")
        checks = [Check("engine", ok=False, detail="could not be asked; the log tells why")]
    ready = all(check.ok for check in checks)
    content = {
        "status": "ready" if ready else "not ready",
        "checks": {
            check.name: {"ok": check.ok, "detail": check.detail} if is_detailed else {"ok": check.ok}
            for check in checks
        },
    }
    return JSONResponse(content, 200 if ready else 503)


def _is_known(request: Request, parts: Parts, credentials: Credentials) -> bool:
    if credentials is None:
        return False
    try:
        identify(request, parts, credentials)
    except Refusal:
        return False
    except EngineError as error:
        log.warning("who asks for readiness could not be told: %s", error)
        return False
    return True


@router.get(
    "/metrics", response_class=Response, responses={401: {"description": "Asked from elsewhere, without a token."}}
)
def show_metrics(request: Request, parts: Parts, credentials: Credentials) -> Response:
    """Return the metrics in Prometheus' text format. Needs a token unless asked from this very machine."""
    if not is_local(request):
        identify(request, parts, credentials)
    return Response(parts.metrics.render(), media_type=CONTENT_TYPE)
