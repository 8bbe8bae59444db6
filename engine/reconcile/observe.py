"""From copies to one view of a meeting, and whether the organizer's copy must be read for it.

Room copies come for free with each room's delta; the organizer's copy costs a request. It is read
only where room copies cannot tell: who declined and who was released, and what is true while our
own change is still on its way to the rooms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time, tzinfo
from types import MappingProxyType

from engine.ids import BookableId, fold_address
from engine.interval import Interval
from engine.loans.status import ItemState
from engine.reconcile.views import Base, MeetingView, Presence, RoomCopy, rooms_holding
from engine.rooms.event import Answer, Attendee, EventCopy, EventType, Mailbox, Privacy
from engine.rooms.room import Room, RoomBook

_STATE_OF = MappingProxyType(
    {
        Answer.NONE: ItemState.REQUESTED,
        Answer.TENTATIVE: ItemState.TENTATIVE,
        Answer.ACCEPTED: ItemState.ACCEPTED,
        Answer.ORGANIZER: ItemState.ACCEPTED,
        Answer.DECLINED: ItemState.DECLINED,
    }
)
_YES = (Answer.ACCEPTED, Answer.TENTATIVE)
_STATES_OF_YES = (ItemState.ACCEPTED, ItemState.TENTATIVE)

TimesOf = Callable[[EventCopy, Iterable[BookableId]], Interval | None]
"""Tells the times of an event as instants; those of whole days last from the first midnight of its rooms to the last.
"""


@dataclass(frozen=True, slots=True)
class Shared:
    """What a date has in common with its series, as the organizer's master says it."""

    title: str
    private: bool
    web_link: str | None


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known of one meeting before deciding."""

    copies: tuple[RoomCopy, ...]
    base: Base | None = None
    organizer_read: bool = False
    """Whether the organizer's copy was asked for; `organizer_copy` None then means: it is not there."""
    organizer_copy: EventCopy | None = None
    organizer_interval: Interval | None = None
    written_at: datetime | None = None
    """When we last wrote this meeting, if ever: what a room showed before may be older than our write."""
    answers_before: Mapping[BookableId, ItemState] = field(default_factory=lambda: MappingProxyType({}))
    taken_out: frozenset[BookableId] = frozenset()
    """Rooms that were part of the loan and are not any more."""
    shared: Shared | None = None
    """What all dates of its series have in common, read once for all of them."""
    missing: frozenset[BookableId] = frozenset()
    """Rooms that said yes, were asked for the meeting themselves a while later, and do not have it: they dropped it."""
    organizer_lost: bool = False
    """Whether it left the rooms that have shown it, and nobody of whom they told has it: it is with somebody else, or
    no more."""
    organizer_closed: bool = False
    """Whether the organizer's copy was asked for in vain: its mailbox may not be read."""
    silent: frozenset[BookableId] = frozenset()
    """Rooms whose copies are left out since they are older than what was agreed on: they are part of it still."""

    @property
    def written(self) -> bool:
        """Whether we have ever written this meeting, so that old times in a room copy may be our own echo."""
        return self.written_at is not None


def resolve_interval(event: EventCopy, zone: tzinfo) -> Interval | None:
    """Return *event*'s times as instants; all-day events run from midnight to midnight in *zone* (they float)."""
    if event.all_day is None:
        return event.interval
    first, after = event.all_day
    return Interval(datetime.combine(first, time(0), zone), datetime.combine(after, time(0), zone))


def needs_organizer(known: Known, *, check_answers: bool) -> bool:
    """
    Tell whether the organizer's copy must be read before *known* can be viewed.

    Args:
        known: what the mirror and the link hold; not yet read.
        check_answers: whether rooms that have shown no copy at all are due to be asked about.
    """
    if known.base is None:
        return any(copy.live for copy in known.copies) or _vanished(known)
    if len(_new_times(known)) > (0 if known.written else 1) or bool(_rooms_behind(known)) or is_handed_over(known):
        return True
    by_room = {copy.room_id: copy for copy in known.copies}
    invited = [by_room.get(room) for room in known.base.outlook.rooms]
    if not any(copy.live for copy in known.copies):
        # Cancelled, declined, or taken to another room that has not shown it yet: only the organizer's copy tells.
        return check_answers or any(copy is not None for copy in invited)
    if check_answers and None in invited:
        return True
    return any(copy is not None and not copy.live and not _is_called_off(copy, known.base) for copy in invited)


