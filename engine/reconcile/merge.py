"""The three-way merge of a booking that lives on both sides: field by field, then what follows from it.

Follow it from `plan_merge`: each field is decided by the table of `decide.py` and put into one merge under way, which
gathers the loan's edit, the write, and the base both sides agree on before and after the write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from engine.errors import Clash
from engine.ids import Address, BookableId, fold_address
from engine.loans.loan import Home, Loan, Requester
from engine.loans.status import BLOCKING_STATES, ItemState, LoanAction
from engine.reconcile.actions import (
    ChangeEvent,
    CreateEvent,
    DeleteEvent,
    LoanEdit,
    Note,
    OutlookWrite,
    Plan,
    Situation,
)
from engine.reconcile.decide import Verdict, decide_field
from engine.reconcile.field_map import TitleView
from engine.reconcile.notes import Value, answer_cases, note_answer, note_conflict, roomless_code, say_times
from engine.reconcile.validate import clash_facts, resolve_requester
from engine.reconcile.views import Base, Face, MeetingView, loan_face
from engine.reconcile.words.reasons import say_interval


@dataclass(slots=True)
class _Merge:
    """One merge under way: the loan's edit, the write, both bases and what to say about it."""

    situation: Situation
    loan: Loan
    base: Base
    after: Base
    edit: LoanEdit = field(default_factory=LoanEdit)
    change: ChangeEvent = field(default_factory=ChangeEvent)
    states: dict[BookableId, ItemState] = field(default_factory=dict)
    replaced: bool = False
    dropped: bool = False
    notes: list[Note] = field(default_factory=list)
    cases: list[Note] = field(default_factory=list)
    conflicts: list[Note] = field(default_factory=list)
    verdicts: set[Verdict] = field(default_factory=set)
    """Of the times and the rooms."""
    one_side: bool = False
    """Whether what either side changed excludes the other: times and rooms are then those of the booking's home."""

    def agree(self, name: str, outlook: object, loan: object) -> None:
        """Set a field of both faces in both bases: what is agreed once the loan's side is saved."""
        self.base = _with_faces(self.base, name, outlook, loan)
        self.after = _with_faces(self.after, name, outlook, loan)

    def overrule(self, name: str, value: object) -> None:
        """Note that a case holds what Outlook says: until that is written over, the loan says otherwise, and no more
        than that. Whoever looks again before then, because the write could not be made, opens no other case."""
        self.base = _with_faces(self.base, name, value, value)


def _with_faces(base: Base, name: str, outlook: object, loan: object) -> Base:
    return replace(
        base,
        outlook=replace(base.outlook, **{name: outlook}),  # type: ignore[arg-type]
        loan=replace(base.loan, **{name: loan}),  # type: ignore[arg-type]
    )


def plan_merge(situation: Situation, loan: Loan, base: Base) -> Plan:
    if loan.home is Home.APP and not loan.rooms:
        return Plan(writes=(DeleteEvent(),), end_link=True)
    merge = _merge_fields(_Merge(situation, loan, base, after=base))
    if merge.dropped and _ends(merge) and _excludes(merge):
        merge = _merge_fields(_Merge(situation, loan, base, after=base, one_side=True))
    merge.cases.extend(Note(breach.code, breach.facts) for breach in situation.breaches)
    merge.cases.extend(case for case in answer_cases(situation.meeting) if case.room_id in merge.after.loan.rooms)
    return _finish(merge)


def _merge_fields(merge: _Merge) -> _Merge:
    merge.states.update(_answered_states(merge.situation.meeting, merge.loan))
    _merge_interval(merge)
    _merge_rooms(merge)
    _merge_requester(merge)
    _merge_title(merge)
    _forget_old_answers(merge)  # first: a room that is asked anew holds its time again
    _drop_taken_rooms(merge)
    return merge


