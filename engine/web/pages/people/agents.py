"""Which browser a session is on, in words that people know: made from the User-Agent that it sent. Pure.

Every browser names others for the sake of old sites, so the order counts: who has a name of their own comes first
(MDN, "Browser detection using the user agent").
"""

from __future__ import annotations

import re

BROWSERS = (
    ("Edg", "Edge"),
    ("EdgA", "Edge"),
    ("EdgiOS", "Edge"),
    ("OPR", "Opera"),
    ("Vivaldi", "Vivaldi"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("HeadlessChrome", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
"""The word before the slash, and the browser's name."""

SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def find_browser(agent: str) -> str:
    """Return the name of the browser that sends *agent*; "" for one that is not known."""
    words = set(re.findall(r"([A-Za-z]+)/", agent))
    return next((name for word, name in BROWSERS if word in words), "")


def find_system(agent: str) -> str:
    """Return the system or device that it runs on; "" for one that is not known."""
    return next((name for word, name in SYSTEMS if word in agent), "")
