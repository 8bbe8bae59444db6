"""Own loans of things in a person's own Outlook calendar: connected, followed, disconnected, and what may go wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from sqlalchemy import text

from engine.app.engine import Engine
from engine.app.own_calendars import OwnCalendars
from engine.database.calendars.sealing import Sealer
from engine.errors import CredentialsRevoked
from engine.graph.consent import App
from engine.interval import Interval
from engine.loans.loan import ItemKind, Loan
from engine.loans.register import ItemRef, LoanChange, LoanOrder
from engine.loans.status import LoanAction
from engine.prove.world.transport import TenantTransport
from engine.prove.world.world import World
from engine.reconcile.own_calendar import OwnCalendarState
from engine.web.pages.parts.own_calendars import Answer
from engine.web.provider import Journey
from engine.worker.own_calendars import OwnCalendarPass

KEY = "a random text that is long enough for a key"
BACK = "https://accord.example.org/account/outlook/back"
ME = "person-1@example.org"


class Desk:
    """A world whose people may connect their calendars, with one thing to lend."""

    def __init__(self) -> None:
        self.world = World(rooms=1, people=2, settings={"ENGINE_OWN_CALENDARS__KEY": KEY}).open()
        office, options = self.world.office, self.world.tenant.options
        office.rules.link_base = "https://accord.example.org"
        app = App("https://login.microsoftonline.com", options.tenant_id, options.client_id, options.client_secret)
        self.calendars = OwnCalendars(
            office,
            base_url="https://graph.microsoft.com/v1.0",
            app=app,
            redirect=lambda: BACK,
            loop=self.world.loop,
            make_transport=lambda: TenantTransport(self.world.tenant),
        )
        assert isinstance(self.world.engine, Engine)
        self.world.engine.own_calendar_pass = OwnCalendarPass(
            office.own_calendars,
            self.calendars.open_calendar,
            instance=office.instance,
            link_base=lambda: office.rules.link_base,
        )
        self.thing = office.desk.add_asset("Projector", store=None, description="", actor="app:t")

    def consent(self, who: str = ME, decision: str = "accept", address: str = ME) -> Answer:
        """Walk to the consent page, decide there, and come back."""
        url, journey = self.calendars.begin(address)
        answer = self.back(url, who, decision)
        return self.arrive(journey, answer, address)

    def back(self, url: str, who: str, decision: str) -> dict[str, str]:
        asked = dict(parse_qsl(urlsplit(url).query))
        form = urlencode({**asked, "who": who, "decision": decision}).encode()
        call = self.world.tenant.handle("POST", url.partition("?")[0], {}, form)
        location = self.world.run(call).headers["Location"]
        assert location.startswith(BACK)
        return {name: value[0] for name, value in parse_qs(urlsplit(location).query).items()}

    def arrive(self, journey: Journey, answer: dict[str, str], address: str = ME) -> Answer:
        if "code" not in answer:
            return self.calendars.finish(journey, answer, address)
        grant = self.world.run(self.calendars.redeem(answer["code"], journey))
        said = self.calendars.keep(grant, journey, address)
        self.world.settle()
        return said

    def borrow(self, person: int = 1, hour: float = 10, *, days: int = 1, **more: Any) -> Loan:
        start = self.world.at(hour, days=days)
        interval = Interval(start, self.world.at(hour + 1, days=days))
        order = LoanOrder(self.world.requester(person), interval, (ItemRef(ItemKind.ASSET, self.thing.id),), **more)
        loan = self.world.office.desk.book(order, actor="app:test")
        self.world.settle()
        return loan

    def change(self, loan: Loan, change: LoanChange) -> None:
        self.world.change(loan.number, change)
        self.world.settle()

    def entries(self, person: int = 1) -> list[dict[str, Any]]:
        return self.world.run(self.world.person(person).events())  # type: ignore[no-any-return]

    def state(self) -> OwnCalendarState | None:
        found = self.calendars.find(ME)
        return found.state if found is not None else None

    def writes(self) -> int:
        tenant = self.world.tenant
        return sum(count for (method, _, _), count in tenant.requests.items() if method in ("POST", "PATCH", "DELETE"))


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.world.close()


class TestConnected:
    def test_a_loan_of_things_appears_with_no_personal_data(self, desk: Desk) -> None:
        """R8, R15: number and link, whatever the loan says of itself, and nobody's time is taken."""
        assert desk.consent() is Answer.CONNECTED
        loan = desk.borrow(title="Birthday of Ada Lovelace", notes="Room for 12")

        (entry,) = desk.entries()
        assert entry["subject"] == f"#{loan.number}"
        assert f"https://accord.example.org/loans/{loan.number}" in entry["body"]["content"]
        assert not {"Ada", "Person 1", "Projector", "Birthday"} & set(entry["body"]["content"].split())
        assert entry["start"]["dateTime"].startswith(f"{loan.interval.start:%Y-%m-%dT%H:%M}")
        assert (entry["showAs"], entry["attendees"]) == ("free", [])

    def test_what_was_borrowed_before_appears_too(self, desk: Desk) -> None:
        loan = desk.borrow()
        assert desk.entries() == []
        desk.consent()
        assert [entry["subject"] for entry in desk.entries()] == [f"#{loan.number}"]

    def test_a_change_follows_and_a_cancellation_takes_it_away(self, desk: Desk) -> None:
        desk.consent()
        loan = desk.borrow()

        desk.change(loan, LoanChange(start=desk.world.at(14), end=desk.world.at(15)))
        assert [entry["start"]["dateTime"][11:16] for entry in desk.entries()] == ["14:00"]

        desk.world.act(desk.world.loan(loan.number), LoanAction.CANCEL)
        desk.world.settle()
        assert desk.entries() == []

    def test_a_room_joins_and_the_meeting_takes_its_place(self, desk: Desk) -> None:
        """Nobody gets a second entry: with a room the loan has its event anyway."""
        desk.consent()
        loan = desk.borrow()
        both = (ItemRef(ItemKind.ASSET, desk.thing.id), desk.world.item(1))

        desk.change(loan, LoanChange(items=both))

        (entry,) = desk.entries()
        assert [guest["type"] for guest in entry["attendees"]] == ["resource"]

    def test_another_requester_takes_it_along(self, desk: Desk) -> None:
        desk.consent()
        loan = desk.borrow()
        desk.change(loan, LoanChange(requester=desk.world.requester(2)))
        assert desk.entries() == []

    def test_rest_writes_nothing(self, desk: Desk) -> None:
        desk.consent()
        desk.borrow()
        before = desk.writes()
        desk.world.office.own_calendars.mark_all()
        desk.world.settle()
        assert desk.writes() == before

    def test_others_are_none_of_it(self, desk: Desk) -> None:
        desk.consent()
        desk.borrow(person=2)
        assert desk.entries(1) == desk.entries(2) == []

    def test_what_its_owner_deleted_stays_deleted(self, desk: Desk) -> None:
        desk.consent()
        loan = desk.borrow()
        desk.world.run(desk.world.person(1).delete(desk.entries()[0]["id"]))

        desk.change(loan, LoanChange(start=desk.world.at(14), end=desk.world.at(15)))

        assert desk.entries() == []
        assert desk.world.office.queue.depth().parked == 0

    def test_it_goes_on_for_days_with_tokens_that_are_renewed(self, desk: Desk) -> None:
        desk.consent()
        desk.world.wait(3 * 24 * 3600)
        loan = desk.borrow(days=9)
        assert [entry["subject"] for entry in desk.entries()] == [f"#{loan.number}"]


