"""
`RoomCalendar` over Microsoft Graph.

Each method is one call, or one call and its recovery: build the URL, send, turn the answer into our words.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import msgspec

from engine.errors import MailboxClosed, Malformed, Refused, ResyncRequired, Unmatched
from engine.graph.errors import BadRequest, DuplicateSubscription, DuplicateTransaction, Target
from engine.graph.gateway import Call, Gateway
from engine.graph.meter import GatewayMeter
from engine.graph.parse import parse_event, parse_place, parse_subscription, show_change
from engine.graph.payloads import (
    EventItem,
    PlaceItem,
    SubscriptionItem,
    decode_item,
    decode_page,
    value_of,
)
from engine.graph.render import (
    MARKER_ID,
    render_decline,
    render_draft,
    render_end,
    render_instant,
    render_patch,
    render_series,
    render_series_patch,
    render_subscription,
)
from engine.graph.search import search
from engine.graph.urls import check_segment, quote_text
from engine.ids import EventId, ICalUid, LoanNumber
from engine.interval import Interval
from engine.reconcile.series.writes import SeriesEvent, SeriesPatch
from engine.reconcile.telling.texts import narrow_series_subject
from engine.rooms.calendar import Certificate, ChangesPage, EventDraft, EventPatch, RemoteSubscription
from engine.rooms.event import EventCopy
from engine.rooms.room import Place

_encode = msgspec.json.Encoder().encode


class GraphCalendar:
    """The calendar side, as Microsoft Graph shows it to an application."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._urls = gateway.urls

    @property
    def gateway(self) -> Gateway:
        """What carries the calls out, for other parts of the same mailboxes."""
        return self._gateway

    @property
    def meter(self) -> GatewayMeter:
        """What was asked of Graph since the start, and what came of it."""
        return self._gateway.meter

    async def aclose(self) -> None:
        """Close connections and credential."""
        await self._gateway.aclose()

    async def fetch_places(self) -> AsyncIterator[tuple[Place, ...]]:
        """Yield the rooms of the directory (Graph docs: place-list)."""
        call = Call(kind="list places", method="GET", url=self._urls.places)
        async for page in self._gateway.pages(call, PlaceItem):
            places = (parse_place(item) for item in page.items)
            yield tuple(place for place in places if place is not None)

    async def fetch_changes(
        self, room: str, *, link: str | None, window: Interval | None, page_size: int = 200
    ) -> ChangesPage:
        """
        Read one page of changes (Graph docs: event-delta). The window of a chain never moves.

        A token may end in any 40x (Graph docs: delta-query-overview), so a link that is called malformed counts as
        one that is no longer known. So does one of another address: none is kept that leads away from the service that
        gave it, so Graph is asked somewhere else now.
        """
        if link is None and window is None:
            raise ValueError("either a link or a window is needed")
        check_segment(room, "mailbox")
        if link is not None:
            url = self._check_kept(link)
        else:
            assert window is not None
            url = self._urls.changes(room, start=window.start, end=window.end)
        call = Call(
            kind="read changes", method="GET", url=url, mailbox=room, target=Target.MAILBOX, page_size=page_size
        )
        try:
            page = await self._gateway.run(call, lambda body: decode_page(body, EventItem))
        except BadRequest as error:
            if link is None:
                raise
            raise ResyncRequired(f"{error}; the link is of no use any more") from error
        changes = [change for change in map(show_change, page.items) if change is not None]
        next_link = self._urls.check_link(page.next_link) if page.next_link else None
        delta_link = self._urls.check_link(page.delta_link) if page.delta_link and not next_link else None
        if next_link is None and delta_link is None:
            raise Malformed(f"{call.what}: a page of changes came without nextLink and deltaLink")
        unreadable = page.unreadable + len(page.items) - len(changes)
        return ChangesPage(tuple(changes), next_link, delta_link, unreadable)

    def _check_kept(self, link: str) -> str:
        try:
            return self._urls.check_link(link)
        except Malformed as error:
            raise ResyncRequired(f"{error}; it was given at another address than Graph has now") from error

    async def fetch_event(self, mailbox: str, event_id: EventId) -> EventCopy | None:
        """Read one copy; None only when Graph itself says that the item is not there."""
        url = self._urls.event_with_fields(mailbox, event_id)
        call = Call(kind="read event", method="GET", url=url, mailbox=mailbox, target=Target.ITEM, expects=(Unmatched,))
        try:
            return await self._gateway.run(call, _decode_event)
        except Unmatched:
            return None

    async def fetch_dates(self, mailbox: str, master_id: EventId, window: Interval) -> tuple[EventCopy, ...] | None:
        """List a series' occurrences and exceptions, a cancelled one not (Graph docs: event-list-instances)."""
        call = Call(
            kind="list dates",
            method="GET",
            url=self._urls.dates(mailbox, master_id, start=window.start, end=window.end),
            mailbox=mailbox,
            target=Target.ITEM,
        )
        try:
            pages = self._gateway.pages(call, EventItem)
            return tuple([parse_event(item) async for page in pages for item in page.items if item.id])
        except Unmatched:
            return None

    async def find_event(self, mailbox: str, ical_uid: ICalUid) -> EventCopy | None:
        """Find a copy by the uid all copies share (Graph docs: user-list-events, $filter)."""
        if not ical_uid:
            raise Malformed("an empty iCalUId names no meeting")
        url = self._urls.find_events(mailbox, f"iCalUId eq {quote_text(ical_uid)}", top=2)
        return await self._search(mailbox, url, lambda item: item.ical_uid == ical_uid)

    async def find_marked_event(self, mailbox: str, loan_ref: str) -> EventCopy | None:
        """Find the event that carries our marker (Graph docs: singlevaluelegacyextendedproperty-get)."""
        if not loan_ref:
            raise Malformed("an empty marker names no loan")
        condition = (
            f"singleValueExtendedProperties/Any(ep: ep/id eq {quote_text(MARKER_ID)} "
            f"and ep/value eq {quote_text(loan_ref)})"
        )
        url = self._urls.find_events(mailbox, condition, top=2, shows=MARKER_ID)
        wanted = loan_ref.casefold()  # the filter does not mind the case
        return await self._search(mailbox, url, lambda item: value_of(item.extended, MARKER_ID).casefold() == wanted)

    async def create_event(self, mailbox: str, draft: EventDraft) -> EventCopy:
        """Create the event; a lost answer is repeated, which its transaction id makes harmless (Graph docs: event)."""
        return await self._create("create event", mailbox, render_draft(draft), draft.loan_ref)

    async def create_series(self, mailbox: str, event: SeriesEvent) -> EventCopy:
        """Create a series; its transaction id makes it as harmless to repeat as a single event."""
        return await self._create("create series", mailbox, render_series(event), event.loan_ref)

    async def change_series(self, mailbox: str, master: EventCopy, patch: SeriesPatch) -> EventCopy:
        """Change every date of a series; a change of its hours drops its exceptions (MS-OXOCAL 3.1.4.7.3.5)."""
        body = render_series_patch(master, patch)
        if_match = master.etag or None
        call = self._on_event("change series", "PATCH", mailbox, master.event_id, body=body, if_match=if_match)
        return await self._gateway.run(call, _decode_event)

    async def end_series(
        self, mailbox: str, event_id: EventId, last: date, stays: tuple[LoanNumber, LoanNumber] | None
    ) -> None:
        """Shorten a series; what is after *last* is cancelled (Graph docs: recurrenceRange)."""
        read = self._on_event("read series", "GET", mailbox, event_id)
        master = await self._gateway.run(read, msgspec.json.decode)
        body = render_end(master["recurrence"], last) if master.get("recurrence") else None
        if body is not None:
            subject = narrow_series_subject(master["subject"], *stays) if stays is not None else master["subject"]
            if subject != master["subject"]:
                body["subject"] = subject
            if_match = master.get("@odata.etag")
            call = self._on_event("end series", "PATCH", mailbox, event_id, body=body, if_match=if_match)
            await self._gateway.run(call, _ignore)

    async def _create(self, kind: str, mailbox: str, body: dict[str, Any], loan_ref: str) -> EventCopy:
        call = Call(
            kind=kind,
            method="POST",
            url=self._urls.events(mailbox),
            mailbox=mailbox,
            target=Target.MAILBOX,
            body=_encode(body),
            is_repeatable=bool(body["transactionId"]),
        )
        try:
            return await self._gateway.run(call, _decode_event)
        except DuplicateTransaction as error:
            existing = await self.find_marked_event(mailbox, loan_ref)
            if existing is None:
                raise Refused(f"{error}; and no event of ours carries the marker {loan_ref}") from error
            return existing

    async def change_event(self, mailbox: str, copy: EventCopy, patch: EventPatch) -> EventCopy:
        """Change only what *patch* names, if the etag is still the newest; nothing to change sends nothing."""
        body = render_patch(copy, patch)
        if not body:
            return copy
        call = self._on_event("change event", "PATCH", mailbox, copy.event_id, body=body, if_match=copy.etag or None)
        return await self._gateway.run(call, _decode_event)

    async def delete_event(self, mailbox: str, event_id: EventId, *, etag: str = "") -> bool:
        """Delete the organizer's copy; attendees get a cancellation (Graph docs: event-delete)."""
        call = self._on_event("delete event", "DELETE", mailbox, event_id, if_match=etag or None)
        return await self._run_unless_gone(call)

    async def decline_event(self, mailbox: str, event_id: EventId, comment: str) -> bool:
        """Decline on behalf of *mailbox* and tell the organizer (Graph docs: event-decline)."""
        url = self._urls.decline(mailbox, event_id)
        body = _encode(render_decline(comment))
        call = Call(kind="decline event", method="POST", url=url, mailbox=mailbox, target=Target.ITEM, body=body)
        return await self._run_unless_gone(call)

    async def create_subscription(
        self,
        room: str,
        *,
        notification_url: str,
        lifecycle_url: str,
        client_state: str,
        expires_at: datetime,
        has_other_name: bool = False,
        certificate: Certificate | None = None,
    ) -> RemoteSubscription:
        """
        Subscribe to *room*'s events; one that stands in the way is replaced.

        With *has_other_name* a refusal is no fault: the caller asks again under that name (decision 0009).

        On 409 the old one is deleted, not adopted: lists never show its client state (Graph docs: subscription), so
        its notifications could not be told from forged ones.
        """
        body = render_subscription(
            room=_check_resource(room),
            notification_url=notification_url,
            lifecycle_url=lifecycle_url,
            client_state=client_state,
            expires_at=expires_at,
            certificate=certificate,
        )
        call = Call(
            kind="create subscription",
            method="POST",
            url=self._urls.subscriptions,
            body=_encode(body),
            expects=(Malformed, Refused, Unmatched, MailboxClosed) if has_other_name else (),
        )
        try:
            return await self._gateway.run(call, _decode_subscription)
        except DuplicateSubscription:
            for existing in await self.fetch_subscriptions():
                if _same_resource(existing.resource, body["resource"]):
                    await self.delete_subscription(existing.id)
            return await self._gateway.run(call, _decode_subscription)

    async def renew_subscription(self, subscription_id: str, *, expires_at: datetime) -> RemoteSubscription | None:
        """Prolong; None when it is gone (Graph docs: subscription-update)."""
        call = Call(
            kind="renew subscription",
            method="PATCH",
            url=self._urls.subscription(subscription_id),
            body=_encode({"expirationDateTime": render_instant(expires_at)}),
        )
        try:
            return await self._gateway.run(call, _decode_subscription)
        except Unmatched:
            return None

    async def delete_subscription(self, subscription_id: str) -> None:
        """Delete; already gone is fine (Graph docs: subscription-delete)."""
        url = self._urls.subscription(subscription_id)
        await self._run_unless_gone(Call(kind="delete subscription", method="DELETE", url=url))

    async def fetch_subscriptions(self) -> Sequence[RemoteSubscription]:
        """List this application's subscriptions (Graph docs: subscription-list). Few per second are allowed."""
        call = Call(kind="list subscriptions", method="GET", url=self._urls.subscriptions)
        pages = self._gateway.pages(call, SubscriptionItem)
        return tuple([parse_subscription(item) async for page in pages for item in page.items])

    async def _search(self, mailbox: str, url: str, is_wanted: Callable[[EventItem], bool]) -> EventCopy | None:
        call = Call(kind="find event", method="GET", url=url, mailbox=mailbox, target=Target.MAILBOX)
        return await search(self._gateway, call, is_wanted)

    def _on_event(
        self,
        kind: str,
        method: str,
        mailbox: str,
        event_id: EventId,
        *,
        body: dict[str, Any] | None = None,
        if_match: str | None = None,
    ) -> Call:
        return Call(
            kind=kind,
            method=method,
            url=self._urls.event(mailbox, event_id),
            mailbox=mailbox,
            target=Target.ITEM,
            body=_encode(body) if body else b"",
            if_match=if_match,
        )

    async def _run_unless_gone(self, call: Call) -> bool:
        try:
            await self._gateway.run(replace(call, expects=(Unmatched,)), _ignore)
        except Unmatched:
            return False
        return True


def _decode_event(body: bytes) -> EventCopy:
    item = decode_item(body, EventItem)
    if item is None:
        raise msgspec.DecodeError("no event came back")
    return parse_event(item)


def _decode_subscription(body: bytes) -> RemoteSubscription:
    item = decode_item(body, SubscriptionItem)
    if item is None:
        raise msgspec.DecodeError("no subscription came back")
    return parse_subscription(item)


def _ignore(body: bytes) -> None:
    """The answer has no body worth reading (202, 204)."""


def _check_resource(room: str) -> str:
    """Return *room* as a segment of a subscription's resource, which is sent as it stands."""
    if any(character in room for character in "/?#%' "):
        raise Malformed(f"{room!r} cannot stand in a subscription's resource; use the directory id")
    return check_segment(room, "mailbox")


def _same_resource(left: str, right: str) -> bool:
    """Compare what two subscriptions watch, whatever they select of it."""
    return left.partition("?")[0].strip("/").casefold() == right.partition("?")[0].strip("/").casefold()
