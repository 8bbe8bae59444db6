"""The passes over subscriptions: `subscription:<room>` keeps one alive, `subscription:all` compares them with the list.

Both plan with `subscriptions.plan` and carry each action out; every action may run twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol, assert_never

from engine.errors import AccessDenied, Duplicate, MailboxClosed, Malformed, Refused, Unmatched
from engine.ids import BookableId
from engine.rooms.calendar import Certificate, RemoteSubscription
from engine.subscriptions.plan import (
    CONTENT_LIFETIME,
    LIFETIME,
    Action,
    Adopt,
    Create,
    Delete,
    Delivery,
    Endpoint,
    Forget,
    Held,
    Listing,
    Renew,
    Replace,
    Wanted,
    find_in_the_way,
    plan_subscriptions,
    wanted_certificate,
)

log = logging.getLogger(__name__)


class SubscriptionService(Protocol):
    """The part of `RoomCalendar` that subscribes."""

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
    ) -> RemoteSubscription: ...

    async def renew_subscription(self, subscription_id: str, *, expires_at: datetime) -> RemoteSubscription | None: ...

    async def delete_subscription(self, subscription_id: str) -> None: ...

    async def fetch_subscriptions(self) -> Sequence[RemoteSubscription]: ...


class SubscriptionStore(Protocol):
    """What we hold, each method one transaction."""

    def load_held(self) -> tuple[Held, ...]: ...

    def find_held(self, room_id: BookableId) -> Held | None: ...

    def load_wanted(self) -> tuple[Wanted, ...]: ...

    def find_wanted(self, room_id: BookableId) -> Wanted | None: ...

    def begin_creation(self, room_id: BookableId, *, certificate: str = "") -> str:
        """Return the client state to create with, committed. *certificate*: the id of what it is to use; "": none."""
        ...

    def finish_creation(
        self, room_id: BookableId, *, remote_id: str, expires_at: datetime, content_refusal: str = ""
    ) -> None:
        """Store the answer, and mark the room to be read. *content_refusal*: in what words the service would not make
        one that brings events, so that this brings none."""
        ...

    def finish_renewal(self, room_id: BookableId, *, remote_id: str, expires_at: datetime) -> None: ...

    def clear(self, room_id: BookableId, *, remote_id: str) -> None:
        """Forget one that is gone, and mark the room to be read."""
        ...

    def drop(self, room_id: BookableId) -> None: ...

    def mark_rooms(self, room_ids: tuple[BookableId, ...]) -> None: ...


class Rooms(Protocol):
    def suspend(self, room_id: BookableId, reason: str) -> bool:
        """Stop asking a room, tell people why, cancel nothing."""
        ...


class Addresses(Protocol):
    """Where Graph reaches us."""

    @property
    def notification_url(self) -> str: ...

    @property
    def lifecycle_url(self) -> str: ...


class SubscriptionPass:
    """
    Keeps subscriptions right.

    Args:
        service, store: the two sides.
        rooms: where a room is suspended whose mailbox refuses us.
        addresses: where Graph calls us.
        delivery: `push` or `poll`; polling gives up every subscription.
        now: the present instant, aware.
        certificate: tells for what certificate notifications are to encrypt the event they bring, which is another one
            some day; None: they bring none.
    """

    def __init__(
        self,
        service: SubscriptionService,
        store: SubscriptionStore,
        rooms: Rooms,
        *,
        addresses: Addresses,
        delivery: str,
        now: Callable[[], datetime],
        certificate: Callable[[], Certificate] | None = None,
    ) -> None:
        self._service = service
        self._store = store
        self._rooms = rooms
        self._endpoint = Endpoint(addresses.notification_url, addresses.lifecycle_url)
        self._delivery = Delivery(delivery)
        self._now = now
        self._certificate = certificate

    async def keep(self, room_id: BookableId) -> None:
        """
        Create, renew or drop the subscription of one room.

        The receiver must be answering: Graph calls it before it answers a creation (Graph docs:
        change-notifications-delivery-webhooks). A closed mailbox suspends the room and ends the pass.

        Raises: what the service raises, MailboxClosed apart.
        """
        wanted, held = self._store.find_wanted(room_id), self._store.find_held(room_id)
        for action in self._plan((wanted,) if wanted else (), (held,) if held else (), None):
            await self._execute(action)

    async def settle_all(self) -> None:
        """
        Compare all we hold with all the service lists: adopt, replace, delete strangers that call our URL.

        Creating and renewing is left to each room's own key, so that one closed mailbox holds up nobody. What we hold
        is loaded after the list: one created meanwhile must not be taken for a stranger.
        """
        read_at = self._now()
        listing = Listing(tuple(await self._service.fetch_subscriptions()), read_at)
        later: list[BookableId] = []
        for action in self._plan(self._store.load_wanted(), self._store.load_held(), listing):
            if isinstance(action, Create | Renew):
                later.append(action.room_id)
            elif isinstance(action, Replace):
                await self._end(action)
                later.append(action.room_id)
            else:
                await self._execute(action)
        self._store.mark_rooms(tuple(later))

    def _plan(self, wanted: Sequence[Wanted], held: Sequence[Held], listing: Listing | None) -> tuple[Action, ...]:
        certificate = self._wanted_certificate()
        return plan_subscriptions(
            wanted,
            held,
            listing,
            endpoint=self._endpoint,
            delivery=self._delivery,
            now=self._now(),
            certificate=certificate.id if certificate is not None else "",
        )

    def _wanted_certificate(self) -> Certificate | None:
        return self._certificate() if self._certificate is not None else None

    def _until(self, *, brings_events: bool) -> datetime:
        return self._now() + (CONTENT_LIFETIME if brings_events else LIFETIME)

    async def _execute(self, action: Action) -> None:
        match action:
            case Create(room_id, directory_id):
                await self._create(room_id, directory_id)
            case Renew():
                await self._renew(action)
            case Replace(room_id, directory_id):
                await self._end(action)
                await self._create(room_id, directory_id)
            case Adopt(room_id, remote_id, expires_at):
                log.info("subscription adopted", extra={"room": room_id, "subscription": remote_id})
                self._store.finish_creation(room_id, remote_id=remote_id, expires_at=expires_at)
            case Delete(remote_id):
                log.warning("unknown subscription that calls us deleted", extra={"subscription": remote_id})
                await self._service.delete_subscription(remote_id)
            case Forget(room_id, remote_id):
                if remote_id is not None:
                    await self._service.delete_subscription(remote_id)
                self._store.drop(room_id)
            case _:
                assert_never(action)

    async def _create(self, room_id: BookableId, directory_id: str) -> None:
        try:
            made, refusal = await self._create_with_or_without(room_id, directory_id)
        except Duplicate as error:
            if not self._is_of_another(room_id, error):
                raise
            log.info("another room has the mailbox, and its subscription", extra={"room": room_id})
            self._store.drop(room_id)
            return
        except MailboxClosed as error:
            if self._rooms.suspend(room_id, str(error)):
                log.warning("mailbox closed, room suspended", extra={"room": room_id})
            return
        self._store.finish_creation(room_id, remote_id=made.id, expires_at=made.expires_at, content_refusal=refusal)
        log.info("subscription created", extra={"room": room_id, "subscription": made.id})

    def _is_of_another(self, room_id: BookableId, error: Duplicate) -> bool:
        """
        Tell whether what stands in the way is another room's by right: this one is not listed any more, or the refusal
        names what that one holds (Graph docs: subscription-post-subscriptions, it tells the id).
        """
        wanted = self._store.find_wanted(room_id)
        others = (held.remote_id for held in self._store.load_held() if held.room_id != room_id)
        is_named = any(remote_id is not None and remote_id in str(error) for remote_id in others)
        return wanted is not None and (wanted.missing or is_named)

    async def _create_with_or_without(self, room_id: BookableId, directory_id: str) -> tuple[RemoteSubscription, str]:
        """Create one that brings events; where that is refused, one that brings none. Tell in what words it was."""
        certificate, held = self._wanted_certificate(), self._store.find_held(room_id)
        if certificate is None or not wanted_certificate(held, certificate.id, now=self._now()):
            return await self._create_over_others(room_id, directory_id, None), ""
        try:
            return await self._create_over_others(room_id, directory_id, certificate), ""
        except (Malformed, Refused, AccessDenied) as error:
            if isinstance(error, Duplicate):
                raise
            made = await self._create_over_others(room_id, directory_id, None)
            log.warning(
                "notifications are to bring no events, Graph refused it", extra={"room": room_id, "error": error}
            )
            return made, str(error)

    async def _create_over_others(
        self, room_id: BookableId, directory_id: str, certificate: Certificate | None
    ) -> RemoteSubscription:
        """
        Create; where the service has one for the same mailbox already, in its place, if that one calls us.

        That one may be of a creation of ours whose answer was lost, under an address that the room had: a notification
        may have told its id meanwhile. So the creation begins again before it is deleted, and its id is forgotten.
        """
        certificate_id = certificate.id if certificate is not None else ""
        client_state = self._store.begin_creation(room_id, certificate=certificate_id)
        wanted = self._store.find_wanted(room_id)
        names = wanted.names if wanted is not None else (directory_id,)
        try:
            return await self._create_under(names, client_state, certificate)
        except Duplicate:
            in_the_way = await self._find_in_the_way(room_id)
            if not in_the_way:
                raise
            client_state = self._store.begin_creation(room_id, certificate=certificate_id)
            for remote_id in in_the_way:
                await self._execute(Delete(remote_id))
            return await self._create_under(names, client_state, certificate)

    async def _find_in_the_way(self, room_id: BookableId) -> tuple[str, ...]:
        """What we hold is loaded after the list, as in `settle_all`."""
        listed = await self._service.fetch_subscriptions()
        return find_in_the_way(
            room_id, self._store.load_wanted(), self._store.load_held(), listed, endpoint=self._endpoint
        )

    async def _create_under(
        self, names: Sequence[str], client_state: str, certificate: Certificate | None
    ) -> RemoteSubscription:
        """Create under the first name the service takes: a place's id need not be its mailbox's (Graph docs: place)."""
        for name in names[:-1]:
            try:
                return await self._create_at(name, client_state, certificate, has_other_name=True)
            except (Malformed, Refused, Unmatched, MailboxClosed):
                continue
        return await self._create_at(names[-1], client_state, certificate)

    async def _create_at(
        self, name: str, client_state: str, certificate: Certificate | None, *, has_other_name: bool = False
    ) -> RemoteSubscription:
        return await self._service.create_subscription(
            name,
            notification_url=self._endpoint.notification_url,
            lifecycle_url=self._endpoint.lifecycle_url,
            client_state=client_state,
            expires_at=self._until(brings_events=certificate is not None),
            has_other_name=has_other_name,
            certificate=certificate,
        )

    async def _renew(self, action: Renew) -> None:
        """Prolong; one that is gone is created anew at once (Graph docs: subscription-update, 404)."""
        room_id, remote_id = action.room_id, action.remote_id
        renewed = await self._service.renew_subscription(
            remote_id, expires_at=self._until(brings_events=action.brings_events)
        )
        if renewed is not None:
            self._store.finish_renewal(room_id, remote_id=remote_id, expires_at=renewed.expires_at)
            return
        log.warning("subscription gone, creating it anew", extra={"room": room_id, "subscription": remote_id})
        self._store.clear(room_id, remote_id=remote_id)
        wanted = self._store.find_wanted(room_id)
        if wanted is not None and not wanted.suspended:
            await self._create(room_id, wanted.directory_id)

    async def _end(self, action: Replace) -> None:
        log.info("subscription replaced", extra={"room": action.room_id, "reason": action.reason.value})
        await self._service.delete_subscription(action.remote_id)
        self._store.clear(action.room_id, remote_id=action.remote_id)
