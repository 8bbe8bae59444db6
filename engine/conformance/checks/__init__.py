"""
The checks, a module per group; each module's functions are entered into the table when it is imported.

A check is told its stage, asks, and raises `Differs` when the answer is another than the simulated tenant's. It makes
events only by `Stage.make` and what is built on it, so that they are marked and taken away again.
"""
