"""What happened in a world, as one number: two runs of one schedule that differ anywhere have different ones."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from engine.graph.transport import Request, Response

_CERTIFICATE = re.compile(rb'("encryptionCertificate": ?)"[^"]*"')
"""The one thing that differs between two runs: a key is drawn by the library, not by the seed."""


class Trace:
    """Takes in every request of the engine with its answer, and whatever else is told, in order."""

    def __init__(self) -> None:
        self._hash = hashlib.blake2b(digest_size=16)
        self.listener: Callable[[str], None] | None = None
        """Hears each line, when somebody wants to read them, or to compare two runs line by line."""

    def tell(self, *facts: object) -> None:
        line = " ".join(map(str, facts))
        self._hash.update(line.encode() + b"\n")
        if self.listener is not None:
            self.listener(line)

    def sent(self, at: float, request: Request, answer: Response | Exception) -> None:
        """Take in a request and what came of it, at so many seconds of the world's clock."""
        came = (answer.status, _mask(answer.body)) if isinstance(answer, Response) else (type(answer).__name__,)
        self.tell(f"{at:.6f}", request.method, request.url, _mask(request.body), *came)

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


def _mask(body: bytes | None) -> bytes | None:
    return _CERTIFICATE.sub(rb"\1", body) if body and b"encryptionCertificate" in body else body
