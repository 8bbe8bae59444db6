"""The benchmark: what it prints, and that its small pieces run. No time is asserted anywhere."""

from __future__ import annotations

import asyncio
import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from engine.bench import command, counts, limits
from engine.bench.changes import Slots
from engine.bench.floors import sample_event
from engine.bench.imports import write_timetable
from engine.bench.probes import Records, inbound_latencies, outbound_latencies
from engine.bench.report import Figure, describe_machine, percentile, print_table, render_json, show_number
from engine.prove.world.virtual import VirtualLoop
from engine.simulator.timetable import load_timetable


def shown(*figures: Figure) -> str:
    stream = io.StringIO()
    print_table(figures, {"cpus": 2, "load": 0.5}, stream)
    return stream.getvalue()


class TestAFigure:
    def test_low_ones_are_good(self) -> None:
        """Most figures are costs: the goal is the most they may be."""
        assert Figure("G7", "CPU", 1.4, "ms", 1.5).verdict == "ok"
        assert Figure("G7", "CPU", 1.6, "ms", 1.5).verdict == "missed"

    def test_high_rates_are_good(self) -> None:
        """Rates are turned round, goal and ratio both."""
        rate = Figure("G8", "import", 5_000, "events/s", 15_000, at_least=True, floor=50_000)

        assert rate.verdict == "missed"
        assert rate.ratio == pytest.approx(10.0)

    def test_a_slow_machine_is_judged_by_the_floor(self) -> None:
        """Where the goal is a multiple of the floor too, that one counts when the other is missed."""
        assert Figure("G7", "CPU", 6.0, "ms", 1.5, floor=1.6, ratio_goal=4.0).verdict == "ok by ratio"
        assert Figure("G7", "CPU", 6.5, "ms", 1.5, floor=1.6, ratio_goal=4.0).verdict == "missed"

    def test_a_goal_that_is_a_ratio_alone_is_met_by_it_or_missed(self) -> None:
        assert Figure("G11", "CPU", 2.4, "ms", floor=2.0, ratio_goal=1.25).verdict == "ok"
        assert Figure("G11", "CPU", 2.6, "ms", floor=2.0, ratio_goal=1.25).verdict == "missed"

    def test_no_goal_no_verdict(self) -> None:
        assert Figure("", "memory", 80, "MB").verdict == ""
        assert Figure("", "memory", 80, "MB").ratio is None


class TestTheTable:
    def test_shows_goal_floor_ratio_and_verdict(self) -> None:
        """One line per figure, the raw floor beside it."""
        text = shown(
            Figure("G7", "CPU per change", 6.0, "ms", 1.5, floor=1.5, floor_name="raw path", ratio_goal=4.0),
            Figure("G8", "import", 20_000, "events/s", 15_000, at_least=True),
        )

        first, second = text.splitlines()[1:3]
        for part in ("G7", "CPU per change", "6 ms", "≤ 1.5 or 4×", "1.5", "4×", "ok by ratio", "floor: raw path"):
            assert part in first
        for part in ("20,000 events/s", "≥ 15,000", "ok"):
            assert part in second
        assert "cpus 2; load 0.50" in text

    def test_names_are_never_read_as_markup(self) -> None:
        assert "[red]x[/red]" in shown(Figure("", "[red]x[/red]", 1, "ms"))

    @pytest.mark.parametrize(
        ("number", "text"), [(0, "0"), (0.1234, "0.123"), (9.5, "9.5"), (42.04, "42.0"), (12_345.6, "12,346")]
    )
    def test_numbers_have_three_digits_that_count(self, number: float, text: str) -> None:
        assert show_number(number) == text


class TestTheJson:
    def test_holds_everything(self) -> None:
        """A script finds figure, goal, floor, ratio and verdict under their names."""
        machine = describe_machine()

        found = json.loads(render_json([Figure("G1", "move", 1, "requests", 1, floor=1)], machine))

        (figure,) = found["figures"]
        assert (figure["name"], figure["value"], figure["ratio"], figure["verdict"]) == ("G1", 1, 1, "ok")
        assert found["machine"]["cpus"] == machine["cpus"]


class TestHoursToBook:
    def test_are_nobodys_yet_in_whatever_order_meetings_are_moved(self) -> None:
        """Answers overtake each other: an hour that belongs to the wrong room would be another meeting's."""
        slots = Slots(rooms=3, first_day=0)
        made = [slots.take() for _ in range(7)]

        moved = [(room, *slots.take_in(room)) for room, _, _ in reversed(made)]

        assert [room for room, _, _ in made] == [0, 1, 2, 0, 1, 2, 0]
        assert len({*made, *moved}) == 14


class TestPercentiles:
    def test_of_a_hundred(self) -> None:
        values = [float(number) for number in range(1, 101)]

        assert (percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1.0)) == (50, 99, 100)

    def test_of_few_and_none(self) -> None:
        assert percentile([3.0], 0.99) == 3.0
        assert percentile([], 0.5) == 0.0


