"""The words of the calendar side: rooms, copies of events, answers, and what a room calendar can do.

Lives here: frozen values and the `RoomCalendar` protocol. Never here: HTTP, tables, decisions.
May import: ids, interval, errors. Imported by every floor above; never by `loans`.
"""
