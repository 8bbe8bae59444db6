"""How many rows go out with one answer."""

LIMIT_MAX = 1000
