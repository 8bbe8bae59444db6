"""Loans as they stand: one, one's own, a series, what disagrees about them, and why a room is booked or not."""
