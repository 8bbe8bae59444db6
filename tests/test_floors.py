"""
Which way imports point, and through which door each library comes in.

The house has floors. A module imports from the floors below its own, never from a neighbour on the same floor and never
from above; the two lists below are the rule, and the checker reads every import under engine/ with `ast`, those inside
functions and behind `TYPE_CHECKING` included.
"""

import ast
import textwrap
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ENGINE = Path(__file__).parents[1] / "engine"

FLOORS = {
    8: {"__main__"},
    7: {"cli", "bench"},
    6: {"prove", "conformance"},
    5: {"app"},
    4: {"web", "schedule", "worker", "graph", "database", "mail", "senders", "simulator", "settings", "clock"},
    3: {"reconcile", "subscriptions", "calendars", "webhooks"},
    2: {"rooms", "loans", "outbox"},
    1: {"ids", "interval", "folding", "errors", "lease"},
}
FLOOR_OF = {package: floor for floor, packages in FLOORS.items() for package in packages}

ALONE = {"simulator"}
"""Packages that import nothing else of the engine: the simulator is another company's product, as far as we know."""

TOUCHING_FLOOR = FLOORS[4]
DOORS = {
    "msgraph": {"graph"},
    "msgraph_core": {"graph"},
    "kiota_abstractions": {"graph"},
    "kiota_authentication_azure": {"graph"},
    "kiota_http": {"graph"},
    "kiota_serialization_form": {"graph"},
    "kiota_serialization_json": {"graph"},
    "kiota_serialization_multipart": {"graph"},
    "kiota_serialization_text": {"graph"},
    "azure": {"graph"},
    "httpx": {"graph", "simulator", "cli", "bench"},
    "aiohttp": {"graph", "senders", "simulator", "conformance", "cli", "bench"},
    "sqlmodel": {"database"},
    "sqlalchemy": {"database", "prove"},
    "alembic": {"database"},
    "psycopg": {"database"},
    "apscheduler": {"schedule"},
    "pydantic_settings": {"settings"},
    "tenacity": TOUCHING_FLOOR,
    "icalendar": {"calendars"},
    "aiosmtplib": {"mail"},
    "fastapi": {"web"},
    "starlette": {"web"},
    "jinja2": {"web"},
    "babel": {"web"},
    "authlib": {"web"},
    "joserfc": {"web"},
    "requests": {"web"},
    "uvicorn": {"app", "web", "simulator"},
    "typer": {"cli", "bench"},
    "click": {"cli", "bench"},
    "rich": {"cli", "bench"},
    "playwright": set(),
    "pytest": set(),
    "freezegun": set(),
    "hypothesis": set(),
}

PURE_UP_TO = 3
"""Floors 1 to 3 are told everything: they read no clock, file, socket, environment or chance, and they do not log."""

WORLDLY_MODULES = {
    "asyncio", "builtins.open", "concurrent", "ctypes", "fcntl", "fileinput", "ftplib", "getpass", "glob", "http",
    "importlib", "io", "locale", "logging", "mmap", "multiprocessing", "os", "platform", "queue", "random", "sched",
    "secrets", "select", "shelve", "shutil", "signal", "smtplib", "socket", "socketserver", "sqlite3", "ssl",
    "subprocess", "sys", "syslog", "tempfile", "threading", "time", "tzlocal", "urllib.request", "warnings",
}  # fmt: skip
WORLDLY_NAMES = {
    ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"), ("uuid", "uuid1"),
    ("uuid", "uuid4"), ("uuid", "getnode"), ("Path", "cwd"), ("Path", "home"),
}  # fmt: skip
WORLDLY_BUILTINS = {"open", "print", "input", "breakpoint"}
WORLDLY_METHODS = {
    "read_text", "read_bytes", "write_text", "write_bytes", "exists", "is_file", "is_dir", "mkdir", "unlink", "iterdir",
    "glob", "rglob", "touch",
}  # fmt: skip


