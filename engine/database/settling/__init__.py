"""Looking through cases, taking a way out of one, and taking it back."""
