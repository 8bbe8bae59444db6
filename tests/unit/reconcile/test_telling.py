"""What Outlook will be told, before a booking is made."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.ids import Address
from engine.loans.loan import ItemKind, Requester, TextLevel
from engine.reconcile.ledger import SyncRules
from engine.reconcile.telling import Silence, Telling, foretell, mailbox_for

RULES = SyncRules(domains=frozenset({"example.org"}), default_user=Address("desk@example.org"))
ALEX = Requester(Address("alex@example.org"), "Alex Doe")
GUEST = Requester(Address("guest@elsewhere.example"), "A Guest")
ROOM_AND_THING = ((ItemKind.ROOM, "Fern"), (ItemKind.ASSET, "Projector"))


def tell(
    requester: Requester = ALEX,
    items: tuple[tuple[ItemKind, str], ...] = ROOM_AND_THING,
    *,
    private: bool = False,
    level: TextLevel = TextLevel.FULL,
    rules: SyncRules = RULES,
) -> Telling:
    return foretell(requester, items, private=private, level=level, rules=rules)


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
        told = foretell(ALEX, ROOM_AND_THING, private=private, level=TextLevel.FULL, rules=RULES, is_series=True)

        assert told.subject == subject


class TestSilence:
    def test_things_alone_are_none_of_outlooks_business(self) -> None:
        assert tell(items=((ItemKind.ASSET, "Projector"),)).silence is Silence.NO_ROOM

    @pytest.mark.parametrize("mode", ["read_only", "shadow"])
    def test_a_mode_that_does_not_write_tells_nothing(self, mode: str) -> None:
        assert tell(rules=replace(RULES, mode=mode)).silence is Silence.READ_ONLY
