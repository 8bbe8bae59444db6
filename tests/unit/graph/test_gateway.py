"""One call: what goes out, what is repeated, how many at once, where links may lead."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from engine.errors import (
    CredentialsRevoked,
    Malformed,
    OutcomeUnknown,
    Paused,
    ResyncRequired,
    Throttled,
    Unreachable,
)
from engine.graph.gateway import Call
from engine.graph.transport import Response
from engine.interval import Interval
from engine.rooms.calendar import EventPatch
from tests.unit.graph.scripted import (
    BASE_URL,
    NINE,
    PERSON,
    ROOM,
    TEN,
    Desk,
    MakeDesk,
    answer,
    draft,
    event,
    failure,
)

WINDOW = Interval(NINE, TEN)


def page(*items: Any, **links: str) -> Response:
    return answer(200, {"value": list(items), **{f"@odata.{name}": link for name, link in links.items()}})


def read(desk: Desk) -> Any:
    return desk.run(desk.calendar.fetch_event(ROOM, "AAMk1="))


def change(desk: Desk, copy: Any, **fields: Any) -> Any:
    return desk.run(desk.calendar.change_event(PERSON, copy, EventPatch(**fields)))


class TestWhatEveryRequestCarries:
    def test_immutable_ids_and_utc_in_one_header(self, desk: Desk) -> None:
        """No link, page or subscription remembers a preference, so each request repeats them, joined in one header."""
        link = f"{BASE_URL}/users/x/calendarView/delta()?$skiptoken=2"
        desk.answers(page(deltaLink=link), page(deltaLink=link), answer(200, event()))

        desk.run(desk.calendar.fetch_changes(ROOM, link=None, window=WINDOW, page_size=50))
        desk.run(desk.calendar.fetch_changes(ROOM, link=link, window=None, page_size=50))
        read(desk)

        usual = 'IdType="ImmutableId", outlook.timezone="UTC"'
        paged = f"{usual}, odata.maxpagesize=50"
        assert [request.headers["Prefer"] for request in desk.service.sent] == [paged, paged, usual]

    def test_the_token(self, desk: Desk) -> None:
        """Every request is ours by its token."""
        desk.answers(answer(200, event()))

        read(desk)

        assert desk.service.sent[0].headers["Authorization"] == "Bearer token-1"


class TestLinks:
    @pytest.mark.parametrize(
        "link",
        [
            "https://evil.example/v1.0/users",
            "http://graph.microsoft.com/v1.0/users",
            "https://graph.microsoft.com:8443/v1.0/users",
            "https://graph.microsoft.com@evil.example/users",
            "https://graph.microsoft.com.evil.example/users",
            "https://graph.microsoft.com\\@evil.example/",
            "//evil.example/users",
            "/v1.0/users",
            "",
            "https://graph.microsoft.com/v1.0/users\r\nX: y",
        ],
    )
    def test_one_that_leaves_the_origin_is_refused(self, desk: Desk, link: str) -> None:
        """A link is followed with our token, so it may not lead anywhere else: neither one received nor one kept.

        One that is kept was given before Graph had another address (the simulated one another port, say): the window is
        read anew. Every room was given up for it.
        """
        desk.answers(page(nextLink=link), answer(200, {"value": []}))

        with pytest.raises(Malformed):
            desk.run(desk.calendar.fetch_changes(ROOM, link=None, window=WINDOW))
        with pytest.raises(ResyncRequired):
            desk.run(desk.calendar.fetch_changes(ROOM, link=link, window=None))

        assert len(desk.service.sent) == 1

    @pytest.mark.parametrize("origin", ["https://graph.microsoft.com", "https://GRAPH.microsoft.com:443"])
    def test_one_that_stays_is_sent_as_it_came(self, desk: Desk, origin: str) -> None:
        """Tokens are opaque: not a character of the link is changed."""
        link = f"{origin}/v1.0/users/x/calendarView/delta()?$deltatoken=a%2Bb%2F=="
        desk.answers(page(deltaLink=link))

        found = desk.run(desk.calendar.fetch_changes(ROOM, link=link, window=None))

        assert desk.service.sent[0].url == found.delta_link == link


class TestPages:
    def test_an_empty_page_with_a_link_is_not_the_end(self, desk: Desk) -> None:
        """Pages may be empty in the middle (Graph docs: paging)."""
        room = {"emailAddress": ROOM, "displayName": "Aula"}
        desk.answers(page(room, nextLink=f"{BASE_URL}/p2"), page(nextLink=f"{BASE_URL}/p3"), page(room))

        async def sizes() -> list[int]:
            return [len(places) async for places in desk.calendar.fetch_places()]

        assert desk.run(sizes()) == [1, 0, 1]

    def test_a_link_to_itself_ends_in_an_error(self, desk: Desk) -> None:
        """A chain that goes in a circle would never end."""
        desk.answers(page(nextLink=f"{BASE_URL}/p2"))

        async def drain() -> None:
            async for _ in desk.calendar.fetch_places():
                pass

        with pytest.raises(Malformed):
            desk.run(drain())

    def test_a_page_of_changes_must_say_how_to_go_on(self, desk: Desk) -> None:
        """Without a link the round can be neither continued nor finished."""
        desk.answers(page(event()))

        with pytest.raises(Malformed):
            desk.run(desk.calendar.fetch_changes(ROOM, link=None, window=WINDOW))


class TestRepeatingReads:
    @pytest.mark.parametrize(
        "trouble",
        [
            failure(503, "serviceNotAvailable"),
            failure(429, "TooManyRequests", retry_after="0.5"),
            Unreachable("no connection"),
            OutcomeUnknown("no answer"),
            Response(200, {"content-type": "text/html"}, b"<html>sign in</html>"),
            Response(200, {}, b'{"id": "AAM'),
        ],
    )
    def test_trouble_that_passes_is_not_noticed(self, desk: Desk, trouble: Any) -> None:
        """Quick trouble is tried again within the call."""
        desk.answers(trouble, answer(200, event()))

        assert read(desk).event_id == "AAMk1="
        assert desk.elapsed <= 2.0
        assert desk.calendar.meter.repeated == 1

    def test_three_tries_and_no_more(self, desk: Desk) -> None:
        """Then the queue decides when to look again."""
        desk.answers(failure(503, "serviceNotAvailable"))

        with pytest.raises(Unreachable):
            read(desk)

        assert len(desk.service.sent) == 3
        assert desk.elapsed == pytest.approx(0.75)

    @pytest.mark.parametrize(("asked", "tries"), [("1", 3), ("1.5", 2), ("2.128", 1), ("300", 1)])
    def test_waits_inside_a_call_stay_below_two_seconds(self, desk: Desk, asked: str, tries: int) -> None:
        """A longer wait surfaces at once, so that no worker sleeps with a slot in its hand."""
        desk.answers(failure(429, "TooManyRequests", retry_after=asked))

        with pytest.raises(Throttled) as caught:
            read(desk)

        assert caught.value.retry_after == float(asked)
        assert len(desk.service.sent) == tries
        assert desk.elapsed <= 2.0

    def test_throttled_without_a_wait_surfaces(self, desk: Desk) -> None:
        """Nobody said when it will be over: the queue's back-off is the better judge."""
        desk.answers(failure(429, "ApplicationThrottled"))

        with pytest.raises(Throttled) as caught:
            read(desk)

        assert (caught.value.retry_after, len(desk.service.sent)) == (None, 1)

    def test_a_lost_answer_to_a_read_is_merely_unreachable(self, desk: Desk) -> None:
        """A read changes nothing, so nothing about it is unknown."""
        desk.answers(OutcomeUnknown("no answer"))

        with pytest.raises(Unreachable) as caught:
            read(desk)

        assert not isinstance(caught.value, OutcomeUnknown)


