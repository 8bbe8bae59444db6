"""What ties a loan to its meeting: links and writes under way as rows, and the loan's side of a plan."""
