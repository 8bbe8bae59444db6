"""The booking form: what it offers, what repeats, what a change of a loan or of a series takes along."""