class TestDisconnected:
    def test_everything_of_ours_goes_and_nothing_else(self, desk: Desk) -> None:
        desk.consent()
        desk.borrow()
        desk.world.run(desk.world.person(1).book(desk.world.at(16), desk.world.at(17), rooms=(), subject="Dentist"))

        desk.calendars.disconnect(ME)
        assert desk.state() is OwnCalendarState.LEAVING
        desk.world.settle()

        assert [entry["subject"] for entry in desk.entries()] == ["Dentist"]
        assert desk.state() is None
        desk.borrow(hour=12)
        assert len(desk.entries()) == 1

    def test_is_not_stopped_by_a_permission_that_ended(self, desk: Desk) -> None:
        """What stands there cannot be taken away any more, and the token is forgotten all the same."""
        desk.consent()
        desk.borrow()
        desk.world.tenant.delegated.revoke(ME)
        desk.world.wait(4000)
        desk.calendars.disconnect(ME)
        desk.world.settle()
        assert desk.state() is None
        assert len(desk.entries()) == 1


class TestTrouble:
    def test_a_lost_answer_makes_no_second_entry(self, desk: Desk) -> None:
        desk.consent()
        desk.world.tenant.faults.add(effect="drop_after", method="POST", path="/events$", times=1)
        desk.borrow()
        desk.world.wait(120)
        assert len(desk.entries()) == 1

    def test_a_lost_answer_and_a_cancellation_leave_nothing_behind(self, desk: Desk) -> None:
        desk.consent()
        desk.world.tenant.faults.add(effect="drop_after", method="POST", path="/events$", times=3)
        loan = desk.borrow()
        desk.world.act(desk.world.loan(loan.number), LoanAction.CANCEL)
        desk.world.wait(600)
        assert desk.entries() == []

    def test_a_revoked_permission_is_its_owners_trouble_alone(self, desk: Desk) -> None:
        desk.consent()
        desk.world.tenant.delegated.revoke(ME)
        desk.world.wait(4000)
        desk.borrow()

        assert desk.state() is OwnCalendarState.BROKEN
        assert desk.world.office.queue.depth().parked == 0
        desk.world.book(1, 16, 17, 1)
        desk.world.settle()
        assert len(desk.entries()) == 1, "the rooms go on"

        assert desk.consent() is Answer.CONNECTED
        assert len(desk.entries()) == 2

    def test_another_key_opens_nothing_and_breaks_nothing(self, desk: Desk) -> None:
        desk.consent()
        desk.world.office.own_calendars._sealer = lambda: Sealer("another key that is just as long as it must be")
        desk.borrow()
        assert desk.state() is OwnCalendarState.BROKEN


