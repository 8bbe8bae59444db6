"""What Graph tells us: subscriptions, notifications, and the events that notifications bring."""
