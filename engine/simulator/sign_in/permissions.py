"""
What the application may do here: consented in the directory for every mailbox, or granted in Exchange for some.

Both add up: whatever either allows is allowed (Exchange docs, application-rbac). A tenant lets everything pass until it
is told otherwise. People at their own mailbox are no application, and are never refused.

Sources: Graph docs, permissions-reference (what each call needs) and the errors seen with a missing one: 403
`ErrorAccessDenied` from Exchange, `Authorization_RequestDenied` from the directory and places.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from engine.simulator.wire import GraphError, Request

_ENOUGH: Mapping[str, frozenset[str]] = {
    "Place.Read.All": frozenset({"Place.Read.All"}),
    "User.ReadBasic.All": frozenset({"User.ReadBasic.All", "User.Read.All"}),
    "MailboxSettings.Read": frozenset({"MailboxSettings.Read", "MailboxSettings.ReadWrite"}),
    "Calendars.Read": frozenset({"Calendars.Read", "Calendars.ReadWrite"}),
    "Calendars.ReadBasic.All": frozenset({"Calendars.ReadBasic.All", "Calendars.Read", "Calendars.ReadWrite"}),
    "Calendars.ReadWrite": frozenset({"Calendars.ReadWrite"}),
    "Contacts.Read": frozenset({"Contacts.Read", "Contacts.ReadWrite"}),
    "Contacts.ReadWrite": frozenset({"Contacts.ReadWrite"}),
}
"""What is needed, and which permissions include it."""

KNOWN = frozenset().union(*_ENOUGH.values())
SCOPED = frozenset(name for name in KNOWN if name.partition(".")[0] in ("Calendars", "Contacts", "MailboxSettings"))
"""Those with a role of their own in Exchange, which can be granted for some mailboxes only."""

_READS = frozenset({"getschedule", "forward"})
"""Actions that a permission to read is enough for (Graph docs: calendar-getschedule, event-forward)."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the application; or `person`, at their own mailbox, with the `scopes` they gave (None: by hand)."""

    person: str | None = None
    scopes: frozenset[str] | None = None


class Permissions:
    """
    What was granted.

    Args:
        granted: names of application permissions with consent; None allows everything.
    """

    def __init__(self, granted: Iterable[str] | None = None) -> None:
        self._granted: frozenset[str] | None = None
        self._scoped: dict[str, frozenset[str]] = {}
        self.set(granted)

    def set(self, granted: Iterable[str] | None, scoped: Mapping[str, Iterable[str]] | None = None) -> None:
        """
        Grant this and nothing else.

        Args:
            granted: consented in the directory, for every mailbox; None allows everything.
            scoped: granted in Exchange, for the mailboxes of these addresses only.

        Raises ValueError for a permission that nobody needs here, and for a scope that Exchange has no role for.
        """
        wanted = None if granted is None else frozenset(granted)
        limited = {name: frozenset(a.lower() for a in addresses) for name, addresses in (scoped or {}).items()}
        if unknown := (wanted or frozenset()) - KNOWN:
            raise ValueError(f"no permission is called {', '.join(sorted(unknown))}; known: {', '.join(sorted(KNOWN))}")
        if unknown := frozenset(limited) - SCOPED:
            raise ValueError(
                f"Exchange has no role for {', '.join(sorted(unknown))}; it has {', '.join(sorted(SCOPED))}"
            )
        self._granted, self._scoped = wanted, limited

    def describe(self) -> dict[str, object]:
        """Return what is granted, as `set` takes it."""
        return {
            "granted": None if self._granted is None else sorted(self._granted),
            "scoped": {name: sorted(addresses) for name, addresses in sorted(self._scoped.items())},
        }

    def limits(self, caller: Caller) -> bool:
        """Tell whether anything is refused to *caller* at all."""
        return caller.person is not None or self._granted is not None

    def check(self, caller: Caller, request: Request, names: frozenset[str]) -> None:
        """Let a request pass, or raise Graph's 403. *names*: the addresses of the mailbox it is about, lower case."""
        if caller.person is not None:
            self._check_person(caller, request, names)
            return
        if self._granted is None:
            return
        needed = needed_for(request)
        if needed is None:
            return
        enough = _ENOUGH[needed]
        if enough & self._granted or any(names & self._scoped.get(name, frozenset()) for name in enough):
            return
        raise _refusal(needed)

    def _check_person(self, caller: Caller, request: Request, names: frozenset[str]) -> None:
        assert caller.person is not None
        if names and caller.person.lower() not in names:
            raise _refusal("Calendars.Read")
        needed = needed_for(request) if caller.scopes is not None else None
        if needed is not None and not _ENOUGH[needed] & caller.scopes:  # type: ignore[operator]
            raise _refusal(needed)


def needed_for(request: Request) -> str | None:
    """Return the least permission a request needs; None when any application may make it."""
    segments = [segment.lower() for segment in request.segments[1:]]
    is_read = request.method == "GET"
    match segments:
        case ["places", *_]:
            return "Place.Read.All"
        case ["subscriptions"] if request.method == "POST":
            return "Calendars.Read"
        case ["users"] | ["users", _]:
            return "User.ReadBasic.All"
        case ["users", _, "mailboxsettings", *_]:
            return "MailboxSettings.Read"
        case ["users", _, "contacts" | "contactfolders", *_]:
            return "Contacts.Read" if is_read else "Contacts.ReadWrite"
        case ["users", _, "events" | "calendar" | "calendars" | "calendarview", *rest]:
            action = rest[-1].removeprefix("microsoft.graph.") if rest else ""
            if action == "getschedule":
                return "Calendars.ReadBasic.All"
            return "Calendars.Read" if is_read or action in _READS else "Calendars.ReadWrite"
    return None


def _refusal(needed: str) -> GraphError:
    if needed in ("Place.Read.All", "User.ReadBasic.All"):
        return GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
    return GraphError(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
