"""
Subscriptions: made after a handshake, silent about their own end (Graph docs: subscription, webhook delivery).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote

import msgspec

from engine.simulator.calendars.records import Mailbox, Subscription
from engine.simulator.notices.content import read_certificate
from engine.simulator.times import parse_when, render_instant
from engine.simulator.weather.faults import DUPLICATE, REFUSAL, Faults
from engine.simulator.wire import GraphError, Request, Response, bad_request, json_response, unreadable
from engine.simulator.world import World

Post = Callable[[str, bytes, dict[str, str]], Awaitable[tuple[int, str, bytes]]]

_RESOURCE = re.compile(
    r"^/?(?:v1\.0/)?users(?:/([^/]+)|\('([^']+)'\))(?:/calendar|/calendars/[^/]+)?/events/?(\?.*)?$", re.IGNORECASE
)
_CHANGES = ("created", "updated", "deleted")
CLIENT_STATE_MAX = 128
TEXTS = ("changeType", "resource", "notificationUrl", "lifecycleNotificationUrl", "clientState")
"""Properties that are text, or left out."""
CONTENT_MINUTES_MAX = 1440
"""How long a subscription lives whose notices bring Outlook's events (Graph docs: subscription)."""
CERTIFICATE_ID_MAX = 128
REAUTHORIZE_BEFORE = timedelta(minutes=15)
"""When `reauthorizationRequired` goes out before the end (Graph docs: change-notifications-lifecycle-events)."""


