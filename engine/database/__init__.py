"""The database: loans, bases, mirrors, the work queue, and everything else that must survive a restart.

Lives here: tables, transactions, migrations, the occupancy guard, and the register of loans, in packages by what the
rows are about; docs/architecture.md has one line for each.
Never here: Graph, HTTP, decisions about what both sides should become.
May import: rooms, loans, reconcile, subscriptions, ids, interval, errors. Rows never leave.
"""
