"""People: finding them, reading out what is kept of one, erasing it, forgetting what is old."""
