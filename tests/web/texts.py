"""What the templates and the code of pages and API say, and the one command that says all in both languages, found the
way Babel finds it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from babel.messages.extract import extract_from_dir

import engine.web

WEB = Path(engine.web.__file__).parent
COMMANDS = WEB.parent / "cli"

METHODS = [("templates/**.html", "jinja2"), ("**.py", "python")]
OPTIONS = {"templates/**.html": {"trimmed": "true", "newstyle_gettext": "true"}}
KEYWORDS = {"_": None, "N_": None, "gettext": None, "say": None, "ngettext": (1, 2)}


def find_texts() -> Iterator[tuple[str, str | tuple[str, ...]]]:
    """Yield place and text of everything that must be translated."""
    found = chain(
        extract_from_dir(WEB, METHODS, OPTIONS, keywords=KEYWORDS),
        extract_from_dir(COMMANDS, [("connect.py", "python")], keywords=KEYWORDS),
    )
    for name, line, text, _comments, _context in found:
        yield f"{name}:{line}", text
