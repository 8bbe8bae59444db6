"""The desk's side: loans, what people may ask, what the clock does, the guard against double bookings."""
