"""Who is at the browser: signing in, what belongs to the reader; and finding others."""
