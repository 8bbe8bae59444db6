"""What using the gateway must not load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import warnings
warnings.simplefilter("ignore")
import sys
from tests.unit.graph.scripted import *
from engine.rooms.calendar import EventPatch
import engine.graph.kiota

desk = Desk()
page = {"value": [event()], "@odata.deltaLink": BASE_URL + "/d"}
subscription = {"id": "s", "expirationDateTime": "2026-11-26T07:00:00Z"}
calendar = desk.calendar

async def drain():
    async for _ in calendar.fetch_places():
        pass

def ask(coroutine, *script):
    desk.answers(*script)
    return desk.run(coroutine)

ask(drain(), answer(200, {"value": []}))
ask(calendar.fetch_changes(ROOM, link=None, window=Interval(NINE, TEN)), answer(200, page))
copy = ask(calendar.fetch_event(ROOM, "a"), answer(200, event()))
ask(calendar.find_event(ROOM, "UID1"), answer(200, page))
ask(calendar.find_marked_event(ROOM, "1:g1"), answer(200, {"value": []}))
ask(calendar.create_event(PERSON, draft()), answer(201, event()))
ask(calendar.change_event(PERSON, copy, EventPatch(subject="x")), answer(200, event()))
ask(calendar.delete_event(PERSON, "a"), failure(404, "ErrorItemNotFound"))
ask(calendar.decline_event(ROOM, "a", ""), answer(202))
ask(calendar.create_subscription(ROOM, notification_url="n", lifecycle_url="l", client_state="c", expires_at=TEN),
    answer(201, subscription))
ask(calendar.renew_subscription("s", expires_at=TEN), answer(200, subscription))
ask(calendar.delete_subscription("s"), answer(204))
ask(calendar.fetch_subscriptions(), answer(200, {"value": [subscription]}))
loaded = [name for name in sys.modules if name.startswith("msgraph.generated.models.")]
print("entity" if "msgraph.generated.models.entity" in sys.modules else "none", len(loaded))
"""


def test_no_model_of_the_sdk_is_ever_imported() -> None:
    """
    The first model that is touched imports more than a thousand generated modules, inside the event loop: it stalled
    the whole process for a second or two. Builders alone do not; this holds them, and us, to it.
    """
    root = Path(__file__).parents[3]

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=root, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[0] == "none"