class TestTheStopwatch:
    def test_takes_the_gathering_off(self) -> None:
        """A room gathers until its last due time; each notification waits only for what is left of that."""
        records = Records(
            notices=[(10.0, ("a",)), (10.2, ("b",)), (10.5, ("c",))],
            dues=[(10.001, 1, 10.25), (10.201, 1, 10.45), (10.501, 1, 10.75)],
            reads=[(10.46, 1)],
            rooms={"a": 1, "b": 1, "c": 1},
            commits=[(10.50, ("a",)), (10.51, ("b",)), (10.80, ("c",))],
        )

        found = inbound_latencies(records)

        assert found.whole == pytest.approx([0.50, 0.31, 0.30])
        assert found.beyond_gathering == pytest.approx([0.05, 0.06, 0.05])

    def test_takes_off_the_gathering_of_what_a_notification_brought(self) -> None:
        """No reading of the room ends it: the loan does."""
        records = Records(
            notices=[(10.0, ("a",)), (10.4, ("b",))],
            dues=[(10.001, 1, 10.25), (10.401, 1, 10.65)],
            rooms={"a": 1, "b": 1},
            commits=[(10.3, ("a",)), (10.7, ("b",))],
        )

        assert inbound_latencies(records).beyond_gathering == pytest.approx([0.05, 0.05])

    def test_takes_nothing_off_what_an_earlier_reading_found(self) -> None:
        """A notice that comes while its room is being read is due later, but its meeting may be a loan by then."""
        records = Records(
            notices=[(10.0, ("a",))],
            dues=[(10.001, 1, 10.25)],
            rooms={"a": 1},
            commits=[(10.1, ("a",))],
        )

        assert inbound_latencies(records).beyond_gathering == pytest.approx([0.1])

    def test_starts_anew_after_each_loan(self) -> None:
        """A commit answers the notifications before it; the next one is timed from its own."""
        records = Records(
            notices=[(1.0, ("a",)), (5.0, ("a",))],
            rooms={"a": 1},
            commits=[(1.5, ("a",)), (1.6, ("a",)), (5.1, ("a",))],
        )

        assert inbound_latencies(records).whole == pytest.approx([0.5, 0.1])

    def test_matches_edits_with_writes(self) -> None:
        """An edit is timed to the write for its loan; two edits that one write carries are timed from the first."""
        records = Records(edits=[(1.0, 7), (1.1, 8), (1.2, 7)], wires=[(1.4, 7), (1.5, 8)])

        assert outbound_latencies(records) == pytest.approx([0.4, 0.4])


class TestTheVirtualLoop:
    def test_a_week_takes_no_time(self) -> None:
        """The clock jumps to whatever comes next."""
        loop = VirtualLoop()
        try:
            loop.run_until_complete(asyncio.sleep(7 * 86_400))
            assert loop.time() == pytest.approx(7 * 86_400)
        finally:
            loop.close()

    def test_waiting_for_nothing_is_told(self) -> None:
        loop = VirtualLoop()
        try:
            waiting = loop.create_future()
            with pytest.raises(RuntimeError, match="nothing is scheduled"):
                loop.run_until_complete(waiting)
        finally:
            loop.close()


class TestTheSmallPieces:
    def test_counting_changes(self) -> None:
        """Counts are exact and cost no time: they run here as they are. Notifications bring their event, no room is
        read: a new meeting and a cancelled one cost the organizer's copy, a booking its write."""
        remote = {figure.what: figure.value for figure in counts.measure_remote_changes()}
        local = {figure.what: figure.value for figure in counts.measure_local_changes(stream=5)}

        assert [remote[f"single {kind} in Outlook"] for kind in ("create", "move", "cancel")] == [1.0, 0.0, 1.0]
        assert local["isolated create in the app, all requests"] == 1.0
        assert local["stream in the app, all per change"] <= 1.5

    def test_counting_changes_for_which_rooms_are_read(self) -> None:
        """As where Graph brings no events."""
        figures = {figure.what: figure.value for figure in counts.measure_remote_changes(content=False)}

        assert figures["single move in Outlook, without content"] == 1.0
        assert figures["single cancel in Outlook, without content"] == 2.0

    def test_counting_local_changes(self) -> None:
        """Whatever is changed in the app, Outlook is written to once."""
        figures = {figure.what: figure.value for figure in counts.measure_local_changes(stream=5)}

        writes = {what: value for what, value in figures.items() if "writes" in what}
        assert writes
        assert set(writes.values()) == {1.0}

    @pytest.mark.parametrize("content", [True, False])
    def test_counting_silence(self, content: bool) -> None:
        """An idle room costs a few requests a day, whatever the webhooks say, and however long subscriptions live."""
        per_room, listing = counts.measure_silence(rooms=2, days=1, content=content)

        assert 3 <= per_room.value <= 6
        assert listing.value >= 96

    def test_a_mailbox_that_throttles(self) -> None:
        """Nothing is sent there before it may be, so nearly all that is sent is of use."""
        useful, early = limits.measure_limits(meetings=60)

        assert useful.value >= 95
        assert early.value == 0

    def test_the_synthetic_timetable(self, tmp_path: Path) -> None:
        """It is as large as a faculty's, and no room holds two classes at once."""
        path = tmp_path / "timetable.csv"
        write_timetable(path)

        events = load_timetable(path, 14, date(2026, 11, 23))

        assert len({event.room for event in events}) == 35
        assert 6_000 < len(events) < 7_000
        by_room: dict[str, Any] = {}
        for event in events:
            assert event.start >= by_room.get(event.room, event.start)
            by_room[event.room] = event.end

    def test_a_sample_event_is_as_large_as_a_real_one(self) -> None:
        assert 800 < len(json.dumps(sample_event(1))) < 1_500


class TestTheCommandLine:
    def test_measures_what_is_asked_for(self, capsys: pytest.CaptureFixture[str]) -> None:
        """`-o json` prints one document and nothing else on stdout."""
        command.run(["--quick", "--only", "remote", "-o", "json"])

        found = json.loads(capsys.readouterr().out)
        assert {figure["name"] for figure in found["figures"]} == {"G1"}

    def test_an_unknown_measure_is_refused(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as ended:
            command.parse(["--only", "speed"])

        assert ended.value.code == 2
        assert "known are floors, remote" in capsys.readouterr().err

    def test_a_missing_timetable_is_refused(self) -> None:
        with pytest.raises(SystemExit):
            command.parse(["--timetable", "/nowhere/timetable.csv"])
