"""Decides: compares the two sides of one booking, says what would make them agree, and why.

Lives here: pure functions and tables; values in, values out. Never here: clocks, files, sockets,
logs, SQL. May import: rooms, loans, ids, interval, errors. One booking is followed through

    observe.py   the copies in the mirror become one view of the meeting (and: is more reading needed?)
    validate.py  is it an event that may become a loan? (H36-H39)
    decide.py    the tables: what one field needs, how a booking ends
    plan.py      the whole: a plan of plain values (`actions.py`)
    merge.py     the three-way merge of a booking that lives on both sides

with what they need beside them, and around them

    series/      series made in the app
    backfill/    what was in the calendars before the engine
    cases/       what people are asked to settle
    words/       every reason code as a sentence, in French and English (D2)
    telling/     what Outlook and people are told (H52-H53)
"""
