"""The keys with which notifications are opened: one in use, kept as long as a subscription uses them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from engine.database.inbox.content_keys import LIFE, RENEW_BEFORE, ContentKeys
from engine.database.inbox.subscriptions import SubscriptionStore
from engine.subscriptions.plan import CONTENT_LIFETIME
from tests.database.opening import NOW, ONE, Opened, place


class Keys(Opened):
    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.list_places(place(1))
        self.made = 0
        self.keys = self.another_process()

    def another_process(self) -> ContentKeys:
        return ContentKeys(self.database, make=self.make)

    def make(self, begins_at: datetime, life: timedelta) -> tuple[str, str]:
        self.made += 1
        return f"certificate {self.made}", f"key {self.made}"


@pytest.fixture
def opened(migrated_url: str) -> Iterator[Keys]:
    found = Keys(migrated_url)
    yield found
    found.database.close()


def test_one_is_made_at_first_use_and_shared(opened: Keys) -> None:
    first = opened.keys.current()
    assert (first.text, opened.keys.find_private(first.id)) == ("certificate 1", "key 1")
    assert opened.another_process().current() == first
    assert opened.made == 1
    assert opened.keys.find_private("another") is None


def test_another_takes_its_place_before_it_ends(opened: Keys) -> None:
    first = opened.keys.current()
    opened.clock.move(LIFE - RENEW_BEFORE - timedelta(days=1))
    assert opened.keys.current() == first
    opened.clock.move(timedelta(days=1))
    second = opened.keys.current()
    assert second.id != first.id
    assert opened.another_process().current() == second


def test_former_ones_are_kept_while_a_subscription_uses_them(opened: Keys) -> None:
    store = SubscriptionStore(opened.database)
    first = opened.keys.current()
    store.begin_creation(ONE, certificate=first.id)
    opened.clock.move(LIFE)
    second = opened.keys.current()
    assert opened.keys.find_private(first.id) == "key 1"

    store.begin_creation(ONE, certificate=second.id)
    opened.clock.move(LIFE)
    opened.keys.current()
    assert opened.keys.find_private(first.id) is None
    assert opened.keys.find_private(second.id) == "key 2"


def test_subscriptions_with_another_certificate_are_looked_at(opened: Keys) -> None:
    store = SubscriptionStore(opened.database)
    store.begin_creation(ONE, certificate="old")
    store.finish_creation(ONE, remote_id="s1", expires_at=NOW + CONTENT_LIFETIME)
    opened.forget_marks()
    assert store.mark_due() == 0

    store.certificate = lambda: "old"
    assert store.mark_due() == 0
    store.certificate = lambda: "new"
    assert store.mark_due() == 1


def test_a_creation_is_not_repeated_with_another_certificate(opened: Keys) -> None:
    store = SubscriptionStore(opened.database)
    secret = store.begin_creation(ONE, certificate="old")
    assert store.begin_creation(ONE, certificate="old") == secret
    assert store.begin_creation(ONE, certificate="new") != secret
