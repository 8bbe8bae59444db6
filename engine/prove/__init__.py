"""
Proves the engine: random worlds on a clock that jumps, people who edit both sides while everything fails, and judges.

Lives here: `schedule.py` (what happens in one world, as plain values, and `run_schedule`), `verbs.py` (the table of
what people do), `weather.py` (the table of what goes wrong), `people.py`, `app_series.py` and `series.py` (people who
act and remember), `invariants.py` (the promises, judged from what people remember), `world.py`, `transport.py` and
`virtual.py` (tenant, engine and clock in one process), `crash/` (a death at every point of stories). Never here:
anything the engine needs to run. Imported by `cli` when somebody asks for a proof, by `bench` for its clock, by tests.
"""
