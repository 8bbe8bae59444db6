"""The doors of the app: who gets in, what is refused, what every answer carries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.settings import WebSettings
from engine.web.pages.guard import derive_csrf, is_csrf, mask_csrf
from engine.web.pages.page import local_path
from tests.web.visitors import AMELIE, MATHIEU, House, csrf_of, open_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as found:
        yield found


class TestSigningIn:
    def test_is_asked_of_strangers(self, house: House) -> None:
        """A page leads to the sign-in, which leads back to it; scripts and htmx are told where to go."""
        visitor = house.visitor()

        answer = visitor.get("/board?view=week")

        assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in?next=%2Fboard%3Fview%3Dweek")
        assert visitor.get("/board/entries", headers={"Accept": "application/json"}).status_code == 401
        assert visitor.get("/loans/1", headers={"HX-Request": "true"}).headers["HX-Redirect"].startswith("/sign-in")
        assert visitor.get("/events").status_code == 303

    def test_opens_a_session_that_can_be_ended(self, house: House) -> None:
        browser = house.signed_in("staff")
        cookie = browser.cookies["accord_session"]
        assert browser.get("/board").status_code == 200

        assert browser.post("/sign-out").headers["Location"] == "/sign-in"

        browser.cookies.set("accord_session", cookie)
        assert browser.get("/board").status_code == 303

    def test_a_session_can_be_ended_from_another_browser(self, house: House) -> None:
        """`/account` lists the sessions of one person; only their own can be ended there."""
        phone, desk, other = house.signed_in("staff"), house.signed_in("staff"), house.signed_in("staff", MATHIEU)
        sessions = desk.get("/account").text
        assert sessions.count('/end"') == 1

        assert other.post("/account/sessions/1/end").status_code == 404
        assert desk.post("/account/sessions/1/end").status_code == 303

        assert phone.get("/board").status_code == 303
        assert desk.get("/board").status_code == 200

    def test_all_ones_other_sessions_can_be_ended_at_once(self, house: House) -> None:
        phone, desk, other = house.signed_in("viewer"), house.signed_in("viewer"), house.signed_in("admin", MATHIEU)
        assert "Sign out everywhere else" in desk.get("/account").text

        desk.post("/account/sessions/end-others")

        assert phone.get("/board").status_code == 303
        assert (desk.get("/board").status_code, other.get("/board").status_code) == (200, 200)
        assert "Sign out everywhere else" not in desk.get("/account").text

    def test_browsers_are_named_in_words(self, house: House) -> None:
        agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0"
        browser = house.signed_in("staff", **{"User-Agent": agent})

        assert "Edge on Windows" in browser.get("/account").text

    def test_the_cookie_tells_scripts_and_other_sites_nothing(self, house: House) -> None:
        answer = house.visitor().post("/sign-in/development", data={"address": AMELIE.address, "role": "staff"})

        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert AMELIE.address not in cookie

    @pytest.mark.parametrize(
        "change",
        [
            {"address": "stranger@example.org"},
            {"role": "emperor"},
            {"address": ""},
        ],
    )
    def test_nobody_else_is_let_in(self, house: House, change: dict[str, str]) -> None:
        visitor = house.visitor()

        answer = visitor.post("/sign-in/development", data={"address": AMELIE.address, "role": "staff", **change})

        assert answer.status_code == 422
        assert "accord_session" not in visitor.cookies


class TestTheDevelopmentSignIn:
    @pytest.mark.parametrize(
        "headers",
        [
            {"X-Forwarded-For": "127.0.0.1"},
            {"Forwarded": "for=127.0.0.1"},
            {"Host": "accord.example.org"},
            {"Host": "[::1"},
        ],
    )
    def test_is_not_there_for_who_comes_from_elsewhere(self, house: House, headers: dict[str, str]) -> None:
        """Through a proxy, or by another name (DNS rebinding), it does not exist."""
        visitor = house.visitor(**headers)
        wanted = {"address": AMELIE.address, "role": "admin"}

        assert AMELIE.address not in visitor.get("/sign-in").text
        assert visitor.post("/sign-in/development", data=wanted).status_code == 404

    def test_is_not_there_when_the_web_is_open_to_others(self, tmp_path: Path) -> None:
        with open_house(tmp_path, web=WebSettings(host="0.0.0.0")) as house:
            answer = house.visitor().post("/sign-in/development", data={"address": AMELIE.address, "role": "admin"})

        assert answer.status_code == 404


class TestForgery:
    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "none"},
            {"Sec-Fetch-Site": None, "Origin": "https://evil.example"},
            {"Sec-Fetch-Site": None, "Origin": "null"},
            {"Sec-Fetch-Site": None, "Origin": "http://[127.0.0.1:8420"},
            {"Sec-Fetch-Site": None, "Origin": "http://[localhost]:8420"},
            {"Sec-Fetch-Site": None},
        ],
    )
    def test_what_comes_from_elsewhere_changes_nothing(self, house: House, headers: dict[str, str | None]) -> None:
        loan = house.book()
        browser = house.signed_in("staff")
        for name, value in headers.items():
            browser.headers.pop(name, None)
            if value is not None:
                browser.headers[name] = value

        assert browser.post(f"/loans/{loan.number}/cancel").status_code == 403
        assert house.office.desk.find(loan.number).blocks

    def test_an_older_browser_is_known_by_its_origin(self, house: House) -> None:
        loan = house.book()
        browser = house.signed_in("staff")
        browser.headers.pop("Sec-Fetch-Site")

        answer = browser.post(f"/loans/{loan.number}/cancel", headers={"Origin": "http://127.0.0.1:8420"})

        assert answer.status_code == 303

    def test_a_page_that_cannot_be_is_no_page_to_stay_on(self, house: House) -> None:
        fragment = {"HX-Request": "true", "HX-Current-URL": "http://[/rooms"}

        answer = house.signed_in("admin").post("/rooms/import", headers=fragment)

        assert answer.headers["HX-Redirect"] == "/rooms"

    @pytest.mark.parametrize("token", ["", "x", "A" * 88, None])
    def test_without_the_sessions_token_nothing_changes(self, house: House, token: str | None) -> None:
        loan = house.book()
        browser = house.signed_in("staff")
        browser.headers.pop("X-CSRF-Token")
        sent = {} if token is None else {"csrf": token}

        assert browser.post(f"/loans/{loan.number}/cancel", data=sent).status_code == 403
        assert house.office.desk.find(loan.number).blocks

    def test_the_token_of_somebody_else_is_no_token(self, house: House) -> None:
        browser, other = house.signed_in("staff"), house.signed_in("staff", MATHIEU)
        browser.headers["X-CSRF-Token"] = csrf_of(other.get("/account").text)

        assert browser.post("/sign-out").status_code == 403

    def test_a_form_may_carry_the_token(self, house: House) -> None:
        loan = house.book()
        browser = house.signed_in("staff")
        token = browser.headers.pop("X-CSRF-Token")

        assert browser.post(f"/loans/{loan.number}/cancel", data={"csrf": token}).status_code == 303

    def test_masks_differ_and_mean_the_same(self) -> None:
        token = derive_csrf("secret")
        one, two = mask_csrf(token), mask_csrf(token)

        assert one != two
        assert is_csrf(one, token)
        assert is_csrf(two, token)
        assert not is_csrf(one, derive_csrf("other"))


class TestAnswers:
    @pytest.mark.parametrize("path", ["/sign-in", "/board", "/nowhere", "/events/none"])
    def test_carry_the_policy_and_are_nobodys_to_cache(self, house: House, path: str) -> None:
        answer = house.visitor().get(path)

        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Cache-Control"] == "no-store"

    def test_over_https_cookies_and_browsers_insist_on_it(self, tmp_path: Path) -> None:
        with open_house(tmp_path, web=WebSettings(public_url="https://accord.example.org")) as house:
            answer = house.visitor().post("/preferences", data={"theme": "dark"})

        assert "Secure" in answer.headers["Set-Cookie"]
        assert "max-age" in answer.headers["Strict-Transport-Security"]

    def test_static_files_may_be_kept_for_good(self, house: House) -> None:
        visitor = house.visitor()
        page = visitor.get("/sign-in").text
        address = page.split('href="')[1].split('"')[0]

        answer = visitor.get(address)

        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]

    def test_errors_are_pages_for_people_and_problems_for_machines(self, house: House) -> None:
        browser = house.signed_in("staff")

        assert "<h1>" in browser.get("/loans/99").text
        assert browser.get("/loans/99").status_code == 404
        assert browser.get("/api/loans/99").headers["Content-Type"] == "application/problem+json"
        assert browser.get("/api/nowhere").headers["Content-Type"] == "application/problem+json"

    def test_the_api_knows_no_cookies(self, house: House) -> None:
        """The session of a browser opens pages, never the API."""
        assert house.signed_in("admin").get("/api/loans").status_code == 401


class TestPreferences:
    def test_language_follows_the_browser_until_somebody_chooses(self, house: House) -> None:
        visitor = house.visitor(**{"Accept-Language": "fr"})
        assert '<html lang="fr"' in visitor.get("/sign-in").text

        visitor.post("/preferences", data={"language": "en"})

        assert '<html lang="en"' in visitor.get("/sign-in").text

    def test_the_theme_is_remembered(self, house: House) -> None:
        visitor = house.visitor()
        answer = visitor.post("/preferences", data={"theme": "dark", "back": "/sign-in"})

        assert answer.headers["Location"] == "/sign-in"
        assert 'data-theme="dark"' in visitor.get("/sign-in").text

    @pytest.mark.parametrize("back", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x", ""])
    def test_nobody_is_sent_elsewhere(self, back: str) -> None:
        assert local_path(back) == "/"
