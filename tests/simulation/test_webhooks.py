"""Webhooks in a whole world: what a receiver was told is what is, whatever fell over on the way."""

from __future__ import annotations

import asyncio
import json
import random
from collections import defaultdict
from datetime import timedelta
from typing import Any

import pytest

from engine.loans.recurrence import Repeat, recur
from engine.loans.register import LoanChange
from engine.loans.status import ItemState, LoanAction
from engine.outbox.message import Message, Receipt
from engine.prove.people.series import at
from engine.prove.world.world import World
from engine.reconcile.series.book import SeriesOrder
from engine.webhooks.endpoint import CHANNEL, EndpointOrder
from tests.simulation.conftest import MakeWorld


class Receiver:
    """Takes half a second for each message; out of order when told so."""

    def __init__(self) -> None:
        self.came: list[tuple[int, dict[str, Any]]] = []
        """Number and content of everything that arrived, recorded or not."""
        self.is_down = False

    async def send(self, message: Message) -> Receipt:
        if self.is_down:
            await asyncio.sleep(10.0)
            return Receipt(10_000, error="no whole answer within 10 s")
        self.came.append((message.id, json.loads(message.letter.body)))
        await asyncio.sleep(0.5)
        return Receipt(500, 204)

    def told_of_loans(self) -> dict[int, list[dict[str, Any]]]:
        """Return what was told of each loan, repetitions left out as a receiver does."""
        seen: set[int] = set()
        told = defaultdict(list)
        for number, body in self.came:
            if number not in seen and body["meta"]["model"] == "loan":
                told[body["data"]["number"]].append(body)
            seen.add(number)
        return told


def open_world(worlds: MakeWorld, receiver: Receiver, **options: Any) -> World:
    world = worlds(start=False, **options)
    world.senders[CHANNEL] = receiver
    world.open()
    order = EndpointOrder("all", "https://receiver.example.org/", personal=True)
    world.office.webhooks.add(order, secret=None, actor="app:test")
    return world


def check(world: World, receiver: Receiver) -> None:
    """Each loan was told as created, then with growing versions, and last as it is now."""
    told = receiver.told_of_loans()
    assert set(told) == {loan.number for loan in world.loans}
    for loan in world.loans:
        story = told[loan.number]
        assert [body["meta"]["event"] for body in story] == ["created"] + ["updated"] * (len(story) - 1)
        versions = [body["data"]["version"] for body in story]
        assert versions == sorted(set(versions))
        last = story[-1]["data"]
        assert (last["version"], last["status"]) == (loan.version, loan.status.value)
        assert {item["id"]: item["state"] for item in last["items"]} == {
            item.id: loan.told_state(item).value for item in loan.items
        }
        assert last["start"] == loan.interval.start.isoformat().replace("+00:00", "Z")


def test_a_meeting_and_a_loan_are_told_with_each_rooms_answer(worlds: MakeWorld) -> None:
    receiver = Receiver()
    world = open_world(worlds, receiver)
    world.meet(1, 10, 11, 1)
    world.book(2, 12, 13, 2)
    world.settle()

    check(world, receiver)
    told = {loan.home: receiver.told_of_loans()[loan.number] for loan in world.loans}
    reasons = {home.value: [body["meta"]["webhook_reason"] for body in story] for home, story in told.items()}
    assert reasons == {"app": ["user", "outlook"], "outlook": ["outlook"]}


def test_that_outlook_refused_a_loan_is_told_and_that_it_took_it_after_all(worlds: MakeWorld) -> None:
    """What the API says of its room changes, so its version does, and receivers hear of it."""
    receiver = Receiver()
    world = open_world(worlds, receiver, settings={"ENGINE_LOANS__DEFAULT_USER": ""})
    world.tenant.office.set_state("person-2@example.org", "denied")
    loan = world.book(2, 9, 10, 1)
    world.settle()
    check(world, receiver)
    assert world.loan(loan.number).told_states == (ItemState.NOT_ASKED,)

    world.tenant.office.set_state("person-2@example.org", "active")
    world.office.enqueue("loan", str(loan.number))
    world.settle()

    check(world, receiver)
    told = [body["data"]["items"][0]["state"] for body in receiver.told_of_loans()[loan.number]]
    assert told == ["requested", "not_asked", "requested", "accepted"]


def test_that_outlook_refused_a_series_is_told_of_every_date(worlds: MakeWorld) -> None:
    """And of each that it took after all."""
    receiver = Receiver()
    world = open_world(worlds, receiver, settings={"ENGINE_LOANS__DEFAULT_USER": ""})
    world.set_mailbox(2, "denied")
    day = (world.loop.now() + timedelta(days=2)).date()
    pattern = recur(Repeat.WEEKLY, at(day, 9), at(day, 10), "Europe/Paris", count=3)
    made = world.office.series.book(SeriesOrder(world.requester(2), pattern, (world.item(1),)), actor="app:test")
    world.settle()
    check(world, receiver)
    assert {world.loan(loan.number).told_states for loan in made.loans} == {(ItemState.NOT_ASKED,)}

    world.set_mailbox(2, "active")
    for loan in made.loans[1:]:
        world.office.enqueue("loan", str(loan.number))
    world.settle()

    check(world, receiver)
    stories = [receiver.told_of_loans()[loan.number] for loan in made.loans]
    told = [[body["data"]["items"][0]["state"] for body in story] for story in stories]
    assert told == [["requested", "not_asked"], *[["requested", "not_asked", "requested", "accepted"]] * 2]


def test_what_arrived_and_was_not_noted_comes_again_the_same(worlds: MakeWorld) -> None:
    """The engine dies between a send and its record: the receiver knows the second one by its number."""
    receiver = Receiver()
    world = open_world(worlds, receiver)
    world.book(1, 10, 11, 1)
    while not receiver.came:
        world.wait(0.1)
    world.kill()
    world.start()
    world.heal()

    first = receiver.came[0]
    assert receiver.came.count(first) == 2
    check(world, receiver)


@pytest.mark.parametrize("seed", range(4))
def test_at_random_with_kills_and_a_receiver_that_comes_and_goes(worlds: MakeWorld, seed: int) -> None:
    receiver = Receiver()
    world = open_world(worlds, receiver, seed=seed)
    chance = random.Random(f"webhooks {seed}")
    for step in range(14):
        receiver.is_down = chance.random() < 0.4
        live = world.live_loans
        match chance.randrange(5) if live else 0:
            case 0:
                world.book(1 + step % 3, 6 + step, 7 + step, 1 + step % 2, days=1 + step % 5)
            case 1:
                world.meet(1 + step % 3, 6 + step, 7 + step, 1 + step % 2, days=6 + step % 5)
            case 2:
                world.change(chance.choice(live).number, LoanChange(title=f"step {step}"))
            case 3:
                world.act(chance.choice(live), LoanAction.CANCEL)
            case 4:
                world.kill()
                world.start()
        world.wait(chance.choice([0.0, 0.3, 2.0, 40.0]))
    receiver.is_down = False
    world.wait(3600.0)
    world.heal()

    check(world, receiver)
