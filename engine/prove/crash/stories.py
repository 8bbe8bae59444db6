"""The stories: every edit of either side of every kind of booking, and what somebody does while the engine is dead."""

from __future__ import annotations

from collections.abc import Iterator

from engine.prove.crash.scene import Act, Scene, Story, after, in_turn, nothing
from engine.prove.crash.weather import tell_of_weather
from engine.reconcile.series.book import Scope


def _desk_moves(scene: Scene) -> None:
    scene.change(times=scene.hours(11, 12))


BIRTHS: dict[str, Act] = {
    "loan": lambda scene: scene.book(scene.hours(9, 10), 1),
    "meeting": lambda scene: scene.meet(scene.hours(9, 10), 1),
    "wide loan": lambda scene: scene.book(scene.hours(9, 10), 1, 2),
    "wide meeting": lambda scene: scene.meet(scene.hours(9, 10), 1, 2),
}
SERIES: dict[str, Act] = {
    "app series": lambda scene: scene.book_series(1),
    "outlook series": lambda scene: scene.meet_daily(1),
}

EDITS: dict[str, Act] = {
    "desk moves": _desk_moves,
    "desk rerooms": lambda scene: scene.change(rooms=(3,)),
    "desk adds a room": lambda scene: scene.change(rooms=(1, 3)),
    "desk moves and rerooms": lambda scene: scene.change(times=scene.hours(11, 12), rooms=(3,)),
    "desk gives away": lambda scene: scene.change(person=3),
    "desk moves and gives away": lambda scene: scene.change(times=scene.hours(11, 12), person=3),
    "desk cancels": lambda scene: scene.cancel(),
    "desk cancels and books again": in_turn(lambda scene: scene.cancel(), lambda scene: scene.book_freed()),
    "outlook moves": lambda scene: scene.edit(times=scene.hours(13, 14)),
    "outlook rerooms": lambda scene: scene.edit(rooms=(3,)),
    "outlook adds a room": lambda scene: scene.edit(rooms=(1, 3)),
    "outlook moves and rerooms": lambda scene: scene.edit(times=scene.hours(13, 14), rooms=(3,)),
    "outlook cancels": lambda scene: scene.withdraw(),
    "outlook leaves the room": lambda scene: scene.leave_rooms(),
    "desk rerooms twice": in_turn(
        lambda scene: scene.change(rooms=(3,)), after(0.03, lambda scene: scene.change(rooms=(2,)))
    ),
    "desk moves twice": in_turn(_desk_moves, after(0.03, lambda scene: scene.change(times=scene.hours(14, 15)))),
    "desk rerooms and then moves": in_turn(lambda scene: scene.change(rooms=(3,)), after(0.03, _desk_moves)),
    "desk moves and then cancels": in_turn(_desk_moves, after(0.02, lambda scene: scene.cancel())),
    "desk gives away and then cancels": in_turn(
        lambda scene: scene.change(person=3), after(0.02, lambda scene: scene.cancel())
    ),
    "outlook moves twice": in_turn(
        lambda scene: scene.edit(times=scene.hours(13, 14)),
        after(0.6, lambda scene: scene.edit(times=scene.hours(15, 16))),
    ),
    "outlook rerooms there and back": in_turn(
        lambda scene: scene.edit(rooms=(3,)), after(0.6, lambda scene: scene.edit(rooms=(1,)))
    ),
    "outlook moves and then cancels": in_turn(
        lambda scene: scene.edit(times=scene.hours(13, 14)), after(0.6, lambda scene: scene.withdraw())
    ),
    "outlook moves while the desk's move is on its way": in_turn(
        _desk_moves, after(0.007, lambda scene: scene.edit(times=scene.hours(13, 14)))
    ),
    "both move": in_turn(_desk_moves, lambda scene: scene.edit(times=scene.hours(13, 14))),
    "desk moves, outlook rerooms": in_turn(_desk_moves, lambda scene: scene.edit(rooms=(3,))),
    "desk moves, outlook cancels": in_turn(_desk_moves, lambda scene: scene.withdraw()),
}
SERIES_EDITS: dict[str, Act] = {
    "desk moves one": lambda scene: scene.rescope(1, Scope.THIS, hour=11),
    "desk rerooms following": lambda scene: scene.rescope(1, Scope.FOLLOWING, rooms=(2,)),
    "desk moves all": lambda scene: scene.rescope(0, Scope.ALL, hour=14),
    "desk cancels one": lambda scene: scene.end_scope(1, Scope.THIS),
    "desk cancels following": lambda scene: scene.end_scope(1, Scope.FOLLOWING),
    "desk moves all, outlook cancels one": in_turn(
        lambda scene: scene.rescope(0, Scope.ALL, hour=14), lambda scene: scene.touch_date(2, hour=None)
    ),
    "outlook moves one": lambda scene: scene.touch_date(1, hour=13),
    "outlook cancels one": lambda scene: scene.touch_date(1, hour=None),
    "outlook moves all": lambda scene: scene.move_all(15),
    "outlook rerooms all": lambda scene: scene.reroom_all(2),
    "outlook cuts": lambda scene: scene.cut(1),
    "outlook cancels all": lambda scene: scene.withdraw_all(),
}

MEANWHILES: dict[str, Act] = {
    "": nothing,
    "outlook moves": lambda scene: scene.edit(times=scene.hours(16, 17)),
    "outlook rerooms": lambda scene: scene.edit(rooms=(2, 3)),
    "outlook cancels": lambda scene: scene.withdraw(),
    "a stranger meets": lambda scene: scene.meet(scene.hours(17.1, 17.8), 1, person=1),
    "desk moves": lambda scene: scene.change(times=scene.hours(16, 17)),
    "desk rerooms": lambda scene: scene.change(rooms=(2,)),
    "desk gives away": lambda scene: scene.change(person=1),
    "desk cancels": lambda scene: scene.cancel(),
    "another engine books": lambda scene: scene.meet(
        scene.hours(17, 18), 1, person=1, transactionId="accord-00000000-1-g1-00000000"
    ),
    "tokens are lost, outlook leaves the room": in_turn(
        lambda scene: scene.lose_tokens(), lambda scene: scene.leave_rooms()
    ),
    "tokens are lost, outlook cancels": in_turn(lambda scene: scene.lose_tokens(), lambda scene: scene.withdraw()),
}
SERIES_MEANWHILES: dict[str, Act] = {
    "": nothing,
    "outlook cancels one": lambda scene: scene.touch_date(2, hour=None),
    "outlook moves one": lambda scene: scene.touch_date(2, hour=16),
    "outlook cancels all": lambda scene: scene.withdraw_all(),
}


def tell_stories() -> dict[str, Story]:
    """Return every story by its name: `<booking>: <edit> | <meanwhile>`; those of bad weather last."""
    stories = [*_combine(BIRTHS, EDITS, MEANWHILES), *_combine(SERIES, SERIES_EDITS, SERIES_MEANWHILES)]
    stories += tell_of_weather()
    return {story.name: story for story in stories}


def _combine(births: dict[str, Act], edits: dict[str, Act], meanwhiles: dict[str, Act]) -> Iterator[Story]:
    for what, birth in births.items():
        for during, meanwhile in meanwhiles.items():
            tail = f" | {during}" if during else ""
            yield Story(f"{what}: is made{tail}", nothing, birth, meanwhile)
            for name, edit in edits.items():
                yield Story(f"{what}: {name}{tail}", birth, edit, meanwhile)
