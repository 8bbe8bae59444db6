"""Every door of the app, tried by every role; then what each may do with whose loans, and what private means."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from fastapi.routing import APIRoute

from engine.errors import NotFound
from engine.ids import Address, StoreId
from engine.loans.loan import Requester
from engine.loans.register import LoanChange
from engine.loans.status import LoanStatus
from engine.web.pages.app import ROUTERS
from engine.web.pages.page import AdminPage, AnyPage, BookerPage, StaffPage, UserPage, ViewerPage
from tests.web.conftest import TestClient
from tests.web.visitors import AMELIE, MATHIEU, MONDAY, House, open_house

ROLES = ("requester", "viewer", "staff", "admin")
EVERYBODY = frozenset(ROLES)
GATES = {
    UserPage: EVERYBODY,
    ViewerPage: EVERYBODY - {"requester"},
    BookerPage: EVERYBODY - {"viewer"},
    StaffPage: frozenset({"staff", "admin"}),
    AdminPage: frozenset({"admin"}),
}
OPEN = {
    ("GET", "/sign-in"),
    ("GET", "/sign-in/microsoft"),
    ("GET", "/sign-in/microsoft/back"),
    ("POST", "/sign-in/development"),
    ("POST", "/sign-out"),
    ("POST", "/preferences"),
}
"""What nobody needs to be signed in for."""

ONES_OWN = {
    "/account/sessions/{id}/end",
    "/account/sessions/end-others",
    "/calendars",
    "/calendars/mails",
    "/calendars/{number}/rotate",
    "/calendars/{number}/revoke",
    "/sign-out",
    "/preferences",
    "/sign-in/development",
}
"""What even a viewer changes: nothing but their own sessions, calendars and looks."""

NEVER_ENDS = {"/events"}
ENDS_THE_OTHERS = "/account/sessions/end-others"
"""It would sign the other roles out, who are one person here; test_doors.py tries it."""


def doors() -> Iterator[tuple[str, str, Any]]:
    for router in ROUTERS:
        for route in router.routes:
            assert isinstance(route, APIRoute)
            hints = get_type_hints(inspect.unwrap(route.endpoint), include_extras=True)
            for method in sorted(route.methods):
                yield method, route.path, hints.get("page")


DOORS = list(doors())
NAMES = [f"{method} {path}" for method, path, _ in DOORS]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house with one loan, whose doors are tried and not used."""
    with open_house(tmp_path_factory.mktemp("doors")) as found:
        found.book(MATHIEU)
        yield found


@pytest.fixture(scope="module")
def people(shared: House) -> dict[str, TestClient]:
    return {role: shared.signed_in(role, MATHIEU) for role in ROLES}


def sample(path: str) -> str:
    """Return an address with something in the place of each name in braces."""
    return "/".join("1" if part.startswith("{") else part for part in path.split("/"))


class TestEveryDoor:
    def test_there_are_some(self) -> None:
        assert len(DOORS) > 15

    @pytest.mark.parametrize(("method", "path", "gate"), DOORS, ids=NAMES)
    def test_has_a_gate(self, method: str, path: str, gate: Any) -> None:
        """A handler without one would be open to everybody."""
        assert gate in GATES or (gate == AnyPage and (method, path) in OPEN)

    @pytest.mark.parametrize(("method", "path", "gate"), DOORS, ids=NAMES)
    def test_is_shut_to_who_is_not_signed_in(self, shared: House, method: str, path: str, gate: Any) -> None:
        if (method, path) in OPEN:
            return
        answer = shared.visitor().request(method, sample(path))

        assert answer.status_code == 303
        assert answer.headers["Location"].startswith("/sign-in")

    @pytest.mark.parametrize("role", ROLES)
    @pytest.mark.parametrize(("method", "path", "gate"), DOORS, ids=NAMES)
    def test_opens_to_the_roles_it_is_for(
        self, people: dict[str, TestClient], method: str, path: str, gate: Any, role: str
    ) -> None:
        """403 for everybody else, whatever is sent."""
        if (method, path) in OPEN or path == ENDS_THE_OTHERS or (path in NEVER_ENDS and role in GATES[gate]):
            return
        if path == "/account/sessions/{id}/end":
            path = "/account/sessions/999/end"

        answer = people[role].request(method, sample(path))

        assert (answer.status_code == 403) == (role not in GATES[gate]), answer.text[:300]
        assert answer.status_code != 500

    @pytest.mark.parametrize(("method", "path", "gate"), DOORS, ids=NAMES)
    def test_changes_nothing_for_viewers(
        self, people: dict[str, TestClient], method: str, path: str, gate: Any
    ) -> None:
        """A viewer looks."""
        if method == "GET" or path in ONES_OWN:
            return
        assert people["viewer"].request(method, sample(path)).status_code == 403


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as found:
        yield found


