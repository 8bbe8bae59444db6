"""The mirror: rooms' copies of events as last read, and what a page of changes tells."""
