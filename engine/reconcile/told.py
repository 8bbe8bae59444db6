"""What the history says of a write to Outlook: when it was done, never when it was only decided.

The line is chosen with the write and kept with its intent. It is written in the transaction that ends the intent, so
that a history neither lacks what was done nor tells what was not, whenever the engine dies.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import MailboxClosed
from engine.reconcile.actions import ChangeEvent, CreateEvent, DeleteEvent, Note, OutlookWrite
from engine.reconcile.words.quoting import STAND_IN

CHANGED = "event_changed"

CREATED = "event_created"

DECLINED_INSTEAD = "declined_for_room"
"""An event that may not be deleted: its rooms were freed the other way."""

FOUND_AGAIN = "event_adopted"
"""An event that was seen in a calendar before the answer to its creation was heard."""

GONE_ALREADY = "event_gone_already"
"""Nothing was left to delete, and this was the first try: somebody else did it."""

NOT_KNOWN = "event_change_unknown"
"""A change that an engine which died may or may not have made, to an event that somebody changed or deleted since."""


def tell_write(write: OutlookWrite, writes: Sequence[OutlookWrite]) -> str:
    """Return the code of the line that *write*, one of the *writes* of a plan, leaves once it is done."""
    match write:
        case CreateEvent():
            return "event_replaced" if DeleteEvent() in writes else CREATED
        case ChangeEvent():
            return CHANGED
        case DeleteEvent():
            return "former_event_deleted" if CreateEvent() in writes else "event_deleted"


def tell_writes(writes: Sequence[OutlookWrite]) -> list[Note]:
    """Return the lines that all *writes* of a plan will leave, in their order."""
    return [tell_done(tell_write(write, writes)) for write in writes]


def tell_done(code: str) -> Note:
    """Return a line about something that was done in Outlook."""
    return Note(code, actor="engine")


def tell_unmade(error: Exception, default_user: str | None) -> Note:
    """Return the line about an event that no mailbox takes, neither its owner's nor the default user's, if any."""
    is_nobodys = default_user is None and isinstance(error, MailboxClosed)
    return Note("write_refused", {"error": f"{error}{STAND_IN if is_nobodys else ''}"}, actor="engine")
