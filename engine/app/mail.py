"""Calendar mails: looks at what a transaction changed, and has those told who hold, or shall hold, an entry of it.

Nobody is mailed who has the loan in Outlook anyway (`is_shown_by_outlook`). Several dates of one series that change in
one transaction are one mail: forty dates booked are not forty mails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256

from engine.app.entries import Entries
from engine.calendars.entry import CalendarEntry, event_lines
from engine.calendars.invitation import Method, Party, render_invitation
from engine.calendars.mailing import Held, MailKind, MailPreference, Step, plan_steps, wants
from engine.database.calendars.invitations import (
    list_concerning,
    load_connected,
    load_held,
    load_linked,
    load_preferences,
    save_held,
)
from engine.database.loans.rows import load_loans
from engine.database.outbox.messages import write_letters
from engine.database.sql.transaction import Transaction
from engine.ids import Address, domain_of, fold_address
from engine.loans.loan import Loan
from engine.loans.status import LoanStatus
from engine.mail.compose import Mail, dump_mail
from engine.outbox.changes import ENGINE, ERASURE, LOAN, RETENTION, Change, Event
from engine.outbox.message import Letter
from engine.reconcile.ledger import SyncRules
from engine.reconcile.own_calendar import belongs_there
from engine.reconcile.telling.mail_texts import (
    CHOICE,
    EXPLAINED,
    FOOTER,
    index_of,
    render_paragraph,
    render_series_title,
    render_title,
)
from engine.reconcile.telling.preview import is_shown_by_outlook
from engine.reconcile.telling.texts import render_own_subject

CHANNEL = "mail"

ENDED = frozenset({LoanStatus.CANCELLED, LoanStatus.REFUSED, LoanStatus.SUSPENDED})
UNTOLD_REASONS = (RETENTION, ERASURE)
"""Removing what is known of people is nothing to write to them about."""

LOANS_AT_ONCE = 1000
DATES_WRITTEN = 10
"""So many dates of a series are written out in a mail; the file has them all."""

_UNTOLD = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Told:
    """One loan, what to send of it, and to whom."""

    loan: Loan
    step: Step
    digest: str


class Mailing:
    """
    Announces changes of loans by mail.

    Args:
        entries: how a loan is told.
        rules: the settings as they are now.
        sender: who mails come from, and who organizes what they tell of.
        language: of those who have not chosen one.
    """

    def __init__(
        self, entries: Entries, *, rules: Callable[[], SyncRules], instance: str, sender: Party, language: str
    ) -> None:
        self._entries = entries
        self._rules = rules
        self._instance = instance
        self._sender = sender
        self._language = language

    def __call__(self, transaction: Transaction) -> None:
        """Write the mails that follow from what *transaction* changed. An `Announcer`."""
        changes = [each for each in transaction.changes if each.model == LOAN and each.reason not in UNTOLD_REASONS]
        for at in range(0, len(changes), LOANS_AT_ONCE):
            self._announce(transaction, changes[at : at + LOANS_AT_ONCE])

    def catch_up(self, transaction: Transaction, address: str) -> None:
        """Write the mails that follow from somebody's having a calendar of their own connected, or left, by now."""
        changes = [Change(LOAN, number, Event.UPDATED, ENGINE) for number in list_concerning(transaction, address)]
        for at in range(0, len(changes), LOANS_AT_ONCE):
            self._announce(transaction, changes[at : at + LOANS_AT_ONCE])

    def _announce(self, transaction: Transaction, changes: Sequence[Change]) -> None:
        numbers = [change.number for change in changes]
        loans = {int(loan.number): loan for loan in load_loans(transaction.connection, numbers)}
        loans.update({c.number: c.was for c in changes if c.event is Event.DESTROYED and isinstance(c.was, Loan)})
        held = load_held(transaction, numbers)
        rules, linked = self._rules(), load_linked(transaction, numbers)
        connected = load_connected(transaction, {loan.requester.address for loan in loans.values()})
        in_outlook = {
            number
            for number, loan in loans.items()
            if is_shown_by_outlook(loan, rules, has_event=number in linked)
            or (fold_address(loan.requester.address) in connected and belongs_there(loan))
        }
        concerned = [
            (change, loan)
            for change in changes
            if (loan := loans.get(change.number)) is not None
            and loan.interval.end > transaction.now
            and (change.number in held or change.number not in in_outlook)
        ]
        if not concerned:
            return
        people = {loan.requester.address for _, loan in concerned}
        people.update(each.address for change, _ in concerned for each in held.get(change.number, ()))
        preferences = load_preferences(transaction, people)
        told = [
            each
            for change, loan in concerned
            for each in self._plan(
                change,
                loan,
                held.get(change.number, ()),
                preferences,
                is_outlooks=change.number in in_outlook,
                now=transaction.now,
            )
        ]
        for each in told:
            _keep(transaction, each)
        write_letters(transaction, list(self._letters(told, preferences, now=transaction.now)))

    def _plan(
        self,
        change: Change,
        loan: Loan,
        held: Sequence[Held],
        preferences: Mapping[Address, MailPreference],
        *,
        is_outlooks: bool,
        now: datetime,
    ) -> list[_Told]:
        """Return what is to be sent about one loan."""
        person, digest = loan.requester, self._digest(loan)
        has_ended = change.event is Event.DESTROYED or loan.status in ENDED
        receiver = None if has_ended or is_outlooks else Held(person.address, person.name, 0, True, digest)
        preference = preferences.get(fold_address(person.address), MailPreference())
        steps = plan_steps(
            held,
            receiver,
            is_wanted=wants(preference, person.address, actor=change.actor, start=loan.interval.start, now=now),
            ends_as=MailKind.IN_OUTLOOK if is_outlooks and not has_ended else MailKind.CANCELLED,
        )
        return [_Told(loan, step, digest) for step in steps]

    def _digest(self, loan: Loan) -> str:
        """Return a digest of what an entry of *loan* tells."""
        return sha256("\n".join(event_lines(self._entry(loan, 0, _UNTOLD))).encode()).hexdigest()

    def _entry(self, loan: Loan, sequence: int, made_at: datetime, *, is_cancelled: bool = False) -> CalendarEntry:
        level = self._entries.level_of(loan)
        summary = render_own_subject(loan, level)
        made = self._entries.make(loan, summary, level=level, sequence=sequence, changed_at=made_at)
        return replace(made, is_cancelled=is_cancelled)

    def _letters(
        self, told: Sequence[_Told], preferences: Mapping[Address, MailPreference], *, now: datetime
    ) -> list[Letter]:
        """Return one letter per receiver and loan, or per receiver, series and kind."""
        groups: dict[tuple[object, ...], list[_Told]] = {}
        for each in told:
            about = ("series", each.loan.series) if each.loan.series is not None else ("loan", each.loan.number)
            groups.setdefault((*about, each.step.kind, fold_address(each.step.address)), []).append(each)
        return [
            self._letter(group, f"{about}:{of}", preferences.get(Address(str(folded)), MailPreference()), now=now)
            for (about, of, _, folded), group in groups.items()
        ]

    def _letter(self, group: Sequence[_Told], lane: str, preference: MailPreference, *, now: datetime) -> Letter:
        first = group[0]
        step = first.step
        method = step.method if len(group) == 1 else Method.PUBLISH
        entries = [
            self._entry(each.loan, each.step.sequence, now, is_cancelled=each.step.method is Method.CANCEL)
            for each in group
        ]
        subject, text = self._say(group, preference.language or self._language)
        attendee = Party(step.address, step.name)
        name = f"{self._instance}-{first.loan.number}-{step.sequence}-{int(now.timestamp())}"
        mail = Mail(
            to_address=step.address,
            to_name=step.name,
            subject=subject,
            text=text,
            message_id=f"accord-{name}@{domain_of(self._sender.address)}",
            made_at=now.isoformat(),
            calendar=render_invitation(method, entries, organizer=self._sender, attendee=attendee),
            method=method.value,
        )
        return Letter(
            channel=CHANNEL,
            receiver=fold_address(step.address),
            lane=lane,
            topic=f"loan.{step.kind}",
            body=dump_mail(mail),
            loan_number=first.loan.number,
        )

    def _say(self, group: Sequence[_Told], language: str) -> tuple[str, str]:
        """Return subject and text of a mail."""
        at, kind, first = index_of(language), group[0].step.kind, group[0].loan
        parts = [EXPLAINED[kind][at]]
        if len(group) == 1:
            subject = render_title(kind, first, self._entries.level_of(first), language)
        else:
            subject = render_series_title(kind, len(group), language)
            parts.append(EXPLAINED["series"][at])
        for each in group[:DATES_WRITTEN]:
            loan, entries = each.loan, self._entries
            level, link, zone = entries.level_of(loan), entries.link_to(loan), entries.zone_of(loan)
            parts.append(render_paragraph(loan, level, link, zone, language))
        if len(group) > DATES_WRITTEN:
            parts.append("…")
        rules, footer = self._rules(), FOOTER[at]
        if domain_of(group[0].step.address) in rules.domains:
            footer += "\n" + CHOICE[at].format(link=f"{rules.link_base}/calendars")
        parts.append(footer)
        return subject, "\n\n".join(parts) + "\n"


def _keep(transaction: Transaction, told: _Told) -> None:
    step = told.step
    is_live = step.method is not Method.CANCEL
    save_held(transaction, int(told.loan.number), Held(step.address, step.name, step.sequence, is_live, told.digest))
