"""The demonstration's own desk: a few things to lend, beside the rooms of the simulated tenant."""

from __future__ import annotations

import asyncio

from engine.app.office import Office

THINGS = (
    ("Projector 1", "HDMI and USB-C"),
    ("Projector 2", "HDMI"),
    ("Laptop trolley", "16 laptops, with chargers"),
    ("Flip chart", "Paper and pens included"),
    ("Loudspeaker", "Battery, lasts six hours"),
)
"""Names and descriptions."""

LOOK_SECONDS = 0.25


async def furnish_desk(office: Office) -> None:
    """Add the things once the rooms are there, so that these have the first numbers; where there are some, add none."""
    if office.desk.list_assets():
        return
    while not office.rooms.load_rooms():
        await asyncio.sleep(LOOK_SECONDS)
    for name, description in THINGS:
        office.desk.add_asset(name, store=None, description=description, actor="demo")
