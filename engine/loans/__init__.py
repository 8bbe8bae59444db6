"""The words of the loan side: loans, their items and states, booking rules, cases, and what a register can do.

Lives here: frozen values, the tables of statuses and rules, and the `LoanRegister` protocol.
Never here: SQL, HTTP, decisions about Outlook. May import: ids, interval, errors.
"""
