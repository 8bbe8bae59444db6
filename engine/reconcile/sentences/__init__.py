"""The sentence of every reason code, in English and French (D2): a table per subject.

A sentence names the rule and the values, so that a person can read why something was, or was not, synced. Values come
from the facts stored with the decision (`reasons.py` fills them in); one that is missing shows as `?`.
"""

from engine.reconcile.sentences.backfill import BACKFILL
from engine.reconcile.sentences.booking import BOOKING
from engine.reconcile.sentences.cases import CASES
from engine.reconcile.sentences.house import HOUSE
from engine.reconcile.sentences.why import WHY

TABLES = (BOOKING, CASES, BACKFILL, HOUSE, WHY)
"""All of them; no code is in two."""
