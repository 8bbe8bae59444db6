"""The decision tables: what one field needs, and how a booking ends."""

from __future__ import annotations

from itertools import product

import pytest

from engine.loans.loan import Home
from engine.reconcile.decide import (
    EndVerdict,
    LoanEnd,
    MeetingEnd,
    Verdict,
    decide_end,
    decide_field,
    mirror,
)

OTHER_HOME = {Home.OUTLOOK: Home.APP, Home.APP: Home.OUTLOOK}
CHANGES = tuple(product((False, True), repeat=3))
ENDS = tuple(product(MeetingEnd, LoanEnd, Home))

REST, AGREE = Verdict.REST, Verdict.AGREE
TO_LOAN, TO_OUTLOOK = Verdict.COPY_TO_LOAN, Verdict.COPY_TO_OUTLOOK
OUTLOOK_WINS, APP_WINS = Verdict.OUTLOOK_WINS, Verdict.APP_WINS

# changed in Outlook x changed in the app x do both say the same now -> born in Outlook, born in the app
FIELDS = {
    (False, False, False): (REST, REST),
    (False, False, True): (REST, REST),
    (True, False, False): (TO_LOAN, TO_LOAN),
    (True, False, True): (TO_LOAN, TO_LOAN),
    (False, True, False): (TO_OUTLOOK, TO_OUTLOOK),
    (False, True, True): (TO_OUTLOOK, TO_OUTLOOK),
    (True, True, True): (AGREE, AGREE),
    (True, True, False): (OUTLOOK_WINS, APP_WINS),
}


class TestOneField:
    @pytest.mark.parametrize(("outlook", "app", "same"), CHANGES)
    @pytest.mark.parametrize("home", Home)
    def test_needs_what_the_table_says(self, outlook: bool, app: bool, same: bool, home: Home) -> None:
        """One side changed: copy. Both to the same: agree. Both otherwise: the home side wins. Neither: rest."""
        born_in_outlook, born_here = FIELDS[outlook, app, same]

        verdict = decide_field(outlook_changed=outlook, loan_changed=app, same=same, home=home)

        assert verdict is (born_in_outlook if home is Home.OUTLOOK else born_here)

    @pytest.mark.parametrize(("outlook", "app", "same"), CHANGES)
    @pytest.mark.parametrize("home", Home)
    def test_of_swapped_sides_has_the_mirrored_verdict(self, outlook: bool, app: bool, same: bool, home: Home) -> None:
        """No side is favoured but by being home: swapping sides and home mirrors the verdict."""
        here = decide_field(outlook_changed=outlook, loan_changed=app, same=same, home=home)

        there = decide_field(outlook_changed=app, loan_changed=outlook, same=same, home=OTHER_HOME[home])

        assert there is mirror(here)

    @pytest.mark.parametrize("verdict", Verdict)
    def test_mirrored_twice_is_itself(self, verdict: Verdict) -> None:
        """Looking into the mirror of the mirror shows the thing itself."""
        assert mirror(mirror(verdict)) is verdict

    @pytest.mark.parametrize(("outlook", "app", "same"), CHANGES)
    @pytest.mark.parametrize("home", Home)
    def test_of_a_side_nobody_touched_is_never_the_winner(
        self, outlook: bool, app: bool, same: bool, home: Home
    ) -> None:
        """Only a change travels: a side that did not change is never copied over the other."""
        verdict = decide_field(outlook_changed=outlook, loan_changed=app, same=same, home=home)

        assert outlook or verdict not in (TO_LOAN, OUTLOOK_WINS)
        assert app or verdict not in (TO_OUTLOOK, APP_WINS)


def end_by_the_rules(meeting: MeetingEnd, loan: LoanEnd, home: Home) -> EndVerdict:
    """
    How a booking ends, in the order in which the rules are told to people.

    History is left alone. What is gone in Outlook takes its loan along; a loan withdrawn takes its event along (H56),
    unless the event is somebody's own meeting that no longer has a room of ours. A booking without rooms is over:
    one born in Outlook loses the loan, one born here is refused and its event deleted.
    """
    if loan is LoanEnd.FINISHED:
        return EndVerdict.REST
    if meeting is MeetingEnd.GONE:
        return EndVerdict.FORGET if loan is LoanEnd.WITHDRAWN else EndVerdict.CANCEL_LOAN
    theirs_without_rooms = meeting is MeetingEnd.ROOMLESS and home is Home.OUTLOOK
    if loan is LoanEnd.WITHDRAWN:
        return EndVerdict.FORGET if theirs_without_rooms else EndVerdict.DELETE_EVENT
    if meeting is MeetingEnd.ROOMLESS:
        return EndVerdict.CANCEL_LOAN if theirs_without_rooms else EndVerdict.REFUSE_LOAN_AND_DELETE_EVENT
    return EndVerdict.COMPARE


class TestTheEndOfABooking:
    @pytest.mark.parametrize(("meeting", "loan", "home"), ENDS)
    def test_is_what_the_rules_say(self, meeting: MeetingEnd, loan: LoanEnd, home: Home) -> None:
        """Every meeting's end, with every loan's end, wherever it was born."""
        assert decide_end(meeting, loan, home) is end_by_the_rules(meeting, loan, home)

    @pytest.mark.parametrize(("meeting", "loan", "home"), ENDS)
    def test_is_compared_further_only_while_both_live(self, meeting: MeetingEnd, loan: LoanEnd, home: Home) -> None:
        """Cancelled beats everything: fields are compared only as long as both sides are alive."""
        alive = meeting is MeetingEnd.ALIVE and loan is LoanEnd.ALIVE

        assert (decide_end(meeting, loan, home) is EndVerdict.COMPARE) == alive

    @pytest.mark.parametrize(("loan", "home"), tuple(product(LoanEnd, Home)))
    def test_in_outlook_never_asks_for_a_deletion_there(self, loan: LoanEnd, home: Home) -> None:
        """What is gone needs no deleting."""
        verdict = decide_end(MeetingEnd.GONE, loan, home)

        assert verdict not in (EndVerdict.DELETE_EVENT, EndVerdict.REFUSE_LOAN_AND_DELETE_EVENT)

    @pytest.mark.parametrize("loan", LoanEnd)
    def test_without_rooms_never_deletes_somebodys_own_meeting(self, loan: LoanEnd) -> None:
        """A meeting born in Outlook that lost our rooms is its organizer's business alone."""
        verdict = decide_end(MeetingEnd.ROOMLESS, loan, Home.OUTLOOK)

        assert verdict not in (EndVerdict.DELETE_EVENT, EndVerdict.REFUSE_LOAN_AND_DELETE_EVENT)
