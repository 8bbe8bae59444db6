"""One random world from beginning to end: what happens in it, as plain values, and how it is lived and judged."""

from __future__ import annotations

import random
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from engine.prove.judges.invariants import Broken, check_always, check_lives, check_quiet
from engine.prove.judges.witness import Witness, check_same
from engine.prove.people import backfills, begun, directory, staff, verbs
from engine.prove.people.people import Crowd
from engine.prove.weather import (
    DEAD_ROOM,
    LASTING,
    LEASE_SECONDS,
    OF_CONTENT,
    RIVAL,
    UNSTEADY,
    Front,
    Weather,
    draw_gusts,
    draw_weather,
)
from engine.prove.world.store import OpenDatabase, in_memory
from engine.prove.world.transport import Struck
from engine.prove.world.world import World
from engine.reconcile.answers import CHECK_GAP_MAX
from engine.reconcile.shadow import WITHHELD_SECONDS
from engine.rooms.room import RoomState
from engine.worker.loop import BACKOFF_SECONDS_MAX

SETTINGS = {
    "ENGINE_ROOMS__TIME_ZONE": "Europe/Paris",
    "ENGINE_SYNC__LEASE_SECONDS": str(LEASE_SECONDS),
    "ENGINE_SYNC__CONTENT": "false",
}

OPERATIONS = 30
"""After so many people have done something, or tried to, nobody does anything more, unless a world is to be shorter."""
STEPS_PER_OPERATION = 2
"""So many are drawn: in three of ten there is nothing to do it to, no loan to cancel and no case to settle."""
SETTLING_SECONDS = 60.0
"""How long what was heard of may take to settle: requests, answers of rooms, a second look at them."""
CONTENT = {"ENGINE_SYNC__CONTENT": "true"}
WITH_CONTENT = 0.5
"""The share of worlds in which notifications bring their event."""
FROM_BEFORE = 0.2
"""The share of worlds in which people met before the engine came."""
SECONDS_BEFORE = 2.0
"""Between two things people do then: rooms have answered."""
WITH_NEW_ROOM = 0.2
"""The share of worlds in which a room more is set up while people meet."""
READINGS_MAX = 48
"""By the timer, that is twelve hours, where requests go on failing: a series takes some that succeed in a row."""
PAUSES = (0.01, 0.3, 1.0, 5.0)
"""Seconds between two steps."""
LOOKS_MAX = 60
"""A key that is looked at more often within a second is looked at for nothing; the busiest ones of worlds are at 20."""

UNKNOWN = ("ErrorInvalidUser", "'Resource' is invalid")
"""What parks the key of a room whose address is no more, until the list of rooms tells its new one."""
OF_ROOMS = ("room", "subscription")
"""Keys that may stay parked: of a room that is no more."""
SUCCEEDED = "409 Conflict: Subscription Id"
"""What parks the subscription of a room that is no longer listed, and whose address leads to another one's mailbox: it
was set up anew, and got another address, before the list of rooms was read again."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing somebody does, and what blows afterwards."""

    verb: str
    """A name of `verbs.VERBS`."""
    seed: int
    """Of what is drawn in doing it: a step draws the same whatever steps came before."""
    pause: float
    """Seconds until the next step."""
    gusts: tuple[str, ...] = ()
    """Names of `weather.FAULTS` that blow right after it, while the engine is at work on it."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Everything that is decided about a world before it begins."""

    seed: int
    rooms: int
    people: int
    weather: tuple[Front, ...]
    steps: tuple[Step, ...]
    lasting: str = ""
    """What goes on for ever: a name of `weather.LASTING`."""
    before: tuple[Step, ...] = ()
    """What people did before the engine first read their calendars: it lists that, and waits for somebody to plan."""
    operations: int = OPERATIONS
    """After so many people stop."""
    content: bool = False
    """Notifications bring their event (decision 0029)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a world went."""

    schedule: Schedule
    broken: str | None
    """The promise that was broken and how; None when all were kept."""
    log: tuple[str, ...]
    """What people did, and how each loan came to be what it is."""

    trace: str
    """Of what happened: equal for equal runs."""
    requests: int
    seconds: float
    """How long it was, by its own clock."""
    verbs: Counter[str]
    """How often each verb did something."""
    struck: Struck
    crashes: Counter[str]

    @property
    def is_kept(self) -> bool:
        return self.broken is None

    def __str__(self) -> str:
        return "\n".join([f"seed {self.schedule.seed}: {self.broken or 'all promises kept'}", *self.log])


