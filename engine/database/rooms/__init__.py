"""The calendar side: rooms as imported and as kept in memory, and the mirror of their calendars."""
