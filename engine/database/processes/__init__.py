"""Several processes on one database: who is alone, who leads, who holds a latch, who woke whom."""
