"""What the tenant mails."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class Letter(NamedTuple):
    """One message of the tenant, as /sim/mails shows it; the oldest are forgotten."""

    at: datetime
    kind: str
    """request, cancellation, answer, forward, notice or approval (a request passed to a delegate)."""
    sender: str
    to: str
    subject: str
    text: str = ""
