"""Subscriptions, and change notifications on their way to receivers."""
