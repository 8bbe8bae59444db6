"""The work queue and the timed jobs: marking keys, claiming them."""