def _is_called_off(copy: RoomCopy, base: Base) -> bool:
    """Tell whether a room shows that what was agreed on was called off. At other times it may have been before that: a
    date of a series that came back with all of them, in a room that has not heard of it since. One that is gone by now
    may have been alive again in between."""
    return not copy.gone and copy.event.is_cancelled and copy.interval == base.outlook.interval


def unshown_rooms(known: Known, book: RoomBook) -> frozenset[BookableId]:
    """Return the rooms whose yes nobody but the organizer's copy has told, now or when it was read last: they have
    never shown a copy of their own, and may have dropped it since without a word to the organizer (P68); or what they
    have shown last is an end, or of other times, and the yes may be to those."""
    states = known.answers_before
    if known.organizer_copy is not None:
        rooms = book.numbers_of(each.address for each in known.organizer_copy.attendees if each.answer in _YES)
        said_yes = {room for room in rooms if states.get(room) is not ItemState.RELEASED}
    else:
        invited = known.base.outlook.rooms if known.base is not None else frozenset()
        said_yes = {room for room in invited if states.get(room) in _STATES_OF_YES}
    shown = {copy.room_id for copy in known.copies if copy.gone or not _is_behind(copy, known)}
    return frozenset(said_yes) - shown - known.missing


def _is_behind(copy: RoomCopy, known: Known) -> bool:
    """Tell whether a room's copy is an end, or of other times than the organizer's; a date comes with its series."""
    if known.organizer_copy is None or known.shared is not None:
        return False
    return not copy.live or not _is_at(copy, known.organizer_copy, known.organizer_interval)


def _is_at(copy: RoomCopy, shown: EventCopy, interval: Interval | None) -> bool:
    """Tell whether a room's copy is of the times that *shown* has, *interval* as instants. Whole days are compared as
    days: as instants they depend on where the rooms lie, and on which of them are asked."""
    if shown.all_day is not None or copy.event.all_day is not None:
        return copy.event.all_day == shown.all_day
    return copy.interval == interval


def shows_other_rooms(known: Known, book: RoomBook) -> bool:
    """Tell whether rooms show a meeting with other rooms than were agreed on where only the organizer's copy tells why:
    we have written it, so that what they show may be older than our write; or the room that is missing in their lists
    never had a copy to lose, and may have been invited after them; or they list one that was taken out, of which those
    that stay need not hear."""
    live = [copy for copy in known.copies if copy.live]
    if known.base is None or not live:
        return False
    agreed, shown = known.base.outlook.rooms, {copy.room_id for copy in known.copies}
    is_told = not known.written and agreed <= shown
    if is_told and not known.taken_out:
        return False
    invited = _invited(known, None, live, book).keys()
    if (known.taken_out & invited) - agreed - {copy.room_id for copy in live}:
        return True
    return not is_told and (invited != agreed if known.written else not agreed <= invited)


def is_handed_over(known: Known) -> bool:
    """Tell whether the rooms show another organizer than was agreed on: the organizer's copy is in another mailbox."""
    shown = {fold_address(copy.event.organizer.address) for copy in known.copies if copy.live and copy.event.organizer}
    return known.base is not None and bool(shown) and known.base.outlook.requester not in shown


def _vanished(known: Known) -> bool:
    """Tell whether a meeting left every room before it ever was a loan: called off, or refused by them all. Of a
    refusal a room keeps no trace, so only the organizer's copy tells."""
    copies = [copy for copy in known.copies if not copy.listed]
    return bool(copies) and all(copy.gone and copy.event.type is EventType.SINGLE for copy in copies)


