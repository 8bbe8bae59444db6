"""One request for a page: who asks, in which language, and how it is rendered. Handlers take it as a dependency."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from fastapi import Depends, HTTPException, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

from engine.reconcile.words.local import say_here
from engine.reconcile.words.quoting import quote_error
from engine.reconcile.words.reasons import LANGUAGES
from engine.web.access import Role
from engine.web.language import choose_language
from engine.web.locality import split_address
from engine.web.pages.guard import SAFE_METHODS, derive_csrf, is_csrf, mask_csrf
from engine.web.pages.navigation import Entry, keys_at_hand, navigation_for
from engine.web.pages.parts.page_parts import PageParts, Parts
from engine.web.pages.users import User
from engine.web.translations import Formats, keep_marks, load_translations, speak

HERE = Path(__file__).parents[1]
TEMPLATES, STATIC = HERE / "templates", HERE / "static"

LANGUAGE_COOKIE, THEME_COOKIE = "accord_language", "accord_theme"
THEMES = ("auto", "light", "dark")


class SignInNeeded(Exception):
    """Nobody is signed in, and this page is for people who are."""


@cache
def static_version() -> str:
    """Return a word that changes whenever a static file does. It is part of each address, so browsers may keep them."""
    digest = sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def static(path: str) -> str:
    """Return the address of a static file."""
    return f"/static/{static_version()}/{path}"


@cache
def environment(language: str) -> Environment:
    """Return the templates in one language. What is undefined is an error: a page with holes helps nobody."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.install_gettext_translations(load_translations(language), newstyle=True)  # type: ignore[attr-defined]
    made.globals.update(
        quote=lambda text: quote_error(text, language), static=static, roles=Role, languages=LANGUAGES, themes=THEMES
    )
    return made


def session_cookie(*, secure: bool) -> str:
    """Return the cookie's name; `__Host-` has browsers insist on https and on this very host (RFC 6265bis)."""
    return "__Host-accord_session" if secure else "accord_session"


@dataclass(frozen=True, slots=True)
class Page:
    """One request."""

    request: Request
    parts: PageParts
    user: User | None
    language: str
    theme: str
    since: int
    """Where the history of decisions stood before anything was read: what happens later, the page is told."""
    formats: Formats = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "formats", Formats(self.language, self.parts.zone))

    @property
    def now(self) -> datetime:
        return self.parts.web.clock()

    @property
    def is_fragment(self) -> bool:
        """Whether htmx asks for a piece of the page."""
        return self.request.headers.get("hx-request") == "true"

    def say(self, text: str, /, **values: object) -> str:
        """Return *text*, a literal that the catalogues know, in the reader's language, with its values."""
        return speak(self.language)(text, **values)

    def explain(self, code: str, facts: Mapping[str, object]) -> str:
        """Return the sentence of a reason, with times as the building's clocks show them."""
        said = say_here(self.parts.web.explain, code, facts, self.language, self.formats)
        return keep_marks(said) if self.language == "fr" else said

    def render(self, template: str, status: int = 200, *, here: str = "", **values: Any) -> HTMLResponse:
        """
        Return the page.

        Args:
            template: a file below templates/.
            status: the answer's.
            here: the key of the navigation entry it belongs to.
            values: what the template shows.
        """
        entries = self.navigation()
        context = {
            "page": self,
            "user": self.user,
            "language": self.language,
            "theme": self.theme,
            "here": here,
            "navigation": entries,
            "at_hand": keys_at_hand(entries, self.user) if self.user else frozenset(),
            "csrf": mask_csrf(self.user.csrf) if self.user else "",
            "formats": self.formats,
            "now": self.now,
            "simulated": self.parts.simulated,
            "back": local_path(self.request.url.path + (f"?{q}" if (q := self.request.url.query) else "")),
            **values,
        }
        return HTMLResponse(environment(self.language).get_template(template).render(context), status)

    def go(self, path: str) -> Response:
        """Lead the reader on to *path* after something was done, with and without JavaScript."""
        if not self.is_fragment:
            return RedirectResponse(path, 303)
        here, there = split_address(self.request.headers.get("hx-current-url", "")), urlsplit(path)
        if (here.path, here.query) == (there.path, there.query):
            return Response(headers={"HX-Refresh": "true"})  # a browser only scrolls to an address that it is at
        return Response(headers={"HX-Redirect": path})

    def navigation(self) -> list[Entry]:
        return navigation_for(self.user, simulated=self.parts.simulated) if self.user else []


