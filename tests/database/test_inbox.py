"""Notifications: what is believed, what is stored, what is marked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from engine.database.inbox.notifications import REJECTIONS_KEPT, Accepted, Inbox
from engine.database.inbox.subscriptions import SubscriptionStore
from engine.database.work.queue import WorkQueue
from engine.subscriptions.plan import LIFETIME
from tests.database.opening import NOW, ONE, TWO, Opened, place


class Mail(Opened):
    """Two rooms with a subscription each."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.list_places(place(1), place(2))
        secrets = iter(f"secret-{number}" for number in range(1, 100))
        self.store = SubscriptionStore(self.database, make_secret=lambda: next(secrets))
        for room_id in (ONE, TWO):
            self.store.begin_creation(room_id)
            self.store.finish_creation(room_id, remote_id=f"s{room_id}", expires_at=NOW + LIFETIME)
        self.inbox = Inbox(self.database)
        self.forget_marks()

    def bring(self, *items: dict[str, Any]) -> Accepted:
        return self.inbox.accept(json.dumps({"value": items}).encode())

    def due_after(self) -> float:
        """When the one room that is marked is to be read, in seconds."""
        (due,) = [row["ready_at"] for row in self.rows("work") if row["ready_at"] is not None]
        return float((due - NOW).total_seconds())

    def withdraw(self, uid: str = "u1") -> None:
        """Have a loan whose meeting of that uid we have ended."""
        self.link(uid, status="cancelled", state="ended")

    def copy(self, event_id: str = "e1", **values: Any) -> None:
        """Put a copy into room 1's mirror."""
        row = {"room_id": ONE, "event_id": event_id, "ical_uid": "u1", "etag": "v1", "payload": "", "live": True}
        row |= {"start_at": NOW, "end_at": NOW + timedelta(hours=1), "observed_at": NOW, "reading": 1}
        row |= {"gone": False, "doubt": False, "listed": False}
        self.insert("room_copy", **(row | values))


@pytest.fixture
def mail(migrated_url: str) -> Iterator[Mail]:
    found = Mail(migrated_url)
    yield found
    found.database.close()


def change(number: int = 1, *, event: str = "e1", etag: str | None = "v1", kind: str = "updated", **more: Any) -> Any:
    """An item about room *number*, as the service writes it."""
    resource = {"@odata.type": "#Microsoft.Graph.Event", "id": event, "@odata.id": f"Users/x/Events/{event}"}
    if etag is not None:
        resource["@odata.etag"] = etag
    item = {"subscriptionId": f"s{number}", "clientState": f"secret-{number}", "changeType": kind, "tenantId": "t"}
    return item | {"resource": f"Users/x/Events/{event}", "resourceData": resource} | more


def lifecycle(event: str, number: int = 1) -> Any:
    item = {"subscriptionId": f"s{number}", "clientState": f"secret-{number}", "lifecycleEvent": event}
    return item | {"subscriptionExpirationDateTime": "2026-11-24T09:00:00Z"}


class TestAGenuineNotification:
    def test_it_is_stored_and_its_room_is_marked_a_little_later(self, mail: Mail) -> None:
        """One action of a person brings several, so they are gathered."""
        assert mail.bring(change(kind="created")) == Accepted(stored=1)

        (row,) = mail.rows("notification")
        assert (row["room_id"], row["event_id"], row["etag"], row["change_type"]) == (1, "e1", "v1", "created")
        assert row["received_at"] == NOW
        assert json.loads(row["raw"]) == change(kind="created")
        assert mail.due_after() == 0.75

    def test_it_shows_that_the_subscription_lives(self, mail: Mail) -> None:
        """A deaf subscription is one under which only sweeps find changes."""
        mail.change("room", {"changed_unsignalled": 7})

        mail.bring(change())

        one, two = mail.rows("room")
        assert (one["signalled_at"], one["changed_unsignalled"]) == (NOW, 0)
        assert (two["signalled_at"], two["changed_unsignalled"]) == (None, 7)
        assert [row["notified_at"] for row in mail.rows("subscription")] == [NOW, None]

    def test_one_body_may_bring_several_subscriptions(self, mail: Mail) -> None:
        """The service batches as it likes (change-notifications-delivery-webhooks)."""
        assert mail.bring(change(1), change(2), change(1, event="e2")) == Accepted(stored=3)
        assert mail.marks() == {("room", "1"), ("room", "2")}

    @pytest.mark.parametrize("kind", ["unknownFutureValue", "", None, 7])
    def test_an_unknown_change_counts_as_updated(self, mail: Mail, kind: Any) -> None:
        """The list of change types may grow."""
        mail.bring(change(kind=kind))

        assert [row["change_type"] for row in mail.rows("notification")] == ["updated"]
        assert mail.marks() == {("room", "1")}

    @pytest.mark.parametrize("resource", [None, "text", {}, {"id": 7}, {"id": "a\x00b"}, {"id": "x" * 2000}])
    def test_without_a_usable_event_the_room_is_looked_at(self, mail: Mail, resource: Any) -> None:
        """It is a hint: which event it was hardly matters."""
        assert mail.bring(change(resourceData=resource)) == Accepted(stored=1)
        assert mail.rows("notification")[0]["event_id"] is None
        assert mail.marks() == {("room", "1")}

    def test_old_ones_are_pruned(self, mail: Mail) -> None:
        """They are kept for diagnosis, not for ever."""
        mail.bring(change())
        mail.clock.move(timedelta(days=30))
        mail.bring(change(event="e2"))

        assert mail.inbox.prune(NOW + timedelta(days=1)) == 1
        assert [row["event_id"] for row in mail.rows("notification")] == ["e2"]


