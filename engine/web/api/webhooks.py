"""Routes of webhooks: endpoints, their secrets, a test ping, and everything once more for a new receiver."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from engine.ids import ID_MAX
from engine.outbox.message import OutboxBook
from engine.web.access import Admin
from engine.web.api.app import PROBLEMS
from engine.web.api.models import Listing
from engine.web.api.outbox import MessageOut, ReceiverOut, render_health, render_message
from engine.web.api.wire import STORABLE, Amendment, Incoming, Instant, Outgoing
from engine.web.parts import Parts
from engine.webhooks.endpoint import CHANNEL, RECENT, Endpoint, EndpointOrder, WebhookBook, masked

Number = Annotated[int, Path(ge=1, le=ID_MAX, description="The webhook's number.")]
Models = Annotated[list[Literal["loan", "room", "case", "closure"]], Field(min_length=1)]
Url = Annotated[str, Field(min_length=1, max_length=2000), STORABLE]
Text = Annotated[str, Field(min_length=1, max_length=200), STORABLE]


class WebhookIn(Incoming):
    """
    Where webhooks go. Without a secret one is drawn; without models it hears of everything.

    `personal` lets it hear of people and of what they wrote. `header` carries the hexadecimal signature.
    """

    url: Url
    name: Text | SkipJsonSchema[None] = None
    models: Models | SkipJsonSchema[None] = None
    personal: bool = False
    header: Text | SkipJsonSchema[None] = None
    secret: Text | SkipJsonSchema[None] = None

    def parse(self) -> EndpointOrder:
        return EndpointOrder(
            self.name, self.url, tuple(self.models) if self.models else None, self.personal, self.header
        )


class WebhookPatch(Amendment):
    """What to change about an endpoint."""

    url: Url | SkipJsonSchema[None] = None
    name: Text | SkipJsonSchema[None] = None
    models: Models | SkipJsonSchema[None] = None
    personal: bool | SkipJsonSchema[None] = None
    header: Text | SkipJsonSchema[None] = None
    enabled: bool | SkipJsonSchema[None] = None

    def parse(self) -> EndpointOrder:
        models = tuple(self.models) if self.models else None
        return EndpointOrder(self.name, self.url, models, self.personal, self.header, self.enabled)


class SecretIn(Incoming):
    """The new secret; without one it is drawn."""

    secret: Text | SkipJsonSchema[None] = None


class SinceIn(Incoming):
    """Loans that had ended before are left out; without, those that ended more than 30 days ago."""

    since: Instant | SkipJsonSchema[None] = None
    all: bool = False


class WebhookOut(Outgoing):
    """An endpoint. Of its secrets only the last characters are shown."""

    id: int
    name: str
    url: str
    models: list[str]
    personal: bool
    header: str
    secrets: list[str]
    enabled: bool
    created_at: datetime
    created_by: str


class NewWebhookOut(WebhookOut):
    secret: str = Field(description="Shown this once.")


class CountOut(Outgoing):
    messages: int


def render_endpoint(found: Endpoint) -> WebhookOut:
    return WebhookOut.model_validate(_facts(found))


def render_with_secret(found: Endpoint) -> NewWebhookOut:
    """Return an endpoint with its newest secret in full."""
    return NewWebhookOut.model_validate({**_facts(found), "secret": found.secrets[-1]})


def _facts(found: Endpoint) -> dict[str, object]:
    return {
        "id": found.id,
        "name": found.name,
        "url": found.url,
        "models": list(found.models),
        "personal": found.personal,
        "header": found.header,
        "secrets": [masked(secret) for secret in found.secrets],
        "enabled": found.enabled,
        "created_at": found.created_at.astimezone(UTC),
        "created_by": found.created_by,
    }


def build_webhooks(webhooks: WebhookBook, outbox: OutboxBook) -> APIRouter:
    """Return the routes over *webhooks*, whose messages are in *outbox*."""
    router = APIRouter(prefix="/api/webhooks", tags=["webhooks"], responses=PROBLEMS)

    @router.get("")
    def list_webhooks(caller: Admin) -> Listing[WebhookOut]:
        """List the endpoints."""
        return Listing(items=[render_endpoint(found) for found in webhooks.list_endpoints()])

    @router.post("", status_code=201)
    def add_webhook(parts: Parts, caller: Admin, wanted: WebhookIn, response: Response) -> NewWebhookOut:
        """Make an endpoint. Its secret is shown this once."""
        made = webhooks.add(wanted.parse(), secret=wanted.secret, actor=caller.actor)
        response.headers["Location"] = f"{parts.base_address}/api/webhooks/{made.id}"
        return render_with_secret(made)

    @router.get("/{number}")
    def show_webhook(caller: Admin, number: Number) -> WebhookOut:
        """Show one endpoint."""
        return render_endpoint(webhooks.find(number))

    @router.get("/{number}/health")
    def show_health(caller: Admin, number: Number) -> ReceiverOut:
        """Tell how an endpoint is doing. Its messages: `GET /api/outbox?channel=webhook&receiver=<number>`."""
        found = webhooks.find(number)
        return render_health(outbox.health_of(CHANNEL, found.receiver))

    @router.patch("/{number}")
    def change_webhook(caller: Admin, number: Number, wanted: WebhookPatch) -> WebhookOut:
        """Change an endpoint, or switch it on or off. While it is off it is owed nothing."""
        return render_endpoint(webhooks.change(number, wanted.parse(), actor=caller.actor))

    @router.delete("/{number}", status_code=204)
    def remove_webhook(caller: Admin, number: Number) -> None:
        """Remove an endpoint; what waits for it is never sent."""
        webhooks.remove(number, actor=caller.actor)

    @router.post("/{number}/secrets", status_code=201)
    def rotate_secret(caller: Admin, number: Number, wanted: SecretIn | None = None) -> NewWebhookOut:
        """Add a second live secret, shown this once. Both sign until the older one is retired."""
        secret = wanted.secret if wanted is not None else None
        return render_with_secret(webhooks.rotate(number, secret=secret, actor=caller.actor))

    @router.post("/{number}/secrets/retire")
    def retire_secret(caller: Admin, number: Number) -> WebhookOut:
        """End the older of two live secrets."""
        return render_endpoint(webhooks.retire(number, actor=caller.actor))

    @router.post("/{number}/ping", status_code=202)
    def ping_webhook(caller: Admin, number: Number) -> MessageOut:
        """Send a test message. `GET /api/outbox/<id>` tells what came of it."""
        return render_message(webhooks.ping(number))

    @router.post("/{number}/resend", status_code=202)
    def resend_everything(parts: Parts, caller: Admin, number: Number, wanted: SinceIn | None = None) -> CountOut:
        """Tell an endpoint of everything that is, as created: for a new receiver, or one that lost its data."""
        which = wanted or SinceIn()
        since = None if which.all else which.since or parts.clock() - RECENT
        return CountOut(messages=webhooks.resend(number, since=since))

    return router
