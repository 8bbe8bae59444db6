"""Which fields of a loan go to which of its event, and back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import pytest

from engine.ids import Address, BookableId, LoanNumber, StoreId
from engine.interval import Interval
from engine.loans.loan import Home, ItemKind, Loan, LoanItem, Requester, TextLevel
from engine.loans.status import ItemState, LoanStatus
from engine.reconcile.field_map import (
    LOAN_FIELDS,
    FieldMap,
    View,
    changed_fields,
    fill,
    loan_values,
    map_fields,
    read_title,
    view_title,
)
from engine.reconcile.telling.texts import render_body, render_series_subject, render_subject
from engine.rooms.calendar import PLAIN, EventFields

LOAN = Loan(
    number=LoanNumber(4711),
    status=LoanStatus.NEW,
    home=Home.APP,
    requester=Requester(Address("alex@example.org"), "Alex Doe"),
    interval=Interval(datetime(2026, 11, 23, 9, tzinfo=UTC), datetime(2026, 11, 23, 10, tzinfo=UTC)),
    items=(
        LoanItem(ItemKind.ROOM, BookableId(1), "Fern", ItemState.ACCEPTED, Address("fern@example.org")),
        LoanItem(ItemKind.ROOM, BookableId(2), "Moss", ItemState.CANCELLED, Address("moss@example.org")),
        LoanItem(ItemKind.ASSET, BookableId(9), "Projector <1>", ItemState.ACCEPTED),
    ),
    store_id=StoreId(1),
    store="Main desk",
    version=1,
    title="Tea with the mayor",
    notes="Bring cake",
)
LINK = "https://accord.example.org/loans/4711"
FULL = TextLevel.FULL
TWO_WAY = FieldMap(title="#{number} {title} ({requester})", title_back=True)


class TestTheDefaults:
    """H52-H54, to the letter."""

    def test_say_what_events_always_said(self) -> None:
        assert render_subject(LOAN, FULL) == "#4711 Alex Doe"
        assert render_series_subject(LOAN, 4711, 4715, FULL) == "#4711-4715 Alex Doe"
        body = render_body(LOAN, FULL, LINK)
        assert body == f'<ul><li>Fern</li><li>Projector &lt;1&gt;</li></ul><p><a href="{LINK}">{LINK}</a></p>'
        assert map_fields(FieldMap(), LOAN, FULL) == PLAIN

    def test_have_no_fault(self) -> None:
        assert list(FieldMap().faults()) == []

    @pytest.mark.parametrize("level", [TextLevel.NUMBER_ONLY, TextLevel.LINK_ONLY])
    def test_tell_no_more_than_the_level_lets_them(self, level: TextLevel) -> None:
        """R15: no map opens what the level keeps back."""
        told = FieldMap(
            title="{title} {requester}", body=("notes", "link"), location="{title}", categories=("{title}",),
            custom=(("Who", "{requester}"),),
        )  # fmt: skip
        assert render_subject(LOAN, level, told) == "#4711"
        assert "cake" not in render_body(LOAN, level, LINK, told)
        assert map_fields(told, LOAN, level) == EventFields((), "busy", "", (("Who", ""),))
        assert map_fields(told, replace(LOAN, private=True), FULL) == EventFields((), "busy", "", (("Who", ""),))


class TestTemplates:
    @pytest.mark.parametrize("name", LOAN_FIELDS)
    def test_take_every_field(self, name: str) -> None:
        assert fill(f"<{{{name}}}>", LOAN) == f"<{loan_values(LOAN)[name]}>"

    def test_leave_no_hole_where_a_value_is_empty(self) -> None:
        bare = replace(LOAN, title="")
        assert fill("{number}  {title} {requester}", bare) == "4711 Alex Doe"
        assert render_subject(bare, FULL, FieldMap(title="{title}")) == "#4711"

    def test_are_not_filled_twice(self) -> None:
        """A title of a person that looks like a template stays as it is."""
        assert fill("{title}", replace(LOAN, title="{requester}")) == "{requester}"

    def test_make_a_body_of_parts_in_their_order(self) -> None:
        body = render_body(LOAN, FULL, LINK, FieldMap(body=("title", "notes", "link")))
        assert body == f'<p>Tea with the mayor</p><p>Bring cake</p><p><a href="{LINK}">{LINK}</a></p>'

    @pytest.mark.parametrize(
        ("wrong", "named"),
        [
            (FieldMap(title="#{nummer}"), "title"),
            (FieldMap(title="  "), "title"),
            (FieldMap(title="{title"), "title"),
            (FieldMap(title_back=True), "title_back"),
            (FieldMap(title="{title} {title}", title_back=True), "title_back"),
            (FieldMap(body=("items", "weather")), "body"),
            (FieldMap(body=()), "body"),
            (FieldMap(body=("link", "link")), "body"),
            (FieldMap(location="{where}"), "location"),
            (FieldMap(categories=("a,b",)), "categories"),
            (FieldMap(show_as="free"), "show_as"),
            (FieldMap(custom=(("AccordLoan", "x"),)), "custom"),
            (FieldMap(custom=(("No spaces", "x"),)), "custom"),
            (FieldMap(custom=(("Store", "{shop}"),)), "custom"),
        ],
    )
    def test_are_checked(self, wrong: FieldMap, named: str) -> None:
        assert named in [name for name, _ in wrong.faults()]


class TestFieldsBeside:
    def test_what_is_written_makes_the_one_into_the_other(self) -> None:
        """Every pair of a small world: the difference, written, leaves nothing to write; equal ones write nothing."""
        states = [
            EventFields(categories, show_as, location, custom)
            for categories, show_as, location, custom in product(
                [(), ("A",)], ["busy", "oof"], ["", "Hall"], [(), (("X", "1"),), (("X", "2"), ("Y", "1"))]
            )
        ]
        for written, wanted in product(states, states):
            change = changed_fields(written, wanted)
            assert (change is None) == (written == wanted)
            if change is not None:
                assert apply(written, change) == without_empty(wanted)

    def test_an_empty_category_is_left_out(self) -> None:
        fields = FieldMap(categories=("{store}", "{title}"))
        assert map_fields(fields, replace(LOAN, title=""), FULL).categories == ("Main desk",)


def apply(written: EventFields, change: EventFields) -> EventFields:
    custom = {name: value for name, value in (dict(written.custom) | dict(change.custom)).items() if value}
    return EventFields(
        written.categories if change.categories is None else change.categories,
        written.show_as if change.show_as is None else change.show_as,
        written.location if change.location is None else change.location,
        tuple(sorted(custom.items())),
    )


def without_empty(fields: EventFields) -> EventFields:
    return replace(fields, custom=tuple(sorted(pair for pair in fields.custom if pair[1])))


class TestBack:
    @pytest.mark.parametrize("title", ["", "Tea", "Tea (with Alex Doe)", "#4711", "{requester}"])
    def test_reads_what_was_written(self, title: str) -> None:
        named = replace(LOAN, title=title)
        assert read_title(TWO_WAY, named, render_subject(named, FULL, TWO_WAY)) == title

    def test_finds_nothing_in_a_title_of_somebodys_own(self) -> None:
        assert read_title(TWO_WAY, LOAN, "Cake!") is None
        assert read_title(FieldMap(), LOAN, "#4711 Alex Doe") is None

    def test_compares_nothing_that_may_not_be_told_or_was_not_seen(self) -> None:
        written = render_subject(LOAN, FULL, TWO_WAY)
        assert view_title(TWO_WAY, LOAN, FULL, written=written, shown=None) is None
        assert view_title(TWO_WAY, LOAN, TextLevel.NUMBER_ONLY, written=written, shown=written) is None
        assert view_title(replace(TWO_WAY, title_back=False), LOAN, FULL, written=written, shown=written) is None

    def test_what_is_agreed_is_what_would_be_written(self) -> None:
        """Spaces that somebody types are no reason to write again."""
        written = render_subject(LOAN, FULL, TWO_WAY)
        view = view_title(TWO_WAY, LOAN, FULL, written=written, shown="#4711  Coffee   (Alex Doe)")
        assert view is not None
        assert (view.base, view.there, view.agreed) == ("Tea with the mayor", "Coffee", "#4711 Coffee (Alex Doe)")


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (View(), True),
        (View(stores=frozenset({"main desk"})), True),
        (View(stores=frozenset({"workshop"})), False),
        (View(statuses=frozenset({LoanStatus.NEW, LoanStatus.OUT})), True),
        (View(statuses=frozenset({LoanStatus.PENDING_APPROVAL})), False),
        (View(frozenset({"main desk"}), frozenset({LoanStatus.OUT})), False),
        (View(rooms=frozenset({"fern", "oak"})), True),
        (View(rooms=frozenset({"oak"})), False),
        (View(rooms=frozenset({"moss"})), False),  # it left the loan
        (View(frozenset({"workshop"}), rooms=frozenset({"fern"})), False),
    ],
)
def test_a_view_holds_what_meets_all_its_conditions(view: View, expected: bool) -> None:
    assert view.holds(replace(LOAN, store="Main desk ")) is expected