def _decide(merge: _Merge, *, outlook_changed: bool, loan_changed: bool, same: bool) -> Verdict:
    """Decide the times or the rooms, which depend on each other: one side's rooms may be taken at the other's times."""
    home = merge.loan.home
    verdict = decide_field(outlook_changed=outlook_changed, loan_changed=loan_changed, same=same, home=home)
    if merge.one_side and verdict is _GIVES_WAY[home]:
        verdict = _WINS[home]
    merge.verdicts.add(verdict)
    return verdict


_GIVES_WAY = MappingProxyType({Home.OUTLOOK: Verdict.COPY_TO_OUTLOOK, Home.APP: Verdict.COPY_TO_LOAN})
_WINS = MappingProxyType({Home.OUTLOOK: Verdict.OUTLOOK_WINS, Home.APP: Verdict.APP_WINS})


def _excludes(merge: _Merge) -> bool:
    """Tell whether the home's side changed one of times and rooms and the other side the other: not both can be had."""
    home = merge.loan.home
    kept = {_GIVES_WAY[Home.APP if home is Home.OUTLOOK else Home.OUTLOOK], _WINS[home]}
    return _GIVES_WAY[home] in merge.verdicts and bool(kept & merge.verdicts)


def _answered_states(meeting: MeetingView, loan: Loan) -> dict[BookableId, ItemState]:
    """Return what each room that is part of the loan says now."""
    return {item.id: meeting.answers[item.id] for item in loan.rooms if item.id in meeting.answers}


def _merge_interval(merge: _Merge) -> None:
    meeting, loan, base = merge.situation.meeting, merge.loan, merge.base
    if meeting.interval is None:
        code = meeting.time_fault.code if meeting.time_fault else "zero_length"
        merge.cases.append(Note(code, {"text": meeting.time_fault.text if meeting.time_fault else ""}))
        return
    verdict = _decide(
        merge,
        outlook_changed=meeting.interval != base.outlook.interval,
        loan_changed=loan.interval != base.loan.interval,
        same=meeting.interval == loan.interval,
    )
    _settle(merge, verdict, "interval", outlook=say_times(meeting.interval), loan=say_times(loan.interval))
    match verdict:
        case Verdict.AGREE:
            merge.agree("interval", meeting.interval, meeting.interval)
        case Verdict.COPY_TO_LOAN | Verdict.OUTLOOK_WINS:
            merge.edit = replace(merge.edit, interval=meeting.interval)
            merge.agree("interval", meeting.interval, meeting.interval)
            facts = {"old": say_interval(loan.interval), "new": say_interval(meeting.interval)}
            merge.notes.append(Note("moved_in_outlook", facts))
        case Verdict.COPY_TO_OUTLOOK | Verdict.APP_WINS:
            if verdict is Verdict.APP_WINS:
                merge.overrule("interval", meeting.interval)
            merge.change = replace(merge.change, interval=loan.interval)
            merge.after = _with_faces(merge.after, "interval", loan.interval, loan.interval)
        case Verdict.REST:
            pass


def _merge_rooms(merge: _Merge) -> None:
    meeting, loan, base = merge.situation.meeting, merge.loan, merge.base
    there, here = frozenset(meeting.answers), loan_face(loan).rooms
    verdict = _decide(
        merge,
        outlook_changed=there != base.outlook.rooms,
        loan_changed=here != base.loan.rooms,
        same=there == here,
    )
    _settle(
        merge,
        verdict,
        "rooms",
        outlook=(None, sorted(there)),
        loan=(None, sorted(here)),
    )
    match verdict:
        case Verdict.AGREE:
            merge.agree("rooms", there, there)
        case Verdict.COPY_TO_LOAN | Verdict.OUTLOOK_WINS:
            _take_rooms(merge, there, here, whole=verdict is Verdict.OUTLOOK_WINS)
        case Verdict.COPY_TO_OUTLOOK | Verdict.APP_WINS:
            known = base.loan.rooms
            if verdict is Verdict.APP_WINS:
                known = there
                merge.overrule("rooms", there)
            merge.change = replace(merge.change, add_rooms=here - known - there, drop_rooms=(known - here) & there)
            outlook = (there - (known - here)) | here
            merge.after = _with_faces(merge.after, "rooms", outlook, here)
        case Verdict.REST:
            pass


