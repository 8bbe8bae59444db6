"""
Proves the engine: random worlds on a clock that jumps, people who edit both sides while everything fails, and judges.

Lives here: what happens in one world, as plain values, and `run_schedule` (schedule.py); what goes wrong (weather.py);
many worlds, counted, shortened, kept, lived through twice (campaign.py, shrink.py, found.py, twins.py). And

    world/   the world itself: tenant, engine and clock in one process
    people/  who acts and remembers; verbs.py is the table of what they do
    judges/  the promises, judged from what people remember
    crash/   a death at every point of stories

Never here: anything the engine needs to run. Imported by `cli` when somebody asks for a proof, by `bench` for its
clock, by tests.
"""
