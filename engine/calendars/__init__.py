"""Calendars as text (RFC 5545): feeds that people subscribe to, and invitations in mails. Pure.

Lives here: what a line, an event and a time zone look like; the protocols of feeds. Never here: which loan tells how
much (`reconcile/telling/texts.py`), where feeds are kept (`database/calendars/feeds.py`), who may read them
(`web/api/feeds.py`).
"""
