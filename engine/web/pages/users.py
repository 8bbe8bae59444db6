"""Who looks at a page, and what each may see and do: the one place that says it.

    requester   what is free; own loans, which they may change and cancel
    viewer      everything, to look at
    staff       everything a loan of their stores can go through, and its cases; elsewhere they look, and have own loans
    admin       rooms, rules, settings as well

A private loan shows as taken to everybody but the person it is for (exchange behaviour: RemovePrivateProperty): its
title, notes and requester are told to nobody else, whatever the role. Its times, rooms and status are.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.ids import Address, StoreId, fold_address
from engine.loans.loan import Loan, Requester
from engine.loans.status import LoanAction, allowed_actions
from engine.web.access import Role

DONE_BY_PEOPLE = (LoanAction.APPROVE, LoanAction.REFUSE, LoanAction.CHECK_OUT, LoanAction.CLOSE, LoanAction.CANCEL)


@dataclass(frozen=True, slots=True)
class User:
    """Somebody signed in. `csrf` is what their pages prove with that a request came from them."""

    session_id: int
    name: str
    address: Address
    role: Role
    csrf: str
    stores_of_others: frozenset[StoreId] = frozenset()
    """Stores that name who keeps them, and not this person."""

    @property
    def actor(self) -> str:
        """How histories name them."""
        return f"app:{self.address}"

    @property
    def person(self) -> Requester:
        return Requester(self.address, self.name)

    @property
    def is_admin(self) -> bool:
        return self.role.includes(Role.ADMIN)

    def is_address(self, address: str) -> bool:
        return fold_address(address) == fold_address(self.address)

    def may_open(self, loan: Loan) -> bool:
        """Tell whether they may look at a loan's page."""
        return self.role.includes(Role.VIEWER) or self.is_address(loan.requester.address)

    def may_read(self, address: Address, *, private: bool) -> bool:
        """Tell whether they may know what a loan of *address* is about and who it is for."""
        return (not private and self.role.includes(Role.VIEWER)) or self.is_address(address)

    def keeps(self, store_id: StoreId) -> bool:
        """Tell whether the loans of a store are theirs to look after."""
        return self.is_admin or (self.role is Role.STAFF and store_id not in self.stores_of_others)

    def may_change(self, address: Address, store_id: StoreId) -> bool:
        """Tell whether they may move or change a loan of *address* in a store."""
        return self.keeps(store_id) or (self.role is not Role.VIEWER and self.is_address(address))

    def may_settle(self, loan: Loan | None = None) -> bool:
        """Tell whether they may settle cases, of *loan* where one is given, and have the engine look again."""
        return self.role.includes(Role.STAFF) and (loan is None or self.keeps(loan.store_id))

    def may_book(self) -> bool:
        return self.role is not Role.VIEWER

    def may_book_for_others(self) -> bool:
        return self.role.includes(Role.STAFF)

    def actions(self, loan: Loan) -> tuple[LoanAction, ...]:
        """Return the steps they may take with a loan as it stands."""
        possible = tuple(action for action in allowed_actions(loan.status) if action in DONE_BY_PEOPLE)
        if self.keeps(loan.store_id):
            return possible
        may_cancel = self.may_change(loan.requester.address, loan.store_id)
        return tuple(action for action in possible if action is LoanAction.CANCEL and may_cancel)
