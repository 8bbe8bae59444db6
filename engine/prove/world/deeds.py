"""What the engine did in Outlook, as the tenant saw it, and whether the loans' histories tell just that."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from engine.graph.transport import Request, Response
from engine.simulator.graph.paths import path_kind


class Deed(StrEnum):
    MADE = "made"
    CHANGED = "changed"
    DELETED = "deleted"


TOLD_BY = {
    Deed.MADE: ("event_created", "event_replaced", "event_adopted"),
    Deed.CHANGED: ("event_changed",),
    Deed.DELETED: ("event_deleted", "former_event_deleted"),
}
"""The lines of a history that tell each kind of deed."""

_DEEDS = {("POST", "events"): Deed.MADE, ("PATCH", "event"): Deed.CHANGED, ("DELETE", "event"): Deed.DELETED}


@dataclass(frozen=True, slots=True)
class Done:
    """One write that the tenant carried out. A creation that was repeated is the same deed again."""

    deed: Deed
    event_id: str
    marker: str = ""
    """Of a creation: the transaction id."""


def read_deed(request: Request, response: Response) -> Done | None:
    """Return what a request did; None when it wrote to no event, or in vain."""
    if request.method == "GET":
        return None
    path = urlsplit(request.url).path.strip("/")
    deed = _DEEDS.get((request.method, path_kind(path.split("/"))))
    if deed is None or response.status >= 300:
        return None
    if deed is Deed.MADE:
        return Done(deed, json.loads(response.body)["id"], json.loads(request.body or b"{}").get("transactionId") or "")
    return Done(deed, unquote(path.rpartition("/")[2]))


def count_deeds(done: Sequence[Done], owners: dict[str, int]) -> Counter[tuple[int, Deed]]:
    """
    Count the deeds of each loan.

    Args:
        done: what the tenant carried out, in any order.
        owners: the loan of each creation's marker, and of each event's id.
    """
    made = {each.event_id: each.marker for each in done if each.deed is Deed.MADE and each.marker in owners}
    by_id = owners | {event_id: owners[marker] for event_id, marker in made.items()}
    counted = Counter((owners[marker], Deed.MADE) for marker in set(made.values()))
    for each in done:
        if each.deed is not Deed.MADE and each.event_id in by_id:
            counted[by_id[each.event_id], each.deed] += 1
    return counted


def find_untold(
    number: int, counted: Counter[tuple[int, Deed]], history: list[str], *, others_deleted: bool
) -> str | None:
    """
    Say where the history of a loan differs from what was done; None when it tells all of it, and no more.

    A change that an engine may have made before it died counts as told when the history says that this is not known.
    *others_deleted*: whether somebody else deleted events too, which a deletion begun before a death may find gone.
    """
    for deed, codes in TOLD_BY.items():
        told, done = sum(history.count(code) for code in codes), counted[number, deed]
        spare = history.count("event_change_unknown") if deed is Deed.CHANGED else 0
        most = done + 1 if deed is Deed.DELETED and others_deleted else done
        if not done - spare <= told <= most:
            return f"loan {number}: {done} events were {deed}, its history tells {told}: {history}"
    return None
