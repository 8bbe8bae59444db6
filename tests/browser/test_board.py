"""The board in use: pointer, keyboard, two people at once, nights, filters, telephones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from engine.ids import Address
from engine.loans.loan import Requester
from engine.loans.register import LoanChange
from engine.loans.status import LoanAction
from engine.rooms.room import Place
from tests.browser.conftest import Visit
from tests.browser.serving import AMELIE, Site, running_site

NOEMIE = Requester(Address("noemie.garnier@example.org"), "Noémie Garnier")
DAY = "/board?view=day&day=2026-11-24"

UNTIL_STILL = """scroller => new Promise((resolve) => {
  let last = null, frames = 0;
  const look = () => {
    frames = scroller.scrollLeft === last ? frames + 1 : 0;
    last = scroller.scrollLeft;
    if (frames > 10) resolve(); else requestAnimationFrame(look);
  };
  look();
})"""
"""A swipe goes on by itself for a while: resolves when the element has not scrolled for ten frames."""


def entry(page: Page, title: str) -> Locator:
    return page.locator(".entry", has_text=title)


def lane(page: Page, room: str) -> Locator:
    return page.locator(".board-row", has=page.locator(".room b", has_text=room)).locator(".lane")


def wait_for_stream(page: Page) -> None:
    """Wait until the page hears of changes."""
    page.wait_for_selector("html[data-connected=yes]", state="attached")


def centre(locator: Locator) -> tuple[float, float]:
    locator.scroll_into_view_if_needed()
    box = locator.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def hour_width(page: Page) -> float:
    """Return how many pixels an hour takes, from an entry that lasts 90 minutes."""
    box = entry(page, "Budget").bounding_box()
    assert box is not None
    return box["width"] / 1.5


def drag(page: Page, start: tuple[float, float], end: tuple[float, float], *, drop: bool = True) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(start[0] + 8, start[1], steps=2)
    page.mouse.move(*end, steps=4)
    page.wait_for_selector(".ghost:not(.cursor)")
    if drop:
        page.mouse.up()


class TestWithThePointer:
    def test_dragging_over_free_time_books(self, fresh: Site, visit: Visit) -> None:
        """The dialog opens with the times that were drawn; the booking appears in its place."""
        fresh.book("Tilleul", "09:00", "10:30", "Budget")
        page = visit(fresh, DAY)
        hour = hour_width(page)
        budget = entry(page, "Budget").bounding_box()
        assert budget is not None
        nine = budget["x"]
        _, y = centre(lane(page, "Saule"))

        drag(page, (nine + 2 * hour + 2, y), (nine + 3.5 * hour - 2, y))
        page.get_by_label("What for").fill("Tea with the mayor")
        page.get_by_role("button", name="Book", exact=True).click()

        expect(entry(page, "Tea with the mayor")).to_contain_text("11:00–12:30")
        expect(page.locator(".toast")).to_contain_text("#2 booked")
        loan = fresh.office.desk.find(2)
        assert (loan.interval.start, loan.interval.end) == (fresh.at("11:00"), fresh.at("12:30"))
        assert loan.requester.address == AMELIE.address

    def test_the_dialog_offers_people_without_their_accents(self, fresh: Site, visit: Visit) -> None:
        """Escape closes what is offered, and not the dialog with it."""
        fresh.book("Tilleul", "09:00", "10:30", "Budget", NOEMIE)
        page = visit(fresh, DAY)
        x, y = centre(lane(page, "Saule"))
        drag(page, (x, y), (x + hour_width(page), y))
        field = page.get_by_role("combobox", name="For whom")
        offered = page.locator(".offered:visible [role=option]")

        field.fill("noemie")
        expect(offered).to_have_count(1)
        field.press("Escape")
        expect(offered).to_have_count(0)
        field.fill("noemie gar")
        offered.click()

        expect(field).to_have_value(f"{NOEMIE.name} <{NOEMIE.address}>")
        page.get_by_role("button", name="Book", exact=True).click()
        expect(page.locator(".toast")).to_contain_text("#2 booked")
        assert fresh.office.desk.find(2).requester == NOEMIE

    def test_a_booking_is_moved_to_another_room_and_taken_back(self, fresh: Site, visit: Visit) -> None:
        loan = fresh.book("Tilleul", "09:00", "10:30", "Budget")
        page = visit(fresh, DAY)
        x, y = centre(entry(page, "Budget"))
        _, target = centre(lane(page, "Saule"))

        drag(page, (x, y), (x + 2 * hour_width(page), target))

        expect(lane(page, "Saule").locator(".entry")).to_contain_text("11:00–12:30")
        expect(page.locator(".entry.saving")).to_have_count(0)
        with fresh.office.database.write() as transaction:  # the new room answers, which is another version
            transaction.connection.exec_driver_sql("UPDATE loan SET version = version + 1")
        page.get_by_role("button", name="Undo").click()
        expect(lane(page, "Tilleul").locator(".entry")).to_contain_text("09:00–10:30")
        expect(page.locator(".toast", has_text="Taken back.")).to_be_visible()
        found = fresh.office.desk.find(loan.number)
        assert found.interval.start == fresh.at("09:00")
        assert [room.name for room in found.rooms] == ["Tilleul"]

    def test_an_end_is_dragged_in_steps_of_a_quarter(self, fresh: Site, visit: Visit) -> None:
        loan = fresh.book("Tilleul", "09:00", "10:30", "Budget")
        page = visit(fresh, DAY)
        hour = hour_width(page)
        box = entry(page, "Budget").bounding_box()
        assert box is not None
        right, y = box["x"] + box["width"] - 2, box["y"] + 20

        drag(page, (right, y), (right + hour * 0.55, y))

        expect(entry(page, "Budget")).to_contain_text("09:00–11:00")
        expect(page.locator(".toast")).to_be_visible()
        assert fresh.office.desk.find(loan.number).interval.end == fresh.at("11:00")

    def test_a_clash_is_shown_before_dropping_and_nothing_is_sent(self, fresh: Site, visit: Visit) -> None:
        loan = fresh.book("Tilleul", "09:00", "10:30", "Budget")
        fresh.book("Saule", "09:00", "10:30", "Choir")
        page = visit(fresh, DAY)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.method))
        x, _ = centre(entry(page, "Budget"))
        _, target = centre(lane(page, "Saule"))

        drag(page, centre(entry(page, "Budget")), (x, target), drop=False)
        expect(page.locator(".ghost")).to_have_class("ghost clash")
        page.mouse.up()

        expect(page.locator(".toast.bad")).to_contain_text("already taken: Choir 09:00–10:30")
        assert "POST" not in asked
        assert fresh.office.desk.find(loan.number).version == loan.version

    def test_escape_gives_a_drag_up(self, fresh: Site, visit: Visit) -> None:
        loan = fresh.book("Tilleul", "09:00", "10:30", "Budget")
        page = visit(fresh, DAY)
        x, y = centre(entry(page, "Budget"))

        drag(page, (x, y), (x + 200, y), drop=False)
        page.keyboard.press("Escape")
        page.mouse.up()

        expect(page.locator(".ghost")).to_have_count(0)
        assert fresh.office.desk.find(loan.number).version == loan.version

    def test_what_somebody_changed_meanwhile_is_not_overwritten(self, fresh: Site, visit: Visit) -> None:
        """Times that were moved by somebody else stay; the entry goes back, and the reason is told."""
        loan = fresh.book("Tilleul", "09:00", "10:30", "Budget")
        page = visit(fresh, DAY, forgiven=(409, 503))
        page.route("**/board/entries**", lambda route: route.fulfill(status=503, json={}))  # the news is late
        other = LoanChange(start=fresh.at("13:00"), end=fresh.at("14:00"))
        fresh.office.desk.change(loan.number, other, actor="app:other")
        x, y = centre(entry(page, "Budget"))

        drag(page, (x, y), (x + hour_width(page), y))

        expect(page.locator(".toast.bad")).to_contain_text("It has changed meanwhile")
        expect(entry(page, "Budget")).to_contain_text("09:00–10:30")
        assert fresh.office.desk.find(loan.number).interval.start == fresh.at("13:00")

    def test_who_only_looks_cannot_drag(self, fresh: Site, visit: Visit) -> None:
        fresh.book("Tilleul", "09:00", "10:30", "Budget")
        page = visit(fresh, DAY, role="viewer")
        x, y = centre(entry(page, "Budget"))

        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 200, y, steps=4)
        page.mouse.up()

        expect(page.locator(".ghost")).to_have_count(0)


class TestWithTheKeyboard:
    def test_a_booking_is_made_without_a_pointer(self, fresh: Site, visit: Visit) -> None:
        """Tab into the board, N to a free place, arrows to another room, Enter, a title, Enter; then on from there."""
        fresh.book("Frêne", "09:00", "10:30", "Budget")
        page = visit(fresh, DAY)
        page.locator("#day").focus()
        for _ in range(12):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.classList.contains('entry')"):
                break

        for key in ("n", "ArrowRight", "ArrowDown", "Enter"):
            page.keyboard.press(key)
        page.keyboard.type("Tea")
        page.keyboard.press("Enter")

        expect(lane(page, "Platane").locator(".entry")).to_contain_text("10:45–11:45")
        assert fresh.office.desk.find(2).title == "Tea"
        expect(lane(page, "Platane").locator(".entry")).to_be_focused()

    def test_alt_and_arrows_move_and_enter_keeps(self, fresh: Site, visit: Visit) -> None:
        loan = fresh.book("Frêne", "09:00", "10:30", "Budget")
        page = visit(fresh, DAY)
        entry(page, "Budget").focus()

        for key in ("Alt+ArrowRight", "Alt+ArrowDown", "Alt+Shift+ArrowRight"):
            page.keyboard.press(key)
        expect(page.locator("#board-says")).to_have_text("Move to Platane, 09:15–11:00")
        assert fresh.office.desk.find(loan.number).version == loan.version
        page.keyboard.press("Enter")

        expect(lane(page, "Platane").locator(".entry")).to_contain_text("09:15–11:00")
        expect(lane(page, "Platane").locator(".entry")).to_be_focused()

    def test_ctrl_z_takes_moves_back_the_last_one_first(self, fresh: Site, visit: Visit) -> None:
        """One message tells of one booking: the button of an earlier one would take nothing back any more."""
        loan = fresh.book("Frêne", "09:00", "10:30", "Budget")
        page = visit(fresh, DAY)
        entry(page, "Budget").focus()
        for hours in ("09:15–10:45", "09:30–11:00"):
            page.keyboard.press("Alt+ArrowRight")
            page.keyboard.press("Enter")
            expect(page.locator(".toast")).to_have_count(1)
            expect(entry(page, "Budget")).to_contain_text(hours)
            expect(page.locator(".entry.saving")).to_have_count(0)

        for hours in ("09:15–10:45", "09:00–10:30"):
            page.keyboard.press("Control+z")
            expect(entry(page, "Budget")).to_contain_text(hours)
        page.keyboard.press("Control+z")

        expect(page.locator("#board-says")).to_have_text("There is no move to take back.")
        assert fresh.office.desk.find(loan.number).interval == loan.interval

    def test_ctrl_z_waits_for_the_move_that_is_on_its_way(self, fresh: Site, visit: Visit) -> None:
        """Pressed at once, it took back the move before, which then was not the last one any more."""
        loan = fresh.book("Frêne", "09:00", "10:30", "Budget")
        page = visit(fresh, DAY)
        held: list[Route] = []
        entry(page, "Budget").focus()
        page.keyboard.press("Alt+ArrowRight")
        page.keyboard.press("Enter")
        expect(page.locator(".toast")).to_have_count(1)
        page.route("**/move", lambda route: route.continue_() if held else held.append(route))
        with page.expect_request("**/move"):
            page.keyboard.press("Alt+ArrowRight")
            page.keyboard.press("Enter")

        page.keyboard.press("Control+z")
        page.keyboard.press("Control+z")
        held[0].continue_()

        expect(page.locator("#board-says")).to_have_text("Taken back.")
        expect(entry(page, "Budget")).to_contain_text("09:00–10:30")
        assert fresh.office.desk.find(loan.number).interval == loan.interval

    def test_news_from_before_a_move_does_not_show_it_undone(self, fresh: Site, visit: Visit) -> None:
        loan = fresh.book("Frêne", "09:00", "10:30", "Budget")
        page = visit(fresh, DAY)
        held: list[Route] = []
        page.route("**/move", lambda route: held.append(route))
        entry(page, "Budget").focus()
        with page.expect_request("**/move"):
            page.keyboard.press("Alt+ArrowRight")
            page.keyboard.press("Enter")
        page.evaluate("() => { document.body.addEventListener('accord:loans', () => { document.body.id = 'told'; }); }")

        fresh.office.desk.change(loan.number, LoanChange(title="Budget, second reading"), actor="app:other")
        expect(page.locator("#told")).to_be_attached()
        page.evaluate("new Promise((resolve) => setTimeout(resolve, 700))")  # as long as news may take to be read

        expect(entry(page, "Budget")).to_contain_text("09:15–10:45")
        held[0].continue_()
        expect(entry(page, "second reading")).to_contain_text("09:15–10:45")

    @pytest.mark.parametrize(("key", "focused"), [("n", ".cursor"), ("ArrowDown", ".entry")])
    def test_a_key_leads_to_the_board_where_nothing_has_the_focus(
        self, fresh: Site, visit: Visit, key: str, focused: str
    ) -> None:
        fresh.book("Frêne", "09:00", "10:30", "Budget")
        page = visit(fresh, DAY)

        page.keyboard.press(key)

        expect(page.locator(f".lane {focused}")).to_be_focused()

    def test_enter_pressed_twice_books_once(self, fresh: Site, visit: Visit) -> None:
        """The second would be told that the room is taken: by the first."""
        page = visit(fresh, DAY)
        sent: list[str] = []
        page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
        page.keyboard.press("n")
        page.keyboard.press("Enter")
        page.keyboard.type("Tea")

        page.evaluate("() => { for (const _ of [1, 2]) document.getElementById('booking-form').requestSubmit(); }")

        expect(page.locator(".toast")).to_contain_text("#1 booked")
        assert len(sent) == 1

    def test_escape_gives_a_move_up(self, fresh: Site, visit: Visit) -> None:
        fresh.book("Frêne", "09:00", "10:30", "Budget")
        page = visit(fresh, DAY)
        entry(page, "Budget").focus()

        for key in ("Alt+ArrowRight", "Escape"):
            page.keyboard.press(key)

        expect(page.locator("#board-says")).to_have_text("Stays as it was.")
        expect(page.locator(".ghost")).to_have_count(0)

    def test_a_clash_is_said(self, fresh: Site, visit: Visit) -> None:
        fresh.book("Frêne", "09:00", "10:30", "Budget")
        fresh.book("Platane", "09:00", "10:30", "Choir")
        page = visit(fresh, DAY)
        entry(page, "Budget").focus()

        page.keyboard.press("Alt+ArrowDown")

        expect(page.locator("#board-says")).to_contain_text("already taken: Choir")

    def test_arrows_go_from_booking_to_booking_and_enter_opens(self, fresh: Site, visit: Visit) -> None:
        for title, room, start, end in (
            ("One", "Frêne", "09:00", "10:00"),
            ("Two", "Frêne", "11:00", "12:00"),
            ("Three", "Platane", "11:00", "12:00"),
        ):
            fresh.book(room, start, end, title)
        page = visit(fresh, DAY)
        entry(page, "One").focus()

        for key, title in (("ArrowRight", "Two"), ("ArrowDown", "Three"), ("ArrowUp", "Two"), ("ArrowLeft", "One")):
            page.keyboard.press(key)
            expect(entry(page, title)).to_be_focused()
        page.keyboard.press("Enter")

        page.wait_for_url("**/loans/1")


@pytest.mark.parametrize("view", ["day", "week"])
def test_the_name_of_a_room_is_whole_on_a_telephone(tmp_path: Path, visit: Visit, view: str) -> None:
    """Over some lines; the whole of a longer one is its tooltip."""
    names = ("Salle du conseil municipal", "Oak", "Salle des mariages, des fêtes et des cérémonies du premier étage")
    places = tuple(Place(name, Address(f"room-{number}@example.org"), name) for number, name in enumerate(names))
    with running_site(tmp_path, places) as site:
        page = visit(site, DAY.replace("day&", f"{view}&"), width=390, height=844)

        council, longest = (page.locator(".room b", has_text=name) for name in (names[0], names[2]))
        assert council.evaluate("(b) => [b.scrollHeight - b.clientHeight, b.scrollWidth - b.clientWidth]") == [0, 0]
        expect(longest).to_have_attribute("title", names[2])
        inside = "(b) => b.getBoundingClientRect().bottom <= b.closest('.board-row').getBoundingClientRect().bottom"
        assert longest.evaluate(inside)
        page.context.close()


def test_a_day_is_printed_without_what_one_does_there(site: Site, visit: Visit) -> None:
    page = visit(site, DAY)

    page.emulate_media(media="print")

    expect(page.locator("header.side")).to_be_hidden()
    expect(page.locator(".bar form").first).to_be_hidden()
    expect(page.locator(".bar-title")).to_be_visible()
    expect(page.locator(".entry").first).to_be_visible()


class TestTwoPeople:
    def test_what_one_does_the_other_sees(self, fresh: Site, visit: Visit) -> None:
        """A booking, a move and a cancellation, without a reload."""
        here = visit(fresh, DAY)
        there = visit(fresh, "/board?view=week&day=2026-11-24", role="viewer")
        for page in (here, there):
            wait_for_stream(page)

        loan = fresh.book("Saule", "09:00", "10:30", "Budget")
        expect(entry(here, "Budget")).to_be_visible()
        expect(lane(there, "Saule").locator(".entry")).to_have_count(1)
        fresh.office.desk.change(loan.number, LoanChange(start=fresh.at("10:00"), end=fresh.at("11:00")), actor="app:x")
        expect(entry(here, "Budget")).to_contain_text("10:00–11:00")
        fresh.office.desk.act(loan.number, LoanAction.CANCEL, actor="app:x")

        expect(entry(here, "Budget")).to_have_count(0)
        expect(lane(there, "Saule").locator(".entry")).to_have_count(0)

    def test_the_page_of_a_loan_follows_too(self, fresh: Site, visit: Visit) -> None:
        loan = fresh.book("Saule", "09:00", "10:30", "Budget")
        page = visit(fresh, f"/loans/{loan.number}")
        wait_for_stream(page)

        fresh.office.desk.act(loan.number, LoanAction.CHECK_OUT, actor="app:x")

        expect(page.locator(".status-out")).to_have_text("Handed over")
        page.get_by_role("button", name="Take back").click()
        expect(page.locator(".status-completed")).to_be_visible()


class TestTheKeyboard:
    @pytest.mark.parametrize(
        ("role", "has"), [("staff", ["N", "Ctrl", "Ctrl"]), ("requester", ["N", "Ctrl"]), ("viewer", ["Ctrl"])]
    )
    def test_its_keys_are_told_to_whoever_may_use_them(
        self, site: Site, visit: Visit, role: str, has: list[str]
    ) -> None:
        """To eyes too, from the foot of the board; Escape closes it and gives the focus back."""
        page = visit(site, DAY, role=role)
        opener = page.locator(".keys-menu summary")
        opener.press("Enter")

        keys = page.locator(".keys kbd")
        expect(keys.first).to_be_visible()
        assert [key for key in keys.all_inner_texts() if key in ("N", "Ctrl")] == has
        page.keyboard.press("Escape")
        expect(keys.first).to_be_hidden()
        expect(opener).to_be_focused()


class TestWhatIsShown:
    def test_a_booking_over_midnight_goes_on_the_next_day(self, site: Site, visit: Visit) -> None:
        page = visit(site, DAY)
        assert "goes-on" in (entry(page, "Night of the theses").get_attribute("class") or "")

        page = visit(site, "/board?view=day&day=2026-11-25")

        classes = entry(page, "Night of the theses").get_attribute("class") or ""
        assert "from-before" in classes
        assert "goes-on" not in classes

    def test_a_declined_room_stays_in_sight_beside_what_took_its_place(self, fresh: Site, visit: Visit) -> None:
        """Both are drawn, one under the other; the declined one says so, to eyes and to screen readers."""
        declined = fresh.book("Saule", "09:00", "10:30", "Budget")
        with fresh.office.database.write() as transaction:
            transaction.connection.exec_driver_sql(
                f"UPDATE loan_item SET state = 'declined', holds = 0 WHERE loan_number = {declined.number}"
            )
        fresh.book("Saule", "10:00", "11:00", "Tea with the mayor")

        page = visit(fresh, DAY)

        first, second = entry(page, "Budget"), entry(page, "Tea with the mayor")
        expect(first).to_have_class(re.compile("state-declined"))
        expect(first).to_have_attribute("aria-label", re.compile("Declined"))
        one, other = first.bounding_box(), second.bounding_box()
        assert one is not None
        assert other is not None
        assert one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"]

    def test_nothing_lies_outside_its_lane(self, site: Site, visit: Visit) -> None:
        for path in (DAY, DAY.replace("day&", "week&")):
            page = visit(site, path)

            outside = page.evaluate("""() => [...document.querySelectorAll(".entry")].filter((entry) => {
                const box = entry.getBoundingClientRect(), lane = entry.parentElement.getBoundingClientRect();
                const isBeside = box.left < lane.left - 1 || box.right > lane.right + 5;
                return isBeside || box.top < lane.top || box.bottom > lane.bottom + 1;
            }).map((entry) => entry.textContent)""")

            assert outside == []

    def test_a_week_has_room_for_titles_and_folds_an_empty_weekend(self, fresh: Site, visit: Visit) -> None:
        """The title of half an hour stands beside it; a weekend on which something is booked takes its place again."""
        fresh.book("Saule", "09:00", "09:30", "Budget 2027")
        page = visit(fresh, DAY.replace("day&", "week&"))
        wait_for_stream(page)

        box = entry(page, "Budget").locator("b").bounding_box()
        assert box is not None
        assert box["width"] > 60
        expect(page.locator(".head-day.quiet")).to_have_count(2)

        fresh.book("Saule", "10:00", "11:00", "Open day", day=5)

        expect(page.locator(".head-day.quiet")).to_have_count(1)
        expect(entry(page, "Open day")).to_be_visible()

    def test_a_folded_day_has_its_name_on_one_line(self, site: Site, visit: Visit) -> None:
        """Sundays have the shorter name; *sam. 28* broke in two."""
        page = visit(site, "/board?view=week&day=2027-02-22", language="fr-FR")

        names = page.locator(".head-day.quiet a")
        expect(names).to_have_text(["sam. 27", "dim. 28"])
        for name in names.all():
            assert name.evaluate(
                "a => [a.getClientRects().length, a.parentElement.scrollWidth - a.parentElement.clientWidth]"
            ) == [1, 0]

    @pytest.mark.parametrize("width", [390, 1400])
    def test_the_title_of_an_hour_is_whole(self, fresh: Site, visit: Visit, width: int) -> None:
        """In as many lines as it needs, on a telephone and on a desk."""
        for start, end, title in (("09:00", "10:00", "Tea with the mayor"), ("10:00", "11:00", "Conseil de quartier")):
            fresh.book("Saule", start, end, title)
        page = visit(fresh, DAY, width=width, height=844)

        for title in ("Tea", "Conseil"):
            shown = entry(page, title).locator("b")
            expect(shown).to_be_visible()
            assert shown.evaluate("(b) => [b.scrollHeight - b.clientHeight, b.scrollWidth - b.clientWidth]") == [0, 0]
            assert shown.evaluate(
                "(b) => b.getBoundingClientRect().bottom <= b.parentElement.getBoundingClientRect().bottom"
            )

    @pytest.mark.parametrize("title", ["Tea", "Conseil de quartier, avec tous"])
    def test_an_hour_and_a_half_has_its_times_below_its_title(self, fresh: Site, visit: Visit, title: str) -> None:
        fresh.book("Saule", "10:30", "12:00", title)

        shown = entry(visit(fresh, DAY), title)

        expect(shown.locator("small")).to_contain_text("10:30–12:00")
        assert shown.evaluate(
            "(all) => all.querySelector('small').getBoundingClientRect().bottom <= all.getBoundingClientRect().bottom"
        )

    @pytest.mark.parametrize("width", [390, 800, 1400])
    def test_half_an_hour_between_two_others_has_the_beginning_of_its_title(
        self, fresh: Site, visit: Visit, width: int
    ) -> None:
        for start, end, title in (
            ("09:00", "10:00", "Tea"),
            ("10:00", "10:30", "Budget of the year"),
            ("10:30", "12:00", "Conseil de quartier"),
        ):
            fresh.book("Saule", start, end, title)

        shown = entry(visit(fresh, DAY, width=width, height=844), "Budget")

        expect(shown.locator("b")).to_be_visible()
        assert shown.evaluate("(all) => all.querySelector('b').clientHeight <= all.clientHeight")
        expect(shown).to_have_attribute("aria-label", re.compile("Budget of the year 10:00–10:30"))

    @pytest.mark.parametrize("view", ["day", "week"])
    def test_the_title_of_half_an_hour_is_whole_at_the_edge(self, fresh: Site, visit: Visit, view: str) -> None:
        """It stands before its booking where there is no room behind, unless that of the one before stands there."""
        for room, start, end, title in (
            ("Saule", "18:30", "19:00", "Steering committee"),
            ("Platane", "17:30", "18:00", "Tea with the mayor"),
            ("Platane", "18:30", "19:00", "Tea with the prefect"),
            ("Tilleul", "09:00", "10:30", "Tea with the mayor, and a word"),
        ):
            fresh.book(room, start, end, title, day=5)
        page = visit(fresh, DAY.replace("day&", f"{view}&").replace("2026-11-24", "2026-11-28"))

        if view == "day":
            for title in ("Steering committee", "and a word"):
                shown = entry(page, title).locator("b")
                expect(shown).to_be_visible()
                beyond = shown.evaluate("(b) => [b.scrollHeight - b.clientHeight, b.scrollWidth - b.clientWidth]")
                assert beyond == [0, 0]
        lanes = page.locator(".lane").evaluate_all("""(all) => all.map((lane) => {
            const boxes = [...lane.querySelectorAll("b")].filter((b) => b.checkVisibility()).map((b) => {
                const range = new Range();
                range.selectNodeContents(b);
                return range.getBoundingClientRect();
            });
            return [lane.getBoundingClientRect(), ...boxes].map(({left, right}) => [left, right]);
        })""")
        for (left, right), *titles in lanes:
            assert titles == sorted(titles)
            edges = [left, *(edge for title in titles for edge in title), right]
            assert edges == sorted(edges)

    def test_what_goes_on_beyond_the_day_says_so(self, fresh: Site, visit: Visit) -> None:
        """An end on the next day is none of this one's hours."""
        fresh.book("Saule", "09:00", "34:00", "Exhibition")
        fresh.book("Tilleul", "09:00", "60:00", "Fair")
        following = DAY.replace("2026-11-24", "2026-11-25")

        assert [
            entry(visit(fresh, there, language=language), title).locator("small").inner_text().split(" Mathieu")[0]
            for there, title, language in (
                (DAY, "Exhibition", "en-GB"),
                (following, "Exhibition", "fr-FR"),
                (following, "Fair", "en-GB"),
            )
        ] == ["from 09:00", "jusqu’à 10:00", "all day"]
        listed = visit(fresh, DAY.replace("view=day", "view=list")).locator(".list-time").all_inner_texts()
        assert listed == ["from 09:00", "from 09:00"]

    def test_a_week_on_a_telephone_cuts_no_word_off_in_the_middle(self, fresh: Site, visit: Visit) -> None:
        """A title ends in dots where it is too long, and stays away where no word begins; its name has it all."""
        for start, end, title in (("08:00", "09:00", "Steering committee"), ("09:00", "09:30", "Kick-off")):
            fresh.book("Saule", start, end, title)
        fresh.book("Saule", "09:30", "13:00", "Incomprehensibilities")
        page = visit(fresh, DAY.replace("day&", "week&"), width=390, height=844)

        titles = page.locator(".entry b:visible")
        clipped = (
            "(all) => all.filter((b) => b.clientWidth < 30 || getComputedStyle(b).textOverflow !== 'ellipsis').length"
        )
        assert titles.count() > 0
        assert titles.evaluate_all(clipped) == 0
        seats = page.locator(".room small")
        assert seats.evaluate_all("(all) => all.filter((one) => one.scrollWidth > one.clientWidth).length") == 0
        entry(page, "Kick-off").focus()
        expect(entry(page, "Kick-off")).to_have_accessible_name(re.compile("Kick-off 09:00–09:30"))

    def test_private_bookings_show_as_taken(self, site: Site, visit: Visit) -> None:
        page = visit(site, DAY, role="admin")

        expect(page.locator(".entry", has_text="Private booking")).to_have_count(1)
        assert "Surprise" not in page.content()

    def test_filters_leave_the_rooms_that_fit(self, site: Site, visit: Visit) -> None:
        page = visit(site, DAY)

        page.locator(".filter-menu summary").click()
        page.get_by_label("People", exact=True).fill("20")
        page.get_by_role("checkbox", name="projector").check()
        page.get_by_role("button", name="Show").click()

        expect(page.locator(".room b")).to_have_text(["Platane", "Tilleul"])
        expect(page.locator(".filter-menu .count")).to_have_text("2 of 4")

    def test_on_a_telephone_there_is_a_list_and_the_timeline_behind_it(self, site: Site, visit: Visit) -> None:
        page = visit(site, "/board?day=2026-11-24", width=390, height=844)

        page.wait_for_url("**view=list**")
        expect(page.locator(".list-room", has_text="Platane")).to_contain_text("Tea with the mayor")
        page.get_by_role("link", name="Day", exact=True).click()

        expect(page.locator("#board")).to_be_visible()

    def test_it_speaks_french(self, site: Site, visit: Visit) -> None:
        page = visit(site, DAY, language="fr-FR")

        expect(page.locator("h1")).to_have_text("mardi 24 novembre 2026")
        expect(page.get_by_role("link", name="Semaine")).to_be_visible()

    @pytest.mark.parametrize(("choice", "shown"), [("Dark", "dark"), ("Light", "light")])
    def test_the_theme_is_chosen_in_the_menu(self, site: Site, visit: Visit, choice: str, shown: str) -> None:
        page = visit(site, "/account")

        page.locator(".account-menu summary").click()
        page.get_by_role("button", name=choice, exact=True).click()

        expect(page.locator("html")).to_have_attribute("data-theme", shown)