def find_breaches(package: str, source: str, *, module: str, is_package: bool = False) -> list[str]:
    """
    Return what *source* does that its floor forbids, one sentence each.

    Args:
        package: the first name below `engine`; "" for engine/__init__.py.
        source: Python.
        module: the dotted name, such as "engine.web.pages", from which relative imports are resolved.
        is_package: whether the source is an `__init__.py`.
    """
    tree = ast.parse(source)
    parent = module if is_package else module.rpartition(".")[0]
    found = []
    for line, target in imports_of(tree, parent):
        if target == "engine" or target.startswith("engine."):
            found += [f"{module}:{line} {fault}" for fault in inner_faults(package, target)]
        else:
            found += [f"{module}:{line} {fault}" for fault in outer_faults(package, target)]
    if FLOOR_OF.get(package, PURE_UP_TO + 1) <= PURE_UP_TO:
        found += [f"{module}:{line} {fault}" for line, fault in worldly_uses(tree)]
    return found


def imports_of(tree: ast.AST, parent: str) -> Iterator[tuple[int, str]]:
    """Yield line and full dotted name of everything imported: of `from a.b import c`, "a.b.c"."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                kept = parent.split(".")[: len(parent.split(".")) - node.level + 1]
                base = ".".join([*kept, base] if base else kept)
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def inner_faults(package: str, target: str) -> Iterator[str]:
    """Yield what is wrong with `package` importing `target`, a name below engine."""
    other = target.removeprefix("engine").removeprefix(".").partition(".")[0]
    if other in ("", package, "__version__"):
        return
    if other not in FLOOR_OF:
        yield f"imports engine.{other}, which has no floor: give it one in FLOORS"
    elif package in ALONE:
        yield f"imports engine.{other}, and {package} stands alone"
    elif package == "":
        yield f"imports engine.{other}, and engine/__init__.py imports nothing"
    elif FLOOR_OF[other] == FLOOR_OF[package] != 1:
        yield f"imports engine.{other} of its own floor: let them meet in app"
    elif FLOOR_OF[other] > FLOOR_OF[package]:
        yield f"imports engine.{other} from a floor above"


def outer_faults(package: str, target: str) -> Iterator[str]:
    """Yield what is wrong with `package` importing `target`, a library or a part of Python."""
    library = target.partition(".")[0]
    if library == "tests":
        yield "imports the tests"
    doors = {"graph"} if library.startswith("kiota_") else DOORS.get(library)
    if doors is not None and package not in doors:
        yield f"imports {library}, whose door is {', '.join(sorted(doors)) or 'the tests'}"
    if FLOOR_OF.get(package, PURE_UP_TO + 1) <= PURE_UP_TO:
        for worldly in WORLDLY_MODULES:
            if target == worldly or target.startswith(f"{worldly}."):
                yield f"imports {worldly} on a floor that touches nothing"
        if tuple(target.rsplit(".", 1)) in WORLDLY_NAMES:
            yield f"imports {target} on a floor that touches nothing"


def worldly_uses(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and name of what reads a clock, a file or chance without an import that would tell."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value).rpartition(".")[2]
            if (owner, node.attr) in WORLDLY_NAMES:
                yield node.lineno, f"uses {owner}.{node.attr} on a floor that touches nothing"
        if isinstance(node, ast.Call):
            name = node.func
            if isinstance(name, ast.Name) and name.id in WORLDLY_BUILTINS:
                yield node.lineno, f"calls {name.id}() on a floor that touches nothing"
            if isinstance(name, ast.Attribute) and name.attr in WORLDLY_METHODS:
                yield node.lineno, f"calls .{name.attr}() on a floor that touches nothing"


def modules() -> list[tuple[str, str, Path]]:
    """Return package, dotted module and file of everything under engine/."""
    result = []
    for path in sorted(ENGINE.rglob("*.py")):
        parts = list(path.relative_to(ENGINE.parent).with_suffix("").parts)
        if parts[-1] == "__init__":
            parts.pop()
        result.append((parts[1] if len(parts) > 1 else "", ".".join(parts), path))
    return result


def dotted(folder: Path) -> str:
    return ".".join(folder.relative_to(ENGINE.parent).parts)


def parts_of(folder: Path) -> dict[str, list[str]]:
    """Return the Python of every package and module right in *folder*, by its name."""
    packages = {path.parent.name: path.parent.rglob("*.py") for path in folder.glob("*/__init__.py")}
    alone = {path.stem: [path] for path in folder.glob("*.py") if path.stem != "__init__"}
    return {name: [path.read_text(encoding="utf-8") for path in paths] for name, paths in (packages | alone).items()}


def find_circle(sources: dict[str, list[str]], parent: str) -> list[str]:
    """
    Return parts of *parent*, a dotted name, that import each other in a circle; none when they lean one way.

    Args:
        sources: the Python of each part, a package or a module, by its name.
    """
    leans = {name: {lean for source in texts for lean in _leans(source, parent)} for name, texts in sources.items()}
    try:
        TopologicalSorter({name: others & set(leans) - {name} for name, others in leans.items()}).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def _leans(source: str, parent: str) -> Iterator[str]:
    for _, target in imports_of(ast.parse(source), parent):
        if target.startswith(f"{parent}."):
            yield target.removeprefix(f"{parent}.").partition(".")[0]


class TestTheHouse:
    def test_every_package_has_a_floor(self):
        """A new package is refused until somebody has said in FLOORS where it stands."""
        homeless = sorted({package for package, _, _ in modules() if package and package not in FLOOR_OF})

        assert homeless == []

    @pytest.mark.parametrize("package", ["", *sorted(FLOOR_OF)])
    def test_imports_point_down_and_libraries_use_their_door(self, package):
        """Nothing in this package imports a neighbour, a floor above, or a library that has its door elsewhere."""
        breaches = [
            breach
            for owner, module, path in modules()
            if owner == package
            for breach in find_breaches(
                package, path.read_text(encoding="utf-8"), module=module, is_package=path.name == "__init__.py"
            )
        ]

        assert not breaches, "\n" + "\n".join(breaches)


class TestTheChecker:
    """The checker can fail: each of these is planted, and found."""

    @pytest.mark.parametrize(
        ("package", "source", "told"),
        [
            ("rooms", "from engine.reconcile import plan", "floor above"),
            ("rooms", "from engine.loans import Loan", "its own floor"),
            ("rooms", "from engine import loans", "its own floor"),
            ("rooms", "import engine.loans.loan", "its own floor"),
            ("rooms", "from ..loans import Loan", "its own floor"),
            ("rooms", "def f():\n    from engine.web import pages", "floor above"),
            ("rooms", "if TYPE_CHECKING:\n    from engine.web import pages", "floor above"),
            ("web", "from engine.worker import Worker", "its own floor"),
            ("graph", "from engine.settings import Settings", "its own floor"),
            ("web", "from engine.app import main", "floor above"),
            ("web", "from engine.attic import box", "no floor"),
            ("", "from engine.app import main", "imports nothing"),
            ("simulator", "from engine.ids import RoomId", "stands alone"),
            ("web", "import tests.conftest", "imports the tests"),
            ("web", "import msgraph", "door is graph"),
            ("worker", "from kiota_abstractions.api_error import APIError", "door is graph"),
            ("worker", "import kiota_brand_new", "door is graph"),
            ("app", "from azure.identity.aio import ClientSecretCredential", "door is graph"),
            ("web", "import httpx", "door is bench, cli, graph, simulator"),
            ("outbox", "import aiohttp", "door is"),
            ("worker", "from sqlmodel import Session", "door is database"),
            ("worker", "import sqlalchemy.orm", "door is database, prove"),
            ("app", "import apscheduler.schedulers.asyncio", "door is schedule"),
            ("app", "from pydantic_settings import BaseSettings", "door is settings"),
            ("reconcile", "import tenacity", "door is"),
            ("app", "import tenacity", "door is"),
            ("simulator", "import fastapi", "door is web"),
            ("graph", "import uvicorn", "door is app, simulator, web"),
            ("app", "import typer", "door is bench, cli"),
            ("graph", "import freezegun", "door is the tests"),
            ("loans", "import logging", "touches nothing"),
            ("loans", "import time", "touches nothing"),
            ("loans", "from time import monotonic", "touches nothing"),
            ("loans", "import random", "touches nothing"),
            ("loans", "import os.path", "touches nothing"),
            ("loans", "from urllib import request", "touches nothing"),
            ("loans", "from uuid import uuid4", "touches nothing"),
            ("loans", "import uuid\nx = uuid.uuid4()", "touches nothing"),
            ("loans", "now = datetime.now(UTC)", "touches nothing"),
            ("loans", "now = datetime.datetime.utcnow()", "touches nothing"),
            ("loans", "clock = datetime.now", "touches nothing"),
            ("loans", "today = date.today()", "touches nothing"),
            ("loans", "open('x')", "touches nothing"),
            ("loans", "Path('x').read_text()", "touches nothing"),
            ("ids", "import socket", "touches nothing"),
            ("calendars", "import asyncio", "touches nothing"),
        ],
    )
    def test_finds_what_is_planted(self, package, source, told):
        module = f"engine.{package}.planted" if package else "engine"

        breaches = find_breaches(package, textwrap.dedent(source), module=module, is_package=not package)

        assert len(breaches) == 1, breaches
        assert told in breaches[0]

    @pytest.mark.parametrize(
        ("package", "source"),
        [
            ("rooms", "from engine.ids import RoomId\nfrom .room import Room\nfrom engine.rooms.room import Room"),
            ("interval", "from engine.errors import Malformed"),
            ("reconcile", "from engine.rooms import Room\nfrom engine.loans import Loan"),
            ("loans", "from datetime import datetime, timedelta\nfrom uuid import UUID, uuid5"),
            ("app", "import engine.web\nfrom engine import __version__\nimport uvicorn\nimport logging"),
            ("graph", "import msgraph\nimport httpx\nimport tenacity\nimport time"),
            ("database", "import sqlmodel\nimport alembic"),
            ("cli", "import typer\nfrom rich.table import Table\nimport httpx"),
            ("clock", "from datetime import datetime\nnow = datetime.now()"),
            ("__main__", "from engine.cli import main"),
        ],
    )
    def test_leaves_alone_what_is_allowed(self, package, source):
        assert find_breaches(package, source, module=f"engine.{package}.innocent") == []


class TestPartsOfAPackage:
    @pytest.mark.parametrize("package", sorted({path.parent for path in ENGINE.rglob("__init__.py")}), ids=dotted)
    def test_lean_one_way(self, package):
        """Its packages and the modules beside them."""
        assert find_circle(parts_of(package), dotted(package)) == []

    def test_a_circle_is_found_however_long(self):
        sources = {
            "cases": ["from engine.database.loans.desk import Desk"],
            "loans": ["import engine.database.rooms.book"],
            "rooms": ["def f():\n    from engine.database import cases"],
            "stores": ["from engine.database.cases.rows import load_case"],
        }

        assert set(find_circle(sources, "engine.database")) == {"cases", "loans", "rooms"}

    def test_a_module_counts_beside_the_packages(self, tmp_path):
        (tmp_path / "loans").mkdir()
        (tmp_path / "loans" / "__init__.py").write_text("from engine.web.page import Page")
        (tmp_path / "page.py").write_text("from engine.web.loans import loan")

        assert set(find_circle(parts_of(tmp_path), "engine.web")) == {"loans", "page"}

    def test_leaning_is_no_circle(self):
        sources = {"loans": ["from engine.database.cases.rows import load_case"], "cases": ["import engine.ids"]}

        assert find_circle(sources, "engine.database") == []
