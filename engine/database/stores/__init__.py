"""What can be lent: stores with their keepers and rules, and their assets."""
