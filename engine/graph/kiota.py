"""
The transport that goes through the SDK's own request adapter, on httpx.

It costs more CPU than aiohttp (docs/decisions/0002-http-client.md) and is kept for whoever wants the SDK's own path,
its telemetry hooks for instance. What the adapter does by default and we do not want is left out: HTTP/2 (a graceful
GOAWAY failed requests in flight), the retry handler (it would retry around ours, POST included), model parsing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
from kiota_abstractions.authentication import AnonymousAuthenticationProvider
from kiota_abstractions.method import Method
from kiota_abstractions.native_response_handler import NativeResponseHandler
from kiota_abstractions.request_information import RequestInformation
from kiota_http.middleware import ParametersNameDecodingHandler
from kiota_http.middleware.options import ResponseHandlerOption
from kiota_http.observability_options import ObservabilityOptions
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph_core import GraphClientFactory  # type: ignore[import-untyped]

from engine.errors import Malformed, OutcomeUnknown, Unreachable
from engine.graph.transport import (
    CONNECT_SECONDS,
    CONNECTIONS_MAX,
    KEEP_ALIVE_SECONDS,
    RESPONSE_BYTES_MAX,
    Request,
    Response,
    describe,
)

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL)


class KiotaTransport:
    """The SDK's `GraphRequestAdapter`, asked for the plain answer of every status."""

    def __init__(
        self,
        *,
        timeout_seconds: float = 30.0,
        connections_max: int = CONNECTIONS_MAX,
        response_bytes_max: int = RESPONSE_BYTES_MAX,
        inner: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        limits = httpx.Limits(
            max_connections=connections_max,
            max_keepalive_connections=connections_max,
            keepalive_expiry=KEEP_ALIVE_SECONDS,
        )
        client = httpx.AsyncClient(
            http2=False,
            limits=limits,
            timeout=httpx.Timeout(timeout_seconds, connect=min(CONNECT_SECONDS, timeout_seconds)),
            transport=inner,
            follow_redirects=False,
            event_hooks={"response": [_Bound(response_bytes_max)]},
        )
        # The adapter's wrapper has no aclose of its own, so closing the client would leave the pools open.
        mounted = client._mounts.values()
        self._pools = [client._transport, *(pool for pool in mounted if pool is not None)]
        client = GraphClientFactory.create_with_custom_middleware([ParametersNameDecodingHandler()], client=client)
        self._adapter = _PlainAdapter(AnonymousAuthenticationProvider(), client=client)
        self._adapter.observability_options = ObservabilityOptions(include_euii_attributes=False)
        self._options = [ResponseHandlerOption(NativeResponseHandler())]

    async def send(self, request: Request) -> Response:
        information = RequestInformation()
        information.http_method = Method(request.method)
        information.url = request.url
        for name, value in request.headers.items():
            information.headers.add(name, value)
        information.content = request.body or None
        information.add_request_options(list(self._options))
        try:
            answer = await self._adapter.send_primitive_async(information, "bytes", {})
        except _NEVER_SENT as error:
            raise Unreachable(f"no connection for {request.method}: {describe(error)}") from error
        except (httpx.HTTPError, OSError) as error:
            raise OutcomeUnknown(f"no whole answer to {request.method}: {describe(error)}") from error
        assert isinstance(answer, httpx.Response), "the native response handler hands back the answer itself"
        return Response(
            answer.status_code, {name.lower(): text for name, text in answer.headers.items()}, answer.content
        )

    async def aclose(self) -> None:
        for pool in self._pools:
            await pool.aclose()


class _PlainAdapter(GraphRequestAdapter):  # type: ignore[misc]  # the SDK is not followed by the type checker
    """The adapter less its answer to a claims challenge: the gateway answers that one for every transport alike."""

    def __init__(self, provider: AnonymousAuthenticationProvider, *, client: httpx.AsyncClient) -> None:
        super().__init__(provider, client=client)

    async def retry_cae_response_if_required(
        self, resp: httpx.Response, request_info: RequestInformation, claims: str
    ) -> httpx.Response:
        return resp


class _Bound:
    """Puts a ceiling on every answer, counted as it comes over the wire."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max

    async def __call__(self, response: httpx.Response) -> None:
        stream = response.stream
        assert isinstance(stream, httpx.AsyncByteStream)
        response.stream = _BoundedStream(stream, self._bytes_max)


class _BoundedStream(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, bytes_max: int) -> None:
        self._stream = stream
        self._bytes_max = bytes_max

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._stream:
            size += len(chunk)
            if size > self._bytes_max:
                raise Malformed(f"an answer of more than {self._bytes_max} bytes was cut off")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
