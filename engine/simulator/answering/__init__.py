"""What happens in invited mailboxes: requests are placed, rooms judge and answer, organizers hear of it."""
