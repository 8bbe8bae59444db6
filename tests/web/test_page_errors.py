"""What is told when a page fails, also where nobody can be found out to be signed in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.errors import DatabaseUnusable
from engine.web.pages import page as pages
from tests.web.visitors import House, open_house

FAILURES = [(DatabaseUnusable("gone"), 503, "Un instant"), (KeyError("since"), 500, "Cela n’a pas fonctionné")]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as found:
        yield found


@pytest.mark.parametrize(("failure", "status", "title"), FAILURES)
def test_a_database_that_does_not_answer_is_told_on_a_page_in_the_readers_language(
    house: House, monkeypatch: pytest.MonkeyPatch, failure: Exception, status: int, title: str
) -> None:
    """With a way to try again; the way to sign in would lead nowhere."""
    page = house.signed_in("staff", **{"Accept-Language": "fr"})

    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr(pages, "_find_user", fail)
    answer = page.get("/cases?shelf=settled")

    assert answer.status_code == status
    assert f"<h1>{title}</h1>" in answer.text
    assert 'href="/cases?shelf=settled"' in answer.text
    assert 'href="/sign-in"' not in answer.text
    assert "Réessayer" in answer.text
    asked = page.get("/cases", headers={"Accept": "application/json"})
    assert (asked.status_code, asked.json()["title"]) == (status, title)


def test_a_page_that_fails_says_so_to_whoever_is_signed_in(house: House) -> None:
    page = house.signed_in("staff")
    with house.office.database.write() as transaction:
        transaction.connection.exec_driver_sql("ALTER TABLE feed RENAME TO feed_elsewhere")

    answer = page.get("/calendars")

    assert answer.status_code == 500
    assert "Nothing was lost." in answer.text
    assert 'href="/calendars"' in answer.text
    assert "Sign out" in answer.text