def draw_schedule(
    seed: int,
    *,
    operations: int = OPERATIONS,
    steps: int | None = None,
    is_lasting: bool = False,
    is_from_before: bool | None = None,
    among: Sequence[str] = (),
) -> Schedule:
    """
    Draw the schedule that *seed* stands for.

    Args:
        operations: after so many people stop.
        steps: how many are drawn; None: enough for so many operations.
        is_lasting: something of `weather.LASTING` never ends in it.
        is_from_before: whether people met before the engine came; None: in some worlds.
        among: the only verbs people know, each as likely; empty: all there are, by their weights.
    """
    content = random.Random(f"content {seed}").random() < WITH_CONTENT  # apart: a seed goes on meaning what it meant
    chance = random.Random(seed)
    rooms, people = chance.randint(1, 3), chance.randint(1, 3)
    weather = draw_weather(chance)
    drawn = tuple(
        Step(
            verbs.draw_verb(chance, among).name,
            chance.randrange(1_000_000_000),
            chance.choice(PAUSES),
            draw_gusts(weather, chance),
        )
        for _ in range(operations * STEPS_PER_OPERATION if steps is None else steps)
    )
    if not among:
        drawn = _with_new_room(drawn, random.Random(f"new room {seed}"), operations)
    if content:
        weather += draw_weather(random.Random(f"weather of content {seed}"), OF_CONTENT)
    lasting = chance.choice(sorted(LASTING)) if is_lasting else ""
    if is_from_before is None:
        is_from_before = not lasting and not among and chance.random() < FROM_BEFORE
    if not is_from_before:
        return Schedule(seed, rooms, people, weather, drawn, lasting, operations=operations, content=content)
    names = backfills.draw_from_before(chance)
    before = tuple(Step(name, chance.randrange(1_000_000_000), SECONDS_BEFORE) for name in names)
    drawn = tuple(replace(step, verb=backfills.draw_plan(chance) or step.verb) for step in drawn)
    return Schedule(seed, rooms, people, weather, drawn, lasting, before, operations, content)


def _with_new_room(steps: tuple[Step, ...], chance: random.Random, operations: int) -> tuple[Step, ...]:
    """Return *steps*, between two of which, in some worlds, a room is set up; otherwise they are as they were."""
    if chance.random() >= WITH_NEW_ROOM:
        return steps
    at = chance.randrange(min(len(steps), operations) + 1)
    return (*steps[:at], Step("set_up_room", chance.randrange(1_000_000_000), chance.choice(PAUSES)), *steps[at:])


def run_schedule(
    schedule: Schedule | int,
    *,
    database: OpenDatabase = in_memory.open,
    skew: timedelta = timedelta(0),
    at_end: Callable[[World], None] | None = None,
    tells_requests: bool = False,
) -> Outcome:
    """
    Live through one world: edits under faults, then quiet, then a restart that must find nothing to do.

    Args:
        schedule: what happens; or a seed, for what `draw_schedule` makes of it.
        database: opens the store.
        skew: how wrong the engine's clock is, from its first contact on.
        at_end: looks at the world when all is judged, and may find it broken.
        tells_requests: the log tells every request of the engine, with its answer, between what people did.
    """
    if isinstance(schedule, int):
        schedule = draw_schedule(schedule)
    world = World(
        rooms=schedule.rooms,
        people=schedule.people,
        seed=schedule.seed,
        settings=SETTINGS | (backfills.LIST if schedule.before else {}) | (CONTENT if schedule.content else {}),
        database=database,
        is_sole=all(front.name != RIVAL for front in schedule.weather),
    )
    if LASTING.get(schedule.lasting, {}).get("mailbox") == DEAD_ROOM:
        world.tenant.office.add_room(DEAD_ROOM, "Dead room")
    crowd = Crowd(world, random.Random(schedule.seed), is_from_before=bool(schedule.before))
    witness = Witness(world)
    requests_after: list[tuple[int, str]] = []
    if tells_requests:
        world.trace.listener = lambda line: requests_after.append((len(crowd.log), f"    {line}"))
    broken = None
    try:
        _take_steps(world, crowd, schedule.before)
        world.open()
        world.skew = skew
        world.furnish(staff.THINGS)
        _live(world, crowd, witness, schedule)
        if at_end is not None:
            at_end(world)
    except Exception as error:  # whatever ends a world breaks it
        broken = str(error) if isinstance(error, AssertionError) else traceback.format_exc()
    try:
        ends = (*(world.tell(loan) for loan in world.loans), *map(str, world.all_case_facts()))
        log = (*crowd.log, *ends)
        seconds = world.loop.time()
    finally:
        world.close()
    world.trace.tell(seconds, *log)
    requests = sum(len(transport.requests) for transport in world.transports)
    told = (*_between(crowd.log, requests_after), *ends)
    return Outcome(
        schedule, broken, told, world.trace.digest, requests, seconds, crowd.acted, world.struck, world.crashes
    )


def _between(log: Sequence[str], requests_after: Sequence[tuple[int, str]]) -> Iterator[str]:
    """Yield the lines of *log* with each request behind as many of them as were told before it."""
    requests = deque(requests_after)
    for count, line in enumerate(log):
        while requests and requests[0][0] <= count:
            yield requests.popleft()[1]
        yield line
    yield from (line for _, line in requests)