class TestAMailboxThatAskedUsToWait:
    """What is sent before Retry-After is over is refused, and counted all the same (Graph docs: throttling-limits)."""

    @pytest.fixture
    def asked(self, desk: Desk) -> Desk:
        """The room asked for five minutes; whatever is sent now is answered."""
        desk.answers(failure(429, "ApplicationThrottled", retry_after="300"), answer(200, event()))
        with pytest.raises(Throttled):
            read(desk)
        assert len(desk.service.sent) == 1
        return desk

    @pytest.mark.parametrize("name", [ROOM, ROOM.upper()])
    def test_is_sent_nothing_else(self, asked: Desk, name: str) -> None:
        asked.run(asyncio.sleep(100))

        with pytest.raises(Paused) as caught:
            asked.run(asked.calendar.fetch_event(name, "AAMk2="))

        assert caught.value.retry_after == pytest.approx(200)
        assert len(asked.service.sent) == 1
        assert asked.calendar.meter.throttled == 1

    def test_is_asked_again_once_that_is_over(self, asked: Desk) -> None:
        asked.run(asyncio.sleep(300))

        assert read(asked).event_id == "AAMk1="

    def test_holds_up_no_other(self, asked: Desk) -> None:
        asked.run(asked.calendar.fetch_event(PERSON, "AAMk1="))

        assert len(asked.service.sent) == 2

    def test_is_asked_again_where_it_named_no_wait(self, desk: Desk) -> None:
        """For how long is the queue's back-off to say, key by key."""
        desk.answers(failure(429, "ApplicationThrottled"), answer(200, event()))
        with pytest.raises(Throttled):
            read(desk)

        assert read(desk).event_id == "AAMk1="