def store_of(house: House) -> StoreId:
    return house.office.desk.list_stores()[0].id


def move(browser: TestClient, house: House, number: int, version: int) -> int:
    wish = {"day": f"{MONDAY:%Y-%m-%d}", "room": house.room("Fern"), "start": 720, "end": 780, "version": version}
    return int(browser.post(f"/board/loans/{number}/move", json=wish).status_code)


class TestWhoseLoan:
    @pytest.mark.parametrize(
        ("role", "person", "looks", "changes"),
        [
            ("requester", AMELIE, True, True),
            ("requester", MATHIEU, False, False),
            ("viewer", AMELIE, True, False),
            ("viewer", MATHIEU, True, False),
            ("staff", MATHIEU, True, True),
            ("admin", MATHIEU, True, True),
        ],
    )
    def test_a_loan_of_amelies(self, house: House, role: str, person: Requester, looks: bool, changes: bool) -> None:
        loan = house.book(AMELIE, title="Budget")
        browser = house.signed_in(role, person)

        assert (browser.get(f"/loans/{loan.number}").status_code == 200) == looks
        assert (move(browser, house, loan.number, loan.version) == 200) == changes
        assert (browser.post(f"/loans/{loan.number}/cancel").status_code == 303) == changes
        assert house.office.desk.find(loan.number).blocks != changes

    def test_a_requester_hands_nothing_over(self, house: House) -> None:
        loan = house.book(AMELIE)

        answer = house.signed_in("requester", AMELIE).post(f"/loans/{loan.number}/check-out")

        assert answer.status_code == 403

    def test_a_requester_learns_nothing_of_others(self, house: House) -> None:
        """The board tells what is taken, not by whom or what for."""
        house.book(AMELIE, title="Budget")
        browser = house.signed_in("requester", MATHIEU)

        for view in ("day", "week", "list"):
            page = browser.get(f"/board?view={view}&day={MONDAY:%Y-%m-%d}").text
            assert "Budget" not in page
            assert AMELIE.address not in page
        (entry,) = browser.get(f"/board/entries?view=day&day={MONDAY:%Y-%m-%d}").json()["entries"]
        assert entry.keys() <= {"n", "r", "s", "e", "v", "p", "st", "hm"}
        assert entry["n"] == 0


class TestWhoseStore:
    """A store that names its keepers is theirs; to other staff it is as to a viewer."""

    @pytest.fixture
    def kept(self, house: House) -> House:
        house.keepers.set_keepers(store_of(house), [AMELIE.address], actor="app:admin")
        return house

    @pytest.mark.parametrize(
        ("role", "person", "changes"),
        [("staff", AMELIE, True), ("staff", MATHIEU, False), ("admin", MATHIEU, True)],
    )
    def test_is_looked_after_by_its_keepers(self, kept: House, role: str, person: Requester, changes: bool) -> None:
        loan = kept.book(Requester(Address("zoe@example.org"), "Zoé"))
        browser = kept.signed_in(role, person)

        assert browser.get(f"/loans/{loan.number}").status_code == 200
        assert (move(browser, kept, loan.number, loan.version) == 200) == changes
        assert (browser.post(f"/loans/{loan.number}/check-out").status_code == 303) == changes
        assert (kept.office.desk.find(loan.number).status is LoanStatus.OUT) == changes

    def test_a_board_offers_nothing_to_move_there(self, kept: House) -> None:
        kept.book(Requester(Address("zoe@example.org"), "Zoé"))

        def moves(person: Requester) -> bool:
            browser = kept.signed_in("staff", person)
            (entry,) = browser.get(f"/board/entries?view=day&day={MONDAY:%Y-%m-%d}").json()["entries"]
            return bool(entry.get("m"))

        assert (moves(AMELIE), moves(MATHIEU)) == (True, False)

    def test_others_still_have_their_own_loans_there(self, kept: House) -> None:
        loan = kept.book(MATHIEU)

        assert kept.signed_in("staff", MATHIEU).post(f"/loans/{loan.number}/cancel").status_code == 303

    def test_with_no_keeper_it_is_everybodys_again(self, kept: House) -> None:
        loan = kept.book()
        kept.keepers.set_keepers(store_of(kept), [], actor="app:admin")

        assert kept.signed_in("staff", MATHIEU).post(f"/loans/{loan.number}/check-out").status_code == 303

    def test_a_keeper_is_known_whatever_the_case_of_their_address(self, house: House) -> None:
        address = Address(AMELIE.address.upper())
        house.keepers.set_keepers(store_of(house), [address, AMELIE.address], actor="app:admin")

        assert house.keepers.stores_of_others(AMELIE.address) == frozenset()
        assert len(house.keepers.load_keepers()[store_of(house)]) == 1

    def test_there_must_be_such_a_store(self, house: House) -> None:
        with pytest.raises(NotFound):
            house.keepers.set_keepers(StoreId(99), [AMELIE.address], actor="app:admin")


