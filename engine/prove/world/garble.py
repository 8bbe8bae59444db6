"""Times that nobody can read: what old clients leave behind in an event, as Graph shows it to the engine (B58)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.graph.transport import Response

ODD: tuple[Mapping[str, str], ...] = (
    {"dateTime": "soon"},
    {"dateTime": "2026-13-45T99:99:00.0000000"},
    {"dateTime": "0001-01-01T00:00:00.0000000"},
    {"dateTime": "9999-12-31T23:59:59.0000000"},
    {"timeZone": "Mars Standard Time"},
    {"timeZone": "Customized Time Zone"},
    {"timeZone": "tzone://Microsoft/Custom"},
    {"timeZone": ""},
)
"""What stands in place of a part of a start or an end. The last one is no trouble: nothing means UTC."""

CODES = frozenset({"dates_invalid", "zone_unknown"})
"""The cases that tell of them."""


@dataclass(slots=True)
class Garble:
    """Which events show odd times, by their uid: the parts of `start` or `end` that are shown otherwise."""

    of: dict[str, tuple[str, Mapping[str, str]]] = field(default_factory=dict)

    def spoil(self, response: Response) -> Response:
        """Return an answer of Graph with the odd times in it."""
        if not self.of or response.status >= 300 or not any(uid.encode() in response.body for uid in self.of):
            return response
        document = json.loads(response.body)
        for item in document.get("value", [document]):
            self.spoil_event(item)
        return Response(response.status, response.headers, json.dumps(document).encode())

    def spoil_event(self, item: Any) -> None:
        """Put the odd times into an event as Graph shows it, in an answer or in what a notification brings."""
        found = self.of.get(item.get("iCalUId") or "") if isinstance(item, dict) else None
        if found is not None and found[0] in item:
            item[found[0]] = {**item[found[0]], **found[1]}
