"""The settings' page: who may open it, what it refuses, what it changes at once, and who changed what."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.app.office import Office
from engine.app.run_time import RunTimeSettings
from engine.errors import Invalid
from engine.reconcile.actions import Note
from engine.settings import DatabaseSettings, GraphSettings, LoansSettings, Settings
from engine.web.pages.parts.settings import MailboxAnswer, SettingKey
from tests.templates import put_database
from tests.web.conftest import TestClient
from tests.web.visitors import NOW, House, open_house

WHO = "app:admin"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path, loans=LoansSettings(domains=("example.org",))) as found:
        yield found


@pytest.fixture
def admin(house: House) -> TestClient:
    return house.signed_in("admin")


class TestThePage:
    def test_is_for_administrators(self, house: House) -> None:
        staff = house.signed_in("staff")

        assert staff.get("/settings").status_code == 403
        assert staff.post("/settings/sync.mode", data={"value": "shadow"}).status_code == 403
        assert staff.post("/settings/sync.mode/reset").status_code == 403
        assert house.office.rules.sync().mode == "two_way"

    def test_shows_lists_as_they_are_typed(self, admin: TestClient) -> None:
        page = admin.get("/settings").text

        assert "email, phone" in page
        assert "(&#39;" not in page
        assert "()" not in page

    def test_shows_what_counts_and_what_the_file_says(self, house: House, admin: TestClient) -> None:
        admin.post("/settings/loans.domains", data={"value": "example.com, Example.NET"})

        page = admin.get("/settings").text

        assert 'value="example.com, example.net"' in page
        assert "the file says: example.org" in page
        assert "Our domains: as in the file → example.com, example.net" in page
        assert "amelie.durand@example.org" in page

    def test_hides_secrets(self, tmp_path: Path) -> None:
        graph = GraphSettings(client_secret="geheim", credential="simulated")  # type: ignore[arg-type]
        with open_house(tmp_path, graph=graph) as house:
            page = house.signed_in("admin").get("/settings").text

        assert "graph.client_secret" in page
        assert "geheim" not in page


class TestChanging:
    @pytest.mark.parametrize(
        ("key", "value", "said"),
        [
            ("sync.mode", "sideways", "Choose one of those offered."),
            ("loans.text_level", "", "Choose one of those offered."),
            ("loans.domains", "example", "A domain reads like example.org."),
            ("loans.default_user", "desk", "An address reads like name@example.org."),
            ("loans.default_store", "  ", "Something needed was left empty."),
            ("loans.default_store", "Main dsek", "There is no such store."),
            ("sync.horizon_days", "0", "A whole number of days from 1 to 1400."),
            ("sync.horizon_days", "soon", "A whole number of days from 1 to 1400."),
            ("rooms.ignored_tags", "a\x00b", "A text is too long."),
        ],
    )
    def test_refuses_what_the_file_would_be_refused_for(
        self, house: House, admin: TestClient, key: str, value: str, said: str
    ) -> None:
        answer = admin.post(f"/settings/{key}", data={"value": value}, headers={"HX-Request": "true"})

        assert answer.status_code == 422
        assert said in answer.text
        assert key not in house.office.overrides.load_overrides()

    def test_counts_at_once(self, house: House, admin: TestClient) -> None:
        """Without a restart, and without waiting until the rules are read again by themselves."""
        assert house.office.rules.sync().mode == "two_way"

        answer = admin.post("/settings/sync.mode", data={"value": "read_only"})
        admin.post("/settings/rooms.ignored_tags", data={"value": "lab,  private"})
        admin.post("/settings/sync.horizon_days", data={"value": "500"})

        assert answer.headers["Location"] == "/settings?done=sync.mode#mode"
        assert house.office.rules.sync().mode == "read_only"
        assert house.office.rules.ignored_tags == {"lab", "private"}
        assert house.office.rules.horizon.days == 500

    def test_can_be_taken_back(self, house: House, admin: TestClient) -> None:
        admin.post("/settings/sync.mode", data={"value": "shadow"})

        admin.post("/settings/sync.mode/reset")

        assert house.office.rules.sync().mode == "two_way"
        page = admin.get("/settings").text
        assert "Direction: Neither: only tell what would be done → as in the file" in page
        assert "/settings/sync.mode/reset" not in page

    def test_an_unknown_setting_is_refused(self, admin: TestClient) -> None:
        assert admin.post("/settings/web.port", data={"value": "1"}).status_code == 404

    def test_wakes_what_the_former_value_held_back(self, house: House, admin: TestClient) -> None:
        """A mode that writes looks again at bookings with an open case, and every room."""
        office = house.office
        office.ledger.open_case("loan:12", Note("write_withheld", {"would": "x"}, actor="engine"))
        for claim in office.queue.claim(100):
            office.queue.done(claim)

        admin.post("/settings/sync.mode", data={"value": "read_only"})

        waiting = {(key.kind, key.key) for key in office.queue.waiting(100)}
        assert {("loan", "12"), ("places", "all"), ("room", str(house.room("Fern")))} <= waiting


class TestTheDefaultStore:
    def test_is_one_that_is_there_in_whatever_case(self, house: House, admin: TestClient) -> None:
        admin.post("/settings/loans.default_store", data={"value": " MAIN desk "})
        assert house.office.rules.default_store == "Main desk"

        house.office.inventory.add_store("Annex", actor=WHO)
        admin.post("/settings/loans.default_store", data={"value": "Annex"})
        assert house.office.rules.default_store == "Annex"

    def test_of_the_file_that_nothing_is_called_is_told(self, tmp_path: Path) -> None:
        """It used to be told by nothing but a second store, once there was a new room."""
        with open_house(tmp_path, loans=LoansSettings(default_store="Main dsek")) as house:
            page = house.signed_in("admin").get("/settings").text
            status = house.office.read_status()

        assert "Did you mean Main desk?" in page
        assert status["unknown_names"] == ["loans.default_store: there is no 'Main dsek'; did you mean Main desk?"]

    def test_keeps_being_the_default_under_another_name(self, house: House, admin: TestClient) -> None:
        """The next new room used to make a second store of the former name."""
        admin.post("/stores", data={"name": "Annex"})
        admin.post("/stores/2", data={"name": "The annex"})
        assert house.office.rules.default_store == "Main desk"

        admin.post("/stores/1", data={"name": "Reception"})

        assert house.office.rules.default_store == "Reception"
        assert house.office.unknown_names() == []

    def test_may_be_called_anything_while_there_is_none(self, tmp_path: Path) -> None:
        settings = Settings(database=DatabaseSettings(url=put_database(tmp_path / "empty.db")))
        with Office(settings, now=lambda: NOW) as office:
            RunTimeSettings(office).set_value(SettingKey.DEFAULT_STORE, "Reception", actor=WHO)

            assert office.rules.default_store == "Reception"
            assert office.unknown_names() == ()


class TestTheDefaultUser:
    def test_must_have_a_mailbox(self, house: House) -> None:
        asked: list[str] = []

        def probe(address: str) -> MailboxAnswer:
            asked.append(address)
            return MailboxAnswer.THERE if address.startswith("desk@") else MailboxAnswer.MISSING

        desk = RunTimeSettings(house.office, probe)

        with pytest.raises(Invalid, match="no mailbox"):
            desk.set_value(SettingKey.DEFAULT_USER, "nobody@example.org", actor=WHO)
        assert house.office.rules.sync().default_user is None
        assert desk.set_value(SettingKey.DEFAULT_USER, " desk@example.org ", actor=WHO) is MailboxAnswer.THERE

        assert asked == ["nobody@example.org", "desk@example.org"]
        assert house.office.rules.sync().default_user == "desk@example.org"

    def test_may_be_none_without_asking(self, house: House) -> None:
        desk = RunTimeSettings(house.office, lambda address: pytest.fail(f"asked about {address!r}"))

        assert desk.set_value(SettingKey.DEFAULT_USER, "", actor=WHO) is MailboxAnswer.THERE

    def test_is_taken_on_trust_when_nobody_can_be_asked(self, admin: TestClient) -> None:
        """It is saved, and the reader is told that it was not checked."""
        answer = admin.post("/settings/loans.default_user", data={"value": "desk@example.org"})

        assert "unsure=1" in answer.headers["Location"]
        assert "Please check it yourself" in admin.get("/settings?done=loans.default_user&unsure=1").text
