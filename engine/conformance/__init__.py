"""
Asks a tenant, over HTTP, whether it behaves as the simulated one is believed to.

Lives here: `check.py` (what a check is, and the table of all of them), `checks/` (the checks, a module per group),
`stage.py` (the mailboxes a check may use, what it made there, and how that is taken away again), `client.py` (one
HTTP client that remembers what was said), `receiver.py` (where notifications arrive), `simulated.py` (a tenant in this
process), `run.py` (one run, and what a difference looks like). A check touches nothing but what it made. Imported by
`cli` alone; nothing that serves people imports it.
"""
