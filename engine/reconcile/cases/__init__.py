"""Cases as people meet them: the ways out of one (ways.py), and how they look through many (listing.py)."""
