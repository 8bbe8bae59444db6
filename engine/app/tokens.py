"""Bearer tokens by their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from engine.database.access.tokens import TokenIdentity, TokenStore
from engine.errors import NotFound


class TokenDrawer:
    """Tokens by their names, as people speak of them."""

    def __init__(self, store: TokenStore) -> None:
        self._store = store

    def create(self, name: str, role: str) -> str:
        """Make a token and return its plain text, for the only time. Raises Invalid when the name is taken."""
        return self._store.create(name, role)

    def authenticate(self, token: str) -> TokenIdentity | None:
        """Return whose token this is; None for an unknown or revoked one."""
        return self._store.authenticate(token)

    def list_tokens(self) -> Sequence[Mapping[str, object]]:
        """Return every token, without its secret."""
        return [asdict(token) for token in self._store.list_tokens()]

    def revoke(self, name: str) -> None:
        """Make the live token of that name useless. Raises NotFound."""
        found = next(
            (token for token in self._store.list_tokens() if token.name == name and not token.revoked_at), None
        )
        if found is None:
            raise NotFound(f"there is no live token named {name!r}")
        self._store.revoke(found.id)
