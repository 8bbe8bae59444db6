"""A mail server that is not ours (aiosmtpd): takes mails, refuses them, or says "later", as told."""

from __future__ import annotations

import asyncio
import socket
import ssl
import tempfile
import time
import warnings
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from engine.mail.smtp import MailServer

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its own code, about newer Pythons
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import AuthResult, LoginPassword

USERNAME, PASSWORD = "accord", "s3cret"


@dataclass
class Postman:
    """What the server does. `answers` are given to receivers one by one, then "250 OK"."""

    answers: list[str] = field(default_factory=list)
    data_answers: list[str] = field(default_factory=list)
    taken: list[EmailMessage] = field(default_factory=list)
    signed_in: list[bool] = field(default_factory=list)
    over_tls: list[bool] = field(default_factory=list)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        answer = self.data_answers.pop(0) if self.data_answers else "250 kept as 42"
        if answer.startswith("2"):
            found = message_from_bytes(envelope.content, policy=default)
            assert isinstance(found, EmailMessage)
            self.taken.append(found)
            self.signed_in.append(bool(session.authenticated))
            self.over_tls.append(server.transport.get_extra_info("sslcontext") is not None)
        return answer


def check_password(server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
    is_right = isinstance(given, LoginPassword) and given == LoginPassword(USERNAME.encode(), PASSWORD.encode())
    return AuthResult(success=is_right, handled=False)


class AnyPort(Controller):
    """A server on whichever port the system gives it."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def running(postman: Postman, *, security: str = "none", needs_password: bool = False) -> Iterator[MailServer]:
    """Run a server on a free port, and yield how to reach it."""
    with tempfile.TemporaryDirectory() as folder:
        inside, trusted = (None, None) if security == "none" else make_contexts(Path(folder))
        controller = AnyPort(
            postman,
            hostname="127.0.0.1",
            port=0,
            ready_timeout=30,
            ssl_context=inside if security == "tls" else None,
            tls_context=inside if security == "starttls" else None,
            require_starttls=security == "starttls",
            auth_required=needs_password,
            auth_require_tls=security == "starttls",
            authenticator=check_password,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            controller.start()
        try:
            named = (USERNAME, PASSWORD) if needs_password else ("", "")
            yield MailServer("127.0.0.1", controller.port, security, *named, "desk@example.org", "Accord", 20, trusted)
        finally:
            _wait_until_idle(controller.loop, sockets=2)
            controller.stop()


@contextmanager
def closed_port() -> Iterator[int]:
    """Yield a port that is ours, and where nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        yield found.getsockname()[1]


def make_contexts(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return what the server shows, a certificate signed by itself for 127.0.0.1, and what believes it."""
    import ipaddress

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    inside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    inside.load_cert_chain(path)
    return inside, ssl.create_default_context(cafile=str(path))


T = TypeVar("T")


def run(sending: Coroutine[Any, Any, T]) -> T:
    """Run *sending* to its end, and until its connections are closed: `asyncio.run` does not wait for those of TLS."""

    async def run_and_close() -> T:
        try:
            return await sending
        finally:
            while _sockets(asyncio.get_running_loop()) > 1:
                await asyncio.sleep(0.005)

    return asyncio.run(run_and_close())


def _wait_until_idle(loop: asyncio.AbstractEventLoop, *, sockets: int) -> None:
    """Wait until the server has seen that its clients are gone."""
    patience = time.monotonic() + 30
    while _sockets(loop) > sockets and time.monotonic() < patience:
        time.sleep(0.005)


def _sockets(loop: Any) -> int:
    """Return how many sockets a loop looks after, the one that wakes it up included."""
    return len(loop._selector.get_map())
