"""Who watches a world while it lives, for promises that its end does not show: what ended on what evidence, how many at
once, what was lost to whom, how far tokens are ahead of data, what grows."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import zip_longest
from typing import Any

import msgspec
from sqlalchemy import bindparam, exists, func, literal, or_, select, union_all

from engine.database.links.codec import parse_base
from engine.database.sql.prepared import Prepared
from engine.database.tables import metadata
from engine.graph.transport import Request, Response
from engine.interval import Interval
from engine.loans.status import BLOCKING_STATUSES
from engine.prove.judges.invariants import Broken
from engine.prove.people.people import parse_instant
from engine.prove.world.deeds import Deed, read_deed
from engine.prove.world.world import World
from engine.reconcile.brake import CANCELLED_BY_OUTLOOK, PERCENT_FROM, WINDOW
from engine.reconcile.markers import parse_marker
from engine.simulator.calendars.records import Mailbox

_loan, _item, _link = metadata.tables["loan"], metadata.tables["loan_item"], metadata.tables["link"]
_case = metadata.tables["case"]
_decision, _room, _copy = metadata.tables["decision"], metadata.tables["room"], metadata.tables["room_copy"]

PERCENT_MAX = 30
"""Of a room's coming loans may end at once because of Outlook, from `PERCENT_FROM` on: the settings' default."""

BY_TIME = frozenset({"room_does_not_answer", "event_missing"})
"""Cases that open because time goes by."""
GROWS = frozenset({"case", "notification", "job", "outbox_try", "subscription", "work"})
"""What a restart and everything heard once more may add rows to: notifications are kept, keys are for ever."""

_ENDED = Prepared(
    select(_decision.c.id, _decision.c.at, _decision.c.code, _decision.c.loan_number, _link.c.ical_uid, _link.c.hold)
    .join(_loan, _loan.c.number == _decision.c.loan_number)
    .join(_link, _link.c.loan_number == _loan.c.number, isouter=True)
    .where(
        _decision.c.id > bindparam("after"),
        _decision.c.code.in_(sorted(CANCELLED_BY_OUTLOOK)),
        _loan.c.status.not_in(sorted(BLOCKING_STATUSES)),
    )
    .order_by(_decision.c.id, _link.c.generation)
)
_ITEMS = Prepared(
    select(
        _item.c.loan_number,
        _item.c.bookable_id,
        _loan.c.series,
        _loan.c.created_at,
        _loan.c.status.in_(sorted(BLOCKING_STATUSES)).label("stands"),
    )
    .join(_loan, _loan.c.number == _item.c.loan_number)
    .where(_item.c.kind == "room")
)
_SIZES = Prepared(
    union_all(
        *(
            select(literal(table.name).label("name"), func.count().label("size")).select_from(table)
            for table in metadata.sorted_tables
        )
    )
)
_notice = metadata.tables["notification"]
_brought_at = (
    select(func.min(_notice.c.received_at))
    .where(_notice.c.room_id == _copy.c.room_id, _notice.c.event_id == _copy.c.event_id)
    .where(_notice.c.etag == _copy.c.etag)
    .scalar_subquery()
)
"""When the version of a copy came that a notification brought: it counts as of when it was changed, before that."""
_edited_at = bindparam("edited_at", type_=_copy.c.observed_at.type)
_KNOWN = Prepared(
    select(_copy.c.ical_uid)
    .join(_room, _room.c.id == _copy.c.room_id)
    .where(
        _room.c.address_folded.in_(bindparam("rooms", expanding=True)),
        _copy.c.live,
        _copy.c.start_at < bindparam("end", type_=_copy.c.end_at.type),
        _copy.c.end_at > bindparam("start", type_=_copy.c.end_at.type),
        _copy.c.start_at < _copy.c.end_at,
        _copy.c.observed_at < _edited_at,
        or_(_copy.c.modified_at.is_(None), _copy.c.observed_at > _copy.c.modified_at, _brought_at < _edited_at),
        ~exists()
        .where(_link.c.ical_uid == _copy.c.ical_uid)
        .where(_item.c.loan_number == _link.c.loan_number, _item.c.bookable_id == _copy.c.room_id),  # that is I1's
    )
)
_EDITS = Prepared(
    select(_decision.c.at, _decision.c.code, _decision.c.facts, _loan.c.changed_at)
    .join(_loan, _loan.c.number == _decision.c.loan_number)
    .where(_loan.c.number == bindparam("loan"))
    .order_by(_decision.c.id.desc())
)
_FORMER = Prepared(
    select(_link.c.base)
    .where(_link.c.loan_number == bindparam("loan"), _link.c.generation < bindparam("generation"))
    .order_by(_link.c.generation.desc())
    .limit(1)
)
_TOLD_BY = Prepared(
    select(_room.c.address_folded).where(
        exists().where(_item.c.bookable_id == _room.c.id, _item.c.loan_number == bindparam("loan"))
        | exists().where(_copy.c.room_id == _room.c.id, _copy.c.ical_uid == bindparam("uid"), _copy.c.live)
    )
)
TASKS_PER_ENGINE = 4
_LINKS_OF_ROOMS = Prepared(select(_room.c.id, _room.c.delta_link, _room.c.next_link))
_COPY_IDS = Prepared(select(_copy.c.event_id).where(_copy.c.room_id == bindparam("room")))


class Witness:
    """
    Watches one world.

    Args:
        world: before it is opened: what the wire shows from the first request on is heard.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._pages: dict[str, frozenset[str]] = {}
        """What the page showed that gave a link."""
        self._links: dict[int, str | None] = {}
        self._seen = 0
        """The last decision that was looked at."""
        self._judged: dict[str, object] = {}
        """As of which version of the store each promise was judged that only what is written can break."""
        self._doubled: list[str] = []
        """Events that the engine made where it could see another."""
        world.on_answer.append(self._hear)
        world.on_loss.append(lambda _loss: self._forget())

    def _is_judged(self, promise: str) -> bool:
        """Tell whether nobody wrote since a promise was judged; from now on it is."""
        version = self._world.store_version
        is_judged = self._judged.get(promise) == version
        self._judged[promise] = version
        return is_judged

    def _forget(self) -> None:
        """The store goes back in time: numbers of decisions are given again."""
        self._seen = 0

    # --- I20

    def _hear(self, request: Request, response: Response) -> None:
        """Remember what each page of a room's changes showed, by the link it gave; look at each event that is made."""
        done = read_deed(request, response)
        if done is not None and done.deed is Deed.MADE:
            self._look_beside(msgspec.json.decode(request.body or b"{}"), done.marker)
        if "delta" not in request.url or response.status != 200:
            return
        page = msgspec.json.decode(response.body)
        link = page.get("@odata.deltaLink") or page.get("@odata.nextLink")
        if link:
            shown = (each["id"] for each in page.get("value", ()) if "@removed" not in each)
            self._pages[link] = frozenset(shown)

    def check_tokens(self) -> None:
        """I20: where a room's next reading begins, all is stored that came before: a crash repeats, and never skips."""
        if self._is_judged("I20"):
            return
        with self._world.database.read() as transaction:
            for row in _LINKS_OF_ROOMS.run(transaction.connection).all():
                link = row.next_link or row.delta_link
                if link is None or self._links.get(row.id) == link:
                    continue
                self._links[row.id] = link
                shown = self._pages.get(link, frozenset())
                stored = set(_COPY_IDS.run(transaction.connection, {"room": row.id}).scalars()) if shown else set()
                if shown - stored:
                    raise Broken(f"I20: the token of room {row.id} is ahead of {len(shown - stored)} events")

    # --- I2

    def _look_beside(self, body: Mapping[str, Any], marker: str) -> None:
        """Find what rooms held, as the store knew when the loan was last edited, at the time of a single event made."""
        instance = self._world.all_lives[-1].engine.office.instance  # none may live by the time a request arrives
        ref = parse_marker(instance, marker)
        if ref is None or "recurrence" in body:
            return
        asked = [each["emailAddress"]["address"] for each in body["attendees"] if each["type"] == "resource"]
        rooms = [room.casefold() for room in asked]
        start, end = parse_instant(body["start"]), parse_instant(body["end"])
        with self._world.database.read() as transaction:
            edits = _EDITS.run(transaction.connection, {"loan": ref.number}).all()
            else_at = edits[0].changed_at if edits else start
            known: list[str] = []
            for room in rooms:
                number = self._world.room_number(room)
                wished = (edit.at for edit in edits if _asks_room(edit, number) and not _moves(edit, start, end))
                edited_at = next(wished, else_at)
                values = {"rooms": [room], "edited_at": edited_at, "start": start, "end": end}
                known += _KNOWN.run(transaction.connection, values).scalars()
            former = _FORMER.run(transaction.connection, {"loan": ref.number, "generation": ref.generation}).scalar()
        base = parse_base(former or {})
        if base is not None and base.outlook.interval == Interval(start, end):
            return  # made anew for somebody else, where people had put the one before
        if any(self._is_alive(uid) and not self._is_ours(uid) for uid in known):
            self._doubled.append(f"loan {ref.number} in {rooms}, where {known} is")

    def _is_ours(self, ical_uid: str) -> bool:
        """Tell whether the engine made this meeting, whatever became of the answer: then it is I5's."""
        calendars = self._world.tenant.world.calendars.values()
        found = (event for calendar in calendars for event in calendar.all_by_ical(ical_uid))
        return any(event.transaction_id and event.transaction_id.startswith("accord-") for event in found)

    def check_made(self) -> None:
        """I2: the engine makes no event where it could see another, in any of its rooms."""
        if self._doubled:
            raise Broken(f"I2: an event was made for {self._doubled[0]}")

    # --- I13

    def check_ends(self) -> None:
        """I13: a loan that ended because of Outlook ended on evidence: its organizer has the meeting no more."""
        if self._is_judged("I13"):
            return
        with self._world.database.read() as transaction:
            rows = _ENDED.run(transaction.connection, {"after": self._seen}).all()
        for row in rows:
            self._seen = max(self._seen, row.id)
            is_one = row.code == "cancelled_in_outlook" and row.ical_uid and "@" not in row.ical_uid
            if is_one and self._is_alive(row.ical_uid, of_loan=row.loan_number, at=row.at - self._world.skew):
                raise Broken(f"I13: loan {row.loan_number} was cancelled, and its meeting is alive")

    def _is_alive(self, ical_uid: str, *, of_loan: int | None = None, at: datetime | None = None) -> bool:
        """
        Tell whether somebody has a meeting, and a room still shows it: nobody can know more who may not ask all.

        What a room was asked for again after *at*, when the loan ended, could not be known then; None: just now.
        Of a loan whose organizer's mailbox is closed, or not ours, only the rooms tell that it has, and those that were
        read: to which other room it was taken nobody can be asked.
        """
        tenant = self._world.tenant.world
        boxes = [box for box in tenant.mailboxes.values() if box.state != "removed" and box.id in tenant.calendars]
        copies = [(box, event) for box in boxes for event in tenant.calendars[box.id].all_by_ical(ical_uid)]
        alive = [(box, event) for box, event in copies if not event.is_cancelled]
        shown = [
            box for box, event in alive
            if box.kind == "room" and event.response != "declined" and (at is None or event.created_at <= at)
        ]  # fmt: skip
        organizers = [box for box, event in alive if event.is_organizer]
        if of_loan is not None and organizers and all(_is_closed(box) for box in organizers):
            told = self._rooms_that_told(ical_uid, of_loan)
            shown = [box for box in shown if self._world.room_number(box.address) in told]
        return bool(shown and organizers)

    def _rooms_that_told(self, ical_uid: str, number: int) -> set[int | None]:
        """Return the rooms of a loan, and those that showed its meeting, by their numbers."""
        with self._world.database.read() as transaction:
            rows = _TOLD_BY.run(transaction.connection, {"loan": number, "uid": ical_uid}).scalars()
            return {self._world.room_number(address) for address in rows}

    # --- I14

    def check_brake(self) -> None:
        """
        I14: no room loses more of its bookings within an hour than the brake lets pass, unless somebody confirmed it.

        Counted for the engine's good: only loans of one room go, none that may just have been refused, a series goes
        with the last of its dates, by what became of that one, if the desk ended none of them, and everything that ever
        was booked there is there.
        """
        with self._world.database.read() as transaction:
            ended = _ENDED.run(transaction.connection, {"after": 0}).all()
            if len(ended) < PERCENT_FROM:
                return
            items = _ITEMS.run(transaction.connection).all()
        rooms_of: dict[int, set[int]] = defaultdict(set)
        born: dict[int, dict[str, datetime]] = defaultdict(dict)
        for item in items:
            rooms_of[item.loan_number].add(item.bookable_id)
            born[item.bookable_id].setdefault(_group(item), item.created_at)
        groups = {item.loan_number: _group(item) for item in items}
        by_outlook = {row.loan_number for row in ended}
        kept = {_group(item) for item in items if item.stands or item.loan_number not in by_outlook}
        last = {(room, groups[row.loan_number]): row for row in ended for room in rooms_of[row.loan_number]}
        gone: dict[int, dict[str, datetime]] = defaultdict(dict)
        for (room, group), row in last.items():
            is_excused = row.hold is not None or row.code == "all_rooms_declined"
            if group not in kept and not is_excused and len(rooms_of[row.loan_number]) == 1:
                gone[room][group] = row.at
        for room, ends in gone.items():
            for at in ends.values():
                going = sum(at - WINDOW < each <= at for each in ends.values())
                total = sum(each <= at for each in born[room].values())
                if going >= PERCENT_FROM and going * 100 > PERCENT_MAX * total:
                    raise Broken(f"I14: room {room} lost {going} of {total} bookings at once, and nobody was asked")

    # --- I17

    def check_bounds(self) -> None:
        """I17: at rest no write waits, and no more is under way than an engine always has."""
        sizes = self._sizes()
        left = {name: sizes[name] for name in ("intent", "series_write") if sizes[name]}
        tasks = [task for task in asyncio.all_tasks(self._world.loop) if not task.done()]
        if left or len(tasks) > TASKS_PER_ENGINE * len(self._world.lives):
            raise Broken(f"I17: at rest there are {left or [task.get_name() for task in tasks]}")

    def measure(self) -> Mapping[str, Any]:
        """Return what must be the same after a restart, a whole new reading and everything heard once more."""
        with self._world.database.read() as transaction:
            rows: dict[str, Sequence[Any]] = {
                table.name: transaction.connection.execute(select(table).order_by(*table.primary_key)).all()
                for table in (_loan, _item, _case)
            }
        rows["case"] = [_without_names(case) for case in rows["case"] if case.code not in BY_TIME]
        return {**{f"rows of {name}": size for name, size in self._sizes().items() if name not in GROWS}, **rows}

    def _sizes(self) -> dict[str, int]:
        with self._world.database.read() as transaction:
            return {row.name: row.size for row in _SIZES.run(transaction.connection)}


