"""Those who carry the outbox's messages into the world, one module per channel. They know nothing of the database:
`app` hands them what they need, and the pass in `worker/outbox.py` calls them.
"""