def _take_rooms(merge: _Merge, there: frozenset[BookableId], here: frozenset[BookableId], *, whole: bool) -> None:
    """Let the loan follow the rooms Outlook shows; a room dropped earlier because it was taken stays dropped."""
    known = here if whole else merge.base.outlook.rooms
    added, removed = there - known, (known - there) & here
    for room in added:
        merge.states[room] = merge.situation.meeting.answers[room]
        merge.notes.append(Note("room_added_in_outlook", {"item_id": room}, room_id=room))
    for room in removed:
        merge.states[room] = ItemState.CANCELLED
        merge.notes.append(Note("room_removed_in_outlook", {"item_id": room}, room_id=room))
    merge.agree("rooms", there, (here - removed) | added)


def _merge_requester(merge: _Merge) -> None:
    meeting, loan, base = merge.situation.meeting, merge.loan, merge.base
    here = fold_address(loan.requester.address)
    there = fold_address(meeting.organizer.address) if meeting.organizer else base.outlook.requester
    wanted = resolve_requester(meeting.organizer, merge.situation.people) if meeting.organizer else None
    verdict = decide_field(
        outlook_changed=there != base.outlook.requester and wanted is not None,
        loan_changed=here != base.loan.requester,
        same=wanted is not None and fold_address(wanted.address) == here,
        home=loan.home,
    )
    name = meeting.organizer.name if meeting.organizer else ""
    _settle(
        merge,
        verdict,
        "requester",
        outlook=(there, [there, name or there]),
        loan=(here, [here, loan.requester.name]),
    )
    if wanted is None and there != base.outlook.requester:
        merge.cases.append(Note("organizer_unknown", {"organizer": there}))
    match verdict:
        case Verdict.AGREE:
            merge.agree("requester", there, here)
        case Verdict.COPY_TO_LOAN | Verdict.OUTLOOK_WINS:
            assert wanted is not None  # an organizer nobody can stand in for changes nothing
            _take_requester(merge, there, wanted)
        case Verdict.COPY_TO_OUTLOOK | Verdict.APP_WINS:
            _give_requester(merge, here, wanted)
        case Verdict.REST:
            _follow_name(merge, wanted)


def _take_requester(merge: _Merge, there: Address, wanted: Requester) -> None:
    merge.edit = replace(merge.edit, requester=wanted)
    merge.notes.append(Note("organizer_changed", {"old": merge.loan.requester.address, "new": wanted.address}))
    merge.agree("requester", there, fold_address(wanted.address))


def _give_requester(merge: _Merge, here: Address, wanted: Requester | None) -> None:
    """A new requester means a new organizer: delete and create anew (H55, H-b). A person's own meeting stays theirs."""
    if merge.loan.home is Home.APP:
        merge.replaced = True
        return
    old = merge.base.loan.requester
    known = wanted is not None and fold_address(wanted.address) == old
    merge.edit = replace(merge.edit, requester=wanted if known else Requester(old, old))
    merge.conflicts.append(
        Note("organizer_cannot_change", {"field": "requester", "kept": old, "lost": here}, actor="engine")
    )


def _follow_name(merge: _Merge, wanted: Requester | None) -> None:
    """Follow an organizer who was renamed: the same address, another name."""
    loan = merge.loan
    if wanted is None or loan.home is not Home.OUTLOOK or wanted.name == loan.requester.name:
        return
    if fold_address(wanted.address) == fold_address(loan.requester.address) and wanted.name != wanted.address:
        merge.edit = replace(merge.edit, requester=wanted)
        merge.notes.append(Note("organizer_renamed", {"old": loan.requester.name, "new": wanted.name}))


