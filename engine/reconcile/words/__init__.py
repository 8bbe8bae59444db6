"""Reasons as people read them, in French and English (D2): what everything else here says, said in one place.

reasons.py says the sentence of a code, of those in `sentences/`; quoting.py what another service said;
local.py shows in local time what is kept in UTC.
"""
