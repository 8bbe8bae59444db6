"""What is told, and to whom: Outlook about a loan (texts.py, and preview.py before it is made), people by mail
(mail_texts.py), whoever asks what a plan would do (lines.py), why a room is booked or free (why.py), or what the
engine is doing (activity.py). Plain values; nothing is decided here.
"""
