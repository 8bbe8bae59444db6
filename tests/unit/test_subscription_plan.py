"""Which subscriptions are created, renewed, replaced, adopted or dropped."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from engine.ids import BookableId
from engine.rooms.calendar import RemoteSubscription
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
    Reason,
    Renew,
    Replace,
    Wanted,
    find_in_the_way,
    is_renewal_due,
    plan_subscriptions,
    watches,
)

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
URLS = Endpoint("https://sync.example.org/graph/notifications", "https://sync.example.org/graph/lifecycle")
ONE = BookableId(1)
ROOM = Wanted(ONE, "guid-1")
FRESH = Held(ONE, "s1", expires_at=NOW + LIFETIME, confirmed_at=NOW)
REMOTE = RemoteSubscription("s1", "/users/guid-1/events", URLS.notification_url, URLS.lifecycle_url, NOW + LIFETIME)


def plan(
    *,
    wanted: tuple[Wanted, ...] = (ROOM,),
    held: tuple[Held, ...] = (),
    remote: tuple[RemoteSubscription, ...] | None = None,
    delivery: Delivery = Delivery.PUSH,
    now: datetime = NOW,
) -> tuple[Action, ...]:
    listing = None if remote is None else Listing(remote, read_at=NOW + timedelta(seconds=1))
    return plan_subscriptions(wanted, held, listing, endpoint=URLS, delivery=delivery, now=now)


HELD = {
    "nothing": (),
    "creating": (replace(FRESH, remote_id=None, expires_at=None, confirmed_at=None),),
    "dropped": (replace(FRESH, remote_id=None, expires_at=None, has_secret=False),),
    "fresh": (FRESH,),
    "half": (replace(FRESH, expires_at=NOW + LIFETIME / 2, confirmed_at=NOW - LIFETIME / 2),),
    "worn": (replace(FRESH, expires_at=NOW + LIFETIME / 3, confirmed_at=NOW - LIFETIME * 2 / 3),),
    "expired": (replace(FRESH, expires_at=NOW, confirmed_at=NOW - LIFETIME),),
}
LISTED: dict[str, tuple[RemoteSubscription, ...] | None] = {
    "not asked": None,
    "none": (),
    "ours": (REMOTE,),
    "other": (replace(REMOTE, id="s2"),),
    "elsewhere": (replace(REMOTE, notification_url="https://test.example.org/n"),),
    "other room": (replace(REMOTE, resource="users/guid-9/events"),),
}
CREATE, RENEW, DELETE = Create(ONE, "guid-1"), Renew(ONE, "s1"), Delete("s2")
STRANGER = Delete("s1")


def swap(reason: Reason) -> Replace:
    return Replace(ONE, "guid-1", "s1", reason)


GONE, EXPIRED, URL, MOVED = swap(Reason.GONE), swap(Reason.EXPIRED), swap(Reason.OTHER_URL), swap(Reason.OTHER_ROOM)
ADOPT, ADOPT2 = Adopt(ONE, "s1", NOW + LIFETIME), Adopt(ONE, "s2", NOW + LIFETIME)

# what we hold -> for each listing of LISTED, in its order, the actions
TABLE: dict[str, tuple[tuple[Action, ...], ...]] = {
    "nothing": ((CREATE,), (CREATE,), (CREATE, STRANGER), (CREATE, DELETE), (CREATE,), (CREATE, STRANGER)),
    "creating": ((CREATE,), (CREATE,), (ADOPT,), (ADOPT2,), (CREATE,), (CREATE, STRANGER)),
    "dropped": ((CREATE,), (CREATE,), (CREATE, STRANGER), (CREATE, DELETE), (CREATE,), (CREATE, STRANGER)),
    "fresh": ((), (GONE,), (), (GONE, DELETE), (URL,), (MOVED,)),
    "half": ((), (GONE,), (), (GONE, DELETE), (URL,), (MOVED,)),
    "worn": ((RENEW,), (GONE,), (RENEW,), (GONE, DELETE), (URL,), (MOVED,)),
    "expired": ((EXPIRED,), (EXPIRED,), (EXPIRED,), (EXPIRED, DELETE), (EXPIRED,), (EXPIRED,)),
}


class TestARoomThatIsFollowed:
    @pytest.mark.parametrize(("held", "listed"), list(product(HELD, LISTED)))
    def test_the_whole_table(self, held: str, listed: str) -> None:
        """What we hold and what the service lists decide together."""
        expected = TABLE[held][list(LISTED).index(listed)]

        assert plan(held=HELD[held], remote=LISTED[listed]) == expected

    def test_one_confirmed_since_the_listing_began_is_not_called_gone(self) -> None:
        """The list is older than the answer we stored."""
        held = replace(FRESH, confirmed_at=NOW + timedelta(seconds=2))

        assert plan(held=(held,), remote=()) == ()

    def test_of_two_that_answer_one_creation_the_longest_lived_is_kept(self) -> None:
        """A creation whose answer was lost may have been repeated."""
        later = replace(REMOTE, id="s2", expires_at=REMOTE.expires_at + timedelta(minutes=1))

        assert plan(held=HELD["creating"], remote=(REMOTE, later)) == (
            Adopt(ONE, "s2", later.expires_at),
            Delete("s1"),
        )

    def test_a_dead_one_is_not_adopted(self) -> None:
        """Lists may show subscriptions that have run out."""
        dead = replace(REMOTE, expires_at=NOW)

        assert plan(held=HELD["creating"], remote=(dead,)) == (CREATE, Delete("s1"))

    def test_without_lifecycle_url_it_is_replaced(self) -> None:
        """That URL can only be given at creation."""
        assert plan(held=(FRESH,), remote=(replace(REMOTE, lifecycle_url=None),)) == (URL,)


class TestASuspendedRoom:
    @pytest.mark.parametrize(
        ("held", "expected"),
        [("nothing", ()), ("creating", ()), ("fresh", ()), ("worn", (RENEW,)), ("expired", ())],
    )
    def test_what_lives_is_kept_and_nothing_is_created(self, held: str, expected: tuple[Action, ...]) -> None:
        """Its mailbox refuses us: asking again belongs to whoever takes it up again."""
        assert plan(wanted=(replace(ROOM, suspended=True),), held=HELD[held]) == expected


class TestARoomThatIsNotFollowed:
    @pytest.mark.parametrize("held", [name for name in HELD if name != "nothing"])
    def test_its_subscription_is_dropped(self, held: str) -> None:
        """An excluded room sends us nothing."""
        assert plan(wanted=(), held=HELD[held]) == (Forget(ONE, HELD[held][0].remote_id),)


class TestPolling:
    def test_nothing_is_wanted(self) -> None:
        """Without a public URL no subscription is created and old ones are given up."""
        assert plan(delivery=Delivery.POLL) == ()
        assert plan(held=(FRESH,), delivery=Delivery.POLL) == (Forget(ONE, "s1"),)


class TestRenewal:
    @pytest.mark.parametrize(("hours_left", "due"), [(72, False), (36, False), (35, True), (1, True), (-1, True)])
    def test_it_is_due_when_less_than_half_of_its_life_remains(self, hours_left: int, due: bool) -> None:
        """Three days asked for and granted: due after a day and a half."""
        expires_at = NOW + timedelta(hours=hours_left)
        held = Held(ONE, "s1", expires_at=expires_at, confirmed_at=expires_at - LIFETIME)

        assert is_renewal_due(held, now=NOW) is due

    def test_a_shorter_grant_halves_its_own_life(self) -> None:
        """The service may grant less than we ask for."""
        held = Held(ONE, "s1", expires_at=NOW + timedelta(hours=2), confirmed_at=NOW - timedelta(hours=1))

        assert not is_renewal_due(held, now=NOW)
        assert is_renewal_due(held, now=NOW + timedelta(minutes=31))

    def test_unknown_dates_are_due(self) -> None:
        """When in doubt, ask."""
        assert is_renewal_due(replace(FRESH, expires_at=None), now=NOW)


class TestTheResource:
    @pytest.mark.parametrize("resource", ["users/guid-1/events", "/users/guid-1/events", "Users/GUID-1/Events/"])
    def test_spellings_of_the_same_mailbox_match(self, resource: str) -> None:
        """The service varies the case of the literal parts."""
        assert watches(replace(REMOTE, resource=resource), ROOM)

    def test_another_mailbox_does_not(self) -> None:
        """One subscription belongs to one room."""
        assert not watches(replace(REMOTE, resource="users/guid-11/events"), ROOM)


class TestWhatIsInTheWay:
    """Of a room's own subscription, where the service says that there is one already."""

    TWO = BookableId(2)
    OTHER = Wanted(TWO, "guid-2")
    STRAY = replace(REMOTE, resource="users/former@example.org/events")
    OF_OTHER = replace(REMOTE, resource="users/guid-2/events")

    @pytest.mark.parametrize(
        ("remote", "held", "one", "other", "found"),
        [
            (REMOTE, (FRESH,), ROOM, OTHER, ("s1",)),
            (REMOTE, (), ROOM, OTHER, ("s1",)),
            (STRAY, (), ROOM, OTHER, ("s1",)),
            (STRAY, (FRESH,), ROOM, OTHER, ("s1",)),
            (STRAY, (replace(FRESH, room_id=TWO),), ROOM, OTHER, ()),
            (OF_OTHER, (replace(FRESH, room_id=TWO),), ROOM, OTHER, ()),
            (OF_OTHER, (), ROOM, OTHER, ()),
            (OF_OTHER, (replace(FRESH, room_id=TWO),), ROOM, replace(OTHER, missing=True), ("s1",)),
            (OF_OTHER, (replace(FRESH, room_id=TWO),), replace(ROOM, missing=True), replace(OTHER, missing=True), ()),
            (OF_OTHER, (), replace(ROOM, missing=True), OTHER, ()),
            (replace(STRAY, notification_url="https://other.example.org/"), (), ROOM, OTHER, ()),
        ],
        ids=[
            "its own", "its own, not held", "nobody's", "its own by a former address",
            "by a former address of another that holds it", "another room's", "another room's, not held",
            "a missing room's", "a missing room's, missing itself", "another room's, missing itself",
            "calls somebody else",
        ],
    )  # fmt: skip
    def test_is_what_may_watch_its_mailbox(
        self, remote: RemoteSubscription, held: tuple[Held, ...], one: Wanted, other: Wanted, found: tuple[str, ...]
    ) -> None:
        assert find_in_the_way(ONE, (one, other), held, (remote,), endpoint=URLS) == found


