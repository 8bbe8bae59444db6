"""What Outlook is told about a loan (H52-H53), and how little where less is wanted."""

from __future__ import annotations

from html.parser import HTMLParser
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.loans.loan import ItemKind, Loan, LoanItem, TextLevel
from engine.loans.status import ItemState
from engine.reconcile.telling.texts import narrow_series_subject, render_body, render_subject
from tests.unit.reconcile.building import ANNA, ONE, PROJECTOR, TWO, make_loan

FULL, NUMBER, LINK = TextLevel.FULL, TextLevel.NUMBER_ONLY, TextLevel.LINK_ONLY
URL = "https://desk.example.org/loans/4711"
ANCHOR = f'<a href="{URL}">{URL}</a>'
NASTY = "<b>&\"'</b> <script>alert(1)</script>"


def named(name: str) -> Loan:
    item = LoanItem(ItemKind.ASSET, PROJECTOR, name, ItemState.ACCEPTED)
    return Loan(**{**_fields(make_loan(name=name)), "items": (item,)})


def _fields(loan: Loan) -> dict[str, object]:
    return {name: getattr(loan, name) for name in Loan.__dataclass_fields__}


class _Reader(HTMLParser):
    """Reads HTML as a mail program would: the tags there are, and the words between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str | None] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name == "href"]
        assert {name for name, _ in attrs} <= {"href"}

    def handle_data(self, data: str) -> None:
        self.words += data


class TestTheTitle:
    def test_is_number_and_name(self) -> None:
        """`#<number> <requester name>` (H52)."""
        assert render_subject(make_loan(), FULL) == "#4711 Anna"

    @pytest.mark.parametrize("level", [NUMBER, LINK])
    def test_is_the_number_alone_where_less_is_told(self, level: TextLevel) -> None:
        """The store decides how much is told (R15)."""
        assert render_subject(make_loan(), level) == "#4711"

    @pytest.mark.parametrize("level", TextLevel)
    def test_of_a_private_loan_names_nobody(self, level: TextLevel) -> None:
        """Private is told in full nowhere."""
        assert render_subject(make_loan(private=True), level) == "#4711"

    def test_is_plain_text(self) -> None:
        """A title is not HTML: what people are called is written as it is."""
        assert render_subject(make_loan(name="O'Neil & Søn <x>"), FULL) == "#4711 O'Neil & Søn <x>"


class TestTheBody:
    def test_is_the_items_and_a_link(self) -> None:
        """The list of the loan's items, things included, and a link to view it quickly (H53)."""
        loan = make_loan(rooms=(ONE, TWO), assets=(PROJECTOR,))

        assert render_body(loan, FULL, URL) == (
            f"<ul><li>Room 1</li><li>Room 2</li><li>Asset 9</li></ul><p>{ANCHOR}</p>"
        )

    @pytest.mark.parametrize("state", ItemState)
    def test_lists_every_item_still_in_the_loan(self, state: ItemState) -> None:
        """An item that was cancelled has left; one that declined is still to be seen."""
        body = render_body(make_loan(rooms={ONE: ItemState.ACCEPTED, TWO: state}), FULL, URL)

        assert ("Room 2" in body) == (state is not ItemState.CANCELLED)

    def test_of_number_only_names_no_item(self) -> None:
        """The number and the link."""
        assert render_body(make_loan(), NUMBER, URL) == f"<p>#4711</p><p>{ANCHOR}</p>"

    @pytest.mark.parametrize("private", [True, False])
    def test_of_link_only_is_the_link(self, private: bool) -> None:
        """Nothing but the way to the desk, where people sign in."""
        assert render_body(make_loan(private=private), LINK, URL) == f"<p>{ANCHOR}</p>"

    def test_of_a_private_loan_names_no_item(self) -> None:
        """Even where the store tells all."""
        assert render_body(make_loan(private=True), FULL, URL) == f"<p>#4711</p><p>{ANCHOR}</p>"

    @pytest.mark.parametrize(("level", "private"), tuple(product(TextLevel, (True, False))))
    def test_never_tells_more_than_the_level(self, level: TextLevel, private: bool) -> None:
        """Who asked, what for, and notes to the desk are in no body at all."""
        loan = make_loan(private=private, title="Salaries", notes="Ring first")

        body = render_body(loan, level, URL)

        assert not any(word in body for word in ("Anna", ANNA, "Salaries", "Ring first"))
        assert URL in body

    def test_is_the_same_as_long_as_the_loan_is(self) -> None:
        """The body is compared with the one last written: the same loan, the same letters."""
        assert render_body(make_loan(), FULL, URL) == render_body(make_loan(), FULL, URL)


class TestNamesThatLookLikeHtml:
    def test_stay_words(self) -> None:
        """A room called <script> is a room with a strange name."""
        read = _Reader(render_body(named(NASTY), FULL, URL))

        assert read.tags == ["ul", "li", "p", "a"]
        assert NASTY in read.words

    def test_cannot_leave_the_link(self) -> None:
        """The link keeps its quotes to itself."""
        link = 'https://x.example/?a=1&b="><script>'

        read = _Reader(render_body(make_loan(), LINK, link))

        assert read.tags == ["p", "a"]
        assert read.links == [link]

    @given(
        st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=40), st.sampled_from(TextLevel)
    )
    @settings(max_examples=200, derandomize=True, deadline=None)
    def test_never_change_the_shape_of_the_body(self, name: str, level: TextLevel) -> None:
        """Whatever people type, the tags are those of the level, and the words come out as they went in."""
        read = _Reader(render_body(named(name), level, URL))

        assert read.tags == {FULL: ["ul", "li", "p", "a"], NUMBER: ["p", "p", "a"], LINK: ["p", "a"]}[level]
        assert level is not FULL or name in read.words


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("#298-305 Noémie Garnier", "#298-300 Noémie Garnier"),
        ("#298-305", "#298-300"),
        ("Choir #298-305", "Choir #298-305"),
        ("#298-305b", "#298-305b"),
        ("#298 Noémie Garnier", "#298 Noémie Garnier"),
    ],
)
def test_a_shorter_series_names_the_loans_that_stay(before: str, after: str) -> None:
    assert narrow_series_subject(before, 298, 300) == after


def test_a_series_of_one_date_left_is_named_by_it() -> None:
    assert narrow_series_subject("#298-305 Noémie Garnier", 298, 298) == "#298 Noémie Garnier"
