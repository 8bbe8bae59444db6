"""What people do in a random world: the one table of it. To add something, write a function and a line here."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.prove.people import (
    attendants,
    backfills,
    begun,
    contests,
    daily_series,
    directory,
    meetings,
    odd_times,
    patterns,
    staff,
    strangers,
)
from engine.prove.people.app_series import AppSeries
from engine.prove.people.people import Crowd


@dataclass(frozen=True, slots=True)
class Verb:
    """
    Something people do.

    Args:
        name: its name in a schedule that was kept: never changed once it is out.
        weight: how often it is drawn, beside the others.
        act: does it, drawing from `crowd.random`; does nothing where there is nothing to do it to.
    """

    name: str
    weight: float
    act: Callable[[Crowd], object]


VERBS: tuple[Verb, ...] = (
    # in Outlook
    Verb("meet", 5, Crowd.meet),
    Verb("meet_whole_days", 0.7, odd_times.meet_whole_days),
    Verb("meet_privately", 0.7, meetings.meet_privately),
    Verb("meet_hidden", 0.7, meetings.meet_hidden),
    Verb("draft", 0.5, meetings.draft),
    Verb("send_draft", 0.7, meetings.send_draft),
    Verb("turn_private", 0.5, meetings.turn_private),
    Verb("rename", 0.4, meetings.rename),
    Verb("forward", 0.7, meetings.forward),
    Verb("swap_rooms", 0.7, meetings.swap_rooms),
    Verb("meet_without_length", 0.3, odd_times.meet_without_length),
    Verb("lose_length", 0.3, odd_times.lose_length),
    Verb("garble_times", 0.5, odd_times.garble_times),
    Verb("mend_times", 0.3, odd_times.mend_times),
    Verb("make_whole_day", 0.5, odd_times.make_whole_day),
    Verb("meet_over_clock_change", 0.5, odd_times.meet_over_clock_change),
    Verb("set_room_zone", 0.3, odd_times.set_room_zone),
    Verb("move_meeting", 3, Crowd.move_meeting),
    Verb("reroom_meeting", 2, Crowd.reroom_meeting),
    Verb("cancel_meeting", 2, Crowd.cancel_meeting),
    Verb("hand_over", 0.7, Crowd.hand_over),
    Verb("meet_daily", 2, daily_series.meet_daily),
    Verb("move_series", 1, daily_series.move_series),
    Verb("cut_series", 1, daily_series.cut_series),
    Verb("reroom_series", 1, daily_series.reroom_series),
    Verb("cancel_series", 0.5, daily_series.cancel_series),
    Verb("meet_by_pattern", 1, patterns.meet_by_pattern),
    Verb("move_date", 1, patterns.move_date),
    Verb("cancel_date", 0.5, patterns.cancel_date),
    Verb("touch_app_series", 1, lambda crowd: AppSeries(crowd).touch_in_outlook()),
    # by nobody of ours
    Verb("ask_from_outside", 0.5, strangers.ask_from_outside),
    Verb("change_from_outside", 0.4, strangers.change_from_outside),
    Verb("write_into_room", 0.5, strangers.write_into_room),
    Verb("change_in_room", 0.4, strangers.change_in_room),
    # rooms, delegates and administrators
    Verb("change_rules", 1, attendants.change_rules),
    Verb("ask_delegates", 0.7, attendants.ask_delegates),
    Verb("let_hours_pass", 0.2, attendants.let_hours_pass),
    Verb("decide_request", 1.5, attendants.decide_request),
    Verb("release_room", 0.7, attendants.release_room),
    Verb("rename_room", 0.3, directory.rename_room),
    Verb("readdress_room", 0.4, directory.readdress_room),
    Verb("recreate_room", 0.2, directory.recreate_room),
    Verb("renew_place", 0.2, directory.renew_place),
    Verb("hide_room", 0.4, directory.hide_room),
    Verb("tag_room", 0.5, directory.tag_room),
    Verb("ignore_tag", 0.4, directory.ignore_tag),
    Verb("close_mailbox", 0.5, directory.close_mailbox),
    Verb("set_mode", 0.5, directory.set_mode),
    Verb("set_up_room", 0, directory.set_up_room),  # drawn apart: `schedule.WITH_NEW_ROOM`
    # at the desk
    Verb("book", 5, Crowd.book),
    Verb("move_loan", 3, Crowd.move_loan),
    Verb("reroom_loan", 2, Crowd.reroom_loan),
    Verb("give_loan", 1, Crowd.give_loan),
    Verb("cancel_loan", 2, Crowd.cancel_loan),
    Verb("book_series", 2, lambda crowd: AppSeries(crowd).book()),
    Verb("book_by_pattern", 1, lambda crowd: AppSeries(crowd).book_by_pattern()),
    Verb("move_date_at_desk", 1, patterns.move_date_at_desk),
    Verb("change_series", 2, lambda crowd: AppSeries(crowd).change()),
    Verb("cancel_app_series", 0.7, lambda crowd: AppSeries(crowd).cancel()),
    Verb("lend_things", 1, staff.lend_things),
    Verb("add_thing", 1, staff.add_thing),
    Verb("clear_calendar", 0.3, staff.clear_calendar),
    Verb("answer_brake", 0.7, staff.answer_brake),
    # on both sides
    Verb("move_at_once", 2, contests.move_at_once),
    # whoever brings in what was there before the engine; `backfills.draw_plan` draws these
    Verb("plan_backfill", 0, backfills.plan_backfill),
    Verb("apply_backfill", 0, backfills.apply_backfill),
    Verb("undo_backfill", 0, backfills.undo_backfill),
    # what begins and ends while the world lives: drawn where a schedule names it (`begun.AMONG`)
    Verb("meet_soon", 0, begun.meet_soon),
    Verb("book_soon", 0, begun.book_soon),
    Verb("let_minutes_pass", 0, begun.let_minutes_pass),
    Verb("sleep_over_the_clock", 0, begun.sleep_over_the_clock),
    Verb("move_soon", 0, begun.move_soon),
    Verb("lengthen", 0, begun.lengthen),
    Verb("expect_check_in", 0, begun.expect_check_in),
    Verb("check_in", 0, begun.check_in),
    # whoever looks after the cases
    Verb("settle_case", 2, Crowd.settle_case),
)  # fmt: skip
BY_NAME = {verb.name: verb for verb in VERBS}


def draw_verb(chance: random.Random, among: Sequence[str] = ()) -> Verb:
    """Return something to do; *among*: one of these, each as likely, when any is named."""
    if among:
        return BY_NAME[chance.choice(among)]
    return chance.choices(VERBS, [verb.weight for verb in VERBS])[0]