def needs_own_date(known: Known, book: RoomBook, *, is_late: bool = False) -> bool:
    """
    Tell whether the organizer's copy of this very date is needed, since what all dates of its series share will not do.

    That is so for an exception, which may say anything, and where a room that is invited shows no copy of the date: the
    master does not tell who declined one date (B34). Where no room shows it any more, it was lost or declined: the
    master, which goes on, says neither. So too where none has ever shown it and *is_late*: rooms have owed an answer
    for longer than they take. And where a room shows other times than we have written: its page may lag behind our
    write, and the master has the times of no date.
    """
    live = [copy for copy in known.copies if copy.live]
    if known.written and known.base is not None and _new_times(known):
        return True
    if not live and (known.copies or (is_late and known.base is not None)):
        return True
    if any(copy.gone and not copy.event.is_cancelled for copy in known.copies):
        return True  # it had this date to itself, and the copies of other rooms need not name it
    shown = {copy.room_id for copy in live}
    invited = (book.by_address(attendee.address) for copy in live for attendee in copy.event.attendees)
    missing = any(room is not None and room.is_synced and room.id not in shown for room in invited)
    return missing or any(copy.event.type is not EventType.OCCURRENCE for copy in live)


def _new_times(known: Known) -> frozenset[Interval | None]:
    before = known.base.outlook.interval if known.base else None
    return frozenset(copy.interval for copy in known.copies if copy.live) - {before}


def _rooms_behind(known: Known) -> frozenset[BookableId]:
    """Return the rooms that show other times than were agreed on, and did so before another room showed those: they may
    not have been read since a move."""
    if known.base is None:
        return frozenset()
    agreed = known.base.outlook.interval
    seen = [(copy.room_id, copy.seen_at, _is_within(copy, agreed)) for copy in known.copies if copy.live]
    last = max((at for _, at, is_agreed in seen if is_agreed and at is not None), default=None)
    if last is None:
        return frozenset()
    return frozenset(room for room, at, is_agreed in seen if not is_agreed and at is not None and at < last)


def _is_within(copy: RoomCopy, agreed: Interval | None) -> bool:
    """Tell whether a room's copy may be of the times that were *agreed* on: whole days last from the first midnight of
    all rooms to the last, of which those of one room are a part."""
    if copy.event.all_day is None or copy.interval is None or agreed is None:
        return copy.interval == agreed
    return agreed.start <= copy.interval.start and copy.interval.end <= agreed.end


def view_meeting(known: Known, book: RoomBook, times_of: TimesOf | None = None) -> MeetingView:
    """
    Return the one view of the meeting that *known* amounts to.

    Args:
        known: all that is known of it.
        book: the rooms.
        times_of: says how long whole days last in the rooms that have not said no; None: as the copies say.
    """
    if known.organizer_closed and known.base is not None:
        known = _without_overtaken(known, known.base, book)
    live = [copy for copy in known.copies if copy.live]
    organizer_copy = known.organizer_copy
    if organizer_copy is not None and organizer_copy.is_cancelled:
        organizer_copy = None
    if organizer_copy is None and not live:
        if known.base is None and (refused := _refused(known)):
            return _view_live(known, None, refused, book, times_of)
        if known.organizer_read or _all_ended(known):
            return MeetingView(Presence.GONE, ical_uid=known.copies[0].event.ical_uid if known.copies else None)
        return _view_unseen(known)
    view = _view_live(known, organizer_copy, live, book, times_of)
    if known.base is None and known.copies and not live and (view.holding or not view.answers):
        return MeetingView(Presence.GONE, ical_uid=view.ical_uid)  # it left every room: a list elsewhere is no booking
    return view


def _without_overtaken(known: Known, base: Base, book: RoomBook) -> Known:
    """Leave out what rooms say that have told nothing since something else was agreed on, and not these rooms."""
    overtaken = [copy for copy in known.copies if _is_overtaken(copy, known, book)]
    silent = base.outlook.rooms & {copy.room_id for copy in overtaken}
    return replace(known, copies=tuple(copy for copy in known.copies if copy not in overtaken), silent=silent)


