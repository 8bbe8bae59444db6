"""How both databases are spoken to: transactions, statements compiled once, what drivers throw."""
