"""What the pages are handed by the rest of the house, as protocols and plain values. Imports no page."""
