"""Cases: opening them with the decisions that they come from, looking through them, settling and closing them."""
