"""The command line: what people type, what they read, and how it ends."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
import typer
from typer.testing import CliRunner

from engine.cli.asking import ask_over_http
from engine.cli.doors import Doors
from engine.cli.failures import exit_code
from engine.cli.main import make_app
from engine.cli.outlook import SimulatedOutlook
from engine.cli.wishes import parse_moment, parse_requester, parse_stretch
from engine.errors import BadSettings, DatabaseUnusable, Invalid, Unreachable
from engine.interval import Interval
from engine.loans.loan import Case, CaseState
from engine.settings import RoomsSettings, Settings
from tests.web.fakes import (
    NOW,
    MemoryCases,
    MemoryDesk,
    MemoryIdentity,
    MemoryRooms,
    MemorySeries,
    MemoryTokens,
    MemoryWhy,
)
from tests.web.visitors import open_house

PARIS = ZoneInfo("Europe/Paris")
BOOK = ("loans", "book", "--requester", "Alex Doe <alex@example.org>", "--start", "2026-11-23 10:00", "--end", "11:00")


class ShownTokens(MemoryTokens):
    def list_tokens(self) -> Sequence[Mapping[str, object]]:
        return [{"name": item.name, "role": item.role} for item in self.known.values()]


@dataclass
class MemoryOffice:
    """The engine without a network, and without a database."""

    rooms: MemoryRooms = field(default_factory=MemoryRooms)
    tokens: ShownTokens = field(default_factory=ShownTokens)
    marks: list[tuple[str, str]] = field(default_factory=list)
    plan: list[SimpleNamespace] = field(default_factory=list)
    applied: list[tuple[str | None, bool]] = field(default_factory=list)
    runs: list[tuple[str, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.desk = MemoryDesk(self.rooms)
        self.series = MemorySeries(self.desk)
        self.cases = MemoryCases(self.desk)
        self.why = MemoryWhy(self.rooms)

    def enqueue(self, kind: str, key: str) -> None:
        self.marks.append((kind, key))

    def read_status(self) -> Mapping[str, object]:
        parked = [{"key": "room:3", "since": NOW, "error": "no answer"}]
        return {"mode": "two_way", "queue": {"waiting": 2}, "parked": parked}

    def list_subscriptions(self) -> Sequence[Mapping[str, object]]:
        return [{"room": "Room 1.01", "expires_at": NOW}]

    @contextmanager
    def open_office(self, settings):
        yield self

    def run_service(self, settings, roles=()):
        self.runs.append(tuple(roles))

    async def plan_sync(self, settings, room, apply, language):
        self.applied.append((room.name if room else None, apply))
        return self.plan

    async def import_rooms(self, settings):
        return self.plan


@pytest.fixture
def office() -> MemoryOffice:
    return MemoryOffice()


@pytest.fixture
def run(office):
    """Type a command; stdout and stderr come back apart."""
    settings = Settings(rooms={"time_zone": "Europe/Paris"})

    def type_in(*words: str):
        doors = Doors(engine=lambda: office, read=lambda _path: settings)
        return CliRunner().invoke(make_app(), words, obj=doors)

    return type_in


class TestLoans:
    def test_a_room_is_booked_in_local_time(self, run, office):
        """The room by its name, times in the zone of the settings, the end on the day of the start."""
        done = run(*BOOK, "--room", "room 1.01", "-o", "json")
        loan = json.loads(done.stdout)

        assert done.exit_code == 0
        assert (loan["start"], loan["end"]) == ("2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z")
        assert loan["requester"] == {"name": "Alex Doe", "address": "alex@example.org"}
        assert office.desk.decisions[0].actor.startswith("app:")

    @pytest.mark.parametrize("room", ["1", "ROOM-1.01@example.org", "Room 1.01"])
    def test_a_room_goes_by_id_address_or_name(self, run, office, room):
        assert run(*BOOK, "--room", room).exit_code == 0
        assert office.desk.loans[1].items[0].id == 1

    def test_an_unknown_room_gets_a_suggestion(self, run):
        """Exit code 4, one line on stderr, nothing on stdout."""
        done = run(*BOOK, "--room", "Room 1.1")

        assert (done.exit_code, done.stdout) == (4, "")
        assert done.stderr.startswith("error: there is no room 'Room 1.1'; did you mean 'Room 1.01'")
        assert done.stderr.count("\n") == 1

    def test_a_taken_room_is_a_refusal(self, run):
        run(*BOOK, "--room", "1")

        done = run(*BOOK, "--room", "1")

        assert done.exit_code == 1
        assert done.stderr == "error: Room 1.01 is taken 2026-11-23 10:00 - 11:00 by loan 1\n"

    def test_nothing_to_book_is_bad_usage(self, run):
        assert run(*BOOK).exit_code == 2

    def test_a_move_keeps_the_length(self, run, office):
        run(*BOOK, "--room", "1", "--asset", "projector")

        assert run("loans", "move", "1", "--start", "14:00").exit_code == 0
        moved = office.desk.loans[1]
        assert (moved.interval.start.hour, moved.interval.end.hour) == (13, 14)
        assert len(moved.items) == 2

    def test_nothing_to_change_is_bad_usage(self, run):
        run(*BOOK, "--room", "1")

        done = run("loans", "move", "1")

        assert (done.exit_code, done.stderr) == (2, "error: say at least what to change; see --help\n")

    def test_a_life_from_booking_to_closing(self, run):
        run(*BOOK, "--room", "1")

        codes = [run("loans", verb, "1").exit_code for verb in ("approve", "check-out", "close", "cancel")]

        assert codes == [1, 0, 0, 1]

    def test_the_list_is_filtered(self, run):
        run(*BOOK, "--room", "1")
        run(*BOOK, "--room", "2")

        found = json.loads(run("loans", "list", "--room", "Room 1.02", "-o", "json").stdout)

        assert [loan["number"] for loan in found] == [2]
        assert "2026-11-23 10:00" in run("loans", "list").stdout

    def test_a_list_that_was_cut_says_where_to_go_on(self, run):
        run(*BOOK, "--room", "1")
        run(*BOOK, "--room", "2")

        assert "--after 1" in run("loans", "list", "--limit", "1").stderr
        assert run("loans", "list", "--after", "1").stderr == ""

    def test_the_history_reads_in_french(self, run):
        run(*BOOK, "--room", "1")

        assert "Réservé dans l’application." in run("loans", "history", "1", "--lang", "fr").stdout

    @pytest.mark.parametrize("verb", ["show", "history", "cancel"])
    def test_a_loan_that_is_not_there(self, run, verb):
        assert run("loans", verb, "9").exit_code == 4


class TestTheOffice:
    def test_rooms_are_listed(self, run):
        assert [room["name"] for room in json.loads(run("rooms", "list", "-o", "json").stdout)] == [
            "Room 1.01",
            "Room 1.02",
        ]

    @pytest.mark.parametrize(("typed", "zone"), [("America/New_York", "America/New_York"), ("default", None)])
    def test_a_room_is_put_into_a_time_zone(self, run, office, typed, zone):
        assert run("rooms", "set-zone", "Room 1.02", typed).exit_code == 0
        assert office.rooms.zones == {2: zone}

    @pytest.mark.parametrize("typed", ["Mars", "../etc/passwd", ""])
    def test_a_time_zone_that_is_none_is_refused(self, run, office, typed):
        """Exit code 2, one line that says what to type."""
        done = run("rooms", "set-zone", "Room 1.02", typed)

        assert done.exit_code == 2
        assert "Europe/Paris" in done.stderr
        assert office.rooms.zones == {}

    def test_a_dry_run_says_that_it_was_one(self, run, office):
        """The plan goes to stdout, the remark to stderr; nothing is applied unless asked."""
        office.plan = [SimpleNamespace(sign="+", what="Room 1.01", why="Created from a meeting in Outlook")]

        dry, wet = run("sync", "--room", "1"), run("sync", "--apply")

        assert dry.stdout == "+ Room 1.01   Created from a meeting in Outlook\n"
        assert "nothing was changed" in dry.stderr
        assert "1 to add, 0 to change, 0 to take away" in dry.stderr
        assert "nothing was changed" not in wet.stderr
        assert (dry.exit_code, run("sync", "--exit-code").exit_code) == (0, 1)
        assert office.applied == [("Room 1.01", False), (None, True), (None, False)]

    def test_agreement_is_told(self, run):
        assert "agree" in run("sync").stderr

    def test_a_token_is_alone_on_stdout(self, run, office):
        """So that a script can take it."""
        done = run("token", "create", "sign", "--role", "staff")

        assert done.stdout == "secret-of-sign\n"
        assert office.tokens.authenticate("secret-of-sign") == MemoryIdentity("sign", "staff")
        assert "sign" in run("token", "list").stdout
        assert run("token", "revoke", "sign").exit_code == 0
        assert run("token", "revoke", "sign").exit_code == 4

    def test_cases_are_listed_and_settled(self, run, office):
        office.desk.cases.append(Case(1, "room_declined", {"item": "Room 1.01"}, CaseState.OPEN, NOW))

        assert "Room Room 1.01 declined." in run("cases", "list").stdout
        assert run("cases", "settle", "1", "--settlement", "talked it over").exit_code == 0
        assert json.loads(run("cases", "list", "-o", "json").stdout) == []
        assert run("cases", "settle", "1", "--settlement", "again").exit_code == 1

    def test_a_list_that_was_cut_says_so(self, run, office):
        office.desk.cases += [Case(n, "room_declined", {"item": "Room 1.01"}, CaseState.OPEN, NOW) for n in (1, 2)]

        assert "these are the first 1; there may be more" in run("cases", "list", "--limit", "1").stderr
        assert run("cases", "list").stderr == ""

    def test_a_case_is_shown_with_its_ways_settled_and_undone(self, run, office):
        """Ways are named as one types them, rooms with their seats; a way that leads nowhere is refused."""
        office.desk.cases.append(Case(1, "room_declined", {"item": "Room 1.01"}, CaseState.OPEN, NOW))

        shown = run("cases", "show", "1", "--lang", "fr").stdout

        assert "move_room" in shown
        assert "Prendre une salle équivalente libre: Room 1.01 (room 1, 10 seats)" in shown
        assert run("cases", "settle", "1", "keep_loan").exit_code == 1
        assert run("cases", "settle", "1", "ignore", "--room", "Room 9.99").exit_code == 4
        assert run("cases", "settle", "1", "--settlement", "talked", "--room", "1").exit_code == 2
        assert run("cases", "settle", "1", "move_room", "--room", "Room 1.02").exit_code == 0
        assert "possible: cases undo 1" in run("cases", "show", "1").stdout
        assert run("cases", "undo", "1").exit_code == 0
        assert json.loads(run("cases", "show", "1", "-o", "json").stdout)["state"] == "open"
        assert run("cases", "show", "2").exit_code == 4

    @pytest.mark.parametrize(
        ("word", "told"),
        [("keep_laon", "did you mean keep_loan?"), ("fly", "there is no way 'fly'"), ("let it be", "")],
    )
    def test_what_is_no_way_settles_nothing_and_tells_the_ways(self, run, office, word, told):
        """Any word that was near none of the ways closed the case."""
        office.desk.cases.append(Case(1, "room_declined", {"item": "Room 1.01"}, CaseState.OPEN, NOW))

        done = run("cases", "settle", "1", word)

        assert done.exit_code == 2
        assert told in done.stderr
        assert "move_room, drop_room, ignore" in " ".join(done.stderr.split())
        assert json.loads(run("cases", "show", "1", "-o", "json").stdout)["state"] == "open"

    @pytest.mark.parametrize("words", [(), ("ignore", "--settlement", "talked")])
    def test_a_case_is_settled_by_a_way_or_in_words(self, run, office, words):
        office.desk.cases.append(Case(1, "room_declined", {"item": "Room 1.01"}, CaseState.OPEN, NOW))

        assert run("cases", "settle", "1", *words).exit_code == 2
        assert json.loads(run("cases", "show", "1", "-o", "json").stdout)["state"] == "open"

    @pytest.mark.parametrize("words", [("loans", "history", "1"), ("cases", "list"), ("sync",), ("connect",)])
    def test_a_language_that_is_not_spoken_is_refused(self, run, words):
        assert run(*words, "--lang", "de").exit_code == 2

    def test_why_a_room_is_not_booked_is_said_in_words(self, run):
        """The room by its name, the time in the zone of the settings, in either language."""
        asked = run("why", "--room", "Room 1.01", "--at", "2026-11-23 10:00", "--lang", "fr")

        assert asked.exit_code == 0
        assert "Rien n’est connu de Room 1.01 le 2026-11-23 10:00" in asked.stdout
        assert "UTC" not in asked.stdout
        answers = json.loads(run("why", "--room", "1", "--at", "2026-11-23 10:00", "-o", "json").stdout)["answers"]
        assert [answer["code"] for answer in answers] == ["why_nothing_known", "why_never_read"]
        assert "2026-11-23 09:00 UTC" in answers[0]["text"], "scripts are given UTC, as in the API"
        assert run("why", "--room", "Room 9", "--at", "2026-11-23 10:00").exit_code == 4
        assert run("why", "--room", "1", "--at", "soon").exit_code == 2

    def test_what_a_store_settles_by_itself_is_set_and_shown(self, run, office):
        assert run("cases", "policy", "main desk", "room_declined=move_room").exit_code == 0
        assert json.loads(run("cases", "policy", "1", "-o", "json").stdout) == {"room_declined": "move_room"}
        assert run("cases", "policy", "1", "room_declined=nowhere").exit_code == 2
        assert run("cases", "policy", "Main dask").exit_code == 4
        assert run("cases", "policy", "1", "--none", "-o", "json").stdout.strip() == "{}"

    def test_renewals_are_asked_for(self, run, office):
        run("subscriptions", "renew", "--room", "Room 1.02")

        assert office.marks == [("subscription", "2")]
        shown = run("subscriptions", "list").stdout
        assert "Room 1.01" in shown
        assert f"{NOW.astimezone(PARIS):%Y-%m-%d %H:%M}" in shown

    def test_status_and_run(self, run, office):
        assert json.loads(run("status", "-o", "json").stdout)["queue"] == {"waiting": 2}
        assert "queue.waiting" in run("status").stdout
        assert f"room:3 · {NOW.astimezone(PARIS):%Y-%m-%d %H:%M} · no answer" in run("status").stdout
        assert run("run").exit_code == 0
        assert run("run", "--role", "worker", "--role", "scheduler").exit_code == 0
        assert office.runs == [(), ("worker", "scheduler")]
        assert run("run", "--role", "cleaner").exit_code == 2


def test_the_benchmark_tells_its_own_options(run):
    """Its words are its own: `--help` told nothing of them."""
    shown = run("bench", "--help").stdout
    assert "--quick" in shown
    assert "--only" in shown


def test_help_fills_the_terminal_and_keeps_its_paragraphs():
    """Its lines are as long as ours: a narrow terminal broke each of them again, and left stumps."""
    found = typer.main.get_command(make_app()).get_command(None, "run").help

    assert [len(part.splitlines()) for part in found.split("\n\n")] == [1, 1]


class TestANewDatabase:
    """A look from another directory is answered by an empty database: nobody should take that for the truth."""

    @pytest.fixture
    def look(self, tmp_path):
        settings = Settings(database={"url": f"sqlite:///{tmp_path / 'var' / 'accord.db'}"})
        return lambda: CliRunner().invoke(make_app(), ("loans", "list"), obj=Doors(read=lambda _path: settings))

    def test_is_told_where_it_was_made(self, look, tmp_path):
        assert f"{tmp_path / 'var' / 'accord.db'} was not there" in look().stderr

    def test_is_told_once(self, look):
        look()
        assert "was not there" not in look().stderr


class TestEnds:
    @pytest.mark.parametrize(
        ("error", "code"),
        [(BadSettings(("a", "b")), 2), (DatabaseUnusable("x"), 3), (Unreachable("x"), 3), (Invalid(), 2)],
    )
    def test_each_failure_has_its_code(self, error, code):
        assert exit_code(error) == code

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("loans", "list", "--limit", "0"), "'--limit': must be at least 1"),
            (("loans", "list", "--limit", "99999"), "'--limit': must be at most 10000"),
            (("loans", "show", "abc"), "'number': must be a whole number"),
            (("prove", "--seconds", "soon"), "'--seconds': must be a number"),
            (("loans", "list", "--status", "nope"), "'--status': 'nope' is not one of"),
        ],
    )
    def test_what_is_wrong_with_an_argument_is_told_plainly(self, run, words, said):
        """Not in the words of the library that found it."""
        done = run(*words)

        assert done.exit_code == 2
        assert said in " ".join(done.stderr.replace("│", " ").split())

    def test_bad_settings_are_told_one_per_line(self):
        def read(_path):
            raise BadSettings(("[web] port = 0: no", "[web] hots: unknown"))

        done = CliRunner().invoke(make_app(), ["status"], obj=Doors(engine=MemoryOffice, read=read))

        assert done.exit_code == 2
        assert done.stderr.splitlines() == ["error: [web] port = 0: no", "error: [web] hots: unknown"]

    def test_a_simulator_that_is_not_there(self, run):
        done = run("simulate", "people", "--at", "http://127.0.0.1:9")

        assert done.exit_code == 3
        assert "simulate serve" in done.stderr

    def test_plans_are_listed_in_local_time(self, tmp_path):
        """As all times in tables are; in JSON they are UTC."""
        window = Interval(datetime(2026, 11, 22, 23, tzinfo=UTC), datetime(2026, 11, 23, 23, tzinfo=UTC))
        with open_house(tmp_path) as house:
            house.office.backfills.create(window, [], actor="app:test")
            engine = SimpleNamespace(open_office=lambda _settings: nullcontext(house.office))
            doors = Doors(
                engine=lambda: engine, read=lambda _path: Settings(rooms=RoomsSettings(time_zone="Europe/Paris"))
            )
            table, document = (
                CliRunner().invoke(make_app(), ["backfill", "list", *more], obj=doors) for more in ([], ["-o", "json"])
            )

        assert "2026-11-23 00:00  2026-11-24 00:00" in table.stdout
        assert json.loads(document.stdout)[0]["from"] == "2026-11-22T23:00:00+00:00"

    def test_a_file_that_cannot_keep_the_tenant_is_told(self, run, tmp_path):
        (tmp_path / "file").write_text("no database, and no directory either")

        for file in (tmp_path / "file", tmp_path / "file" / "tenant.db"):
            done = run("simulate", "serve", "--port", "0", "--state-file", str(file))
            assert done.exit_code == 1
            assert f"cannot be kept in {file}: " in done.stderr

    def test_a_port_that_is_taken_is_told(self, run):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            done = run("simulate", "serve", "--port", str(port))

        assert done.exit_code == 1
        assert f"port {port}" in done.stderr

    def test_an_address_that_is_none_is_not_reachable(self):
        with pytest.raises(Unreachable):
            ask_over_http("GET", "nonsense", None)


class TestTimes:
    @pytest.mark.parametrize(
        ("text", "hour"),
        [("2026-11-23 10:00", 9), ("2026-07-23T10:00", 8), ("2026-11-23T10:00Z", 10), ("2026-11-23T10:00-05:00", 15)],
    )
    def test_local_time_unless_it_says_otherwise(self, text, hour):
        assert parse_moment(text, PARIS, field="start").hour == hour

    @pytest.mark.parametrize("text", ["2026-03-29 02:30", "2026-10-25 02:30"])
    def test_the_hours_in_which_clocks_change(self, text):
        """A local time that exists twice or never is not guessed at."""
        with pytest.raises(Invalid, match=r"exists twice|does not exist"):
            parse_moment(text, PARIS, field="start")

    @pytest.mark.parametrize("text", ["10:00", "soon", "2026-13-01 10:00", ""])
    def test_what_is_no_time_is_refused(self, text):
        with pytest.raises(Invalid):
            parse_moment(text, PARIS, field="start")

    def test_midnight_ends_the_day(self):
        _, end = parse_stretch("2026-11-23 22:00", "24:00", PARIS)

        assert end.astimezone(PARIS).date() == date(2026, 11, 24)

    def test_an_end_before_the_start_is_refused(self):
        with pytest.raises(Invalid):
            parse_stretch("2026-11-23 10:00", "09:00", PARIS)

    def test_people_by_name_and_address(self):
        assert parse_requester("Alex Doe <alex@example.org>").name == "Alex Doe"
        assert parse_requester("alex@example.org").name == "alex"
        with pytest.raises(Invalid):
            parse_requester("Alex Doe")


class TestTheSimulatedOutlook:
    def test_a_meeting_is_booked_by_a_plain_graph_call(self):
        """What goes over the wire is what a person's client would send."""
        sent: list[tuple[str, str, dict]] = []

        def ask(method: str, url: str, body: bytes | None) -> tuple[int, bytes]:
            sent.append((method, url, json.loads(body or b"{}")))
            return 201, b'{"id": "1"}'

        first, last = parse_stretch("2026-11-23 10:00", "11:00", PARIS)
        SimulatedOutlook("http://127.0.0.1:1/", ask).book("a@example.org", ["r@example.org"], first, last, "Hop")

        method, url, body = sent[0]
        assert (method, url) == ("POST", "http://127.0.0.1:1/v1.0/users/a@example.org/events")
        assert body["start"] == {"dateTime": "2026-11-23T09:00:00", "timeZone": "UTC"}
        assert body["attendees"][0]["type"] == "resource"
