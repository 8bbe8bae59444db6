"""Who is named by tokens must be known before any is believed."""

from __future__ import annotations

import pytest

from engine.app.contents import check_names
from engine.errors import BadSettings

ID = "84bd8158-6d4d-4958-8b9f-9d6445542f95"


def test_ids_are_enough() -> None:
    check_names(ID, ID.upper())


@pytest.mark.parametrize(
    ("client_id", "tenant_id", "named"),
    [("", ID, "graph.client_id"), (ID, "", "graph.tenant_id"), (ID, "example.org", "not its domain")],
)
def test_anything_else_stops_the_start(client_id: str, tenant_id: str, named: str) -> None:
    """A domain names a directory too, but no token does so by its domain."""
    with pytest.raises(BadSettings, match=named):
        check_names(client_id, tenant_id)
