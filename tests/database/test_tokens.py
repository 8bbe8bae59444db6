"""Bearer tokens: shown once, kept as a digest, revoked for good."""

from datetime import timedelta

import pytest

from engine.database.access.tokens import TokenIdentity, TokenStore
from engine.database.sql.connection import Database
from engine.errors import Invalid, NotFound
from tests.database.building import MONDAY, StandingClock, rows


@pytest.fixture
def tokens(database: Database) -> TokenStore:
    return TokenStore(database)


class TestAToken:
    def test_opens_what_its_role_may(self, database: Database, tokens: TokenStore) -> None:
        """It tells whom it speaks for, and its text is nowhere in the database."""
        plain = tokens.create("door signs", "viewer")

        assert plain.startswith("acc_")
        assert tokens.authenticate(plain) == TokenIdentity(1, "door signs", "viewer")
        assert plain not in str(rows(database, "token"))

    @pytest.mark.parametrize("plain", ["", "acc_", "acc_guess", "Bearer x", "acc_\ud800", "acc_\0"])
    def test_that_is_none_opens_nothing(self, tokens: TokenStore, plain: str) -> None:
        """Whatever is sent."""
        tokens.create("a", "admin")

        assert tokens.authenticate(plain) is None

    def test_that_is_revoked_opens_nothing_any_more(self, tokens: TokenStore) -> None:
        """At once, and for good."""
        plain = tokens.create("a", "staff")

        tokens.revoke(1)

        assert tokens.authenticate(plain) is None
        assert tokens.list_tokens()[0].revoked_at == MONDAY
        with pytest.raises(NotFound):
            tokens.revoke(1)

    def test_notes_its_use_now_and_then(self, tokens: TokenStore, clock: StandingClock) -> None:
        """Not with each request: that would be a write per read."""
        plain = tokens.create("a", "staff")
        seen = []
        for minutes in (0, 1, 5):
            clock.now = MONDAY + timedelta(minutes=minutes)
            tokens.authenticate(plain)
            seen.append(tokens.list_tokens()[0].used_at)

        assert seen == [MONDAY, MONDAY, MONDAY + timedelta(minutes=5)]

    def test_needs_a_name_of_its_own_and_a_role(self, tokens: TokenStore) -> None:
        """A name is never used twice, so that a log line names one token."""
        tokens.create("a", "staff")

        for name, role in (("a", "staff"), ("", "staff"), ("b", "owner"), ("x" * 256, "staff")):
            with pytest.raises(Invalid):
                tokens.create(name, role)
