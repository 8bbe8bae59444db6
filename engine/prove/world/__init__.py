"""One world in one process: the tenant, the engine's lives, their store and clock (world.py), what people and judges
may see of it (doors.py, sight.py, glance.py), and what happens to it that nobody tells (untold.py)."""
