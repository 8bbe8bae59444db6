"""Series: their dates in the mirror, booking, changing and cancelling them at the desk, writing them to Outlook."""
