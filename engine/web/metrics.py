"""What operators watch, in Prometheus' text format, from a registry of our own.

What happens in this process is observed as it happens; what lies in the database is pulled once per scrape.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

log = logging.getLogger(__name__)

CONTENT_TYPE = CONTENT_TYPE_LATEST
PASS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
LATENCY_BUCKETS = (0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 900, 3600)


@dataclass(frozen=True, slots=True)
class Readings:
    """What is pulled at each scrape; what is left out is not shown. Ages are seconds, priorities and statuses words."""

    queue_waiting: Mapping[str, int] = field(default_factory=dict)
    """By priority."""
    queue_age_seconds: Mapping[str, float] = field(default_factory=dict)
    """Of the key that has waited longest, by priority."""
    queue_running: int | None = None
    parked: int | None = None
    graph_requests: Mapping[str, int] = field(default_factory=dict)
    """Since the start, by outcome."""
    throttled: int | None = None
    contents: Mapping[str, int] = field(default_factory=dict)
    """Events that notifications brought, since the start: opened, or why not."""
    subscriptions_deaf: int | None = None
    drift: Mapping[str, int] = field(default_factory=dict)
    """What only the nightly comparison has found, ever, by room; rooms without any are left out."""
    last_import_at: datetime | None = None
    loans: Mapping[str, int] = field(default_factory=dict)
    """By status."""
    cases_open: int | None = None
    outbox: Mapping[str, float] = field(default_factory=dict)
    receivers_failing: int | None = None


class Metrics:
    """Every figure there is. The `observe_` methods may be called from any thread."""

    def __init__(self, read: Callable[[], Readings] = Readings) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Pulled(read))
        self._passes = Counter(
            "accord_passes", "Passes over a key, by its kind and what came of it.", ("kind", "outcome"),
            registry=self._registry,
        )  # fmt: skip
        self._pass_seconds = Histogram(
            "accord_pass_seconds", "How long a pass takes.", ("kind",), buckets=PASS_BUCKETS, registry=self._registry
        )
        self._latency = Histogram(
            "accord_notification_to_loan_seconds", "From a notification's arrival until the loan says the same.",
            buckets=LATENCY_BUCKETS, registry=self._registry,
        )  # fmt: skip
        self._notifications = Counter(
            "accord_notifications", "Change and lifecycle notifications received, by what became of them.",
            ("outcome",), registry=self._registry,
        )  # fmt: skip

    def observe_pass(self, kind: str, outcome: str, seconds: float) -> None:
        """Note that a pass over a key of *kind* ended with *outcome* (`done`, `retried`, `parked`)."""
        self._passes.labels(kind, outcome).inc()
        self._pass_seconds.labels(kind).observe(seconds)

    def observe_notification_latency(self, seconds: float) -> None:
        """Note how long it took from a notification to the loan."""
        self._latency.observe(max(0.0, seconds))

    def observe_notification(self, outcome: str, count: int = 1) -> None:
        """Note that notifications came in: `accepted`, `refused`."""
        self._notifications.labels(outcome).inc(count)

    def render(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self._registry)


class _Pulled(Collector):
    """Turns readings into metrics; a reading that fails shows as `accord_scrape_failed 1` and hides nothing else."""

    def __init__(self, read: Callable[[], Readings]) -> None:
        self._read = read

    def describe(self) -> Iterator[Metric]:
        """Nothing: registering must not touch the database."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        failed = GaugeMetricFamily("accord_scrape_failed", "1 when the database could not be read for this scrape.")
        try:
            readings = self._read()
        except Exception:
            log.exception("metrics could not be read")
            failed.add_metric((), 1)
        else:
            failed.add_metric((), 0)
            yield from _render(readings)
        yield failed


def _render(readings: Readings) -> Iterator[Metric]:
    yield from _labelled("accord_queue_waiting", "Keys that wait.", "priority", readings.queue_waiting)
    yield from _labelled(
        "accord_queue_oldest_seconds", "How long the oldest key has waited.", "priority", readings.queue_age_seconds
    )
    yield from _single("accord_queue_running", "Keys that somebody looks at now.", readings.queue_running)
    yield from _single("accord_queue_parked", "Keys given up until somebody acts.", readings.parked)
    yield from _counted(readings)
    yield from _single("accord_subscriptions_deaf", "Subscriptions that miss changes.", readings.subscriptions_deaf)
    drift = CounterMetricFamily(
        "accord_drift", "Copies and bookings of which only the nightly comparison found that they had drifted.",
        labels=("room",),
    )  # fmt: skip
    for room, count in readings.drift.items():
        drift.add_metric((room,), count)
    yield drift
    at = readings.last_import_at
    yield from _single(
        "accord_last_import_timestamp_seconds", "When rooms were last imported.", at.timestamp() if at else None
    )
    yield from _labelled("accord_loans", "Loans.", "status", readings.loans)
    yield from _single("accord_cases_open", "Cases that stand open.", readings.cases_open)
    yield from _labelled("accord_outbox_messages", "Messages to others.", "state", readings.outbox)
    yield from _single("accord_outbox_receivers_failing", "Receivers that took no message.", readings.receivers_failing)


def _counted(readings: Readings) -> Iterator[Metric]:
    requests = CounterMetricFamily(
        "accord_graph_requests", "Requests to Microsoft Graph, by outcome.", labels=("outcome",)
    )
    for outcome, count in readings.graph_requests.items():
        requests.add_metric((outcome,), count)
    yield requests
    contents = CounterMetricFamily(
        "accord_contents", "Events that notifications brought: opened, or why they were not.", labels=("outcome",)
    )
    for outcome, count in readings.contents.items():
        contents.add_metric((outcome,), count)
    yield contents
    if readings.throttled is not None:
        yield CounterMetricFamily(
            "accord_graph_throttled", "Requests Graph asked us to repeat later.", readings.throttled
        )


def _labelled(name: str, text: str, label: str, values: Mapping[str, float]) -> Iterator[Metric]:
    family = GaugeMetricFamily(name, text, labels=(label,))
    for word, value in values.items():
        family.add_metric((word,), value)
    yield family


def _single(name: str, text: str, value: float | None) -> Iterator[Metric]:
    if value is not None:
        yield GaugeMetricFamily(name, text, value)
