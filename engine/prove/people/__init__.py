"""People who use a world at random, on both sides, and remember what they did. verbs.py is the table of what they do;
every other module here is one kind of it."""
