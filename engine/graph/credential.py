"""
Who we are to Graph: credentials, and the header that proves it.

Tokens go to the host of the base URL and to no other: with no hosts named, kiota's provider would hand the token to
whatever https host a link points at. Scopes are named too; otherwise they are derived from the host.
"""

from __future__ import annotations

import binascii
import logging
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError, ServiceRequestError, ServiceResponseError
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider

from engine.errors import BadSettings, CredentialsRevoked, DirectorySilent

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
"""The only hosts to which kiota's provider gives a token over plain http."""

REUSE = timedelta(seconds=30)
"""How long a token is reused before the credential is asked again. azure-identity renews five minutes before the end,
so this never outlives a token; asking it for every request costs more than building the request."""

CONNECT_RETRIES = 0
"""How often azure-identity goes back by itself to a directory that cannot be connected to. Whoever asks for the token
tries again, by one policy for all calls (`gateway.py`); both together make three tries of six seconds each."""

_CLAIMS = re.compile(r'claims="([^"]+)"')


class TokenCredential(Protocol):
    """What azure-identity's credentials (aio) offer, as far as we use it."""

    async def get_token(self, *scopes: str, claims: str | None = None, **options: Any) -> AccessToken: ...

    async def close(self) -> None: ...


class StaticTokenCredential:
    """A fixed bearer token: for the simulated tenant and for tests."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def get_token(self, *scopes: str, claims: str | None = None, **options: Any) -> AccessToken:
        return AccessToken(self._token, 253402300799)  # the last second of 9999: it is never renewed

    async def close(self) -> None:
        """Nothing is open."""


def build_credential(
    kind: str,
    *,
    token: str | None = None,
    tenant_id: str | None = None,
    client_id: str | None = None,
    client_secret: str | None = None,
    certificate_path: str | None = None,
    certificate_password: str | None = None,
    authority: str | None = None,
) -> TokenCredential:
    """
    Return the credential of *kind*: `secret`, `certificate`, `managed_identity`, `static_token` or `simulated`.

    Raises BadSettings, one message per missing value. Nothing is opened or asked yet, but the certificate file is read.
    """
    given = {
        "token": token,
        "tenant_id": tenant_id,
        "client_id": client_id,
        "client_secret": client_secret,
        "certificate_path": certificate_path,
    }
    if kind not in _NEEDS:
        raise BadSettings((f"graph.credential is {kind!r}; allowed are {', '.join(sorted(_NEEDS))}",))
    missing = tuple(
        f"graph.{name} is missing; credential {kind!r} needs it" for name in _NEEDS[kind] if not given[name]
    )
    if missing:
        raise BadSettings(missing)
    if kind in ("static_token", "simulated"):
        return StaticTokenCredential(str(token))
    from azure.identity.aio import CertificateCredential, ClientSecretCredential, ManagedIdentityCredential  # 0.2 s

    logging.getLogger("azure.identity").setLevel(logging.ERROR)  # what it warns of is raised, too, and told by us
    extra: dict[str, Any] = {"retry_connect": CONNECT_RETRIES}
    if authority:
        extra["authority"] = authority
    try:
        match kind:
            case "secret":
                return ClientSecretCredential(str(tenant_id), str(client_id), str(client_secret), **extra)
            case "certificate":
                if certificate_password:
                    extra["password"] = certificate_password
                return CertificateCredential(str(tenant_id), str(client_id), str(certificate_path), **extra)
            case _:
                return ManagedIdentityCredential(client_id=client_id) if client_id else ManagedIdentityCredential()
    except (ValueError, OSError) as error:
        raise BadSettings((f"graph.credential {kind!r} cannot be used: {error}",)) from error


_NEEDS: Mapping[str, tuple[str, ...]] = {
    "secret": ("tenant_id", "client_id", "client_secret"),
    "certificate": ("tenant_id", "client_id", "certificate_path"),
    "managed_identity": (),
    "static_token": ("token",),
    "simulated": ("token",),
}


class Authorizer:
    """Gives the `Authorization` header for requests to one host."""

    def __init__(self, credential: TokenCredential, *, base_url: str, now: Callable[[], datetime]) -> None:
        self._credential = credential
        self._now = now
        self._base_url = base_url
        host = check_base_url(base_url)
        self._provider = AzureIdentityAuthenticationProvider(
            cast(AsyncTokenCredential, credential), scopes=[_scope(base_url)], allowed_hosts=[host]
        ).access_token_provider
        self._header = ""
        self._asked_at = datetime.min.replace(tzinfo=UTC)

    async def header(self) -> str:
        """Return the header's value; raises CredentialsRevoked when refused, DirectorySilent when nobody answers."""
        now = self._now()
        if not self._header or not timedelta(0) <= now - self._asked_at < REUSE:
            self._header = await self._ask({})
            self._asked_at = now
        return self._header

    async def answer_challenge(self, challenge: str) -> str | None:
        """
        Return a header that answers the claims *challenge* of a 401; None when it carries none.

        Source: Entra docs, continuous access evaluation: the claims of `WWW-Authenticate` go into a new token request.
        """
        found = _CLAIMS.search(challenge)
        if found is None or not challenge.lower().startswith("bearer"):
            return None
        self._header = await self._ask({"claims": found.group(1)})
        self._asked_at = self._now()
        return self._header

    async def aclose(self) -> None:
        await self._credential.close()

    async def _ask(self, context: dict[str, Any]) -> str:
        try:
            token = await self._provider.get_authorization_token(self._base_url, context)
        except ClientAuthenticationError as error:
            if _is_unavailable(error):
                raise DirectorySilent(f"ask for a token: no credential is available: {_brief(error)}") from error
            raise CredentialsRevoked(
                f"ask for a token: the directory refused: {_brief(error)} (check the secret or certificate)"
            ) from error
        except (ServiceRequestError, ServiceResponseError) as error:
            raise DirectorySilent(f"ask for a token: the directory did not answer: {_brief(error)}") from error
        except AzureError as error:
            raise DirectorySilent(f"ask for a token: {_brief(error)}") from error
        except (ValueError, binascii.Error) as error:
            raise CredentialsRevoked(f"ask for a token: the claims challenge cannot be read: {error}") from error
        if not token:
            raise CredentialsRevoked("ask for a token: the credential gave none")
        return f"Bearer {token}"


def _is_unavailable(error: ClientAuthenticationError) -> bool:
    """Tell whether there was nothing to be refused: the machine has no identity now (azure-identity docs)."""
    from azure.identity import CredentialUnavailableError  # loaded by now if it was raised

    return isinstance(error, CredentialUnavailableError)


def check_base_url(base_url: str) -> str:
    """Return the host of *base_url*; raises BadSettings unless it is https, or http on loopback."""
    parts = urlsplit(base_url)
    if not parts.hostname or parts.username or parts.scheme not in ("https", "http"):
        raise BadSettings((f"graph.base_url is {base_url!r}; an absolute https address is needed",))
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise BadSettings((f"graph.base_url is {base_url!r}; plain http is for loopback addresses only",))
    return parts.hostname


def _scope(base_url: str) -> str:
    """Return the scope of the cloud: the host's own for a sovereign cloud, the public one for a simulator."""
    host = urlsplit(base_url).hostname or ""
    return f"https://{host}/.default" if "graph." in host or host.startswith("microsoftgraph") else PUBLIC_SCOPE


PUBLIC_SCOPE = "https://graph.microsoft.com/.default"


def _brief(error: Exception) -> str:
    """Return the first line: azure's messages run to a page, with trace ids but without secrets."""
    return str(error).strip().partition("\n")[0][:300]