class TestNotificationsThatBringTheirEvent:
    """What a subscription was made with is what counts: its certificate cannot be read back."""

    BRINGS = replace(REMOTE, id="s2", resource="/users/guid-1/events?$select=id")
    BEGUN = replace(FRESH, remote_id=None, expires_at=None, confirmed_at=None)

    def plan(self, held: Held, certificate: str, *remote: RemoteSubscription) -> tuple[Action, ...]:
        listing = Listing(remote, read_at=NOW + timedelta(seconds=1)) if remote else None
        return plan_subscriptions(
            (ROOM,), (held,), listing, endpoint=URLS, delivery=Delivery.PUSH, now=NOW, certificate=certificate
        )

    @pytest.mark.parametrize(("held", "wanted"), [("", "new"), ("old", "new"), ("old", "")])
    def test_one_with_another_certificate_is_replaced(self, held: str, wanted: str) -> None:
        assert self.plan(replace(FRESH, certificate=held), wanted) == (swap(Reason.OTHER_CONTENT),)

    @pytest.mark.parametrize("certificate", ["", "same"])
    def test_one_with_the_same_is_left(self, certificate: str) -> None:
        assert self.plan(replace(FRESH, certificate=certificate), certificate) == ()

    @pytest.mark.parametrize(
        ("since", "then"), [(timedelta(days=7), (swap(Reason.OTHER_CONTENT),)), (timedelta(days=6, hours=23), ())]
    )
    def test_where_events_were_refused_they_are_asked_for_again_after_a_week(
        self, since: timedelta, then: tuple[Action, ...]
    ) -> None:
        assert self.plan(replace(FRESH, content_refused_at=NOW - since), "new") == then

    @pytest.mark.parametrize(
        ("words", "hours"),
        [
            (
                "create subscription: 400 ExtensionError: Including resource data is not supported for this resource.",
                168,
            ),
            ("create subscription: 400 InvalidRequest: Certificate validation error: Cannot find the object.", 168),
            ("create subscription: 400 ExtensionError: Exchange workload is not enabled for rich notifications", 168),
            ("create subscription: 400 InvalidRequest: select clause should be present in query string", 168),
            ("create subscription: 403 Forbidden (check the application’s permissions and the values sent)", 168),
            ("", 168),
            ("create subscription: 400 InvalidRequest: The remote server returned an error.", 6),
            ("create subscription: 400 (no error code)", 6),
        ],
    )
    def test_a_refusal_is_taken_at_its_word_where_it_is_about_them(self, words: str, hours: int) -> None:
        """Else what was in the way may have to do with anything: our own receiver may have been away just then."""
        refused = replace(FRESH, content_refused_at=NOW - timedelta(hours=hours), content_refusal=words)
        sooner = replace(refused, content_refused_at=NOW - timedelta(hours=hours) + timedelta(minutes=1))

        assert self.plan(refused, "new") == (swap(Reason.OTHER_CONTENT),)
        assert self.plan(sooner, "new") == ()

    def test_one_that_brings_them_says_so_at_its_renewal(self) -> None:
        """It lives for a day at most."""
        begun_at = NOW - CONTENT_LIFETIME * 2 / 3
        worn = replace(FRESH, expires_at=begun_at + CONTENT_LIFETIME, confirmed_at=begun_at, certificate="same")
        assert self.plan(worn, "same") == (Renew(ONE, "s1", brings_events=True),)

    def test_one_that_watches_the_room_does_so_whatever_it_selects(self) -> None:
        assert watches(self.BRINGS, ROOM)

    @pytest.mark.parametrize(
        ("begun", "wanted", "listed", "then"),
        [
            ("same", "same", BRINGS, (ADOPT2,)),
            ("", "", BRINGS, (CREATE, DELETE)),
            ("same", "same", replace(REMOTE, id="s2"), (CREATE, DELETE)),
            ("old", "new", BRINGS, (CREATE, DELETE)),
        ],
    )
    def test_only_what_was_asked_for_is_adopted(
        self, begun: str, wanted: str, listed: RemoteSubscription, then: tuple[Action, ...]
    ) -> None:
        assert self.plan(replace(self.BEGUN, certificate=begun), wanted, listed) == then

    def test_it_is_renewed_at_half_of_its_day(self) -> None:
        held = replace(FRESH, expires_at=NOW + CONTENT_LIFETIME, certificate="same")
        assert not is_renewal_due(held, now=NOW + CONTENT_LIFETIME / 2)
        assert is_renewal_due(held, now=NOW + CONTENT_LIFETIME / 2 + timedelta(seconds=1))
