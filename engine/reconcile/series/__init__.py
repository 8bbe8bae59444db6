"""Series made in the app: what may be asked for (book.py), and which writes bring Outlook there (writes.py)."""
