"""Who may come in: tokens, consent of people, and what the application is permitted."""
