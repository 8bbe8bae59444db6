"""Decides which change subscriptions to create, renew, replace, adopt or drop, and when.

Lives here: pure functions and values. Never here: clocks, HTTP, tables, secrets.
May import: rooms, loans, ids, interval, errors.
"""