def _live(world: World, crowd: Crowd, witness: Witness, schedule: Schedule) -> None:
    withdrawn: set[int] = set()
    world.on_loss.append(lambda _loss: withdrawn.clear())
    weather = Weather(world, schedule.weather)
    weather.last(schedule.lasting)
    names = [front.name for front in schedule.weather]
    crowd.log.append(f"weather: {', '.join(names)}; for ever: {schedule.lasting or 'nothing'}")
    for step in schedule.steps:
        if crowd.acted.total() >= schedule.operations:
            break
        _take_steps(world, crowd, [step], weather)
        check_always(world, withdrawn)
        witness.check_made()
        witness.check_ends()
        witness.check_tokens()
    weather.clear(schedule.lasting)
    directory.put_in_order(world)
    if crowd.is_begun:
        begun.let_rooms_be(crowd)
    if schedule.lasting:
        _check_progress(world, crowd, withdrawn, schedule.lasting)
        check_lives(world)
        witness.check_brake()
        return
    if crowd.acted["set_mode"]:
        world.wait(WITHHELD_SECONDS)
    if crowd.acted["let_hours_pass"] and world.untold.closed:
        world.wait(CHECK_GAP_MAX.total_seconds())  # by then what a mailbox has refused for hours is asked for again
    world.heal()
    if (wait := world.seconds_to_last_look()) > 0:  # of what no room shows only the organizer's calendar tells
        world.wait(wait)
        world.heal()
    if crowd.believe_everything():
        world.heal()
    if schedule.before and (left := backfills.bring_in_the_rest(world)):
        raise Broken(f"I3: a plan was applied and another finds more: {left}")
    if crowd.believe_everything():  # what was brought in may show that a room is not closed, but lost what it had
        world.heal()
    check_always(world, withdrawn)
    check_quiet(world, crowd)
    _check_queue(world)
    witness.check_made()
    witness.check_ends()
    witness.check_brake()
    witness.check_bounds()
    if crowd.is_begun:
        begun.let_a_quarter_begin(crowd)
    _check_rest(world, witness)
    check_quiet(world, crowd)
    check_lives(world)


def _take_steps(world: World, crowd: Crowd, steps: Sequence[Step], weather: Weather | None = None) -> None:
    for step in steps:
        crowd.random.seed(step.seed)
        if crowd.is_begun:
            begun.note_what_is_over(crowd)
        crowd.act(step.verb, verbs.BY_NAME[step.verb].act)
        if weather is not None:
            weather.blow(step.gusts, crowd.random)
        world.wait(step.pause)


def _check_progress(world: World, crowd: Crowd, withdrawn: set[int], lasting: str) -> None:
    """
    I15, I16: whatever lasts, one reading by the timer and a minute bring agreement, once nothing waits for a back-off.

    Where requests go on failing everywhere, now and then, that is so once none has failed, which takes some tries.
    """
    world.wait(BACKOFF_SECONDS_MAX + SETTLING_SECONDS)
    crowd.believe_everything()
    for _ in range(READINGS_MAX if lasting in UNSTEADY else 1):
        world.office.rooms.mark_rooms(priority=1)
        world.wait(SETTLING_SECONDS)
        if lasting in UNSTEADY:
            world.wait(BACKOFF_SECONDS_MAX)
        if not any(key.attempts for key in world.office.queue.waiting(100)):
            break
    check_always(world, withdrawn)
    check_quiet(world, crowd)


def _check_rest(world: World, witness: Witness) -> None:
    """I8, I9: once everything agrees, a restart, a whole new reading and every notification once more do nothing."""
    before, at_rest = (world.count_writes(), world.count_decisions()), witness.measure()
    world.kill()
    world.start()
    for room in range(1, len(world.room_addresses) + 1):
        world.lose_delta(room)
    world.repeat_notifications()
    world.heal()
    after = world.count_writes(), world.count_decisions()
    if after != before:
        raise Broken(f"I8: a restart after everything agreed took writes and decisions from {before} to {after}")
    check_same(at_rest, witness.measure())
    witness.check_tokens()


def _is_expected(kind: str, error: str, *, is_followed: bool) -> bool:
    if kind == "subscription" and not is_followed and SUCCEEDED in error:
        return True
    return any(code in error for code in UNKNOWN)


def _check_queue(world: World) -> None:
    for (kind, key, _), looks in world.watcher.looks.items():
        if looks > LOOKS_MAX:
            raise Broken(f"I17: {kind} {key} was looked at {looks} times within a second")
    book = world.office.rooms.room_book()
    followed = {str(room.id) for room in book.rooms if room.state is RoomState.ACTIVE}
    parked = [
        error
        for kind, key, error in world.watcher.parked_keys
        if not _is_expected(kind, error, is_followed=key in followed)
    ]
    left = [key for key in world.office.queue.waiting(50) if key.parked_at is not None]
    parked += [key.last_error or "" for key in left if key.kind not in OF_ROOMS or key.key in followed]
    if parked:
        raise Broken(f"keys are parked: {parked}")
    waiting = [key for key in world.office.queue.waiting(100) if key.parked_at is None and key.attempts]
    failing = [(key.kind, key.key, key.last_error) for key in waiting]
    if failing:
        raise Broken(f"keys fail again and again: {failing}")
