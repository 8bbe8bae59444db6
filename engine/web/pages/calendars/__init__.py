"""Calendars beside the desk: feeds, people's own in Outlook, and Outlook as the demonstration plays it."""
