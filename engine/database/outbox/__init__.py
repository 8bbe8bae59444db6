"""What others are owed: messages with their tries, and the endpoints of webhooks with what they are told."""
