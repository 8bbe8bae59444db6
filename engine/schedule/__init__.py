"""Timed jobs. Each only enqueues keys, by a callable it is handed.

Lives here: when things are looked at by the clock. Never here: what is done then, SQL, HTTP.
May import: ids, interval, errors. Only this package imports apscheduler.
"""
