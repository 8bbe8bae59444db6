"""What the API accepts and answers: each `parse_` goes inwards, each `render_` outwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from engine.errors import Fault, Invalid
from engine.ids import Address, BookableId, LoanNumber
from engine.interval import Interval
from engine.loans.details import ContactDetails
from engine.loans.loan import Case, CaseState, Decision, Home, ItemKind, Loan, LoanItem, Requester
from engine.loans.register import Availability, ItemRef, LoanChange, LoanOrder
from engine.loans.status import ItemState, LoanStatus
from engine.reconcile.series.book import Scope
from engine.web.api import wire
from engine.web.api.wire import (
    STORABLE,
    WHOLE,
    Amendment,
    Id,
    Incoming,
    Instant,
    Line,
    Name,
    Outgoing,
    Page,
    Spoken,
    Whole,
)

T = TypeVar("T")
Explain = Callable[[str, Mapping[str, object]], str]


class Listing(Outgoing, Generic[T]):
    """One page. `next` goes into `?after=` for the following one; null on the last."""

    items: list[T]
    next: int | None = None


# --- loans --------------------------------------------------------------------------------------------------------


Detail = Annotated[str, Field(max_length=255), STORABLE] | SkipJsonSchema[None]


class DetailsIn(Incoming):
    """
    What is known of a requester from outside, for their contact. What is left out stays as it is; "" forgets it.

    `birth_date` is a day such as 1984-02-29.
    """

    phone: Detail = None
    birth_date: Detail = None
    company: Detail = None
    job_title: Detail = None
    street: Detail = None
    postcode: Detail = None
    town: Detail = None

    def parse(self) -> ContactDetails:
        return ContactDetails(**self.model_dump())


class DetailsOut(Outgoing):
    phone: str = ""
    birth_date: str = ""
    company: str = ""
    job_title: str = ""
    street: str = ""
    postcode: str = ""
    town: str = ""


def render_details(details: ContactDetails) -> DetailsOut:
    return DetailsOut(**details.known())


class RequesterIn(Incoming):
    """Who it is for. `details`, for people from outside, are kept beside: `GET /api/people/{address}/details`."""

    name: Name
    address: wire.Address
    details: DetailsIn | SkipJsonSchema[None] = None

    def parse(self) -> Requester:
        return Requester(Address(self.address), self.name, self.details.parse() if self.details is not None else None)


class ItemIn(Incoming):
    kind: ItemKind
    id: Id

    def parse(self) -> ItemRef:
        return ItemRef(self.kind, BookableId(self.id))


Items = Annotated[list[ItemIn], Field(min_length=1, max_length=200)]
Notes = Annotated[str, Field(max_length=10_000), STORABLE]


class LoanIn(Incoming):
    """A booking somebody asks for. Start and end lie on quarters of an hour."""

    requester: RequesterIn
    start: Instant
    end: Instant
    items: Items
    title: Line = ""
    notes: Notes = ""
    private: bool = False

    def parse(self) -> LoanOrder:
        items = tuple(item.parse() for item in self.items)
        interval = parse_interval(self.start, self.end)
        return LoanOrder(self.requester.parse(), interval, items, self.title, self.notes, self.private)


class LoanPatch(Amendment):
    """
    What to change about a loan; `version` is the one you looked at: 409 when the loan has moved on.

    `scope` says how much of its series is meant, for a loan that is a date of one.
    """

    start: Instant | SkipJsonSchema[None] = None
    end: Instant | SkipJsonSchema[None] = None
    requester: RequesterIn | SkipJsonSchema[None] = None
    items: Items | SkipJsonSchema[None] = None
    title: Line | SkipJsonSchema[None] = None
    notes: Notes | SkipJsonSchema[None] = None
    private: bool | SkipJsonSchema[None] = None
    version: Whole | SkipJsonSchema[None] = None
    scope: Scope = Scope.THIS

    def parse(self) -> LoanChange:
        if not self.model_fields_set - {"version", "scope"}:
            raise Invalid(Fault("", "nothing_to_change", "name at least one field to change"))
        return LoanChange(
            seen_version=self.version,
            start=self.start,
            end=self.end,
            requester=self.requester.parse() if self.requester else None,
            items=tuple(item.parse() for item in self.items) if self.items else None,
            title=self.title,
            notes=self.notes,
            private=self.private,
        )


class ActionIn(Incoming):
    """Why, in a person's words; kept in the loan's history."""

    reason: Annotated[str, Field(max_length=2000), STORABLE] = ""


class CancelIn(ActionIn):
    """Why, and how much of its series is meant, for a loan that is a date of one."""

    scope: Scope = Scope.THIS


class LoanQuery(Spoken):
    """Which loans to list. `from` and `to` keep those that overlap the stretch between them."""

    from_: Annotated[Instant | SkipJsonSchema[None], Field(alias="from")] = None
    to: Instant | SkipJsonSchema[None] = None
    room: Id | SkipJsonSchema[None] = None
    status: list[LoanStatus] = Field(default=[], max_length=len(LoanStatus))
    series: Id | SkipJsonSchema[None] = None
    after: Annotated[int, Field(ge=0, le=wire.ID_MAX), WHOLE] = 0
    limit: Page = 100


def parse_interval(start: datetime, end: datetime, *, fields: tuple[str, str] = ("start", "end")) -> Interval:
    """Return the stretch from *start* to *end*, which came in *fields*. Raises Invalid when it has no length."""
    if end <= start:
        raise Invalid(Fault(fields[1], "end_not_after_start", f"must be after {fields[0]}"))
    return Interval(start, end)


class PersonOut(Outgoing):
    name: str
    address: str


class ItemOut(Outgoing):
    kind: ItemKind
    id: int
    name: str
    address: str | None
    state: ItemState


class LoanOut(Outgoing):
    """
    A loan. `start` and `end` are exact, `blocked_*` are what it blocks on the 15-minute grid.

    Of a private one nobody but the person it is for learns what it is about and who that is, so a token does not:
    `title` and `notes` are empty and `requester` is null.
    """

    number: int
    status: LoanStatus
    home: Home
    title: str
    requester: PersonOut | None
    private: bool
    start: datetime
    end: datetime
    blocked_start: datetime
    blocked_end: datetime
    items: list[ItemOut]
    store: str
    series: str | None
    version: int
    notes: str


def render_loan(loan: Loan) -> LoanOut:
    blocked = loan.interval.blocked()
    return LoanOut(
        number=loan.number,
        status=loan.status,
        home=loan.home,
        title="" if loan.private else loan.title,
        requester=None if loan.private else PersonOut(name=loan.requester.name, address=loan.requester.address),
        private=loan.private,
        start=loan.interval.start.astimezone(UTC),
        end=loan.interval.end.astimezone(UTC),
        blocked_start=blocked.start,
        blocked_end=blocked.end,
        items=[_render_item(loan, item) for item in loan.items],
        store=loan.store,
        series=loan.series,
        version=loan.version,
        notes="" if loan.private else loan.notes,
    )


def _render_item(loan: Loan, item: LoanItem) -> ItemOut:
    return ItemOut(kind=item.kind, id=item.id, name=item.name, address=item.address, state=loan.told_state(item))


class DecisionOut(Outgoing):
    at: datetime
    code: str
    actor: str
    text: str
    facts: dict[str, object]


def render_decision(decision: Decision, explain: Explain) -> DecisionOut:
    return DecisionOut(
        at=decision.at.astimezone(UTC),
        code=decision.code,
        actor=decision.actor,
        text=explain(decision.code, decision.facts),
        facts=dict(decision.facts),
    )


# --- availability -------------------------------------------------------------------------------------------------


class AvailabilityQuery(Spoken):
    """The stretch asked about, and for how many people."""

    start: Instant
    end: Instant
    people: Annotated[int, Field(ge=1, le=wire.ID_MAX), WHOLE] | SkipJsonSchema[None] = None


class BusyOut(Outgoing):
    start: datetime
    end: datetime
    loan: int | None


class AvailabilityOut(Outgoing):
    kind: ItemKind
    id: int
    name: str
    capacity: int | None
    free: bool
    busy: list[BusyOut]


def render_availability(found: Availability) -> AvailabilityOut:
    busy = [
        BusyOut(start=item.interval.start.astimezone(UTC), end=item.interval.end.astimezone(UTC), loan=item.loan_number)
        for item in found.busy
    ]
    return AvailabilityOut(
        kind=found.kind, id=found.id, name=found.name, capacity=found.capacity, free=found.free, busy=busy
    )


# --- cases --------------------------------------------------------------------------------------------------------


class CaseQuery(Spoken):
    state: CaseState | SkipJsonSchema[None] = None
    after: Annotated[int, Field(ge=0, le=wire.ID_MAX), WHOLE] = 0
    limit: Page = 100


class CaseOut(Outgoing):
    id: int
    code: str
    text: str
    facts: dict[str, object]
    state: CaseState
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    settlement: str | None
    loan: int | None
    ical_uid: str | None
    room_id: int | None
    room: str | None


def _names_people(case: Case) -> bool:
    """Tell whether a case's values are nobody else's business when the loan is private."""
    return case.code == "organizer_cannot_change" or case.facts.get("field") in ("requester", "title", "notes")


def render_case(case: Case, explain: Explain, is_private: Callable[[LoanNumber], bool]) -> CaseOut:
    """Return *case*; what both sides say of a private loan's people and words is left out."""
    facts = dict(case.facts)
    if case.loan_number is not None and _names_people(case) and is_private(case.loan_number):
        facts = {key: value for key, value in facts.items() if key not in ("kept", "lost")}
    return CaseOut(
        id=case.id,
        code=case.code,
        text=explain(case.code, facts),
        facts=facts,
        state=case.state,
        opened_at=case.opened_at.astimezone(UTC),
        closed_at=case.closed_at.astimezone(UTC) if case.closed_at else None,
        closed_by=case.closed_by,
        settlement=case.settlement,
        loan=case.loan_number,
        ical_uid=case.ical_uid,
        room_id=case.room_id,
        room=case.room,
    )


# --- pages --------------------------------------------------------------------------------------------------------


def render_page(found: Sequence[T], limit: int, key: Callable[[T], int]) -> tuple[list[T], int | None]:
    """Cut *found*, asked for with one more than *limit*, to a page; say after which key the following one begins."""
    page = list(found[:limit])
    return page, key(page[-1]) if len(found) > limit else None