class TestRepeatingWrites:
    @pytest.mark.parametrize("trouble", [OutcomeUnknown("lost"), failure(503, "serviceNotAvailable")])
    def test_a_creation_is_repeated_since_its_transaction_id_makes_it_safe(self, desk: Desk, trouble: Any) -> None:
        """The second request gives back what the first one made."""
        desk.answers(trouble, answer(201, event()))

        assert desk.run(desk.calendar.create_event(PERSON, draft())).event_id == "AAMk1="
        assert desk.service.bodies[0] == desk.service.bodies[1]

    def test_a_creation_without_a_transaction_id_is_not(self, desk: Desk) -> None:
        """It could book the room twice."""
        desk.answers(OutcomeUnknown("lost"), answer(201, event()))

        with pytest.raises(OutcomeUnknown):
            desk.run(desk.calendar.create_event(PERSON, draft(transaction_id="")))

    @pytest.mark.parametrize(
        "trouble",
        [OutcomeUnknown("lost"), failure(502, "x"), failure(503, "serviceNotAvailable"), failure(504, "UnknownError")],
    )
    def test_changes_and_deletions_whose_answer_was_lost_are_not(self, desk: Desk, trouble: Any) -> None:
        """Whether they were applied is to be observed, not guessed."""
        desk.answers(answer(200, event()))
        copy = read(desk)
        desk.answers(trouble)

        with pytest.raises(OutcomeUnknown):
            change(desk, copy, subject="x")
        with pytest.raises(OutcomeUnknown):
            desk.run(desk.calendar.delete_event(PERSON, copy.event_id))

        assert len(desk.service.sent) == 3

    @pytest.mark.parametrize("trouble", [Unreachable("no connection"), failure(409, "ConcurrentItemSave")])
    def test_what_was_certainly_not_applied_is_tried_again(self, desk: Desk, trouble: Any) -> None:
        """No connection, or a save that lost a race: nothing happened yet."""
        desk.answers(answer(200, event()))
        copy = read(desk)
        desk.answers(trouble, answer(200, event(subject="x")))

        assert change(desk, copy, subject="x").subject == "x"


class TestTheClaimsChallenge:
    CHALLENGE = 'Bearer realm="", error="insufficient_claims", claims="eyJhIjoxfQ=="'

    def test_is_answered_once(self, desk: Desk) -> None:
        """A 401 with claims is answered by a token that carries them (continuous access evaluation)."""
        desk.answers(failure(401, "InvalidAuthenticationToken", www_authenticate=self.CHALLENGE), answer(200, event()))

        assert read(desk).event_id == "AAMk1="

    def test_a_401_that_persists_ends_it(self, desk: Desk) -> None:
        """Then an admin must act; hammering on would only lock us out."""
        desk.answers(failure(401, "InvalidAuthenticationToken", www_authenticate=self.CHALLENGE))

        with pytest.raises(CredentialsRevoked):
            read(desk)

        assert len(desk.service.sent) == 2

    def test_a_401_without_claims_is_not_repeated(self, desk: Desk) -> None:
        """The same token would be refused again."""
        desk.answers(failure(401, "InvalidAuthenticationToken", www_authenticate='Bearer realm=""'))

        with pytest.raises(CredentialsRevoked):
            read(desk)

        assert len(desk.service.sent) == 1


