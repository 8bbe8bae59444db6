"""What people get of loans elsewhere: feeds, mails, entries in a calendar of their own that they connected."""
