"""What is taken and what is free: the board, and finding a room."""
