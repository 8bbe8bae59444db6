"""The database: loans, bases, mirrors, the work queue, and everything else that must survive a restart.

Lives here: tables, transactions, migrations, the occupancy guard, and the register of loans.
Never here: Graph, HTTP, decisions about what both sides should become.
May import: rooms, loans, reconcile, subscriptions, ids, interval, errors. Rows never leave.
"""
