"""What can be lent: rooms, stores with their assets, who keeps a store, and the rules of each."""
