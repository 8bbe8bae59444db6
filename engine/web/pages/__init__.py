"""The app: what people see in a browser.

Adding a page takes six steps; `loans/loan.py` is a small model.

1. `pages/<package>/<name>.py`, in the package whose pages are about the same: a module-level `router = APIRouter()`. A
   handler is a plain `def` (it runs in a thread and may use the database) and takes its request as `page: UserPage`
   (everybody signed in), `ViewerPage`, `BookerPage` (all but viewers: whatever changes something), `StaffPage` or
   `AdminPage`: the type is the gate, and `tests/web/test_page_doors.py` tries it with every role. `page.user` says who,
   `page.parts` has the desk and the rest, and `page.render("<name>.html", here="<key>", ...)` answers. What may be seen
   or done is asked of `page.user` (users.py), never of a role by hand. Rules about what a page shows belong in small
   pure functions, or lower down in the house.
2. `ROUTERS` in `app.py`: add the router.
3. `navigation.py`: add an `Entry`, with an icon of `static/icons.svg` (`scripts/vendor` draws more into it).
4. `templates/<name>.html`: `{% extends "layout.html" %}`. Texts are English in `_("...")`, with `%(name)s` for values;
   in Python it is `page.say("...")`. Buttons, cards, badges, tables and empty states: `components.css` and the macros
   of `parts.html`. No inline script and no inline style: the content security policy refuses both. What only this page
   needs of CSS goes into `static/css/<name>.css` (block `styles`), of JavaScript into `static/js/<name>.js`, an ES
   module (block `scripts`); its texts travel in a `<script type="application/json">`.
5. `catalogues/fr/<name>.po`: the French of each text. `tests/web/test_translations.py` finds what is missing.
6. Tests: `tests/web/test_page_<name>.py` for what it shows to whom, and a line in `PAGES` of `tests/browser/pages.py`,
   which has it looked at for console errors, foreign requests, overflow at three widths and by axe, in both themes.

Changing something: a `<form method="post">` with `{{ parts.csrf_field() }}` works with and without JavaScript. With
`hx-post` htmx sends the token by itself (layout.html), swaps a 422 in place and follows `HX-Redirect`. A desk's refusal
(DeskError) may simply be raised: `errors.py` says it in words.

Live: `<div hx-get="..." hx-trigger="accord:loans from:body">` asks again whenever a loan changes; in JavaScript listen
to `accord:loans` on `document.body` (`event.detail.loans` are numbers, null for "look at everything").
"""
