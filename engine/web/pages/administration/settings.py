"""The settings that administrators change while the engine runs: what each means, what counts, who changed what."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import Response

from engine.web.pages.page import AdminPage
from engine.web.pages.parts.settings import MailboxAnswer, SettingKey

router = APIRouter()

CHOICES = {
    SettingKey.MODE: ("two_way", "read_only", "shadow"),
    SettingKey.TEXT_LEVEL: ("full", "number_only", "link_only"),
}


@router.get("/settings")
def show_settings(page: AdminPage, done: str = "", unsure: bool = False) -> Response:
    """Show every setting, and what was changed."""
    desk = page.parts.settings
    return page.render(
        "settings.html",
        here="settings",
        views=desk.list_settings(),
        choices=CHOICES,
        stores=page.parts.web.register.list_stores(),
        unknown_names=page.parts.unknown_names(),
        fixed=desk.list_fixed(),
        history=desk.history(),
        done=done,
        unsure=unsure,
    )


@router.post("/settings/{key}")
def set_value(page: AdminPage, key: SettingKey, value: Annotated[str, Form(max_length=2000)] = "") -> Response:
    """Set one setting."""
    assert page.user is not None
    answer = page.parts.settings.set_value(key, value, actor=page.user.actor)
    unsure = "&unsure=1" if answer is MailboxAnswer.UNKNOWN else ""
    return page.go(f"/settings?done={key.value}{unsure}#{key.name.lower()}")


@router.post("/settings/{key}/reset")
def reset(page: AdminPage, key: SettingKey) -> Response:
    """Go back to what file and environment say."""
    assert page.user is not None
    page.parts.settings.reset(key, actor=page.user.actor)
    return page.go(f"/settings?done={key.value}#{key.name.lower()}")
