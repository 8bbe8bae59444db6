"""How one simulated tenant is set up: a frozen value, safe defaults, no environment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DEMO_TOKEN = "demo"


@dataclass(frozen=True, slots=True)
class TenantOptions:
    """
    Everything that can be chosen about a tenant.

    Delays are ranges of seconds, drawn evenly. `latency` is how long each Graph request takes inside the tenant; with
    (0, 0) a request never overlaps another, so the limit of four concurrent ones cannot be reached.
    """

    seed: int = 1
    attendant_delay: tuple[float, float] = (0.2, 0.5)
    notification_delay: tuple[float, float] = (0.05, 0.2)
    latency: tuple[float, float] = (0.0, 0.0)
    page_size: int = 10
    """Events per page when the caller does not say (calendarView and delta answer ten; observed by developers)."""
    places_page_size: int = 100
    static_token: str | None = DEMO_TOKEN
    """A bearer token that is always accepted; None accepts only issued ones."""
    require_token: bool = True
    token_seconds: int = 3599
    state_file: Path | str | None = None
    tenant_id: str = "84bd8158-6d4d-4958-8b9f-9d6445542f95"
    client_id: str = "0e4b6a4c-5bb0-4c4c-9c0d-6a4b7f1c2d3e"
    client_secret: str = "demo-secret"
    granted: tuple[str, ...] | None = None
    """The application permissions with consent; None: whatever is asked for. See `permissions.Permissions`."""
    domains: tuple[str, ...] = ("example.org",)
    """Addresses elsewhere are outside the organisation."""
    concurrent_max: int = 4
    """Requests in flight per app and mailbox before 429 (Graph docs: throttling-limits)."""
    quota: int | None = None
    """Requests per app and mailbox in ten minutes before 429; Graph's own figure is 10,000. None: not counted."""
    subscription_limits: bool = False
    """True: calls on subscriptions are limited per twenty seconds, listing to 25 (Graph docs: throttling-limits)."""
    retry_after_seconds: int = 2
    empty_page_rate: float = 0.02
    """How often a delta page that has items is preceded by an empty one (Graph docs: paging)."""
    occurrences_share_ical_uid: bool = False
    """True: all dates of a series show its one iCalUId (observed by developers, graph-docs issues 17479 and 4447)."""
    extra_touches: int = 1
    """Up to so many more `updated` steps after an answer (observed by developers, docs-contrib issue 6727)."""
    standard_base64_ids: bool = False
    """True: ids contain `/` and `+` as well (observed by developers, graph-docs issue 3598)."""
    external_left_tentative: bool = False
    """True: requests from outside that are not processed still sit tentatively (Support article 2951074)."""
    subscription_minutes_max: int = 10_070
    subscription_minutes_min: int = 45
    duplicate_subscriptions_allowed: bool = False
    http_webhooks_allowed: bool = True
    """Graph wants https; on loopback the simulator also takes http."""
    resource_casing_varies: bool = False
    """True: notices spell `resource` now one way, now another (Graph docs: changenotification shows several)."""
    endpoint_sample_min: int = 100
    """How many answers within ten minutes it takes to find a receiver slow (Graph docs: webhook delivery, 2023)."""
    fault_seed: int | None = None
    """Draws a mix of faults that is in force from the start; None: fine weather."""
    webhook_retry_seconds: float = 10.0
    webhook_give_up_seconds: float = 4 * 3600.0
