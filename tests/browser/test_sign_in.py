"""Signing in with a provider of identities, and out again, as a person does it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from engine.settings import SignInSettings
from tests.browser.conftest import Visit, keep_picture
from tests.browser.serving import NOW, Site, running_site
from tests.web.identities import CLIENT_ID, CLIENT_SECRET, Identities, running_identities

PEOPLE = {
    "zoe": {"name": "Zoé Petit", "preferred_username": "zoe.petit@example.org", "roles": ["staff"]},
    "leo": {"name": "Léo Roux", "email": "leo.roux@example.org", "preferred_username": "l42@example.org"},
    "guest": {"name": "Gil", "email": "gil@elsewhere.example", "idp": "https://sts.windows.net/elsewhere/"},
}


@pytest.fixture(scope="module")
def identities() -> Iterator[Identities]:
    with running_identities(lambda: NOW) as found:
        found.people |= PEOPLE
        yield found


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, identities: Identities) -> Iterator[Site]:
    """An app that people sign in to with the provider."""
    settings = SignInSettings(issuer=identities.address, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
    with running_site(Path(tmp_path_factory.mktemp("guarded")), sign_in=settings) as running:
        yield running


def sign_in(page: Page, login: str) -> None:
    page.get_by_role("link", name="Sign in with Microsoft").click()
    page.get_by_role("link", name=login).click()


def test_the_way_in_leads_to_the_page_that_was_asked_for(guarded: Site, visit: Visit, identities: Identities) -> None:
    page = visit(guarded, "/account", role="", friend=identities.address)
    keep_picture(page, "sign-in-microsoft")

    sign_in(page, "zoe")

    page.wait_for_url("**/account")
    expect(page.locator(".lead")).to_have_text("Zoé Petit · zoe.petit@example.org · Staff")


def test_out_is_out(guarded: Site, visit: Visit, identities: Identities) -> None:
    """After signing out the way back leads to the door; the provider is not asked behind one's back."""
    page = visit(guarded, "/board", role="", friend=identities.address)
    sign_in(page, "leo")
    page.wait_for_url("**/board")
    expect(page.locator(".account-name small")).to_have_text("Requester")

    page.locator(".account-menu summary").click()
    page.get_by_role("button", name="Sign out", exact=True).click()

    expect(page.get_by_role("link", name="Sign in with Microsoft")).to_be_visible()
    page.goto("/board")
    expect(page.get_by_role("link", name="Sign in with Microsoft")).to_be_visible()


def test_who_is_refused_is_told_why(guarded: Site, visit: Visit, identities: Identities) -> None:
    page = visit(guarded, "/sign-in", role="", friend=identities.address, forgiven=(403,))

    sign_in(page, "guest")

    expect(page.get_by_role("alert")).to_contain_text("Guests of the directory cannot sign in here")
    keep_picture(page, "sign-in-refused")
    page.get_by_role("link", name="Try again").click()
    expect(page.get_by_role("link", name="Sign in with Microsoft")).to_be_visible()


def test_an_administrator_ends_the_session_of_somebody_else(
    guarded: Site, visit: Visit, identities: Identities
) -> None:
    identities.people["ada"] = {"name": "Ada Admin", "email": "ada@example.org", "roles": ["admin"]}
    leo = visit(guarded, "/board", role="", friend=identities.address)
    sign_in(leo, "leo")
    leo.wait_for_url("**/board")
    ada = visit(guarded, "/account", role="", friend=identities.address)
    sign_in(ada, "ada")

    ada.locator("tr", has_text="Léo Roux").first.get_by_role("button", name="Sign out there").click()

    ada.wait_for_url("**/account")
    leo.goto("/account")
    expect(leo.get_by_role("link", name="Sign in with Microsoft")).to_be_visible()
