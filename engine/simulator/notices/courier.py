"""
Change notifications on their way: collected per receiver, posted together, tried again for four hours.

Sources: Graph docs, change-notifications-delivery-webhooks (payload, several subscriptions in one body, retry),
change-notifications-lifecycle-events. A notice waits as a document until its receiver has taken it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

import msgspec

from engine.simulator.calendars.records import Event, Mailbox, Notice, Subscription
from engine.simulator.graph.render import Style, render_event
from engine.simulator.notices.content import SPOILERS, Tokens, Wrap, encrypt, wrap_key
from engine.simulator.notices.endpoints import DROP, RETRY_SECONDS, SLOW, SLOW_SECONDS, WINDOW, Endpoints
from engine.simulator.notices.subscriptions import Post, Subscriptions
from engine.simulator.times import render_instant
from engine.simulator.weather.faults import LIFECYCLE, NOTICES, Faults, Rule
from engine.simulator.wire import encode_json
from engine.simulator.world import World, etag, render_id

Spawn = Callable[[Coroutine[Any, Any, None]], Any]
ITEMS_MAX = 100
_JSON = {"Content-Type": "application/json; charset=utf-8"}


class Courier:
    """Turns changes into notices and notices into POSTs."""

    def __init__(
        self, world: World, subscriptions: Subscriptions, faults: Faults, *, tokens: Tokens, post: Post, spawn: Spawn
    ) -> None:
        self._world = world
        self._subscriptions = subscriptions
        self._faults = faults
        self._tokens = tokens
        self._post = post
        self._spawn = spawn
        self._waiting: dict[str, list[Notice]] = {}
        self._timers: set[str] = set()
        self._held_until: dict[str, datetime] = {}
        self._delayed: dict[int, Notice] = {}
        self._paused: dict[str, list[Notice]] = {}
        self._missed: set[str] = set()
        self._closed = False
        self.endpoints = Endpoints(world.options, world.now)
        self.delivered = 0
        self.dropped = 0
        self.retouch: Callable[[dict[str, Any]], None] = lambda _shown: None
        """Changes what a notice is to show of an event, before it is sealed."""
        self.wrap: Wrap = wrap_key
        """Wraps the keys of what notices bring."""
        world.listeners.append(self._on_change)
        subscriptions.on_lifecycle = self.lifecycle
        subscriptions.on_resumed = self._on_resumed

    @property
    def waiting(self) -> int:
        """How many notices have not been taken yet; those of paused subscriptions are not on their way."""
        return sum(len(notices) for notices in self._waiting.values()) + len(self._delayed)

    def close(self) -> None:
        """Send nothing more; what waits stays in the store."""
        self._closed = True

    def resume(self) -> None:
        """Send again what a former life left undelivered."""
        for raw in self._world.store.load("notice"):
            notice = msgspec.json.decode(raw, type=Notice)
            self._world.sequence = max(self._world.sequence, notice.number)
            subscription = self._subscriptions.all.get(notice.subscription)
            if notice.not_before is not None and notice.not_before > self._world.now():
                self._delay(notice, notice.not_before)
            elif subscription is not None and subscription.paused and not notice.lifecycle:
                self._hold_back(notice)
            else:
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
        """Return the item: id and etag only (Graph docs: changenotification), and what is left of the event, encrypted,
        where the subscription asks for that."""
        shown = render_id(event.key, immutable=subscription.immutable_ids)
        resource = self._resource(event.mailbox, shown)
        return {
            **self._common(subscription),
            "changeType": change,
            "resource": resource,
            "resourceData": {
                "@odata.type": "#Microsoft.Graph.Event", "@odata.id": resource, "@odata.etag": etag(event), "id": shown,
            },
            **self._content(subscription, change, event),
        }  # fmt: skip

    def _content(self, subscription: Subscription, change: str, event: Event) -> dict[str, Any]:
        if subscription.certificate is None or change == "deleted":
            return {}
        style = Style(immutable=subscription.immutable_ids, shares_uid=self._world.options.occurrences_share_ical_uid)
        style.fields = frozenset(subscription.fields)
        shown = render_event(event, style)
        self.retouch(shown)
        certificate_id = subscription.certificate_id or ""
        sealed = encrypt(shown, subscription.certificate, certificate_id, self._world.rng, wrap=self.wrap)
        return {"encryptedContent": sealed}

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
        effect = rule.effect if rule is not None else ""
        url = subscription.notification_url
        state = self.endpoints.state(url)
        if effect == "lose":
            return
        if state == DROP or effect == "drop_endpoint":
            self._lose(subscription)
            return
        if rule is not None and effect in LIFECYCLE:
            self._turn_into_lifecycle(effect, subscription)
            if not subscription.paused:
                return
        notice = self._notice(subscription, body, url=url)
        body["id"] = f"lsg{notice.number:08}"
        if rule is not None:
            self._spoil(rule, subscription, notice)
        if effect == "late" and rule is not None:
            self._delay(notice, self._world.now() + timedelta(seconds=rule.seconds))
        elif state == SLOW or effect == "slow_endpoint":
            self._delay(notice, self._world.now() + WINDOW)
        elif subscription.paused:
            self._hold_back(notice)
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
        elif rule.effect in SPOILERS:
            if "encryptedContent" in notice.body:
                notice.body["encryptedContent"] = SPOILERS[rule.effect](notice.body["encryptedContent"])
        elif rule.effect == "duplicate":
            for _ in range(rule.count):
                self._queue(self._notice(subscription, notice.body, url=notice.url))
        elif rule.effect == "reorder":
            self._world.rng.shuffle(self._waiting.get(notice.url, []))
            self._queue(notice, first=True)
        elif rule.effect == "batch":
            self._held_until[notice.url] = self._world.now() + timedelta(seconds=rule.seconds)

    def _turn_into_lifecycle(self, effect: str, subscription: Subscription) -> None:
        """Send word about the subscription where word about an event was due."""
        if effect == "reauthorize":
            self._subscriptions.pause(subscription)
        elif effect == "remove_subscription":
            self.lifecycle(subscription, "subscriptionRemoved")
            self._subscriptions.remove(subscription)
        else:
            self.lifecycle(subscription, "missed")

    # -- notices that do not go out yet

    def _lose(self, subscription: Subscription) -> None:
        """Drop a notice for good; once the ten minutes are over, `missed` says so (that it does is our reading)."""
        self.dropped += 1
        if subscription.id not in self._missed and subscription.lifecycle_url:
            self._missed.add(subscription.id)
            self._world.call_later(WINDOW.total_seconds(), lambda: self._tell_missed(subscription))

    def _tell_missed(self, subscription: Subscription) -> None:
        self._missed.discard(subscription.id)
        if not self._closed and self._subscriptions.all.get(subscription.id) is subscription:
            self.lifecycle(subscription, "missed")

    def _delay(self, notice: Notice, until: datetime) -> None:
        notice.not_before = until
        self._delayed[notice.number] = notice
        self._keep(notice)
        wait = max(0.0, (until - self._world.now()).total_seconds())
        self._world.call_later(wait, lambda: self._release(notice))

    def _release(self, notice: Notice) -> None:
        if self._delayed.pop(notice.number, None) is not None and not self._closed:
            self._queue(notice)

    def _hold_back(self, notice: Notice) -> None:
        """Keep a notice of a paused subscription, for four hours at most (Graph docs: webhook delivery)."""
        self._paused.setdefault(notice.subscription, []).append(notice)
        self._keep(notice)
        self._world.call_later(self._world.options.webhook_give_up_seconds, lambda: self._expire(notice))

    def _expire(self, notice: Notice) -> None:
        held = self._paused.get(notice.subscription, [])
        if notice in held and not self._closed:
            held.remove(notice)
            self._give_up(notice)

    def _on_resumed(self, subscription: Subscription) -> None:
        for notice in self._paused.pop(subscription.id, []):
            self._queue(notice)

    # -- sending them

    def _queue(self, notice: Notice, *, first: bool = False) -> None:
        queue = self._waiting.setdefault(notice.url, [])
        if notice in queue:
            return
        queue.insert(0 if first else len(queue), notice)
        self._keep(notice)
        self._set_timer(notice.url, self._world.between(self._world.options.notification_delay))

    def _keep(self, notice: Notice) -> None:
        self._world.store.put(f"notice/{notice.number}", notice)

    def _set_timer(self, url: str, delay: float) -> None:
        if url not in self._timers and not self._closed:
            self._timers.add(url)
            self._world.call_later(delay, lambda: self._flush(url))

    def _flush(self, url: str) -> None:
        self._timers.discard(url)
        queue = self._waiting.get(url)
        if self._closed or not queue:
            return
        now = self._world.now()
        held = (self._held_until.pop(url, now) - now).total_seconds()
        if held > 0:
            self._set_timer(url, held)
            return
        batch = queue[:ITEMS_MAX]
        self._waiting[url] = queue[ITEMS_MAX:]
        if self._waiting[url]:
            self._set_timer(url, 0.0)
        self._spawn(self._deliver(url, batch))

    async def _deliver(self, url: str, batch: list[Notice]) -> None:
        items = [notice.body for notice in batch]
        tokens = [self._tokens.current()] if any("encryptedContent" in item for item in items) else []
        body = encode_json({"value": items, **({"validationTokens": tokens} if tokens else {})})
        began = self._world.now()
        limit = RETRY_SECONDS if any(notice.attempts for notice in batch) else SLOW_SECONDS
        try:
            async with asyncio.timeout(limit):
                status, _, _ = await self._post(url, body, dict(_JSON))
            taken = 200 <= status < 300
        except Exception:
            taken = False
        self.endpoints.note(url, (self._world.now() - began).total_seconds())
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
                self._keep(notice)
            else:
                self._give_up(notice)
        if kept:
            self._waiting[url] = kept + self._waiting.get(url, [])
            wait = min(options.webhook_retry_seconds * 2 ** (min(notice.attempts for notice in kept) - 1), 1800.0)
            if url in self._timers:  # what waits behind these, or has come since, would take them along at once
                self._held_until[url] = now + timedelta(seconds=wait)
            self._set_timer(url, wait)

    def _give_up(self, notice: Notice) -> None:
        self.dropped += 1
        self._world.store.drop(f"notice/{notice.number}")
        subscription = self._subscriptions.all.get(notice.subscription)
        if subscription is not None and not notice.lifecycle:
            self.lifecycle(subscription, "missed")
