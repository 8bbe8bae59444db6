"""`GraphCalendar` over the simulated tenant, held to what every room calendar must do."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from datetime import datetime
from typing import Any

import pytest

from engine.errors import CredentialsRevoked, OutcomeUnknown, ResyncRequired
from engine.graph.build import build_calendar
from engine.graph.credential import StaticTokenCredential
from engine.ids import Address, EventId
from engine.rooms.event import Mailbox
from engine.simulator import DEMO_TOKEN
from tests.contract.room_calendar_suite import RoomCalendarSuite
from tests.contract.tenant_transport import TenantTransport
from tests.simulator.virtual import SimulatedWorld


class TenantStage:
    """A simulated tenant on virtual time, called in-process under Graph's own address."""

    def __init__(self, token: str = DEMO_TOKEN, **options: Any) -> None:
        self.world = SimulatedWorld(**options)
        self.transport = TenantTransport(self.world.tenant)
        self.calendar = build_calendar(
            base_url="https://graph.microsoft.com/v1.0",
            credential=StaticTokenCredential(token),
            transport=self.transport,
            now=self.world.loop.now,
        )
        self.person = "alex@example.org"
        self.room = Mailbox(Address("aula@example.org"), "Aula")
        self.other_room = Mailbox(Address("studio@example.org"), "Studio")

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.world.run(coroutine)

    def settle(self) -> None:
        self.world.settle()

    def now(self) -> datetime:
        return self.world.loop.now()

    def close(self) -> None:
        self.run(self.calendar.aclose())
        self.world.close()


@pytest.fixture(params=[{}, {"empty_page_rate": 0.5}], ids=["plain", "empty pages"])
def stage(request: pytest.FixtureRequest) -> Iterator[TenantStage]:
    made = TenantStage(**request.param)
    yield made
    made.close()


class TestGraphCalendar(RoomCalendarSuite):
    """The whole suite, on a tenant that behaves and on one that likes empty pages."""

    def test_every_request_asks_for_immutable_ids(self, stage: TenantStage) -> None:
        """Ids kept from one request must fit the next (Graph docs: outlook-immutable-id)."""
        self.book(stage)
        self.read_round(stage, page_size=1)

        assert all('IdType="ImmutableId"' in request.headers["Prefer"] for request in stage.transport.sent)


def test_a_token_the_tenant_does_not_know() -> None:
    """The directory refuses us: an admin must act."""
    stage = TenantStage(token="wrong")

    with pytest.raises(CredentialsRevoked):
        stage.run(stage.calendar.fetch_event("aula@example.org", EventId("AAMk1=")))

    stage.close()


class TestGraphCalendarUnderFaults(RoomCalendarSuite):
    """One read in five answers "not now" once: nobody notices; and writes whose answers are lost."""

    @pytest.fixture
    def stage(self) -> Iterator[TenantStage]:
        made = TenantStage()
        for nth in range(2, 60, 5):
            made.world.tenant.faults.add(effect="error", method="GET", nth=nth, times=1)
        yield made
        made.close()

    @pytest.mark.parametrize("effect", ["error_after", "html_after", "drop_after", "error", "html", "drop"])
    def test_a_creation_whose_answer_was_lost_books_once(self, stage: TenantStage, effect: str) -> None:
        """The request is repeated under the same transaction id: one event, whatever was applied before."""
        stage.world.tenant.faults.add(effect=effect, method="POST", path="/events$", times=1)

        made = stage.run(stage.calendar.create_event(stage.person, self.draft(stage)))

        found = stage.run(stage.calendar.find_marked_event(stage.person, "1:g1"))
        assert found is not None
        assert found.event_id == made.event_id
        posts = [request for request in stage.transport.sent if request.method == "POST"]
        assert len(posts) == 2

    @pytest.mark.parametrize("effect", ["error_after", "html_after", "drop_after"])
    def test_a_deletion_whose_answer_was_lost_is_for_the_caller_to_look_into(
        self, stage: TenantStage, effect: str
    ) -> None:
        """Nothing is repeated blindly; the next look shows that it is gone."""
        copy = self.book(stage)
        stage.world.tenant.faults.add(effect=effect, method="DELETE", times=1)

        with pytest.raises(OutcomeUnknown):
            stage.run(stage.calendar.delete_event(stage.person, copy.event_id))

        assert stage.run(stage.calendar.fetch_event(stage.person, copy.event_id)) is None

    @pytest.mark.parametrize("effect", ["gone", "sync_state_not_found"])
    def test_a_token_that_ended_asks_for_a_new_round(self, stage: TenantStage, effect: str) -> None:
        """410, or any 40x that says so."""
        _, link = self.read_round(stage)
        stage.world.tenant.faults.add(effect=effect, status=400, times=1)

        with pytest.raises(ResyncRequired):
            stage.run(stage.calendar.fetch_changes(stage.room.address, link=link, window=None))