class TestGathering:
    def test_waits_for_the_rooms_answer_and_a_moment_more(self, mail: Mail) -> None:
        """A request that was placed is followed by the answer: one reading finds both."""
        mail.bring(change(kind="created"))
        mail.clock.move(timedelta(seconds=0.4))
        mail.bring(change(etag="v2"))

        assert mail.due_after() == 0.65

    def test_goes_on_while_more_comes_and_ends_in_time(self, mail: Mail) -> None:
        """A burst shares a reading; a stream is read again and again."""
        dues = []
        for number in range(12):
            mail.bring(change(event=f"e{number}"), change(event=f"e{number}", etag="v2"))
            dues.append(mail.due_after())
            mail.clock.move(timedelta(seconds=0.06))

        assert dues == pytest.approx([min(0.25 + 0.06 * number, 0.75) for number in range(12)])

    def test_begins_anew_once_the_room_is_being_read(self, mail: Mail) -> None:
        """What comes during a reading is gathered for the next one."""
        queue = WorkQueue(mail.database, owner="a")
        mail.bring(change(kind="created"))
        mail.clock.move(timedelta(seconds=0.75))
        (claim,) = queue.claim(1)

        mail.bring(change(etag="v2"))
        mail.clock.move(timedelta(seconds=0.2))
        mail.bring(change(etag="v3"))
        queue.done(claim)

        assert mail.due_after() == 0.75 + 0.2 + 0.25

    def test_does_not_delay_what_somebody_else_wants(self, mail: Mail) -> None:
        """A lifecycle notification has the room read at once, whatever else comes with it."""
        mail.bring(change(kind="created"))
        mail.bring(lifecycle("missed"), change(event="e2", kind="created"))

        assert mail.due_after() == 0

    def test_survives_receivers_that_know_nothing_of_each_other(self, mail: Mail) -> None:
        """Another process takes an answer for a beginning; the room is read in time all the same."""
        mail.bring(change(kind="created"))
        mail.clock.move(timedelta(seconds=0.4))
        Inbox(mail.database).accept(json.dumps({"value": [change(etag="v2")]}).encode())

        assert mail.due_after() == 0.75


