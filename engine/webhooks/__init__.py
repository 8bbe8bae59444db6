"""Webhooks, as far as pencil and paper go: endpoints, payloads, signatures, which addresses may be called, which
answers count. `database/outbox/webhooks.py` keeps endpoints, `senders/webhook.py` calls them.
"""
