"""The databases that the suite hands out: real, empty, and of both kinds."""

import pytest
from sqlalchemy import create_engine, inspect, text

from tests import postgres


def tables_of(url: str) -> list[str]:
    engine = create_engine(url)
    try:
        return inspect(engine).get_table_names()
    finally:
        engine.dispose()


def create_table(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE here (id integer)"))
    engine.dispose()


class TestAFreshDatabase:
    @pytest.mark.parametrize("turn", ["first", "second"])
    def test_is_empty_whatever_a_test_before_has_left(self, database_url, turn):
        """No test sees what another one has written."""
        assert tables_of(database_url) == []

        create_table(database_url)

        assert tables_of(database_url) == ["here"]


class TestAMissingPostgres:
    def test_fails_with_instructions(self, monkeypatch, tmp_path):
        """Nobody believes that both databases were tested when one of them was not there."""
        monkeypatch.setenv(postgres.URL_VARIABLE, "postgresql://nobody@127.0.0.1:1/nothing")

        with pytest.raises(postgres.PostgresMissing) as caught, postgres.running_postgres():
            pass

        for way_out in ("scripts/postgres", postgres.URL_VARIABLE, postgres.LEAVE_OUT_VARIABLE):
            assert way_out in str(caught.value)

    @pytest.mark.parametrize(("ci", "expected"), [("", True), ("false", True), ("true", False), ("1", False)])
    def test_may_be_chosen_but_not_in_ci(self, monkeypatch, ci, expected):
        monkeypatch.setenv(postgres.LEAVE_OUT_VARIABLE, "1")
        monkeypatch.setenv("CI", ci)

        assert postgres.is_left_out() is expected
