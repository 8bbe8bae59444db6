"""At the door: tokens, sessions, requests that are answered once, settings changed at run time."""