def _is_closed(box: Mailbox) -> bool:
    return box.state != "active" or box.kind == "external"


def _without_names(case: Any) -> dict[str, Any]:
    """A room that was renamed is called by its new name at the next look at its case: its id says which it is."""
    facts = {name: value for name, value in case.facts.items() if name != "item" or "item_id" not in case.facts}
    return {**case._mapping, "facts": facts}


def check_same(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """I8, I9, I17: nothing has changed, and nothing has grown."""
    for name, was in before.items():
        if after[name] != was:
            told = f"from {was} to {after[name]}" if isinstance(was, int) else _first_difference(was, after[name])
            raise Broken(f"I9: what was at rest changed: {name} {told}")


def _first_difference(before: Sequence[Any], after: Sequence[Any]) -> str:
    return str(next(((one, other) for one, other in zip_longest(before, after) if one != other), ""))


def _asks_room(edit: Any, room: int | None) -> bool:
    """Tell whether what the desk did takes a room at a time. Whoever adds another one, or lends things beside, leaves
    it taken as it was."""
    if edit.code not in ("booked_in_app", "changed_in_app"):
        return False
    fields = edit.facts.get("fields", {})
    items = fields.get("items", {"old": "", "new": ""})
    added = set(items["new"].split(", ")) - set(items["old"].split(", "))
    is_added = any(name.split()[:2] == ["Room", str(room)] for name in added)  # whatever it is called beside
    return edit.code == "booked_in_app" or is_added or bool({"start", "end"} & fields.keys())


def _moves(edit: Any, start: datetime, end: datetime) -> bool:
    """Tell whether what the desk did gave the loan other times than these: an event that has these was decided before,
    and could not be made until now."""
    fields = edit.facts.get("fields", {}) if edit.code == "changed_in_app" else {}
    given = {"start": f"{start:%Y-%m-%d %H:%M}", "end": f"{end:%Y-%m-%d %H:%M}"}
    return any(name in fields and fields[name]["new"] != at for name, at in given.items())


def _group(row: Any) -> str:
    """A series counts as one booking, as for the brake."""
    return f"series {row.series}" if row.series else f"loan {row.loan_number}"
