"""What staff do beside booking rooms: lend things, answer what the brake holds back."""

from __future__ import annotations

from engine.interval import Interval
from engine.loans.loan import CaseState, ItemKind, Loan
from engine.loans.register import ItemRef, LoanChange, LoanOrder
from engine.prove.people.memory import Remembered
from engine.prove.people.people import Crowd, say
from engine.reconcile.cases.ways import Way

THINGS = ("Projector", "Trolley")


def lend_things(crowd: Crowd) -> None:
    """Book a thing, with a room or by itself."""
    person, interval = crowd.draw_person(), crowd.draw_interval(odd=False)
    rooms = crowd.draw_rooms() if crowd.random.random() < 0.7 else []
    thing = _draw_thing(crowd)
    crowd.tell(f"desk lends thing {thing.id} with {rooms} to person {person} {say(interval)}")
    loan = _book(crowd, person, interval, (*(crowd.world.item(room) for room in rooms), thing))
    crowd.remember(loan, person).things = frozenset({int(thing.id)})
    crowd.log[-1] += f" = loan {loan.number}"


def _book(crowd: Crowd, person: int, interval: Interval, items: tuple[ItemRef, ...]) -> Loan:
    desk = crowd.world.office.desk
    return desk.book(LoanOrder(crowd.world.requester(person), interval, items), actor="app:test")


def add_thing(crowd: Crowd) -> None:
    """Lend a thing to a meeting that is a loan already, wherever it was born."""
    booking = crowd.pick_for_desk(crowd.random.choice(["outlook", "app"]))
    number = crowd.number_of(booking) if booking is not None else None
    if booking is None or number is None:
        return
    loan, thing = crowd.world.loan(number), _draw_thing(crowd)
    held = tuple(ItemRef(item.kind, item.id) for item in loan.held_items)
    if not loan.blocks or thing in held:
        return
    crowd.tell(f"desk adds thing {thing.id} to loan {number}")
    changed = crowd.world.change(number, LoanChange(items=(*held, thing)))
    booking.things = frozenset(int(item.id) for item in changed.held_items if item.kind is ItemKind.ASSET)


def _draw_thing(crowd: Crowd) -> ItemRef:
    return ItemRef(ItemKind.ASSET, crowd.random.choice(crowd.world.things))


def clear_calendar(crowd: Crowd) -> None:
    """Let somebody who goes on leave cancel all they have: so much at once that the brake may hold it back."""
    person = crowd.draw_person()
    mine = [each for each in crowd.bookings if each.person == person and each.side == "outlook" and not each.cancelled]
    crowd.tell(f"person {person} cancels everything: {len(mine)} meetings")
    for booking in mine:
        event = crowd.find_single(booking)
        if event is not None:
            crowd.world.run(crowd.world.person(person).cancel(event["id"]))
            booking.cancelled = True


def answer_brake(crowd: Crowd) -> None:
    """Confirm what the brake holds back, or reject it: those loans are kept, whatever Outlook says."""
    held = [
        case
        for case in crowd.world.office.desk.list_cases(state=CaseState.OPEN, after=None, limit=1000)
        if case.code == "mass_cancel_held"
    ]
    if not held:
        return
    case, way = crowd.random.choice(held), crowd.random.choice([Way.CONFIRM, Way.REJECT])
    numbers = set(crowd.world.office.cases.find(case.id).loans)
    kept: list[Remembered] = [each for each in crowd.bookings if crowd.number_of(each) in numbers]
    crowd.tell(f"{way} what the brake holds back: loans {sorted(numbers)}")
    crowd.world.office.cases.settle(case.id, way, room_id=None, actor="app:test")
    for booking in kept:
        booking.uncertain = booking.uncertain or way is Way.REJECT
