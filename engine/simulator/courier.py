"""
Change notifications on their way: collected per receiver, posted together, tried again for four hours.

Sources: Graph docs, change-notifications-delivery-webhooks (payload, several subscriptions in one body, retry),
change-notifications-lifecycle-events. A notice waits as a document until its receiver has taken it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import msgspec

from engine.simulator.faults import NOTICES, Faults, Rule
from engine.simulator.records import Event, Mailbox, Notice, Subscription
from engine.simulator.subscriptions import Post, Subscriptions
from engine.simulator.times import render_instant
from engine.simulator.wire import encode_json
from engine.simulator.world import World, etag, render_id

Spawn = Callable[[Coroutine[Any, Any, None]], Any]
ITEMS_MAX = 100
_JSON = {"Content-Type": "application/json; charset=utf-8"}


class Courier:
    """Turns changes into notices and notices into POSTs."""

    def __init__(self, world: World, subscriptions: Subscriptions, faults: Faults, *, post: Post, spawn: Spawn) -> None:
        self._world = world
        self._subscriptions = subscriptions
        self._faults = faults
        self._post = post
        self._spawn = spawn
        self._waiting: dict[str, list[Notice]] = {}
        self._timers: set[str] = set()
        self._closed = False
        self.delivered = 0
        self.dropped = 0
        world.listeners.append(self._on_change)
        subscriptions.on_lifecycle = self.lifecycle

    @property
    def waiting(self) -> int:
        """How many notices have not been taken yet."""
        return sum(len(notices) for notices in self._waiting.values())

    def close(self) -> None:
        """Send nothing more; what waits stays in the store."""
        self._closed = True

    def resume(self) -> None:
        """Send again what a former life left undelivered."""
        for raw in self._world.store.load("notice"):
            notice = msgspec.json.decode(raw, type=Notice)
            self._world.sequence = max(self._world.sequence, notice.number)
            self._waiting.setdefault(notice.url, []).append(notice)
        for url, notices in self._waiting.items():
            notices.sort(key=lambda item: item.number)
            self._set_timer(url, self._world.between(self._world.options.notification_delay))

    # -- making notices

    def _on_change(self, mailbox: Mailbox, change: str, event: Event) -> None:
        for subscription in self._subscriptions.live_for(mailbox.id):
            if change in subscription.change_types and not subscription.dead:
                self._announce(mailbox, subscription, self._change_body(subscription, change, event))

    def _change_body(self, subscription: Subscription, change: str, event: Event) -> dict[str, Any]:
        """Return the item: id and etag only, never what changed (Graph docs: changenotification)."""
        shown = render_id(event.key, immutable=subscription.immutable_ids)
        resource = self._resource(event.mailbox, shown)
        return {
            **self._common(subscription),
            "changeType": change,
            "resource": resource,
            "resourceData": {
                "@odata.type": "#Microsoft.Graph.Event", "@odata.id": resource, "@odata.etag": etag(event), "id": shown,
            },
        }  # fmt: skip

    def _resource(self, mailbox: str, shown: str) -> str:
        """Spell the path of an event as notices do: only the ids in it can be relied on."""
        plain = f"Users/{mailbox}/Events/{shown}"
        if not self._world.options.resource_casing_varies:
            return plain
        other = f"users/{mailbox}@{self._world.options.tenant_id}/events/{shown}"
        return self._world.rng.choice((plain, other, f"Users('{mailbox}')/Events('{shown}')"))

    def _common(self, subscription: Subscription) -> dict[str, Any]:
        return {
            "subscriptionId": subscription.id,
            "subscriptionExpirationDateTime": render_instant(subscription.expires_at),
            "tenantId": self._world.options.tenant_id,
            "clientState": subscription.client_state,
        }

    def lifecycle(self, subscription: Subscription, event: str) -> None:
        """Queue a lifecycle notice; subscriptions without the URL get none."""
        if subscription.lifecycle_url:
            body = {**self._common(subscription), "lifecycleEvent": event}
            self._queue(self._notice(subscription, body, url=subscription.lifecycle_url))

    def _notice(self, subscription: Subscription, body: dict[str, Any], *, url: str) -> Notice:
        return Notice(
            number=self._world.next_number(), url=url, subscription=subscription.id, mailbox=subscription.mailbox,
            body=body, lifecycle="lifecycleEvent" in body,
        )  # fmt: skip

    def _announce(self, mailbox: Mailbox, subscription: Subscription, body: dict[str, Any]) -> None:
        rule = self._fault(mailbox, body) if self._faults.rules else None
        if rule is not None and rule.effect == "lose":
            return
        notice = self._notice(subscription, body, url=subscription.notification_url)
        body["id"] = f"lsg{notice.number:08}"
        if rule is not None:
            self._spoil(rule, subscription, notice)
        if rule is not None and rule.effect == "late":
            self._world.call_later(rule.seconds, lambda: self._queue(notice))
        else:
            self._queue(notice)

    def _fault(self, mailbox: Mailbox, body: dict[str, Any]) -> Rule | None:
        names = self._world.addresses_of(mailbox) | {mailbox.id}
        return self._faults.pick(NOTICES, "NOTIFY", f"{body['resource']}?{body['changeType']}", names)

    def _spoil(self, rule: Rule, subscription: Subscription, notice: Notice) -> None:
        if rule.effect == "foreign_state":
            notice.body["clientState"] = "not-yours"
        elif rule.effect == "foreign_subscription":
            notice.body["subscriptionId"] = self._world.guid()
        elif rule.effect == "duplicate":
            for _ in range(rule.count):
                self._queue(self._notice(subscription, notice.body, url=notice.url))
        elif rule.effect == "reorder":
            self._world.rng.shuffle(self._waiting.get(notice.url, []))
            self._queue(notice, first=True)

    # -- sending them

    def _queue(self, notice: Notice, *, first: bool = False) -> None:
        queue = self._waiting.setdefault(notice.url, [])
        if notice in queue:
            return
        queue.insert(0 if first else len(queue), notice)
        self._world.store.put(f"notice/{notice.number}", notice)
        self._set_timer(notice.url, self._world.between(self._world.options.notification_delay))

    def _set_timer(self, url: str, delay: float) -> None:
        if url not in self._timers and not self._closed:
            self._timers.add(url)
            self._world.call_later(delay, lambda: self._flush(url))

    def _flush(self, url: str) -> None:
        self._timers.discard(url)
        queue = self._waiting.get(url)
        if self._closed or not queue:
            return
        batch = queue[:ITEMS_MAX]
        self._waiting[url] = queue[ITEMS_MAX:]
        if self._waiting[url]:
            self._set_timer(url, 0.0)
        self._spawn(self._deliver(url, batch))

    async def _deliver(self, url: str, batch: list[Notice]) -> None:
        body = encode_json({"value": [notice.body for notice in batch]})
        try:
            status, _, _ = await self._post(url, body, dict(_JSON))
            taken = 200 <= status < 300
        except Exception:
            taken = False
        if self._closed:
            return
        if taken:
            self._done(batch)
        else:
            self._try_again(url, batch)
        self._world.store.flush()

    def _done(self, batch: list[Notice]) -> None:
        self.delivered += len(batch)
        for notice in batch:
            self._world.store.drop(f"notice/{notice.number}")

    def _try_again(self, url: str, batch: list[Notice]) -> None:
        """Wait twice as long each time, give up after four hours (Graph docs: webhook delivery)."""
        now, options = self._world.now(), self._world.options
        kept = []
        for notice in batch:
            notice.first_tried_at = notice.first_tried_at or now
            notice.attempts += 1
            if now - notice.first_tried_at < timedelta(seconds=options.webhook_give_up_seconds):
                kept.append(notice)
                self._world.store.put(f"notice/{notice.number}", notice)
            else:
                self._give_up(notice)
        if kept:
            self._waiting[url] = kept + self._waiting.get(url, [])
            wait = options.webhook_retry_seconds * 2 ** (min(notice.attempts for notice in kept) - 1)
            self._set_timer(url, min(wait, 1800.0))

    def _give_up(self, notice: Notice) -> None:
        self.dropped += 1
        self._world.store.drop(f"notice/{notice.number}")
        subscription = self._subscriptions.all.get(notice.subscription)
        if subscription is not None and not notice.lifecycle:
            self.lifecycle(subscription, "missed")
