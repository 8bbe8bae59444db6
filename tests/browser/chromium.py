"""The distribution's Chromium, driven by Playwright; nothing is downloaded."""

from __future__ import annotations

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")

FLAGS = [
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--disable-gpu",
    "--font-render-hinting=none",
]

HELP = "no Chromium was found; on Debian: apt install chromium. Another one can be named in ACCORD_TEST_CHROMIUM=/path."


def find_chromium() -> str | None:
    """Return the path of the browser; None when there is none."""
    named = os.environ.get("ACCORD_TEST_CHROMIUM")
    return named or next((found for name in NAMES if (found := shutil.which(name))), None)


def flags() -> list[str]:
    """Return what it is started with. Root may not use its sandbox."""
    return [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]


def must_be_there() -> bool:
    """Tell whether its absence is a failure: where `.ci/run` proves a tree, nothing is left out."""
    return os.environ.get("CI", "") not in ("", "0", "false")
