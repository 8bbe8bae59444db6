"""Slowing down: how many failures an address has, and how they are forgiven."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from engine.web.failures import BURST, PAUSE, Failures
from engine.web.pace import NAMES_MAX

NONE = timedelta(0)


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2026, 11, 23, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


def failing(clock: Clock, address: str | None, times: int) -> Failures:
    failures = Failures(clock)
    for _ in range(times):
        failures.note(address)
    return failures


def test_a_few_failures_cost_nothing() -> None:
    assert failing(Clock(), "192.0.2.1", BURST - 1).wait("192.0.2.1") == NONE


def test_after_many_one_waits_for_the_next() -> None:
    clock = Clock()
    failures = failing(clock, "192.0.2.1", BURST)
    assert failures.wait("192.0.2.1") == PAUSE

    clock.at += PAUSE

    assert failures.wait("192.0.2.1") == NONE
    failures.note("192.0.2.1")
    assert failures.wait("192.0.2.1") == PAUSE


def test_all_is_forgiven_in_time() -> None:
    clock = Clock()
    failures = failing(clock, "192.0.2.1", BURST)
    clock.at += BURST * PAUSE

    for _ in range(BURST - 1):
        failures.note("192.0.2.1")

    assert failures.wait("192.0.2.1") == NONE


def test_others_are_not_meant() -> None:
    assert failing(Clock(), "192.0.2.1", 100).wait("192.0.2.2") == NONE


def test_one_network_is_one_address() -> None:
    failures = failing(Clock(), "2001:db8::1", BURST)

    assert failures.wait("2001:db8::2") > NONE
    assert failures.wait("2001:db8:0:1::2") == NONE


def test_what_has_no_address_is_one_as_well() -> None:
    assert failing(Clock(), None, BURST).wait("no address") > NONE


def test_a_flood_of_addresses_forgets_neither_memory_nor_the_worst() -> None:
    clock = Clock()
    failures = failing(clock, "192.0.2.1", 100)
    for number in range(NAMES_MAX + 10):
        failures.note(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")

    assert failures.wait("192.0.2.1") > NONE
    assert len(failures._pace._forgiven_at) <= NAMES_MAX