class Subscriptions:
    """The subscriptions of one application."""

    def __init__(self, world: World, faults: Faults, post: Post) -> None:
        self._world = world
        self._faults = faults
        self._post = post
        self.all: dict[str, Subscription] = {}
        self.by_mailbox: dict[str, dict[str, Subscription]] = {}
        self.on_lifecycle: Callable[[Subscription, str], None] = lambda subscription, event: None
        self.on_resumed: Callable[[Subscription], None] = lambda subscription: None
        for raw in world.store.load("subscription"):
            self._keep(msgspec.json.decode(raw, type=Subscription))

    # -- calls

    async def create(self, request: Request) -> Response:
        """Answer POST /subscriptions: both URLs are called before this returns."""
        body = request.json
        subscription = self._read(body, request)
        self._refuse_content(subscription, request)
        self._refuse_duplicate(subscription, request)
        await self._validate(subscription.notification_url)
        if subscription.lifecycle_url:
            await self._validate(subscription.lifecycle_url)
        self._keep(subscription)
        self._save(subscription)
        self._watch_end(subscription)
        return json_response(201, {"@odata.context": _context(request, "/$entity"), **render(subscription)})

    def list_all(self, request: Request) -> Response:
        """Answer GET /subscriptions; the client state is hidden (Graph docs: subscription-list)."""
        self.forget_expired()
        found = [{**render(item), "clientState": None} for item in self.all.values()]
        return json_response(200, {"@odata.context": _context(request, ""), "value": found})

    def get(self, request: Request) -> Response:
        """Answer GET /subscriptions/{id}."""
        subscription = self._find(request)
        return json_response(200, {"@odata.context": _context(request, "/$entity"), **render(subscription)})

    async def update(self, request: Request) -> Response:
        """Answer PATCH: a new end, or a new URL that has to pass the handshake."""
        subscription = self._find(request)
        body = request.json
        _check_texts(body)
        limit = self._minutes_max(subscription.certificate is not None)
        expires_at = self._read_end(body, limit) if "expirationDateTime" in body else subscription.expires_at
        url = body.get("notificationUrl")
        if url:
            await self._validate(self._checked_url(url))
            subscription.notification_url = url
        subscription.expires_at = expires_at
        self._authorise(subscription)
        self._watch_end(subscription)
        return json_response(200, {"@odata.context": _context(request, "/$entity"), **render(subscription)})

    def reauthorize(self, request: Request) -> Response:
        """Answer POST .../reauthorize; it does not extend (Graph docs: subscription-reauthorize)."""
        self._authorise(self._find(request))
        return Response(204)

    def delete(self, request: Request) -> Response:
        """Answer DELETE /subscriptions/{id}."""
        self.remove(self._find(request))
        return Response(204)

    # -- state

    def live_for(self, mailbox: str) -> list[Subscription]:
        """Return the subscriptions on *mailbox* that have not ended."""
        known = self.by_mailbox.get(mailbox)
        if not known:
            return []
        now = self._world.now()
        return [item for item in known.values() if item.expires_at > now]

    def remove(self, subscription: Subscription) -> None:
        """Forget *subscription* without a word."""
        self.all.pop(subscription.id, None)
        self.by_mailbox.get(subscription.mailbox, {}).pop(subscription.id, None)
        self._world.store.drop(f"subscription/{subscription.id}")

    def pause(self, subscription: Subscription) -> None:
        """Ask for a new authorisation and deliver nothing until it is given (Graph docs: lifecycle events)."""
        if not subscription.paused:
            subscription.paused = True
            self._save(subscription)
            self.on_lifecycle(subscription, "reauthorizationRequired")

    def _authorise(self, subscription: Subscription) -> None:
        was_paused, subscription.paused = subscription.paused, False
        self._save(subscription)
        if was_paused:
            self.on_resumed(subscription)

    def forget_expired(self) -> None:
        """Drop what has ended; nobody is told (Graph docs: change-notifications-lifecycle-events)."""
        now = self._world.now()
        for subscription in [item for item in self.all.values() if item.expires_at <= now]:
            self.remove(subscription)

    def resume(self) -> None:
        """Watch the ends of restored subscriptions."""
        for subscription in list(self.all.values()):
            self._watch_end(subscription)

    def _keep(self, subscription: Subscription) -> None:
        self.all[subscription.id] = subscription
        self.by_mailbox.setdefault(subscription.mailbox, {})[subscription.id] = subscription

    def _save(self, subscription: Subscription) -> None:
        self._world.store.put(f"subscription/{subscription.id}", subscription)

    def _find(self, request: Request) -> Subscription:
        self.forget_expired()
        found = self.all.get(request.segments[2])
        if found is None:
            raise GraphError(404, "ResourceNotFound", "The object was not found.")
        return found

    def _watch_end(self, subscription: Subscription) -> None:
        """Send `reauthorizationRequired` once, shortly before the end, to those with a lifecycle URL."""
        if not subscription.lifecycle_url:
            return
        end = subscription.expires_at
        wait = (end - REAUTHORIZE_BEFORE - self._world.now()).total_seconds()
        if wait > 0:
            self._world.call_later(wait, lambda: self._remind(subscription, end))

    def _remind(self, subscription: Subscription, end: datetime) -> None:
        if self.all.get(subscription.id) is subscription and subscription.expires_at == end:
            self.on_lifecycle(subscription, "reauthorizationRequired")

    # -- reading a request

    def _read(self, body: dict[str, Any], request: Request) -> Subscription:
        for name in ("changeType", "resource", "notificationUrl", "expirationDateTime"):
            if not body.get(name):
                raise bad_request(f"Property {name} is required.", code="ValidationError")
        _check_texts(body)
        client_state = body.get("clientState")
        if client_state is not None and len(client_state) > CLIENT_STATE_MAX:
            raise bad_request("clientState is too long.", code="ValidationError")
        lifecycle = body.get("lifecycleNotificationUrl")
        return Subscription(
            id=self._world.guid(), number=self._world.next_number(), resource=body["resource"],
            mailbox=self._read_resource(body["resource"]).id, change_types=self._read_changes(body["changeType"]),
            raw_change_type=body["changeType"], notification_url=self._checked_url(body["notificationUrl"]),
            lifecycle_url=self._checked_url(lifecycle) if lifecycle else None, client_state=client_state,
            expires_at=self._read_end(body, self._minutes_max(bool(body.get("includeResourceData")))),
            application_id=self._world.options.client_id,
            immutable_ids=request.wants_immutable_ids, tls=body.get("latestSupportedTlsVersion") or "v1_2",
            **(_read_content(body) if body.get("includeResourceData") else {}),
        )  # fmt: skip

    def _minutes_max(self, has_content: bool) -> int:
        minutes = self._world.options.subscription_minutes_max
        return min(minutes, CONTENT_MINUTES_MAX) if has_content else minutes

    def _read_resource(self, resource: str) -> Mailbox:
        found = _RESOURCE.match(resource)
        mailbox = self._world.find_mailbox(found.group(1) or found.group(2)) if found else None
        if mailbox is None or mailbox.state == "removed" or mailbox.kind == "external":
            raise bad_request(f"'Resource' is invalid: {resource}.", code="ExtensionError")
        if mailbox.state == "disabled":
            message = "Operation: Create; Exception: [Status Code: NotFound; Reason: mailbox on backend 'Unknown']"
            raise bad_request(message, code="ExtensionError")
        if mailbox.state == "denied":
            raise GraphError(403, "ErrorAccessDenied", "Access to OData is disabled.")
        return mailbox

    def _read_changes(self, text: str) -> list[str]:
        changes = [part.strip().lower() for part in text.split(",")]
        if not changes or any(change not in _CHANGES for change in changes):
            raise bad_request("Property changeType is invalid.", code="ValidationError")
        return changes

    def _read_end(self, body: dict[str, Any], limit: int) -> datetime:
        """Below 45 minutes is raised, above *limit* is refused: 10,070 (Graph docs: subscription; observed by
        developers), a day where events are brought along."""
        options = self._world.options
        try:
            wanted = parse_when(str(body["expirationDateTime"]))
        except ValueError as error:
            raise bad_request("expirationDateTime is invalid.", code="ValidationError") from error
        now = self._world.now()
        if wanted > now + timedelta(minutes=limit):
            message = f"Subscription expiration can only be {limit} minutes in the future."
            raise bad_request(message, code="ExtensionError")
        return max(wanted, now + timedelta(minutes=options.subscription_minutes_min))

    def _checked_url(self, url: str) -> str:
        wanted = ("https://", "http://") if self._world.options.http_webhooks_allowed else ("https://",)
        if not url.lower().startswith(wanted):
            raise bad_request("NotificationUrl must be an https address.", code="InvalidRequest")
        return url

    def _refuse_content(self, wanted: Subscription, request: Request) -> None:
        names = self._names_of(wanted)
        if wanted.certificate is not None and self._faults.pick(REFUSAL, request.method, request.path, names):
            raise bad_request("Including resource data is not supported for this resource.", code="ExtensionError")

    def _names_of(self, wanted: Subscription) -> frozenset[str]:
        return self._world.addresses_of(self._world.mailboxes[wanted.mailbox]) | {wanted.mailbox}

    def _refuse_duplicate(self, wanted: Subscription, request: Request) -> None:
        """Refuse a second one for the same changes and resource (Graph docs: webhook delivery)."""
        if self._world.options.duplicate_subscriptions_allowed:
            return
        for old in self.live_for(wanted.mailbox):
            if sorted(old.change_types) == sorted(wanted.change_types):
                if self._faults.pick(DUPLICATE, request.method, request.path, self._names_of(wanted)):
                    return
                message = f"Subscription Id {old.id} already exists for the requested combination"
                raise GraphError(409, "Conflict", message)

    async def _validate(self, url: str) -> None:
        """Call *url* with a token that must come back as plain text (Graph docs: webhook delivery)."""
        token = f"Validation: Testing client application reachability for subscription Request-Id: {self._world.guid()}"
        target = f"{url}{'&' if '?' in url else '?'}validationToken={quote(token, safe='')}"
        try:
            status, content_type, answer = await self._post(target, b"", {"Content-Type": "text/plain; charset=utf-8"})
        except Exception as error:
            raise _validation_failed(f"The receiver could not be reached: {type(error).__name__}.") from error
        if status != 200 or not content_type.lower().startswith("text/plain") or answer != token.encode():
            raise _validation_failed("Notification endpoint must respond with 200 OK to validation request.")


