"""settings.toml and the environment become one frozen `Settings`.

Lives here: `sections.py` (every setting, its kind and its default), `kinds.py` (the kinds of value) and `reading.py`
(file and environment, and the faults of both, all told at once). Never here: what settings mean. Only `app` and the
command line ask for them; who wants to change one at run time keeps that elsewhere (`app/run_time.py`).
"""

from __future__ import annotations

from engine.settings.kinds import is_loopback
from engine.settings.reading import load_settings, place_demo, without_password
from engine.settings.sections import (
    SECRETS,
    SECTIONS,
    DatabaseSettings,
    GraphSettings,
    LoansSettings,
    MailSettings,
    RoomsSettings,
    Settings,
    SignInSettings,
    WebSettings,
    parse_value,
)

__all__ = [
    "SECRETS",
    "SECTIONS",
    "DatabaseSettings",
    "GraphSettings",
    "LoansSettings",
    "MailSettings",
    "RoomsSettings",
    "Settings",
    "SignInSettings",
    "WebSettings",
    "is_loopback",
    "load_settings",
    "parse_value",
    "place_demo",
    "without_password",
]