class TestNothingNewToSee:
    def test_what_the_mirror_holds_is_counted_and_not_looked_at(self, mail: Mail) -> None:
        """Our own writes come back, two or three times each."""
        mail.copy()

        assert mail.bring(change()) == Accepted(stored=1, seen=1)
        assert mail.marks() == set()
        assert mail.rows("room")[0]["signalled_at"] == NOW

    def test_one_news_among_them_is_enough(self, mail: Mail) -> None:
        """The room is looked at for the other one."""
        mail.copy()

        assert mail.bring(change(), change(event="e2")) == Accepted(stored=2, seen=1)
        assert mail.marks() == {("room", "1")}

    def test_the_end_of_what_is_gone_is_no_news(self, mail: Mail) -> None:
        """A tombstone stays a tombstone."""
        mail.copy(gone=True, live=False)

        assert mail.bring(change(kind="deleted", etag=None)).seen == 1

    @pytest.mark.parametrize("kind", ["updated", "deleted"])
    def test_how_a_meeting_that_we_withdrew_leaves_its_room_is_no_news(self, mail: Mail, kind: str) -> None:
        """Nothing is decided by it any more; the next reading shows it."""
        mail.copy()
        mail.withdraw()

        assert mail.bring(change(etag="v2", kind=kind)).seen == 1
        assert mail.marks() == set()

    def test_another_meeting_in_that_room_is_news(self, mail: Mail) -> None:
        """Only what is of that very meeting is passed over."""
        mail.copy()
        mail.copy("e2", ical_uid="u2")
        mail.withdraw()

        assert mail.bring(change(etag="v2"), change(event="e2", etag="v2"), change(event="e3")).seen == 1
        assert mail.marks() == {("room", "1")}

    @pytest.mark.parametrize(
        ("held", "item"),
        [
            ({"etag": "v0"}, {}),
            ({"doubt": True}, {}),
            ({"gone": True}, {}),
            ({"start_at": None, "end_at": None}, {}),
            ({"ical_uid": None}, {}),
            ({}, {"etag": None}),
            ({}, {"kind": "deleted"}),
            ({}, {"event": "E1"}),
        ],
    )
    def test_in_doubt_it_is_news(self, mail: Mail, held: dict[str, Any], item: dict[str, Any]) -> None:
        """A copy in doubt, a master, a stub, a tombstone that moves, another etag or id: look."""
        mail.copy(**held)

        assert mail.bring(change(**item)).seen == 0
        assert mail.marks() == {("room", "1")}

    def test_the_same_event_in_another_room_is_news(self, mail: Mail) -> None:
        """Ids belong to a mailbox."""
        mail.copy()

        assert mail.bring(change(2)).seen == 0


class TestAStranger:
    @pytest.mark.parametrize("given", ["secret-2", "", None, 7, "sécret-1"])
    def test_a_wrong_client_state_changes_nothing(self, mail: Mail, given: Any) -> None:
        """Only who knows the secret of that very subscription is believed."""
        assert mail.bring(change(clientState=given)) == Accepted(rejected=1)
        assert mail.rows("notification") == []
        assert mail.marks() == set()
        assert mail.inbox.counts == {"wrong_client_state": 1, "stored": 0, "seen": 0}

    def test_an_unknown_subscription_changes_nothing(self, mail: Mail) -> None:
        """Not even with a secret of ours that belongs to another one."""
        assert mail.bring(change(subscriptionId="s9")) == Accepted(rejected=1)
        assert [(one.reason, one.claimed) for one in mail.inbox.rejections] == [("unknown_subscription", "s9")]

    def test_a_genuine_one_beside_it_counts(self, mail: Mail) -> None:
        """Items stand for themselves."""
        assert mail.bring(change(subscriptionId="s9"), change(2)) == Accepted(stored=1, rejected=1)
        assert mail.marks() == {("room", "2")}

    def test_a_secret_that_was_forgotten_opens_nothing(self, mail: Mail) -> None:
        """An empty client state is no client state."""
        mail.store.clear(ONE, remote_id="s1")
        mail.forget_marks()

        assert mail.bring(change(clientState="")).rejected == 1
        assert mail.bring(change(clientState="secret-1")).rejected == 1

    def test_many_leave_a_bounded_trace(self, mail: Mail) -> None:
        """Nobody fills memory or disk from outside."""
        mail.bring(*(change(subscriptionId="x" * 900) for _ in range(200)))

        assert len(mail.inbox.rejections) == REJECTIONS_KEPT
        assert {len(one.claimed) for one in mail.inbox.rejections} == {80}
        assert mail.inbox.counts["unknown_subscription"] == 200


class TestABodyThatMakesNoSense:
    @pytest.mark.parametrize(
        "body",
        [b"", b"hello", b"{", b"[]", b"null", b"{}", b'{"value": 7}', b'{"value": ["\\ud800"]}', b"\xff", b"[" * 9999],
    )
    def test_it_is_counted_and_told_apart(self, mail: Mail, body: bytes) -> None:
        """Whatever comes, nothing crashes."""
        assert mail.inbox.accept(body) == Accepted(rejected=1, malformed=True)
        assert mail.inbox.rejections[-1].reason == "malformed_body"

    @pytest.mark.parametrize("item", [7, None, "x", [], {}, {"subscriptionId": 7}, {"subscriptionId": "s\x001"}])
    def test_a_senseless_item_does_not_spoil_the_others(self, mail: Mail, item: Any) -> None:
        """Items are read one by one."""
        assert mail.bring(item, change()) == Accepted(stored=1, rejected=1)
        assert mail.inbox.rejections[-1].reason == "malformed_item"

    def test_an_empty_list_is_fine(self, mail: Mail) -> None:
        """Nothing to do is no fault."""
        assert mail.bring() == Accepted()