class TestManyAtOnce:
    @pytest.mark.parametrize("limit", [1, 2, 3, 4])
    def test_reads_of_one_mailbox_are_limited(self, make_desk: MakeDesk, limit: int) -> None:
        """Outlook allows four per application and mailbox; we stay at the setting, whatever the spelling."""
        desk = make_desk(requests_per_mailbox=limit)
        desk.answers(answer(200, event()))
        desk.service.seconds = 1.0

        async def rush() -> None:
            names = (ROOM, ROOM.upper())
            await asyncio.gather(*(desk.calendar.fetch_event(names[n % 2], "AAMk1=") for n in range(12)))

        desk.run(rush())

        assert desk.service.in_flight_max == limit

    def test_mailboxes_do_not_wait_for_one_another(self, desk: Desk) -> None:
        """The limit is per mailbox."""
        desk.answers(answer(200, event()))
        desk.service.seconds = 1.0

        async def rush() -> None:
            await asyncio.gather(*(desk.calendar.fetch_event(f"room-{n}@example.org", "AAMk1=") for n in range(20)))

        desk.run(rush())

        assert desk.elapsed == 1.0

    def test_one_write_at_a_time(self, desk: Desk) -> None:
        """Two saves in one mailbox never run side by side."""
        desk.answers(answer(204))
        desk.service.seconds = 1.0

        async def rush() -> None:
            await asyncio.gather(*(desk.calendar.delete_event(PERSON, f"AAMk{n}") for n in range(4)))

        desk.run(rush())

        assert (desk.service.in_flight_max, desk.elapsed) == (1, 4.0)

    def test_a_caller_who_gives_up_leaves_no_slot_taken(self, make_desk: MakeDesk) -> None:
        """Cancelled calls, waiting or under way, hand their slot back."""
        desk = make_desk(requests_per_mailbox=1)
        desk.answers(answer(200, event()))
        desk.service.seconds = 10.0

        async def give_up() -> None:
            calls = [asyncio.ensure_future(desk.calendar.fetch_event(ROOM, "AAMk1=")) for _ in range(3)]
            await asyncio.sleep(1)
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
            await desk.calendar.fetch_event(ROOM, "AAMk1=")

        desk.run(give_up())

        assert desk.elapsed == 11.0


class TestTheMeter:
    def test_counts_every_try_by_what_came_of_it(self, desk: Desk) -> None:
        """Repeated tries count as well, since the service counts them too."""
        desk.answers(
            failure(429, "TooManyRequests", retry_after="0"), answer(200, event()), failure(404, "ErrorItemNotFound")
        )

        read(desk)
        read(desk)

        meter = desk.calendar.meter
        assert dict(meter.requests) == {
            ("read event", "throttled"): 1,
            ("read event", "ok"): 1,
            ("read event", "unmatched"): 1,
        }
        assert (meter.throttled, meter.repeated) == (1, 1)
        assert meter.expected == {"read event": 1}  # what is not there is an answer
        assert meter.last_fault is not None
        assert meter.last_fault[:2] == ("read event", "throttled")
        assert "token-1" not in meter.last_fault[2]


def test_closing_closes_what_was_handed_in(desk: Desk) -> None:
    """The calendar owns its transport."""
    desk.run(desk.calendar.aclose())

    assert desk.service.is_closed


def test_a_call_is_described_for_people() -> None:
    """Kind and mailbox make the message's beginning."""
    assert Call(kind="read event", method="GET", url="", mailbox=ROOM).what == f"read event in {ROOM}"
