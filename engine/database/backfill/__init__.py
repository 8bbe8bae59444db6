"""Backfills as they are kept: planning one, carrying it out and taking it back, some meetings at a time."""