def local_path(wanted: str | None) -> str:
    """Return *wanted* when it is a path of this site, else the start page: nobody is sent elsewhere by a link to us."""
    if not wanted or not wanted.startswith("/") or wanted.startswith(("//", "/\\")) or not wanted.isprintable():
        return "/"
    parts = urlsplit(wanted)
    return wanted if not parts.scheme and not parts.netloc else "/"


def sign_in_address(request: Request) -> str:
    """Return where to sign in, and come back here afterwards."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return "/sign-in" if here in ("/", "") or request.method != "GET" else f"/sign-in?next={quote(here, safe='')}"


def open_page(request: Request, parts: Parts) -> Page:
    """Return the page of a request, whoever asks."""
    user = _find_user(request, parts)
    since = parts.board.newest() if user is not None else 0
    return replace(open_unread_page(request, parts), user=user, since=since)


def open_unread_page(request: Request, parts: PageParts) -> Page:
    """Return the page of a request without asking the database who asks."""
    language = request.cookies.get(LANGUAGE_COOKIE, "")
    if language not in LANGUAGES:
        language = choose_language(request.headers.get("accept-language", ""))
    theme = request.cookies.get(THEME_COOKIE, "auto")
    return Page(request, parts, None, language, theme if theme in THEMES else "auto", since=0)


def _find_user(request: Request, parts: PageParts) -> User | None:
    secret = request.cookies.get(session_cookie(secure=parts.secure), "")
    session = parts.sessions.find(secret) if 0 < len(secret) <= 128 else None
    if session is None or session.role not in tuple(Role):
        return None
    role = Role(session.role)
    of_others = parts.keepers.stores_of_others(session.address) if role is Role.STAFF else frozenset()
    return User(session.id, session.name, session.address, role, derive_csrf(secret), of_others)


AnyPage = Annotated[Page, Depends(open_page)]


def _gate(least: Role) -> Callable[..., Page]:
    def gate(page: AnyPage) -> Page:
        if page.user is None:
            raise SignInNeeded
        if not page.user.role.includes(least):
            raise HTTPException(403)
        return page

    return gate


def _gate_of_bookers(page: Annotated[Page, Depends(_gate(Role.REQUESTER))]) -> Page:
    if page.user is None or not page.user.may_book():
        raise HTTPException(403)
    return page


UserPage = Annotated[Page, Depends(_gate(Role.REQUESTER))]
"""A page for everybody who is signed in."""
ViewerPage = Annotated[Page, Depends(_gate(Role.VIEWER))]
BookerPage = Annotated[Page, Depends(_gate_of_bookers)]
"""A page for those who book, for themselves or for others: viewers only look."""
StaffPage = Annotated[Page, Depends(_gate(Role.STAFF))]
AdminPage = Annotated[Page, Depends(_gate(Role.ADMIN))]


async def check_csrf(request: Request, page: AnyPage) -> None:
    """Refuse what changes something without the session's token: a header, or the field `csrf` of a form."""
    if request.method in SAFE_METHODS or page.user is None:
        return
    given = request.headers.get("x-csrf-token")
    if given is None and request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        given = str((await request.form()).get("csrf", ""))
    if given is None or not is_csrf(given, page.user.csrf):
        raise HTTPException(403, "csrf")