def _merge_title(merge: _Merge) -> None:
    """A title belongs to where the booking was born: only one born in Outlook follows the organizer's.

    A meeting that becomes private takes its title back. Rooms clear the private flag (Set-CalendarProcessing:
    RemovePrivateProperty), so only the organizer's copy, the one with a title, can say that it no longer is.
    """
    meeting, loan = merge.situation.meeting, merge.loan
    if loan.home is not Home.OUTLOOK:
        _merge_own_title(merge, merge.situation.title)
        return
    if meeting.private:
        if not loan.private or loan.title:
            merge.edit = replace(merge.edit, title="", private=True)
    elif meeting.subject is not None and (loan.private or meeting.subject != loan.title):
        merge.edit = replace(merge.edit, title=meeting.subject, private=False if loan.private else None)


def _merge_own_title(merge: _Merge, view: TitleView | None) -> None:
    """Let the title of a loan of the app follow its event, where the field map says so; both changed: ours stays."""
    if view is None:
        return
    here = merge.loan.title
    verdict = decide_field(
        outlook_changed=view.there != view.base, loan_changed=here != view.base, same=view.there == here, home=Home.APP
    )
    match verdict:
        case Verdict.COPY_TO_LOAN:
            merge.edit = replace(merge.edit, title=view.there)
            merge.notes.append(Note("title_changed_in_outlook", {"old": here, "new": view.there}))
        case Verdict.COPY_TO_OUTLOOK | Verdict.APP_WINS:
            merge.change = replace(merge.change, text=True)
            if verdict is Verdict.APP_WINS:
                merge.notes.append(Note("title_kept", {"kept": here, "lost": view.there}, actor="engine"))
    if verdict in (Verdict.COPY_TO_LOAN, Verdict.AGREE):
        merge.base, merge.after = replace(merge.base, subject=view.agreed), replace(merge.after, subject=view.agreed)


def _drop_taken_rooms(merge: _Merge) -> None:
    """Drop from the loan the rooms that are no longer free after a change in Outlook (H47); the rest of it follows."""
    for room in _drop_taken(merge, things=False):
        merge.base = _with_faces(merge.base, "rooms", merge.base.outlook.rooms, merge.base.loan.rooms - {room})
        asked = merge.after.outlook.rooms - (merge.change.add_rooms & {room})
        merge.after = _with_faces(merge.after, "rooms", asked, merge.after.loan.rooms - {room})
        merge.change = replace(merge.change, add_rooms=merge.change.add_rooms - {room})
        merge.dropped = True


def _drop_taken_things(merge: _Merge) -> None:
    """Drop from a loan that goes on what it lends beside rooms and is no longer free. One that ends blocks nothing any
    more, and keeps what it lent: that comes along when its meeting finds a room again."""
    _drop_taken(merge, things=True)


def _drop_taken(merge: _Merge, *, things: bool) -> list[BookableId]:
    """Drop, and return, what the loan was going to hold and something else holds then: rooms, or *things* beside."""
    held = frozenset(item.id for item in merge.loan.held_items)
    beside = frozenset(item.id for item in merge.loan.assets)
    after = {item.id: item.state for item in merge.loan.items} | merge.states
    holding = frozenset(item_id for item_id, state in after.items() if state in BLOCKING_STATES)
    touched = holding if merge.edit.interval else holding - held
    clashes = _clashes_then(merge)
    taken = sorted(item_id for item_id in touched & clashes.keys() if (item_id in beside) is things)
    for item_id in taken:
        merge.states[item_id] = ItemState.CANCELLED
        facts = clash_facts(clashes[item_id])
        merge.notes.append(Note("item_dropped", facts, actor="engine", room_id=item_id))
        merge.conflicts.append(Note("item_unavailable", facts, actor="engine", room_id=item_id))
    return taken


def _clashes_then(merge: _Merge) -> Mapping[BookableId, Clash]:
    """Return what holds the items at the time the loan is going to have: the meeting's, or its own."""
    situation = merge.situation
    stays = merge.edit.interval is None and situation.meeting.interval != merge.loan.interval
    return situation.clashes_here if stays and situation.clashes_here is not None else situation.clashes


