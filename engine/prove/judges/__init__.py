"""The promises: judged at the end, from both sides and what people remember (invariants.py), and while the world lives
(witness.py)."""
