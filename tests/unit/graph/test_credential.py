"""Who we are to Graph, and to whom we say so."""

from __future__ import annotations

import asyncio
import base64
from datetime import timedelta
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

from engine.errors import BadSettings, CredentialsRevoked, DirectorySilent
from engine.graph.credential import Authorizer, StaticTokenCredential, build_credential
from tests.unit.graph.scripted import BASE_URL, ROOM, MakeDesk, answer, event, failure


class Directory:
    """A credential that keeps what it was asked, and fails on demand."""

    def __init__(self, trouble: Exception | None = None, token: str = "t") -> None:
        self.trouble = trouble
        self.token = token
        self.asked: list[tuple[tuple[str, ...], str | None]] = []
        self.is_closed = False

    async def get_token(self, *scopes: str, claims: str | None = None, **options: Any) -> AccessToken:
        self.asked.append((scopes, claims))
        if self.trouble is not None:
            raise self.trouble
        return AccessToken(f"{self.token}{len(self.asked)}" if self.token else "", 2**40)

    async def close(self) -> None:
        self.is_closed = True


def read(desk: Any) -> Any:
    return desk.run(desk.calendar.fetch_event(ROOM, "AAMk1="))


class TestTokens:
    def test_are_asked_for_the_cloud_and_reused_for_a_while(self, make_desk: MakeDesk) -> None:
        """The credential is asked at most twice a minute; it renews long before a token ends."""
        directory = Directory()
        desk = make_desk(credential=directory)
        desk.answers(answer(200, event()))

        read(desk)
        read(desk)
        desk.loop._skip(timedelta(seconds=31).total_seconds())
        read(desk)

        assert directory.asked == [(("https://graph.microsoft.com/.default",), None)] * 2
        assert [request.headers["Authorization"] for request in desk.service.sent] == [
            "Bearer t1",
            "Bearer t1",
            "Bearer t2",
        ]

    def test_a_claims_challenge_reaches_the_directory(self, make_desk: MakeDesk) -> None:
        """The claims go along decoded, and the token that answers them is the one used from then on."""
        directory = Directory()
        desk = make_desk(credential=directory)
        claims = base64.b64encode(b'{"access_token":{}}').decode()
        challenge = f'Bearer error="insufficient_claims", claims="{claims}"'
        desk.answers(failure(401, "InvalidAuthenticationToken", www_authenticate=challenge), answer(200, event()))

        read(desk)
        read(desk)

        assert [asked[1] for asked in directory.asked] == [None, '{"access_token":{}}']
        assert [request.headers["Authorization"] for request in desk.service.sent] == [
            "Bearer t1",
            "Bearer t2",
            "Bearer t2",
        ]

    @pytest.mark.parametrize(
        ("trouble", "meaning"),
        [
            (ClientAuthenticationError("AADSTS7000222: the secret has expired"), CredentialsRevoked),
            (ServiceRequestError("no route"), DirectorySilent),
        ],
    )
    def test_a_directory_that_refuses_is_not_one_that_is_silent(
        self, make_desk: MakeDesk, trouble: Exception, meaning: type[Exception]
    ) -> None:
        """Refused: an admin must act. Silent: it heals by itself."""
        desk = make_desk(credential=Directory(trouble))
        desk.answers(answer(200, event()))

        with pytest.raises(meaning):
            read(desk)

        assert desk.service.sent == []

    def test_no_request_goes_out_without_a_token(self, make_desk: MakeDesk) -> None:
        """A credential that gives nothing is noticed here, not by a 401."""
        desk = make_desk(credential=Directory(token=""))
        desk.answers(answer(200, event()))

        with pytest.raises(CredentialsRevoked):
            read(desk)

    def test_the_credential_is_closed_with_the_calendar(self, make_desk: MakeDesk) -> None:
        directory = Directory()
        desk = make_desk(credential=directory)

        desk.run(desk.calendar.aclose())

        assert directory.is_closed


class TestBaseUrls:
    @pytest.mark.parametrize(
        "base_url", ["http://simulator:8080/v1.0", "ftp://x", "graph.microsoft.com", "", "https://a@b/v1.0"]
    )
    def test_a_token_never_travels_in_the_clear(self, base_url: str) -> None:
        """Plain http is for loopback addresses only."""
        with pytest.raises(BadSettings):
            Authorizer(StaticTokenCredential("t"), base_url=base_url, now=lambda: None)  # type: ignore[arg-type,return-value]

    @pytest.mark.parametrize(
        ("base_url", "scope"),
        [
            (BASE_URL, "https://graph.microsoft.com/.default"),
            ("https://graph.microsoft.us/v1.0", "https://graph.microsoft.us/.default"),
            ("https://microsoftgraph.chinacloudapi.cn/v1.0", "https://microsoftgraph.chinacloudapi.cn/.default"),
            ("http://127.0.0.1:8080/v1.0", "https://graph.microsoft.com/.default"),
        ],
    )
    def test_the_scope_is_the_clouds(self, make_desk: MakeDesk, base_url: str, scope: str) -> None:
        """A sovereign cloud has its own; a simulator is asked as the public one would be."""
        directory = Directory()
        desk = make_desk()

        desk.run(Authorizer(directory, base_url=base_url, now=desk.now).header())

        assert directory.asked[0][0] == (scope,)


class TestBuildingFromSettings:
    def test_every_missing_value_is_named(self) -> None:
        """All faults at once, by their settings' names."""
        with pytest.raises(BadSettings) as caught:
            build_credential("secret", tenant_id="t")

        assert len(caught.value.faults) == 2
        assert "graph.client_id is missing" in str(caught.value)

    def test_an_unknown_kind(self) -> None:
        with pytest.raises(BadSettings, match="allowed are certificate"):
            build_credential("password")

    def test_an_authority_in_the_clear_is_refused(self) -> None:
        """azure-identity wants https, and says so with a ValueError."""
        with pytest.raises(BadSettings):
            build_credential("secret", tenant_id="t", client_id="c", client_secret="s", authority="http://127.0.0.1:1")

    def test_a_directory_that_cannot_be_connected_to_is_asked_once(self) -> None:
        """By the credential: whoever calls Graph tries again, by a policy of its own."""
        calls: list[object] = []

        async def refuse(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            calls.append(writer)
            writer.close()

        async def ask() -> None:
            server = await asyncio.start_server(refuse, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            credential = build_credential(
                "secret", tenant_id="t", client_id="c", client_secret="s", authority=f"https://127.0.0.1:{port}"
            )
            async with server:
                with pytest.raises(ServiceRequestError):
                    await credential.get_token("https://graph.microsoft.com/.default")
                await credential.close()

        asyncio.run(ask())

        assert len(calls) == 1

    def test_a_certificate_that_is_not_there(self) -> None:
        with pytest.raises(BadSettings):
            build_credential("certificate", tenant_id="t", client_id="c", certificate_path="/nowhere.pem")

    @pytest.mark.parametrize("kind", ["secret", "managed_identity", "static_token", "simulated"])
    def test_the_others_are_built_without_asking_anybody(self, make_desk: MakeDesk, kind: str) -> None:
        credential = build_credential(kind, tenant_id="t", client_id="c", client_secret="s", token="x")

        make_desk().run(credential.close())
