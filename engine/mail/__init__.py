"""Mail out: a letter of the outbox becomes a message (`compose.py`), and goes to a mail server (`smtp.py`).

Lives here: MIME and SMTP. Never here: what a mail says and to whom (`app/mail.py`, `calendars/`), when it is
tried again (`outbox/`).
"""
