"""What was in the calendars before the engine: what to do with one meeting (proposal.py), and the plan that people
carry out and take back (book.py)."""