class TestBeforeTheAnswerIsStored:
    def test_it_is_recognised_by_its_client_state_alone(self, mail: Mail) -> None:
        """The service may call before it answers our creation; the id is learnt from it."""
        mail.store.clear(ONE, remote_id="s1")
        secret = mail.store.begin_creation(ONE)
        mail.forget_marks()

        answer = mail.bring(
            change(subscriptionId="s7", clientState=secret, subscriptionExpirationDateTime="2026-11-25T09:00:00Z")
        )

        held = mail.store.find_held(ONE)
        assert answer == Accepted(stored=1)
        assert mail.marks() == {("room", "1")}
        assert held is not None
        assert (held.remote_id, held.expires_at) == ("s7", NOW + timedelta(days=2))

    def test_the_answer_then_says_the_same(self, mail: Mail) -> None:
        """Whichever comes first, the row ends up the same."""
        mail.store.clear(ONE, remote_id="s1")
        secret = mail.store.begin_creation(ONE)
        mail.bring(change(subscriptionId="s7", clientState=secret))

        mail.store.finish_creation(ONE, remote_id="s7", expires_at=NOW + LIFETIME)

        held = mail.store.find_held(ONE)
        assert held is not None
        assert (held.remote_id, held.expires_at) == ("s7", NOW + LIFETIME)

    def test_a_creation_without_an_answer_is_repeated_with_its_secret(self, mail: Mail) -> None:
        """Whichever of the two the service made is ours; after an end a new secret is drawn."""
        mail.store.clear(ONE, remote_id="s1")

        first, again = mail.store.begin_creation(ONE), mail.store.begin_creation(ONE)

        assert first == again != "secret-1"


class TestLifecycle:
    def test_reauthorization_asks_for_a_renewal(self, mail: Mail) -> None:
        """Renewing reauthorizes as well; the row says that it is due."""
        assert mail.bring(lifecycle("reauthorizationRequired")) == Accepted(stored=1)

        held = mail.store.find_held(ONE)
        assert held is not None
        assert (held.remote_id, held.expires_at) == ("s1", None)
        assert mail.marks() == {("subscription", "1")}

    def test_a_removed_one_is_forgotten_and_the_room_read(self, mail: Mail) -> None:
        """What happened since went unheard."""
        mail.bring(lifecycle("subscriptionRemoved"))

        held = mail.store.find_held(ONE)
        assert held is not None
        assert (held.remote_id, held.has_secret) == (None, False)
        assert mail.marks() == {("subscription", "1"), ("room", "1")}

    @pytest.mark.parametrize("event", ["missed", "somethingNew"])
    def test_missed_ones_have_the_room_read(self, mail: Mail, event: str) -> None:
        """In doubt, look."""
        mail.bring(lifecycle(event))

        assert mail.marks() == {("room", "1")}
        assert mail.rows("room")[0]["signalled_at"] is None

    def test_a_forged_one_does_nothing(self, mail: Mail) -> None:
        """A stranger must not be able to end a subscription."""
        mail.bring(lifecycle("subscriptionRemoved") | {"clientState": "guess"})

        held = mail.store.find_held(ONE)
        assert held is not None
        assert held.remote_id == "s1"


class TestByTheClock:
    def test_the_check_marks_what_is_due_lacking_or_left_over(self, mail: Mail) -> None:
        """A fresh subscription of a followed room is left alone."""
        assert mail.store.mark_due() == 0

        mail.list_places(place(1, tags=("no-sync",)), place(2), place(3))
        mail.forget_marks()
        mail.clock.move(LIFETIME * 0.6)

        assert mail.store.mark_due() == 3
        assert mail.marks() == {("subscription", "1"), ("subscription", "2"), ("subscription", "3")}


def test_bodies_that_come_together_are_told_apart(mail: Mail) -> None:
    mail.copy("e1", etag="v1")
    good = json.dumps({"value": [change(event="e2"), change(etag="v1")]}).encode()
    stranger = json.dumps({"value": [change(clientState="guess")]}).encode()

    outcomes = mail.inbox.accept_all([good, b"nonsense", stranger, b'{"value": []}', good])

    assert outcomes == [
        Accepted(stored=2, seen=1),
        Accepted(rejected=1, malformed=True),
        Accepted(rejected=1),
        Accepted(),
        Accepted(stored=2, seen=1),
    ]
    assert len(mail.rows("notification")) == 4
