"""The page of a loan: both sides' times, the room's answer, what Outlook's side is, and whose business that is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from engine.database.loans.own import OwnLoans
from engine.database.reports.board import Board
from engine.database.sync.sides import Sides
from engine.ids import Address, LoanNumber
from engine.interval import Interval
from engine.loans.loan import ItemKind, Requester
from engine.loans.register import ItemRef, LoanChange, LoanFilter, LoanOrder
from engine.loans.sides import OutlookSide, RoomSide, Standing, one_per_room, standing_of
from engine.loans.status import ItemState, LoanAction
from engine.prove.people.people import parse_instant
from engine.prove.world.world import World
from engine.reconcile.cases.ways import Way
from engine.web.pages.loans.loan import _organizer_link
from tests.web.case_scene import open_declined
from tests.web.visitors import AMELIE, MATHIEU, NOW, ORIGIN, ZONE, House, open_house

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 23, tzinfo=UTC)
MORNING = Interval(NINE, NINE + timedelta(hours=1))


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made = World(rooms=2)
    made.open()
    yield made
    made.close()


def test_rooms_answer_and_things_do_not(tmp_path: Path) -> None:
    """Each leads to its page, but for requesters, whom these are not for."""
    with open_house(tmp_path) as house:
        kettle = house.office.desk.add_asset("Kettle", store=None, description="", actor="app:test")
        items = (ItemRef(ItemKind.ROOM, house.room("Fern")), ItemRef(ItemKind.ASSET, kettle.id))
        house.office.desk.book(LoanOrder(AMELIE, MORNING, items), actor="app:test")
        with house.office.database.write() as transaction:
            transaction.connection.exec_driver_sql("UPDATE loan_item SET state = 'accepted'")

        staff, requester = (house.signed_in(role).get("/loans/1").text for role in ("staff", "requester"))

        assert staff.count(">Accepted<") == 1
        assert f'<a href="/rooms/{items[0].id}"><b>Fern</b></a>' in staff
        assert f'<a href="/assets/{kettle.id}"><b>Kettle</b></a></li>' in staff
        assert "/assets/" not in requester


class TestOutlooksSide:
    """As the engine reads it."""

    def side(self, world: World, number: int) -> OutlookSide | None:
        return Sides(world.office.database).outlook_side(LoanNumber(number))

    def test_of_a_loan_booked_here(self, world: World) -> None:
        """Nothing at first; then the meeting in the requester's calendar, and the room's copy of it."""
        loan = world.book(1, 9, 10, 1)
        assert self.side(world, loan.number) is None

        world.settle()

        side = self.side(world, loan.number)
        assert side is not None
        assert side.standing is Standing.LINKED
        assert side.organizer == loan.requester.address
        assert side.written_at is not None
        assert [(room.name, room.interval, room.live) for room in side.rooms] == [
            (loan.items[0].name, loan.interval, True)
        ]
        assert not side.differs_from(loan.interval)

    def test_differs_while_a_change_is_on_its_way(self, world: World) -> None:
        loan = world.book(1, 11, 12, 1)
        world.settle()

        moved = world.change(loan.number, LoanChange(end=loan.interval.end + timedelta(hours=1)))

        side = self.side(world, loan.number)
        assert side is not None
        assert side.differs_from(moved.interval)
        world.settle()
        side = self.side(world, loan.number)
        assert side is not None
        assert not side.differs_from(moved.interval)

    def test_ends_with_the_loan(self, world: World) -> None:
        loan = world.book(1, 14, 15, 2)
        world.settle()
        world.act_on(loan.number, LoanAction.CANCEL)
        world.settle()

        side = self.side(world, loan.number)

        assert side is not None
        assert side.standing is Standing.ENDED
        assert side.rooms == ()

    def test_ends_with_its_event(self, world: World) -> None:
        loan = world.book(1, 16, 17, 2)
        world.settle()
        (event,) = [each for each in world.all_events() if each["subject"].startswith(f"#{loan.number} ")]
        world.run(world.person(1).cancel(event["id"]))
        world.settle()

        side = self.side(world, loan.number)

        assert side is not None
        assert side.standing is Standing.ENDED
        assert not any(room.live for room in side.rooms)

    def test_ends_with_a_meeting_that_its_organizer_cancels(self, world: World) -> None:
        """It was said to go its own way: nothing of it is left in Outlook."""
        number = loan_of_meeting(world, 18)
        (event,) = events_at(world, 18)
        world.run(world.person(2).cancel(event["id"]))
        world.settle()

        side = self.side(world, number)

        assert side is not None
        assert side.standing is Standing.ENDED
        assert not any(room.live for room in side.rooms)

    def test_goes_its_own_way_where_the_meeting_goes_on_without_our_rooms(self, world: World) -> None:
        number = loan_of_meeting(world, 20)
        (event,) = events_at(world, 20)
        world.run(world.person(2).change(event["id"], attendees=[]))
        world.settle()

        side = self.side(world, number)

        assert side is not None
        assert side.standing is Standing.LEFT


def events_at(world: World, hour: int) -> list[dict[str, Any]]:
    return [each for each in world.run(world.person(2).events()) if parse_instant(each["start"]) == world.at(hour)]


def loan_of_meeting(world: World, hour: int) -> LoanNumber:
    """Let person 2 meet at *hour*, and return the loan that comes of it."""
    world.meet(2, hour, hour + 1, 1)
    world.settle()
    return next(loan.number for loan in world.live_loans if loan.interval.start == world.at(hour))


class TestStanding:
    @pytest.mark.parametrize(
        ("state", "is_writing", "standing"),
        [
            ("pending", True, Standing.UNWRITTEN),
            ("pending", False, Standing.UNWRITTEN),
            ("linked", True, Standing.UNWRITTEN),
            ("linked", False, Standing.LINKED),
            ("ended", False, Standing.ENDED),
            ("left", True, Standing.LEFT),
        ],
    )
    def test_follows_the_link(self, state: str, is_writing: bool, standing: Standing) -> None:
        assert standing_of(state, is_writing=is_writing) is standing

    @pytest.mark.parametrize(
        ("state", "is_writing", "standing"),
        [
            ("pending", False, Standing.REFUSED),
            ("pending", True, Standing.UNWRITTEN),
            ("linked", False, Standing.LINKED),
        ],
    )
    def test_of_what_outlook_refused(self, state: str, is_writing: bool, standing: Standing) -> None:
        """While it is tried again it is under way; a meeting that is there goes on although a change was refused."""
        assert standing_of(state, is_writing=is_writing, is_refused=True) is standing

    def test_a_room_that_has_it_twice_shows_what_is_live(self) -> None:
        old, new = RoomSide("Fern", MORNING, False), RoomSide("Fern", MORNING, True)

        assert one_per_room([old, new]) == (new,)

    @pytest.mark.parametrize("link", [None, "", "javascript:alert(1)", "http://outlook.example/x"])
    def test_only_https_is_followed(self, link: str | None) -> None:
        assert _organizer_link(OutlookSide(Standing.LINKED, None, link, None)) == ""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as found:
        yield found


def write_link(
    house: House, number: int, state: str = "linked", ical_uid: str = "uid-1", *, refused: bool = False
) -> None:
    """Let a loan have a meeting, as the engine would have written it."""
    with house.office.database.write() as transaction:
        transaction.connection.exec_driver_sql(
            "INSERT INTO link (loan_number, generation, state, ical_uid, organizer_mailbox, web_link, base, refused)"
            f" VALUES ({number}, 1, '{state}', '{ical_uid}', '{AMELIE.address}', 'https://outlook.example/x', '{{}}',"
            f" {refused})"
        )


class TestThePage:
    def test_tells_both_sides(self, house: House) -> None:
        loan = house.book(title="Budget")
        write_link(house, loan.number)

        page = house.signed_in("staff", MATHIEU).get(f"/loans/{loan.number}").text

        assert "In Outlook" in page
        assert "Linked" in page
        assert "Mon 23 Nov 2026, 10:00 – 11:00" in page

    def test_leads_to_the_calendar_that_the_simulation_plays(self, house: House) -> None:
        loan = house.book(title="Budget")
        staff = house.signed_in("staff", MATHIEU)
        assert "/outlook?who=" not in staff.get(f"/loans/{loan.number}").text

        write_link(house, loan.number)

        where = f"/outlook?who={quote(AMELIE.address)}&amp;day=2026-11-23"
        assert where in staff.get(f"/loans/{loan.number}").text

    @pytest.mark.parametrize(
        ("came_from", "leads_to", "named"),
        [
            ("/loans?q=caf%C3%A9&status=out", "/loans?q=caf%C3%A9&amp;status=out", "Bookings"),
            ("/board?view=week&day=2026-11-02", "/board?view=week&amp;day=2026-11-02", "Board"),
            ("/mine", "/mine", "My bookings"),
            ("/loans/1/change", "/board?day=2026-11-23", "Board"),
            ("/settings", "/board?day=2026-11-23", "Board"),
        ],
    )
    def test_leads_back_to_the_list_it_was_found_in(
        self, house: House, came_from: str, leads_to: str, named: str
    ) -> None:
        loan = house.book()
        page = house.signed_in("staff")

        shown = page.get(f"/loans/{loan.number}", headers={"Referer": f"{ORIGIN}{came_from}"}).text
        foreign = page.get(f"/loans/{loan.number}", headers={"Referer": f"https://evil.example{came_from}"}).text

        assert re.search(rf'class="back" href="{re.escape(leads_to)}">.*{named}</a>', shown)
        assert 'class="back" href="/board?day=2026-11-23"' in foreign

    def test_names_what_waits_to_be_settled(self, house: House) -> None:
        """To those who may look at cases; settled, it waits no more; another loan's is not named."""
        loan, other = house.book(), house.book(hour=14)
        number = open_declined(house.office, loan, house.room("Fern"))
        staff = house.signed_in("staff", MATHIEU)
        link = f'<a href="/cases/{number}">The room declined</a>'

        assert link in staff.get(f"/loans/{loan.number}").text
        assert link not in staff.get(f"/loans/{other.number}").text
        assert link not in house.signed_in("requester", AMELIE).get(f"/loans/{loan.number}").text

        house.office.cases.settle(number, Way.IGNORE, room_id=None, actor="app:test")

        assert link not in staff.get(f"/loans/{loan.number}").text

    def test_of_a_private_loan_tells_others_no_calendar(self, house: House) -> None:
        loan = house.book(AMELIE, private=True)
        write_link(house, loan.number)

        other = house.signed_in("admin", MATHIEU).get(f"/loans/{loan.number}").text
        own = house.signed_in("requester", AMELIE).get(f"/loans/{loan.number}").text

        assert AMELIE.address not in other
        assert AMELIE.address in own

    @pytest.mark.parametrize(
        ("role", "person", "buttons"),
        [
            ("requester", AMELIE, {"cancel"}),
            ("viewer", MATHIEU, set()),
            ("staff", MATHIEU, {"check-out", "refuse", "cancel"}),
            ("admin", MATHIEU, {"check-out", "refuse", "cancel"}),
        ],
    )
    def test_offers_what_may_be_done(self, house: House, role: str, person: Requester, buttons: set[str]) -> None:
        loan = house.book(AMELIE)

        page = house.signed_in(role, person).get(f"/loans/{loan.number}").text

        offered = {action.value for action in LoanAction if f'action="/loans/{loan.number}/{action}"' in page}
        assert offered == buttons

    def test_tells_why_in_words_and_in_french(self, house: House) -> None:
        loan = house.book(Requester(Address("zoe@example.org"), "Zoé"))
        house.office.desk.act(loan.number, LoanAction.CHECK_OUT, actor="app:x", reason="Badge 12")

        page = house.signed_in("staff", **{"Accept-Language": "fr"}).get(f"/loans/{loan.number}").text

        assert "Réservé dans l" in page
        assert "Badge 12" in page

    def test_of_a_refused_loan_says_that_nobody_waits_for_its_room(self, house: House) -> None:
        loan = house.book(AMELIE)
        staff = house.signed_in("staff", MATHIEU)
        assert "Waiting for the room" in staff.get(f"/loans/{loan.number}").text

        house.office.desk.act(loan.number, LoanAction.REFUSE, actor="app:x")

        page = staff.get(f"/loans/{loan.number}").text
        french = house.signed_in("staff", **{"Accept-Language": "fr"}).get(f"/loans/{loan.number}").text
        assert "Waiting for" not in page
        assert "No longer asked" in page
        assert "est plus demandé" in french

    def test_of_a_loan_that_outlook_refused_says_that_its_room_was_not_asked(self, house: House) -> None:
        """Until it is written after all: the loan goes on."""
        loan = house.book(AMELIE)
        write_link(house, loan.number, state="pending", refused=True)

        page = house.signed_in("staff", MATHIEU).get(f"/loans/{loan.number}").text

        assert "Waiting for" not in page
        assert "Not asked" in page

    def test_of_such_a_loan_everybody_says_so(self, house: House) -> None:
        """Page, board, one's own bookings, and what the API and webhooks render."""
        refused, other = house.book(AMELIE), house.book(AMELIE, hour=14)
        for loan in (refused, other):
            write_link(house, loan.number, "pending", f"uid-{loan.number}", refused=loan is refused)
        database, day = house.office.database, Interval(MIDNIGHT, MIDNIGHT + timedelta(days=1))

        desk = [house.office.desk.find(refused.number), *house.office.desk.list_loans(LoanFilter())]
        own = OwnLoans(database).to_come(AMELIE.address, now=NOW, limit=9)

        told = [(loan.number, *loan.told_states) for loan in (*desk, *own)]
        expected = [(refused.number, ItemState.NOT_ASKED), (other.number, ItemState.REQUESTED)]
        assert told == [expected[0], *expected, *expected]
        assert sorted((entry.number, entry.state) for entry in Board(database).entries(day)) == expected
        assert house.signed_in("requester", AMELIE).get("/mine").text.count("Not asked") == 1

    def test_tells_what_the_desk_changed_by_the_clock_of_the_building(self, house: House) -> None:
        """History and loan show the same hours: the sentence keeps UTC, the page does not show it."""
        loan = house.book(Requester(Address("zoe@example.org"), "Zoé"))
        later = LoanChange(start=loan.interval.start + timedelta(days=1), end=loan.interval.end + timedelta(days=1))
        house.office.desk.change(loan.number, later, actor="app:x")

        page = house.signed_in("staff", **{"Accept-Language": "fr"}).get(f"/loans/{loan.number}").text

        change = page.split("Modifié dans l", 1)[1].split("</span>", 1)[0]
        hour = loan.interval.start.astimezone(ZONE)
        assert "début\u00a0: " in change
        assert change.count(f"{hour:%H:%M}") == 2
        assert "UTC" not in change
