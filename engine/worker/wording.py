"""The words of a loan's event: what they are to be, and whether they still are that."""

from __future__ import annotations

from collections.abc import Callable

from engine.loans.loan import Home, Loan
from engine.reconcile.field_map import TitleView, map_fields, view_title
from engine.reconcile.ledger import Booking, Ledger, SyncRules
from engine.reconcile.telling.texts import render_body, render_subject, without_link
from engine.reconcile.views import Base
from engine.rooms.calendar import EventFields


class Wording:
    """What Outlook is told of loans, by the settings and each loan's store."""

    def __init__(self, ledger: Ledger, rules: Callable[[], SyncRules]) -> None:
        self._ledger = ledger
        self._rules = rules

    def subject(self, loan: Loan) -> str:
        return render_subject(loan, self._ledger.store_text_level(loan), self._rules().fields)

    def fields(self, loan: Loan) -> EventFields:
        return map_fields(self._rules().fields, loan, self._ledger.store_text_level(loan))

    def body(self, loan: Loan) -> str:
        rules = self._rules()
        link = f"{rules.link_base}/loans/{loan.number}"
        return render_body(loan, self._ledger.store_text_level(loan), link, rules.fields)

    def differ(self, booking: Booking, shown: str | None) -> bool:
        """Tell whether an event of ours no longer says what its loan says; *shown*: its title in Outlook."""
        loan, link = booking.loan, booking.link
        if loan is None or link is None or link.base is None or loan.home is not Home.APP or not link.base.body:
            return False
        base = link.base
        is_marked_otherwise = base.private is not None and base.private is not loan.private
        is_told_otherwise = without_link(self.body(loan)) != without_link(base.body)
        return (
            is_marked_otherwise
            or is_told_otherwise
            or self.fields(loan) != base.fields
            or self._retitled(loan, base, shown)
        )

    def _retitled(self, loan: Loan, base: Base, shown: str | None) -> bool:
        """Tell whether a title that the settings chose says something else now. One event stands for a whole series,
        whose title names all its loans."""
        wanted = self.subject(loan)
        return self._rules().fields.names_more and loan.series is None and wanted not in (base.subject, shown)

    def view_title(self, booking: Booking, shown: str | None) -> TitleView | None:
        """Return what the title says, where that comes back to a loan of the app."""
        loan, link = booking.loan, booking.link
        if loan is None or link is None or link.base is None or loan.home is not Home.APP or loan.series is not None:
            return None
        level = self._ledger.store_text_level(loan)
        return view_title(self._rules().fields, loan, level, written=link.base.subject, shown=shown)