def _is_overtaken(copy: RoomCopy, known: Known, book: RoomBook) -> bool:
    """
    Tell whether a room's copy was shown before our last write, or before its organizer's was read that said so, and
    says something else than was agreed on then: the room has told nothing since.

    That it does not name a room which shows the meeting says nothing: guests may be hidden from each other (Graph docs:
    event-update, hideAttendees).
    """
    if known.base is None or not copy.live:
        return False
    agreed, shown = known.base.outlook, {each.room_id for each in known.copies if each.live}
    hidden = frozenset(shown - _named(copy, book))
    return _is_older(copy, known) and _says_otherwise(copy, agreed.interval, agreed.rooms - hidden, book)


def _is_older(copy: RoomCopy, known: Known) -> bool:
    """Tell whether a room told of its copy before our last write, or before its organizer's was read ahead of it."""
    read_at = known.base.read_at if known.base is not None else None
    return copy.seen_at is not None and any(at is not None and copy.seen_at < at for at in (known.written_at, read_at))


def _says_otherwise(copy: RoomCopy, interval: Interval | None, rooms: frozenset[BookableId], book: RoomBook) -> bool:
    return copy.interval != interval or _named(copy, book) != rooms


def _named(copy: RoomCopy, book: RoomBook) -> set[BookableId]:
    """Return the rooms that a room's copy names, itself among them."""
    return {copy.room_id, *_invited_by(copy, book)}


def _invited_by(copy: RoomCopy, book: RoomBook) -> frozenset[BookableId]:
    return book.numbers_of(attendee.address for attendee in copy.event.attendees)


def is_any_overtaken(known: Known, book: RoomBook) -> bool:
    """Tell whether the organizer's copy, when it was read last, said otherwise than a room that has told nothing since:
    what the room shows is no change of what was agreed on."""
    is_read = known.base is not None and known.base.read_at is not None
    return is_read and any(_is_overtaken(copy, known, book) for copy in known.copies)


def _refused(known: Known) -> list[RoomCopy]:
    """Return the copies in which a room says no, if all say that: nobody called the meeting off, it has no room."""
    ended = [copy for copy in known.copies if copy.event.answer is Answer.DECLINED and not copy.event.is_cancelled]
    return ended if len(ended) == len(known.copies) and not any(copy.gone or copy.doubt for copy in ended) else []


def _all_ended(known: Known) -> bool:
    """Tell whether every room that was invited, and has not said no to its organizer, has shown the end of its copy:
    the evidence there is without the organizer's. A room we have not seen yet may hold it still."""
    ended = {copy.room_id for copy in known.copies if not copy.live}
    invited = known.base.outlook.rooms if known.base is not None else frozenset(ended)
    asked = {room for room in invited if known.answers_before.get(room) is not ItemState.DECLINED}
    return bool(ended) and asked <= ended and (bool(asked) or not invited)


def _view_unseen(known: Known) -> MeetingView:
    """Return the view of a meeting that no room shows as it was agreed on last: it is as was agreed, but for the rooms
    that have told of an end since."""
    if known.base is None:
        return MeetingView(Presence.NOT_YET)
    face = known.base.outlook
    since = {copy.room_id: copy for copy in known.copies if not _is_older(copy, known)}
    at_times = {room for room, copy in since.items() if _is_within(copy, face.interval)}
    called_off = {room for room in at_times if since[room].event.is_cancelled}
    answers = {room: _answer(room, since.get(room), None, room in at_times, known) for room in face.rooms - called_off}
    return MeetingView(Presence.LIVE, interval=face.interval, answers=MappingProxyType(answers))


def _view_live(
    known: Known, organizer_copy: EventCopy | None, live: list[RoomCopy], book: RoomBook, times_of: TimesOf | None
) -> MeetingView:
    shown = organizer_copy or live[0].event
    interval = known.organizer_interval if organizer_copy else _agreed_interval(known, live)
    timed = organizer_copy or next((copy.event for copy in live if copy.interval == interval), shown)
    answers = _answers(known, organizer_copy, live, book, timed, interval)
    if timed.all_day is not None and times_of is not None:
        interval = times_of(timed, rooms_holding(answers) or answers)
    shared = known.shared if organizer_copy is None else None
    return MeetingView(
        presence=Presence.LIVE,
        ical_uid=shown.ical_uid,
        interval=interval,
        time_fault=shown.time_fault,
        zero_length=shown.instant is not None,
        organizer=_organizer(shown, book),
        answers=MappingProxyType(answers),
        type=shown.type,
        is_draft=shown.is_draft,
        private=shown.privacy is not Privacy.NORMAL or (shared is not None and shared.private),
        subject=organizer_copy.subject if organizer_copy else shared.title if shared else None,
        organizer_event_id=organizer_copy.event_id if organizer_copy else None,
        organizer_etag=organizer_copy.etag if organizer_copy else None,
        transaction_id=organizer_copy.transaction_id if organizer_copy else None,
        web_link=organizer_copy.web_link if organizer_copy else shared.web_link if shared else None,
        ahead=bool(organizer_copy) and any(_says_otherwise(copy, interval, frozenset(answers), book) for copy in live),
    )