def _finish(merge: _Merge) -> Plan:
    situation, loan, cases = merge.situation, merge.loan, tuple(merge.cases)
    why_over = Note("no_room_left", actor="engine") if _ends(merge) else None
    writes, after = _last_writes(merge) if why_over else _writes(merge)
    if not why_over and not writes and loan.rooms and not situation.meeting.holding:
        # what both agree on now has no room that said yes, and nobody is asked any more
        why_over = Note(roomless_code(situation.meeting))
        writes, after = _last_writes(merge)
        cases = cases if writes else ()
    if not why_over:
        _drop_taken_things(merge)
    current = _current(merge)
    states = {item: state for item, state in merge.states.items() if current.get(item) is not state}
    for item, state in states.items():
        merge.notes.extend(note_answer(item, current.get(item), state))
    edit = replace(merge.edit, states=MappingProxyType(states)) if states else merge.edit
    if why_over:
        edit = replace(edit, action=_end_action(loan))
        merge.notes.append(why_over)
    return Plan(
        loan=None if edit.is_empty else edit,
        writes=writes,
        base=merge.base if merge.base != situation.base else None,
        base_after=after,
        notes=tuple(merge.notes),
        cases=cases,
        conflicts=tuple(merge.conflicts),
        end_link=why_over is not None,
    )


def _forget_old_answers(merge: _Merge) -> None:
    """Drop what rooms said before they are asked anew: an old answer is none to the new question."""
    anew = merge.change.interval is not None or merge.replaced
    known = {item.id: item.state for item in merge.loan.rooms}
    for room in frozenset(merge.states) if anew else frozenset[BookableId]():
        if merge.states[room] is ItemState.CANCELLED:
            continue
        if room in known and not (merge.one_side and known[room] in BLOCKING_STATES):
            del merge.states[room]  # whoever moved the loan has put it among the rooms to be asked already
        else:
            merge.states[room] = ItemState.REQUESTED
    for room in merge.change.add_rooms:
        if known.get(room) in BLOCKING_STATES:
            merge.states[room] = ItemState.REQUESTED


def _end_action(loan: Loan) -> LoanAction:
    return LoanAction.CANCEL if loan.home is Home.OUTLOOK else LoanAction.REFUSE


def _current(merge: _Merge) -> dict[BookableId, ItemState]:
    return {item.id: item.state for item in merge.loan.items}


def _ends(merge: _Merge) -> bool:
    """Tell whether no room is left: none that may still say yes or, once one was dropped, none that is held."""
    states = {**_current(merge), **merge.states}
    left = [state for room in merge.after.loan.rooms if (state := states.get(room)) is not ItemState.CANCELLED]
    goes_on = any(state in BLOCKING_STATES for state in left) if merge.dropped else bool(left)
    return bool(merge.loan.rooms) and not goes_on


def _last_writes(merge: _Merge) -> tuple[tuple[OutlookWrite, ...], Base | None]:
    """Return what an ended booking still needs: a person's own meeting is left to them."""
    if merge.loan.home is Home.OUTLOOK:
        return (), None
    return (DeleteEvent(),), None


def _writes(merge: _Merge) -> tuple[tuple[OutlookWrite, ...], Base | None]:
    if merge.replaced:
        loan = merge.loan
        interval, requester = merge.edit.interval or loan.interval, fold_address(loan.requester.address)
        face = Face(interval, requester, merge.after.loan.rooms)  # as the loan is after its edit
        return (DeleteEvent(), CreateEvent()), Base(outlook=face, loan=face)
    if merge.loan.home is Home.APP and merge.situation.text_differs:
        merge.change = replace(merge.change, text=True)
    if merge.change == ChangeEvent():
        merge.base = merge.after  # Outlook says it already
        return (), None
    return (merge.change,), merge.after


def _settle(merge: _Merge, verdict: Verdict, name: str, *, outlook: Value, loan: Value) -> None:
    """Put the loser's value into a case when both sides changed one field otherwise."""
    if verdict is Verdict.OUTLOOK_WINS:
        merge.conflicts.append(note_conflict(name, "outlook", kept=outlook, lost=loan))
    elif verdict is Verdict.APP_WINS:
        merge.conflicts.append(note_conflict(name, "app", kept=loan, lost=outlook))
