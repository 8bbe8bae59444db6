"""The kinds of value a setting may have: how each is read, from the file or from a text, and when it is refused."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr


def is_loopback(host: str) -> bool:
    """Tell whether *host*, a name or an address without port, can only mean this very machine."""
    name = host.strip("[]").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _refuse_truth(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("true and false are no numbers")
    return value


def _split(value: object) -> object:
    """Take "a, b" for ["a", "b"], and leave out what is empty."""
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, list | tuple):
        return value
    return tuple(word for word in (w.strip() if isinstance(w, str) else w for w in words) if word != "")


def _pair(value: object) -> object:
    """Take a table, or "name = text; name = text", for pairs."""
    if isinstance(value, str):
        pairs = [each.partition("=") for each in value.split(";") if each.strip()]
        if not all(sign for _, sign, _ in pairs):
            raise ValueError("a name without its text")
        return tuple((name.strip(), text.strip()) for name, _, text in pairs)
    return tuple(value.items()) if isinstance(value, Mapping) else value


def _check_domain(value: str) -> str:
    domain = value.removeprefix("@").lower()
    if not re.fullmatch(r"[^\s@,;/]+\.[^\s@,;/.]+", domain):
        raise ValueError("no domain name")
    return domain


def _check_web_address(value: str) -> str:
    """Accept https everywhere and http on loopback; drop a slash at the end."""
    parts = urlsplit(value)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("no web address")
    if parts.username is not None or parts.password is not None:
        raise ValueError("no name or password belongs in a web address")
    _ = parts.port  # raises ValueError beyond 65535
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("http only on loopback")
    return value.rstrip("/")


def _check_optional_web_address(value: str) -> str:
    return _check_web_address(value) if value else value


def _check_database(value: str) -> str:
    scheme, separator, rest = value.partition("://")
    if scheme in ("postgres", "postgresql"):
        scheme = "postgresql+psycopg"
    if not separator or not rest:
        raise ValueError("no database address")
    if scheme == "sqlite" and rest.startswith("/") and rest not in ("/", "/:memory:"):
        return value
    if scheme == "postgresql+psycopg" and urlsplit(value).path.strip("/"):
        return f"{scheme}://{rest}"
    raise ValueError("another kind of database")


def _check_day(value: str) -> str:
    if value:
        date.fromisoformat(value)  # raises ValueError
    return value


def _check_clock(value: str) -> str:
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value):
        raise ValueError("not a time of day such as 02:30")
    return value


def _check_optional_clock(value: str) -> str:
    return _check_clock(value) if value else value


def _check_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError("unknown time zone") from error
    return value


def _check_mail_address(value: str) -> str:
    if value and not re.fullmatch(r"[^\s@,;<>]+@[^\s@,;<>]+\.[^\s@,;<>.]+", value):
        raise ValueError("no e-mail address")
    return value


def _check_network(value: str) -> str:
    try:
        ipaddress.ip_network(value)
    except ValueError as error:
        raise ValueError("no network") from error
    return value


Whole = Annotated[int, BeforeValidator(_refuse_truth)]
Words = Annotated[tuple[str, ...], BeforeValidator(_split)]
Domains = Annotated[tuple[Annotated[str, AfterValidator(_check_domain)], ...], BeforeValidator(_split)]
Networks = Annotated[tuple[Annotated[str, AfterValidator(_check_network)], ...], BeforeValidator(_split)]
Pairs = Annotated[tuple[tuple[str, str], ...], BeforeValidator(_pair)]
WebAddress = Annotated[str, AfterValidator(_check_web_address)]
OptionalWebAddress = Annotated[str, AfterValidator(_check_optional_web_address)]
OptionalMailAddress = Annotated[str, AfterValidator(_check_mail_address)]
DatabaseAddress = Annotated[str, AfterValidator(_check_database)]
Zone = Annotated[str, AfterValidator(_check_zone)]
Clock = Annotated[str, AfterValidator(_check_clock)]
OptionalClock = Annotated[str, AfterValidator(_check_optional_clock)]
OptionalDay = Annotated[
    str,
    BeforeValidator(lambda value: f"{value}" if isinstance(value, date) else value),
    AfterValidator(_check_day),
]
"""A day such as 2027-11-30, or empty; TOML has days of its own, which need no quotes."""
Secret = Annotated[SecretStr | None, BeforeValidator(lambda value: None if value == "" else value)]
"""A variable that is there and empty sets none."""

WEB_ADDRESS = "an https:// address, or http:// on loopback, without query, name or password"


def is_given(value: object) -> bool:
    """Tell whether a text or a secret says anything."""
    return bool(value.get_secret_value() if isinstance(value, SecretStr) else value)


def count(default: int, least: int, most: int, unit: str) -> Any:
    """Describe a whole number, both ends allowed."""
    return Field(default, ge=least, le=most, description=f"a whole number of {unit} from {least} to {most}")


def choice(default: str, choices: object) -> Any:
    """Describe one of some words, which a `Literal` lists."""
    return Field(default, description="one of " + ", ".join(get_args(choices)))
