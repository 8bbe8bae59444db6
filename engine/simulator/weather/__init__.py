"""What goes wrong on demand, and the limits that Graph sets."""
