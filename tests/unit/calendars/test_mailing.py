"""Who is mailed what about a loan: preferences decide what comes, never what is left wrong in a calendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from engine.calendars.invitation import Method
from engine.calendars.mailing import Held, MailKind, MailLevel, MailPreference, Step, plan_steps, wants
from engine.ids import Address

ANN, BEN = Address("ann@elsewhere.org"), Address("ben@elsewhere.org")
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


def held(address: Address = ANN, *, sequence: int = 3, is_live: bool = True, told: str = "ten o'clock") -> Held:
    return Held(address, "Ann", sequence, is_live, told)


def shall_hold(address: Address = ANN, told: str = "ten o'clock") -> Held:
    return held(address, sequence=0, told=told)


class TestWhatIsSent:
    def test_a_new_booking_is_sent_if_wanted(self) -> None:
        assert plan_steps((), shall_hold(), is_wanted=True) == (Step(ANN, "Ann", Method.REQUEST, MailKind.BOOKED, 0),)
        assert plan_steps((), shall_hold(), is_wanted=False) == ()

    @pytest.mark.parametrize("is_wanted", [True, False])
    def test_a_change_of_what_they_hold_is_sent_in_any_case(self, is_wanted: bool) -> None:
        steps = plan_steps([held()], shall_hold(told="eleven"), is_wanted=is_wanted)

        assert steps == (Step(ANN, "Ann", Method.REQUEST, MailKind.CHANGED, 4),)

    def test_nothing_is_sent_twice(self) -> None:
        assert plan_steps([held()], shall_hold(), is_wanted=True) == ()

    @pytest.mark.parametrize("kind", [MailKind.CANCELLED, MailKind.IN_OUTLOOK])
    def test_what_they_shall_hold_no_more_is_taken_out(self, kind: MailKind) -> None:
        steps = plan_steps([held()], None, is_wanted=False, ends_as=kind)

        assert steps == (Step(ANN, "Ann", Method.CANCEL, kind, 4),)

    def test_what_was_taken_out_stays_out_and_comes_back_with_a_higher_number(self) -> None:
        gone = held(is_live=False)

        assert plan_steps([gone], None, is_wanted=True) == ()
        assert plan_steps([gone], shall_hold(), is_wanted=False) == ()
        assert plan_steps([gone], shall_hold(), is_wanted=True) == (
            Step(ANN, "Ann", Method.REQUEST, MailKind.BOOKED, 4),
        )

    def test_another_requester_takes_it_over(self) -> None:
        steps = plan_steps([held()], replace(shall_hold(BEN), name="Ben"), is_wanted=True)

        assert steps == (
            Step(ANN, "Ann", Method.CANCEL, MailKind.MOVED_ON, 4),
            Step(BEN, "Ben", Method.REQUEST, MailKind.BOOKED, 0),
        )

    def test_addresses_are_compared_as_everywhere(self) -> None:
        assert plan_steps([held(Address("ANN@Elsewhere.org"))], shall_hold(), is_wanted=True) == ()

    def test_a_calendar_is_never_left_wrong(self) -> None:
        """Every small world: what was held, what shall be, what is wanted. Afterwards each live entry is right."""
        worlds = product(
            [(), (held(),), (held(is_live=False),), (held(), held(BEN, is_live=False))],
            [None, shall_hold(), shall_hold(told="eleven"), shall_hold(BEN)],
            [True, False],
        )
        for before, receiver, is_wanted in worlds:
            after = {each.address: each for each in before}
            for step in plan_steps(before, receiver, is_wanted=is_wanted):
                known = after.get(step.address)
                assert step.sequence > (known.sequence if known is not None else -1)
                is_live = step.method is Method.REQUEST
                told = receiver.told if receiver is not None and is_live else ""
                after[step.address] = Held(step.address, step.name, step.sequence, is_live, told)
            for each in after.values():
                if each.is_live:
                    assert receiver is not None
                    assert (each.address, each.told) == (receiver.address, receiver.told)


class TestWhatIsWanted:
    @pytest.mark.parametrize(
        ("level", "actor", "hours", "is_wanted"),
        [
            (MailLevel.ALL, f"app:{ANN}", 48, True),
            (MailLevel.OTHERS, "app:ANN@elsewhere.org", 1, False),
            (MailLevel.OTHERS, f"app:{BEN}", 48, True),
            (MailLevel.OTHERS, "outlook", 48, True),
            (MailLevel.SOON, f"app:{BEN}", 23.9, True),
            (MailLevel.SOON, f"app:{BEN}", 24, False),
            (MailLevel.NONE, f"app:{BEN}", 1, False),
        ],
    )
    def test_is_what_they_said(self, level: MailLevel, actor: str, hours: float, is_wanted: bool) -> None:
        start = NOW + timedelta(hours=hours)

        assert wants(MailPreference(level), ANN, actor=actor, start=start, now=NOW) is is_wanted
