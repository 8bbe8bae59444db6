"""Calendars of mailboxes: single events, series, and when series take place."""