class TestPrivate:
    """What a private loan is about, and who it is for, is told to that person only."""

    SECRETS = ("Surprise", "with candles", AMELIE.address, AMELIE.name)

    @pytest.fixture
    def number(self, house: House) -> int:
        loan = house.book(AMELIE, title="Surprise", notes="with candles", private=True)
        later = loan.interval.end + timedelta(hours=1)
        house.office.desk.change(loan.number, LoanChange(end=later), actor=f"app:{AMELIE.address}")
        return loan.number

    @pytest.mark.parametrize("role", ["viewer", "staff", "admin"])
    def test_no_page_tells_others(self, house: House, number: int, role: str) -> None:
        browser = house.signed_in(role, MATHIEU)
        day = f"day={MONDAY:%Y-%m-%d}"

        for path in (
            f"/board?view=day&{day}",
            f"/board?view=week&{day}",
            f"/board?view=list&{day}",
            f"/board/entries?view=week&{day}",
            f"/loans/{number}",
        ):
            answer = browser.get(path)
            assert answer.status_code == 200
            told = answer.text.replace(f'value="{AMELIE.name}', "")
            assert [secret for secret in self.SECRETS if secret in told] == [], path

    def test_nor_does_any_page_there_is(self, house: House, number: int) -> None:
        """Found by enumeration, so that a page that is added is asked as well. `/people` knows everybody."""
        browser = house.signed_in("admin", MATHIEU)
        paths = [sample(path) for method, path, _ in DOORS if method == "GET" and path not in {*NEVER_ENDS, "/people"}]

        for path in paths:
            told = browser.get(path).text
            assert "Surprise" not in told, path
            assert "with candles" not in told, path
            assert f"{AMELIE.address}<" not in told, path

    def test_its_own_person_is_told(self, house: House, number: int) -> None:
        browser = house.signed_in("requester", AMELIE)

        page = browser.get(f"/loans/{number}").text

        assert all(secret in page for secret in self.SECRETS)

    @pytest.mark.parametrize("role", ["viewer", "staff", "admin"])
    @pytest.mark.parametrize(
        "path", ["/api/loans", "/api/loans/{number}", "/api/loans/{number}/history", "/api/cases", "/api/availability"]
    )
    def test_no_token_is_told(self, house: House, number: int, role: str, path: str) -> None:
        token = house.office.tokens.create(f"a-{role}", role)
        stretch = {"start": "2026-11-23T00:00:00Z", "end": "2026-11-24T00:00:00Z"} if "avail" in path else {}

        answer = house.visitor(Authorization=f"Bearer {token}").get(path.format(number=number), params=stretch)

        assert answer.status_code == 200
        assert [secret for secret in self.SECRETS if secret in answer.text] == []

    def test_tokens_learn_that_it_is_private(self, house: House, number: int) -> None:
        token = house.office.tokens.create("sign", "viewer")

        loan = house.visitor(Authorization=f"Bearer {token}").get(f"/api/loans/{number}").json()

        assert (loan["private"], loan["requester"], loan["title"], loan["notes"]) == (True, None, "", "")


@pytest.mark.parametrize("path", ["/rooms/abc", "/rooms/99999999999", "/loans/0", "/series/x", "/assets/-1"])
def test_an_address_that_can_name_nothing_is_not_found(tmp_path: Path, path: str) -> None:
    """Not a form with something missing in it."""
    with open_house(tmp_path) as house:
        answer = house.signed_in("staff").get(path)

    assert answer.status_code == 404
    assert "There is nothing here" in answer.text
