"""HTTP in: the JSON API, health, metrics, and the receiver of change notifications.

Lives here: routes, what they accept and answer, who may call them; the JSON API in `api/`, the pages in `pages/`, and
beside them what both stand on. Never here: decisions, tables, Graph, the worker; what a route needs is handed in
through `WebParts`, and a route that wants something synced enqueues a key.
May import: reconcile, subscriptions, rooms, loans, ids, interval, errors. Wired up in app.
"""
