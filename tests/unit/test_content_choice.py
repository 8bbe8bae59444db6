"""When notifications are to bring their event: who is named by tokens must be known before any is believed."""

from __future__ import annotations

import pytest

from engine.app.content_choice import why_without_content
from engine.settings import load_settings

ID = "84bd8158-6d4d-4958-8b9f-9d6445542f95"
REAL = {
    "ENGINE_GRAPH__CREDENTIAL": "managed_identity",
    "ENGINE_WEB__PUBLIC_URL": "https://rooms.example.org",
    "ENGINE_GRAPH__CLIENT_ID": ID,
    "ENGINE_GRAPH__TENANT_ID": ID.upper(),
}


def why(**more: str) -> str:
    return why_without_content(load_settings(None, REAL | {f"ENGINE_{name}": text for name, text in more.items()}))


def test_ids_are_enough() -> None:
    assert why() == ""


def test_the_simulated_tenant_names_itself() -> None:
    assert why_without_content(load_settings(None, {})) == ""


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"GRAPH__CLIENT_ID": ""}, "graph.client_id"),
        ({"GRAPH__TENANT_ID": ""}, "graph.tenant_id"),
        ({"GRAPH__TENANT_ID": "example.org"}, "not the directory’s id"),
        ({"SYNC__DELIVERY": "poll"}, "poll"),
        ({"SYNC__CONTENT": "false"}, "sync.content"),
    ],
)
def test_otherwise_it_says_why_not(more: dict[str, str], named: str) -> None:
    """A domain names a directory too, but no token does so by its domain. Nothing stops for want of it."""
    assert named in why(**more)