def _agreed_interval(known: Known, live: list[RoomCopy]) -> Interval | None:
    """Return the times the room copies agree on; while a move spreads from room to room, the new ones."""
    behind = _rooms_behind(known)
    told = [copy.interval for copy in live if copy.room_id not in behind]
    before = known.base.outlook.interval if known.base else None
    return min({*told} - {before} or told, key=lambda interval: (interval is None, interval and interval.start))


def _organizer(shown: EventCopy, book: RoomBook) -> Mailbox | None:
    """Return the organizer; None when it is a room itself (written straight into its calendar: nobody asked)."""
    if shown.organizer is None or book.by_address(shown.organizer.address) is not None:
        return None
    return shown.organizer


def _answers(
    known: Known,
    organizer_copy: EventCopy | None,
    live: list[RoomCopy],
    book: RoomBook,
    timed: EventCopy,
    interval: Interval | None,
) -> dict[BookableId, ItemState]:
    """Return what each room that is invited says of the times that *timed* has, *interval* as instants."""
    invited = _invited(known, organizer_copy, live, book)
    at_times = {copy.room_id: _is_at(copy, timed, interval) for copy in known.copies}
    by_room = {copy.room_id: copy for copy in known.copies}
    return {
        room: _answer(room, by_room.get(room), attendee, at_times.get(room, False), known)
        for room, attendee in invited.items()
    }


def _invited(
    known: Known, organizer_copy: EventCopy | None, live: list[RoomCopy], book: RoomBook
) -> dict[BookableId, Attendee | None]:
    """Return the synced rooms the meeting invites, by address or alias whatever the attendee type (P31)."""
    invited: dict[BookableId, Attendee | None] = {}
    lists = [organizer_copy.attendees] if organizer_copy else [copy.event.attendees for copy in live]
    for attendees in lists:
        for attendee in attendees:
            room = book.by_address(attendee.address)
            if room is not None and _takes_part(room, known):
                invited[room.id] = attendee if organizer_copy else None
    if organizer_copy is None:
        for room_id in known.silent:
            invited.setdefault(room_id, None)
        for copy in known.copies:
            room = book.by_id(copy.room_id)
            if copy in live and room is not None and _takes_part(room, known):
                invited.setdefault(copy.room_id, None)
            elif copy.event.is_cancelled and not _is_asked_anew(copy, live, known, book):
                invited.pop(copy.room_id, None)  # positive evidence that it is out; a list elsewhere may be older
            elif copy not in live and (_is_hidden(copy, live, known, book) or _was_released(copy, known)):
                invited.setdefault(copy.room_id, None)
    else:
        agreed = known.base.outlook.rooms if known.base is not None else frozenset()
        is_renamed = may_name_unknown_room(organizer_copy, book)
        for copy in live:
            is_its_own = organizer_copy.is_organizer and copy.event.is_organizer
            is_meant = copy.room_id in agreed or _is_asked_by_unknown_name(copy, known, book)
            if is_its_own or ((is_renamed or _is_called(copy, organizer_copy, book)) and is_meant):
                invited.setdefault(copy.room_id, None)
    return invited


def _is_asked_anew(ended: RoomCopy, live: list[RoomCopy], known: Known, book: RoomBook) -> bool:
    """Tell whether a room shows a move of which the room whose copy ended has not heard, and names that room: the list
    came with the move, as where a series that moves takes back what was said of one of its dates."""
    agreed = known.base.outlook.interval if known.base is not None else None
    return any(
        copy.interval != agreed
        and not _is_at(copy, ended.event, ended.interval)
        and ended.room_id in _named(copy, book)
        for copy in live
    )


