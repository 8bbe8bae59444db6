"""Reading across everything, for people: the board, why a room is booked, what the engine does and how it is."""
