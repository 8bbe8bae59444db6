"""Names in the settings that nothing has, and what they may have meant."""

from __future__ import annotations

import pytest

from engine.reconcile.names import UnknownName, find_unknown

ROOMS = ("Tilleul", "Platane", "Grande salle", "Salle 1", "Salle 2")


@pytest.mark.parametrize("name", ["Tilleul", " tilleul ", "TILLEUL", "grande SALLE"])
def test_a_name_counts_without_case_and_outer_spaces(name: str) -> None:
    assert list(find_unknown("view.rooms", [name], ROOMS)) == []


@pytest.mark.parametrize(
    ("name", "near"),
    [("Tileul", ("Tilleul",)), ("grand salle", ("Grande salle",)), ("Salle 3", ("Salle 2", "Salle 1")), ("Xyz", ())],
)
def test_what_is_near_is_offered_the_likeliest_first(name: str, near: tuple[str, ...]) -> None:
    (found,) = find_unknown("view.rooms", [name], ROOMS)

    assert found.name == name
    assert set(near) <= set(found.near)
    assert found.near[:1] == near[:1] or set(found.near[:2]) == set(near)


def test_names_for_what_is_to_come_are_left_alone_unless_they_look_like_another() -> None:
    found = find_unknown("rooms.ignored_tags", ["privat", "closed"], ["private"], only_with_near=True)

    assert [each.name for each in found] == ["privat"]


def test_a_log_says_where_what_and_what_was_meant() -> None:
    assert UnknownName("view.rooms", "Tileul", ("Tilleul",)).text == (
        "view.rooms: there is no 'Tileul'; did you mean Tilleul?"
    )
    assert UnknownName("view.stores", "Annex").text == "view.stores: there is no 'Annex'"