def _is_hidden(ended: RoomCopy, live: list[RoomCopy], known: Known, book: RoomBook) -> bool:
    """Tell whether a room that was part of the meeting is named by no list, be it part of it still: its own named it by
    no address that we know, or did not name those that show the meeting, as guests may be hidden from each other."""
    agreed = known.base.outlook.rooms if known.base is not None else frozenset()
    others = agreed & {copy.room_id for copy in live}
    return ended.room_id in agreed and not {ended.room_id, *others} <= _invited_by(ended, book)


def _was_released(ended: RoomCopy, known: Known) -> bool:
    """Tell whether the organizer invited a room still after it had dropped the meeting, and cannot be asked any more:
    what the others list may be older than that."""
    return known.organizer_closed and known.answers_before.get(ended.room_id) is ItemState.RELEASED


def _is_asked_by_unknown_name(copy: RoomCopy, known: Known, book: RoomBook) -> bool:
    """Tell whether a room's own copy invites it by no address that we know: by one of which the list of rooms has not
    told yet or, where the room had it for a while only, never will."""
    room = book.by_id(copy.room_id)
    return room is not None and _takes_part(room, known) and room.id not in _invited_by(copy, book)


def may_name_unknown_room(copy: EventCopy, book: RoomBook) -> bool:
    """Tell whether *copy* invites a resource that nobody knows: it may be one of our rooms under an address of which
    the list of rooms has not told yet. A room that still shows the meeting is not out of it then."""
    return any(each.type == "resource" and book.by_address(each.address) is None for each in copy.attendees)


def _is_called(copy: RoomCopy, organizer_copy: EventCopy, book: RoomBook) -> bool:
    """Tell whether the organizer invites, under an address that nobody knows, somebody of the very name of the room
    that shows *copy*: what was forwarded to a room invites it as a person (P31)."""
    room = book.by_id(copy.room_id)
    unknown = (each.name for each in organizer_copy.attendees if book.by_address(each.address) is None)
    return room is not None and any(name.casefold() == room.name.casefold() for name in unknown)


def _takes_part(room: Room, known: Known) -> bool:
    """Tell whether *room* counts: excluding one keeps it out of new bookings, and loses none it is part of."""
    return room.is_synced or (known.base is not None and room.id in known.base.outlook.rooms)


def _answer(
    room: BookableId,
    copy: RoomCopy | None,
    attendee: Attendee | None,
    is_at_times: bool,
    known: Known,
) -> ItemState:
    """Return what *room* said. Its own copy is what blocks it, so it counts before the organizer's tracking, as long as
    it *is_at_times* the meeting has."""
    before = known.answers_before.get(room, ItemState.REQUESTED)
    if copy is not None and copy.live:
        if is_at_times:
            return _STATE_OF[copy.event.answer]
        return ItemState.REQUESTED if attendee is None else _asked_again(attendee)
    if attendee is None:
        if copy is not None and copy.gone:
            return ItemState.RELEASED  # the others list it still, and nobody can be asked whether it was taken out
        return ItemState.DECLINED if copy is not None and is_at_times and _declines(copy) else before
    if attendee.answer in _YES and ((copy is not None and copy.gone) or _has_dropped(room, before, known)):
        return ItemState.RELEASED
    return _STATE_OF[attendee.answer]


def _has_dropped(room: BookableId, before: ItemState, known: Known) -> bool:
    """Tell whether a room that shows no live copy dropped the meeting, of which its organizer still tells the yes."""
    return room in known.missing or before is ItemState.RELEASED


def _declines(copy: RoomCopy) -> bool:
    """Tell whether an ended copy is a no: all there is when the organizer cannot be asked."""
    return not copy.gone and copy.event.answer is Answer.DECLINED


def _asked_again(attendee: Attendee) -> ItemState:
    """Return the state of a room whose copy still shows other times: a no counts, a yes may be the old one."""
    return ItemState.DECLINED if attendee.answer is Answer.DECLINED else ItemState.REQUESTED
