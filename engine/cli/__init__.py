"""The command line: what people type, and what they read.

Lives here: commands, how they are spelt, how results are shown. Never here: decisions, tables, what another door
(the API) would need too. Heavy things are imported inside the commands, so that help comes at once.
May import: everything below; `app` is reached through `doors`. Imported by __main__ only.
"""
