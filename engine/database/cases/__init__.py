"""Cases: opening them with the decisions that they come from, reading and closing them."""
