"""The loop over keys: observe, plan, execute, remember. Each pass is one module.

Lives here: `loop.py` (claims keys, runs passes, sorts their errors), `rooms.py` (a calendar moved),
`bookings.py` (one booking is compared and settled: `observer.py` with `organizers.py` and `answers.py`, `planner.py`,
`writing.py` with `wording.py`), `writes.py` (a decided write is carried out),
`places.py` (room import), `subscriptions.py`. Never here: SQL, HTTP, decisions: it is handed a
`Ledger` and a `RoomCalendar`. Imported by `app` only.
"""
