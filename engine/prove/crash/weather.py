"""Stories in which Outlook, or the way to it, is not well: they must end as all the others do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from engine.prove.crash.scene import Act, Scene, Story, after, in_turn, nothing

OFTEN = 4
"""So often a fault strikes: more than the gateway tries at once."""


def _meet(scene: Scene) -> None:
    scene.meet(scene.hours(9, 10), 1)


def _book(scene: Scene) -> None:
    scene.book(scene.hours(9, 10), 1)


def _stranger_meets(scene: Scene) -> None:
    scene.meet(scene.hours(17.1, 17.8), 1, person=1)


def _another_meets(scene: Scene) -> None:
    """By now nothing lags any more: what was left out is told."""
    scene.meet(scene.hours(18.1, 18.8), 1, person=3)


def _desk_moves(scene: Scene) -> None:
    scene.change(times=scene.hours(11, 12))


def _outlook_moves(scene: Scene) -> None:
    scene.edit(times=scene.hours(13, 14))


def _outlook_moves_later(scene: Scene) -> None:
    """Let the organizer move the meeting in a while, when the engine lives again and has read the room."""
    found = scene.find(scene.main)
    if found is None:
        return
    times, person = scene.hours(13, 14), scene.world.person(found[0])
    scene.main.want("outlook", times=times)
    scene.world.later(10.0, lambda: person.move(found[1]["id"], times.start, times.end))


def _organizer_sorts(scene: Scene) -> None:
    """Give the event a category: another version of the organizer's copy, of which no room is told."""
    found = scene.find(scene.main)
    if found is not None:
        scene.world.run(scene.world.person(found[0]).change(found[1]["id"], categories=["Blue"]))


def _room_declines(scene: Scene) -> None:
    """Let somebody decline in the room's name; the organizer's copy tells so."""
    room = scene.world.room(1)
    for copy in scene.world.run(room.events()):
        scene.world.run(room.answer(copy["id"], "decline"))
        scene.main.cancelled.append("outlook")


def _organizer_is(state: str) -> Act:
    """Close the organizer's mailbox, or open it again: what is in it cannot be read, and nobody has cancelled it."""

    def act(scene: Scene) -> None:
        scene.world.set_mailbox(2, state)

    return act


def _where_cancelled_copies_go(scene: Scene) -> None:
    """Rooms keep no cancelled copies (Set-CalendarProcessing: RemoveCanceledMeetings)."""
    for room in scene.world.room_addresses:
        scene.world.tenant.office.set_processing(room, RemoveCanceledMeetings=True)


def _where_rooms_look_far_ahead(scene: Scene) -> None:
    for room in scene.world.room_addresses:
        scene.world.tenant.office.set_processing(room, BookingWindowInDays=1080)


def _fault(**rule: object) -> Act:
    """Let the tenant do something wrong from now on, as often as the rule says."""

    def act(scene: Scene) -> None:
        scene.world.tenant.faults.add(**rule)

    return act


def _all_is_well(scene: Scene) -> None:
    scene.world.tenant.faults.clear()


def _lose_tokens(scene: Scene) -> None:
    scene.lose_tokens()


def _moves_out_of_what_is_followed(scene: Scene) -> None:
    """Move the meeting to a day that the room's window does not reach: delta says `@removed` of what is there."""
    later = timedelta(days=FAR_DAYS)
    times = scene.main.last("times")
    scene.edit(times=type(times)(times.start + later, times.end + later))


FAR_DAYS = 500
"""Beyond the days ahead that are followed (sync.horizon_days)."""

STORIES: dict[str, tuple[Act, Act, Act]] = {
    "meeting: rooms are read anew and a page lags while its organizer is away": (
        _meet,
        in_turn(
            _organizer_is("disabled"),
            _lose_tokens,
            _fault(effect="lag", seconds=86_400, times=1),
            _stranger_meets,
            after(3.0, _another_meets),
            after(3.0, _organizer_is("active")),
        ),
        nothing,
    ),
    "meeting: desk moves | outlook moves before the new subscription is made": (
        _meet,
        _desk_moves,
        in_turn(_fault(effect="delay", seconds=20, method="POST", path="/subscriptions"), _outlook_moves_later),
    ),
    "meeting: outlook cancels where cancelled copies go": (
        in_turn(_where_cancelled_copies_go, _meet),
        lambda scene: scene.withdraw(),
        nothing,
    ),
    "meeting: outlook cancels where cancelled copies go and tokens are lost": (
        in_turn(_where_cancelled_copies_go, _meet),
        in_turn(_lose_tokens, lambda scene: scene.withdraw()),
        nothing,
    ),
    "loan: desk moves while Graph is busy": (
        _book,
        in_turn(_fault(effect="error", status=503, method="PATCH", times=OFTEN), _desk_moves),
        nothing,
    ),
    "wide loan: desk drops a room while its organizer sorts it": (
        lambda scene: scene.book(scene.hours(9, 10), 1, 2),
        in_turn(lambda scene: scene.change(rooms=(1,)), after(0.007, _organizer_sorts)),
        nothing,
    ),
    "loan: desk moves, outlook moves at once, and no room is heard": (
        _book,
        in_turn(_desk_moves, after(0.007, in_turn(_fault(effect="lose"), _outlook_moves))),
        nothing,
    ),
    "loan: a room whose yes was told by others drops it": (
        in_turn(_fault(effect="lose"), _book),
        in_turn(_all_is_well, _room_declines),
        nothing,
    ),
    "meeting: outlook moves out of what is followed": (
        in_turn(_where_rooms_look_far_ahead, _meet),
        _moves_out_of_what_is_followed,
        nothing,
    ),
}
"""What is there before, what is edited while the engine may die, and what happens while it is dead."""


def tell_of_weather() -> Iterator[Story]:
    """Yield these stories."""
    for name, (before, edit, meanwhile) in STORIES.items():
        yield Story(name, before, edit, meanwhile)
