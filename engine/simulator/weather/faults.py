"""
Faults on demand: rules that say which request, notification or delta page goes wrong, and how.

A rule with neither `nth` nor `probability` below one strikes every match until `times` is used up.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field, fields
from random import Random
from typing import Any

BEFORE = frozenset({"error", "html", "drop", "empty_list"})
"""Effects on a request that is not carried out."""
AFTER = frozenset({"error_after", "html_after", "drop_after", "delay_after"})
"""Effects on a request that is carried out although its caller cannot know (timeout after commit)."""
DELTA_ENDS = frozenset({"gone", "gone_without_location", "sync_state_not_found"})
"""Effects that make the caller begin anew."""
PAGE_LINK = frozenset({"next_link_expired"})
"""The same, but only for a page in the middle of a round."""
DELTA = DELTA_ENDS | {"replay", "shuffle", "empty_page", "loop", "lag", "silent", "resend_series"}
LIFECYCLE = frozenset({"missed", "remove_subscription", "reauthorize"})
"""Effects that turn a change notification into a lifecycle notification."""
ENDPOINT = frozenset({"slow_endpoint", "drop_endpoint"})
"""A receiver in the slow or the drop state for as long as the rule is in force."""
CONTENT = frozenset({"garble_content", "cut_content", "unknown_key"})
"""Effects on what a notification brings of its event."""
NOTICES = LIFECYCLE | ENDPOINT | CONTENT | {
    "lose", "duplicate", "late", "reorder", "batch", "foreign_state", "foreign_subscription",
}  # fmt: skip
DUPLICATE = frozenset({"accept_duplicate"})
"""A second subscription for the same changes is made after all (observed by developers)."""
REFUSAL = frozenset({"refuse_content"})
"""A subscription whose notifications would bring their event is not made."""
CONSENT = frozenset({"refuse_consent"})
"""The administrator says no at the consent page."""
EFFECTS = BEFORE | AFTER | DELTA | PAGE_LINK | NOTICES | DUPLICATE | REFUSAL | CONSENT | {"delay"}
ANSWERS = frozenset({"error", "html", "error_after", "html_after", "sync_state_not_found", "next_link_expired"})
"""Effects that answer with the status of their rule."""
_USED_BY = {
    "status": ANSWERS,
    "code": ANSWERS - {"html", "html_after"} | {"gone", "gone_without_location"},
    "message": frozenset({"error", "error_after"}),
    "retry_after": frozenset({"error", "html", "error_after", "html_after"}),
    "seconds": frozenset({"delay", "delay_after", "lag", "late", "batch"}),
    "count": frozenset({"replay", "duplicate"}),
}
"""What only some effects heed: the others' documents do not name it."""
CODES = {
    400: "BadRequest", 401: "InvalidAuthenticationToken", 403: "ErrorAccessDenied", 404: "ErrorItemNotFound",
    409: "ConcurrentItemSave", 410: "resyncRequired", 412: "ErrorIrresolvableConflict", 429: "TooManyRequests",
    500: "ErrorInternalServerTransientError", 503: "serviceNotAvailable", 504: "UnknownError",
}  # fmt: skip
"""Graph's usual code for a status, when the rule names none."""


