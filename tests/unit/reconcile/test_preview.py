"""What Outlook will be told, before a booking is made."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from engine.ids import Address, BookableId, LoanNumber, StoreId
from engine.interval import Interval
from engine.loans.loan import Home, ItemKind, Loan, LoanItem, Requester, TextLevel
from engine.loans.status import ItemState, LoanStatus
from engine.reconcile.dates import Dates
from engine.reconcile.field_map import View
from engine.reconcile.ledger import SyncRules
from engine.reconcile.telling.preview import Silence, Telling, foretell, is_shown_by_outlook, mailbox_for

RULES = SyncRules(domains=frozenset({"example.org"}), default_user=Address("desk@example.org"))
ALEX = Requester(Address("alex@example.org"), "Alex Doe")
GUEST = Requester(Address("guest@elsewhere.example"), "A Guest")
ROOM_AND_THING = ((ItemKind.ROOM, "Fern"), (ItemKind.ASSET, "Projector"))
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
SLOT = Interval(NOW + timedelta(days=30), NOW + timedelta(days=30, hours=1))


def tell(
    requester: Requester = ALEX,
    items: tuple[tuple[ItemKind, str], ...] = ROOM_AND_THING,
    *,
    private: bool = False,
    level: TextLevel = TextLevel.FULL,
    rules: SyncRules = RULES,
    has_event: bool = False,
) -> Telling:
    return foretell(requester, items, SLOT, now=NOW, private=private, level=level, rules=rules, has_event=has_event)


class TestTheEvent:
    def test_lies_in_the_requesters_calendar_and_invites_the_rooms(self) -> None:
        told = tell()

        assert (told.mailbox, told.stands_in, told.silence) == ("alex@example.org", False, None)
        assert told.subject == "#… Alex Doe"
        assert told.rooms == ("Fern",)
        assert told.listed == ("Fern", "Projector")

    def test_lies_in_the_default_users_calendar_for_people_from_elsewhere(self) -> None:
        told = tell(GUEST)

        assert (told.mailbox, told.stands_in) == ("desk@example.org", True)
        assert mailbox_for(GUEST.address, replace(RULES, default_user=None)) == GUEST.address

    @pytest.mark.parametrize("level", [TextLevel.NUMBER_ONLY, TextLevel.LINK_ONLY])
    def test_tells_no_names_where_the_level_keeps_them_back(self, level: TextLevel) -> None:
        told = tell(level=level)

        assert (told.subject, told.listed) == ("#…", ())

    def test_of_a_private_booking_tells_no_names_either(self) -> None:
        told = tell(private=True)

        assert (told.subject, told.listed, told.private) == ("#…", (), True)

    @pytest.mark.parametrize(("private", "subject"), [(False, "#…-… Alex Doe"), (True, "#…-…")])
    def test_of_a_series_is_one_for_all_its_loans(self, private: bool, subject: str) -> None:
        told = foretell(
            ALEX, ROOM_AND_THING, SLOT, now=NOW, private=private, level=TextLevel.FULL, rules=RULES, is_series=True
        )

        assert told.subject == subject


class TestSilence:
    def test_things_alone_are_none_of_outlooks_business(self) -> None:
        assert tell(items=((ItemKind.ASSET, "Projector"),)).silence is Silence.NO_ROOM

    @pytest.mark.parametrize(
        ("ahead", "has_event", "silence"), [(30, False, Silence.BEYOND), (31, False, None), (30, True, None)]
    )
    def test_what_is_too_far_ahead_is_told_later(self, ahead: int, has_event: bool, silence: Silence | None) -> None:
        rules = replace(RULES, view=View(dates=Dates(days_ahead=ahead)))

        assert tell(rules=rules, has_event=has_event).silence is silence

    @pytest.mark.parametrize(("has_event", "silence"), [(False, Silence.LEFT_OUT), (True, None)])
    def test_what_the_view_leaves_out_is_not_told_unless_its_event_is_there(
        self, has_event: bool, silence: Silence | None
    ) -> None:
        rules = replace(RULES, view=View(stores=frozenset({"annex"})))

        assert tell(rules=rules, has_event=has_event).silence is silence

    @pytest.mark.parametrize("mode", ["read_only", "shadow"])
    def test_a_mode_that_does_not_write_tells_nothing(self, mode: str) -> None:
        assert tell(rules=replace(RULES, mode=mode)).silence is Silence.READ_ONLY


class TestWhatOutlookShowsToTheRequester:
    """Nobody is mailed an entry of what is in their calendar anyway."""

    @pytest.mark.parametrize(
        ("requester", "home", "kind", "has_event", "stores", "is_shown"),
        [
            (ALEX, Home.OUTLOOK, ItemKind.ROOM, True, "", True),
            (ALEX, Home.APP, ItemKind.ROOM, False, "", True),
            (ALEX, Home.APP, ItemKind.ASSET, False, "", False),
            (ALEX, Home.APP, ItemKind.ROOM, False, "annex", False),
            (ALEX, Home.APP, ItemKind.ROOM, True, "annex", True),
            (GUEST, Home.APP, ItemKind.ROOM, True, "", False),
            (GUEST, Home.OUTLOOK, ItemKind.ROOM, True, "", False),
        ],
    )
    def test_is_what_lies_in_a_calendar_of_theirs(
        self, requester: Requester, home: Home, kind: ItemKind, has_event: bool, stores: str, is_shown: bool
    ) -> None:
        rules = replace(RULES, view=View(stores=frozenset({stores} if stores else ())))
        start = datetime(2026, 11, 23, 9, tzinfo=UTC)
        loan = Loan(
            number=LoanNumber(1),
            status=LoanStatus.NEW,
            home=home,
            requester=requester,
            interval=Interval(start, start + timedelta(hours=1)),
            items=(LoanItem(kind, BookableId(1), "Fern", ItemState.REQUESTED),),
            store_id=StoreId(1),
            store="Main desk",
            version=1,
        )

        assert is_shown_by_outlook(loan, rules, has_event=has_event) is is_shown
