"""The JSON API: its routes, what they accept and answer, and how errors are said. `app.py` puts it together."""
