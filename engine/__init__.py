"""Accord: keeps Microsoft 365 rooms and a local loan desk in agreement, both ways."""

__version__ = "0.1.0"
