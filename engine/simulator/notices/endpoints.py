"""
How receivers are doing: a slow one gets its notices late, a very slow one gets none.

Source: Graph docs, change-notifications-delivery-webhooks (2026): more than a tenth of ten minutes' answers slower than
three seconds: slow, notices wait ten minutes; more than 15 in a hundred slower than ten seconds: drop, the notices of
the next ten minutes are lost. A state belongs to the host, whatever the subscription. An earlier text of that page
waits for a hundred answers before it judges; so does this (`endpoint_sample_min`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from engine.simulator.options import TenantOptions

OK, SLOW, DROP = "ok", "slow", "drop"
STATES = (OK, SLOW, DROP)
WINDOW = timedelta(minutes=10)
SLOW_SECONDS = 3.0
"""How long a first try may take; it also is the limit above which an answer counts as slow."""
RETRY_SECONDS = 10.0
"""How long a repeated try may take."""
SLOW_SHARE, DROP_SHARE = 0.10, 0.15


@dataclass(slots=True)
class _Record:
    began: datetime
    answers: int = 0
    slow: int = 0
    overdue: int = 0
    state: str = OK
    forced: bool = False

    def judge(self, sample: int) -> str:
        """Say what the window that has ended makes of the host."""
        if self.answers < max(sample, 1):
            return OK
        if self.overdue / self.answers > DROP_SHARE:
            return DROP
        return SLOW if self.slow / self.answers > SLOW_SHARE else OK


class Endpoints:
    """The state of every host that notices go to."""

    def __init__(self, options: TenantOptions, now: Callable[[], datetime]) -> None:
        self._options = options
        self._now = now
        self._hosts: dict[str, _Record] = {}

    def note(self, url: str, seconds: float) -> None:
        """Count one answer, or one try that got none within *seconds*."""
        record = self._current(url)
        record.answers += 1
        record.slow += seconds >= SLOW_SECONDS
        record.overdue += seconds >= RETRY_SECONDS

    def state(self, url: str) -> str:
        """Return ok, slow or drop."""
        return self._current(url).state

    def force(self, host: str, state: str) -> None:
        """Put *host* (`name` or `name:port`) into *state* until it is forced into another; raises ValueError."""
        if state not in STATES:
            raise ValueError(f"a receiver is one of {', '.join(STATES)}, not {state!r}")
        record = self._hosts.setdefault(host, _Record(self._now()))
        record.state, record.forced = state, state != OK

    def listing(self) -> list[dict[str, object]]:
        """Return every host with its counts of the current window."""
        return [
            {"host": host, "state": item.state, "answers": item.answers, "slow": item.slow, "overdue": item.overdue}
            for host, item in self._hosts.items()
        ]

    def _current(self, url: str) -> _Record:
        host = urlsplit(url).netloc
        record = self._hosts.get(host)
        now = self._now()
        if record is None:
            record = self._hosts[host] = _Record(now)
        elif now - record.began >= WINDOW:
            state = record.state if record.forced else self._judge(record, now)
            record = self._hosts[host] = _Record(now, state=state, forced=record.forced)
        return record

    def _judge(self, record: _Record, now: datetime) -> str:
        """Judge the window that has just ended; one that ended longer ago was followed by an empty, innocent one."""
        return record.judge(self._options.endpoint_sample_min) if now - record.began < 2 * WINDOW else OK