class TestConsent:
    def test_a_refusal_connects_nothing(self, desk: Desk) -> None:
        assert desk.consent(decision="cancel") is Answer.DECLINED
        assert desk.state() is None

    def test_somebody_elses_calendar_is_not_mine(self, desk: Desk) -> None:
        assert desk.consent(who="person-2@example.org") is Answer.OTHER_ACCOUNT
        assert desk.state() is None

    def test_an_answer_to_another_question_is_strange(self, desk: Desk) -> None:
        """Nobody makes me connect their calendar by a link."""
        url, _ = desk.calendars.begin(ME)
        _, other = desk.calendars.begin(ME)
        assert desk.calendars.finish(other, desk.back(url, ME, "accept"), ME) is Answer.STRANGE

    def test_the_token_is_kept_sealed(self, desk: Desk) -> None:
        desk.consent()
        with desk.world.database.read() as transaction:
            sealed = transaction.connection.execute(text("SELECT sealed FROM own_calendar")).scalar_one()
        opened = Sealer(KEY).open(sealed)
        assert opened.startswith("1.")
        assert opened not in sealed
        assert Sealer(f"a new key that is as long as it has to be,{KEY}").open(sealed) == opened
        with pytest.raises(CredentialsRevoked):
            Sealer("another key that is just as long as it must be").open(sealed)
