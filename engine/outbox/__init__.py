"""What others are owed: values, rules and protocols of the one outbox. Only what Outlook is told goes another way.

A change of a loan, a room or a case becomes *messages*, written in the transaction of the change: one per receiver, in
the *lane* of what it is about. They are carried out later, by the sender of their *channel*: at least once, in order
within receiver and lane, with back-off, parked after the last try, replayable. `database/outbox/messages.py` keeps
them, `worker/outbox.py` carries them out. Nothing here touches anything.
"""
