"""
The simulated Microsoft 365 tenant: Graph over HTTP with rooms that answer, without an account.

What lives here: the directory, every mailbox's calendar, the booking attendants, delta, subscriptions and their
notifications, throttling, faults on demand, a demo building, timetables to pour in. It is standalone: it imports no
other package of the engine, and only app, command line and tests import it. Towards the engine it speaks HTTP alone.

Where to look: `graph/` does what Graph's addresses do, `calendars/` are the mailboxes' calendars, `answering/` is what
happens in invited mailboxes, `notices/` sends notifications, `sign_in/` says who may come in, `weather/` what goes
wrong. Beside them lie the tenant with its state, the `/sim` pages, and people who play Outlook.

Names others rely on:

- `Tenant`, `TenantOptions`, `Response`, `ConnectionDropped`: the tenant itself, called in-process with `handle`.
- `engine.simulator.server.SimulatorServer`: the same on a port of 127.0.0.1.
- `engine.simulator.asgi.SimulatorApp`: the same as an ASGI application.
- `engine.simulator.demo.populate`: the demo building.
- `engine.simulator.timetable.read_timetable`, `pour`, `pour_over_http`: timetables as booking load.
- `engine.simulator.people.Person`: a driver that plays Outlook through `handle`.
- `engine.simulator.weather.faults`: what can go wrong on demand. `engine.simulator.control`: the `/sim` pages.

Never: a real tenant's data, a socket other than the one asked for, an import of the engine.
"""

from __future__ import annotations

from engine.simulator.options import DEMO_TOKEN, TenantOptions
from engine.simulator.tenant import Tenant
from engine.simulator.wire import ConnectionDropped, Response

__all__ = ["DEMO_TOKEN", "ConnectionDropped", "Response", "Tenant", "TenantOptions"]
