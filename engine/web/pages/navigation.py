"""What the navigation offers. A page that is there has its line here; there are no dead links."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.web.access import Role
from engine.web.pages.users import User
from engine.web.translations import N_


@dataclass(frozen=True, slots=True)
class Entry:
    """One page in the navigation. `label` is English, translated where it is shown; `icon` is in icons.svg."""

    key: str
    path: str
    label: str
    icon: str
    least: Role = Role.REQUESTER
    only_simulated: bool = False
    only_bookers: bool = False
    """Whether it is of no use to those who only look."""
    in_menu: bool = False
    """Whether a telephone has it in its menu, whatever there is room for beside it."""
    keys: str = ""
    """The shortcut that opens it (`aria-keyshortcuts`); `static/js/app.js` listens for it."""


ENTRIES = (
    Entry("board", "/board", N_("Board"), "calendar-range"),
    Entry("book", "/book", N_("Book"), "calendar-plus", only_bookers=True),
    Entry("mine", "/mine", N_("My bookings"), "calendar-days"),
    Entry("loans", "/loans", N_("Bookings"), "list", Role.VIEWER, in_menu=True, keys="Control+K"),
    Entry("find", "/find", N_("Find a room"), "search"),
    Entry("cases", "/cases", N_("Cases"), "triangle-alert", Role.VIEWER),
    Entry("why", "/why", N_("Why?"), "circle-help", Role.VIEWER),
    Entry("rooms", "/rooms", N_("Rooms"), "building-2", Role.VIEWER),
    Entry("stores", "/stores", N_("Stores and things"), "warehouse", Role.VIEWER),
    Entry("activity", "/activity", N_("Activity"), "activity", Role.VIEWER),
    Entry("outlook", "/outlook", N_("Outlook, simulated"), "mail", only_simulated=True),
    Entry("settings", "/settings", N_("Settings"), "settings", Role.ADMIN),
    Entry("welcome", "/welcome", N_("First steps"), "sparkles", Role.ADMIN),
)


AT_HAND = 4
"""So many entries lie under the thumb of whoever holds a telephone; the others are in the menu beside them."""


def navigation_for(user: User, *, simulated: bool) -> list[Entry]:
    """Return the entries for one reader, in their order."""
    return [entry for entry in ENTRIES if _is_for(entry, user) and (simulated or not entry.only_simulated)]


def keys_at_hand(entries: Sequence[Entry], user: User) -> frozenset[str]:
    """Return the keys of those that a telephone shows at once: requesters look at their own, others after all."""
    apart = {"mine"} if user.role is not Role.REQUESTER else set()
    wanted = [entry.key for entry in entries if not entry.in_menu and entry.key not in apart]
    return frozenset(wanted[:AT_HAND])


def _is_for(entry: Entry, user: User) -> bool:
    return user.role.includes(entry.least) and (user.may_book() or not entry.only_bookers)
