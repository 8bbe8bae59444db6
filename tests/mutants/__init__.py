"""Sync bugs planted on purpose, to see whether the tests would notice them: a measure of the tests, not of the engine.

    bugs_graph.py, bugs_reading.py, bugs_deciding.py, bugs_writing.py   the public table of bugs
    table.py      what a planted bug is, and all of them
    layers.py     the layers of tests a bug is shown to
    __main__.py   `scripts/mutants`: plants each bug in a process of its own and prints who noticed it

A bug replaces functions of the engine while it lives; the engine itself has no switch for any of them.
"""
