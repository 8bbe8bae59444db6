"""What the service says of its own health: readiness, metrics, and what its passes report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from engine.app.office import Office
from engine.app.status_report import describe_drift
from engine.database.sql.marks import Priority
from engine.database.work.queue import QueueDepth
from engine.errors import EngineError
from engine.graph.meter import GatewayMeter
from engine.reconcile.actions import Note
from engine.reconcile.telling.activity import Traffic, TrafficFault
from engine.settings import Settings
from engine.web.metrics import Metrics, Readings
from engine.web.parts import Check

NAMED = 10
"""How many rooms a check names; there may be thousands, and probes ask every few seconds."""


def read_checks(settings: Settings, office: Office) -> Sequence[Check]:
    """Return what must hold before the engine is ready: database, queue, subscriptions, first reading."""
    try:
        office.status.is_there()
        depth, jobs = office.queue.depth(), office.status.jobs()
        unread, missing = office.status.unread_rooms(NAMED), office.status.unsubscribed_rooms(NAMED)
        is_refused = "identity_refused" in office.status.open_cases()
    except EngineError as error:
        return [Check("database", ok=False, detail=str(error))]
    imported = (jobs.get("import_rooms") or {}).get("last_at") is not None
    checks = [
        Check("database", ok=True),
        Check("queue", ok=_is_moving(depth, office.now()), detail=f"{depth.due} due"),
        Check("identity", ok=not is_refused, detail="Graph refuses our identity" if is_refused else ""),
        Check("rooms", ok=imported, detail="" if imported else "the directory has not been read yet"),
        Check("first_reading", ok=imported and not unread, detail=", ".join(unread)),
    ]
    if settings.sync.delivery == "push":
        checks.append(Check("subscriptions", ok=imported and not missing, detail=", ".join(missing)))
    return checks


def _is_moving(depth: QueueDepth, now: datetime) -> bool:
    """Tell whether nothing that is due has waited for ten minutes; a backfill may, behind all the rest."""
    waits = [at for priority, at in depth.oldest_waiting_at.items() if priority is not Priority.BACKFILL]
    return all(now - at < timedelta(minutes=10) for at in waits)


def read_metrics(office: Office, meter: GatewayMeter) -> Readings:
    """Return what metrics show of the engine's state."""
    depth, now = office.queue.depth(), office.now()
    outcomes: dict[str, int] = {}
    for (_kind, outcome), count in meter.requests.items():
        outcomes[outcome] = outcomes.get(outcome, 0) + count
    imported = (office.status.jobs().get("import_rooms") or {}).get("last_at")
    return Readings(
        queue_waiting={"all": depth.waiting},
        queue_age_seconds={
            priority.name.lower(): (now - at).total_seconds() for priority, at in depth.oldest_waiting_at.items()
        },
        queue_running=depth.running,
        parked=depth.parked,
        graph_requests=outcomes,
        throttled=meter.throttled,
        contents=office.inbox.contents.reader.counts if office.inbox.contents is not None else {},
        drift=describe_drift(office),
        subscriptions_deaf=office.status.deaf_rooms(),
        last_import_at=imported if isinstance(imported, datetime) else None,
        loans=office.status.loans_by_status(),
        cases_open=sum(office.status.open_cases().values()),
        outbox={state.value: count for state, count in office.outbox.counts().items()},
        receivers_failing=office.outbox.failing(),
    )


def traffic_of(meter: GatewayMeter) -> Callable[[], Traffic]:
    """Return what reads how many requests *meter* has counted since the start."""

    def read() -> Traffic:
        fault = TrafficFault(*meter.last_fault) if meter.last_fault is not None else None
        return Traffic(dict(meter.requests), meter.throttled, meter.repeated, fault, dict(meter.expected))

    return read


class Watching:
    """Tells metrics and cases about passes."""

    def __init__(self, office: Office, metrics: Metrics) -> None:
        self._office = office
        self._metrics = metrics

    def passed(self, kind: str, _key: str, outcome: str, seconds: float) -> None:
        self._metrics.observe_pass(kind, outcome, seconds)

    def settled(self, seconds: float) -> None:
        self._metrics.observe_notification_latency(seconds)

    def refused(self, error: str) -> None:
        """Open the case, and have one room read until Graph answers: where notifications bring their events, nothing
        else may read any for hours, and the case stood as long."""
        self._office.ledger.open_case("graph:identity", Note("identity_refused", {"error": error}, actor="engine"))
        self._office.rooms.mark_rooms(priority=Priority.SWEEP, at_most=1)

    def admitted(self) -> None:
        self._office.ledger.close_case("graph:identity", "identity_refused")

    def parked(self, kind: str, key: str, error: str) -> None:
        self._office.note_parked(kind, key, error)

    def recovered(self, kind: str, key: str) -> None:
        self._office.note_recovered(kind, key)
