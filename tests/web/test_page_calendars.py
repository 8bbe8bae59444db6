"""The page on which people make the calendars they subscribe to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.calendars.mailing import MailLevel, MailPreference
from engine.settings import MailSettings
from tests.web.conftest import TestClient
from tests.web.visitors import AMELIE, MATHIEU, House, open_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as found:
        yield found


def address_in(text: str) -> str:
    """Return the path of the one address that a page shows."""
    (found,) = re.findall(r'value="http://127\.0\.0\.1:8420(/feeds/[^"]+)"', text)
    return str(found)


def make(client: TestClient, kind: str = "person", of: int | None = None) -> str:
    answer = client.post("/calendars", data={"kind": kind, **({"of": str(of)} if of is not None else {})})
    assert answer.status_code == 200, answer.text
    return address_in(answer.text)


class TestMyCalendars:
    def test_one_is_made_and_its_address_is_shown_once(self, house: House) -> None:
        number = house.book(AMELIE).number
        house.book(MATHIEU, hour=14)
        amelie = house.signed_in("requester", AMELIE)

        path = make(amelie)

        text = house.visitor().get(path).text
        assert re.findall(r"SUMMARY:#(\d+)", text) == [str(number)]
        page = amelie.get("/calendars").text
        assert AMELIE.name in page
        assert path not in page
        assert 'href="/calendars"' in amelie.get("/mine").text

    def test_gets_another_address_and_ends(self, house: House) -> None:
        amelie = house.signed_in("requester", AMELIE)
        old = make(amelie)

        new = address_in(amelie.post("/calendars/1/rotate").text)
        assert house.visitor().get(old).status_code == 404
        assert house.visitor().get(new).status_code == 200

        assert amelie.post("/calendars/1/revoke").status_code == 303
        assert house.visitor().get(new).status_code == 410
        assert "New address" not in amelie.get("/calendars").text

    def test_speak_the_language_they_were_made_in(self, house: House) -> None:
        french = house.signed_in("viewer", AMELIE, **{"Accept-Language": "fr"})

        assert "X-WR-CALNAME:Prêts : Main desk" in house.visitor().get(make(french, "store", 1)).text
        assert "Mes agendas" in french.get("/calendars").text

    def test_of_others_are_out_of_reach(self, house: House) -> None:
        make(house.signed_in("requester", AMELIE))
        mathieu = house.signed_in("staff", MATHIEU)

        assert mathieu.post("/calendars/1/rotate").status_code == 404
        assert mathieu.post("/calendars/1/revoke").status_code == 404
        assert mathieu.get("/calendars/all").status_code == 403

    def test_of_rooms_and_stores_are_for_those_who_see_them(self, house: House) -> None:
        requester = house.signed_in("requester", AMELIE)
        viewer = house.signed_in("viewer", MATHIEU)

        for kind in ("room", "store"):
            assert requester.post("/calendars", data={"kind": kind, "of": "1"}).status_code == 403
        assert "Make the calendar of the room" not in requester.get("/calendars").text
        assert make(viewer, "room", house.room("Moss"))
        fern = house.room("Fern")
        assert f'href="/calendars?room={fern}"' in viewer.get(f"/rooms/{fern}").text
        assert f'value="{fern}" selected' in viewer.get(f"/calendars?room={fern}").text
        assert 'href="/calendars?store=1"' in viewer.get("/stores/1").text

    def test_that_cannot_be_is_told(self, house: House) -> None:
        viewer = house.signed_in("viewer", MATHIEU)

        assert viewer.post("/calendars", data={"kind": "room", "of": "99"}).status_code == 404
        assert viewer.post("/calendars", data={"kind": "room"}).status_code == 422


def test_administrators_end_anybodys(house: House) -> None:
    path = make(house.signed_in("requester", AMELIE))
    admin = house.signed_in("admin", MATHIEU)
    assert AMELIE.address in admin.get("/calendars/all").text

    assert admin.post("/calendars/1/revoke").status_code == 303

    assert house.visitor().get(path).status_code == 410
    assert "No calendar yet" in admin.get("/calendars/all").text


class TestMails:
    def test_are_chosen_in_the_readers_language(self, tmp_path: Path) -> None:
        with open_house(tmp_path, mail=MailSettings(host="mail.example.org", sender="desk@example.org")) as house:
            french = house.signed_in("requester", AMELIE, **{"Accept-Language": "fr"})
            assert '<option value="all" selected>' in french.get("/calendars").text

            answer = french.post("/calendars/mails", data={"level": "others"})

            assert '<option value="others" selected>' in french.get(answer.headers["Location"]).text
            assert house.office.mails.preference_of(AMELIE.address) == MailPreference(MailLevel.OTHERS, "fr")
            assert french.post("/calendars/mails", data={"level": "some"}).status_code == 422

    def test_are_not_spoken_of_where_none_are_sent(self, house: House) -> None:
        amelie = house.signed_in("requester", AMELIE)

        assert "/calendars/mails" not in amelie.get("/calendars").text
        assert amelie.post("/calendars/mails", data={"level": "all"}).status_code == 404
