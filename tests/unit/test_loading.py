"""What the service does not load before it is wanted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PROGRAM = """
import sys
import engine.app.service, engine.app.work
print(*sys.modules)
"""


@pytest.fixture(scope="module")
def loaded() -> frozenset[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return frozenset(done.stdout.split())


@pytest.mark.parametrize(
    "name",
    [
        "psycopg",  # the database is PostgreSQL
        "engine.simulator",  # the tenant is simulated
    ],
)
def test_it_is_loaded_later(loaded: frozenset[str], name: str) -> None:
    assert "engine.web.api.app" in loaded
    assert name not in loaded