class TestOnATouchScreen:
    def test_a_long_press_lifts_and_a_swipe_scrolls(self, fresh: Site, visit: Visit) -> None:
        loan = fresh.book("Frêne", "09:00", "10:30", "Budget")
        page = visit(fresh, DAY, has_touch=True)
        x, y = centre(entry(page, "Budget"))
        hour = hour_width(page)
        touch = page.context.new_cdp_session(page)

        def send(kind: str, *points: tuple[float, float]) -> None:
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": a, "y": b} for a, b in points]})

        send("touchStart", (x, y))
        for step in range(1, 9):  # as a finger goes: one jump would outrun what the page says of overscrolling
            send("touchMove", (x + hour * step / 8, y))
            page.evaluate("new Promise(requestAnimationFrame)")
        send("touchEnd")
        assert fresh.office.desk.find(loan.number).version == loan.version

        page.locator("#board-scroll").evaluate(UNTIL_STILL)
        x, y = centre(entry(page, "Budget"))
        send("touchStart", (x, y))
        page.wait_for_selector(".lifted")
        send("touchMove", (x + hour / 2, y))
        send("touchMove", (x + hour, y))
        expect(page.locator(".ghost")).to_have_text("10:00–11:30")
        send("touchEnd")

        expect(entry(page, "Budget")).to_contain_text("10:00–11:30")
