"""
The tenant: one entry for every request, and the order in which a request meets faults, limits and rules.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from typing import Any

from engine.simulator.answering.attendant import Attendant
from engine.simulator.answering.steps import Steps
from engine.simulator.calendars.records import Mailbox
from engine.simulator.control import Control
from engine.simulator.graph.batch import answer_batch
from engine.simulator.graph.contacts import Contacts
from engine.simulator.graph.delta import Delta
from engine.simulator.graph.events import Events, unknown_segment
from engine.simulator.graph.forwarding import Forwarding
from engine.simulator.graph.meetings import Meetings
from engine.simulator.graph.outlook import Outlook
from engine.simulator.graph.paths import is_write, path_kind, refuse_closed, unknown_user, within_calendar
from engine.simulator.graph.places import Places
from engine.simulator.graph.users import Users
from engine.simulator.notices.content import Tokens
from engine.simulator.notices.courier import Courier
from engine.simulator.notices.subscriptions import Post, Subscriptions
from engine.simulator.office import Office
from engine.simulator.options import TenantOptions
from engine.simulator.sign_in.delegated import Delegated
from engine.simulator.sign_in.identity import Identity
from engine.simulator.sign_in.permissions import Permissions
from engine.simulator.store import open_store
from engine.simulator.weather.faults import AFTER, BEFORE, CONSENT, Faults, Rule
from engine.simulator.weather.storm import raise_storm
from engine.simulator.weather.throttle import Throttle
from engine.simulator.wire import ConnectionDropped, GraphError, Request, Response, error_response, json_response
from engine.simulator.world import World

HTML_PAGE = (
    b"<!DOCTYPE html><html><head><title>Service unavailable</title></head><body>Service unavailable</body></html>"
)
_EVENTS = frozenset({"events", "calendarview"})
_DELAY = frozenset({"delay"})


class Tenant:
    """
    A Microsoft 365 tenant in memory: directory, calendars, attendants, subscriptions.

    Args:
        options: see TenantOptions.
        now: the clock; aware UTC.
        call_later: like `loop.call_later`; the only way anything happens by itself.
        post: sends `(url, body, headers)` to a webhook and returns (status, content type, body); raises when the
            receiver cannot be reached or is too slow.
        spawn: runs a coroutine in the background, like `loop.create_task`.
        seed: overrides the seed in *options*.
    """

    def __init__(
        self,
        options: TenantOptions | None = None,
        *,
        now: Callable[[], datetime],
        call_later: Callable[[float, Callable[[], None]], Any],
        post: Post,
        spawn: Callable[[Coroutine[Any, Any, None]], Any],
        seed: int | None = None,
    ) -> None:
        self.options = options or TenantOptions()
        store = open_store(self.options.state_file)
        seed = self.options.seed if seed is None else seed
        self.world = World(self.options, store, now=now, call_later=call_later, seed=seed)
        self.steps = Steps(self.world)
        self.attendant = Attendant(self.world, self.steps)
        self.meetings = Meetings(self.world, self.attendant)
        self.faults = Faults(self.world.rng)
        self.subscriptions = Subscriptions(self.world, self.faults, post)
        self.tokens = Tokens(self.options, now)
        self.courier = Courier(self.world, self.subscriptions, self.faults, tokens=self.tokens, post=post, spawn=spawn)
        self.throttle = Throttle(self.options, now)
        self.identity = Identity(self.options, now)
        self.permissions = Permissions(self.options.granted)
        self.delegated = Delegated(self.world, self.identity, now)
        self.requests: Counter[tuple[str, str, str]] = Counter()
        """Graph requests by (method, kind of path, mailbox id or ""), batch parts counted singly."""
        self.statuses: Counter[int] = Counter()
        self.http_requests = 0
        self.office = Office(self.world, self.attendant, self.meetings)
        self._places = Places(self.world)
        self._users = Users(self.world)
        self._outlook = Outlook(self.world)
        self.contacts = Contacts(self.world)
        forwarding = Forwarding(self.world, self.steps, self.attendant)
        self._events = Events(self.world, self.meetings, forwarding, Delta(self.world, self.faults))
        self._control = Control(self)
        self._serial = 0
        if self.options.fault_seed is not None:
            raise_storm(self.faults, self.options.fault_seed)
        self._start()

    def _start(self) -> None:
        self.steps.resume()
        self.subscriptions.resume()
        self.courier.resume()
        self.world.store.flush()

    def close(self) -> None:
        """Stop acting and close the state file; steps and notices that wait are kept in it."""
        self.steps.close()
        self.courier.close()
        self.world.store.close()

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is on its way inside the tenant: no step, no notice."""
        return self.steps.waiting == 0 and self.courier.waiting == 0

    def stats(self) -> dict[str, Any]:
        """Return the exact counts since the last reset; writes are what changes an event or answers one."""
        by_kind: Counter[str] = Counter()
        by_mailbox: Counter[str] = Counter()
        for (method, kind, mailbox), count in self.requests.items():
            by_kind[f"{method} {kind}"] += count
            by_mailbox[self.world.mailboxes[mailbox].address if mailbox else ""] += count
        return {
            "requests": sum(self.requests.values()) - self.requests["POST", "batch", ""],
            "http_requests": self.http_requests,
            "writes": sum(count for (method, kind, _), count in self.requests.items() if is_write(method, kind)),
            "by_kind": dict(by_kind),
            "by_mailbox": dict(by_mailbox),
            "statuses": {str(status): count for status, count in self.statuses.items()},
            "mails": self.world.mails,
            "notices_delivered": self.courier.delivered,
            "notices_dropped": self.courier.dropped,
            "throttled": self.throttle.refused,
        }

    def reset_stats(self) -> None:
        """Begin counting anew."""
        self.requests.clear()
        self.statuses.clear()
        self.http_requests = self.world.mails = self.courier.delivered = self.courier.dropped = 0
        self.throttle.refused = 0

    # -- one request

    async def handle(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Response:
        """
        Answer one HTTP request.

        Args:
            url: absolute, or a path that starts with a slash; links in answers point to the same host.
            headers: names in any case.

        Raises:
            ConnectionDropped: a fault ended the connection; the request may or may not have been carried out.
        """
        request = Request(method, url, headers, body)
        segments = request.segments
        if segments[0] == "v1.0":
            self.http_requests += 1
            if len(segments) == 2 and segments[1].lower() == "$batch":
                return await self._batch(request)
            return await self._serve(request)
        try:
            response = self._elsewhere(request)
        except GraphError as error:
            response = self._refusal(request, error)
        self.world.store.flush()
        return response

    def _elsewhere(self, request: Request) -> Response:
        """Answer what is not Graph: sign-in and the control room."""
        segments = [part.lower() for part in request.segments]
        if segments[0] == "sim":
            return self._control.answer(request)
        if segments[1:] in (["adminconsent"], ["v2.0", "adminconsent"]) and request.method == "GET":
            refused = self.faults.pick(CONSENT, request.method, request.path, frozenset())
            return self.identity.consent(request, refused=refused is not None)
        if segments[1:] == ["oauth2", "v2.0", "token"] and request.method == "POST":
            self._check_tenant(request.segments[0])
            grants = {"authorization_code": self.delegated.redeem, "refresh_token": self.delegated.renew}
            return self.identity.issue(request, grants)
        if segments[1:] == ["oauth2", "v2.0", "authorize"] and request.method in ("GET", "POST"):
            self._check_tenant(request.segments[0])
            return self.delegated.authorize(request)
        if segments[1:] == ["v2.0", ".well-known", "openid-configuration"]:
            return self.identity.discover(request)
        if segments[1:] == ["discovery", "v2.0", "keys"] and request.method == "GET":
            return json_response(200, self.tokens.keys())
        raise unknown_segment(request.path)

    def _check_tenant(self, name: str) -> None:
        if name.lower() not in (self.options.tenant_id.lower(), *self.options.domains):
            raise GraphError(400, "invalid_tenant", f"AADSTS90002: Tenant '{name}' not found.")

    async def _batch(self, request: Request) -> Response:
        self.requests["POST", "batch", ""] += 1
        try:
            self.identity.check(request)
            return await answer_batch(request, self._serve)
        except GraphError as error:
            return self._refusal(request, error)

    async def _serve(self, request: Request) -> Response:
        """Carry out one Graph request: faults before, limits, rules, faults after."""
        mailbox = self._mailbox_of(request.segments)
        self._count(request, mailbox)
        names = self._names(request.segments, mailbox) if self.faults.rules else frozenset[str]()
        try:
            if self.faults.rules:
                early = await self._fault_before(request, names)
                if early is not None:
                    return early
            response = await self._limited(request, mailbox)
        except GraphError as error:
            response = self._refusal(request, error)
        self.world.store.flush()
        if self.faults.rules:
            response = await self._fault_after(request, names, response)
        self._stamp(request, response)
        self.statuses[response.status] += 1
        return response

    async def _limited(self, request: Request, mailbox: Mailbox | None) -> Response:
        caller = self.identity.check(request)
        if self.permissions.limits(caller) and not self._is_unknown(request, mailbox):
            self.permissions.check(caller, request, self._addresses(request, mailbox))
        if mailbox is None:
            return await self._route(request, None)
        self.throttle.enter(mailbox.id)
        try:
            await self._pause(self.world.between(self.options.latency))
            return await self._route(request, mailbox)
        finally:
            self.throttle.leave(mailbox.id)

    async def _pause(self, seconds: float) -> None:
        if seconds <= 0:
            return
        waiting = asyncio.get_running_loop().create_future()
        self.world.call_later(seconds, lambda: None if waiting.done() else waiting.set_result(None))
        await waiting

    # -- where it goes

    async def _route(self, request: Request, mailbox: Mailbox | None) -> Response:
        segments = request.segments
        head = segments[1].lower() if len(segments) > 1 else ""
        if head == "users":
            return self._route_user(request, mailbox, segments)
        if head == "places" and request.method == "GET":
            return self._places.answer(request)
        if head == "subscriptions":
            self.throttle.count_subscription_call(request.method, segments)
            return await self._route_subscription(request, segments)
        raise unknown_segment(head)

    def _route_user(self, request: Request, mailbox: Mailbox | None, segments: list[str]) -> Response:
        if len(segments) == 2:
            return self._users.list_all(request)
        if mailbox is None or mailbox.kind == "external" or mailbox.state == "removed":
            raise unknown_user(segments)
        if len(segments) == 3:
            return self._users.get(mailbox, request)
        rest = segments[3:]
        refuse_closed(mailbox)
        if rest[0].lower() == "mailboxsettings" and request.method == "GET":
            return self._users.settings(mailbox, request, rest[1] if len(rest) > 1 else None)
        found = self._outlook.answer(mailbox, rest, request)
        if found is not None:
            return found
        if rest[0].lower() == "contactfolders":
            return self.contacts.answer(mailbox, rest, request)
        rest = within_calendar(rest, mailbox)
        if rest and rest[0].lower() in _EVENTS:
            return self._events.answer(mailbox, rest, request)
        if rest and rest[0].lower().removeprefix("microsoft.graph.") == "getschedule" and request.method == "POST":
            return self._users.schedule(request)
        raise unknown_segment(rest[0] if rest else "calendar")

    async def _route_subscription(self, request: Request, segments: list[str]) -> Response:
        calls = self.subscriptions
        match request.method, len(segments):
            case "POST", 2:
                return await calls.create(request)
            case "GET", 2:
                return calls.list_all(request)
            case "GET", 3:
                return calls.get(request)
            case "PATCH", 3:
                return await calls.update(request)
            case "DELETE", 3:
                return calls.delete(request)
            case "POST", 4 if segments[3].lower() == "reauthorize":
                return calls.reauthorize(request)
        raise unknown_segment(segments[-1])

    def _mailbox_of(self, segments: list[str]) -> Mailbox | None:
        if len(segments) > 2 and segments[1].lower() == "users":
            return self.world.find_mailbox(segments[2])
        return None

    def _is_unknown(self, request: Request, mailbox: Mailbox | None) -> bool:
        """Tell whether a request names somebody who is not there: that is said before anything about permissions."""
        return mailbox is None and len(request.segments) > 2 and request.segments[1].lower() == "users"

    def _addresses(self, request: Request, mailbox: Mailbox | None) -> frozenset[str]:
        """Return the addresses of the mailbox a request is about; that of a new subscription is in its resource."""
        if mailbox is None and request.method == "POST" and request.segments[1].lower() == "subscriptions":
            parts = str(request.json.get("resource", "")).strip("/").split("/")
            mailbox = self.world.find_mailbox(parts[1]) if len(parts) > 1 else None
        return self.world.addresses_of(mailbox) if mailbox is not None else frozenset()

    # -- faults, counters, errors

    def _names(self, segments: list[str], mailbox: Mailbox | None) -> frozenset[str]:
        if mailbox is not None:
            return self.world.addresses_of(mailbox) | {mailbox.id}
        return frozenset({segments[2].lower()} if len(segments) > 2 else ())

    async def _fault_before(self, request: Request, names: frozenset[str]) -> Response | None:
        delay = self.faults.pick(_DELAY, request.method, request.path, names)
        if delay is not None:
            await self._pause(delay.seconds)
        rule = self.faults.pick(BEFORE, request.method, request.path, names)
        return None if rule is None else self._misbehave(request, rule)

    async def _fault_after(self, request: Request, names: frozenset[str], response: Response) -> Response:
        """Spoil the answer of a request that succeeded: the caller cannot know it did (timeout after commit)."""
        if response.status >= 400:
            return response
        rule = self.faults.pick(AFTER, request.method, request.path, names)
        if rule is None:
            return response
        if rule.effect == "delay_after":
            await self._pause(rule.seconds)
            return response
        return self._misbehave(request, rule)

    def _misbehave(self, request: Request, rule: Rule) -> Response:
        if rule.effect.startswith("drop"):
            raise ConnectionDropped(request.path)
        if rule.effect == "empty_list":
            return json_response(
                200, {"@odata.context": f"{request.base}/v1.0/$metadata#{request.segments[1]}", "value": []}
            )
        headers = {"Retry-After": rule.retry_after} if rule.retry_after is not None else {}
        if rule.effect.startswith("html"):
            return Response(rule.status, {"Content-Type": "text/html; charset=utf-8", **headers}, HTML_PAGE)
        return self._refusal(request, GraphError(rule.status, rule.shown_code, rule.message, headers=headers))

    def _refusal(self, request: Request, error: GraphError) -> Response:
        self._serial += 1
        request_id = f"{self.options.seed & 0xFFFFFFFF:08x}-0000-4000-8000-{self._serial:012x}"
        client_id = request.headers.get("client-request-id", request_id)
        date = f"{self.world.now():%Y-%m-%dT%H:%M:%S}"
        response = error_response(error, request_id=request_id, client_request_id=client_id, date=date)
        response.headers["request-id"] = request_id
        response.headers["client-request-id"] = client_id
        return response

    def _stamp(self, request: Request, response: Response) -> None:
        if "request-id" not in response.headers:
            self._serial += 1
            response.headers["request-id"] = f"{self.options.seed & 0xFFFFFFFF:08x}-0000-4000-8000-{self._serial:012x}"
            if "client-request-id" in request.headers:
                response.headers["client-request-id"] = request.headers["client-request-id"]

    def _count(self, request: Request, mailbox: Mailbox | None) -> None:
        self.requests[request.method, path_kind(request.segments), mailbox.id if mailbox else ""] += 1