def _validation_failed(why: str) -> GraphError:
    return bad_request(f"Subscription validation request failed. {why}", code="ValidationError")


def _check_texts(body: dict[str, Any]) -> None:
    if not all(isinstance(body.get(name), str | None) for name in TEXTS):
        raise unreadable()


def _read_content(body: dict[str, Any]) -> dict[str, Any]:
    """Return what a subscription asks its notices to bring: Outlook's events only with `$select`, and only encrypted
    (Graph docs: change-notifications-with-resource-data)."""
    query = dict(parse_qsl(str(body["resource"]).partition("?")[2]))
    fields = [name.strip().lower() for name in query.get("$select", "").split(",") if name.strip()]
    if not fields:
        raise bad_request("Resource data of Outlook events needs $select in the resource.", code="ExtensionError")
    identity = body.get("encryptionCertificateId")
    if not identity or len(str(identity)) > CERTIFICATE_ID_MAX:
        raise bad_request("Property encryptionCertificateId is required, 128 characters.", code="ValidationError")
    read_certificate(body.get("encryptionCertificate"))
    return {"certificate": body["encryptionCertificate"], "certificate_id": str(identity), "fields": fields}


def _context(request: Request, suffix: str) -> str:
    return f"{request.base}/v1.0/$metadata#subscriptions{suffix}"


def render(subscription: Subscription) -> dict[str, Any]:
    """Return the resource as Graph shows it (Graph docs: subscription)."""
    return {
        "id": subscription.id,
        "resource": subscription.resource,
        "applicationId": subscription.application_id,
        "changeType": subscription.raw_change_type,
        "clientState": subscription.client_state,
        "notificationUrl": subscription.notification_url,
        "notificationQueryOptions": None,
        "lifecycleNotificationUrl": subscription.lifecycle_url,
        "expirationDateTime": render_instant(subscription.expires_at),
        "creatorId": subscription.application_id,
        "includeResourceData": True if subscription.certificate is not None else None,
        "latestSupportedTlsVersion": subscription.tls,
        "encryptionCertificate": None,
        "encryptionCertificateId": subscription.certificate_id,
        "notificationUrlAppId": None,
    }
