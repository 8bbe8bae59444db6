"""Who may ask: tokens, and what happens without one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from engine.conformance.check import check, holds, same
from engine.conformance.client import Answer
from engine.conformance.stage import Stage

GRAPH = "https://graph.microsoft.com/.default"
GRANT = "Entra: v2-oauth2-client-creds-grant-flow"


async def ask_for_token(stage: Stage, **other: str) -> Answer:
    who = stage.identity()
    form = {
        "client_id": who.client_id, "client_secret": who.client_secret, "grant_type": "client_credentials",
        "scope": GRAPH, **other,
    }  # fmt: skip
    session, url = stage.client.session, f"{who.authority}/{who.tenant_id}/oauth2/v2.0/token"
    async with session.post(url, data=urlencode(form), headers=FORM) as answer:
        body: Any = await answer.json(content_type=None)
        return Answer("POST", url, answer.status, answer.headers, body)


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@check("Graph: errors")
async def a_request_without_a_token_is_refused(stage: Stage) -> None:
    """Without `Authorization` the answer is 401 InvalidAuthenticationToken."""
    answer = await stage.ask("GET", stage.path(stage.person), Authorization="")
    answer.refuse(401, "InvalidAuthenticationToken")


@check("Graph: errors")
async def a_token_that_is_none_is_refused(stage: Stage) -> None:
    """A token nobody issued is answered by 401 with a `WWW-Authenticate: Bearer` challenge."""
    answer = await stage.ask("GET", stage.path(stage.person), Authorization="Bearer nonsense")
    answer.refuse(401, "InvalidAuthenticationToken")
    holds("the 401 carries a Bearer challenge", answer.headers.get("WWW-Authenticate", "").startswith("Bearer"))


@check(GRANT)
async def an_application_is_given_a_token(stage: Stage) -> None:
    """Client id and secret are exchanged for a Bearer token with a life in seconds, and no refresh token."""
    body = (await ask_for_token(stage)).expect(200)
    same("token_type", body["token_type"], "Bearer")
    holds("expires_in is a number above 0", isinstance(body["expires_in"], int) and body["expires_in"] > 0)
    holds("there is no refresh token", "refresh_token" not in body)


@check(GRANT)
async def the_token_opens_the_mailbox(stage: Stage) -> None:
    """What the token endpoint gave is accepted by Graph."""
    token = (await ask_for_token(stage)).expect(200)["access_token"]
    (await stage.ask("GET", stage.path(stage.person), Authorization=f"Bearer {token}")).expect(200)


@check(GRANT)
async def a_wrong_secret_is_refused(stage: Stage) -> None:
    """A wrong secret is answered by 401 invalid_client with AADSTS7000215."""
    body = (await ask_for_token(stage, client_secret="wrong")).expect(401)
    same("error", body["error"], "invalid_client")
    same("error_codes", body["error_codes"], [7000215])


@check(GRANT)
async def a_scope_must_end_in_default(stage: Stage) -> None:
    """A single scope is no scope for an application: 400 invalid_scope."""
    body = (await ask_for_token(stage, scope="https://graph.microsoft.com/Calendars.Read")).expect(400)
    same("error", body["error"], "invalid_scope")


@check("Entra: v2-protocols-oidc")
async def the_discovery_document_names_the_endpoints(stage: Stage) -> None:
    """The discovery document names where to authorize, where tokens are and where the keys are."""
    who = stage.identity()
    url = f"{who.authority}/{who.tenant_id}/v2.0/.well-known/openid-configuration"
    async with stage.client.session.get(url) as answer:
        same("status", answer.status, 200)
        body = await answer.json(content_type=None)
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "end_session_endpoint", "issuer"):
        holds(f"{name} is an address", str(body.get(name, "")).startswith("http"))
