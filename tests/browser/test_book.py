"""The booking form in use: what it shows while it is filled, by pointer and by keyboard, in two browsers."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, Route, expect

from engine.ids import Address, LoanNumber
from engine.loans.loan import Requester
from tests.browser.conftest import Visit
from tests.browser.serving import AMELIE, MATHIEU, Site
from tests.browser.test_every_page import run_axe

NOEMIE = Requester(Address("noemie.garnier@example.org"), "Noémie Garnier")
TEN = "/book?day=2026-11-24&start=10:00&end=11:00"


def offer(page: Page, name: str) -> Locator:
    return page.locator(".book-offer", has=page.locator("b", has_text=name))


def heading_of(page: Page, name: str) -> Locator:
    return page.locator(".book-group", has=page.locator("b", has_text=name)).locator("legend")


class TestFillingIt:
    def test_availability_follows_the_times(self, fresh: Site, visit: Visit) -> None:
        fresh.book("Saule", "14:00", "15:00", "Choir")
        page = visit(fresh, TEN)
        expect(heading_of(page, "Saule")).to_have_text("Free")

        page.get_by_label("From, time").focus()
        page.get_by_label("From, time").select_option("14:30")

        expect(heading_of(page, "Saule")).to_have_text("Not free then")
        expect(page.get_by_label("To, time")).to_have_value("15:30")
        expect(page.get_by_label("From, time")).to_be_focused()
        expect(page.locator("#book-said")).to_have_text("3 rooms are free, 14:30 – 15:30")

    def test_a_choice_shows_what_outlook_will_be_told_and_keeps_the_focus(self, fresh: Site, visit: Visit) -> None:
        page = visit(fresh, TEN)
        page.get_by_label("What for").fill("Tea")

        offer(page, "Saule").get_by_role("checkbox").check()

        expect(page.locator("#book-told")).to_contain_text("#… Amélie Durand")
        expect(page.locator("#book-bar")).to_contain_text("Saule")
        expect(offer(page, "Saule").get_by_role("checkbox")).to_be_focused()
        expect(page.get_by_label("What for")).to_have_value("Tea")

    def test_the_list_stays_where_it_is(self, fresh: Site, visit: Visit) -> None:
        """A part of it is gone to, and what is chosen there stays in sight."""
        for number in range(30):
            fresh.office.desk.add_asset(f"Thing {number}", store=None, description="", actor="app:test")
        fresh.book("Saule", "10:00", "11:00", "Choir")
        page = visit(fresh, TEN)

        page.get_by_role("link", name="Not free then 1").click()
        expect(offer(page, "Saule")).to_be_in_viewport()
        expect(offer(page, "Saule").get_by_role("checkbox")).to_be_focused()
        page.keyboard.press("Space")

        expect(page.locator("#book-list .notice")).to_contain_text("Saule")
        assert page.evaluate("document.getElementById('book-scroll').scrollTop") > 300

    def test_two_presses_book_once(self, fresh: Site, visit: Visit) -> None:
        """The second one would be refused: the room is taken, by the first."""
        page = visit(fresh, f"{TEN}&item={fresh.room('Saule')}")
        sent: list[str] = []
        page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)

        page.locator("#book-bar").get_by_role("button", name="Book").dblclick()

        page.wait_for_url("**/loans/*")
        assert len([url for url in sent if url.endswith("/book")]) == 1, "the form may have looked once more, too"

    def test_a_long_word_for_a_title_stays_in_the_window(self, fresh: Site, visit: Visit) -> None:
        loan = fresh.book("Saule", "10:00", "11:00", "é" * 255)

        for path in (f"/loans/{loan.number}", "/board?view=list&day=2026-11-24"):
            page = visit(fresh, path, width=390)
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0

    def test_what_is_taken_offers_another_room_and_another_time(self, fresh: Site, visit: Visit) -> None:
        fresh.book("Saule", "09:00", "10:15", "Choir")
        page = visit(fresh, f"{TEN}&item={fresh.room('Saule')}")
        expect(page.locator(".book-obstacle")).to_contain_text("Taken 09:00 – 10:15")

        page.get_by_role("button", name="10:15 – 11:15").click()

        expect(page.locator(".book-obstacle")).to_have_count(0)
        expect(page.get_by_label("From, time")).to_have_value("10:15")
        page.get_by_label("From, time").select_option("10:00")
        page.locator(".book-obstacle").get_by_role("button", name="Platane").click()
        expect(offer(page, "Platane").get_by_role("checkbox")).to_be_checked()
        expect(offer(page, "Saule").get_by_role("checkbox")).not_to_be_checked()

    def test_what_somebody_else_books_shows_at_once(self, fresh: Site, visit: Visit) -> None:
        page = visit(fresh, f"{TEN}&item={fresh.room('Saule')}")
        expect(page.locator("html[data-connected=yes]")).to_have_count(1)
        page.wait_for_timeout(300)  # until the stream has had its first look
        page.get_by_label("Notes").fill("Two kettles")

        fresh.book("Saule", "10:00", "11:00", "Choir")

        expect(page.locator(".book-obstacle")).to_contain_text("Saule")
        expect(page.get_by_label("Notes")).to_have_value("Two kettles")

    def test_typing_a_name_leaves_the_rooms_that_hold_it(self, fresh: Site, visit: Visit) -> None:
        page = visit(fresh, TEN)

        page.get_by_label("Name, building or tag").press_sequentially("annexe")

        expect(page.locator(".book-offer")).to_have_count(1)
        expect(page.get_by_label("Name, building or tag")).to_be_focused()


class TestBooking:
    def test_with_the_keyboard_alone(self, fresh: Site, visit: Visit) -> None:
        page = visit(fresh, f"{TEN}&people=8")
        page.get_by_label("People", exact=True).focus()

        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        expect(offer(page, "Saule").get_by_role("checkbox")).to_be_focused()
        page.keyboard.press("Space")
        expect(page.locator("#book-bar")).to_contain_text("Saule")
        page.get_by_label("What for").focus()
        page.keyboard.type("Tea with the mayor")
        page.keyboard.press("Enter")

        page.wait_for_url("**/loans/1")
        expect(page.locator("h1")).to_contain_text("Tea with the mayor")
        loan = fresh.office.desk.find(LoanNumber(1))
        assert (loan.interval.start, loan.interval.end) == (fresh.at("10:00"), fresh.at("11:00"))

    def test_for_somebody_whom_the_list_offers(self, fresh: Site, visit: Visit) -> None:
        fresh.book("Platane", "10:00", "11:00", "Choir", MATHIEU)
        page = visit(fresh, f"{TEN}&item={fresh.room('Saule')}")

        page.get_by_label("For whom").click()
        page.keyboard.type("mathi")
        page.get_by_role("option", name="Mathieu Dupuis").click()
        expect(page.get_by_label("For whom")).to_have_value("Mathieu Dupuis <mathieu.dupuis@example.org>")
        expect(page.get_by_label("For whom")).to_be_focused()
        expect(page.locator("#book-told")).to_contain_text("#… Mathieu Dupuis")
        page.locator("#book-save").click()

        page.wait_for_url("**/loans/2")
        assert fresh.office.desk.find(LoanNumber(2)).requester == MATHIEU

    def test_the_list_folds_accents_and_is_used_by_keyboard(self, fresh: Site, visit: Visit) -> None:
        """A combobox: the arrows go through it, Enter takes, Escape closes it and nothing else."""
        fresh.book("Platane", "10:00", "11:00", "Choir", NOEMIE)
        fresh.book("Platane", "11:00", "12:00", "Choir", Requester(Address("n.noel@example.org"), "Noël Noémi"))
        page = visit(fresh, f"{TEN}&item={fresh.room('Saule')}")
        field = page.get_by_role("combobox", name="For whom")
        offered = page.locator(".offered:visible [role=option]")
        field.focus()

        page.keyboard.type("noemi")
        expect(offered).to_have_count(2)
        expect(field).to_have_attribute("aria-expanded", "true")
        assert run_axe(page) == []
        page.keyboard.press("ArrowUp")  # from the field to the last one
        if "Noël" in page.locator(".offered [aria-selected=true]").inner_text():
            page.keyboard.press("ArrowUp")
        pointed = page.locator(".offered [aria-selected=true]").get_attribute("id") or "none"
        expect(field).to_have_attribute("aria-activedescendant", pointed)
        page.keyboard.press("Enter")

        expect(field).to_have_value(f"{NOEMIE.name} <{NOEMIE.address}>")
        expect(page.locator("#book-told")).to_contain_text("#… Noémie Garnier")
        expect(offered).to_have_count(0)
        field.fill("noel")
        expect(offered).to_have_count(1)
        page.keyboard.press("Escape")
        expect(offered).to_have_count(0)
        expect(field).to_have_value("noel")

    def test_when_somebody_was_faster_everything_written_stays(self, fresh: Site, visit: Visit) -> None:
        page = visit(fresh, f"{TEN}&item={fresh.room('Saule')}", forgiven=(409,))
        page.get_by_label("What for").fill("Tea")
        page.evaluate("document.querySelector('[hx-trigger*=\"accord:loans\"]').remove()")  # it must come as a surprise
        fresh.book("Saule", "10:00", "11:00", "Choir")

        page.locator("#book-save").click()

        expect(page.get_by_role("alert")).to_contain_text("Already taken")
        expect(page.locator(".book-obstacle").get_by_role("button", name="Platane")).to_be_visible()
        expect(page.get_by_label("What for")).to_have_value("Tea")

    def test_a_requester_books_for_themselves_on_a_telephone(self, fresh: Site, visit: Visit) -> None:
        page = visit(fresh, TEN, role="requester", width=390, height=844)

        offer(page, "Frêne").get_by_role("checkbox").check()
        expect(page.locator("#book-bar")).to_contain_text("Frêne")
        page.locator("#book-save").click()

        page.wait_for_url("**/loans/1")
        assert fresh.office.desk.find(LoanNumber(1)).requester == AMELIE

    def test_without_scripts_it_works_too(self, fresh: Site, visit: Visit) -> None:
        fresh.book("Saule", "09:00", "10:15", "Choir")
        page = visit(fresh, f"{TEN}&item={fresh.room('Saule')}", java_script_enabled=False)

        page.get_by_role("button", name="10:15 – 11:15").click()
        page.locator("#book-save").click()

        page.wait_for_url("**/loans/2")
        assert fresh.office.desk.find(LoanNumber(2)).interval.start == fresh.at("10:15")


class TestFromTheBoard:
    def test_the_small_dialog_leads_to_the_form_with_what_was_drawn(self, fresh: Site, visit: Visit) -> None:
        fresh.book("Frêne", "09:00", "10:30", "Budget")
        page = visit(fresh, "/board?view=week&day=2026-11-24")
        page.locator(".entry").focus()
        for key in ("n", "ArrowDown", "Enter"):
            page.keyboard.press(key)
        expect(page.locator("#booking")).to_be_visible()
        room, start = page.locator("#booking-room").inner_text(), page.locator("#booking-start").input_value()

        page.get_by_role("link", name="More…").click()

        page.wait_for_url("**/book?**")
        expect(offer(page, room).get_by_role("checkbox")).to_be_checked()
        minute = int(start)
        expect(page.get_by_label("From, time")).to_have_value(f"{minute // 60 % 24:02d}:{minute % 60:02d}")
        expect(page.locator("#book-day")).to_have_value(f"2026-11-{23 + minute // 1440}")


class TestFindingARoom:
    def test_the_answer_follows_the_question_and_one_click_books(self, fresh: Site, visit: Visit) -> None:
        fresh.book("Saule", "10:00", "11:00", "Choir")
        page = visit(fresh, "/find?day=2026-11-24&start=10:00", role="requester")
        expect(page.locator(".find-part").first.locator(".find-room")).to_have_count(3)

        page.get_by_label("People", exact=True).fill("20")
        page.get_by_role("checkbox", name="stage").check()

        expect(page.locator(".find-part").first.locator(".find-name b")).to_have_text(["Tilleul", "Platane"])
        expect(page.locator("#find-said")).to_have_text("2 rooms are free, 10:00 – 11:00")
        assert "people=20" in page.url
        page.get_by_role("button", name="Book Tilleul, 10:00 – 11:00").click()
        page.wait_for_url("**/loans/2")
        assert fresh.office.desk.find(LoanNumber(2)).requester == AMELIE

    def test_by_keyboard_with_the_details_in_the_form(self, fresh: Site, visit: Visit) -> None:
        page = visit(fresh, "/find?day=2026-11-24&start=10:00&people=8")

        page.get_by_role("link", name="More about Saule").focus()
        page.keyboard.press("Enter")

        page.wait_for_url("**/book?**")
        expect(offer(page, "Saule").get_by_role("checkbox")).to_be_checked()
        expect(page.get_by_label("People", exact=True)).to_have_value("8")


class TestASeries:
    def test_is_settled_date_by_date_and_booked(self, fresh: Site, visit: Visit) -> None:
        """Three Tuesdays, of which the second is taken."""
        fresh.book("Saule", "10:00", "11:00", "Choir", day=8)
        page = visit(fresh, f"{TEN}&item={fresh.room('Saule')}")

        page.get_by_label("Repeats").select_option(label="Every week")
        page.get_by_label("Times", exact=True).fill("3")
        page.get_by_label("Times", exact=True).press("Tab")

        expect(page.locator(".book-date")).to_have_count(3)
        expect(page.locator(".book-date.taken")).to_contain_text("Tue 1 Dec 2026")
        expect(page.locator("#book-save")).to_have_text("Book 2 dates")
        page.get_by_label("On Tue 1 Dec 2026").select_option(label="Frêne instead")
        expect(page.locator(".book-date.taken")).to_have_count(0)
        page.get_by_label("On Tue 8 Dec 2026").select_option(label="Leave it out")
        expect(page.locator("#book-told")).to_contain_text("Without: Tue 8 Dec 2026")
        expect(page.locator("#book-save")).to_have_text("Book 2 dates")
        page.locator("#book-save").click()

        page.wait_for_url("**/series/1")
        expect(page.locator(".series-date")).to_have_count(2)
        expect(page.locator(".series-date").nth(1)).to_contain_text("Frêne")

    def test_on_other_weekdays_by_keyboard(self, fresh: Site, visit: Visit) -> None:
        page = visit(fresh, f"{TEN}&item={fresh.room('Saule')}&repeat=weekly&count=4")
        page.locator("#book-weekday-thursday").focus()

        page.keyboard.press("Space")

        expect(page.locator(".book-date").nth(1)).to_contain_text("Thu 26 Nov 2026")
        expect(page.locator("#book-weekday-thursday")).to_be_focused()
        expect(page.locator("#book-weekday-tuesday")).to_be_checked()

    def test_this_and_the_following_dates_are_moved_from_the_page_of_one(self, fresh: Site, visit: Visit) -> None:
        fresh.book_weekly("Saule", "10:00", "11:00", 3)
        page = visit(fresh, "/loans/2")

        page.get_by_role("link", name="Change").click()
        page.wait_for_url("**/change**")  # loaded whole: before that, nobody listens to what is chosen
        page.get_by_label("From, time").select_option("14:00")
        expect(page.locator("#book-told")).to_contain_text("before: Tue 1 Dec 2026, 10:00 – 11:00")
        page.get_by_label("This date and the following").check()
        page.locator("#book-save").click()

        page.wait_for_url("**/loans/2")
        starts = [fresh.office.desk.find(LoanNumber(number)).interval.start for number in (1, 2, 3)]
        assert starts == [fresh.at("10:00", 1), fresh.at("14:00", 8), fresh.at("14:00", 15)]

    def test_what_is_chosen_just_before_saving_does_not_stop_it(self, fresh: Site, visit: Visit) -> None:
        """A choice is looked at a moment later: that once took the place of a save that was still on its way."""
        fresh.book_weekly("Saule", "10:00", "11:00", 3)
        page = visit(fresh, "/loans/2/change")
        held: list[Route] = []
        page.route("**/book", lambda route: held.append(route))
        page.get_by_label("From, time").select_option("14:00")
        expect(page.locator("#book-told")).to_contain_text("before:")

        page.get_by_label("This date and the following").check()
        page.locator("#book-save").click(no_wait_after=True)
        page.evaluate("new Promise((resolve) => setTimeout(resolve, 700))")  # a choice is looked at after 250
        held[0].continue_()

        page.wait_for_url("**/loans/2")
        assert fresh.office.desk.find(LoanNumber(3)).interval.start == fresh.at("14:00", 15)

    def test_all_dates_are_cancelled_from_the_page_of_one(self, fresh: Site, visit: Visit) -> None:
        fresh.book_weekly("Saule", "10:00", "11:00", 3)
        page = visit(fresh, "/loans/2")

        page.locator("summary", has_text="Cancel the booking").click()
        page.get_by_label("Which dates to cancel").select_option(label="All dates to come")
        page.locator(".ending[open]").get_by_label("Why, if you like").fill("The choir is on tour")
        page.get_by_role("button", name="Cancel the booking", exact=True).click()

        expect(page.locator(".status-cancelled")).to_be_visible()
        expect(page.locator(".history")).to_contain_text("The choir is on tour")
        assert [fresh.office.desk.find(LoanNumber(number)).blocks for number in (1, 2, 3)] == [False] * 3
