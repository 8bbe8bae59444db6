"""The crash sweep: short stories lived through again and again, the engine dying at every point there is.

mortal.py   a world whose engine can die at any commit and at any request, at once and for good
stories.py  the table of stories: what is booked, what is edited, what somebody does while the engine is dead
memory.py   what people wanted, and whether both sides say so in the end
lives.py    many deaths in a row, at points drawn from a seed, with people who go on all the time
sweep.py    living through a story with a death at every point, or at every pair of points

`scripts/crash-sweep` runs it.
"""