@dataclass(slots=True)
class Rule:
    """
    One fault.

    Args:
        effect: one of EFFECTS. `error` answers `status`/`code` with `retry_after` verbatim; `html` a page that is no
            JSON; `drop` closes the connection; the `_after` forms do so once the request took effect; `delay` waits
            `seconds` first; `empty_list` answers a collection with nothing. Delta: `gone` 410 with Location,
            `gone_without_location`, `sync_state_not_found` 40x (`status`, `code`), `next_link_expired` the same in the
            middle of a round only, `replay` sends `count` older items again, `shuffle` mixes a page, `empty_page` is
            an empty page with a nextLink, `loop` the same page again under another nextLink, `lag` holds back the
            changes of the last `seconds`, `silent` says nothing changed and keeps the token, `resend_series` sends a
            changed series again without a word about the dates it lost. Notifications: `late` by
            `seconds`, `duplicate` `count` times more, `batch` gathers for `seconds` what goes to one receiver;
            `slow_endpoint` delays and `drop_endpoint` drops as a receiver in that state gets it; `missed`,
            `remove_subscription` and `reauthorize` send the lifecycle notification in place of the change, the last
            one pauses the subscription until it is renewed; of what one brings of its event `garble_content`
            changes a bit, `cut_content` loses half, and `unknown_key` encrypts it for a certificate that nobody has.
            `accept_duplicate`, `refuse_content`: POST /subscriptions. `refuse_consent`: the consent page.
        method: a method, or None for all. path: a regular expression searched in the path after the host. mailbox: id
            or address of one mailbox.
        nth: strike only the nth match, counted from 1. times: strike at most so often. probability: of each match.
    """

    effect: str
    method: str | None = None
    path: str | None = None
    mailbox: str | None = None
    nth: int | None = None
    times: int | None = None
    probability: float = 1.0
    status: int = 503
    code: str = ""
    """Graph's usual one for the status, when empty."""
    message: str = "The service is temporarily unavailable."
    retry_after: str | None = None
    seconds: float = 0.0
    count: int = 1
    id: int = 0
    seen: int = 0
    struck: int = 0
    _pattern: re.Pattern[str] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.effect not in EFFECTS:
            raise ValueError(f"no effect is called {self.effect!r}; there are {', '.join(sorted(EFFECTS))}")
        self._pattern = re.compile(self.path, re.IGNORECASE) if self.path else None

    @property
    def shown_code(self) -> str:
        """The code to answer with."""
        return self.code or CODES.get(self.status, "UnknownError")

    def matches(self, method: str, path: str, mailbox: frozenset[str]) -> bool:
        """Tell whether the rule is about this request; *mailbox* holds every name of it in lower case."""
        if self.method is not None and self.method.upper() != method:
            return False
        if self.mailbox is not None and self.mailbox.lower() not in mailbox:
            return False
        return self._pattern is None or self._pattern.search(path) is not None

    def strikes(self, rng: Random) -> bool:
        """Count a match and tell whether the fault happens now."""
        if self.times is not None and self.struck >= self.times:
            return False
        self.seen += 1
        if self.nth is not None and self.seen != self.nth:
            return False
        if self.probability < 1.0 and rng.random() >= self.probability:
            return False
        self.struck += 1
        return True

    def as_document(self) -> dict[str, Any]:
        """Return the rule as plain values, without those its effect does not heed."""
        return {
            name: value
            for name, value in asdict(self).items()
            if not name.startswith("_") and self.effect in _USED_BY.get(name, EFFECTS)
        }


_NAMES = {field_.name for field_ in fields(Rule) if not field_.name.startswith("_")}


def parse_rule(values: dict[str, Any]) -> Rule:
    """Build a rule from plain values; raises ValueError for an unknown name or effect."""
    unknown = set(values) - _NAMES
    if unknown or "effect" not in values:
        raise ValueError(f"a fault needs an effect and knows only {', '.join(sorted(_NAMES))}; got {sorted(values)}")
    return Rule(**values)


class Faults:
    """The rules in force."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._last = 0
        self.rules: list[Rule] = []

    def add(self, rule: Rule | None = None, /, **values: Any) -> Rule:
        """Put a rule in force: a Rule, or its values as keywords."""
        rule = parse_rule(values) if rule is None else rule
        self._last += 1
        rule.id = self._last
        self.rules.append(rule)
        return rule

    def remove(self, rule_id: int) -> bool:
        """Lift one rule; tell whether it was there."""
        before = len(self.rules)
        self.rules = [rule for rule in self.rules if rule.id != rule_id]
        return len(self.rules) < before

    def clear(self) -> None:
        """Lift all rules."""
        self.rules = []

    def pick(self, effects: frozenset[str], method: str, path: str, mailbox: frozenset[str]) -> Rule | None:
        """Return the first rule with one of *effects* that strikes this request, notification or page."""
        for rule in self.rules:
            if rule.effect in effects and rule.matches(method, path, mailbox) and rule.strikes(self._rng):
                return rule
        return None
