"""What ties loans to meetings: links with the base, plans carried out, writes under way, what passes remember."""
