"""What Graph's addresses do: a module per resource, and how events are taken in and shown."""
