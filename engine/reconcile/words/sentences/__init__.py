"""The sentence of every reason code, in English and French (D2): a table per subject.

A sentence names the rule and the values, so that a person can read why something was, or was not, synced. Values come
from the facts stored with the decision (`reasons.py` fills them in); one that is missing shows as `?`.
"""

from engine.reconcile.words.sentences.backfill import BACKFILL
from engine.reconcile.words.sentences.booking import BOOKING
from engine.reconcile.words.sentences.cases import CASES
from engine.reconcile.words.sentences.house import HOUSE
from engine.reconcile.words.sentences.why import WHY

TABLES = (BOOKING, CASES, BACKFILL, HOUSE, WHY)
"""All of them; no code is in two."""
