"""What a contact says of somebody, and what makes a folder agree with our requesters."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import pytest

from engine.loans.details import DETAIL_FIELDS, ContactDetails
from engine.reconcile.contacts import (
    Card,
    Column,
    ContactPlan,
    ContactReport,
    ContactView,
    FoundCard,
    Outsider,
    card_of,
    plan_contacts,
)

ALEX = Outsider(
    key="ab12-7",
    name="Alex van der Doe",
    address="alex@elsewhere.example",
    created_at=datetime(2026, 3, 1, 9, tzinfo=UTC),
    changed_at=datetime(2026, 11, 20, 9, tzinfo=UTC),
    loans=3,
    stores=("Main desk", "Workshop"),
    last_end=datetime(2026, 11, 1, 9, tzinfo=UTC),
)


def card(key: str, name: str = "Doe") -> Card:
    return Card(key, "", name, name)


def found(contact_id: str, key: str, name: str = "Doe") -> FoundCard:
    return FoundCard(contact_id, card(key, name))


@pytest.mark.parametrize(
    ("view", "is_held"),
    [
        (ContactView(), True),
        (ContactView(stores=frozenset({"workshop", "annex"})), True),
        (ContactView(stores=frozenset({"annex"})), False),
        (ContactView(kept_days=20), True),
        (ContactView(kept_days=19), False),
        (ContactView(frozenset({"annex"}), 20), False),
        (ContactView(frozenset({"main desk"}), 19), False),
    ],
)
def test_a_view_limits_who_becomes_a_contact(view: ContactView, is_held: bool) -> None:
    """G10: of certain stores, and until so long after their last loan; both have to hold."""
    assert view.holds(ALEX, datetime(2026, 11, 20, 9, tzinfo=UTC)) is is_held


class TestACard:
    def test_says_the_mandatory_columns_always(self) -> None:
        """G9: first name, last name, creation and modification."""
        plain = card_of(ALEX, frozenset())
        assert (plain.given, plain.family, plain.display) == ("Alex van der", "Doe", "Alex van der Doe")
        assert plain.notes == "Created: 2026-03-01\nChanged: 2026-11-20"
        assert (plain.addresses, plain.categories) == ((), ())

    @pytest.mark.parametrize("column", [Column(name) for name in DETAIL_FIELDS])
    def test_says_of_the_details_what_is_chosen_and_known(self, column: Column) -> None:
        """G9: phone, birth date, company, job title, street, postcode, town."""
        known = ContactDetails(**dict.fromkeys(DETAIL_FIELDS, "something"))

        assert card_of(replace(ALEX, details=known), frozenset({column})).details.known() == {column: "something"}
        assert card_of(ALEX, frozenset({column})).details == ContactDetails()

    @pytest.mark.parametrize("wanted", [frozenset(each) for each in product(Column, Column)])
    def test_says_the_optional_ones_when_asked_to(self, wanted: frozenset[Column]) -> None:
        made = card_of(ALEX, wanted)
        assert (made.addresses == ("alex@elsewhere.example",)) is (Column.EMAIL in wanted)
        assert (made.categories == ("Main desk", "Workshop")) is (Column.STORES in wanted)
        assert ("Loans: 3" in made.notes) is (Column.LOANS in wanted)

    def test_takes_one_word_for_a_last_name(self) -> None:
        made = card_of(replace(ALEX, name="Plato"), frozenset())
        assert (made.given, made.family) == ("", "Plato")


class TestAPlan:
    def test_makes_any_folder_agree_and_then_rests(self) -> None:
        """Every folder of up to three contacts against every set of wished ones: carried out, nothing is left to do."""
        seen = [None, ("a", "Doe"), ("a", "Roe"), ("b", "Doe"), ("", "Doe")]
        wishes = [[], [card("a")], [card("b")], [card("a"), card("b")]]
        for shown, wanted in product(product(seen, repeat=3), wishes):
            folder = {f"id-{n}": FoundCard(f"id-{n}", card(*each)) for n, each in enumerate(shown) if each is not None}
            strangers = [each for each in folder.values() if not each.card.key]

            carry_out(plan_contacts(wanted, list(folder.values())), folder)

            assert {each.card.key: each.card for each in folder.values() if each.card.key} == {c.key: c for c in wanted}
            assert [each for each in folder.values() if not each.card.key] == strangers
            again = plan_contacts(wanted, list(folder.values()))
            assert (again.steps, again.same) == (0, len(wanted))

    def test_leaves_contacts_of_others_alone(self) -> None:
        made = plan_contacts([], [found("id-1", ""), found("id-2", "a")])
        assert [each.id for each in made.remove] == ["id-2"]
        assert made.others == 1


def carry_out(plan: ContactPlan, folder: dict[str, FoundCard]) -> None:
    for number, each in enumerate(plan.create):
        folder[f"new-{number}"] = FoundCard(f"new-{number}", each)
    for contact_id, each in plan.change:
        folder[contact_id] = FoundCard(contact_id, each)
    for gone in plan.remove:
        del folder[gone.id]


def test_a_report_says_how_far_it_is() -> None:
    plan = ContactPlan(create=(card("a"), card("b")), same=3)
    assert ContactReport(plan, dry=True).text == "would be: 2 created, 0 changed, 0 removed, 3 as they were"
    assert ContactReport(plan, done=1).text.startswith("1 of 2 done: ")
    assert ContactReport(plan, done=1, failed={"Doe": "no"}).text.endswith("3 as they were, 1 refused")
